#include "service/access.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/fields.h"

namespace chronos::service {
namespace {

constexpr Duration kKeyAge = std::chrono::milliseconds(500);  // promises.md F4: at most a second
constexpr Duration kUseRecorded = std::chrono::minutes(1);
constexpr std::size_t kKnownMax = 10'000;
constexpr Duration kLifeMax = std::chrono::hours(24 * 365 * 10);

// What a request for a key says.
struct KeyRequest {
  std::string name;
  std::optional<Role> role;
  std::optional<Duration> expires_in;
  std::optional<Timestamp> expires_at;
  std::optional<Duration> old_expires_in;
};

using fields::Field;
using fields::row;

struct Life {
  void check(const std::optional<Duration>& life, const fields::Place& place) const {
    if (!life || (*life > Duration(0) && *life <= kLifeMax)) return;
    place.refuse("out_of_range", "must be longer than nothing and at most 10 years");
  }
};

// May be nothing: the old key ends now.
struct RestOfLife {
  void check(const std::optional<Duration>& life, const fields::Place& place) const {
    if (life && *life > kLifeMax) place.refuse("out_of_range", "must be at most 10 years");
  }
};

void read_role(const json::Value& value, KeyRequest& request, const fields::Place& place) {
  if (!place.expect(value, json::Type::string)) return;
  request.role = parse_role(value.string);
  if (request.role) return;
  place.refuse("unknown_value", fmt::format("'{}' is not a role", value.string.substr(0, 64)),
               "viewer, submitter, worker, operator or admin");
}

constexpr auto kExpiresIn = row<&KeyRequest::expires_in, Life{}>("expires_in");
constexpr auto kExpiresAt = row<&KeyRequest::expires_at>("expires_at");

constexpr std::array kCreateFields = {
    row<&KeyRequest::name, fields::Length{1, 200}>("name"),
    Field<KeyRequest>{"role", read_role, nullptr},
    kExpiresIn,
    kExpiresAt,
};

constexpr std::array kRotateFields = {
    kExpiresIn,
    kExpiresAt,
    row<&KeyRequest::old_expires_in, RestOfLife{}>("old_expires_in"),
};

constexpr std::array kProjectFields = {row<&Project::name, fields::Slug{64}>("name")};

Result<KeyRequest> read_request(std::span<const Field<KeyRequest>> table, const json::Value& body,
                                Timestamp now) {
  KeyRequest request;
  std::vector<FieldError> problems;
  const fields::Place place(problems);
  fields::read_object(table, body, request, place);
  if (request.expires_in && request.expires_at) {
    place.at("expires_in").refuse("one_of", "only one of expires_in and expires_at may be given");
  }
  if (request.expires_at && *request.expires_at <= now) {
    place.at("expires_at").refuse("out_of_range", "has passed already");
  }
  const bool is_creation =
      std::ranges::any_of(table, [](auto& field) { return field.name == "role"; });
  for (const std::string_view name : {"name", "role"}) {
    if (is_creation && body.is(json::Type::object) && body.find(name) == nullptr) {
      place.at(name).refuse("required", "is required");
    }
  }
  if (!problems.empty()) return fields::refuse_all("the key", std::move(problems));
  if (request.expires_in) request.expires_at = now + *request.expires_in;
  return request;
}

bool is_live(const Key& key, Timestamp now) {
  return !key.revoked_at && (!key.expires_at || *key.expires_at > now);
}

}  // namespace

Access::Access(store::Store& store, const Clock& clock, IdSource& ids)
    : store_(store), clock_(clock), ids_(ids) {}

// -- Coming in -----------------------------------------------------------------------------------

Result<Principal> Access::authenticate(std::string_view secret) {
  const auto id = key_id_of(secret);
  if (!id) {
    return fail(Reason::invalid_key, "this is not a key, or a character of it is wrong",
                "keys look like chr_key_ and 86 more characters");
  }
  auto known = look_up(*id);
  if (!known) {
    if (known.error().code() != ErrorCode::not_found) return std::unexpected(known.error());
    return fail(Reason::invalid_key, "no such key");
  }
  const auto hash = sha256(secret);
  if (!equal_in_constant_time(as_bytes(hash), as_bytes(known->key.hash))) {
    return fail(Reason::invalid_key, "no such key");
  }
  const auto now = clock_.now();
  CHRONOS_TRY_VOID(check_live(*known, now));
  record_use(*known, now);
  return principal_of(std::move(*known));
}

Result<Principal> Access::authenticate(KeyId id) {
  CHRONOS_TRY(auto known, look_up(id));
  CHRONOS_TRY_VOID(check_live(known, clock_.now()));
  record_use(known, clock_.now());
  return principal_of(std::move(known));
}

Principal Access::principal_of(Known known) {
  return {known.key.id, std::move(known.key.name), known.key.project, std::move(known.project_name),
          known.key.role};
}

Result<void> Access::check_live(const Known& known, Timestamp now) {
  if (known.key.revoked_at) return fail(Reason::revoked_key, "this key was revoked");
  if (!is_live(known.key, now)) return fail(Reason::expired_key, "this key has expired");
  return {};
}

Result<Access::Known> Access::look_up(KeyId id) {
  const auto now = clock_.steady();
  {
    const MutexLock lock(mutex_);
    const auto found = known_.find(id);
    if (found != known_.end() && now - found->second.read_at < kKeyAge) return found->second;
  }
  // Read without the lock: two threads may both read, which is harmless.
  Known known;
  known.read_at = now;
  CHRONOS_TRY(known.key, store_.find_key(id));
  CHRONOS_TRY(auto project, store_.find_project(known.key.project));
  known.project_name = std::move(project.name);
  const MutexLock lock(mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  known_.insert_or_assign(id, known);
  return known;
}

void Access::record_use(Known& known, Timestamp now) {
  if (known.key.last_used_at && now - *known.key.last_used_at < kUseRecorded) return;
  {
    // Whoever comes first records; the others see that it was done.
    const MutexLock lock(mutex_);
    const auto found = known_.find(known.key.id);
    if (found == known_.end() || found->second.key.last_used_at != known.key.last_used_at) return;
    found->second.key.last_used_at = now;
  }
  store_.commit(store::TouchKeys{{{known.key.id, std::chrono::floor<std::chrono::minutes>(now)}}},
                [](const Result<store::TouchKeys::Answer>&) {});
}

void Access::forget(KeyId key) {
  const MutexLock lock(mutex_);
  known_.erase(key);
}

// -- Keys ----------------------------------------------------------------------------------------

Result<std::vector<Key>> Access::list_keys(const Principal& who) const {
  CHRONOS_TRY(auto keys, store_.list_keys(who.project));
  std::ranges::sort(keys, std::ranges::greater(), &Key::id);
  return keys;
}

void Access::put_key(const Principal& who, std::string_view action, Key key,
                     const RequestFacts& facts, Done<NewKey> done) {
  auto fresh = make_secret(key.id);
  key.hash = fresh.hash;
  const auto id = key.id;
  auto idempotency = idempotency_of(who, facts, key.created_at);
  auto by = author_of(who, ids_, key.created_at, action);
  store_.commit(
      store::PutKey{std::move(key), std::move(idempotency), std::move(by)},
      [id, secret = std::move(fresh.secret), done = std::move(done)](Result<Key> stored) mutable {
        if (!stored) return done(std::unexpected(std::move(stored).error()));
        const bool is_replay = stored->id != id;
        done(NewKey{std::move(*stored), is_replay ? std::string() : std::move(secret), is_replay});
      });
}

void Access::create_key(const Principal& who, const json::Value& body, const RequestFacts& facts,
                        Done<NewKey> done) {
  const auto now = clock_.now();
  auto request = read_request(kCreateFields, body, now);
  if (!request) return done(std::unexpected(std::move(request).error()));
  Key key;
  key.id = ids_.make<KeyId>();
  key.project = who.project;
  key.name = std::move(request->name);
  key.role = *request->role;
  key.created_at = now;
  key.expires_at = request->expires_at;
  put_key(who, "key.create", std::move(key), facts, std::move(done));
}

void Access::revoke_key(const Principal& who, KeyId id, Done<Key> done) {
  const auto keys = store_.list_keys(who.project);
  if (!keys) return done(std::unexpected(keys.error()));
  const auto now = clock_.now();
  const bool leaves_admin = std::ranges::any_of(*keys, [&](const Key& key) {
    return key.id != id && key.role == Role::admin && is_live(key, now);
  });
  const bool is_live_admin = std::ranges::any_of(*keys, [&](const Key& key) {
    return key.id == id && key.role == Role::admin && is_live(key, now);
  });
  if (is_live_admin && !leaves_admin) {
    return done(fail(Reason::state_conflict, "this is the project's last admin key",
                     "make another admin key first, or rotate this one"));
  }
  store_.commit(
      store::RevokeKey{who.project, id, now, std::nullopt, author_of(who, ids_, now, "key.revoke")},
      [this, id, done = std::move(done)](Result<Key> stored) mutable {
        forget(id);
        done(std::move(stored));
      });
}

void Access::rotate_key(const Principal& who, KeyId id, const json::Value& body,
                        const RequestFacts& facts, Done<NewKey> done) {
  const auto now = clock_.now();
  auto request = read_request(kRotateFields, body, now);
  if (!request) return done(std::unexpected(std::move(request).error()));
  const auto old = store_.find_key(id);
  if (!old) return done(std::unexpected(old.error()));
  if (old->project != who.project) return done(fail(Reason::not_found, "no key has this id"));
  if (!is_live(*old, now)) {
    return done(fail(Reason::state_conflict, "the key is no longer live", "create a new one"));
  }
  Key key;
  key.id = ids_.make<KeyId>();
  key.project = old->project;
  key.name = old->name;
  key.role = old->role;
  key.created_at = now;
  key.expires_at = request->expires_at;
  if (!request->old_expires_in)
    return put_key(who, "key.rotate", std::move(key), facts, std::move(done));
  const auto old_end = now + *request->old_expires_in;
  put_key(who, "key.rotate", std::move(key), facts,
          [this, who, id, now, old_end, done = std::move(done)](Result<NewKey> fresh) mutable {
            if (!fresh || fresh->is_replay) return done(std::move(fresh));
            store_.commit(store::RevokeKey{who.project, id, now, old_end,
                                           author_of(who, ids_, now, "key.rotate")},
                          [this, id, fresh = std::move(*fresh),
                           done = std::move(done)](const Result<Key>& ended) mutable {
                            forget(id);
                            if (!ended) return done(std::unexpected(ended.error()));
                            done(std::move(fresh));
                          });
          });
}

// -- Projects ------------------------------------------------------------------------------------

Result<std::vector<Project>> Access::list_projects(const Principal& who) const {
  CHRONOS_TRY(auto projects, store_.list_projects());
  if (who.project_name != kFirstProject) {
    std::erase_if(projects, [&](const Project& project) { return project.id != who.project; });
  }
  return projects;
}

void Access::create_project(const Principal& who, const json::Value& body,
                            const RequestFacts& facts, Done<NewProject> done) {
  if (who.project_name != kFirstProject) {
    return done(
        fail(Reason::role_too_low, "only an admin of the project 'default' makes projects"));
  }
  NewProject made;
  if (auto read = fields::read_document<Project>("the project", kProjectFields, body, made.project);
      !read) {
    return done(std::unexpected(std::move(read).error()));
  }
  if (made.project.name.empty()) return done(fail_field("/name", "required", "is required"));
  const auto now = clock_.now();
  made.project.id = ids_.make<ProjectId>();
  made.project.created_at = now;
  auto& key = made.key.key;
  key.id = ids_.make<KeyId>();
  key.project = made.project.id;
  key.name = "admin";
  key.role = Role::admin;
  key.created_at = now;
  auto fresh = make_secret(key.id);
  key.hash = fresh.hash;
  made.key.secret = std::move(fresh.secret);
  auto by = author_of(who, ids_, now, "project.create");
  store::PutProject change{made.project, key, idempotency_of(who, facts, now), std::move(by)};
  store_.commit(std::move(change),
                [made = std::move(made), done = std::move(done)](Result<Project> stored) mutable {
                  if (!stored) return done(std::unexpected(std::move(stored).error()));
                  made.is_replay = made.key.is_replay = stored->id != made.project.id;
                  if (made.is_replay) made.key = {{}, {}, true};
                  made.project = std::move(*stored);
                  done(std::move(made));
                });
}

}  // namespace chronos::service
