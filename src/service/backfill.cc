#include "service/backfill.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "service/instants.h"

namespace chronos::service {
namespace {

constexpr Duration kTick{1};
constexpr int kTries = 5;  // when others change the job at the same time

// The runs of one backfill, as read again.
struct Made {
  std::vector<Run> runs;  // oldest instant first
  std::int64_t already_run = 0;
};

Result<Made> read_made(const store::Store& store, const Job& job, RunId first, RunId last) {
  Made made;
  std::vector<Run> others;
  CHRONOS_TRY_VOID(for_each_run(store, job, {}, [&](const Run& run) {
    const bool is_of_it = run.trigger == Trigger::backfill && run.id >= first && run.id <= last;
    (is_of_it ? made.runs : others).push_back(run);
  }));
  std::ranges::sort(made.runs, {}, &Run::id);
  InstantHistory history;
  for (const auto& run : others) note(history, run);
  made.already_run = std::ranges::count_if(
      made.runs, [&](const Run& run) { return history.succeeded.contains(run.planned_at); });
  return made;
}

}  // namespace

Backfills::Backfills(store::Store& store, const Clock& clock, IdSource& ids)
    : store_(store), clock_(clock), ids_(ids) {}

// What an earlier request with the same key made, before anything is looked at that may have
// changed since.
Result<std::optional<BackfillReply>> Backfills::replay(const Principal& who, JobId id,
                                                       const RequestFacts& facts,
                                                       Timestamp now) const {
  auto idempotency = idempotency_of(who, facts, now);
  if (!idempotency) return std::nullopt;
  store::Backfill nothing{.project = who.project,
                          .job = id,
                          .runs = {},
                          .now = now,
                          .idempotency = std::move(idempotency)};
  CHRONOS_TRY(const auto answer, commit_and_wait(store_, std::move(nothing)));
  if (!answer.first) return std::nullopt;
  CHRONOS_TRY(const auto job, store_.find_job(who.project, id));
  CHRONOS_TRY(const auto made, read_made(store_, job, *answer.first, *answer.last));
  BackfillReply reply{.is_replay = true, .already_run = made.already_run};
  for (const auto& run : made.runs) {
    reply.instants.push_back(run.planned_at);
    reply.runs.push_back(run.id);
  }
  return reply;
}

Result<BackfillReply> Backfills::preview(const Job& job, const BackfillRequest& request,
                                         Timestamp now) const {
  CHRONOS_TRY(const auto schedule, schedule::Schedule::compile(job.spec->schedule));
  if (!schedule.is_recurring()) {
    return fail_field("", "not_recurring", "the job has no recurring schedule: it has no instants",
                      "POST /api/jobs/:job_id/run runs it again");
  }
  const InstantRange range{*request.from,
                           std::min(*request.until - kTick, answered_through(job, now))};
  CHRONOS_TRY(const auto history, read_history(store_, job, *request.until));
  auto pick = pick_instants(schedule, range, request, history);
  if (pick.count > request.max) {
    return fail_field(
        "/max", "out_of_range",
        fmt::format("the range has {} instants to run, max is {}", pick.count, request.max),
        fmt::format("a shorter range, or a larger max (at most {})", kBackfillMax));
  }
  return BackfillReply{.is_preview = true,
                       .instants = std::move(pick.instants),
                       .runs = {},
                       .already_run = pick.already_run};
}

Result<BackfillReply> Backfills::backfill(const Principal& who, JobId id, const json::Value& body,
                                          const RequestFacts& facts) const {
  const auto now = clock_.now();
  CHRONOS_TRY(auto job, store_.find_job(who.project, id));
  CHRONOS_TRY(const auto earlier, replay(who, id, facts, now));
  if (earlier) return *earlier;
  CHRONOS_TRY(const auto request, read_backfill(body, now));
  for (int tries_left = kTries;; --tries_left) {
    CHRONOS_TRY(auto reply, preview(job, request, now));
    if (facts.if_version && *facts.if_version != job.version) {
      return changed_meanwhile("job");
    }
    if (request.dry_run) return reply;
    reply.is_preview = false;
    store::Backfill change{.project = who.project,
                           .job = id,
                           .expected_version = job.version,
                           .runs = {},
                           .holds = request.overlap == BackfillOverlap::queue_all,
                           .now = now,
                           .idempotency = idempotency_of(who, facts, now),
                           .by = author_of(who, ids_, now, "job.backfill")};
    for (const auto instant : reply.instants) {
      reply.runs.push_back(ids_.make<RunId>());
      change.runs.push_back(
          {reply.runs.back(), Trigger::backfill, instant, now, false, std::nullopt});
    }
    if (change.runs.empty()) return reply;
    const auto answer = commit_and_wait(store_, std::move(change));
    if (answer && !answer->is_replay) return reply;
    // The same request came twice at once, and the other was faster.
    if (answer) {
      CHRONOS_TRY(const auto same, replay(who, id, facts, now));
      if (same) return *same;
    } else if (answer.error().reason != Reason::version_mismatch) {
      return std::unexpected(answer.error());
    }
    if (tries_left == 0) {
      return fail(Reason::state_conflict, "others change the job all the time: try again");
    }
    CHRONOS_TRY(job, store_.find_job(who.project, id));
  }
}

}  // namespace chronos::service
