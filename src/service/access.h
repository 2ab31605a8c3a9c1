// Who may come in: keys and projects, and the first start. Thread-safe. What changes something
// answers through `done` (request_facts.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/mutex.h"
#include "base/result.h"
#include "model/access.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "store/store.h"

namespace chronos::service {

// A key and its secret, which nobody can ever be told again: `secret` is empty in a replay.
struct NewKey {
  Key key;
  std::string secret;
  bool is_replay = false;
};

struct NewProject {
  Project project;
  NewKey key;  // of its first admin
  bool is_replay = false;
};

class Access {
 public:
  Access(store::Store& store, const Clock& clock, IdSource& ids);

  // Whose secret this is. Fails with invalid_key, expired_key or revoked_key. What is stored is
  // believed for kKeyAge, so a revocation elsewhere holds after that time, one made here at once.
  // May read the store (one key) and asks it to record the use of a key, once a minute.
  Result<Principal> authenticate(std::string_view secret);

  // Of a key that somebody proved to hold before: the same without the secret. Fails with
  // not_found, expired_key or revoked_key.
  Result<Principal> authenticate(KeyId key);

  Result<std::vector<Key>> list_keys(const Principal& who) const;  // newest first
  // {"name", "role", "expires_in" or "expires_at"}
  void create_key(const Principal& who, const json::Value& body, const RequestFacts& facts,
                  Done<NewKey> done);
  // Effective at once. Again → the same answer. Refused with state_conflict when it is the last
  // admin key of the project: nobody could make another one.
  void revoke_key(const Principal& who, KeyId key, Done<Key> done);
  // {"expires_in" or "expires_at", "old_expires_in"}: a new key of the same name and role; the old
  // one lives until it is revoked, or for `old_expires_in`.
  void rotate_key(const Principal& who, KeyId key, const json::Value& body,
                  const RequestFacts& facts, Done<NewKey> done);

  // Those that `who` may see: all for an admin of the first project, else their own.
  Result<std::vector<Project>> list_projects(const Principal& who) const;
  // {"name"}. For admins of the first project only.
  void create_project(const Principal& who, const json::Value& body, const RequestFacts& facts,
                      Done<NewProject> done);

 private:
  struct Known {
    Key key;
    std::string project_name;
    SteadyTime read_at;
  };

  static Principal principal_of(Known known);
  static Result<void> check_live(const Known& known, Timestamp now);
  Result<Known> look_up(KeyId key);
  void record_use(Known& known, Timestamp now);
  void forget(KeyId key);
  void put_key(const Principal& who, std::string_view action, Key key, const RequestFacts& facts,
               Done<NewKey> done);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
  Mutex mutex_;
  std::unordered_map<KeyId, Known> known_ CHRONOS_GUARDED_BY(mutex_);
};

// The first project's name; its admins make further projects.
inline constexpr std::string_view kFirstProject = "default";

struct FirstStart {
  bool is_first = false;     // this call created the first project
  std::string admin_secret;  // to be shown once; only when `is_first`
  std::string key_file;      // where it was written; only when `is_first`
};

// Makes the first project and its admin key unless there is a project. The key is in
// `data_dir`/admin.key (mode 0600) before it is committed: a crash in between is mended by the next
// start, which takes the key it finds there; so a key may also be put there beforehand. The file is
// never rewritten, and stays only when this very call created the project. Blocks.
Result<FirstStart> bootstrap(store::Store& store, const Clock& clock, IdSource& ids,
                             const std::string& data_dir);

}  // namespace chronos::service
