#include "contract/api_fixture.h"

#include <fmt/format.h>

#include <future>
#include <utility>

#include "base/time_text.h"
#include "contract/openapi.h"
#include "http/problem.h"

namespace chronos::contract {
namespace {

std::string calendar_body(std::string_view name) {
  return fmt::format(R"({{"name": "{}"}})", name);
}

std::string channel_body(std::string_view name) {
  return fmt::format(R"({{"name": "{}", "kind": "slack", "url": "https://s.example/"}})", name);
}

Result<void> check_spec(const JobSpec& spec, const json::Value&) {
  const auto& kind = spec.action.kind;
  if (kind == "http" || kind == "command" || kind == kWorkerKind) return {};
  return fail_field("/action/kind", "unknown_kind", "there is no such kind",
                    "http, command or worker");
}

}  // namespace

const json::Value& Answered::at(std::string_view pointer) const {
  static const json::Value kNothing;
  const json::Value* value = &root();
  while (!pointer.empty() && value != nullptr) {
    pointer.remove_prefix(1);
    const auto name = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(name.size());
    if (value->is(json::Type::array)) {
      const auto index = static_cast<std::size_t>(std::stoul(std::string(name)));
      value = index < value->elements.size() ? &value->elements[index] : nullptr;
    } else {
      value = value->find(name);
    }
  }
  if (value != nullptr) return *value;
  ADD_FAILURE() << "not in the answer: " << body;
  return kNothing;
}

std::string Answered::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (http::equal_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

std::string job_body(std::string_view members) {
  std::string body = R"({"name": "a job", "action": {"kind": "http", "url": "https://a.example/"})";
  if (!members.empty()) body.append(", ").append(members);
  return body + "}";
}

ApiTest::ApiTest()
    : clock_(*parse_timestamp("2026-03-02T12:00:00Z")),
      ids_(clock_, Rng(1)),
      store_(clock_),
      jobs_(store_, check_spec, clock_, ids_, SpecRules{}),
      runs_(store_, clock_, ids_),
      backfills_(store_, clock_, ids_),
      reasons_(store_, clock_, {.lanes = {{"http", 2}}, .queue_limits = {{"narrow", 1}}},
               [this] { return is_draining_; }),
      calendars_(store_, clock_, ids_),
      workers_(store_, clock_, ids_, Rng(2), {.queue_limits = {{"narrow", 1}}, .notify = {}}),
      access_(store_, clock_, ids_),
      sessions_(store_, clock_, ids_, access_),
      events_(clock_),
      system_(store_, clock_, ids_,
              {[this](const Target& target) -> Result<void> {
                 if (target.kind == "email" && is_mail_configured_) return {};
                 return fail_field(target.kind == "email" ? "/email" : "/channel", "not_configured",
                                   "nothing is configured to send it with");
               },
               {},
               []() -> Result<service::BackupFile> {
                 return service::BackupFile{"/backups/one", 42};
               }}),
      audit_(store_),
      bulks_(store_, clock_, ids_, jobs_, runs_, [this](const Bulk& bulk) { events_.tell(bulk); }),
      channels_(store_, clock_, ids_,
                {[](const DeclaredChannel& channel) -> Result<void> {
                   if (channel.url != "bad") return {};
                   return fail_field("/url", "bad_url", "is no URL");
                 },
                 [](const DeclaredChannel& channel, const Delivery&, auto done) {
                   if (channel.url.find("down") == std::string::npos) {
                     return done({.is_delivered = true});
                   }
                   done({.is_delivered = false, .error = "connection refused"});
                 }}),
      views_(store_, workers_, clock_,
             {.node = [at = clock_.now()] { return NodeInfo{"a node", "1.2.3", at}; },
              .this_node = [] { return NodeId{{1, 1}}; },
              .store_kind = "memory",
              .queue_limits = {{"narrow", 1}}}),
      api_{jobs_,
           runs_,
           backfills_,
           reasons_,
           calendars_,
           workers_,
           access_,
           sessions_,
           events_,
           system_,
           audit_,
           bulks_,
           channels_,
           views_,
           readers_,
           clock_,
           {},
           [] { return "chronos_up 1\n"; },
           {.base_url = "", .base_path = "", .version = "1.2.3", .features = {"commands"}}},
      router_(make_routes(api_)),
      gate_(http::make_gate(access_, sessions_, "https://chronos.example")),
      project_(ids_.make<ProjectId>()),
      other_project_(ids_.make<ProjectId>()) {
  store_.on_touch({[this] { return events_.is_watched(); },
                   [this](const auto& touches) { events_.touch(touches); }});
  store_.on_work([this](std::vector<store::Work>& work) { return workers_.take(work); });
  for (const auto& [id, name] :
       {std::pair(project_, "default"), std::pair(other_project_, "other")}) {
    EXPECT_TRUE(commit_and_wait(store_, store::PutProject{{id, name, clock_.now()}, {}, {}}));
  }
  for (const Role role :
       {Role::worker, Role::viewer, Role::submitter, Role::operator_, Role::admin}) {
    keys_[role] = make_key(project_, role);
  }
  other_key_ = make_key(other_project_, Role::admin);
}

ApiTest::~ApiTest() {
  store_.stop();
}

std::string ApiTest::make_key(ProjectId project, Role role, std::optional<Timestamp> expires_at) {
  Key key;
  key.id = ids_.make<KeyId>();
  key.project = project;
  key.name = to_string(role);
  key.role = role;
  key.created_at = clock_.now();
  key.expires_at = expires_at;
  const auto fresh = make_secret(key.id);
  key.hash = fresh.hash;
  EXPECT_TRUE(commit_and_wait(store_, store::PutKey{key, {}}));
  return fresh.secret;
}

namespace {

// Whatever a test asks, the answer must be what api/openapi.json says.
void check_contract(const http::Route& route, const Answered& answered) {
  const auto& api = OpenApi::built_in();
  const std::string name =
      fmt::format("{} {} {}", to_string(route.method), route.pattern, answered.status);
  const auto* operation = api.operation(to_string(route.method), route.pattern);
  ASSERT_NE(operation, nullptr) << name;
  const auto* response = api.response(*operation, answered.status);
  ASSERT_NE(response, nullptr) << name << " is not documented\n" << answered.body;
  const std::string type = answered.content_type.empty()
                               ? "application/json"
                               : answered.content_type.substr(0, answered.content_type.find(';'));
  const auto* contents = response->find("content");
  const auto* content = contents == nullptr ? nullptr : contents->find(type);
  ASSERT_TRUE(content != nullptr || (contents == nullptr && answered.status == 204))
      << name << " " << type;
  for (const auto& header : answered.headers) {
    const auto* known = response->find("headers");
    EXPECT_TRUE(known != nullptr && known->find(header.name) != nullptr)
        << name << " has the undocumented header " << header.name;
  }
  EXPECT_TRUE(content != nullptr || answered.body.empty()) << name;
  if (content == nullptr || type.starts_with("text/")) return;
  for (const auto& fault : api.faults(*content->find("schema"), answered.root())) {
    ADD_FAILURE() << name << " " << fault << "\n" << answered.body;
  }
}

}  // namespace

// What a connection of the server does with a request, framing aside.
Answered ApiTest::send(Ask ask) {
  http::Request request;
  request.method = ask.method;
  request.target = ask.target;
  if (!ask.key.empty()) request.headers.add("Authorization", "Bearer " + ask.key);
  for (const auto& header : ask.headers) request.headers.add(header.name, header.value);
  if (!ask.body.empty()) request.content_length = ask.body.size();

  std::promise<http::Response> promise;
  auto future = promise.get_future();
  const auto answer = [&] {
    const auto match = router_.match(request.method, request.target);
    if (!match) return promise.set_value(http::problem(match.error().error, request.path()));
    const auto& route = *match->route;
    request.path_params = match->path_params;
    auto query = http::parse_query(request.target);
    if (query) request.query = std::move(*query);
    std::optional<http::Admission> admission;
    gate_.on_head(request, route, [&](http::HeadVerdict verdict) {
      if (auto* known = std::get_if<http::Admission>(&verdict)) admission = std::move(*known);
    });
    if (!admission) {
      gate_.on_body(request, route, ask.body, [&](http::Admission late) { admission = late; });
    }
    if (!*admission) return promise.set_value(http::problem(admission->error(), request.path()));
    if (!query) return promise.set_value(http::problem(query.error(), request.path()));
    request.caller = std::move(**admission);
    request.body = std::move(ask.body);
    route.handler(std::move(request), [&promise](http::Response response) {
      promise.set_value(response.later ? response.later() : std::move(response));
    });
  };
  answer();
  auto response = future.get();
  Answered answered{response.status, response.content_type, response.body, response.headers, {}};
  if (auto document = json::parse(answered.body)) answered.document = std::move(*document);
  if (const auto match = router_.match(ask.method, ask.target)) {
    check_contract(*match->route, answered);
  }
  return answered;
}

namespace {

std::vector<http::Header> as_json(std::vector<http::Header> headers, const std::string& body) {
  bool is_typed = body.empty();
  for (const auto& header : headers) is_typed = is_typed || header.name == "Content-Type";
  if (!is_typed) headers.push_back({"Content-Type", "application/json"});
  return headers;
}

}  // namespace

Answered ApiTest::get(std::string target, std::string key) {
  if (key.empty()) key = key_of(Role::admin);
  return send({http::Method::get, std::move(target), {}, std::move(key), {}});
}

Answered ApiTest::post(std::string target, std::string body, std::vector<http::Header> headers) {
  headers = as_json(std::move(headers), body);
  return send({http::Method::post, std::move(target), std::move(body), key_of(Role::admin),
               std::move(headers)});
}

Answered ApiTest::put(std::string target, std::string body, std::vector<http::Header> headers) {
  headers = as_json(std::move(headers), body);
  return send({http::Method::put, std::move(target), std::move(body), key_of(Role::admin),
               std::move(headers)});
}

Answered ApiTest::patch(std::string target, std::string body, std::vector<http::Header> headers) {
  headers = as_json(std::move(headers), body);
  return send({http::Method::patch, std::move(target), std::move(body), key_of(Role::admin),
               std::move(headers)});
}

Answered ApiTest::remove(std::string target, std::vector<http::Header> headers) {
  return send(
      {http::Method::delete_, std::move(target), {}, key_of(Role::admin), std::move(headers)});
}

std::string ApiTest::make_job(std::string_view members) {
  const auto answer = post("/api/submitJob", job_body(members));
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer.text("/id");
}

void ApiTest::claim(const std::string& run) {
  store::ClaimRuns change;
  change.holder = NodeId{{1, 1}};
  change.node = "a node";
  change.lanes = {{"http", 1000}};
  change.now = clock_.now();
  auto claimed = commit_and_wait(store_, std::move(change));
  ASSERT_TRUE(claimed);
  for (auto& each : *claimed) claimed_.emplace(each.run, std::move(each));
  ASSERT_TRUE(claimed_.contains(*RunId::parse(run)));
}

void ApiTest::settle(const std::string& run, Outcome outcome, RunState next) {
  claim(run);
  const auto& claimed = claimed_.at(*RunId::parse(run));
  store::SettleRun change;
  change.run = claimed.run;
  change.token = claimed.token;
  change.next = next;
  change.attempt = {claimed.attempt, claimed.started_at, clock_.now(), "a node",
                    std::move(outcome)};
  change.now = clock_.now();
  ASSERT_TRUE(commit_and_wait(store_, std::move(change)));
}

std::string ApiTest::make_run(RunState state, std::string output) {
  const auto job = make_job(R"("cron": "0 0 1 1 *")");
  const auto answer = post("/api/jobs/" + job + "/run");
  EXPECT_EQ(answer.status, 201) << answer.body;
  const auto run = answer.text("/id");
  if (state == RunState::running) claim(run);
  if (is_final(state)) {
    Outcome outcome;
    outcome.kind = state == RunState::succeeded ? OutcomeKind::succeeded : OutcomeKind::failed;
    outcome.output = std::move(output);
    settle(run, std::move(outcome), state);
  }
  return run;
}

void ApiTest::fill_path(std::string& target) {
  const auto fill = [&](std::string_view parameter, const auto& make) {
    const auto at = target.find(parameter);
    if (at != std::string::npos) target.replace(at, parameter.size(), make());
  };
  fill(":job_id", [&] { return make_job(); });
  fill(":run_id", [&] { return make_run(RunState::succeeded); });
  fill(":key_id", [&] { return key_id_of(make_key(project_, Role::viewer))->to_string(); });
  fill(":calendar", [&] {
    const auto calendar = fmt::format("c-{}", ids_.make<ProjectId>().to_string());
    EXPECT_EQ(post("/api/calendars", calendar_body(calendar)).status, 201);
    return calendar;
  });
  fill(":channel", [&] {
    const auto channel = fmt::format("n-{}", ids_.make<ProjectId>().to_string());
    const auto made = post("/api/channels", channel_body(channel));
    EXPECT_EQ(made.status, 201) << made.body;
    return channel;
  });
  fill(":bulk_id", [&] {
    const auto bulk = post("/api/bulk", R"({"action": "pause", "jobs": {"tag": "none"}})");
    EXPECT_EQ(bulk.status, 202) << bulk.body;
    return bulk.text("/id");
  });
  fill(":key", [&] {
    const auto key = fmt::format("k-{}", ids_.make<KeyId>().to_string());
    make_job(fmt::format(R"("cron": "0 0 * * *", "key": "{}")", key));
    return key;
  });
  fill(":version", [] { return std::string("1"); });
}

Ask ApiTest::ask_for(const http::Route& route) {
  static const std::map<std::string, std::string> kBodies = {
      {"POST /api/submitJob", job_body()},
      {"POST /api/jobs", job_body()},
      {"POST /api/jobs/batch", "[" + job_body() + "]"},
      {"PUT /api/jobs/by-key/:key", job_body()},
      {"PUT /api/jobs/:job_id", R"({"every": "1h"})"},
      {"POST /api/jobs/:job_id/backfill",
       R"({"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z", "only": "all"})"},
      {"PATCH /api/jobs/:job_id", R"({"note": "x"})"},
      {"PUT /api/calendars/:calendar", R"({"dates": ["12-25"]})"},
      {"POST /api/workers/claim", R"({"worker": "mill"})"},
      {"POST /api/keys", R"({"name": "x", "role": "viewer"})"},
      {"POST /api/bulk", R"({"action": "pause", "jobs": {"tag": "none"}})"},
      {"PUT /api/channels/:channel", R"({"kind": "email", "to": ["a@b.example"]})"},
      {"POST /api/notify/test", R"({"email": "a@b.example"})"},
  };
  Ask ask{route.method, route.pattern, {}, {}, {}};
  const std::string name = fmt::format("{} {}", to_string(route.method), route.pattern);
  if (const auto found = kBodies.find(name); found != kBodies.end()) ask.body = found->second;
  if (name == "POST /api/workers/settle") {
    const auto claimed = post("/api/workers/claim", R"({"worker": "mill"})");
    ask.body = fmt::format(R"({{"worker_id": "{}"}})", claimed.text("/worker_id"));
  }
  if (name == "POST /api/login") {
    ask.body = fmt::format(R"({{"key": "{}"}})", key_of(Role::admin));
  }
  if (name == "POST /api/projects") {
    ask.body = fmt::format(R"({{"name": "p-{}"}})", ids_.make<ProjectId>().to_string());
  }
  if (name == "POST /api/calendars") {
    ask.body = calendar_body(fmt::format("c-{}", ids_.make<ProjectId>().to_string()));
  }
  if (name == "POST /api/channels") {
    ask.body = channel_body(fmt::format("n-{}", ids_.make<ProjectId>().to_string()));
  }
  if (name == "POST /api/calendars/:calendar/import") {
    ask.body = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";
    ask.headers.push_back({"Content-Type", "text/calendar"});
  } else if (!ask.body.empty())
    ask.headers.push_back({"Content-Type", "application/json"});
  fill_path(ask.target);
  if (name == "GET /api/schedule/preview") ask.target += "?every=1h";
  return ask;
}

}  // namespace chronos::contract
