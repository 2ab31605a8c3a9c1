#include "net/http_client.h"

#include <curl/curl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "net/http_transfer.h"
#include "net/socket_watch.h"

namespace chronos::net {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) { CHRONOS_CHECK(number >= 0); }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

HttpAnswer ended_by(HttpFailure failure) {
  HttpAnswer answer;
  answer.failure = failure;
  answer.error = failure == HttpFailure::stopped ? "the client was stopped" : "cancelled";
  return answer;
}

}  // namespace

// libcurl tells which sockets and which timer it waits for; SocketWatch waits for them all.
// Everything but the queue belongs to the thread.
class HttpClient::Loop {
 public:
  explicit Loop(HttpClientOptions options);
  ~Loop();

  void start(std::uint64_t id, HttpCall call, Done done);
  void cancel(std::uint64_t id);
  void stop();

 private:
  struct Request {
    std::uint64_t id = 0;
    HttpCall call;
    Done done;
    bool is_cancel = false;
  };
  struct Live {
    std::unique_ptr<HttpTransfer> transfer;
    Done done;
  };
  bool push(Request& request);
  void run() noexcept;
  void wait();
  void run_timer();
  bool take_requests();
  void take_request(Request request);
  void begin(Request request);
  void take_finished();
  void end(std::uint64_t id);
  void end_all();
  int wait_milliseconds() const;

  static int watch_socket(CURL*, curl_socket_t socket, int what, void* self, void* watched);
  static int set_timer(CURLM*, long milliseconds, void* self);

  SocketWatch sockets_;
  TransferStock stock_;
  const Descriptor wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::deque<Request> requests_;  // taken from the queue, not begun yet
  std::unordered_map<std::uint64_t, Live> live_;
  std::unordered_map<void*, std::uint64_t> ids_;  // by libcurl handle
  std::optional<SteadyTime> timer_;
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;  // uses all of the above

  Mutex mutex_;
  std::vector<Request> queue_ CHRONOS_GUARDED_BY(mutex_);
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

HttpClient::Loop::Loop(HttpClientOptions options)
    : stock_(std::move(options), &sockets_), multi_(curl_multi_init(), &curl_multi_cleanup) {
  CHRONOS_CHECK(multi_ != nullptr);
  CURLM* const multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Loop::watch_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Loop::set_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                    static_cast<long>(stock_.options().idle_connections_max));
  sockets_.want(wake_.number(), EPOLLIN);
  thread_ = std::jthread([this] { run(); });
}

HttpClient::Loop::~Loop() {
  stop();
}

bool HttpClient::Loop::push(Request& request) {
  bool is_first = false;
  {
    const MutexLock lock(mutex_);
    if (is_stopped_) return false;
    is_first = queue_.empty();
    queue_.push_back(std::move(request));
  }
  if (is_first) ::eventfd_write(wake_.number(), 1);
  return true;
}

void HttpClient::Loop::start(std::uint64_t id, HttpCall call, Done done) {
  Request request{id, std::move(call), std::move(done), false};
  if (!push(request)) request.done(ended_by(HttpFailure::stopped));
}

void HttpClient::Loop::cancel(std::uint64_t id) {
  Request request{id, {}, {}, true};
  push(request);
}

void HttpClient::Loop::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  ::eventfd_write(wake_.number(), 1);
  if (thread_.joinable()) thread_.join();
}

void HttpClient::Loop::run() noexcept {
  while (take_requests()) {
    run_timer();
    take_finished();
    wait();
    take_finished();
  }
  end_all();
}

int HttpClient::Loop::wait_milliseconds() const {
  if (!requests_.empty()) return 0;
  if (!timer_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*timer_ - SystemClock().steady());
  // The wait does not count time in suspension, as the timer does.
  constexpr std::int64_t kMost = 1000;
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kMost));
}

void HttpClient::Loop::wait() {
  for (const auto& event : sockets_.wait(wait_milliseconds())) {
    if (event.data.fd == wake_.number()) {
      eventfd_t wakes = 0;
      ::eventfd_read(wake_.number(), &wakes);
      continue;
    }
    int what = 0;
    if ((event.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(multi_.get(), event.data.fd, what, &running);
  }
}

void HttpClient::Loop::run_timer() {
  if (!timer_ || *timer_ > SystemClock().steady()) return;
  timer_.reset();
  int running = 0;
  curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

bool HttpClient::Loop::take_requests() {
  // Of a burst a few at a time, so that what was answered meanwhile leaves its connection to those
  // that follow: opening one costs more than a call.
  constexpr int kTurn = 16;
  bool is_stopped = false;
  {
    const MutexLock lock(mutex_);
    std::ranges::move(queue_, std::back_inserter(requests_));
    queue_.clear();
    is_stopped = is_stopped_;
  }
  for (int i = 0; !requests_.empty() && (i < kTurn || is_stopped); ++i) {
    take_request(std::move(requests_.front()));
    requests_.pop_front();
  }
  return !is_stopped;
}

void HttpClient::Loop::take_request(Request request) {
  if (!request.is_cancel) return begin(std::move(request));
  const auto found = live_.find(request.id);
  if (found == live_.end()) return;
  found->second.transfer->abandon(HttpFailure::cancelled, "cancelled");
  end(request.id);
}

void HttpClient::Loop::begin(Request request) {
  auto transfer = std::make_unique<HttpTransfer>(stock_, std::move(request.call));
  if (!transfer->prepare()) {
    request.done(transfer->take_answer());
    return;
  }
  CHRONOS_CHECK(!live_.contains(request.id));
  ids_[transfer->handle()] = request.id;
  curl_multi_add_handle(multi_.get(), transfer->handle());
  live_.emplace(request.id, Live{std::move(transfer), std::move(request.done)});
}

void HttpClient::Loop::take_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode code = message->data.result;
    const std::uint64_t id = ids_.at(handle);
    curl_multi_remove_handle(multi_.get(), handle);  // the next hop must not be set up inside
    if (live_.at(id).transfer->finish(code)) {
      curl_multi_add_handle(multi_.get(), handle);
    } else {
      end(id);
    }
  }
}

void HttpClient::Loop::end(std::uint64_t id) {
  auto node = live_.extract(id);
  Live& live = node.mapped();
  curl_multi_remove_handle(multi_.get(), live.transfer->handle());
  ids_.erase(live.transfer->handle());
  live.done(live.transfer->take_answer());
}

void HttpClient::Loop::end_all() {
  while (!live_.empty()) {
    const std::uint64_t id = live_.begin()->first;
    live_.begin()->second.transfer->abandon(HttpFailure::stopped, "the client was stopped");
    end(id);
  }
}

int HttpClient::Loop::watch_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  std::uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  static_cast<Loop*>(self)->sockets_.want(socket, events);
  return 0;
}

int HttpClient::Loop::set_timer(CURLM*, long milliseconds, void* self) {
  auto& loop = *static_cast<Loop*>(self);
  if (milliseconds < 0) {
    loop.timer_.reset();
  } else {
    loop.timer_ = SystemClock().steady() + std::chrono::milliseconds(milliseconds);
  }
  return 0;
}

HttpClient::HttpClient(HttpClientOptions options)
    : loop_(std::make_unique<Loop>(std::move(options))) {}

HttpClient::~HttpClient() = default;

void HttpClient::start(std::uint64_t id, HttpCall call, Done done) {
  loop_->start(id, std::move(call), std::move(done));
}

void HttpClient::cancel(std::uint64_t id) {
  loop_->cancel(id);
}

void HttpClient::stop() {
  loop_->stop();
}

HttpAnswer call_http(const HttpClientOptions& options, HttpCall call) {
  TransferStock stock(options);
  HttpTransfer transfer(stock, std::move(call));
  if (transfer.prepare()) {
    while (transfer.finish(curl_easy_perform(transfer.handle()))) {
    }
  }
  return transfer.take_answer();
}

}  // namespace chronos::net
