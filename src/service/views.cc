#include "service/views.h"

#include <algorithm>
#include <array>
#include <utility>

#include "service/calendars.h"

namespace chronos::service {
namespace {

using namespace std::chrono_literals;

// Steps of the series; each is a whole number of those that are stored.
struct Series {
  Duration step;
  int count;
};

Series series_of(OverviewRange range) {
  return range == OverviewRange::day ? Series{kTallyStep, 96} : Series{8 * kTallyStep, 84};
}

Timestamp begin_of_step(Timestamp at, Duration step) {
  return at - at.time_since_epoch() % step;
}

// The stored steps, put together to longer ones, and those in which nothing happened between them.
std::vector<TallyStep> spread(const std::vector<TallyStep>& tallies, Timestamp from,
                              const Series& series) {
  std::vector<TallyStep> points;
  points.reserve(static_cast<std::size_t>(series.count));
  for (int i = 0; i < series.count; ++i) points.push_back({from + i * series.step, {}});
  for (const auto& [at, tally] : tallies) {
    const auto index = (at - from) / series.step;
    if (at < from || index >= series.count) continue;
    points[static_cast<std::size_t>(index)].tally += tally;
  }
  return points;
}

Result<std::vector<Run>> recent_failures(const store::Store& store, ProjectId project) {
  RunFilter filter;
  filter.project = project;
  filter.states = {RunState::failed, RunState::timed_out, RunState::lost};
  filter.limit = kRecentFailures;
  CHRONOS_TRY(auto page, store.list_runs(filter));
  return std::move(page.rows);
}

}  // namespace

std::optional<OverviewRange> parse_overview_range(std::string_view text) {
  if (text == "24h") return OverviewRange::day;
  if (text == "7d") return OverviewRange::week;
  return std::nullopt;
}

Views::Views(const store::Store& store, const Workers& workers, const Clock& clock, ViewParts parts)
    : store_(store), workers_(workers), clock_(clock), parts_(std::move(parts)) {}

Result<OverviewView> Views::overview(const Principal& who, OverviewRange range) const {
  const auto now = clock_.now();
  const auto series = series_of(range);
  const auto from = begin_of_step(now, series.step) - (series.count - 1) * series.step;
  OverviewView view{.now = now,
                    .found = {},
                    .step = series.step,
                    .series = {},
                    .sum = {},
                    .recent_failures = {},
                    .oldest_due_at = {},
                    .parts = parts_};
  CHRONOS_TRY(view.found,
              store_.overview({.project = who.project, .now = now, .since = from, .ahead = 1h}));
  view.series = spread(view.found.tallies, from, series);
  for (const auto& point : view.series) view.sum += point.tally;
  CHRONOS_TRY(view.recent_failures, recent_failures(store_, who.project));
  CHRONOS_TRY(view.oldest_due_at, store_.next_due_at());
  return view;
}

Result<std::vector<std::vector<Run>>> Views::strips(const Principal& who, std::vector<JobId> jobs,
                                                    int limit) const {
  return store_.recent_runs({.project = who.project, .jobs = std::move(jobs), .limit = limit});
}

Result<std::vector<Run>> Views::strip(const Principal& who, JobId job, int limit) const {
  CHRONOS_TRY([[maybe_unused]] const auto found, store_.find_job(who.project, job));
  CHRONOS_TRY(auto runs, strips(who, {job}, limit));
  return std::move(runs.front());
}

Result<std::vector<QueueView>> Views::queues(const Principal& who) const {
  CHRONOS_TRY(auto totals, store_.list_queues(who.project));
  CHRONOS_TRY(const auto workers, workers_.list(who));
  std::map<std::string, QueueView> queues;
  for (auto& each : totals) queues[each.name].totals = std::move(each);
  for (const auto& [name, limit] : parts_.queue_limits) {
    auto& queue = queues[name];
    queue.totals.name = name;
    queue.concurrency = limit;
  }
  std::vector<QueueView> list;
  list.reserve(queues.size());
  for (auto& entry : queues) {
    auto& queue = entry.second;
    queue.workers = std::ranges::count_if(workers, [&](const WorkerView& view) {
      return (view.worker.is_alive || view.is_polling) &&
             polls(view.worker.info.queues, entry.first);
    });
    list.push_back(std::move(queue));
  }
  return list;
}

Result<std::vector<NodeView>> Views::nodes() const {
  CHRONOS_TRY(auto nodes, store_.list_nodes());
  const auto this_node = parts_.this_node();
  std::vector<NodeView> views;
  for (auto& node : nodes) {
    const bool is_this = node.id == this_node;
    views.push_back({std::move(node), is_this});
  }
  return views;
}

// -- What is to come -----------------------------------------------------------------------------

namespace {

// Jobs are read one by one: no more than so many.
constexpr int kForecastJobsMax = 2'000;
constexpr int kForecastPage = 200;
constexpr std::size_t kBlackoutsMax = 500;

// The calendars of a project, each compiled once.
class CompiledCalendars {
 public:
  CompiledCalendars(const store::Store& store, ProjectId project)
      : store_(store), project_(project) {}

  Result<const schedule::CalendarSet*> of(const std::vector<std::string>& names) {
    const auto [found, is_new] = sets_.try_emplace(names);
    if (is_new) {
      CHRONOS_TRY(found->second, load_calendars(store_, project_, names));
    }
    return &found->second;
  }

 private:
  const store::Store& store_;
  const ProjectId project_;
  std::map<std::vector<std::string>, schedule::CalendarSet> sets_;
};

Result<std::vector<Blackout>> blackouts_in(const store::Store& store, ProjectId project,
                                           const ForecastSpan& span) {
  CHRONOS_TRY(const auto calendars, store.list_calendars(project));
  std::vector<Blackout> blackouts;
  for (const auto& stored : calendars) {
    CHRONOS_TRY(const auto calendar, schedule::Calendar::compile(stored.spec));
    for (auto at = span.from; at < span.until && blackouts.size() < kBlackoutsMax;) {
      const auto change = calendar.next_change(at, span.until);
      if (calendar.excludes(at)) blackouts.push_back({stored.name, at, change});
      at = change;
    }
  }
  return blackouts;
}

}  // namespace

Result<void> Views::add_recurring(ProjectId project, const ForecastSpan& span,
                                  Forecaster& forecaster) const {
  CompiledCalendars calendars(store_, project);
  store::WaitingCursor cursor{};
  for (int looks = 0; looks < kForecastJobsMax; looks += kForecastPage) {
    CHRONOS_TRY(const auto waiting, store_.waiting_runs(cursor, kForecastPage));
    for (const auto& run : waiting) {
      if (run.at >= span.until) return {};
      const auto& job = *run.job;
      if (job.project != project || job.phase != JobPhase::active || job.spec->paused) continue;
      CHRONOS_TRY(const auto schedule, schedule::Schedule::compile(job.spec->schedule));
      CHRONOS_TRY(const auto* excluding, calendars.of(job.spec->schedule.calendars));
      forecaster.add(job, schedule, *excluding, run.planned_at);
    }
    if (std::ssize(waiting) < kForecastPage) return {};
    cursor = {waiting.back().at, waiting.back().run};
  }
  forecaster.leave_out();
  return {};
}

Result<ForecastView> Views::forecast(const Principal& who, const ForecastSpan& span) const {
  Forecaster forecaster(span);
  CHRONOS_TRY_VOID(add_recurring(who.project, span, forecaster));
  CHRONOS_TRY(const auto ahead, store_.runs_ahead({.project = who.project,
                                                   .from = span.from,
                                                   .until = span.until,
                                                   .runs_max = static_cast<int>(kForecastRunsMax),
                                                   .instants_max = kOverviewLooksMax}));
  for (const auto at : ahead.instants) forecaster.add_instant(at);
  for (const auto& run : ahead.runs) forecaster.add_run(run);
  if (ahead.has_more) forecaster.leave_out();
  CHRONOS_TRY(auto blackouts, blackouts_in(store_, who.project, span));
  return ForecastView{span, forecaster.finish(), std::move(blackouts)};
}

// -- What happened -------------------------------------------------------------------------------

namespace {

// So many runs are read for a page of the grid.
constexpr int kGridRunsMax = 10'000;

// From what needs nobody to what needs somebody.
int severity(RunState state) {
  constexpr std::array kOrder = {RunState::succeeded, RunState::planned,  RunState::queued,
                                 RunState::running,   RunState::retrying, RunState::skipped,
                                 RunState::cancelled, RunState::missed,   RunState::timed_out,
                                 RunState::lost,      RunState::failed};
  return static_cast<int>(std::ranges::find(kOrder, state) - kOrder.begin());
}

// A run that stands for several instants shows in each step it spans, and counts in the first.
void put_run(std::map<std::int64_t, GridCell>& cells, const Run& run, const ForecastSpan& span) {
  const auto last = std::min(run.planned_until.value_or(run.planned_at), span.until - Duration(1));
  auto count = run.count;
  const auto first = std::max(run.planned_at, span.from);
  for (auto step = (first - span.from) / span.step; first <= last; ++step) {
    const auto at = span.from + step * span.step;
    if (at > last) return;
    auto [cell, is_new] = cells.try_emplace(step, GridCell{at, run.state, 0});
    cell->second.runs += std::exchange(count, 0);
    if (severity(run.state) > severity(cell->second.worst_state)) {
      cell->second.worst_state = run.state;
    }
  }
}

}  // namespace

Result<GridView> Views::grid(const Principal& who, JobFilter filter,
                             const ForecastSpan& span) const {
  filter.project = who.project;
  CHRONOS_TRY(const auto page, store_.list_jobs(filter));
  GridView view{.rows = {}, .has_more = page.has_more, .last = page.last};
  if (page.rows.empty()) return view;
  RecentAsk ask{.project = who.project, .jobs = {}, .planned_from = span.from};
  for (const auto& job : page.rows) ask.jobs.push_back(job.id);
  ask.limit = kGridRunsMax / static_cast<int>(page.rows.size());
  CHRONOS_TRY(const auto recent, store_.recent_runs(ask));
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    std::map<std::int64_t, GridCell> cells;
    for (const auto& run : recent[i]) put_run(cells, run, span);
    GridRow row{page.rows[i].id, page.rows[i].spec->name, {}, std::ssize(recent[i]) == ask.limit};
    for (const auto& [_, cell] : cells) row.cells.push_back(cell);
    view.rows.push_back(std::move(row));
  }
  return view;
}

}  // namespace chronos::service
