// Error -> HTTP status and RFC 9457 problem document: the only such mapping. Called by the server
// for its own refusals and by handlers for theirs. Pure but for one log line; thread-safe.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/request.h"

namespace chronos::http {

int status_of(Reason reason);
std::string_view title_of(Reason reason);  // the same for every problem of one code

// The whole answer: status, application/problem+json body, and the headers its status calls for
// (WWW-Authenticate, Retry-After). `path` names what was asked, without the query, which may hold a
// key. The message of an internal error goes to the log and never to the client.
Response problem(const Error& error, std::string_view path);

}  // namespace chronos::http
