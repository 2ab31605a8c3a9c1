#include "scheduler/executor_launcher.h"

#include <utility>

namespace chronos::scheduler {

const std::string& ExecutorLauncher::name_of(ProjectId project) {
  auto& name = names_[project];
  if (name.empty()) name = project_name_(project);
  return name;
}

void ExecutorLauncher::launch(const store::ClaimedRun& run, Duration timeout,
                              std::move_only_function<void(Outcome)> done) {
  const auto& spec = *run.spec;
  auto* executor = executors_.find(spec.action.kind);
  if (executor == nullptr) {
    Outcome outcome{.kind = OutcomeKind::failed, .reason = "action"};
    outcome.error = "this server cannot run actions of kind '" + spec.action.kind + "'";
    return done(std::move(outcome));
  }
  executor->start({.run = run.run,
                   .job = run.job,
                   .job_name = spec.name,
                   .project = name_of(run.project),
                   .attempt = run.attempt,
                   .token = run.token,
                   .planned_at = run.planned_at,
                   .trigger = run.trigger,
                   .config = spec.action.config,
                   .payload = spec.payload,
                   .timeout = timeout,
                   .on_output = output_of_ ? output_of_(run) : nullptr},
                  std::move(done));
}

void ExecutorLauncher::cancel(RunId run, int attempt) {
  executors_.cancel(run, attempt);
}

}  // namespace chronos::scheduler
