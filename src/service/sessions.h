// Browsers that are logged in. A session acts as the key it was begun with, and ends with it. It is
// stored, by its hash: so it goes on over restarts and on every node, and who logs out is logged
// out everywhere (docs/decisions/0013). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "service/access.h"
#include "service/failed_logins.h"

namespace chronos::service {

inline constexpr Duration kSessionLife = std::chrono::days(7);
inline constexpr Duration kLinkLife = std::chrono::hours(1);

struct NewSession {
  std::string secret;
  Timestamp expires_at;
  Principal who;
};

// A link that logs in once: whoever opens it acts as the key of who asked for it.
struct NewLink {
  std::string token;
  Timestamp expires_at;
};

class Sessions {
 public:
  Sessions(store::Store& store, const Clock& clock, IdSource& ids, Access& access);

  // {"key"}, an API key, or {"token"} of a link, which is used up. Of any role but worker. Refused
  // as Access::authenticate does, with role_too_low, and with too_many_requests when too many
  // logins of `peer` failed.
  void log_in(const json::Value& body, std::string_view peer, Done<NewSession> done);

  // Whose session this is. Fails with invalid_key, expired_key or revoked_key. Reads the store.
  Result<Principal> authenticate(std::string_view secret);

  // Ends the session; what is none has ended already.
  void log_out(std::string_view secret, Done<void> done);

  void make_link(const Principal& who, Done<NewLink> done);

 private:
  // What a login stands on.
  struct Admitted {
    Principal who;
    std::optional<SessionId> link;
  };

  Result<Admitted> admit(const json::Value& body);
  Result<Session> find(std::string_view secret, bool is_link) const;
  void begin(Admitted admitted, Done<NewSession> done);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
  Access& access_;
  FailedLogins failed_logins_;
};

}  // namespace chronos::service
