#include "executor/command_executor.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <exception>
#include <map>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/ascii.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "executor/command_action.h"
#include "executor/running_command.h"

namespace chronos::executor {
namespace {

using Done = std::move_only_function<void(Outcome)>;

// Dead orphans are collected at least this often while there may be any.
constexpr Duration kReapEvery = std::chrono::seconds(1);

Outcome failed_to_start(std::string reason, std::string error) {
  Outcome outcome;
  outcome.reason = std::move(reason);
  outcome.error = std::move(error);
  return outcome;
}

Outcome stopped_before_start() {
  Outcome outcome;
  outcome.kind = OutcomeKind::lost;
  outcome.reason = "shutdown";
  outcome.error = "the server stopped before the command started";
  return outcome;
}

bool is_plain_id(std::string_view id) {
  return std::ranges::all_of(
      id, [](char c) { return ascii::is_alphanumeric(c) || c == '-' || c == '_'; });
}

// What the event loop waits for, told apart by the number epoll gives back: the two below, or a
// command's number times two, plus one for its output.
constexpr std::uint64_t kWakeEvent = 0;
constexpr std::uint64_t kTimerEvent = 1;
constexpr std::uint64_t kFirstCommand = 1;

std::uint64_t exit_event(std::uint64_t number) {
  return number * 2;
}
std::uint64_t output_event(std::uint64_t number) {
  return number * 2 + 1;
}

class CommandExecutor final : public Executor {
 public:
  explicit CommandExecutor(CommandExecutorOptions options);
  ~CommandExecutor() override { stop(); }

  Result<void> check(const json::Value& config) const override;
  void start(Launch launch, Done done) override;
  void cancel(RunId run, int attempt) override;
  void stop() override;

 private:
  struct Start {
    Launch launch;
    Done done;
  };
  struct Cancel {
    RunId run;
    int attempt;
  };
  using Request = std::variant<Start, Cancel>;
  struct Entry {
    std::unique_ptr<RunningCommand> command;
    Done done;
  };

  // Any thread.
  void wake() const;

  // The event thread.
  void run();
  void warn_of_processes_max() const;
  void loop();
  void take_requests();
  bool close_if_done();
  void handle(Start start);
  void handle(const Cancel& cancel);
  std::expected<std::unique_ptr<RunningCommand>, SpawnFailure> start_command(
      const Launch& launch, const CommandAction& action);
  Result<CommandAction> read_action(const std::string& config) const;
  void watch(int fd, std::uint64_t event) const;
  void unwatch(int fd) const;
  void handle_event(std::uint64_t event);
  void advance_all();
  void reap(SteadyTime now);
  void set_timer();

  const CommandExecutorOptions options_;
  const SystemClock clock_;
  const Fd epoll_;
  const Fd wake_;   // eventfd
  const Fd timer_;  // timerfd: goes on while the machine is suspended

  Mutex mutex_;
  std::vector<Request> inbox_ CHRONOS_GUARDED_BY(mutex_);
  bool is_stopping_ CHRONOS_GUARDED_BY(mutex_) = false;
  bool is_closed_ CHRONOS_GUARDED_BY(mutex_) = false;  // the event thread takes nothing any more

  // The event thread's own.
  std::optional<Cgroup> cgroup_;
  std::map<std::uint64_t, Entry> commands_;
  std::uint64_t next_number_ = kFirstCommand;
  std::vector<Fd> uncollected_;  // of commands that could not be killed
  SteadyTime reaped_at_{};
  bool has_unreaped_ = false;
  bool has_stopped_all_ = false;

  Mutex thread_mutex_;
  std::jthread thread_ CHRONOS_GUARDED_BY(thread_mutex_);
};

CommandExecutor::CommandExecutor(CommandExecutorOptions options)
    : options_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  CHRONOS_CHECK(epoll_ && wake_ && timer_);
  CHRONOS_CHECK(is_plain_id(options_.server_id));
  watch(wake_.get(), kWakeEvent);
  watch(timer_.get(), kTimerEvent);
  const MutexLock lock(thread_mutex_);
  thread_ = std::jthread([this] { run(); });
}

Result<void> CommandExecutor::check(const json::Value& config) const {
  if (!options_.is_allowed) {
    return fail_field("/action/kind", "commands_not_allowed", "this server does not run commands",
                      "start it with --allow-commands, or set allow = true in [commands]");
  }
  CHRONOS_TRY([[maybe_unused]] const auto action, parse_command_action(config));
  return {};
}

void CommandExecutor::start(Launch launch, Done done) {
  {
    const MutexLock lock(mutex_);
    if (!is_closed_) {
      inbox_.emplace_back(Start{std::move(launch), std::move(done)});
      wake();
      return;
    }
  }
  done(stopped_before_start());
}

void CommandExecutor::cancel(RunId run, int attempt) {
  const MutexLock lock(mutex_);
  if (is_closed_) return;
  inbox_.emplace_back(Cancel{run, attempt});
  wake();
}

void CommandExecutor::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
    wake();
  }
  const MutexLock lock(thread_mutex_);
  if (thread_.joinable()) thread_.join();
}

void CommandExecutor::wake() const {
  ::eventfd_write(wake_.get(), 1);
}

void CommandExecutor::run() {
  // The server's signals are for its other threads.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "commands");
  try {
    if (options_.is_allowed) {
      adopt_orphans();
      if (options_.use_cgroups) cgroup_ = make_server_cgroup(options_.server_id);
      if (!cgroup_ && !can_list_children()) {
        log::warn("what a command starts in another session may outlive it here",
                  {{"reason", "no cgroup2, and a kernel without CONFIG_PROC_CHILDREN"}});
      }
      warn_of_processes_max();
    }
    loop();
    cgroup_.reset();
  } catch (const std::exception& error) {
    log::error("the command executor failed", {{"error", error.what()}});
    std::terminate();
  }
}

void CommandExecutor::warn_of_processes_max() const {
  if (options_.limits.processes_max == 0 || (cgroup_ && cgroup_->hands_down_pids())) return;
  if (::geteuid() == 0) {
    log::warn("commands.processes_max does not hold here",
              {{"reason", "the server is root, and its cgroup does not hand down 'pids'"}});
  } else {
    log::warn("commands.processes_max counts all processes and threads of the server's user",
              {{"reason", "its cgroup does not hand down 'pids'"}});
  }
}

void CommandExecutor::loop() {
  constexpr int kEventsPerTurn = 64;
  std::array<epoll_event, kEventsPerTurn> events{};
  for (;;) {
    take_requests();
    if (close_if_done()) return;
    set_timer();
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, -1);
    for (int i = 0; i < count; ++i) handle_event(events[static_cast<std::size_t>(i)].data.u64);
    advance_all();
  }
}

void CommandExecutor::take_requests() {
  std::vector<Request> requests;
  bool is_stopping = false;
  {
    const MutexLock lock(mutex_);
    requests.swap(inbox_);
    is_stopping = is_stopping_;
  }
  for (auto& request : requests) {
    if (auto* const start = std::get_if<Start>(&request)) {
      is_stopping ? start->done(stopped_before_start()) : handle(std::move(*start));
    } else {
      handle(std::get<Cancel>(request));
    }
  }
  if (is_stopping && !std::exchange(has_stopped_all_, true)) {
    const auto now = clock_.steady();
    for (auto& [number, entry] : commands_) {
      entry.command->stop(RunningCommand::Stop::shutdown, now);
    }
  }
}

// True once stop() was called and nothing runs nor waits any more.
bool CommandExecutor::close_if_done() {
  const MutexLock lock(mutex_);
  is_closed_ = is_stopping_ && inbox_.empty() && commands_.empty();
  return is_closed_;
}

void CommandExecutor::handle(Start start) {
  const auto action = read_action(start.launch.config);
  if (!action) return start.done(failed_to_start("action", action.error().message));
  auto command = start_command(start.launch, *action);
  if (!command) return start.done(failed_to_start("spawn", command.error().message));
  const auto number = next_number_++;
  watch((*command)->pidfd(), exit_event(number));
  watch((*command)->output_fd(), output_event(number));
  commands_.emplace(number, Entry{std::move(*command), std::move(start.done)});
}

std::expected<std::unique_ptr<RunningCommand>, SpawnFailure> CommandExecutor::start_command(
    const Launch& launch, const CommandAction& action) {
  std::optional<Cgroup> cgroup;
  if (cgroup_) {
    cgroup = cgroup_->make_child(fmt::format("{}-{}", launch.run.to_string(), launch.attempt));
  }
  auto command =
      RunningCommand::start(launch, action, options_, std::move(cgroup), clock_.steady());
  if (command || !command.error().is_cgroups_fault) return command;
  // The directory may be ours and joining it forbidden nevertheless (delegation, cgroups(7)).
  log::warn("commands run without cgroups", {{"reason", command.error().message}});
  cgroup_.reset();
  return RunningCommand::start(launch, action, options_, std::nullopt, clock_.steady());
}

void CommandExecutor::handle(const Cancel& cancel) {
  for (auto& [number, entry] : commands_) {
    if (entry.command->run() == cancel.run && entry.command->attempt() == cancel.attempt) {
      entry.command->stop(RunningCommand::Stop::cancel, clock_.steady());
    }
  }
}

Result<CommandAction> CommandExecutor::read_action(const std::string& config) const {
  CHRONOS_TRY(const auto document, json::parse(config));
  CHRONOS_TRY_VOID(check(document.root()));
  return parse_command_action(document.root());
}

void CommandExecutor::watch(int fd, std::uint64_t event) const {
  epoll_event interest{.events = EPOLLIN, .data = {.u64 = event}};
  CHRONOS_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest) == 0);
}

void CommandExecutor::unwatch(int fd) const {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void CommandExecutor::handle_event(std::uint64_t event) {
  if (event == kWakeEvent || event == kTimerEvent) {
    std::uint64_t count = 0;
    const int fd = event == kWakeEvent ? wake_.get() : timer_.get();
    [[maybe_unused]] const auto got = ::read(fd, &count, sizeof count);
    return;
  }
  const auto found = commands_.find(event / 2);
  if (found == commands_.end()) return;
  auto& command = *found->second.command;
  if (event == output_event(found->first)) {
    if (!command.read_output()) unwatch(command.output_fd());
  } else {
    if (command.note_exit()) unwatch(command.pidfd());
  }
}

// The number of commands is small (64 by default): looking at each after every event is cheap.
void CommandExecutor::advance_all() {
  const auto now = clock_.steady();
  for (auto entry = commands_.begin(); entry != commands_.end();) {
    auto& command = *entry->second.command;
    command.advance(now);
    if (!command.is_over()) {
      ++entry;
      continue;
    }
    unwatch(command.pidfd());
    unwatch(command.output_fd());
    auto outcome = command.take_outcome();
    if (command.is_uncollected()) uncollected_.push_back(command.take_pidfd());
    auto done = std::move(entry->second.done);
    entry = commands_.erase(entry);
    done(std::move(outcome));
  }
  if (now >= reaped_at_ + kReapEvery || commands_.empty()) reap(now);
}

void CommandExecutor::reap(SteadyTime now) {
  reaped_at_ = now;
  std::erase_if(uncollected_, [](const Fd& pidfd) { return collect(pidfd); });
  has_unreaped_ = !reap_adopted().living.empty() || !uncollected_.empty();
}

void CommandExecutor::set_timer() {
  std::optional<SteadyTime> wake_at;
  if (!commands_.empty() || has_unreaped_) wake_at = reaped_at_ + kReapEvery;
  for (const auto& [number, entry] : commands_) {
    const auto at = entry.command->wake_at();
    if (at && *at < *wake_at) wake_at = at;
  }
  itimerspec setting{};  // all zero: off
  if (wake_at) {
    const auto micros = std::max<std::int64_t>(wake_at->count(), 1);
    setting.it_value.tv_sec = micros / 1'000'000;
    setting.it_value.tv_nsec = micros % 1'000'000 * 1000;
  }
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

}  // namespace

std::unique_ptr<Executor> make_command_executor(CommandExecutorOptions options) {
  return std::make_unique<CommandExecutor>(std::move(options));
}

}  // namespace chronos::executor
