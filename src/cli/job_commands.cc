// submit, list, get, status, reschedule, cancel, pause, resume.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/time_text.h"
#include "cli/commands.h"
#include "cli/job_request.h"
#include "cli/views.h"
#include "cli/waiting.h"

namespace chronos::cli {
namespace {

Result<std::string> body_from(const Session& session, const JobFlags& flags,
                              const std::string& file) {
  JobRequestInputs inputs;
  inputs.now = session.clock.now();
  inputs.read_file = [&](const std::string& path) { return read_input(session, path); };
  if (!file.empty()) {
    CHRONOS_TRY(inputs.base, read_input(session, file));
  }
  return job_body(flags, inputs);
}

// Shows an error beside the document it is about.
int refused(const Session& session, const Error& error, const std::string& sent) {
  const auto document = json::parse(sent);
  return failed(session, error, document ? &document->root() : nullptr);
}

std::string summary_of(const Session& session, const json::Value& job) {
  auto line =
      fmt::format("{}  {}  {}", text_of(job, "id"), text_of(job, "status"), text_of(job, "name"));
  if (const auto next = text_of(job, "next_run_at"); !next.empty()) {
    line += "  next run " + time_cell(session.terminal, next, session.clock.now());
  }
  return line;
}

void print_job_changed(const Session& session, const json::Value& job) {
  print_changed(session, job, summary_of(session, job));
}

// Sends a change of one job and shows what it is now.
int change_job(Session& session, const std::string& reference, ApiRequest request,
               std::string_view action = {}) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = job_path(*client, reference);
  if (!path) return failed(session, path.error());
  request.path = *path + std::string(action) + request.path;
  const auto job = client->call(request);
  if (!job) return refused(session, job.error(), request.body);
  print_job_changed(session, job->root());
  return kOk;
}

struct SubmitFlags {
  JobFlags job;
  std::string file;
  std::string idempotency_key;
  bool replaces = false;
  WaitFlags wait;
};

// A new job, or with --replace the one with this key, whether it is there already or not.
Result<ApiRequest> submission(const SubmitFlags& flags, std::string body) {
  ApiRequest request{.method = "POST", .path = "/api/submitJob"};
  if (flags.replaces) {
    const auto document = json::parse(body);
    const auto key = document ? text_of(document->root(), "key") : std::string();
    if (key.empty()) {
      return fail(Reason::bad_request, "--replace needs the key of the job to replace",
                  "--job-key SLUG, or \"key\" in the file");
    }
    request = {.method = "PUT", .path = "/api/jobs/by-key/" + url_encoded(key)};
  }
  request.body = std::move(body);
  if (!flags.idempotency_key.empty()) {
    request.idempotency_key = flags.idempotency_key;
  } else if (!flags.replaces) {
    request.idempotency_key = fresh_idempotency_key();
  }
  return request;
}

int submit(Session& session, const SubmitFlags& flags) {
  auto body = body_from(session, flags.job, flags.file);
  if (!body) return failed(session, body.error());
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto request = submission(flags, std::move(*body));
  if (!request) return failed(session, request.error());
  const auto job = client->call(*request);
  if (!job) return refused(session, job.error(), request->body);
  print_job_changed(session, job->root());
  const auto id = text_of(job->root(), "id");
  if (flags.wait.is_wanted) return wait_for_job(session, *client, id, flags.wait);
  if (!session.flags.json && !session.flags.quiet && session.terminal.is_out_tty) {
    print_note(session.terminal, fmt::format("follow it with `chronos get {}`", id));
  }
  return kOk;
}

int get(Session& session, const std::string& reference) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const bool is_run = is_run_id(reference);
  auto path = is_run ? Result<std::string>("/api/runs/" + reference) : job_path(*client, reference);
  if (!path) return failed(session, path.error());
  const auto thing = client->call({.path = *path});
  if (!thing) return failed(session, thing.error());
  if (session.flags.json) {
    print_json(session.terminal, thing->root().raw);
  } else if (session.flags.quiet) {
    print_changed(session, thing->root(), {});
  } else if (is_run) {
    print_run(session, thing->root());
  } else {
    print_job(session, thing->root());
  }
  return kOk;
}

int status(Session& session, const std::string& reference) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = job_path(*client, reference);
  if (!path) return failed(session, path.error());
  const auto answer = client->call({.path = *path + "/status"});
  if (!answer) return failed(session, answer.error());
  const auto& root = answer->root();
  if (session.flags.json || session.flags.quiet) {
    print_changed(session, root, {});
    return kOk;
  }
  Record record;
  const auto state = text_of(root, "status");
  record.add("id", text_of(root, "id"));
  record.add("status", {state, color_of_state(state)});
  record.add("waiting for", text_of(root, "waiting_for"));
  const auto now = session.clock.now();
  record.add("next run", time_cell(session.terminal, text_of(root, "next_run_at"), now));
  if (const auto* attempts = root.find("attempts"); attempts != nullptr) {
    const auto max = text_of(*attempts, "max");
    record.add("attempts", fmt::format("{} of {}", text_of(*attempts, "made"),
                                       max == "0" || max.empty() ? "no limit" : max));
  }
  if (const auto* last = root.find("last_run"); last != nullptr && last->is(json::Type::object)) {
    const auto last_state = text_of(*last, "state");
    record.add("last run", text_of(*last, "id"));
    record.add("last state", {last_state, color_of_state(last_state)});
    record.add("last error", text_of(*last, "error"));
  }
  record.print(session.terminal);
  return kOk;
}

struct RescheduleFlags {
  std::string job;
  JobFlags flags;
  std::string file;
};

int reschedule(Session& session, const RescheduleFlags& flags) {
  auto body = body_from(session, flags.flags, flags.file);
  if (!body) return failed(session, body.error());
  return change_job(session, flags.job, {.method = "PUT", .body = std::move(*body)});
}

struct CancelFlags {
  std::string reference;
  bool keep_running = false;
};

int cancel(Session& session, const CancelFlags& flags) {
  if (!is_run_id(flags.reference)) {
    return change_job(
        session, flags.reference,
        {.method = "DELETE", .path = flags.keep_running ? "?running=keep" : std::string()});
  }
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto run = client->call({.method = "POST",
                                 .path = "/api/runs/" + flags.reference + "/cancel",
                                 .idempotency_key = fresh_idempotency_key()});
  if (!run) return failed(session, run.error());
  print_changed(session, run->root(),
                fmt::format("{}  {}", flags.reference, text_of(run->root(), "state")));
  return kOk;
}

struct JobListFlags {
  std::string status;
  std::string tag;
  std::string name;
  PageFlags page;
};

int list_jobs(Session& session, const JobListFlags& flags) {
  std::string query;
  add_query(query, "status", flags.status);
  add_query(query, "tag", flags.tag);
  add_query(query, "name", flags.name);
  return list(session, {.path = "/api/jobs",
                        .query = query,
                        .collection = "jobs",
                        .cursor = flags.page.cursor,
                        .limit = flags.page.page(),
                        .wants_all = flags.page.all,
                        .print = &print_jobs});
}

Action declare_change(Arguments& arguments, std::string_view action) {
  auto job = std::make_unique<std::string>();
  arguments.required(kJob, *job);
  return [job = std::move(job), action](Session& session) {
    return change_job(session, *job, {.method = "POST", .idempotency_key = fresh_idempotency_key()},
                      action);
  };
}

struct PauseFlags {
  std::string job;
  std::optional<std::string> until;
  std::optional<std::string> in;
  std::optional<std::string> note;
};

int pause(Session& session, const PauseFlags& flags) {
  auto until = flags.until;
  if (flags.in && until) {
    return failed(session,
                  {Reason::bad_request, "only one of --until and --for may be given", {}, {}});
  }
  if (flags.in) {
    const auto wait = parse_duration(*flags.in);
    if (!wait) {
      return failed(session,
                    {Reason::bad_request, "--for: " + wait.error().message, wait.error().hint, {}});
    }
    until = format_timestamp(session.clock.now() + *wait);
  }
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (until) writer.member("until", *until);
  if (flags.note) writer.member("note", *flags.note);
  writer.end_object();
  return change_job(
      session, flags.job,
      {.method = "POST", .body = std::move(body), .idempotency_key = fresh_idempotency_key()},
      "/pause");
}

}  // namespace

Action declare_submit(Arguments& arguments) {
  auto flags = std::make_unique<SubmitFlags>();
  arguments.text({"-f, --file", "PATH", "the job as JSON, - for stdin; flags come on top"},
                 flags->file);
  arguments.text({"--idempotency-key", "KEY", "submitting again with it gives the same job"},
                 flags->idempotency_key);
  arguments.toggle({"--replace", "", "change the job that has the same key, if there is one"},
                   flags->replaces);
  declare_wait_flags(arguments, flags->wait);
  declare_labels(arguments, flags->job);
  declare_action(arguments, flags->job.action);
  declare_schedule(arguments, flags->job.schedule);
  declare_policy(arguments, flags->job.policy);
  return [flags = std::move(flags)](Session& session) { return submit(session, *flags); };
}

Action declare_list(Arguments& arguments) {
  auto flags = std::make_unique<JobListFlags>();
  arguments.text({"--status", "STATUS", "scheduled, running, retrying, paused, failed…"},
                 flags->status);
  arguments.text({"--tag", "TAG", "with this tag"}, flags->tag);
  arguments.text({"--name", "TEXT", "with this in the name"}, flags->name);
  flags->page.declare(arguments);
  return [flags = std::move(flags)](Session& session) { return list_jobs(session, *flags); };
}

Action declare_get(Arguments& arguments) {
  auto reference = std::make_unique<std::string>();
  arguments.required({"JOB|RUN", "id of a job or a run, or a job's key"}, *reference);
  return [reference = std::move(reference)](Session& session) { return get(session, *reference); };
}

Action declare_status(Arguments& arguments) {
  auto reference = std::make_unique<std::string>();
  arguments.required(kJob, *reference);
  return
      [reference = std::move(reference)](Session& session) { return status(session, *reference); };
}

Action declare_reschedule(Arguments& arguments) {
  auto flags = std::make_unique<RescheduleFlags>();
  arguments.required(kJob, flags->job);
  arguments.text({"-f, --file", "PATH", "the new fields as JSON, - for stdin"}, flags->file);
  declare_schedule(arguments, flags->flags.schedule);
  declare_policy(arguments, flags->flags.policy);
  return [flags = std::move(flags)](Session& session) { return reschedule(session, *flags); };
}

Action declare_cancel(Arguments& arguments) {
  auto flags = std::make_unique<CancelFlags>();
  arguments.required({"JOB|RUN", "id of a job or a run, or a job's key"}, flags->reference);
  arguments.toggle({"--keep-running", "", "let a running attempt of the job finish"},
                   flags->keep_running);
  return [flags = std::move(flags)](Session& session) { return cancel(session, *flags); };
}

Action declare_pause(Arguments& arguments) {
  auto flags = std::make_unique<PauseFlags>();
  arguments.required(kJob, flags->job);
  arguments.text({"--until", "TIME", "it resumes by itself then: 2026-03-08T07:30:00Z"},
                 flags->until);
  arguments.text({"--for", "DURATION", "or after a while: 2h"}, flags->in);
  arguments.text({"--note", "TEXT", "why; replaces the job's note"}, flags->note);
  return [flags = std::move(flags)](Session& session) { return pause(session, *flags); };
}

Action declare_resume(Arguments& arguments) {
  return declare_change(arguments, "/resume");
}

}  // namespace chronos::cli
