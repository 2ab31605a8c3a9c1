// Keys and projects over HTTP. The only place where a secret is ever answered.
#include <utility>

#include "http/routes.h"
#include "model/json_codec.h"

namespace chronos::http {
namespace {

// The key's members and `secret`, which is null when it was shown before.
void write_new_key(json::Writer& writer, const service::NewKey& fresh) {
  std::string key;
  json::Writer members(key);
  write_key(members, fresh.key);
  key.pop_back();
  key += R"(,"secret":)";
  if (fresh.secret.empty()) {
    key += "null";
  } else {
    json::append_string(key, fresh.secret);
  }
  key += '}';
  writer.raw(key);
}

Response key_response(const service::NewKey& fresh, const service::Principal&) {
  std::string body;
  json::Writer writer(body);
  write_new_key(writer, fresh);
  return with_replay(json_response(201, std::move(body)), fresh.is_replay);
}

Response project_response(const service::NewProject& made, const service::Principal&) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("project");
  write_project(writer, made.project);
  writer.key("admin_key");
  made.is_replay ? void(writer.null()) : write_new_key(writer, made.key);
  writer.end_object();
  return with_replay(json_response(201, std::move(body)), made.is_replay);
}

}  // namespace

Result<Response> list_keys(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto keys, call.api().access.list_keys(call.who()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("keys").begin_array();
  for (const Key& key : keys) write_key(writer, key);
  writer.end_array().key("next").null().end_object();
  return json_response(200, std::move(body));
}

Result<void> create_key(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  call.api().access.create_key(call.who(), body.root(), facts,
                               std::move(end).then<service::NewKey>(key_response));
  return {};
}

Result<void> revoke_key(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<KeyId>("key_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().access.revoke_key(
      call.who(), id, std::move(end).then<Key>([](const Key& key, const service::Principal&) {
        std::string body;
        json::Writer writer(body);
        write_key(writer, key);
        return json_response(200, std::move(body));
      }));
  return {};
}

Result<void> rotate_key(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<KeyId>("key_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body_or_empty());
  call.api().access.rotate_key(call.who(), id, body.root(), facts,
                               std::move(end).then<service::NewKey>(key_response));
  return {};
}

Result<Response> list_projects(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto projects, call.api().access.list_projects(call.who()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("projects").begin_array();
  for (const Project& project : projects) write_project(writer, project);
  writer.end_array().key("next").null().end_object();
  return json_response(200, std::move(body));
}

Result<void> create_project(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  call.api().access.create_project(call.who(), body.root(), facts,
                                   std::move(end).then<service::NewProject>(project_response));
  return {};
}

}  // namespace chronos::http
