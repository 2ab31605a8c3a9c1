// TLS of HttpClient: certificates are verified.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>

#include "net/http_client.h"
#include "support/scripted_server.h"

namespace chronos::net {
namespace {

using testing::ScriptedConnection;
using testing::ScriptedServer;

template <class T, auto Free>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, &EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, &X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX, &SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<SSL, &SSL_free>>;

// Signed by itself, for this name ("IP:127.0.0.1", "DNS:example.com").
Certificate make_certificate(EVP_PKEY* key, const char* name, long seconds_left) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds_left);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const auto* const common = reinterpret_cast<const unsigned char*>("test");
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION, &X509_EXTENSION_free>> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name));
  X509_add_ext(certificate.get(), names.get(), -1);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

// A file with the certificate, for HttpClientOptions::ca_file; gone with the object.
class CertificateFile {
 public:
  explicit CertificateFile(X509* certificate) {
    const int descriptor = ::mkstemp(path_.data());
    std::unique_ptr<FILE, Freer<FILE, &fclose>> file(::fdopen(descriptor, "w"));
    PEM_write_X509(file.get(), certificate);
  }
  ~CertificateFile() { ::unlink(path_.c_str()); }
  CertificateFile(const CertificateFile&) = delete;
  CertificateFile& operator=(const CertificateFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "chronos_tls_XXXXXX";
};

class HttpTlsTest : public ::testing::Test {
 protected:
  explicit HttpTlsTest(const char* name = "IP:127.0.0.1", long seconds_left = 7200)
      : key_(EVP_EC_gen("P-256")), certificate_(make_certificate(key_.get(), name, seconds_left)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes an alert to a peer that is gone
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  }

  void answer(ScriptedConnection& connection) const {
    const Session session(SSL_new(context_.get()));
    SSL_set_fd(session.get(), connection.descriptor());
    std::array<char, 4096> request{};
    if (SSL_accept(session.get()) != 1) return;
    if (SSL_read(session.get(), request.data(), static_cast<int>(request.size())) <= 0) return;
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
    SSL_write(session.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
    connection.wait_until_closed();
  }
  HttpAnswer get(HttpClientOptions options) const {
    const auto url = "https://127.0.0.1:" + std::to_string(server_.port()) + "/";
    return call_http(options, {.url = url, .timeout = std::chrono::seconds(60)});
  }

  const Key key_;
  const Certificate certificate_;
  const Context context_{SSL_CTX_new(TLS_server_method())};
  const CertificateFile file_{certificate_.get()};
  const ScriptedServer server_{[this](ScriptedConnection& connection) { answer(connection); }};
};

TEST_F(HttpTlsTest, UnknownAuthorityIsRefused) {
  const auto answer = get({});
  EXPECT_EQ(answer.failure, HttpFailure::tls);
  EXPECT_TRUE(answer.error.contains("self-signed")) << answer.error;
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpTlsTest, TrustedAuthorityIsFine) {
  const auto answer = get({.ca_file = file_.path()});
  EXPECT_EQ(answer.failure, HttpFailure::none) << answer.error;
  EXPECT_EQ(answer.body, "secret");
}

TEST_F(HttpTlsTest, MissingAuthorityFileIsATlsFailure) {
  EXPECT_EQ(get({.ca_file = "/nonexistent/ca.pem"}).failure, HttpFailure::tls);
}

struct OtherName : HttpTlsTest {
  OtherName() : HttpTlsTest("DNS:example.com") {}
};
TEST_F(OtherName, IsRefused) {
  EXPECT_EQ(get({.ca_file = file_.path()}).failure, HttpFailure::tls);
}

struct Expired : HttpTlsTest {
  Expired() : HttpTlsTest("IP:127.0.0.1", -3600) {}
};
TEST_F(Expired, IsRefused) {
  EXPECT_EQ(get({.ca_file = file_.path()}).failure, HttpFailure::tls);
}

}  // namespace
}  // namespace chronos::net
