#include "checkers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/time_text.h"
#include "schedule/schedule.h"

namespace chronos::sim {
namespace {

// Between two looks a run may have made several legal moves.
bool can_come_to(RunState from, RunState to) {
  std::set<RunState> reached = {from};
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto state : std::set(reached)) {
      for (const auto next : kRunStates) {
        if (may_move(state, next)) grew = reached.insert(next).second || grew;
      }
    }
  }
  return reached.contains(to);
}

template <class Filter, class List>
auto read_all(Filter filter, List list) {
  using Row = typename decltype(list(filter))::value_type;
  decltype(Row::rows) rows;
  filter.limit = kPageMax;
  while (true) {
    auto page = list(filter);
    for (auto& row : page->rows) rows.push_back(std::move(row));
    if (!page->has_more) return rows;
    filter.after = page->last;
  }
}

}  // namespace

History read_history(const store::Store& store, ProjectId project) {
  History history;
  JobFilter jobs;
  jobs.project = project;
  for (const auto& job : read_all(jobs, [&](const auto& f) { return store.list_jobs(f); })) {
    RunFilter runs;
    runs.project = project;
    runs.job = job.id;
    history[job.id] = read_all(runs, [&](const auto& f) { return store.list_runs(f); });
  }
  return history;
}

Complaints StateChecker::check(const History& history) {
  Complaints complaints;
  for (const auto& [job, runs] : history) {
    for (const auto& run : runs) {
      const auto found = seen_.find(run.id);
      if (found != seen_.end() && !can_come_to(found->second.state, run.state)) {
        complaints.push_back(fmt::format("{} moved from {} to {}", run.id.to_string(),
                                         to_string(found->second.state), to_string(run.state)));
      }
      if (found != seen_.end() && run.count < found->second.count) {
        complaints.push_back(fmt::format("{} shrank", run.id.to_string()));
      }
      seen_.insert_or_assign(run.id, Seen{run.state, run.count});
    }
  }
  return complaints;
}

Complaints check_no_double_fire(const History& history) {
  Complaints complaints;
  for (const auto& [job, runs] : history) {
    std::map<Timestamp, const Run*> instants;
    for (const auto& run : runs) {
      // Cancelled before it started: the instant is free for a new schedule of the job.
      const bool never_fired = run.state == RunState::cancelled && run.attempts_made == 0;
      if (run.trigger != Trigger::schedule || never_fired) continue;
      const auto [other, is_new] = instants.emplace(run.planned_at, &run);
      if (is_new) continue;
      const auto describe = [](const Run& row) {
        return fmt::format("{} {} {} x{}", row.id.to_string(), to_string(row.state), row.reason,
                           row.count);
      };
      complaints.push_back(fmt::format("{} has two rows for {}: {} and {}", job.to_string(),
                                       format_timestamp(run.planned_at), describe(*other->second),
                                       describe(run)));
    }
  }
  return complaints;
}

Complaints check_overlap(const store::Store& store, ProjectId project, const History& history) {
  Complaints complaints;
  for (const auto& [id, runs] : history) {
    const auto job = store.find_job(project, id);
    if (job->spec->overlap == Overlap::allow) continue;
    const auto going = std::ranges::count_if(runs, [](const Run& run) {
      return run.trigger == Trigger::schedule && run.state == RunState::running;
    });
    // A reschedule lets the old schedule's run go on beside the new one's.
    if (going > (job->version > 1 ? 2 : 1)) {
      complaints.push_back(fmt::format("{} has {} runs at once", id.to_string(), going));
    }
  }
  return complaints;
}

namespace {

Complaints check_slots(const store::Store& store, ProjectId project, const History& history) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> keys;  // how many go on, and may
  for (const auto& [id, runs] : history) {
    const auto limit = store.find_job(project, id)->spec->limits.concurrency;
    if (!limit) continue;
    auto& [going, max] = keys[limit->key];
    max = max == 0 ? limit->max : std::min(max, limit->max);
    going += std::ranges::count_if(runs, [](const Run& run) {
      return run.state == RunState::running || run.state == RunState::retrying;
    });
  }
  Complaints complaints;
  for (const auto& [key, use] : keys) {
    if (use.first <= use.second) continue;
    complaints.push_back(fmt::format("{} runs of the concurrency key {} go on, of {} that may",
                                     use.first, key, use.second));
  }
  return complaints;
}

// Starts between two steps of the clock: a step moves the window. Nodes whose clocks differ measure
// it by their own, and what one of them takes for over is over: it is shorter by as much as they
// differ. Clocks that are wrong by more than it is long are no clocks to measure it by. A claim
// that was asked for before its run was let through, and committed after, dates the start too early
// to say anything.
Complaints check_rates(const store::Store& store, ProjectId project, const OutsideWorld& world) {
  struct Window {
    std::vector<Timestamp> starts;
    Duration spread{};
  };
  std::map<std::pair<std::string, Duration>, Window> windows;
  std::map<std::string, RateLimit> limits;
  for (const auto& start : world.starts) {
    const auto job = store.find_job(project, start.job);
    const bool is_of_this_epoch =
        start.since_claim >= Duration(0) && start.since_claim < Duration(5'000'000);
    const bool is_dated = is_of_this_epoch && start.started_at >= start.queued_at;
    if (!job || !job->spec->limits.rate || !is_dated) continue;
    const auto& rate = *job->spec->limits.rate;
    limits[rate.key] = rate;
    auto& window = windows[{rate.key, start.clock_offset}];
    window.starts.push_back(start.started_at);
    window.spread = std::max(window.spread, start.clock_spread);
  }
  Complaints complaints;
  for (auto& [of, window] : windows) {
    auto& times = window.starts;
    std::ranges::sort(times);
    const auto& rate = limits.at(of.first);
    for (std::size_t i = 0; i + static_cast<std::size_t>(rate.max) < times.size(); ++i) {
      const auto after = times[i + static_cast<std::size_t>(rate.max)];
      if (after - times[i] >= rate.per - window.spread) continue;
      auto complaint = fmt::format("more than {} of the rate key {} started:", rate.max, rate.key);
      for (auto k = i; k <= i + static_cast<std::size_t>(rate.max); ++k) {
        complaint += " " + format_timestamp(times[k]);
      }
      complaints.push_back(std::move(complaint));
      break;
    }
  }
  return complaints;
}

}  // namespace

Complaints check_limits(const store::Store& store, ProjectId project, const History& history,
                        const OutsideWorld& world) {
  auto complaints = check_slots(store, project, history);
  std::ranges::move(check_rates(store, project, world), std::back_inserter(complaints));
  return complaints;
}

Complaints check_attempts(const store::Store& store, ProjectId project, const History& history,
                          const OutsideWorld& world) {
  Complaints complaints;
  std::map<RunId, Timestamp> succeeded_at;
  for (const auto& [id, runs] : history) {
    const auto job = store.find_job(project, id);
    for (const auto& row : runs) {
      if (row.state == RunState::succeeded && row.ended_at) succeeded_at[row.id] = *row.ended_at;
      const auto max = job->spec->max_attempts;
      if (max != 0 && row.attempts_made > max) {
        complaints.push_back(
            fmt::format("{} made {} attempts", row.id.to_string(), row.attempts_made));
      }
    }
  }
  std::map<RunId, std::int64_t> last_token;
  for (const auto& start : world.starts) {
    auto& last = last_token[start.run];
    if (start.token <= last) {
      complaints.push_back(fmt::format("{} started with an old token", start.run.to_string()));
    }
    last = start.token;
    if (start.planned_at > start.latest_time) {
      complaints.push_back(fmt::format("{} started early", start.run.to_string()));
    }
  }
  // The last start of a run that succeeded is the one that succeeded: fewer starts than that are
  // impossible, and none may follow.
  std::map<RunId, int> last_attempt;
  for (const auto& start : world.starts) {
    // An attempt that was claimed and never started is counted too: the node died in between.
    if (start.attempt <= last_attempt[start.run]) {
      complaints.push_back(fmt::format("{}: attempt {} follows attempt {}", start.run.to_string(),
                                       start.attempt, last_attempt[start.run]));
    }
    last_attempt[start.run] = start.attempt;
  }
  for (const auto& [id, runs] : history) {
    for (const auto& run : runs) {
      if (run.state == RunState::succeeded && run.count == 1 &&
          last_attempt[run.id] != run.attempts_made) {
        complaints.push_back(fmt::format("{} was recorded with {} attempts and made {}",
                                         run.id.to_string(), run.attempts_made,
                                         last_attempt[run.id]));
      }
    }
  }
  return complaints;
}

Complaints check_outcomes(const store::Store& store, ProjectId project, const History& history,
                          const OutsideWorld& world) {
  Complaints complaints;
  for (const auto& [id, runs] : history) {
    for (const auto& run : runs) {
      const auto whole = store.find_run(project, run.id);
      for (const auto& attempt : whole->attempts) {
        const auto kind = attempt.outcome.kind;
        // Of others the scheduler itself may say what they came to.
        if (kind != OutcomeKind::succeeded && kind != OutcomeKind::failed) continue;
        const auto ended = world.ends.find({run.id, attempt.number});
        if (ended != world.ends.end() && ended->second == kind) continue;
        complaints.push_back(
            fmt::format("{}: attempt {} is recorded as {}, which it did not end as",
                        run.id.to_string(), attempt.number, to_string(kind)));
      }
    }
  }
  return complaints;
}

Complaints check_ledger(const store::Store& store, ProjectId project, const History& history,
                        const std::set<JobId>& rescheduled, int starts) {
  Complaints complaints;
  for (const auto& [id, runs] : history) {
    const auto job = store.find_job(project, id);
    const auto schedule = schedule::Schedule::compile(job->spec->schedule);
    if (rescheduled.contains(id) || !schedule->is_recurring()) continue;
    std::vector<std::pair<Timestamp, Timestamp>> covered;
    std::int64_t counted = 0;
    for (const auto& run : runs) {
      const bool is_planned_only = run.planned_at > job->planned_through;
      if (run.trigger != Trigger::schedule || is_planned_only) continue;
      covered.emplace_back(run.planned_at, run.planned_until.value_or(run.planned_at));
      counted += run.count;
    }
    if (schedule->is_start_up()) {
      if (counted > starts) {
        complaints.push_back(
            fmt::format("{}: {} rows for {} starts", id.to_string(), counted, starts));
      }
      continue;
    }
    std::ranges::sort(covered);
    std::int64_t instants = 0;
    auto row = covered.begin();
    for (auto at = schedule->next_after(job->created_at); at && *at <= job->planned_through;
         at = schedule->next_after(*at)) {
      ++instants;
      while (row != covered.end() && row->second < *at) ++row;
      if (row == covered.end() || row->first > *at) {
        complaints.push_back(
            fmt::format("{}: no row for {}", id.to_string(), format_timestamp(*at)));
        break;
      }
    }
    if (instants != counted && complaints.empty()) {
      complaints.push_back(
          fmt::format("{}: {} instants, {} in rows", id.to_string(), instants, counted));
    }
  }
  return complaints;
}

Complaints check_deliveries(const store::Store& store, ProjectId project, const History& history) {
  Complaints complaints;
  for (const auto& [id, runs] : history) {
    const auto job = store.find_job(project, id);
    for (const auto& run : runs) {
      const bool has_failed = run.state == RunState::failed || run.state == RunState::timed_out ||
                              run.state == RunState::lost;
      if (!has_failed || job->spec->notify.empty()) continue;
      const auto deliveries = store.list_deliveries(project, run.id);
      if (deliveries->size() != 1) {
        complaints.push_back(
            fmt::format("{} has {} deliveries", run.id.to_string(), deliveries->size()));
      }
    }
  }
  return complaints;
}

Complaints check_acknowledged(const store::Store& store, ProjectId project, const History& history,
                              const std::set<JobId>& acknowledged) {
  Complaints complaints;
  for (const auto& job : acknowledged) {
    if (!history.contains(job)) {
      complaints.push_back(job.to_string() + " was acknowledged and is gone");
    }
  }
  std::map<std::string, JobId> names;
  for (const auto& [id, runs] : history) {
    const auto [other, is_new] = names.emplace(store.find_job(project, id)->spec->name, id);
    if (is_new) continue;
    complaints.push_back(
        fmt::format("{} and {} are of one submission", id.to_string(), other->second.to_string()));
  }
  return complaints;
}

Complaints check_arrived(const store::Store& store, ProjectId project, const History& history,
                         const std::set<DeliveryId>& arrived) {
  Complaints complaints;
  for (const auto& [id, runs] : history) {
    for (const auto& run : runs) {
      const auto deliveries = store.list_deliveries(project, run.id);
      for (const auto& delivery : *deliveries) {
        const bool is_delivered = delivery.state == DeliveryState::delivered;
        if (delivery.state == DeliveryState::waiting) {
          complaints.push_back(delivery.id.to_string() + " was never sent");
        } else if (is_delivered != arrived.contains(delivery.id)) {
          complaints.push_back(fmt::format("{} is recorded as {}", delivery.id.to_string(),
                                           to_string(delivery.state)));
        }
      }
    }
  }
  return complaints;
}

Complaints check_all_done(const History& history, Timestamp now) {
  Complaints complaints;
  for (const auto& [id, runs] : history) {
    for (const auto& run : runs) {
      if (is_final(run.state) || run.planned_at > now) continue;
      complaints.push_back(fmt::format("{} of {} is still {}", run.id.to_string(), id.to_string(),
                                       to_string(run.state)));
    }
  }
  return complaints;
}

}  // namespace chronos::sim
