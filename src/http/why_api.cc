// "Why?" over HTTP: why a run does not run, what a job waits for, and the status clients poll.
#include "base/time_text.h"
#include "http/routes.h"
#include "model/json_codec.h"

namespace chronos::http {
namespace {

void write_time(json::Writer& writer, const json::Name& name,
                const std::optional<Timestamp>& time) {
  writer.key(name);
  time ? writer.string(format_timestamp(*time)) : writer.null();
}

void write_last_run(json::Writer& writer, const std::optional<LastRun>& run) {
  writer.key("last_run");
  if (!run) {
    writer.null();
    return;
  }
  writer.begin_object().member("id", run->id.to_string()).member("state", to_string(run->state));
  write_time(writer, "ended_at", run->ended_at);
  writer.member("error", run->error).end_object();
}

void write_run_why(json::Writer& writer, const service::RunWhy& answer) {
  const auto& run = answer.run;
  writer.begin_object().member("run_id", run.id.to_string());
  writer.member("job_id", run.job.to_string()).member("state", to_string(run.state));
  write_time(writer, "planned_at", known_instant(run.planned_at));
  write_why_members(writer, answer.why);
  writer.end_object();
}

void write_undecided(json::Writer& writer, const std::optional<service::Undecided>& undecided) {
  if (!undecided) {
    writer.null();
    return;
  }
  writer.begin_object().member("count", undecided->count);
  write_time(writer, "first", undecided->first);
  write_time(writer, "last", undecided->last);
  writer.end_object();
}

}  // namespace

// Small and fast: what a caller polls.
Result<Response> get_job_status(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto status, call.api().reasons.status(call.who(), id));
  const auto& job = status.job;
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("id", job.id.to_string());
  writer.member("status", to_string(job.status));
  write_time(writer, "next_run_at", job.next_run_at);
  write_last_run(writer, job.last_run);
  writer.key("attempts").begin_object().member("made", status.attempts_made);
  writer.member("max", job.spec->max_attempts).end_object();
  writer.key("waiting_for");
  status.waiting_for ? writer.string(to_string(*status.waiting_for)) : writer.null();
  writer.end_object();
  return json_response(200, std::move(body));
}

Result<Response> get_job_why(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto answer, call.api().reasons.of_job(call.who(), id));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("job_id", answer.job.id.to_string());
  writer.member("status", to_string(answer.job.status));
  write_time(writer, "next_run_at", answer.job.next_run_at);
  write_why_members(writer, answer.why);
  writer.key("runs").begin_array();
  for (const auto& run : answer.runs) write_run_why(writer, run);
  writer.end_array().member("has_more_runs", answer.has_more_runs).key("not_run").begin_array();
  for (const auto& [state, reason, count] : answer.not_run) {
    writer.begin_object().member("state", to_string(state)).member("reason", reason);
    writer.member("count", count).end_object();
  }
  writer.end_array().key("undecided");
  write_undecided(writer, answer.undecided);
  writer.end_object();
  return json_response(200, std::move(body));
}

Result<Response> get_run_why(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<RunId>("run_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto answer, call.api().reasons.of_run(call.who(), id));
  std::string body;
  json::Writer writer(body);
  write_run_why(writer, answer);
  return json_response(200, std::move(body));
}

}  // namespace chronos::http
