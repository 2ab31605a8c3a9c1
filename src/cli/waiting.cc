#include "cli/waiting.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/time_text.h"
#include "model/job.h"
#include "model/run_state.h"

namespace chronos::cli {
namespace {

constexpr Duration kShortestPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(2);

// Asks again and again, ever more slowly, until the time is over.
class Polling {
 public:
  static Result<Polling> make(Session& session, const WaitFlags& flags) {
    std::optional<SteadyTime> end;
    if (!flags.timeout.empty()) {
      const auto length = parse_duration(flags.timeout);
      if (!length) {
        return fail(Reason::bad_request, "--wait-timeout: " + length.error().message,
                    length.error().hint);
      }
      end = session.clock.steady() + *length;
    }
    return Polling(session, end);
  }

  // False when the time is over; else pauses.
  bool pause() {
    auto pause = pause_;
    if (end_) {
      const auto left = *end_ - session_.clock.steady();
      if (left <= SteadyTime::zero()) return false;
      pause = std::min<Duration>(pause, left);
    }
    session_.sleep(pause);
    pause_ = std::min(kLongestPause, pause_ * 3 / 2);
    return true;
  }

 private:
  Polling(Session& session, std::optional<SteadyTime> end) : session_(session), end_(end) {}

  Session& session_;
  std::optional<SteadyTime> end_;
  Duration pause_ = kShortestPause;
};

int timed_out(Session& session, std::string_view what) {
  print_note(session.terminal, fmt::format("{} goes on: the time to wait is over", what));
  return kTimeout;
}

bool is_job_over(const json::Value& status) {
  const auto state = parse_job_status(text_of(status, "status"));
  return state == JobStatus::succeeded || state == JobStatus::failed ||
         state == JobStatus::cancelled;
}

bool is_recurring(const json::Value& job) {
  return !text_of(job, "cron").empty() || !text_of(job, "every").empty();
}

int finish_run(Session& session, const json::Value& run) {
  const auto error = text_of(run, "error");
  print_note(session.terminal, fmt::format("{} {}{}{}", text_of(run, "id"), text_of(run, "state"),
                                           error.empty() ? "" : ": ", error));
  return exit_code_of_run(run);
}

}  // namespace

void declare_wait_timeout(Arguments& arguments, WaitFlags& flags) {
  arguments.text({"--wait-timeout", "DURATION", "wait no longer than this (then exit 124)"},
                 flags.timeout);
}

void declare_wait_flags(Arguments& arguments, WaitFlags& flags) {
  arguments.toggle({"--wait", "", "wait for the run and answer its exit code"}, flags.is_wanted);
  declare_wait_timeout(arguments, flags);
}

int exit_code_of_run(const json::Value& run) {
  if (text_of(run, "state") == to_string(RunState::succeeded)) return kOk;
  const auto* code = run.find("exit_code");
  const bool has_code = code != nullptr && code->is(json::Type::integer) && code->integer >= 1 &&
                        code->integer <= 255;
  return has_code ? static_cast<int>(code->integer) : kFailed;
}

int wait_for_run(Session& session, ApiClient& client, const std::string& run,
                 const WaitFlags& flags) {
  auto polling = Polling::make(session, flags);
  if (!polling) return failed(session, polling.error());
  print_note(session.terminal,
             fmt::format("waiting for {}; Ctrl-C ends the waiting, not the run", run));
  do {
    const auto answer = client.call({.path = "/api/runs/" + run});
    if (!answer) return failed(session, answer.error());
    const auto state = parse_run_state(text_of(answer->root(), "state"));
    if (state && is_final(*state)) return finish_run(session, answer->root());
  } while (polling->pause());
  return timed_out(session, run);
}

int wait_for_job(Session& session, ApiClient& client, const std::string& job,
                 const WaitFlags& flags) {
  auto polling = Polling::make(session, flags);
  if (!polling) return failed(session, polling.error());
  const auto path = "/api/jobs/" + job;
  const auto declared = client.call({.path = path});
  if (!declared) return failed(session, declared.error());
  if (is_recurring(declared->root())) {
    return failed(session, {Reason::bad_request,
                            "a recurring job does not end: wait for one of its runs",
                            fmt::format("`chronos runs {}` lists them", job),
                            {}});
  }
  print_note(session.terminal,
             fmt::format("waiting for {}; Ctrl-C ends the waiting, not the job", job));
  do {
    const auto status = client.call({.path = path + "/status"});
    if (!status) return failed(session, status.error());
    if (!is_job_over(status->root())) continue;
    const auto* last = status->root().find("last_run");
    const bool has_run = last != nullptr && last->is(json::Type::object);
    if (!has_run) {  // cancelled before it ran
      print_note(session.terminal, fmt::format("{} {}", job, text_of(status->root(), "status")));
      return kFailed;
    }
    const auto run = client.call({.path = "/api/runs/" + text_of(*last, "id")});
    return run ? finish_run(session, run->root()) : failed(session, run.error());
  } while (polling->pause());
  return timed_out(session, job);
}

}  // namespace chronos::cli
