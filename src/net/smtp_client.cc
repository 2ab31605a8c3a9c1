#include "net/smtp_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/time_text.h"
#include "net/curl_options.h"

namespace chronos::net {
namespace {

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Recipients = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

constexpr std::array<std::pair<SmtpTls, std::string_view>, 3> kTlsNames = {
    {{SmtpTls::starttls, "starttls"}, {SmtpTls::tls, "tls"}, {SmtpTls::none, "none"}}};

struct Unsent {
  std::string_view bytes;
};

std::size_t give_bytes(char* to, std::size_t size, std::size_t count, void* self) {
  auto& unsent = *static_cast<Unsent*>(self);
  const std::size_t taken = std::min(size * count, unsent.bytes.size());
  std::memcpy(to, unsent.bytes.data(), taken);
  unsent.bytes.remove_prefix(taken);
  return taken;
}

int watch_stop(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::stop_token*>(self)->stop_requested() ? 1 : 0;
}

void configure_server(CURL* easy, const SmtpServer& server) {
  const bool is_ipv6 = server.host.contains(':') && !server.host.starts_with('[');
  const auto url = fmt::format("{}://{}{}{}:{}", server.tls == SmtpTls::tls ? "smtps" : "smtp",
                               is_ipv6 ? "[" : "", server.host, is_ipv6 ? "]" : "", server.port);
  set(easy, CURLOPT_URL, url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_USE_SSL,
      static_cast<long>(server.tls == SmtpTls::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!server.ca_file.empty()) set(easy, CURLOPT_CAINFO, server.ca_file.c_str());
  if (server.user.empty()) return;
  set(easy, CURLOPT_USERNAME, server.user.c_str());
  set(easy, CURLOPT_PASSWORD, server.password.c_str());
}

// Only what speaks of the mailbox itself (RFC 5321 §4.2.3) is for good; "554 transaction failed"
// may be a mood of the server, and an alert is worth another try.
bool is_for_good(long reply) {
  return reply == 550 || reply == 551 || reply == 553 || reply == 556;
}

MailAnswer explain(CURL* easy, CURLcode code, const SmtpServer& server, const char* detail) {
  long reply = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
  MailAnswer answer;
  answer.is_refused = is_for_good(reply) && code != CURLE_LOGIN_DENIED;
  const char* const said = *detail != '\0' ? detail : curl_easy_strerror(code);
  answer.error = fmt::format("mail server {} port {}: {}", server.host, server.port, said);
  return answer;
}

MailAnswer refused(std::string error) {
  return {.is_sent = false, .is_refused = true, .error = std::move(error)};
}

}  // namespace

std::string_view to_string(SmtpTls tls) {
  return kTlsNames[static_cast<std::size_t>(tls)].second;
}

std::optional<SmtpTls> parse_smtp_tls(std::string_view text) {
  for (const auto& [tls, name] : kTlsNames) {
    if (name == text) return tls;
  }
  return std::nullopt;
}

MailAnswer send_mail(const SmtpServer& server, const Mail& mail, const MailStamp& stamp,
                     Duration timeout, std::stop_token stop) {
  const auto bytes = render_mail(mail, stamp);
  if (!bytes) return refused(bytes.error().message);
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) return {.is_sent = false, .is_refused = false, .error = "no memory for a connection"};

  Unsent unsent{*bytes};
  std::array<char, CURL_ERROR_SIZE> detail{};
  Recipients recipients(nullptr, &curl_slist_free_all);
  for (const auto& address : mail.to) {
    curl_slist* const longer =
        curl_slist_append(recipients.get(), fmt::format("<{}>", address).c_str());
    CHRONOS_CHECK(longer != nullptr);
    static_cast<void>(recipients.release());
    recipients.reset(longer);
  }
  configure_server(easy.get(), server);
  const auto sender = fmt::format("<{}>", parse_mailbox(mail.from)->address);
  set(easy.get(), CURLOPT_MAIL_FROM, sender.c_str());
  set(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
  set(easy.get(), CURLOPT_UPLOAD, 1L);
  set(easy.get(), CURLOPT_READFUNCTION, &give_bytes);
  set(easy.get(), CURLOPT_READDATA, &unsent);
  set(easy.get(), CURLOPT_TIMEOUT_MS, milliseconds(timeout));
  set(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, milliseconds(timeout));
  set(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
  set(easy.get(), CURLOPT_NOPROGRESS, 0L);
  set(easy.get(), CURLOPT_XFERINFOFUNCTION, &watch_stop);
  set(easy.get(), CURLOPT_XFERINFODATA, &stop);
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_OK) return {.is_sent = true, .is_refused = false, .error = {}};
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {.is_sent = false,
            .is_refused = false,
            .error = fmt::format("mail server {} port {} did not take the mail within {}",
                                 server.host, server.port, format_duration(timeout))};
  }
  return explain(easy.get(), code, server, detail.data());
}

std::string greet(const SmtpServer& server, Duration timeout) {
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) return "no memory for a connection";
  std::array<char, CURL_ERROR_SIZE> detail{};
  configure_server(easy.get(), server);
  set(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  set(easy.get(), CURLOPT_TIMEOUT_MS, milliseconds(timeout));
  set(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, milliseconds(timeout));
  set(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(easy.get());
  return code == CURLE_OK ? std::string() : explain(easy.get(), code, server, detail.data()).error;
}

}  // namespace chronos::net
