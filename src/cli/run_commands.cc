// run, runs, logs, retry, wait.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/views.h"
#include "cli/waiting.h"
#include "model/run_state.h"

namespace chronos::cli {
namespace {

constexpr Duration kFollowPause = std::chrono::milliseconds(200);

// -- run, retry, wait
// --------------------------------------------------------------------------------

struct RunFlags {
  std::string reference;
  WaitFlags wait;
};

// Asks for a new run, shows it, and waits for it if that is wanted.
int start_run(Session& session, ApiClient& client, const std::string& path, const WaitFlags& wait) {
  const auto run =
      client.call({.method = "POST", .path = path, .idempotency_key = fresh_idempotency_key()});
  if (!run) return failed(session, run.error());
  const auto id = text_of(run->root(), "id");
  print_changed(session, run->root(), fmt::format("{}  {}", id, text_of(run->root(), "state")));
  if (wait.is_wanted) return wait_for_run(session, client, id, wait);
  if (!session.flags.json && !session.flags.quiet && session.terminal.is_out_tty) {
    print_note(session.terminal, fmt::format("follow it with `chronos logs -f {}`", id));
  }
  return kOk;
}

int run(Session& session, const RunFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = job_path(*client, flags.reference);
  if (!path) return failed(session, path.error());
  return start_run(session, *client, *path + "/run", flags.wait);
}

int retry(Session& session, const RunFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  return start_run(session, *client, "/api/runs/" + url_encoded(flags.reference) + "/retry",
                   flags.wait);
}

int wait(Session& session, const RunFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  if (is_run_id(flags.reference)) {
    return wait_for_run(session, *client, flags.reference, flags.wait);
  }
  const auto path = job_path(*client, flags.reference);
  if (!path) return failed(session, path.error());
  return wait_for_job(session, *client, path->substr(path->rfind('/') + 1), flags.wait);
}

// -- runs
// --------------------------------------------------------------------------------------------

struct RunListFlags {
  std::string job;
  std::string state;
  PageFlags page;
};

int list_runs(Session& session, const RunListFlags& flags) {
  std::string path = "/api/runs";
  if (!flags.job.empty()) {
    auto client = connect(session);
    if (!client) return failed(session, client.error());
    const auto job = job_path(*client, flags.job);
    if (!job) return failed(session, job.error());
    path = *job + "/runs";
  }
  std::string query;
  add_query(query, "state", flags.state);
  return list(session, {.path = path,
                        .query = query,
                        .collection = "runs",
                        .cursor = flags.page.cursor,
                        .limit = flags.page.page(),
                        .wants_all = flags.page.all,
                        .print = &print_runs});
}

// -- logs
// --------------------------------------------------------------------------------------------

struct LogFlags {
  std::string run;
  std::optional<std::int64_t> attempt;
  bool follow = false;
  bool raw = false;
};

void print_output(Session& session, std::string_view bytes, bool raw) {
  auto& terminal = session.terminal;
  if (raw) {
    terminal.out << bytes;
  } else {
    terminal.out << safe_block(bytes, terminal.has_out_color);
  }
  terminal.out.flush();
}

std::string output_path(const std::string& run) {
  return fmt::format("/api/runs/{}/output", url_encoded(run));
}

// Prints the output of one attempt after the other while it is printed, whole lines at a time, so
// that no character or colour is torn.
class Follower {
 public:
  Follower(Session& session, ApiClient& client, const LogFlags& flags)
      : session_(session), client_(client), flags_(flags) {}

  int follow() {
    while (true) {
      const auto run = client_.call({.path = "/api/runs/" + url_encoded(flags_.run)});
      if (!run) return failed(session_, run.error());
      const auto state = parse_run_state(text_of(run->root(), "state"));
      const bool is_over = !state || is_final(*state);
      const auto* made = run->root().find("attempts_made");
      const auto newest = made == nullptr ? 0 : made->integer;
      if (const auto shown = catch_up(newest, is_over); !shown) {
        return failed(session_, shown.error());
      }
      if (is_over) return kOk;
      session_.sleep(kFollowPause);
    }
  }

 private:
  Result<void> catch_up(std::int64_t newest, bool is_over) {
    while (attempt_ <= newest) {
      CHRONOS_TRY_VOID(read_more());
      show(is_over || attempt_ < newest);
      if (attempt_ == newest) break;
      ++attempt_;
      offset_ = "0";
    }
    return {};
  }

  // What came since: while an attempt runs its output grows, and what there was stays.
  Result<void> read_more() {
    const auto path =
        fmt::format("{}?attempt={}&offset={}", output_path(flags_.run), attempt_, offset_);
    CHRONOS_TRY(const auto response, client_.send({.path = path}));
    unshown_ += response.body;
    if (!response.output_next.empty()) offset_ = response.output_next;
    return {};
  }

  void show(bool is_whole) {
    const auto end = is_whole ? unshown_.size() : unshown_.rfind('\n') + 1;
    if (end == 0) return;
    print_output(session_, std::string_view(unshown_).substr(0, end), flags_.raw);
    unshown_.erase(0, end);
  }

  Session& session_;
  ApiClient& client_;
  const LogFlags& flags_;
  std::int64_t attempt_ = 1;
  std::string offset_ = "0";  // of what this attempt's output is read from next
  std::string unshown_;       // a line that is not whole yet
};

int logs(Session& session, const LogFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  if (flags.follow) return Follower(session, *client, flags).follow();
  auto path = output_path(flags.run);
  if (flags.attempt) path += fmt::format("?attempt={}", *flags.attempt);
  const auto output = client->send({.path = path});
  if (!output) return failed(session, output.error());
  print_output(session, output->body, flags.raw);
  return kOk;
}

}  // namespace

Action declare_run(Arguments& arguments) {
  auto flags = std::make_unique<RunFlags>();
  arguments.required(kJob, flags->reference);
  declare_wait_flags(arguments, flags->wait);
  return [flags = std::move(flags)](Session& session) { return run(session, *flags); };
}

Action declare_retry(Arguments& arguments) {
  auto flags = std::make_unique<RunFlags>();
  arguments.required(kRun, flags->reference);
  declare_wait_flags(arguments, flags->wait);
  return [flags = std::move(flags)](Session& session) { return retry(session, *flags); };
}

Action declare_wait(Arguments& arguments) {
  auto flags = std::make_unique<RunFlags>();
  arguments.required({"JOB|RUN", "a run, or a job that runs once"}, flags->reference);
  declare_wait_timeout(arguments, flags->wait);
  return [flags = std::move(flags)](Session& session) { return wait(session, *flags); };
}

Action declare_runs(Arguments& arguments) {
  auto flags = std::make_unique<RunListFlags>();
  arguments.optional({"JOB", "only of this job: its id or key"}, flags->job);
  arguments.text({"--state", "STATE", "running, retrying, succeeded, failed, missed…"},
                 flags->state);
  flags->page.declare(arguments);
  return [flags = std::move(flags)](Session& session) { return list_runs(session, *flags); };
}

Action declare_logs(Arguments& arguments) {
  auto flags = std::make_unique<LogFlags>();
  arguments.required(kRun, flags->run);
  arguments.toggle({"-f, --follow", "", "print every attempt until the run has ended"},
                   flags->follow);
  arguments.number({"--attempt", "N", "of this attempt; the newest if not given"}, flags->attempt);
  arguments.toggle({"--raw", "", "the bytes as they are, control characters too"}, flags->raw);
  return [flags = std::move(flags)](Session& session) { return logs(session, *flags); };
}

}  // namespace chronos::cli
