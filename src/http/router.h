// The route table: which handler answers a method and path, and who may call it. Built once at
// start from rows (routes.cc); immutable, so any thread may match.
//
// Matching is strict, so that no two spellings reach one handler past different checks: literal
// segments are compared byte for byte (no case folding, no percent-decoding), `//`, a trailing
// slash and dot segments are part of no route, and a parameter is percent-decoded exactly once.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "http/request.h"

namespace chronos::http {

// Who may call a route. There is no default: a row that does not say cannot be written.
class Access {
 public:
  // Anybody, without a key.
  static constexpr Access open() { return Access(kOpen); }

  // Callers the gate finds to hold `role`, an enumerator of the access service.
  template <class Role>
    requires std::is_enum_v<Role>
  static constexpr Access role(Role role) {
    return Access(static_cast<int>(role));
  }

  // The key may also be the member `api_key` of the JSON body (product.md §2: submit only).
  constexpr Access or_key_in_body() const {
    Access access = *this;
    access.is_key_in_body_ = true;
    return access;
  }

  constexpr bool is_open() const { return role_ == kOpen; }
  constexpr bool is_key_in_body() const { return is_key_in_body_; }

  // The role of a route that is not open.
  template <class Role>
    requires std::is_enum_v<Role>
  constexpr Role role() const {
    return static_cast<Role>(role_);
  }

 private:
  static constexpr int kOpen = -1;
  constexpr explicit Access(int role) : role_(role) {}
  int role_;
  bool is_key_in_body_ = false;
};

// One row of the table. In `pattern` a segment ":name" matches any one segment:
// "/api/jobs/:job_id/status".
struct Route {
  Method method;
  std::string pattern;
  Access access;
  Handler handler;
  std::size_t body_max = 0;  // bytes; 0 = ServerOptions::body_max
  // What a body must be, if it says what it is; empty = anything.
  std::string media_type = "application/json";
  // It makes work for the store: refused while as much waits as may (ServerOptions::intake_max).
  bool is_submission = false;
  // Its handler hands the change on before it returns, and the store keeps the order: what is
  // answered later is only that it is on the disk. Requests of such routes that a client sends one
  // behind the other (pipelined) need not wait for each other's answers.
  bool keeps_order = false;
};

struct RouterOptions {
  // Paths may begin with this, and do when a proxy passes them on as they are: "/chronos".
  std::string base_path;
  // For GETs of paths that no row has and that are not below /api.
  std::optional<Route> otherwise;
};

class Router {
 public:
  struct Match {
    const Route* route;  // lives as long as the Router
    std::vector<Param> path_params;
  };
  struct Mismatch {
    Error error;        // not_found or method_not_allowed
    std::string allow;  // value of the Allow header; empty if not_found
  };

  // A malformed pattern, a method nobody can declare (OPTIONS, HEAD, other: they are never routed
  // by hand) and two rows for one method and path are mistakes of the program and stop it.
  explicit Router(std::vector<Route> routes, RouterOptions options = {});
  ~Router();
  Router(Router&&) noexcept;

  // Takes the base path off the beginning of a request target, if it is there.
  void strip(std::string& target) const;
  const std::string& base_path() const { return options_.base_path; }

  // `target` is the request target, stripped; its query plays no part. GET rows answer HEAD too.
  std::expected<Match, Mismatch> match(Method method, std::string_view target) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<Route> routes_;
  RouterOptions options_;
  std::unique_ptr<Node> root_;
};

// Decodes %XX once. Fails with bad_request on a broken escape, bad_encoding on what is not UTF-8,
// and bad_request on NUL.
Result<std::string> percent_decode(std::string_view text);

// The parameters of the query of `target`, `+` read as a space; decoded as above.
Result<std::vector<Param>> parse_query(std::string_view target);

}  // namespace chronos::http
