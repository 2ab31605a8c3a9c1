// A cgroup (version 2) of one run: what the run starts cannot leave it by forking, and one write
// kills it all.
// Used by the files of executor/ only; one thread per object.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executor/fd.h"

namespace chronos::executor {

class Cgroup {
 public:
  // Makes the directory, or takes it over when it is there. Nothing if that is not permitted or the
  // kernel cannot kill a cgroup (before 5.14).
  static std::optional<Cgroup> make(std::string directory);

  Cgroup(Cgroup&&) = default;
  Cgroup& operator=(Cgroup&&) = default;
  ~Cgroup();  // removes the directory if nothing lives in it

  const std::string& directory() const { return directory_; }
  // Where a process writes "0" to join.
  int procs_fd() const { return procs_.get(); }

  std::optional<Cgroup> make_child(std::string_view name) const;

  // At most so many processes and threads in it and below (pids.max). False: the kernel does not
  // count them here, because the cgroup above does not hand the pids controller down.
  bool limit_processes(int max) const;
  bool hands_down_pids() const;        // so that a child can be limited
  std::int64_t forks_refused() const;  // for that limit

  bool is_populated() const;             // whether anything lives in it or below
  std::vector<pid_t> processes() const;  // what lives in it or below
  std::size_t child_count() const;       // directories below
  void kill() const;                     // SIGKILL to all of them, however fast they fork

 private:
  Cgroup(std::string directory, Fd procs)
      : directory_(std::move(directory)), procs_(std::move(procs)) {}

  std::string directory_;
  Fd procs_;
};

// The directory for all runs of one server, below the cgroup this process is in; it hands the pids
// controller down if it has it. Nothing if there is no cgroup2 file system that lets this process
// make one.
std::optional<Cgroup> make_server_cgroup(std::string_view server_id);

}  // namespace chronos::executor
