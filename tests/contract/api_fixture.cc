#include "contract/api_fixture.h"

#include <future>
#include <utility>

#include "base/time_text.h"
#include "http/problem.h"

namespace chronos::contract {
namespace {

Result<void> check_action(const json::Value& action) {
  const auto* kind = action.find("kind");
  if (kind->string == "http" || kind->string == "command") return {};
  return fail_field("/action/kind", "unknown_kind", "there is no such kind", "http or command");
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
      jobs_(store_, check_action, clock_, ids_, SpecLimits{}),
      runs_(store_, clock_, ids_),
      access_(store_, clock_, ids_),
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
      api_{jobs_, runs_, access_, system_, readers_, {}, [] { return "chronos_up 1\n"; }},
      router_(make_routes(api_)),
      gate_(http::make_gate(access_)),
      project_(ids_.make<ProjectId>()),
      other_project_(ids_.make<ProjectId>()) {
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
    route.handler(std::move(request),
                  [&promise](http::Response response) { promise.set_value(std::move(response)); });
  };
  answer();
  auto response = future.get();
  Answered answered{response.status, response.content_type, response.body, response.headers, {}};
  if (auto document = json::parse(answered.body)) answered.document = std::move(*document);
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

void ApiTest::settle_one(Outcome outcome, RunState next) {
  store::ClaimRuns claim;
  claim.holder = NodeId{{1, 1}};
  claim.node = "a node";
  claim.lanes = {{"http", 1}};
  claim.now = clock_.now();
  const auto claimed = commit_and_wait(store_, std::move(claim));
  ASSERT_TRUE(claimed);
  ASSERT_EQ(claimed->size(), 1U);
  const auto& run = claimed->front();
  store::SettleRun settle;
  settle.run = run.run;
  settle.token = run.token;
  settle.next = next;
  settle.attempt = {run.attempt, run.started_at, clock_.now(), "a node", std::move(outcome)};
  settle.now = clock_.now();
  ASSERT_TRUE(commit_and_wait(store_, std::move(settle)));
}

std::string ApiTest::make_run(RunState state) {
  const auto job = make_job(R"("cron": "0 0 1 1 *")");
  const auto run = post("/api/jobs/" + job + "/run");
  EXPECT_EQ(run.status, 201) << run.body;
  if (state == RunState::succeeded) {
    Outcome outcome;
    outcome.kind = OutcomeKind::succeeded;
    outcome.output = "done\n";
    settle_one(std::move(outcome), RunState::succeeded);
  }
  return run.text("/id");
}

}  // namespace chronos::contract
