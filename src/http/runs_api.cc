// Runs over HTTP.
#include <fmt/format.h>

#include <algorithm>
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

// Without an end that may be the beginning of a character of UTF-8: at most three bytes.
std::size_t whole_characters(std::string_view bytes) {
  constexpr std::size_t kPartMax = 3;
  for (std::size_t i = 1; i <= std::min(kPartMax, bytes.size()); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - i]);
    if ((byte & 0xc0U) == 0x80U) continue;  // not the first byte of one
    const std::size_t length = byte >= 0xf0U ? 4 : byte >= 0xe0U ? 3 : byte >= 0xc0U ? 2 : 1;
    return length > i ? bytes.size() - i : bytes.size();
  }
  return bytes.size();
}

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
  read_run_filter(query, call.api().clock.now(), filter);
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

void read_run_filter(Query& query, Timestamp now, RunFilter& filter) {
  std::optional<Timestamp> since;
  std::optional<Timestamp> until;
  query.choices("state", parse_run_state, kStates, filter.states);
  query.time("planned_after", filter.planned_after);
  query.time("planned_before", filter.planned_before);
  query.time_or_age("since", now, since);
  query.time_or_age("until", now, until);
  query.text("tag", filter.tag);
  query.text("name", filter.job_name_contains);
  query.text("error", filter.error_contains);
  if (since) filter.planned_after = std::max(filter.planned_after.value_or(*since), *since);
  if (until) filter.planned_before = std::min(filter.planned_before.value_or(*until), *until);
}

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
  int offset = 0;
  Query query(call.request());
  query.integer("attempt", {1, INT32_MAX}, attempt);
  query.integer("offset", {0, INT32_MAX}, offset);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(auto output, call.api().runs.output(call.who(), id, attempt, offset));
  // The rest of a character that is not all there yet comes with the next piece.
  if (output.is_running) output.bytes.resize(whole_characters(output.bytes));
  const auto next = offset + std::ssize(output.bytes);
  auto response = json_response(200, json::as_utf8(std::move(output.bytes)));
  response.content_type = "text/plain; charset=utf-8";
  const auto add = [&](std::string_view name, std::string value) {
    response.headers.push_back({"Chronos-Output-" + std::string(name), std::move(value)});
  };
  add("Dropped", fmt::to_string(output.dropped));
  add("Attempt", fmt::to_string(output.attempt));
  add("Next", fmt::to_string(next));
  add("Running", output.is_running ? "true" : "false");
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
