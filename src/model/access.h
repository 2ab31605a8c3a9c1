// Who may do what: projects, keys and roles (product.md §3a, §7). Plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"

namespace chronos {

// Each role may do what the one before it may; `worker` stands apart (claim and settle only).
enum class Role { worker, viewer, submitter, operator_, admin };

std::string_view to_string(Role role);  // "operator" for operator_
std::optional<Role> parse_role(std::string_view text);

// Whether a key with `held` may use what needs `needed`.
bool allows(Role held, Role needed);

struct Project {
  ProjectId id;
  std::string name;  // slug, unique
  Timestamp created_at;
};

struct Key {
  KeyId id;
  ProjectId project;
  std::string name;
  Role role = Role::viewer;
  Sha256 hash{};  // of the whole secret; the secret itself is never stored
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> revoked_at;
  std::optional<Timestamp> last_used_at;  // to the minute
};

// Somebody who logged in with a browser: acts as the key, and ends with it. With `is_link` it has
// not begun: its token begins one, once.
struct Session {
  SessionId id;
  KeyId key;
  bool is_link = false;
  Sha256 hash{};  // of the whole secret
  Timestamp created_at;
  Timestamp expires_at;
};

// A secret is a prefix such as "chr_key_" + 26 base32 characters of the id + 256 random bits in 52
// + the CRC-32 of all that in 8 hex digits: a typo is refused without asking the store, and a
// leaked key is found by its prefix (promises.md F4).
inline constexpr std::string_view kKeyPrefix = "chr_key_";
struct NewSecret {
  std::string secret;
  Sha256 hash{};
};
NewSecret make_secret(KeyId id);
NewSecret make_secret(const Session& session);  // of its id; the prefix tells a link from a session

// The id inside a well-formed secret with the right checksum; nothing otherwise.
std::optional<KeyId> key_id_of(std::string_view secret);
// The same of a session, or of a link.
std::optional<SessionId> session_id_of(std::string_view secret, bool is_link);

}  // namespace chronos
