// A project as a whole over HTTP: what a dashboard shows.
#include <algorithm>
#include <chrono>
#include <ranges>
#include <utility>

#include "base/crypto.h"
#include "base/time_text.h"
#include "http/lists.h"
#include "http/query.h"
#include "http/routes.h"
#include "model/json_codec.h"

namespace chronos::http {
namespace {

void write_job_ref(json::Writer& writer, JobId id, std::string_view name) {
  writer.key("job").begin_object().member("id", id.to_string()).member("name", name).end_object();
}

void write_time(json::Writer& writer, const json::Name& name, std::optional<Timestamp> time) {
  writer.key(name);
  time ? writer.string(format_timestamp(*time)) : writer.null();
}

void write_lateness(json::Writer& writer, const json::Name& name, const LatenessCounts& counts,
                    double share) {
  writer.key(name);
  const auto lateness = lateness_of(counts, share);
  lateness ? writer.string(format_duration(*lateness)) : writer.null();
}

void write_jobs(json::Writer& writer, const JobTotals& jobs) {
  writer.key("jobs").begin_object().member("total", jobs.all());
  writer.member("scheduled", jobs.scheduled).member("paused", jobs.paused);
  writer.member("succeeded", jobs.succeeded).member("failed", jobs.failed);
  writer.member("cancelled", jobs.cancelled).end_object();
}

void write_last(json::Writer& writer, const Tally& tally) {
  writer.key("last").begin_object().member("succeeded", tally.succeeded);
  writer.member("failed", tally.failed).member("timed_out", tally.timed_out);
  writer.member("lost", tally.lost).member("cancelled", tally.cancelled);
  writer.member("skipped", tally.skipped).member("missed", tally.missed).end_object();
}

void write_series(json::Writer& writer, const service::OverviewView& view) {
  writer.key("series").begin_object().member("step", format_duration(view.step));
  writer.key("points").begin_array();
  for (const auto& [at, tally] : view.series) {
    writer.begin_object().member("at", format_timestamp(at));
    writer.member("succeeded", tally.succeeded);
    writer.member("failed", tally.failed + tally.timed_out + tally.lost);
    writer.member("missed", tally.missed).member("started", tally.started);
    write_lateness(writer, "lateness_p50", tally.lateness, 0.5);
    write_lateness(writer, "lateness_p99", tally.lateness, 0.99);
    writer.end_object();
  }
  writer.end_array().end_object();
}

void write_server(json::Writer& writer, const service::OverviewView& view) {
  const auto& parts = view.parts;
  writer.key("store").begin_object().member("kind", parts.store_kind);
  writer.member("size_bytes", view.found.store_bytes);
  write_time(writer, "oldest_due_at", view.oldest_due_at);
  const auto node = parts.node();
  writer.end_object().key("node").begin_object().member("name", node.name);
  writer.member("version", node.version);
  writer.member("started_at", format_timestamp(node.started_at)).end_object();
}

std::string write_overview(const service::OverviewView& view) {
  std::string body;
  json::Writer writer(body);
  const auto& found = view.found;
  const auto& runs = found.runs;
  writer.begin_object().member("now", format_timestamp(view.now));
  writer.member("running", runs.running).member("queued", runs.ready + runs.held + runs.limited);
  writer.member("retrying", runs.retrying).member("late", found.late);
  write_jobs(writer, found.jobs);
  write_last(writer, view.sum);
  writer.key("upcoming").begin_array();
  for (const auto& run : found.upcoming) {
    writer.begin_object().member("at", format_timestamp(run.at));
    write_job_ref(writer, run.job, run.job_name);
    writer.member("run", run.run.to_string()).end_object();
  }
  writer.end_array().member("upcoming_count", found.upcoming_count);
  writer.key("recent_failures").begin_array();
  for (const auto& run : view.recent_failures) write_run(writer, run);
  writer.end_array();
  write_series(writer, view);
  write_server(writer, view);
  writer.end_object();
  return body;
}

// -- Spans of time -------------------------------------------------------------------------------

// `from`, `to` and `step` of a query. What is not given: as in `span`.
struct SpanQuery {
  std::optional<Timestamp> from = {};
  std::optional<Timestamp> to = {};
  std::optional<Duration> step = {};

  explicit SpanQuery(Query& query) {
    query.time("from", from);
    query.time("to", to);
    query.duration("step", step);
  }
  // `length` is that of the span when `to` is not given, `ends_now` where it then lies.
  Result<ForecastSpan> span(Timestamp now, Duration length, bool ends_now) const {
    ForecastSpan span;
    span.from = from.value_or(ends_now ? to.value_or(now) - length : now);
    span.until = to.value_or(span.from + length);
    if (span.until <= span.from) return fail_field("/to", "too_small", "must be after 'from'");
    const auto wanted = span.until - span.from;
    if (wanted > kForecastMax) {
      return fail_field("/to", "too_large", "is more than 31 days after 'from'");
    }
    span.step = step.value_or(wanted <= std::chrono::days(2) ? Duration(std::chrono::hours(1))
                                                             : Duration(std::chrono::hours(6)));
    if (span.step < std::chrono::minutes(1)) {
      return fail_field("/step", "too_small", "must be at least 1m");
    }
    if ((wanted + span.step - Duration(1)) / span.step > kForecastStepsMax) {
      return fail_field("/step", "too_small", "makes more than 400 steps");
    }
    return span;
  }
};

void write_span(json::Writer& writer, const ForecastSpan& span) {
  writer.member("from", format_timestamp(span.from)).member("to", format_timestamp(span.until));
  writer.member("step", format_duration(span.step));
}

std::string write_forecast(const service::ForecastView& view) {
  std::string body;
  json::Writer writer(body);
  const auto& [span, forecast, blackouts] = view;
  writer.begin_object();
  write_span(writer, span);
  writer.key("buckets").begin_array();
  for (std::size_t i = 0; i < forecast.counts.size(); ++i) {
    const auto at = span.from + static_cast<int>(i) * span.step;
    writer.begin_object().member("at", format_timestamp(at));
    writer.member("count", forecast.counts[i]).end_object();
  }
  writer.end_array().key("runs").begin_array();
  for (const auto& run : forecast.runs) {
    writer.begin_object().member("at", format_timestamp(run.at));
    write_job_ref(writer, run.job, run.job_name);
    writer.end_object();
  }
  writer.end_array().key("blackouts").begin_array();
  for (const auto& [calendar, from, until] : blackouts) {
    writer.begin_object().member("calendar", calendar).member("from", format_timestamp(from));
    writer.member("to", format_timestamp(until)).end_object();
  }
  writer.end_array().member("truncated", forecast.is_truncated).end_object();
  return body;
}

std::string write_grid(const service::GridView& view, const ForecastSpan& span) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_span(writer, span);
  writer.key("jobs").begin_array();
  for (const auto& row : view.rows) {
    writer.begin_object().member("id", row.job.to_string()).member("name", row.job_name);
    writer.key("cells").begin_array();
    for (const auto& cell : row.cells) {
      writer.begin_object().member("at", format_timestamp(cell.at));
      writer.member("worst_state", to_string(cell.worst_state)).member("runs", cell.runs);
      writer.end_object();
    }
    writer.end_array().member("truncated", row.is_truncated).end_object();
  }
  writer.end_array().key("next");
  view.has_more ? writer.string(to_base64(view.last.to_string())) : writer.null();
  writer.end_object();
  return body;
}

// -- Queues and nodes ----------------------------------------------------------------------------

void write_queue(json::Writer& writer, const service::QueueView& queue) {
  const auto& runs = queue.totals.runs;
  writer.begin_object().member("name", queue.totals.name);
  writer.member("planned", runs.due - runs.retrying).member("ready", runs.ready);
  writer.member("running", runs.running);
  writer.member("waiting", runs.held + runs.limited + runs.retrying).key("concurrency");
  queue.concurrency ? writer.integer(*queue.concurrency) : writer.null();
  write_time(writer, "oldest_ready_at", queue.totals.oldest_ready_at);
  writer.member("workers", queue.workers).end_object();
}

void write_node(json::Writer& writer, const service::NodeView& view) {
  const auto& node = view.node;
  writer.begin_object().member("id", node.id.to_string()).member("name", node.info.name);
  writer.member("version", node.info.version);
  writer.member("started_at", format_timestamp(node.info.started_at));
  writer.member("seen_at", format_timestamp(node.seen_at)).member("alive", node.is_alive);
  writer.member("running", node.running).member("is_this", view.is_this).end_object();
}

}  // namespace

void write_strip(json::Writer& writer, const std::vector<Run>& runs) {
  writer.begin_array();
  for (const auto& run : std::views::reverse(runs)) {
    writer.begin_object().member("run", run.id.to_string()).member("state", to_string(run.state));
    writer.member("planned_at", format_timestamp(run.planned_at)).member("count", run.count);
    write_time(writer, "started_at", run.started_at);
    writer.key("duration");
    if (run.started_at && run.ended_at) {
      const auto length = std::max(Duration(0), *run.ended_at - *run.started_at);
      writer.string(format_duration(std::chrono::floor<std::chrono::milliseconds>(length)));
    } else {
      writer.null();
    }
    if (!run.error.empty()) writer.member("error", run.error);
    writer.end_object();
  }
  writer.end_array();
}

Result<Response> get_strip(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  int limit = kStripMax;
  Query query(call.request());
  query.integer("limit", {1, kStripMax}, limit);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto runs, call.api().views.strip(call.who(), id, limit));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("strip");
  write_strip(writer, runs);
  writer.end_object();
  return json_response(200, std::move(body));
}

Result<Response> list_queues(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto queues, call.api().views.queues(call.who()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("queues").begin_array();
  for (const auto& queue : queues) write_queue(writer, queue);
  writer.end_array().end_object();
  return json_response(200, std::move(body));
}

Result<Response> list_nodes(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto nodes, call.api().views.nodes());
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("nodes").begin_array();
  for (const auto& node : nodes) write_node(writer, node);
  writer.end_array().end_object();
  return json_response(200, std::move(body));
}

Result<Response> get_forecast(const Call& call) {
  const auto& views = call.api().views;
  Query query(call.request());
  const SpanQuery asked(query);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto span, asked.span(views.now(), std::chrono::hours(24), false));
  CHRONOS_TRY(const auto view, views.forecast(call.who(), span));
  return json_response(200, write_forecast(view));
}

Result<Response> get_grid(const Call& call) {
  const auto& views = call.api().views;
  JobFilter filter;
  Query query(call.request());
  const SpanQuery asked(query);
  read_job_filter(query, filter);
  query.integer("limit", {1, service::kGridJobsMax}, filter.limit);
  query.cursor(filter.after);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto span, asked.span(views.now(), std::chrono::hours(24), true));
  CHRONOS_TRY(const auto view, views.grid(call.who(), std::move(filter), span));
  return json_response(200, write_grid(view, span));
}

Result<Response> get_overview(const Call& call) {
  auto range = service::OverviewRange::day;
  Query query(call.request());
  query.choice("range", service::parse_overview_range, "24h or 7d", range);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(const auto view, call.api().views.overview(call.who(), range));
  return json_response(200, write_overview(view));
}

}  // namespace chronos::http
