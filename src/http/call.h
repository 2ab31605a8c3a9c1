// One request as handlers see it (Call) and how it is answered (Ending). Private to http/'s
// *_api.cc; one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/result.h"
#include "http/api.h"
#include "http/auth.h"
#include "http/problem.h"
#include "http/request.h"
#include "service/request_facts.h"

namespace chronos::http {

class Call {
 public:
  Call(const Api& api, Request request) : api_(api), request_(std::move(request)) {}

  const Api& api() const { return api_; }
  const Request& request() const { return request_; }
  const service::Principal& who() const { return request_.caller->principal; }

  std::string_view path_param(std::string_view name) const;

  // An id of the path. What is no id at all is an id that nothing has: not_found.
  template <class AnyId>
  Result<AnyId> id(std::string_view name) const {
    if (const auto id = AnyId::parse(path_param(name))) return *id;
    return fail(Reason::not_found, "there is nothing with this id");
  }

  // The body, which must be application/json: unsupported_media_type, or what json::parse says.
  Result<json::Document> body() const;
  // The same; {} when there is none.
  Result<json::Document> body_or_empty() const;
  // For routes that take no body; {} is fine, anything in it is refused.
  Result<void> expect_no_body() const;
  // For routes without query parameters (api_key is none of theirs).
  Result<void> expect_no_query() const;

  // "application/json", in lower case; empty if not given. Fails on a charset other than UTF-8.
  Result<std::string> media_type() const;

  // Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07, "quoted" or bare) and If-Match
  // (RFC 9110 §13.1.1).
  Result<service::RequestFacts> facts() const;

 private:
  const Api& api_;
  Request request_;
};

// Answers one request, once: keeps what that needs when the Call is gone.
class Ending {
 public:
  Ending(const Api& api, const Request& request, Reply reply)
      : api_(&api), caller_(request.caller), path_(request.path()), reply_(std::move(reply)) {}

  const service::Principal& who() const { return caller_->principal; }

  void answer(Response response) { reply_(std::move(response)); }
  void refuse(const Error& error) { reply_(problem(error, path_)); }
  void answer(Result<Response> response) {
    response ? answer(std::move(*response)) : refuse(response.error());
  }

  // The completion for a service: `respond(value, who)` makes the Response, on the connection's
  // thread.
  template <class T, class Respond>
  service::Done<T> then(Respond respond) && {
    return [end = std::move(*this), respond = std::move(respond)](Result<T> value) mutable {
      if (!value) return end.refuse(value.error());
      Response response;
      response.later = [value = std::move(*value), respond = std::move(respond),
                        caller = std::move(end.caller_), path = std::move(end.path_)]() mutable {
        Result<Response> made = respond(std::move(value), caller->principal);
        return made ? std::move(*made) : problem(made.error(), path);
      };
      end.answer(std::move(response));
    };
  }

  // The same on a reader thread: for a `respond` that reads the store or writes much.
  template <class T, class Respond>
  service::Done<T> then_read(Respond respond) && {
    return [end = std::move(*this), respond = std::move(respond)](Result<T> value) mutable {
      if (!value) return end.refuse(value.error());
      std::move(end).read(
          [value = std::move(*value), respond = std::move(respond)](const Ending& self) mutable {
            return Result<Response>(respond(std::move(value), self.who()));
          });
    };
  }

  // Answers with work(const Ending&) -> Result<Response>, done on a reader thread.
  template <class Work>
  void read(Work work) && {
    std::move(*this).read_then([work = std::move(work)](Ending& end) mutable {
      end.answer(Result<Response>(work(std::as_const(end))));
    });
  }

  // Does work(Ending&), which answers in the end, on a reader thread.
  template <class Work>
  void read_then(Work work) && {
    // Shared: with the pool full, it is still here to say so.
    auto end = std::make_shared<Ending>(std::move(*this));
    const bool is_taken =
        end->api_->readers.post([end, work = std::move(work)]() mutable { work(*end); });
    if (!is_taken) end->refuse({Reason::overloaded, "too many reads are waiting", {}, {}});
  }

 private:
  const Api* api_;
  std::shared_ptr<const Caller> caller_;
  std::string path_;
  Reply reply_;
};

// What a handler answers with.
Response json_response(int status, std::string body);
// Says so when an Idempotency-Key repeated.
Response with_replay(Response response, bool is_replay);

}  // namespace chronos::http
