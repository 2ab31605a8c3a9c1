// For the tests of commands: starts real commands and waits for what they come to.
#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/crypto.h"
#include "base/id.h"
#include "executor/cgroup.h"
#include "executor/command_executor.h"
#include "executor/processes.h"

namespace chronos::executor {

// Waits until `condition` holds; false after a minute, which means never.
template <class Condition>
bool eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// How often a test tries what it tries; the environment raises it (docs/guarantees.md).
inline int count_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "chronos_test_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

inline std::string command_of(const std::vector<std::string>& argv, std::string_view more = "") {
  std::string text = R"({"kind":"command","argv":[)";
  for (std::size_t i = 0; i < argv.size(); ++i) {
    if (i > 0) text += ',';
    json::append_string(text, argv[i]);
  }
  text += ']';
  text += more;
  return text + '}';
}

inline std::string shell_of(const std::string& script, std::string_view more = "") {
  return command_of({script}, std::string(R"(,"shell":true)").append(more));
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// The script as a user nobody else is: RLIMIT_NPROC, which does not hold root, counts its processes
// alone. Needs root.
inline std::string as_somebody(const std::string& script) {
  return "exec setpriv --reuid 54321 --regid 54321 --clear-groups /bin/sh -c '" + script + "'";
}

// A cgroup2 file system for machines that have none where it can be found; needs root.
class MountedCgroup2 {
 public:
  MountedCgroup2() {
    is_mounted_ = ::mount("none", directory_.path().c_str(), "cgroup2", 0, nullptr) == 0;
  }
  ~MountedCgroup2() {
    if (is_mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  MountedCgroup2(const MountedCgroup2&) = delete;
  MountedCgroup2& operator=(const MountedCgroup2&) = delete;

 private:
  TemporaryDirectory directory_;
  bool is_mounted_ = false;
};

class CommandFixture : public testing::Test {
 protected:
  // For the tests that set options; before the first start.
  CommandExecutorOptions options{.is_allowed = true, .server_id = fresh_id()};

  static std::string fresh_id() {
    return "test-" + to_base32(Uuid{Rng::from_system().next(), Rng::from_system().next()});
  }

  Executor& executor() {
    if (!executor_) executor_ = make_command_executor(options);
    return *executor_;
  }

  Launch launch_of(std::string config) {
    Launch launch;
    launch.run = RunId{Uuid{0x1234, rng_.next()}};
    launch.job = JobId{Uuid{0x5678, 9}};
    launch.config = std::move(config);
    launch.timeout = std::chrono::minutes(5);
    return launch;
  }

  std::future<Outcome> start(Launch launch) {
    std::promise<Outcome> promise;
    auto future = promise.get_future();
    executor().start(std::move(launch), [promise = std::move(promise)](Outcome outcome) mutable {
      promise.set_value(std::move(outcome));
    });
    return future;
  }
  std::future<Outcome> start(std::string config) { return start(launch_of(std::move(config))); }

  Outcome run(Launch launch) { return start(std::move(launch)).get(); }
  Outcome run(std::string config) { return start(std::move(config)).get(); }

  // False only where the machine has no cgroup2 and we may not mount it.
  bool ensure_cgroups() {
    if (make_server_cgroup(options.server_id)) return true;
    mounted_ = std::make_unique<MountedCgroup2>();
    return make_server_cgroup(options.server_id).has_value();
  }

  // How many processes of this executor's commands live.
  std::size_t living_count() const {
    const Marks marks{"CHRONOS_SERVER_ID=" + options.server_id};
    std::size_t count = 0;
    for (const auto& process : all_processes()) {
      count += has_marks(environment_of(process.pid), marks) ? 1 : 0;
    }
    return count;
  }

 private:
  std::unique_ptr<MountedCgroup2> mounted_;
  Rng rng_ = Rng::from_system();
  std::unique_ptr<Executor> executor_;
};

}  // namespace chronos::executor
