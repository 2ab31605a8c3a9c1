#include "http/connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "http/answer.h"
#include "http/problem.h"
#include "http/stream_state.h"

namespace chronos::http {
namespace {

constexpr std::size_t kOutputMax =
    256uz * 1024;  // waiting to be written: no further request starts
constexpr std::size_t kLingerMax = 1024uz * 1024;
constexpr std::size_t kReserveMax = 64uz * 1024;  // of an announced length we believe this much

std::string_view media_type_of(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return type;
}

Error full_intake() {
  return {Reason::overloaded, "too much that was submitted waits to be stored", {}, {}};
}

}  // namespace

Connection::Connection(std::shared_ptr<Worker> worker, std::unique_ptr<Transport> transport,
                       std::string peer)
    : worker_(std::move(worker)),
      options_(worker_->shared().options),
      transport_(std::move(transport)),
      peer_(std::move(peer)),
      reader_({options_.header_bytes_max, options_.target_bytes_max, options_.header_count_max}),
      read_deadline_(worker_->now() + options_.header_timeout),
      write_deadline_(kNever) {}

Connection::~Connection() = default;

void Connection::start() {
  transport_->handshake([self = shared_from_this()](bool is_ok, std::size_t) {
    if (self->stage_ != Stage::handshake) return;
    if (!is_ok) return self->close();
    self->next_request();
    self->process();
  });
}

void Connection::drain() {
  if (stage_ == Stage::closed) return;
  is_draining_ = true;
  gone_.request_stop();
  if (stage_ == Stage::handshake) return close();
  const bool is_waiting = stage_ == Stage::head && !reader_.has_bytes();
  if (is_waiting || stage_ == Stage::turn) stage_ = Stage::closing;
  process();
}

void Connection::close() {
  if (stage_ == Stage::closed) return;
  const auto self = shared_from_this();  // the worker's list may hold the last reference
  stage_ = Stage::closed;
  read_deadline_ = write_deadline_ = kNever;
  transport_->close();
  gone_.request_stop();
  for (Slot& slot : slots_) {
    if (slot.stream) slot.stream->close();
    if (slot.is_ready && slot.response.if_gone) slot.response.if_gone();
  }
  slots_.clear();
  release_body();
  worker_->forget(*this);
}

void Connection::on_deadline(SteadyTime now) {
  if (write_deadline_ <= now) return close();
  if (read_deadline_ > now) return;
  read_deadline_ = kNever;
  const Error late{Reason::request_timeout, "the request did not arrive in time", {}, {}};
  switch (stage_) {
    case Stage::head:
      if (!reader_.has_bytes()) return close();
      refuse(late);
      break;
    case Stage::body:
      cut_short();
      answer(problem_here(late));
      break;
    case Stage::discard:
      cut_short();
      break;
    case Stage::handshake:
    case Stage::linger:
      return close();
    case Stage::turn:
    case Stage::gate:
    case Stage::closing:
    case Stage::closed:
      return;
  }
  process();
}

// One pass over what there is to do: as much progress as bytes and answers at hand allow, then one
// write for all of it. Handlers that answer at once come back through on_reply() within it.
void Connection::process() {
  if (is_in_process_ || stage_ == Stage::closed) return;
  const auto self = shared_from_this();
  is_in_process_ = true;
  for (bool has_moved = true; has_moved;) {
    const bool has_answered = collect();
    const bool has_read = step();
    has_moved = has_answered || has_read;
  }
  is_in_process_ = false;
  if (stage_ == Stage::closed) return;
  write_more();
  rest_if_idle();
  read_more();
  end_if_done();
}

bool Connection::step() {
  switch (stage_) {
    case Stage::head:
      return read_head();
    case Stage::turn:
      return take_turn();
    case Stage::body:
      return read_body();
    case Stage::discard:
      return skip_body();
    case Stage::handshake:
    case Stage::gate:
    case Stage::closing:
    case Stage::linger:
    case Stage::closed:
      return false;
  }
  return false;
}

bool Connection::read_head() {
  if (is_reading_ || slots_.size() >= options_.pipeline_max) return false;
  auto head = reader_.read_head();
  if (!head) {
    refuse(head.error());
    return true;
  }
  if (!*head) {
    if (is_eof_) {
      stage_ = Stage::closing;
      return true;
    }
    if (reader_.has_bytes() && !std::exchange(has_head_begun_, true) && !is_fresh_) {
      read_deadline_ = worker_->now() + options_.header_timeout;
    }
    return false;
  }
  head_ = std::move(**head);
  head_.peer = peer_;
  head_.is_tls = worker_->shared().tls != nullptr;
  is_fresh_ = has_head_begun_ = is_idle_ = false;
  read_deadline_ = kNever;
  stage_ = Stage::turn;
  return true;
}

// RFC 9112 §9.3.2: pipelined requests may be handled side by side if they are all safe; or if they
// take effect in their order, and only wait together.
bool Connection::may_start() const {
  if (out_.size() - sent_ + next_out_.size() > kOutputMax) return false;
  if (slots_.empty()) return true;
  if (head_.expects_continue) return false;  // 100 Continue must be in its place
  if (is_safe(head_.method) && !head_.has_body()) {
    return std::ranges::all_of(slots_, [](const Slot& slot) { return is_safe(slot.method); });
  }
  const auto& match = *match_;
  return match && match->route->keeps_order && std::ranges::all_of(slots_, [](const Slot& slot) {
           return slot.route != nullptr && slot.route->keeps_order;
         });
}

bool Connection::take_turn() {
  if (!match_) {
    worker_->shared().router.strip(head_.target);
    match_ = worker_->shared().router.match(head_.method, head_.target);
  }
  if (!may_start()) return false;
  open_slot();
  auto match = *std::exchange(match_, std::nullopt);
  if (!match) {
    Response response = problem_here(match.error().error);
    if (!match.error().allow.empty()) {
      response.headers.push_back({"Allow", std::move(match.error().allow)});
    }
    answer_unread(std::move(response));
    return true;
  }
  route_ = slots_.back().route = match->route;
  head_.path_params = std::move(match->path_params);
  query_error_.reset();
  if (auto query = parse_query(head_.target)) {
    head_.query = std::move(*query);
  } else {
    query_error_ = std::move(query.error());  // told once the gate has let the caller in
  }
  stage_ = Stage::gate;
  needs_body_verdict_ = false;
  worker_->shared().gate.on_head(head_, *route_,
                                 HeadVerdictAnswer(shared_from_this(), slots_.back().number));
  return stage_ != Stage::gate;
}

void Connection::open_slot() {
  Slot slot;
  slot.number = next_number_++;
  slot.method = head_.method;
  slot.is_http10 = head_.is_http10;
  slot.started = worker_->now();
  slots_.push_back(std::move(slot));
}

void Connection::on_head_verdict(std::uint64_t number, HeadVerdict verdict) {
  if (stage_ != Stage::gate || slots_.back().number != number) return;
  if (auto* admission = std::get_if<Admission>(&verdict)) {
    if (*admission) {
      caller_ = std::move(**admission);
      begin_body();
    } else {
      answer_unread(problem_here(admission->error()));
    }
  } else if (route_->access.is_key_in_body()) {
    needs_body_verdict_ = true;
    begin_body();
  } else {
    answer_unread(
        problem_here({Reason::internal, "the gate wants a body it may not have", {}, {}}));
  }
  process();
}

void Connection::on_body_verdict(std::uint64_t number, Admission admission) {
  if (stage_ != Stage::gate || slots_.back().number != number) return;
  if (admission) {
    caller_ = std::move(*admission);
    run_handler();
  } else {
    body_.clear();
    Response response = problem_here(admission.error());
    next_request();
    answer(std::move(response));
  }
  process();
}

// Nothing more is read, though the client may still be sending what it began.
void Connection::cut_short() {
  stage_ = Stage::closing;
  is_cut_short_ = true;
  read_deadline_ = kNever;
}

// What is wrong with the request as far as its head tells.
std::optional<Error> Connection::find_fault() const {
  if (query_error_) return query_error_;
  const auto type = head_.headers.find("Content-Type");
  if (head_.has_body() && type && !route_->media_type.empty() &&
      !equal_ignoring_case(media_type_of(*type), route_->media_type)) {
    return Error{Reason::unsupported_media_type, "the body must be " + route_->media_type, {}, {}};
  }
  const std::size_t body_max = route_->body_max > 0 ? route_->body_max : options_.body_max;
  if (head_.content_length.value_or(0) > body_max) {
    return Error{Reason::body_too_large,
                 "the body is longer than " + std::to_string(body_max) + " bytes",
                 {},
                 {}};
  }
  return std::nullopt;
}

void Connection::begin_body() {
  if (const auto fault = find_fault()) return answer_unread(problem_here(*fault));
  if (route_->is_submission && !may_come()) return answer_unread(problem_here(full_intake()));
  stage_ = Stage::body;
  body_.clear();
  body_read_ = 0;
  if (!head_.has_body()) return;
  body_.reserve(std::min<std::size_t>(head_.content_length.value_or(0), kReserveMax));
  body_started_ = worker_->now();
  read_deadline_ = allowance(body_started_, options_.body_timeout, 0);
  if (head_.expects_continue && !reader_.has_bytes())
    next_out_.text += "HTTP/1.1 100 Continue\r\n\r\n";
}

// What has come with its head is judged by what waits only: it cannot be slow any more.
bool Connection::may_come() {
  Intake& intake = worker_->shared().intake;
  if (!head_.has_body() || reader_.has_whole_body()) return !intake.is_full();
  if (auto arrival = intake.expect(head_.content_length.value_or(0), worker_->now())) {
    arrival_.emplace(std::move(*arrival));
    return true;
  }
  return false;
}

bool Connection::read_body() {
  if (is_reading_) return false;
  const std::size_t body_max = route_->body_max > 0 ? route_->body_max : options_.body_max;
  const auto is_complete = reader_.read_body(body_, body_max);
  charge_body();
  std::optional<Error> fault;
  if (!is_complete) {
    fault = is_complete.error();
  } else if (worker_->shared().body_bytes > options_.body_memory_max) {
    fault = Error{Reason::overloaded, "too many request bodies are arriving at once", {}, {}};
  } else if (!*is_complete && is_eof_) {
    fault = Error{Reason::bad_request, "the body ended before its time", {}, {}};
  }
  if (fault) {
    cut_short();
    answer(problem_here(*fault));
    return true;
  }
  if (!*is_complete) {
    if (body_.size() != body_read_) {
      body_read_ = body_.size();
      read_deadline_ = allowance(body_started_, options_.body_timeout, body_read_);
    }
    return false;
  }
  release_body();
  read_deadline_ = kNever;
  if (!needs_body_verdict_) {
    run_handler();
    return true;
  }
  stage_ = Stage::gate;
  worker_->shared().gate.on_body(head_, *route_, body_,
                                 BodyVerdictAnswer(shared_from_this(), slots_.back().number));
  return stage_ != Stage::gate;
}

bool Connection::skip_body() {
  if (is_reading_) return false;
  const auto is_complete = reader_.skip_body(options_.discard_max);
  if (!is_complete || (!*is_complete && is_eof_)) {
    cut_short();
    return true;
  }
  if (!*is_complete) return false;
  next_request();
  return true;
}

// A submission takes its place when all of it is there, so that nobody holds one by being slow.
bool Connection::enter_intake() {
  if (!route_->is_submission) return true;
  auto place = worker_->shared().intake.enter(body_.size());
  if (!place) return false;
  places_.emplace(slots_.back().number, std::move(*place));
  return true;
}

// The whole request has been read.
void Connection::turn_away() {
  Response response = problem_here(full_intake());
  body_.clear();
  next_request();
  answer(std::move(response));
}

void Connection::run_handler() {
  if (!enter_intake()) return turn_away();
  Request request;
  static_cast<RequestHead&>(request) = std::move(head_);
  request.body = std::move(body_);
  request.caller = std::move(caller_);
  request.gone = gone_.get_token();
  const std::string path(request.path());
  const Handler& handler = route_->handler;
  ReplyAnswer reply(shared_from_this(), slots_.back().number);
  head_.keeps_alive = request.keeps_alive;
  next_request();
  try {
    handler(std::move(request), std::move(reply));
  } catch (const std::exception& error) {
    // The Reply died with the handler's frame, or will: that answers 500.
    log::error("a handler threw", {{"path", path}, {"error", error.what()}});
  }
}

void Connection::next_request() {
  const bool is_last = is_draining_ || is_eof_ || !head_.keeps_alive;
  const bool is_first = stage_ == Stage::handshake;
  stage_ = is_last && !is_first ? Stage::closing : Stage::head;
}

void Connection::answer(Response response) {
  on_reply(slots_.back().number, std::move(response));
}

// The body is read and thrown away if that is cheap; otherwise the connection ends.
void Connection::answer_unread(Response response) {
  const bool is_cheap = !head_.expects_continue &&
                        head_.content_length.value_or(0) <= options_.discard_max &&
                        head_.keeps_alive && !is_draining_;
  if (!head_.has_body()) {
    next_request();
  } else if (is_cheap) {
    stage_ = Stage::discard;
    body_started_ = worker_->now();
    read_deadline_ = allowance(body_started_, options_.body_timeout, 0);
  } else {
    cut_short();
  }
  answer(std::move(response));
}

// The bytes are no request, or not in time: answers, and believes nothing that follows.
void Connection::refuse(const Error& error) {
  head_ = RequestHead();
  route_ = nullptr;
  cut_short();
  open_slot();
  answer(problem_here(error));
}

Response Connection::problem_here(const Error& error) const {
  return problem(error, head_.path());
}

void Connection::charge_body() {
  const std::size_t held = body_.size();
  worker_->shared().body_bytes += held - charged_;
  charged_ = held;
}

void Connection::release_body() {
  worker_->shared().body_bytes -= charged_;
  charged_ = 0;
  arrival_.reset();
}

SteadyTime Connection::allowance(SteadyTime start, Duration timeout, std::size_t bytes) const {
  return start + timeout +
         std::chrono::seconds(bytes / std::max<std::size_t>(options_.rate_min, 1));
}

void Connection::on_reply(std::uint64_t number, Result<Response> response) {
  places_.erase(number);
  const auto slot = std::ranges::find(slots_, number, &Slot::number);
  const bool is_cut_off = slot == slots_.end();
  if (response && response->if_gone) {
    if (is_cut_off || is_eof_ || transport_->has_peer_closed()) {
      response->if_gone();
      return close();
    }
  }
  if (is_cut_off) return;
  if (response && response->later) response = response->later();
  if (!response) response = problem(response.error(), slot->route ? slot->route->pattern : "");
  const auto& base_path = worker_->shared().router.base_path();
  for (Header& header : response->headers) {
    if (header.name == "Location") header.value.insert(0, base_path);
  }
  slot->response = std::move(*response);
  slot->is_ready = true;
  process();
}

void Connection::on_stream() {
  process();
}

// Where the next bytes go. A body that is thrown away needs no memory of this connection's, however
// many send one.
std::span<char> Connection::room() {
  const auto waste = worker_->waste();
  const auto count = stage_ == Stage::discard ? reader_.missing() : 0;
  is_wasting_ = count > 0;
  if (!is_wasting_) return reader_.room();
  return waste.first(std::min<std::uint64_t>(count, waste.size()));
}

void Connection::read_more() {
  const bool wants_bytes = stage_ == Stage::body || stage_ == Stage::discard ||
                           (stage_ == Stage::head && slots_.size() < options_.pipeline_max);
  const bool wants_end = stage_ == Stage::linger;
  if (is_reading_ || is_eof_ || !(wants_bytes || wants_end)) return;
  is_reading_ = true;
  reader_.shrink();
  transport_->read_some(room(), [self = shared_from_this()](bool is_ok, std::size_t count) {
    self->on_read(is_ok, count);
  });
}

void Connection::on_read(bool is_ok, std::size_t count) {
  is_reading_ = false;
  if (stage_ == Stage::closed) return;
  if (!is_ok) {
    if (stage_ == Stage::linger) return close();
    is_eof_ = true;
    gone_.request_stop();
    return process();
  }
  if (stage_ == Stage::linger) {
    lingered_ += count;
    return lingered_ > kLingerMax ? close() : read_more();
  }
  if (is_wasting_) {
    reader_.skipped(count);
  } else if (stage_ != Stage::closing) {
    reader_.add(count);
  }
  process();
}

// Between two requests the clock runs.
void Connection::rest_if_idle() {
  const bool is_idle =
      stage_ == Stage::head && slots_.empty() && !is_writing_ && !reader_.has_bytes();
  if (!is_idle || is_idle_) return;
  is_idle_ = true;
  read_deadline_ = worker_->now() + options_.idle_timeout;
}

// All is answered and nothing more is read: say so. Closing while the client still sends would
// reset the connection, and destroy an answer on its way: then it first gets a moment to hang up.
void Connection::end_if_done() {
  if (stage_ != Stage::closing || !slots_.empty() || is_writing_) return;
  if (is_eof_) return close();
  const bool lingers = is_cut_short_ || reader_.has_bytes();
  stage_ = Stage::linger;
  read_deadline_ = worker_->now() + options_.linger_timeout;
  reader_.drop();
  transport_->shut_down([self = shared_from_this(), lingers](bool is_ok, std::size_t) {
    if (!is_ok || !lingers) return self->close();
    self->read_more();
  });
}

}  // namespace chronos::http
