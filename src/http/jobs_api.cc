// Jobs over HTTP: the six frozen routes and their neighbours.
#include <fmt/format.h>

#include <utility>

#include "base/crypto.h"
#include "base/time_text.h"
#include "http/job_response.h"
#include "http/lists.h"
#include "http/query.h"
#include "http/routes.h"
#include "model/json_codec.h"

namespace chronos::http {
namespace {

constexpr std::string_view kStatuses =
    "scheduled, running, retrying, paused, succeeded, failed or cancelled";

Response reply_response(const service::JobReply& reply, const service::Principal& who) {
  return with_replay(job_response(reply.is_created ? 201 : 200, reply.job, who, reply.warnings),
                     reply.is_replay);
}

// A change of a job by its id, with a body that declares something.
using ChangeFunction = void (service::Jobs::*)(const service::Principal&, JobId, const json::Value&,
                                               const service::RequestFacts&,
                                               service::Done<service::JobReply>);

Result<void> change_job(const Call& call, Ending& end, ChangeFunction change) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  (call.api().jobs.*change)(call.who(), id, body.root(), facts, answer_job(end));
  return {};
}

}  // namespace

void read_job_filter(Query& query, JobFilter& filter) {
  query.choice("status", parse_job_status, kStatuses, filter.status);
  query.text("tag", filter.tag);
  query.text("name", filter.name_contains);
  query.text("kind", filter.kind);
  query.text("queue", filter.queue);
  query.time("created_after", filter.created_after);
  query.time("created_before", filter.created_before);
}

Response job_response(int status, const Job& job, const service::Principal& who,
                      const std::vector<FieldError>& warnings) {
  constexpr std::size_t kUsual = 2048;  // bytes
  std::string body;
  body.reserve(kUsual + job.spec->payload.size());
  json::Writer writer(body);
  write_job(writer, job, who.project_name, warnings);
  auto response = json_response(status, std::move(body));
  response.headers.reserve(3);
  response.headers.push_back({"ETag", fmt::format("\"v{}\"", job.version)});
  if (status == 201) {
    response.headers.push_back({"Location", "/api/jobs/" + job.id.to_string()});
  }
  return response;
}

service::Done<service::JobReply> answer_job(Ending& end) {
  return std::move(end).then<service::JobReply>(reply_response);
}

Result<void> submit_job(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  call.api().jobs.submit(call.who(), body.root(), facts, answer_job(end));
  return {};
}

Result<Response> get_job(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto job, call.api().jobs.find(call.who(), id));
  return job_response(200, job, call.who());
}

Result<Response> get_job_by_key(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  const std::string key(call.path_param("key"));
  CHRONOS_TRY(const auto job, call.api().jobs.find_by_key(call.who(), key));
  return job_response(200, job, call.who());
}

namespace {

// The jobs of a page, each with its strip when one of so many runs is asked for.
Result<void> write_jobs(json::Writer& writer, const Call& call, const Page<Job>& page, int strip) {
  std::vector<std::vector<Run>> strips;
  if (strip > 0) {
    std::vector<JobId> ids;
    ids.reserve(page.rows.size());
    for (const Job& job : page.rows) ids.push_back(job.id);
    CHRONOS_TRY(strips, call.api().views.strips(call.who(), ids, strip));
  }
  writer.key("jobs").begin_array();
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    if (strips.empty()) {
      write_job(writer, page.rows[i], call.who().project_name);
      continue;
    }
    std::string text;
    json::Writer of_job(text);
    write_job(of_job, page.rows[i], call.who().project_name);
    text.back() = ',';
    text += "\"strip\":";
    json::Writer of_strip(text);
    write_strip(of_strip, strips[i]);
    writer.raw(text + "}");
  }
  writer.end_array();
  return {};
}

}  // namespace

Result<Response> list_jobs(const Call& call) {
  JobFilter filter;
  int strip = 0;
  Query query(call.request());
  read_job_filter(query, filter);
  query.integer("strip", {0, kStripMax}, strip);
  query.integer("limit", {1, kPageMax}, filter.limit);
  query.cursor(filter.after);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto page, call.api().jobs.list(call.who(), std::move(filter)));
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  CHRONOS_TRY_VOID(write_jobs(writer, call, page, strip));
  writer.key("next");
  page.has_more ? writer.string(to_base64(page.last.to_string())) : writer.null();
  writer.end_object();
  return json_response(200, std::move(body));
}

Result<void> put_job(const Call& call, Ending& end) {
  return change_job(call, end, &service::Jobs::reschedule);
}

Result<void> patch_job(const Call& call, Ending& end) {
  return change_job(call, end, &service::Jobs::patch);
}

Result<void> put_job_by_key(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  const std::string key(call.path_param("key"));
  call.api().jobs.put_by_key(call.who(), key, body.root(), facts, answer_job(end));
  return {};
}

Result<void> cancel_job(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  bool keeps_running = false;
  const auto parse = [](std::string_view text) -> std::optional<bool> {
    if (text != "keep" && text != "stop") return std::nullopt;
    return text == "keep";
  };
  Query query(call.request());
  query.choice("running", parse, "keep or stop", keeps_running);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().jobs.cancel(call.who(), id, keeps_running, facts, answer_job(end));
  return {};
}

Result<void> pause_job(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body_or_empty());
  call.api().jobs.pause(call.who(), id, body.root(), facts, answer_job(end));
  return {};
}

Result<void> resume_job(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().jobs.resume(call.who(), id, facts, answer_job(end));
  return {};
}

}  // namespace chronos::http
