#include "executor/http_executor.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/time_text.h"
#include "executor/http_action.h"
#include "executor/secret_mask.h"
#include "net/outbound_policy.h"
#include "net/webhook_signature.h"

namespace chronos::executor {
namespace {

using net::HttpAnswer;
using net::HttpCall;
using net::HttpFailure;

Outcome failed(std::string reason, std::string error) {
  Outcome outcome;
  outcome.kind = OutcomeKind::failed;
  outcome.reason = std::move(reason);
  outcome.error = std::move(error);
  return outcome;
}

OutcomeKind kind_of(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::timeout:
      return OutcomeKind::timed_out;
    case HttpFailure::cancelled:
      return OutcomeKind::cancelled;
    case HttpFailure::stopped:
      return OutcomeKind::lost;
    default:
      return OutcomeKind::failed;
  }
}

Outcome outcome_of(HttpAnswer answer, const ExpectedStatus& expect, Timestamp now) {
  Outcome outcome;
  if (answer.status != 0) outcome.http_status = answer.status;
  if (answer.failure != HttpFailure::none) {
    outcome.kind = kind_of(answer.failure);
    outcome.reason =
        answer.failure == HttpFailure::stopped ? "shutdown" : to_string(answer.failure);
    outcome.error = std::move(answer.error);
  } else if (expect.accepts(answer.status)) {
    outcome.kind = OutcomeKind::succeeded;
  } else {
    outcome.kind = OutcomeKind::failed;
    outcome.reason = "http_status";
    outcome.error = fmt::format("expected {}, got {}", expect.text, answer.status);
  }
  if (outcome.kind != OutcomeKind::succeeded) {
    const auto value = net::find_header(answer.headers, "Retry-After");
    if (value) outcome.retry_after = net::parse_retry_after(*value, now);
  }
  outcome.output = std::move(answer.body);
  outcome.output_dropped = answer.dropped;
  return outcome;
}

// An action as it was read, with all that every attempt of it needs.
struct ReadyAction {
  HttpAction action;
  SecretMask mask;  // of its headers: a target may answer what it was sent
};

class HttpExecutor final : public Executor {
 public:
  HttpExecutor(const Clock& clock, HttpExecutorOptions options)
      : clock_(clock), options_(std::move(options)), client_(options_.client) {
    for (const auto& [project, secrets] : options_.signing_secrets) {
      signing_keys_[project] = net::webhook_keys(secrets);
    }
  }
  ~HttpExecutor() override { stop(); }

  Result<void> check(const json::Value& config) const override;
  void start(Launch launch, std::move_only_function<void(Outcome)> done) override;
  void cancel(RunId run, int attempt) override;
  void stop() override;

 private:
  using Name = std::pair<RunId, int>;

  Result<void> check_target(const HttpAction& action) const;
  Result<std::shared_ptr<const ReadyAction>> read_action(const std::string& config);
  Result<HttpCall> call_of(const Launch& launch, const HttpAction& action) const;
  void forget(const Name& name);

  const Clock& clock_;
  const HttpExecutorOptions options_;
  std::map<std::string, std::optional<std::vector<std::string>>> signing_keys_;  // by project

  Mutex mutex_;
  // Read lately, by their text: reading one costs more than starting a call. Shared with the calls
  // under way, which outlast their place here.
  std::unordered_map<std::string, std::shared_ptr<const ReadyAction>> actions_
      CHRONOS_GUARDED_BY(mutex_);
  std::map<Name, std::uint64_t> calls_ CHRONOS_GUARDED_BY(mutex_);  // the client's ids
  std::uint64_t last_call_ CHRONOS_GUARDED_BY(mutex_) = 0;
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;

  net::HttpClient client_;  // last: its thread uses the above
};

// What the address says already is said at once; names are decided when they are resolved.
Result<void> HttpExecutor::check_target(const HttpAction& action) const {
  const auto& policy = options_.client.policy;
  if (!policy) return {};
  auto why = net::refusal_of_host(action.host);
  if (const auto address = net::IpAddress::parse(action.host); address && !why) {
    why = net::refusal_of(*policy, {*address, action.port});
  }
  if (!why) return {};
  return fail_field("/action/url", "egress_refused", fmt::format("must not be reached: {}", *why));
}

Result<void> HttpExecutor::check(const json::Value& config) const {
  CHRONOS_TRY(const HttpAction action, parse_http_action(config));
  return check_target(action);
}

Result<std::shared_ptr<const ReadyAction>> HttpExecutor::read_action(const std::string& config) {
  constexpr std::size_t kActionsMax = 1000;
  {
    const MutexLock lock(mutex_);
    if (const auto known = actions_.find(config); known != actions_.end()) return known->second;
  }
  CHRONOS_TRY(const auto document, json::parse(config));
  auto read = std::make_shared<ReadyAction>();
  CHRONOS_TRY(read->action, parse_http_action(document.root()));
  for (const auto& header : read->action.headers) read->mask.add(header.name, header.value);
  const MutexLock lock(mutex_);
  if (actions_.size() >= kActionsMax) actions_.clear();
  return actions_.insert_or_assign(config, std::move(read)).first->second;
}

Result<HttpCall> HttpExecutor::call_of(const Launch& launch, const HttpAction& action) const {
  HttpCall call{.method = action.method,
                .url = action.url,
                .headers = action.headers,
                .timeout = launch.timeout,
                .answer_max = options_.output_max,
                .follow_redirects = action.follow_redirects};
  const bool takes_payload = call.method != "GET" && call.method != "HEAD";
  if (action.body) {
    call.body = *action.body;
  } else if (takes_payload) {
    call.body = launch.payload;
  }
  constexpr std::size_t kOwnHeaders = 8;  // and a signature's three
  call.headers.reserve(call.headers.size() + kOwnHeaders + 3);
  const auto add = [&](const char* name, std::string value) {
    if (!net::find_header(call.headers, name)) call.headers.push_back({name, std::move(value)});
  };
  if (!call.body.empty()) add("Content-Type", action.content_type);
  add("User-Agent", options_.user_agent);
  const std::string run = launch.run.to_string();
  add("Idempotency-Key", run);
  add("Chronos-Run-Id", run);
  add("Chronos-Job-Id", launch.job.to_string());
  add("Chronos-Attempt", std::to_string(launch.attempt));
  add("Chronos-Planned-At", format_timestamp(launch.planned_at));
  add("Chronos-Token", std::to_string(launch.token));
  const auto keys = signing_keys_.find(launch.project);
  if (keys == signing_keys_.end()) return call;
  if (!keys->second) {
    return fail(Reason::internal,
                fmt::format("the project's signing secret {}", net::kWebhookSecretsRule));
  }
  for (auto& header : net::sign_webhook(*keys->second, {run, clock_.now(), call.body})) {
    call.headers.push_back(std::move(header));
  }
  return call;
}

void HttpExecutor::start(Launch launch, std::move_only_function<void(Outcome)> done) {
  auto action = read_action(launch.config);
  if (!action) return done(failed("bad_action", action.error().message));
  auto call = call_of(launch, (*action)->action);
  if (!call) return done(failed("signing", call.error().message));

  const Name name{launch.run, launch.attempt};
  auto finish = [this, name, ready = std::move(*action),
                 done = std::move(done)](HttpAnswer answer) mutable {
    forget(name);
    auto outcome = outcome_of(std::move(answer), ready->action.expect, clock_.now());
    outcome.output = ready->mask.apply(std::move(outcome.output));
    done(std::move(outcome));
  };
  {
    // Under the lock, so that no cancel can overtake the start.
    const MutexLock lock(mutex_);
    if (!is_stopped_) {
      calls_[name] = ++last_call_;
      return client_.start(last_call_, std::move(*call), std::move(finish));
    }
  }
  HttpAnswer stopped;
  stopped.failure = HttpFailure::stopped;
  stopped.error = "the server is stopping";
  finish(std::move(stopped));
}

void HttpExecutor::forget(const Name& name) {
  const MutexLock lock(mutex_);
  calls_.erase(name);
}

void HttpExecutor::cancel(RunId run, int attempt) {
  const MutexLock lock(mutex_);
  const auto found = calls_.find({run, attempt});
  if (found != calls_.end()) client_.cancel(found->second);
}

void HttpExecutor::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  client_.stop();
}

}  // namespace

std::unique_ptr<Executor> make_http_executor(const Clock& clock, HttpExecutorOptions options) {
  return std::make_unique<HttpExecutor>(clock, std::move(options));
}

}  // namespace chronos::executor
