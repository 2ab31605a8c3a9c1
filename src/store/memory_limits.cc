#include "store/memory_limits.h"

#include <algorithm>
#include <utility>

namespace chronos::store::memory {
namespace {

const Job& job_of(const Tables& tables, const LiveRun& run) {
  return tables.jobs.at(run.job).job;
}

LimitKey key_of(const Tables& tables, const LiveRun& run, LimitKind kind) {
  return chronos::key_of(job_of(tables, run).project, run.limits, kind);
}

std::tuple<int, Timestamp, RunId> place_in_line(const Tables& tables, const LiveRun& run) {
  return {-job_of(tables, run).spec->priority, run.planned_at, run.id};
}

void change_use(Tables& tables, const LimitKey& key, std::int64_t by) {
  tables.limits[key].in_use += by;
  tables.limits_touched.insert(key);
}

// When this run, the first in line, may pass.
std::optional<Timestamp> opening(const LimitKey& key, const KeyUse& use, const Limits& limits,
                                 Timestamp now) {
  if (key.kind == LimitKind::concurrency) {
    return use.in_use < limits.concurrency->max ? std::optional(now) : std::nullopt;
  }
  const auto start = [&](std::int64_t n) {
    return n <= std::ssize(use.starts) ? std::optional(use.starts[static_cast<std::size_t>(n - 1)])
                                       : std::nullopt;
  };
  return opens_at(*limits.rate, {.pending = use.in_use, .start = start}, now);
}

void let_through(Tables& tables, const LimitKey& key, RunId id, Timestamp now) {
  auto run = take(tables, id);
  ++tables.limits[key].in_use;
  (key.kind == LimitKind::rate ? run.has_pass : run.has_slot) = true;
  run.place = Place::ready;
  run.queued_at = now;
  insert(tables, std::move(run));
}

void open_line(Tables& tables, const LimitKey& key, Timestamp now) {
  while (true) {
    auto& use = tables.limits[key];
    use.opens_at.reset();
    if (use.line.empty()) {
      if (use.in_use == 0 && use.starts.empty()) tables.limits.erase(key);
      return;
    }
    const auto first = std::get<RunId>(*use.line.begin());
    const auto at = opening(key, use, tables.live_runs.at(first).limits, now);
    if (!at || *at > now) {
      use.opens_at = at;
      return;
    }
    let_through(tables, key, first, now);
  }
}

}  // namespace

void enter_ready_or_line(Tables& tables, LiveRun& run) {
  if (run.has_pass) return;
  const auto kind = next_limit(run.limits, run.has_slot);
  if (!kind) return;
  run.place = Place::limited;
  run.queued_at = run.last_queued_at;
  const auto key = key_of(tables, run, *kind);
  tables.limits[key].line.insert(place_in_line(tables, run));
  tables.limits_touched.insert(key);
}

void leave_limits(Tables& tables, LiveRun& run) {
  if (run.place == Place::limited) {
    const auto key = key_of(tables, run, *next_limit(run.limits, run.has_slot));
    tables.limits[key].line.erase(place_in_line(tables, run));
    tables.limits_touched.insert(key);
  }
  if (std::exchange(run.has_pass, false)) {
    change_use(tables, key_of(tables, run, LimitKind::rate), -1);
  }
}

void give_slot_back(Tables& tables, LiveRun& run) {
  if (!std::exchange(run.has_slot, false)) return;
  change_use(tables, key_of(tables, run, LimitKind::concurrency), -1);
}

void count_start(Tables& tables, const LiveRun& run, Timestamp now) {
  if (!run.limits.rate) return;
  auto& use = tables.limits[key_of(tables, run, LimitKind::rate)];
  use.starts.push_front(now);
  use.forget_at = std::max(use.forget_at, now + run.limits.rate->per);
}

void open_lines(Tables& tables, Timestamp now) {
  auto& touched = tables.limits_touched;
  while (!touched.empty()) {
    const auto key = std::move(touched.extract(touched.begin()).value());
    open_line(tables, key, now);
    touched.erase(key);  // whoever was let through touched it again
  }
}

void touch_opening(Tables& tables, Timestamp now) {
  for (const auto& [key, use] : tables.limits) {
    if (use.opens_at && *use.opens_at <= now) tables.limits_touched.insert(key);
  }
}

std::optional<Timestamp> next_opening(const Tables& tables) {
  std::optional<Timestamp> next;
  for (const auto& [_, use] : tables.limits) {
    if (use.opens_at && (!next || *use.opens_at < *next)) next = use.opens_at;
  }
  return next;
}

std::optional<LimitStanding> limit_standing(const Tables& tables, const LiveRun& run,
                                            int ahead_max) {
  if (run.place != Place::limited) return std::nullopt;
  const auto kind = *next_limit(run.limits, run.has_slot);
  const auto key = key_of(tables, run, kind);
  const auto& use = tables.limits.at(key);
  const auto ahead = std::distance(use.line.begin(), use.line.find(place_in_line(tables, run)));
  LimitStanding standing{.kind = kind,
                         .limits = run.limits,
                         .in_use = use.in_use,
                         .opens_at = use.opens_at,
                         .ahead = std::min<std::int64_t>(ahead, ahead_max),
                         .runs = {}};
  if (kind != LimitKind::concurrency) return standing;
  for (const auto& [id, other] : tables.live_runs) {
    if (std::ssize(standing.runs) == kRunsNamedMax) break;
    if (other.has_slot && key_of(tables, other, kind) == key) standing.runs.push_back(id);
  }
  return standing;
}

std::int64_t forget_limits(Tables& tables, Timestamp now, std::int64_t limit) {
  std::int64_t gone = 0;
  for (auto it = tables.limits.begin(); it != tables.limits.end() && gone < limit;) {
    const auto& [_, use] = *it;
    const bool is_used = use.in_use > 0 || !use.line.empty() || use.forget_at > now;
    it = is_used ? std::next(it) : (++gone, tables.limits.erase(it));
  }
  return gone;
}

}  // namespace chronos::store::memory
