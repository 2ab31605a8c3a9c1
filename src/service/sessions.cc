#include "service/sessions.h"

#include <array>
#include <utility>

#include "base/fields.h"

namespace chronos::service {
namespace {

struct LoginRequest {
  std::optional<std::string> key;
  std::optional<std::string> token;
};

using fields::row;

constexpr std::array kLoginFields = {
    row<&LoginRequest::key>("key"),
    row<&LoginRequest::token>("token"),
};

Result<LoginRequest> read_request(const json::Value& body) {
  LoginRequest request;
  CHRONOS_TRY_VOID(fields::read_document<LoginRequest>("the login", kLoginFields, body, request));
  if (request.key.has_value() == request.token.has_value()) {
    return fail_field("/key", "one_of", "either key or token must be given");
  }
  return request;
}

std::unexpected<Error> fail_link() {
  return fail(Reason::invalid_key, "this login link was used already, or is too old",
              "'chronos login-link' makes another");
}

std::unexpected<Error> fail_session() {
  return fail(Reason::invalid_key, "this session has ended", "log in again");
}

// Of who knows no secret, and not of who asks for the impossible.
bool is_guess(const Error& error) {
  return error.code() == ErrorCode::unauthenticated;
}

}  // namespace

Sessions::Sessions(store::Store& store, const Clock& clock, IdSource& ids, Access& access)
    : store_(store), clock_(clock), ids_(ids), access_(access), failed_logins_(clock) {}

// not_found when there is no such secret, or its time is over.
Result<Session> Sessions::find(std::string_view secret, bool is_link) const {
  const auto none = [] { return fail(Reason::not_found, "no session has this secret"); };
  const auto id = session_id_of(secret, is_link);
  if (!id) return none();
  CHRONOS_TRY(auto session, store_.find_session(*id));
  const auto hash = sha256(secret);
  const bool is_right =
      session.is_link == is_link && equal_in_constant_time(as_bytes(hash), as_bytes(session.hash));
  if (!is_right || session.expires_at <= clock_.now()) return none();
  return session;
}

Result<Principal> Sessions::authenticate(std::string_view secret) {
  const auto session = find(secret, false);
  if (!session) {
    if (session.error().reason != Reason::not_found) return std::unexpected(session.error());
    return fail_session();
  }
  auto who = access_.authenticate(session->key);
  if (!who && who.error().reason == Reason::not_found) return fail_session();
  return who;
}

Result<Sessions::Admitted> Sessions::admit(const json::Value& body) {
  CHRONOS_TRY(const auto request, read_request(body));
  Admitted admitted;
  if (request.key) {
    CHRONOS_TRY(admitted.who, access_.authenticate(*request.key));
  } else {
    const auto link = find(*request.token, true);
    if (!link) {
      if (link.error().reason != Reason::not_found) return std::unexpected(link.error());
      return fail_link();
    }
    auto who = access_.authenticate(link->key);
    if (!who && who.error().reason == Reason::not_found) return fail_link();
    CHRONOS_TRY(admitted.who, std::move(who));
    admitted.link = link->id;
  }
  if (!allows(admitted.who.role, Role::viewer)) {
    return fail(Reason::role_too_low, "a worker's key claims and settles only: it cannot look");
  }
  return admitted;
}

void Sessions::log_in(const json::Value& body, std::string_view peer, Done<NewSession> done) {
  if (auto allowed = failed_logins_.check(peer); !allowed) {
    return done(std::unexpected(std::move(allowed).error()));
  }
  auto admitted = admit(body);
  if (!admitted) {
    if (is_guess(admitted.error())) failed_logins_.note(peer);
    return done(std::unexpected(std::move(admitted).error()));
  }
  begin(std::move(*admitted), std::move(done));
}

void Sessions::begin(Admitted admitted, Done<NewSession> done) {
  Session session;
  session.id = ids_.make<SessionId>();
  session.key = admitted.who.key;
  session.created_at = clock_.now();
  session.expires_at = session.created_at + kSessionLife;
  auto fresh = make_secret(session);
  session.hash = fresh.hash;
  auto by = author_of(admitted.who, ids_, session.created_at, "session.begin");
  NewSession made{std::move(fresh.secret), session.expires_at, std::move(admitted.who)};
  store_.commit(
      store::PutSession{session, admitted.link, std::move(by)},
      [made = std::move(made), done = std::move(done)](const Result<Session>& stored) mutable {
        if (stored) return done(std::move(made));
        // Somebody else opened the link a moment before.
        if (stored.error().reason == Reason::not_found) return done(fail_link());
        done(std::unexpected(stored.error()));
      });
}

void Sessions::log_out(std::string_view secret, Done<void> done) {
  const auto session = find(secret, false);
  if (!session) {
    if (session.error().reason == Reason::not_found) return done({});
    return done(std::unexpected(session.error()));
  }
  const auto key = store_.find_key(session->key);
  if (!key) return done(std::unexpected(key.error()));
  auto by = author_of({.key = key->id, .project = key->project}, ids_, clock_.now(), "session.end");
  store_.commit(store::EndSession{session->id, std::move(by)},
                [done = std::move(done)](const Result<store::EndSession::Answer>& ended) mutable {
                  if (!ended) return done(std::unexpected(ended.error()));
                  done({});
                });
}

void Sessions::make_link(const Principal& who, Done<NewLink> done) {
  Session link;
  link.id = ids_.make<SessionId>();
  link.key = who.key;
  link.is_link = true;
  link.created_at = clock_.now();
  link.expires_at = link.created_at + kLinkLife;
  auto fresh = make_secret(link);
  link.hash = fresh.hash;
  auto by = author_of(who, ids_, link.created_at, "session.link");
  store_.commit(store::PutSession{link, std::nullopt, std::move(by)},
                [made = NewLink{std::move(fresh.secret), link.expires_at},
                 done = std::move(done)](const Result<Session>& stored) mutable {
                  if (!stored) return done(std::unexpected(stored.error()));
                  done(std::move(made));
                });
}

}  // namespace chronos::service
