// The answering half of Connection: answers leave in the order of their requests, as many in one
// write as are ready.
#include <utility>

#include "http/connection.h"
#include "http/response_writer.h"
#include "http/stream_state.h"

namespace chronos::http {
namespace {

constexpr std::size_t kOutputKept = 4uz * 1024;  // capacity a connection holds on to

}  // namespace

// Moves what is ready to next_out_, in the order of the requests. True if a slot was done with.
bool Connection::collect() {
  bool has_moved = false;
  while (!slots_.empty() && next_out_.long_body.empty()) {
    Slot& slot = slots_.front();
    if (slot.stream) {
      if (!collect_stream(slot)) break;
    } else if (!slot.is_ready) {
      break;
    } else {
      const bool is_stream = slot.response.stream && slot.method != Method::head;
      // Without chunks only the end of the connection tells the end of the answer.
      if (is_stream && slot.is_http10) {
        stage_ = Stage::closing;
        slots_.resize(1);
      }
      put(slot);
      if (is_stream) {
        begin_stream(slot);
        continue;
      }
    }
    pop_slot();
    has_moved = true;
  }
  return has_moved;
}

void Connection::put(Slot& slot) {
  const Framing framing{.is_head_request = slot.method == Method::head,
                        .is_http10 = slot.is_http10,
                        .is_last = stage_ == Stage::closing && slots_.size() == 1,
                        .date_line = worker_->date_line()};
  append_head(next_out_.text, slot.response, framing);
  if (slot.response.body.size() >= Output::kLongMin && is_body_bare(slot.response, framing)) {
    next_out_.long_body = std::move(slot.response.body);
  } else {
    append_body(next_out_.text, slot.response, framing);
  }
}

void Connection::pop_slot() {
  Slot slot = std::move(slots_.front());
  slots_.erase(slots_.begin());
  if (!options_.on_finished) return;
  options_.on_finished({slot.method, slot.route ? slot.route->pattern : std::string_view(),
                        slot.response.status,
                        std::chrono::duration_cast<Duration>(worker_->now() - slot.started)});
}

void Connection::begin_stream(Slot& slot) {
  slot.stream = std::make_shared<Stream::State>(weak_from_this(), options_.stream_queue_max);
  auto feed = std::move(slot.response.stream);
  feed(Stream(slot.stream));
}

// True when the stream has ended and all of it was moved.
bool Connection::collect_stream(Slot& slot) {
  // What waits, waits in the stream, where it is bounded.
  if (is_writing_ || !next_out_.empty()) return false;
  const Stream::State::Taken taken = slot.stream->take();
  if (slot.is_http10) {
    next_out_.text += taken.bytes;
    return taken.is_last;
  }
  append_chunk(next_out_.text, taken.bytes);
  if (taken.is_last) append_last_chunk(next_out_.text);
  return taken.is_last;
}

void Connection::write_more() {
  if (is_writing_ || next_out_.empty()) return;
  std::swap(out_, next_out_);
  sent_ = 0;
  is_writing_ = true;
  write_started_ = worker_->now();
  write_rest();
}

void Connection::write_rest() {
  write_deadline_ = allowance(write_started_, options_.write_timeout, sent_);
  transport_->write_some(
      out_.after(sent_),
      [self = shared_from_this()](bool is_ok, std::size_t count) { self->on_write(is_ok, count); });
}

void Connection::on_write(bool is_ok, std::size_t count) {
  if (stage_ == Stage::closed) return;
  if (!is_ok) return close();
  sent_ += count;
  if (sent_ < out_.size()) return write_rest();
  out_.text.clear();
  if (out_.text.capacity() > kOutputKept) out_.text = std::string();
  out_.long_body = std::string();
  sent_ = 0;
  is_writing_ = false;
  write_deadline_ = kNever;
  process();
}

}  // namespace chronos::http
