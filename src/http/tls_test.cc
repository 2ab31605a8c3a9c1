// TLS: a certificate made here, a client of OpenSSL's own.
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "http/server_fixture.h"

namespace chronos::http {
namespace {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Releaser<X509_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Releaser<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Releaser<SSL_free>>;
using FilePtr = std::unique_ptr<std::FILE, Releaser<std::fclose>>;

CertPtr self_signed(EVP_PKEY* key) {
  CertPtr cert(X509_new());
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key);
  X509_NAME* const name = X509_get_subject_name(cert.get());
  const unsigned char text[] = "localhost";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  X509_sign(cert.get(), key, EVP_sha256());
  return cert;
}

class TlsTest : public ServerTest {
 protected:
  TlsTest() {
    char pattern[] = "/tmp/chronos_tls_XXXXXX";
    directory_ = ::mkdtemp(pattern);
    key_ = KeyPtr(EVP_EC_gen("P-256"));
    cert_ = self_signed(key_.get());
    files = {directory_ / "cert.pem", directory_ / "key.pem"};
    PEM_write_X509(FilePtr(std::fopen(files.cert_file.c_str(), "w")).get(), cert_.get());
    write_key(files.key_file, key_.get(), nullptr);
    options.tls = files;
    add(Method::get, "/a", echo);
    add(Method::post, "/a", echo);
    add(Method::get, "/secure", [](const Request& request, Reply reply) {
      reply(text_response(request.is_tls ? "yes" : "no"));
    });
  }
  ~TlsTest() override { std::filesystem::remove_all(directory_); }

  static void write_key(const std::string& path, EVP_PKEY* key, const EVP_CIPHER* cipher) {
    char password[] = "password";
    PEM_write_PrivateKey(FilePtr(std::fopen(path.c_str(), "w")).get(), key, cipher, nullptr, 0,
                         nullptr, cipher ? password : nullptr);
  }

  // A client that trusts exactly our certificate. Null if the handshake fails.
  SslPtr connect_tls(const Client& client, int version_max = TLS1_3_VERSION,
                     std::string_view protocols = "") {
    const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(context.get(), version_max);
    SSL_CTX_set_security_level(context.get(), 0);  // offers what is old, too
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), cert_.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SslPtr ssl(SSL_new(context.get()));
    const auto* bytes = reinterpret_cast<const unsigned char*>(protocols.data());
    SSL_set_alpn_protos(ssl.get(), bytes, static_cast<unsigned>(protocols.size()));
    SSL_set_fd(ssl.get(), client.fd());
    return SSL_connect(ssl.get()) == 1 ? std::move(ssl) : nullptr;
  }

  static void write(SSL* ssl, std::string_view bytes) {
    ASSERT_EQ(SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }

  static std::string read_until(SSL* ssl, std::string_view end) {
    std::string seen;
    char buffer[4096];
    while (!seen.ends_with(end)) {
      const int count = SSL_read(ssl, buffer, sizeof buffer);
      if (count <= 0) break;
      seen.append(buffer, static_cast<std::size_t>(count));
    }
    return seen;
  }

  // Until the server's own end; fails if the connection was merely cut.
  static std::string read_to_end(SSL* ssl) {
    std::string seen;
    char buffer[4096];
    int count = 0;
    while ((count = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
      seen.append(buffer, static_cast<std::size_t>(count));
    }
    EXPECT_EQ(SSL_get_error(ssl, count), SSL_ERROR_ZERO_RETURN);
    return seen;
  }

  std::filesystem::path directory_;
  KeyPtr key_;
  CertPtr cert_;
  TlsFiles files;
};

TEST_F(TlsTest, ServesOverTls) {
  start();
  const Client client = connect();
  const SslPtr ssl = connect_tls(client);
  ASSERT_TRUE(ssl);
  EXPECT_STREQ(SSL_get_version(ssl.get()), "TLSv1.3");
  for (int i = 0; i < 3; ++i) {
    write(ssl.get(), get("/secure"));
    EXPECT_TRUE(read_until(ssl.get(), "\r\n\r\nyes").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  const std::string large(300'000, 'x');
  write(ssl.get(), post("/a", large));
  EXPECT_TRUE(read_until(ssl.get(), "\r\n\r\n" + large).ends_with(large));
}

TEST_F(TlsTest, EndsWithACloseNotify) {
  start();
  const Client client = connect();
  const SslPtr ssl = connect_tls(client);
  ASSERT_TRUE(ssl);
  write(ssl.get(), get("/a", "Connection: close\r\n"));
  EXPECT_TRUE(read_to_end(ssl.get()).ends_with("\r\n\r\n/a"));
}

TEST_F(TlsTest, TheRefusalSurvivesAClientThatGoesOnSending) {
  options.body_max = 10;
  start();
  const Client client = connect();
  const SslPtr ssl = connect_tls(client);
  ASSERT_TRUE(ssl);
  write(ssl.get(), "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n");
  write(ssl.get(), std::string(100'000, 'x'));
  EXPECT_TRUE(read_to_end(ssl.get()).starts_with("HTTP/1.1 413 "));
}

TEST_F(TlsTest, StoppingEndsIdleAndBusyConnections) {
  Held held;
  add(Method::get, "/held", held.handler());
  start();
  const Client idle = connect();
  const SslPtr idle_ssl = connect_tls(idle);
  const Client busy = connect();
  const SslPtr busy_ssl = connect_tls(busy);
  ASSERT_TRUE(idle_ssl && busy_ssl);
  write(busy_ssl.get(), get("/held"));
  ASSERT_TRUE(held.wait_for(1));
  server->stop(std::chrono::milliseconds(20));
  EXPECT_EQ(read_until(idle_ssl.get(), "nothing"), "");
  EXPECT_EQ(read_until(busy_ssl.get(), "nothing"), "");
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  start();
  const Client old = connect();
  EXPECT_FALSE(connect_tls(old, TLS1_1_VERSION));
  const Client fine = connect();
  const SslPtr ssl = connect_tls(fine, TLS1_2_VERSION);
  ASSERT_TRUE(ssl);
  EXPECT_STREQ(SSL_get_version(ssl.get()), "TLSv1.2");
}

TEST_F(TlsTest, ChoosesHttp11WhenOffered) {
  start();
  const Client client = connect();
  const SslPtr ssl = connect_tls(client, TLS1_3_VERSION, "\x02h2\x08http/1.1");
  ASSERT_TRUE(ssl);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl.get(), &chosen, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), size), "http/1.1");
}

TEST_F(TlsTest, PlainRequestsAreNotServed) {
  start();
  Client client = connect();
  client.send(get("/a"));
  client.finish_sending();
  EXPECT_EQ(client.read_to_end().find("HTTP/1.1"), std::string::npos);
}

TEST_F(TlsTest, ASilentHandshakeIsCutOff) {
  options.header_timeout = std::chrono::milliseconds(50);
  start();
  Client client = connect();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto failure = [&](const TlsFiles& bad) {
    ServerOptions other = options;
    other.tls = bad;
    const auto started = Server(other, Router({}), gate, clock).start();
    return started ? Error{} : started.error();
  };
  const auto expect_named = [](const Error& error, const std::string& file) {
    EXPECT_EQ(error.reason, Reason::invalid_fields);
    EXPECT_NE(error.message.find(file), std::string::npos) << error.message;
  };
  expect_named(failure({"/no/cert.pem", files.key_file}), "/no/cert.pem");
  expect_named(failure({files.cert_file, "/no/key.pem"}), "/no/key.pem");
  const std::string junk = directory_ / "junk.pem";
  std::ofstream(junk) << "this is no PEM\n";
  expect_named(failure({junk, files.key_file}), junk);
  expect_named(failure({files.cert_file, junk}), junk);

  const std::string other_key = directory_ / "other.pem";
  write_key(other_key, KeyPtr(EVP_EC_gen("P-256")).get(), nullptr);
  expect_named(failure({files.cert_file, other_key}), other_key);
  const std::string locked = directory_ / "locked.pem";
  write_key(locked, key_.get(), EVP_aes_128_cbc());
  expect_named(failure({files.cert_file, locked}), locked);  // and does not ask on the terminal
}

}  // namespace
}  // namespace chronos::http
