// What a schedule would do, before anybody submits it.
#include <utility>

#include "base/time_text.h"
#include "http/query.h"
#include "http/routes.h"
#include "schedule/schedule.h"

namespace chronos::http {
namespace {

constexpr int kCountMax = 200;

void write_occurrence(json::Writer& writer, const schedule::Occurrence& occurrence) {
  writer.begin_object().member("at", format_timestamp(occurrence.at));
  writer.member("local", occurrence.local).key("shifted");
  occurrence.shifted ? writer.string(*occurrence.shifted) : writer.null();
  writer.end_object();
}

std::string write_preview(const schedule::Preview& preview, const std::string& timezone) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("words", preview.words).member("timezone", timezone);
  writer.key("next").begin_array();
  for (const auto& occurrence : preview.next) write_occurrence(writer, occurrence);
  writer.end_array().key("excluded").begin_array();
  for (const auto& excluded : preview.excluded) {
    writer.begin_object().member("calendar", excluded.calendar).key("from");
    write_occurrence(writer, excluded.from);
    writer.key("through");
    write_occurrence(writer, excluded.through);
    writer.end_object();
  }
  writer.end_array().key("warnings").begin_array();
  for (const auto& warning : preview.warnings) {
    writer.begin_object().member("code", warning.code).member("detail", warning.message);
    writer.end_object();
  }
  writer.end_array().end_object();
  return body;
}

}  // namespace

Result<Response> preview_schedule(const Call& call) {
  schedule::ScheduleSpec spec;
  std::optional<JobId> job;
  std::optional<Timestamp> from;
  int count = 5;
  Query query(call.request());
  query.list("cron", spec.cron);
  query.duration("every", spec.every);
  query.time("scheduled_time", spec.at);
  query.text("timezone", spec.timezone);
  query.choice("dst", schedule::parse_dst_policy, "auto or skip", spec.dst);
  query.time("start_at", spec.start_at);
  query.time("end_at", spec.end_at);
  query.list("calendars", spec.calendars);
  query.text("seed", spec.seed);
  query.choice("job", &JobId::parse, "the id of a job: job_…", job);
  query.time("from", from);
  query.integer("count", {1, kCountMax}, count);
  CHRONOS_TRY_VOID(query.finish());
  const int choices = (spec.cron.empty() ? 0 : 1) + (spec.every ? 1 : 0) + (spec.at ? 1 : 0);
  if (choices != 1) {
    return fail_field("/cron", choices == 0 ? "required" : "one_of",
                      "give one of cron (as often as needed), every and scheduled_time");
  }
  if (job && !spec.seed.empty()) {
    return fail_field("/seed", "one_of", "the job has a seed of its own", "leave seed out");
  }
  CHRONOS_TRY(const auto preview, call.api().system.preview(call.who(), spec, job, from,
                                                            static_cast<std::size_t>(count)));
  return json_response(200, write_preview(preview, spec.timezone));
}

}  // namespace chronos::http
