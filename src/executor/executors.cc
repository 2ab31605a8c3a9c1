#include "executor/executors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/nearest.h"
#include "model/job.h"

namespace chronos::executor {
namespace {

// {"kind": "worker"}: what to do is the payload's business, and the queue is the job's.
Result<void> check_pulled(const json::Value& config) {
  std::vector<FieldError> problems;
  const fields::Place place(problems, "/action");
  for (const auto& [name, value] : config.members) {
    if (name == "kind") continue;
    if (name == "queue") {
      place.at(name).refuse("unknown_field", "the queue is a field of the job, beside 'action'");
    } else {
      fields::refuse_unknown(place, name, {{"kind"}});
    }
  }
  if (problems.empty()) return {};
  return fields::refuse_all("the action", std::move(problems));
}

}  // namespace

// THE list of kinds: one line each.
Executors::Executors(const Clock& clock, ExecutorsOptions options) {
  executors_["command"] = make_command_executor(std::move(options.command));
  executors_["http"] = make_http_executor(clock, std::move(options.http));
}

Result<void> Executors::check(std::string_view kind, const json::Value& config) const {
  if (const auto* executor = find(kind)) return executor->check(config);
  if (kind == kWorkerKind) return check_pulled(config);
  std::vector<std::string_view> kinds = {kWorkerKind};
  kinds.reserve(executors_.size() + 1);
  for (const auto& [name, executor] : executors_) kinds.push_back(name);
  const auto nearest = nearest_name(kind, kinds);
  return fail_field("/action/kind", "unknown_kind",
                    fmt::format("there is no kind '{}'", kind.substr(0, 64)),
                    nearest.empty() ? fmt::format("known kinds: {}", fmt::join(kinds, ", "))
                                    : fmt::format("did you mean '{}'?", nearest));
}

Executor* Executors::find(std::string_view kind) const {
  const auto found = executors_.find(kind);
  return found == executors_.end() ? nullptr : found->second.get();
}

void Executors::cancel(RunId run, int attempt) {
  for (const auto& [kind, executor] : executors_) executor->cancel(run, attempt);
}

void Executors::stop() {
  for (const auto& [kind, executor] : executors_) executor->stop();
}

}  // namespace chronos::executor
