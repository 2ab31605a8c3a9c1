// A data directory with a made-up month in it, to look at the dashboard and to take pictures of it.
// What is in it went through the services, the scheduler and the store as in a server, on a clock
// that is moved by hand: the same moment and seed make the same jobs and runs. Called by
// cli/demo_command.cc; one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::app {

struct DemoOptions {
  std::string data_dir;
  Timestamp now;  // where the month ends
  std::uint64_t seed = 1;
  int days = 30;
};

struct Demo {
  std::int64_t jobs = 0;
  std::int64_t runs = 0;      // attempts that were launched
  std::string key_file = {};  // of the administrator
};

// Refused: invalid_fields when the directory has a database already.
Result<Demo> make_demo(const DemoOptions& options);

}  // namespace chronos::app
