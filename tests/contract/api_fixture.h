// The whole API in one process without sockets: services on a MemoryStore behind the gate, the
// router and the handlers. What the server itself refuses (sizes, framing) is tested in src/http/.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "http/api.h"
#include "http/auth.h"
#include "store/memory_store.h"
#include "support/manual_clock.h"

namespace chronos::contract {

struct Ask {
  http::Method method = http::Method::get;
  std::string target;
  std::string body = {};
  std::string key = {};  // sent as Authorization: Bearer; empty = none
  std::vector<http::Header> headers = {};
};

struct Answered {
  int status = 0;
  std::string content_type;
  std::string body;
  std::vector<http::Header> headers;
  json::Document document;  // of a JSON body

  const json::Value& root() const { return document.root(); }
  // "/a/0/b": a JSON pointer without escapes. Fails the test and answers null if it is not there.
  const json::Value& at(std::string_view pointer) const;
  std::string text(std::string_view pointer) const { return at(pointer).string; }
  std::string header(std::string_view name) const;  // empty if not there
  std::string code() const { return status >= 400 ? text("/code") : std::string(); }
};

class ApiTest : public testing::Test {
 protected:
  ApiTest();
  ~ApiTest() override;

  Answered send(Ask ask);

  // With the key of `role`, of the project "default". A body is sent as application/json.
  Answered get(std::string target, std::string key = {});
  Answered post(std::string target, std::string body = {}, std::vector<http::Header> headers = {});
  Answered put(std::string target, std::string body, std::vector<http::Header> headers = {});
  Answered patch(std::string target, std::string body, std::vector<http::Header> headers = {});
  Answered remove(std::string target, std::vector<http::Header> headers = {});

  // A job made with these members besides name and action; its id.
  std::string make_job(std::string_view members = R"("cron": "0 0 * * *")");
  // A run of a new job that has come to `state`: queued, running, succeeded or failed; its id.
  std::string make_run(RunState state, std::string output = "done\n");

  // A request that the route answers with a 2xx when an admin sends it: for new things of the
  // project "default", with a whole body. Without a key.
  Ask ask_for(const http::Route& route);
  void fill_path(std::string& target);  // its parameters: each names a new thing

  // A new key of this role in the project; its secret.
  std::string make_key(ProjectId project, Role role, std::optional<Timestamp> expires_at = {});
  const std::string& key_of(Role role) const { return keys_.at(role); }

  // Claims the run, which must be ready, and ends the attempt with `outcome`.
  void settle(const std::string& run, Outcome outcome, RunState next);
  void claim(const std::string& run);  // a run that goes on

  ManualClock clock_;
  IdSource ids_;
  store::MemoryStore store_;
  service::Jobs jobs_;
  service::Runs runs_;
  service::Backfills backfills_;
  service::Reasons reasons_;
  service::Calendars calendars_;
  service::Workers workers_;
  service::Access access_;
  service::Sessions sessions_;
  service::Events events_;
  service::System system_;
  service::Audit audit_;
  service::Bulks bulks_;
  service::Channels channels_;
  service::Views views_;
  http::ReadPool readers_{0};
  http::Api api_;
  http::Router router_;
  http::Gate gate_;
  ProjectId project_;
  ProjectId other_project_;
  std::string other_key_;  // an admin's of the other project
  std::map<Role, std::string> keys_;
  std::map<RunId, store::ClaimedRun> claimed_;
  bool is_mail_configured_ = true;
  bool is_draining_ = false;
};

// {"name": "a job", "action": …, members}
std::string job_body(std::string_view members = {});

}  // namespace chronos::contract
