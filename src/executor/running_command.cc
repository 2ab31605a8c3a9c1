#include "executor/running_command.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/time_text.h"
#include "executor/environment.h"

namespace chronos::executor {
namespace {

using std::chrono::milliseconds;

// How often a command in its grace is looked at when its leader is gone but others may live.
constexpr Duration kGraceLook = milliseconds(20);

// What a command prints is told this long after the first of it, and then as often: a command that
// is over by then is told of as a whole, by its outcome.
constexpr Duration kTellEvery = milliseconds(100);

// When to look again at what is being killed: it is mostly gone at the second look.
Duration kill_look(int round) {
  constexpr int kQuickRounds = 20;
  return round < kQuickRounds ? milliseconds(1) : milliseconds(20);
}

SpawnRequest make_request(const Launch& launch, const CommandAction& action,
                          const CommandExecutorOptions& options) {
  SpawnRequest request;
  request.argv = action.argv;
  if (action.shell) request.argv = {"/bin/sh", "-c", action.argv.front()};
  request.environment = make_environment(launch, action, options.server_id, options.path);
  const auto named_path = action.env.find("PATH");
  request.search_path = named_path == action.env.end() ? options.path : named_path->second;
  request.cwd = action.cwd.value_or("");
  request.stdin_text = action.stdin_text.value_or(launch.payload);
  request.limits = options.limits;
  request.may_gain_privileges = options.may_gain_privileges;
  return request;
}

}  // namespace

std::expected<std::unique_ptr<RunningCommand>, SpawnFailure> RunningCommand::start(
    const Launch& launch, const CommandAction& action, const CommandExecutorOptions& options,
    std::optional<Cgroup> cgroup, SteadyTime now) {
  auto request = make_request(launch, action, options);
  if (cgroup) {
    request.cgroup_procs = cgroup->procs_fd();
    auto& processes_max = request.limits.processes_max;
    // Counted by the cgroup they are this command's own.
    if (processes_max > 0 && cgroup->limit_processes(processes_max)) processes_max = 0;
  }
  auto child = spawn(request);
  if (!child) return std::unexpected(std::move(child).error());
  ProcessTree tree(child->pid, attempt_marks(launch, options.server_id), std::move(cgroup));
  std::unique_ptr<RunningCommand> command(
      new RunningCommand(launch, options, std::move(*child), std::move(tree), now));
  for (const auto& [name, value] : action.env) command->mask_.add(name, value);
  return command;
}

RunningCommand::RunningCommand(const Launch& launch, const CommandExecutorOptions& options,
                               ChildProcess child, ProcessTree tree, SteadyTime now)
    : run_(launch.run),
      attempt_(launch.attempt),
      timeout_(launch.timeout),
      grace_(options.kill_grace),
      patience_(options.kill_patience),
      cpu_time_max_(options.limits.cpu_time_max),
      processes_max_(options.limits.processes_max),
      child_(std::move(child)),
      tree_(std::move(tree)),
      output_(options.output_max),
      on_output_(launch.on_output) {
  if (timeout_ > Duration(0)) deadline_ = now + timeout_;
}

bool RunningCommand::read_output() {
  // One busy printer must not keep the others waiting: the rest is read in the next turn.
  constexpr int kReadsPerTurn = 4;
  std::array<char, 64uz * 1024> buffer;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const auto got = ::read(child_.output.get(), buffer.data(), buffer.size());
    if (got > 0) {
      output_.append({buffer.data(), static_cast<std::size_t>(got)});
    } else {
      return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
  }
  return true;
}

bool RunningCommand::note_exit() {
  siginfo_t ended{};
  // Left uncollected: while its number is taken, signals to its group can hit nobody else.
  const int failed =
      ::waitid(P_PIDFD, static_cast<id_t>(child_.pidfd.get()), &ended, WEXITED | WNOHANG | WNOWAIT);
  if (failed == 0 && ended.si_pid == 0) return false;
  exit_ = Exit{
      .is_known = failed == 0, .is_signal = ended.si_code != CLD_EXITED, .value = ended.si_status};
  look_at_.reset();
  return true;
}

void RunningCommand::stop(Stop why, SteadyTime now) {
  if (phase_ == Phase::running && !exit_) note_exit();  // it may have ended just before
  if (phase_ != Phase::running || exit_) return;
  stop_ = why;
  phase_ = Phase::ending;
  deadline_ = now + grace_;
  tree_.terminate();
}

void RunningCommand::advance(SteadyTime now) {
  if (exit_ && !exit_->is_known) {
    // Its number may be another's by now: nothing can be signalled safely any more.
    phase_ = Phase::over;
    return;
  }
  if (phase_ == Phase::running && !exit_ && deadline_ && now >= *deadline_) {
    stop(Stop::timeout, now);
  }
  if (phase_ == Phase::running && exit_) {
    phase_ = Phase::killing;
    deadline_ = now + patience_;
  }
  tell(now);
  if (look_at_ && now < *look_at_) return;
  look_at_.reset();
  if (phase_ == Phase::ending) look_after_end(now);
  if (phase_ == Phase::killing) kill_rest(now);
}

// The mask would miss a secret that was told in two pieces: what may be the beginning of one waits.
void RunningCommand::tell(SteadyTime now) {
  const auto untold = output_.head().substr(told_);
  if (!on_output_ || untold.empty() || exit_) {
    tell_at_.reset();
    return;
  }
  if (!tell_at_) tell_at_ = now + kTellEvery;
  if (now < *tell_at_) return;
  tell_at_.reset();
  const auto piece = untold.substr(0, mask_.whole_part(untold));
  if (piece.empty()) return;
  const auto masked = mask_.apply(std::string(piece));
  if (!on_output_(told_bytes_, masked)) {
    tell_at_ = now + kTellEvery;
    return;
  }
  told_ += piece.size();
  told_bytes_ += std::ssize(masked);
}

void RunningCommand::look_after_end(SteadyTime now) {
  if (exit_ && tree_.is_empty()) {
    phase_ = Phase::over;
  } else if (now >= *deadline_) {
    phase_ = Phase::killing;
    deadline_ = now + patience_;
  } else if (exit_) {
    look_at_ = std::min(now + kGraceLook, *deadline_);
  }
}

void RunningCommand::kill_rest(SteadyTime now) {
  is_stuck_ = now >= *deadline_;
  const bool is_gone = tree_.kill();
  if ((is_gone && exit_) || is_stuck_) {
    phase_ = Phase::over;
  } else {
    look_at_ = std::min(now + kill_look(kill_rounds_++), *deadline_);
  }
}

std::optional<SteadyTime> RunningCommand::wake_at() const {
  std::optional<SteadyTime> first;
  for (const auto& at : {look_at_, tell_at_, phase_ == Phase::over ? std::nullopt : deadline_}) {
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

Outcome RunningCommand::take_outcome() {
  // What others could still write cannot come from the run any more: what is in the pipe is all.
  constexpr int kTurnsMax = 64;
  for (int i = 0; i < kTurnsMax && child_.output && read_output(); ++i) continue;
  if (exit_) collect(child_.pidfd);
  auto outcome = stop_ ? describe_stop(*stop_) : describe_exit();
  auto captured = output_.take();
  outcome.output = mask_.apply(std::move(captured.text));
  outcome.output_dropped = captured.dropped;
  outcome.has_live_output = told_bytes_ > 0;
  if (exit_ && exit_->is_known) {
    (exit_->is_signal ? outcome.signal : outcome.exit_code) = exit_->value;
  }
  if (outcome.kind != OutcomeKind::succeeded && tree_.forks_refused() > 0) {
    outcome.error +=
        fmt::format(": it wanted more than commands.processes_max, {} processes", processes_max_);
  }
  if (is_stuck_) outcome.error += "; some of its processes cannot be killed";
  return outcome;
}

Outcome RunningCommand::describe_stop(Stop why) const {
  Outcome outcome;
  switch (why) {
    case Stop::timeout:
      outcome.kind = OutcomeKind::timed_out;
      outcome.reason = "timeout";
      outcome.error = fmt::format("stopped after {}", format_duration(timeout_));
      break;
    case Stop::cancel:
      outcome.kind = OutcomeKind::cancelled;
      outcome.reason = "cancelled";
      outcome.error = "cancelled while it ran";
      break;
    case Stop::shutdown:
      outcome.kind = OutcomeKind::lost;
      outcome.reason = "shutdown";
      outcome.error = "stopped because the server stopped";
      break;
  }
  return outcome;
}

Outcome RunningCommand::describe_exit() const {
  Outcome outcome;
  if (!exit_->is_known) {
    outcome.kind = OutcomeKind::lost;
    outcome.reason = "exit_unknown";
    outcome.error = "how the command ended is not known: its exit code was taken by another";
  } else if (exit_->is_signal) {
    outcome.reason = "signal";
    const char* const name = ::sigabbrev_np(exit_->value);
    outcome.error = name == nullptr
                        ? fmt::format("killed by signal {}", exit_->value)
                        : fmt::format("killed by signal {} (SIG{})", exit_->value, name);
    if (exit_->value == SIGXCPU) {
      outcome.error += fmt::format(": it used more than commands.cpu_time_max, {} of a processor",
                                   format_duration(cpu_time_max_));
    }
  } else if (exit_->value != 0) {
    outcome.reason = "exit_code";
    outcome.error = fmt::format("exit code {}", exit_->value);
  } else {
    outcome.kind = OutcomeKind::succeeded;
  }
  return outcome;
}

}  // namespace chronos::executor
