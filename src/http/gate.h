// Gate: decides who may go on, after the headers were read and before the body is looked at
// (product.md §3a). Written by auth.{h,cc}; asked by the connection on the server's threads.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "http/request.h"
#include "http/router.h"

namespace chronos::http {

// Who was let in (null is fine on an open route), or the problem to answer with.
using Admission = Result<std::shared_ptr<const Caller>>;

// The headers hold no key, but the route lets the body hold one: ask again with the body. An answer
// only for routes whose Access says or_key_in_body().
struct NeedsBody {};

using HeadVerdict = std::variant<Admission, NeedsBody>;

// Both functions must not block: they answer through the continuation, at once or later, from any
// thread, exactly once (dropped uncalled = 500). `head` and `body` stay valid until then. Both must
// be thread-safe. They are asked for every matched request, also on open routes.
struct Gate {
  std::function<void(const RequestHead& head, const Route& route,
                     std::move_only_function<void(HeadVerdict)> decide)>
      on_head;

  // Asked only after on_head said NeedsBody.
  std::function<void(const RequestHead& head, const Route& route, std::string_view body,
                     std::move_only_function<void(Admission)> decide)>
      on_body;
};

}  // namespace chronos::http
