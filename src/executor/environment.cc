#include "executor/environment.h"

#include <fmt/format.h>

#include "base/time_text.h"

namespace chronos::executor {

std::string server_mark(std::string_view server_id) {
  return fmt::format("CHRONOS_SERVER_ID={}", server_id);
}

Marks attempt_marks(const Launch& launch, std::string_view server_id) {
  return {fmt::format("CHRONOS_RUN_ID={}", launch.run.to_string()),
          fmt::format("CHRONOS_ATTEMPT={}", launch.attempt), server_mark(server_id)};
}

std::vector<std::string> make_environment(const Launch& launch, const CommandAction& action,
                                          std::string_view server_id, std::string_view path) {
  auto environment = attempt_marks(launch, server_id);
  environment.push_back(fmt::format("CHRONOS_JOB_ID={}", launch.job.to_string()));
  environment.push_back(fmt::format("CHRONOS_PLANNED_AT={}", format_timestamp(launch.planned_at)));
  environment.push_back(fmt::format("CHRONOS_TOKEN={}", launch.token));
  if (!action.env.contains("PATH")) environment.push_back(fmt::format("PATH={}", path));
  for (const auto& [name, value] : action.env) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

}  // namespace chronos::executor
