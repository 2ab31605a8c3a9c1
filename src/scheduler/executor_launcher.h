// The real Launcher: hands attempts to the executors of their kind. Used by the daemon; called from
// the scheduler's thread only.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "executor/executors.h"
#include "scheduler/launcher.h"

namespace chronos::scheduler {

class ExecutorLauncher final : public Launcher {
 public:
  // Finds a project's name; called on the scheduler's thread, once per project.
  using ProjectName = std::function<std::string(ProjectId)>;

  // Who is told what a run prints while it goes on (executor::Launch::on_output); empty = nobody.
  using OutputOf = std::function<decltype(executor::Launch::on_output)(const store::ClaimedRun&)>;

  ExecutorLauncher(executor::Executors& executors, ProjectName project_name,
                   OutputOf output_of = {})
      : executors_(executors),
        project_name_(std::move(project_name)),
        output_of_(std::move(output_of)) {}

  void launch(const store::ClaimedRun& run, Duration timeout,
              std::move_only_function<void(Outcome)> done) override;
  void cancel(RunId run, int attempt) override;

 private:
  const std::string& name_of(ProjectId project);

  executor::Executors& executors_;
  const ProjectName project_name_;
  const OutputOf output_of_;
  std::map<ProjectId, std::string> names_;
};

}  // namespace chronos::scheduler
