// Runs over HTTP.
#include <fmt/format.h>

#include <utility>

#include "base/crypto.h"
#include "http/query.h"
#include "http/routes.h"
#include "model/json_codec.h"

namespace chronos::http {
namespace {

constexpr std::string_view kStates =
    "planned, queued, running, retrying, succeeded, failed, timed_out, lost, cancelled, skipped or "
    "missed";

Response run_response(int status, const Run& run) {
  std::string body;
  json::Writer writer(body);
  write_run(writer, run);
  auto response = json_response(status, std::move(body));
  if (status == 201) {
    response.headers.push_back({"Location", "/api/runs/" + run.id.to_string()});
  }
  return response;
}

// Answers with the run that a change made or touched, read back.
service::Done<service::RunReply> answer_run(const Call& call, Ending& end, int status) {
  return std::move(end).then_read<service::RunReply>(
      [&runs = call.api().runs, status](const service::RunReply& reply,
                                        const service::Principal& who) -> Result<Response> {
        CHRONOS_TRY(const auto run, runs.find(who, reply.run));
        return with_replay(run_response(status, run), reply.is_replay);
      });
}

Result<Response> list_filtered(const Call& call, RunFilter filter) {
  Query query(call.request());
  query.choice("state", parse_run_state, kStates, filter.state);
  query.time("planned_after", filter.planned_after);
  query.time("planned_before", filter.planned_before);
  query.integer("limit", {1, kPageMax}, filter.limit);
  query.cursor(filter.after);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto page, call.api().runs.list(call.who(), filter));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("runs").begin_array();
  for (const Run& run : page.rows) write_run(writer, run);
  writer.end_array().key("next");
  page.has_more ? writer.string(to_base64(page.last.to_string())) : writer.null();
  writer.end_object();
  return json_response(200, std::move(body));
}

}  // namespace

Result<void> run_job(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().jobs.run_now(call.who(), id, facts, answer_run(call, end, 201));
  return {};
}

Result<Response> list_job_runs(const Call& call) {
  RunFilter filter;
  CHRONOS_TRY(filter.job, call.id<JobId>("job_id"));
  return list_filtered(call, filter);
}

Result<Response> list_runs(const Call& call) {
  return list_filtered(call, {});
}

Result<Response> get_run(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<RunId>("run_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto run, call.api().runs.find(call.who(), id));
  return run_response(200, run);
}

Result<Response> get_run_output(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<RunId>("run_id"));
  int attempt = 0;
  Query query(call.request());
  query.integer("attempt", {1, INT32_MAX}, attempt);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(auto output, call.api().runs.output(call.who(), id, attempt));
  auto response = json_response(200, json::as_utf8(std::move(output.bytes)));
  response.content_type = "text/plain; charset=utf-8";
  response.headers.push_back({"Chronos-Output-Dropped", fmt::to_string(output.dropped)});
  return response;
}

Result<void> cancel_run(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<RunId>("run_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY_VOID(call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().runs.cancel(call.who(), id, answer_run(call, end, 200));
  return {};
}

Result<void> retry_run(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<RunId>("run_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().runs.retry(call.who(), id, facts, answer_run(call, end, 201));
  return {};
}

}  // namespace chronos::http
