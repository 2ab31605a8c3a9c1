// Answer: the function object behind Reply and the gate's continuations. May be called once, from
// any thread; it brings the value to the connection's own. Dropped uncalled it brings a failure.
// Private to the connection.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/memory.h"
#include "base/result.h"
#include "http/connection.h"

namespace chronos::http {

template <class Value, void (Connection::*take)(std::uint64_t, Value), Value (*when_dropped)()>
class Answer {
 public:
  Answer(std::shared_ptr<Connection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}
  Answer(Answer&& other) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (connection_) deliver(when_dropped());
  }

  void operator()(Value value) {
    CHRONOS_CHECK(connection_ != nullptr);  // called twice
    deliver(std::move(value));
  }

 private:
  void deliver(Value value) {
    auto connection = std::move(connection_);
    EventLoop& loop = connection->loop();
    if (loop.is_current()) return ((*connection).*take)(number_, std::move(value));
    loop.post([connection, number = number_, value = std::move(value)]() mutable {
      ((*connection).*take)(number, std::move(value));
    });
  }

  std::shared_ptr<Connection> connection_;  // whoever may still be answered is kept
  std::uint64_t number_;
};

// Dropped by an exception, it may have done something before.
inline std::unexpected<Error> dropped(const char* how) {
  if (std::uncaught_exceptions() > 0 && has_memory_run_out()) {
    return fail(Reason::unknown_commit, "memory ran out while this was done",
                "repeat it with the same Idempotency-Key");
  }
  return fail(Reason::internal, how);
}
inline Result<Response> dropped_reply() {
  return dropped("a handler dropped its request unanswered");
}
inline Admission dropped_admission() {
  return dropped("the gate dropped a request undecided");
}
inline HeadVerdict dropped_verdict() {
  return dropped_admission();
}

using ReplyAnswer = Answer<Result<Response>, &Connection::on_reply, &dropped_reply>;
using HeadVerdictAnswer = Answer<HeadVerdict, &Connection::on_head_verdict, &dropped_verdict>;
using BodyVerdictAnswer = Answer<Admission, &Connection::on_body_verdict, &dropped_admission>;

}  // namespace chronos::http
