#include "net/http_transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time_text.h"
#include "net/curl_options.h"
#include "net/url.h"

namespace chronos::net {
namespace {

bool initialize_curl() {
  static const bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return is_ready;
}

bool is_idempotent(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
  return std::ranges::find(kMethods, method) != std::end(kMethods);
}

bool is_redirect(int status) {
  return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Header lines as libcurl takes them, in two pieces of memory instead of two for each line.
class HeaderLines {
 public:
  void clear() {
    text_.clear();
    starts_.clear();
  }
  void append(std::initializer_list<std::string_view> parts) {
    starts_.push_back(text_.size());
    for (const auto part : parts) text_ += part;
    text_ += '\0';
  }
  // Until the next append().
  curl_slist* list() {
    nodes_.resize(starts_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i] = {text_.data() + starts_[i], i + 1 < nodes_.size() ? &nodes_[i + 1] : nullptr};
    }
    return nodes_.data();
  }

 private:
  std::string text_;
  std::vector<std::size_t> starts_;
  std::vector<curl_slist> nodes_;
};

}  // namespace

struct HttpTransfer::State {
  State(TransferStock& given_stock, HttpCall given_call)
      : stock(given_stock), options(stock.options()), call(std::move(given_call)) {}
  ~State() {
    if (easy != nullptr) stock.give_back(easy);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Each returns false with the answer's failure set.
  bool check_call();
  bool begin_hop();
  bool follow(std::string_view location);
  bool fail(HttpFailure failure, std::string error);

  void configure();
  void configure_method();
  void configure_headers();
  void explain(CURLcode code);
  void explain_timeout();
  std::string detail(CURLcode code) const;
  Duration remaining() const { return deadline - SystemClock().steady(); }

  static void configure_for_all(CURL* handle, TransferStock& stock);
  static int open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int close_socket(void* stock, curl_socket_t socket);
  static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static int before_request(void* self, char*, char*, int, int);

  TransferStock& stock;
  const HttpClientOptions& options;
  HttpCall call;
  Url url;  // of this hop
  SteadyTime deadline{};
  CURL* easy = nullptr;  // of the stock
  HeaderLines headers;
  HttpAnswer answer;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  int redirects = 0;
  int requests = 0;              // put on the wire in this hop
  std::size_t header_bytes = 0;  // over all hops
  std::int64_t body_bytes = 0;   // of this hop
  std::string refusal;           // of an address of this hop
  bool is_any_address_allowed = false;
  bool is_cut = false;  // the body passed answer_max and the transfer was ended
};

bool HttpTransfer::State::fail(HttpFailure failure, std::string error) {
  answer.failure = failure;
  answer.error = std::move(error);
  return false;
}

bool HttpTransfer::State::check_call() {
  const auto is_good = [](const HttpHeader& header) {
    return is_token(header.name) && is_field_value(header.value);
  };
  if (!is_token(call.method)) return fail(HttpFailure::bad_call, "the method is not a token");
  if (!std::ranges::all_of(call.headers, is_good)) {
    return fail(HttpFailure::bad_call, "a header has characters that are not allowed");
  }
  auto parsed = stock.read_url(call.url);
  if (!parsed) return fail(HttpFailure::bad_call, std::move(parsed).error().message);
  url = std::move(*parsed);
  return true;
}

bool HttpTransfer::State::begin_hop() {
  answer = {};
  if (options.policy) {
    if (auto why = refusal_of_host(url.host)) {
      return fail(HttpFailure::egress_refused, std::move(*why));
    }
  }
  if (easy == nullptr) easy = stock.take_handle();
  if (easy == nullptr) return fail(HttpFailure::connect, "no memory for a connection");
  requests = 0;
  body_bytes = 0;
  refusal.clear();
  is_any_address_allowed = false;
  is_cut = false;
  error_text[0] = '\0';
  configure();
  return true;
}

// What is the same for every call.
void HttpTransfer::State::configure_for_all(CURL* handle, TransferStock& stock) {
  const auto& options = stock.options();
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_PROXY, "");  // an empty one hides those of the environment
  set(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_NOPROGRESS, 1L);
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  // A look-up that outlives its call ends in its own thread; waiting for it would stop all others.
  set(handle, CURLOPT_QUICK_EXIT, 1L);
  set(handle, CURLOPT_MAXAGE_CONN,
      std::max<long>(options.idle_connection_max / std::chrono::seconds(1), 1));
  set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_file.empty()) set(handle, CURLOPT_CAINFO, options.ca_file.c_str());
  set(handle, CURLOPT_OPENSOCKETFUNCTION, &State::open_socket);
  set(handle, CURLOPT_CLOSESOCKETFUNCTION, &State::close_socket);
  set(handle, CURLOPT_CLOSESOCKETDATA, &stock);  // connections outlive their transfers
  set(handle, CURLOPT_HEADERFUNCTION, &State::take_header);
  set(handle, CURLOPT_WRITEFUNCTION, &State::take_body);
  set(handle, CURLOPT_PREREQFUNCTION, &State::before_request);
}

// What is of this hop: each of these is set every time, as the handle had other calls before.
void HttpTransfer::State::configure() {
  set(easy, CURLOPT_URL, url.text.c_str());
  set(easy, CURLOPT_TIMEOUT_MS, milliseconds(remaining()));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(call.connect_timeout));
  set(easy, CURLOPT_ERRORBUFFER, error_text.data());
  set(easy, CURLOPT_OPENSOCKETDATA, this);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_PREREQDATA, this);
  configure_method();
  configure_headers();
}

void HttpTransfer::State::configure_method() {
  const bool expects_body = call.method == "POST" || call.method == "PUT" || call.method == "PATCH";
  set(easy, CURLOPT_HTTPGET, 1L);  // forgets the HEAD or POST before
  if (call.method == "HEAD") {
    set(easy, CURLOPT_CUSTOMREQUEST, nullptr);
    set(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  set(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (!expects_body && call.body.empty()) return;
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  set(easy, CURLOPT_POSTFIELDS, call.body.data());
  set(easy, CURLOPT_POST, 1L);
}

void HttpTransfer::State::configure_headers() {
  headers.clear();
  headers.append({"Expect:"});  // no 100-continue: bodies are small
  // libcurl would call every body a form.
  if (!find_header(call.headers, "Content-Type")) headers.append({"Content-Type:"});
  for (const auto& [name, value] : call.headers) {
    if (value.empty()) {
      headers.append({name, ";"});
    } else {
      headers.append({name, ": ", value});
    }
  }
  set(easy, CURLOPT_HTTPHEADER, headers.list());
}

int HttpTransfer::State::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& state = *static_cast<State*>(self);
  if (state.options.policy) {
    const auto target = endpoint_of(address->addr);
    auto why = target ? refusal_of(*state.options.policy, *target)
                      : std::optional<std::string>("not an internet address");
    if (why) {
      state.refusal = std::move(*why);
      return CURL_SOCKET_BAD;
    }
  }
  state.is_any_address_allowed = true;
  const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket >= 0 && state.stock.sockets() != nullptr) state.stock.sockets()->opened(socket);
  return socket;
}

int HttpTransfer::State::close_socket(void* stock, curl_socket_t socket) {
  auto* const sockets = static_cast<TransferStock*>(stock)->sockets();
  if (sockets != nullptr) sockets->closed(socket);
  return ::close(socket);
}

std::size_t HttpTransfer::State::take_header(char* bytes, std::size_t size, std::size_t count,
                                             void* self) {
  auto& state = *static_cast<State*>(self);
  const std::string_view line(bytes, size * count);
  state.header_bytes += line.size();
  if (state.header_bytes > kAnswerHeaderBytesMax) {
    state.fail(HttpFailure::bad_answer,
               fmt::format("the answer has more than {} bytes of headers", kAnswerHeaderBytesMax));
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // 100 Continue and its like come before the answer
    state.answer.headers.clear();
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    state.answer.headers.push_back({std::string(trimmed(line.substr(0, colon))),
                                    std::string(trimmed(line.substr(colon + 1)))});
  }
  return line.size();
}

std::size_t HttpTransfer::State::take_body(char* bytes, std::size_t size, std::size_t count,
                                           void* self) {
  auto& state = *static_cast<State*>(self);
  const std::string_view chunk(bytes, size * count);
  const std::size_t room = state.call.answer_max - state.answer.body.size();
  state.body_bytes += static_cast<std::int64_t>(chunk.size());
  state.answer.body += chunk.substr(0, room);
  state.is_cut = chunk.size() > room;
  return state.is_cut ? 0 : chunk.size();
}

int HttpTransfer::State::before_request(void* self, char*, char*, int, int) {
  auto& state = *static_cast<State*>(self);
  ++state.requests;
  if (state.requests == 1 || (state.requests == 2 && is_idempotent(state.call.method))) {
    return CURL_PREREQFUNC_OK;
  }
  state.fail(HttpFailure::reset, "the connection was closed before an answer came");
  return CURL_PREREQFUNC_ABORT;
}

bool HttpTransfer::State::follow(std::string_view location) {
  if (++redirects > kRedirectsMax) {
    return fail(HttpFailure::redirect, fmt::format("more than {} redirects", kRedirectsMax));
  }
  auto next = resolve_url(url, location);
  if (!next) {
    return fail(HttpFailure::redirect,
                "redirected to where it may not lead: " + std::move(next).error().message);
  }
  if (url.scheme == "https" && next->scheme != "https") {
    return fail(HttpFailure::redirect, "redirected from https to http");
  }
  // RFC 9110 §15.4: 303 turns everything into GET; 301 and 302 turn POST into it, as all do.
  if (call.method != "HEAD" &&
      (answer.status == 303 || (answer.status <= 302 && call.method == "POST"))) {
    call.method = "GET";
    call.body.clear();
    std::erase_if(call.headers, [](const HttpHeader& header) {
      return is_same_header(header.name, "Content-Type");
    });
  }
  if (!is_same_origin(url, *next)) {
    std::erase_if(call.headers, [](const HttpHeader& header) {
      return is_same_header(header.name, "Authorization") || is_same_header(header.name, "Cookie");
    });
  }
  url = std::move(*next);
  return begin_hop();
}

std::string HttpTransfer::State::detail(CURLcode code) const {
  return error_text[0] != '\0' ? error_text.data() : curl_easy_strerror(code);
}

void HttpTransfer::State::explain_timeout() {
  const auto has_reached = [&](CURLINFO phase) {
    curl_off_t micros = 0;
    curl_easy_getinfo(easy, phase, &micros);
    return micros > 0;
  };
  if (remaining() <= Duration(0) || has_reached(CURLINFO_PRETRANSFER_TIME_T)) {
    fail(HttpFailure::timeout,
         fmt::format("{} within {}", answer.status == 0 ? "no answer" : "the answer did not end",
                     format_duration(call.timeout)));
    return;
  }
  const auto waited = format_duration(call.connect_timeout);
  long local_port = 0;
  curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &local_port);
  const bool is_connected = local_port > 0;
  if (!has_reached(CURLINFO_NAMELOOKUP_TIME_T)) {
    fail(HttpFailure::dns, fmt::format("could not resolve '{}' within {}", url.host, waited));
  } else if (!is_connected) {
    fail(HttpFailure::connect,
         fmt::format("could not connect to {} port {} within {}", url.host, url.port, waited));
  } else {
    fail(HttpFailure::tls, fmt::format("no TLS handshake with {} within {}", url.host, waited));
  }
}

void HttpTransfer::State::explain(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      fail(HttpFailure::dns, fmt::format("could not resolve '{}'", url.host));
      return;
    case CURLE_COULDNT_CONNECT: {
      if (!refusal.empty() && !is_any_address_allowed) {
        fail(HttpFailure::egress_refused, refusal);
        return;
      }
      long number = 0;
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
      fail(HttpFailure::connect,
           fmt::format("could not connect to {} port {}{}{}", url.host, url.port,
                       number == 0 ? "" : ": ",
                       number == 0 ? "" : std::strerror(static_cast<int>(number))));
      return;
    }
    case CURLE_OPERATION_TIMEDOUT:
      explain_timeout();
      return;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
      fail(HttpFailure::tls, detail(code));
      return;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      fail(HttpFailure::reset, answer.status == 0
                                   ? "the connection was closed before an answer came"
                                   : "the connection was closed before the answer ended");
      return;
    default:
      fail(HttpFailure::bad_answer, detail(code));
  }
}

TransferStock::~TransferStock() {
  for (CURL* const handle : handles_) curl_easy_cleanup(handle);
}

void* TransferStock::take_handle() {
  if (!handles_.empty()) {
    CURL* const handle = handles_.back();
    handles_.pop_back();
    return handle;
  }
  CURL* const handle = initialize_curl() ? curl_easy_init() : nullptr;
  if (handle != nullptr) HttpTransfer::State::configure_for_all(handle, *this);
  return handle;
}

void TransferStock::give_back(void* handle) {
  constexpr std::size_t kHandlesMax = 256;
  if (handles_.size() == kHandlesMax) return curl_easy_cleanup(handle);
  set(handle, CURLOPT_ERRORBUFFER, nullptr);
  set(handle, CURLOPT_HTTPHEADER, nullptr);
  set(handle, CURLOPT_POSTFIELDS, nullptr);
  handles_.push_back(handle);
}

Result<Url> TransferStock::read_url(const std::string& text) {
  constexpr std::size_t kUrlsMax = 256;
  if (const auto known = urls_.find(text); known != urls_.end()) return known->second;
  CHRONOS_TRY(auto url, parse_url(text));
  if (urls_.size() == kUrlsMax) urls_.clear();
  return urls_.emplace(text, std::move(url)).first->second;
}

HttpTransfer::HttpTransfer(TransferStock& stock, HttpCall call)
    : state_(std::make_unique<State>(stock, std::move(call))) {}

HttpTransfer::~HttpTransfer() = default;

bool HttpTransfer::prepare() {
  state_->deadline = SystemClock().steady() + state_->call.timeout;
  return state_->check_call() && state_->begin_hop();
}

void* HttpTransfer::handle() const {
  return state_->easy;
}

bool HttpTransfer::finish(int curl_code) {
  State& state = *state_;
  HttpAnswer& answer = state.answer;
  long status = 0;
  curl_easy_getinfo(state.easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = status >= 200 ? static_cast<int>(status) : 0;

  curl_off_t declared = -1;
  curl_easy_getinfo(state.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &declared);
  const auto kept = static_cast<std::int64_t>(answer.body.size());
  answer.dropped = state.is_cut ? std::max<std::int64_t>(state.body_bytes, declared) - kept : 0;

  if (answer.failure != HttpFailure::none) return false;
  if (curl_code != CURLE_OK && !state.is_cut) {
    state.explain(static_cast<CURLcode>(curl_code));
    return false;
  }
  if (!state.call.follow_redirects || !is_redirect(answer.status)) return false;
  const auto location = find_header(answer.headers, "Location");
  return location && state.follow(std::string(*location));
}

void HttpTransfer::abandon(HttpFailure failure, std::string error) {
  state_->fail(failure, std::move(error));
}

HttpAnswer HttpTransfer::take_answer() {
  return std::move(state_->answer);
}

}  // namespace chronos::net
