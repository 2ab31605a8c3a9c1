// Waiting for a run or a job to end, and the exit code that comes of it. Called by `wait` and by
// `--wait` of other commands; one thread.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/session.h"

namespace chronos::cli {

struct WaitFlags {
  bool is_wanted = false;
  std::string timeout;  // duration; empty = for ever
};

void declare_wait_flags(Arguments& arguments, WaitFlags& flags);  // --wait and --wait-timeout
void declare_wait_timeout(Arguments& arguments, WaitFlags& flags);

// 0 if the run succeeded; else its command's exit code if it has one of 1-255, else kFailed.
int exit_code_of_run(const json::Value& run);

// Polls until the run is final; then its state is told on stderr. kTimeout when that takes too
// long.
int wait_for_run(Session& session, ApiClient& client, const std::string& run,
                 const WaitFlags& flags);

// The same for the run of a job that runs once. A recurring job never ends: that is a kUsage.
int wait_for_job(Session& session, ApiClient& client, const std::string& job,
                 const WaitFlags& flags);

}  // namespace chronos::cli
