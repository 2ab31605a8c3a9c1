#include "executor/executors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "base/nearest.h"

namespace chronos::executor {

// THE list of kinds: one line each.
Executors::Executors(const Clock& clock, ExecutorsOptions options) {
  executors_["command"] = make_command_executor(std::move(options.command));
  executors_["http"] = make_http_executor(clock, std::move(options.http));
}

Result<void> Executors::check(std::string_view kind, const json::Value& config) const {
  if (const auto* executor = find(kind)) return executor->check(config);
  std::vector<std::string_view> kinds;
  kinds.reserve(executors_.size());
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
