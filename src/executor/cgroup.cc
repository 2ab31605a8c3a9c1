#include "executor/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace chronos::executor {
namespace {

namespace fs = std::filesystem;

// Removes `directory` and what a run may have made below it, deepest first. A cgroup in use stays.
void remove_tree(const std::string& directory) {
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) remove_tree(entry->path().string());
  }
  ::rmdir(directory.c_str());
}

void collect_processes(const fs::path& directory, std::vector<pid_t>& out) {
  std::ifstream procs(directory / "cgroup.procs");
  for (pid_t pid = 0; procs >> pid;) out.push_back(pid);
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) collect_processes(entry->path(), out);
  }
}

// False: what the kernel does not offer is not there, or takes no such word.
bool write_file(const std::string& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == std::ssize(text);
}

// Lines "name value" (cgroups(7)); 0 = it is not there.
std::int64_t read_event(const std::string& path, std::string_view wanted) {
  std::ifstream file(path);
  std::string name;
  for (std::int64_t value = 0; file >> name >> value;) {
    if (name == wanted) return value;
  }
  return 0;
}

// The path of this process's own cgroup below the root of its cgroup namespace: the line "0::/path"
// of /proc/self/cgroup (cgroups(7)).
std::optional<std::string> own_path() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return std::nullopt;
}

struct Mount {
  std::string root;  // which part of the hierarchy is mounted
  std::string point;
};

// proc(5), /proc/pid/mountinfo: "id parent major:minor root point options … - type source …".
std::vector<Mount> cgroup2_mounts() {
  std::vector<Mount> mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string skipped;
    Mount mount;
    words >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    while (words >> skipped && skipped != "-") continue;
    std::string type;
    words >> type;
    if (type == "cgroup2") mounts.push_back(std::move(mount));
  }
  return mounts;
}

}  // namespace

std::optional<Cgroup> Cgroup::make(std::string directory) {
  const bool is_new = ::mkdir(directory.c_str(), 0755) == 0;
  if (!is_new && errno != EEXIST) return std::nullopt;
  Fd procs(::open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  const bool can_kill = ::access((directory + "/cgroup.kill").c_str(), W_OK) == 0;
  if (procs && can_kill) return Cgroup(std::move(directory), std::move(procs));
  if (is_new) ::rmdir(directory.c_str());
  return std::nullopt;
}

Cgroup::~Cgroup() {
  if (procs_) remove_tree(directory_);
}

std::optional<Cgroup> Cgroup::make_child(std::string_view name) const {
  return make(fmt::format("{}/{}", directory_, name));
}

bool Cgroup::limit_processes(int max) const {
  return write_file(directory_ + "/pids.max", std::to_string(max));
}

bool Cgroup::hands_down_pids() const {
  std::ifstream controllers(directory_ + "/cgroup.subtree_control");
  for (std::string name; controllers >> name;) {
    if (name == "pids") return true;
  }
  return false;
}

std::int64_t Cgroup::forks_refused() const {
  return read_event(directory_ + "/pids.events", "max");
}

bool Cgroup::is_populated() const {
  return read_event(directory_ + "/cgroup.events", "populated") != 0;
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> found;
  collect_processes(directory_, found);
  return found;
}

std::size_t Cgroup::child_count() const {
  std::size_t count = 0;
  std::error_code failed;
  for (fs::directory_iterator entry(directory_, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    count += entry->is_directory(ignored) ? 1 : 0;
  }
  return count;
}

void Cgroup::kill() const {
  write_file(directory_ + "/cgroup.kill", "1");
}

std::optional<Cgroup> make_server_cgroup(std::string_view server_id) {
  const auto path = own_path();
  if (!path) return std::nullopt;
  for (const auto& [root, point] : cgroup2_mounts()) {
    if (!path->starts_with(root)) continue;
    const auto below = root == "/" ? *path : path->substr(root.size());
    if (auto made = Cgroup::make(
            fmt::format("{}{}/chronos-{}", point, below == "/" ? "" : below, server_id))) {
      write_file(made->directory() + "/cgroup.subtree_control", "+pids");
      return made;
    }
  }
  return std::nullopt;
}

}  // namespace chronos::executor
