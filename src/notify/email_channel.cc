// E-mail. Sending blocks, so a few threads of its own take turns at a queue: a mail server that
// hangs holds nobody else up.
#include <deque>
#include <ranges>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/smtp_client.h"
#include "notify/channels.h"
#include "notify/wording.h"

namespace chronos::notify {
namespace {

constexpr int kThreads = 4;
constexpr int kEmailSendingsMax = 16;

Sent interrupted() {
  return {.kind = Sent::Kind::interrupted, .error = "the server is stopping", .retry_after = {}};
}

class EmailChannel final : public Channel {
 public:
  EmailChannel(const Clock& clock, const NotifyOptions& options);
  ~EmailChannel() override { stop(); }

  int sendings_max() const override { return kEmailSendingsMax; }
  void send(const Delivery& delivery, std::move_only_function<void(Sent)> done) override;
  void stop() override;

 private:
  struct Letter {
    net::Mail mail;
    std::string id;
    std::move_only_function<void(Sent)> done;
  };

  void run(const std::stop_token& stop) noexcept;
  std::optional<Letter> next(const std::stop_token& stop);
  Sent post(const Letter& letter, const std::stop_token& stop) const;

  const Clock& clock_;
  const std::optional<net::SmtpServer> server_;
  const std::string from_;
  const std::string base_url_;
  const Duration timeout_;

  Mutex mutex_;
  Condition arrived_;
  std::deque<Letter> letters_ CHRONOS_GUARDED_BY(mutex_);
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

EmailChannel::EmailChannel(const Clock& clock, const NotifyOptions& options)
    : clock_(clock),
      server_(options.smtp),
      from_(options.from),
      base_url_(options.base_url),
      timeout_(options.send_timeout) {
  if (!server_) return;
  for (int i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

std::vector<std::string> addresses_in(std::string_view text) {
  std::vector<std::string> addresses;
  for (const auto part : std::views::split(text, kAddressSeparator)) {
    addresses.emplace_back(part.begin(), part.end());
  }
  return addresses;
}

void EmailChannel::send(const Delivery& delivery, std::move_only_function<void(Sent)> done) {
  if (!server_) {
    return done({.kind = Sent::Kind::try_later,
                 .error = "no mail server is configured",
                 .retry_after = {}});
  }
  auto text = mail_text(delivery.message, base_url_);
  Letter letter{.mail = {.from = from_,
                         .to = addresses_in(delivery.target.address),
                         .subject = std::move(text.subject),
                         .text = std::move(text.text),
                         .html = std::move(text.html)},
                .id = delivery.id.to_string(),
                .done = std::move(done)};
  {
    const MutexLock lock(mutex_);
    if (!is_stopped_) {
      letters_.push_back(std::move(letter));
      arrived_.notify_one();
      return;
    }
  }
  letter.done(interrupted());
}

std::optional<EmailChannel::Letter> EmailChannel::next(const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  while (letters_.empty() && !stop.stop_requested()) arrived_.wait(mutex_);
  if (letters_.empty()) return std::nullopt;
  Letter letter = std::move(letters_.front());
  letters_.pop_front();
  return letter;
}

void EmailChannel::run(const std::stop_token& stop) noexcept {
  while (auto letter = next(stop)) letter->done(post(*letter, stop));
}

Sent EmailChannel::post(const Letter& letter, const std::stop_token& stop) const {
  if (stop.stop_requested()) return interrupted();
  auto answer = net::send_mail(*server_, letter.mail, {clock_.now(), letter.id}, timeout_, stop);
  if (answer.is_sent) return {.kind = Sent::Kind::delivered, .error = {}, .retry_after = {}};
  if (stop.stop_requested()) return interrupted();
  return {.kind = answer.is_refused ? Sent::Kind::refused : Sent::Kind::try_later,
          .error = std::move(answer.error),
          .retry_after = {}};
}

void EmailChannel::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    for (auto& thread : threads_) thread.request_stop();
  }
  arrived_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace

std::unique_ptr<Channel> make_email_channel(const Clock& clock, const NotifyOptions& options) {
  return std::make_unique<EmailChannel>(clock, options);
}

}  // namespace chronos::notify
