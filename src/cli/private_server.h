// A server of this program in a process of its own, on a free port of the loopback, with a data
// directory that goes with it. Nothing that configures another server reaches it: neither CHRONOS_*
// and PG* nor a chronos.toml. For bench. One thread.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"

namespace chronos::cli {

class PrivateServer {
 public:
  // Makes its data directory within `folder`, which must exist: whose disk it is says how fast it
  // can be. Comes back when the server listens. From then on SIGINT and SIGTERM end this program
  // only after the server, and with its data gone.
  static Result<std::unique_ptr<PrivateServer>> start(const std::filesystem::path& folder);
  // Ends the process and removes the data.
  ~PrivateServer();
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;

  const std::string& url() const { return url_; }
  const std::string& key() const { return key_; }

 private:
  PrivateServer() = default;
  Result<void> spawn();
  Result<void> read_address(int from);
  std::string last_words() const;
  void watch_signals();
  void end() const;

  std::filesystem::path folder_;
  pid_t process_ = -1;
  int out_ = -1;  // its stdout: closed, the server would be told by SIGPIPE
  std::string url_;
  std::string key_;
  sigset_t mask_before_{};
  std::jthread watcher_;
};

}  // namespace chronos::cli
