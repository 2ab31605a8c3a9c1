#include "service/runs.h"

#include <utility>

namespace chronos::service {

Runs::Runs(store::Store& store, const Clock& clock, IdSource& ids)
    : store_(store), clock_(clock), ids_(ids) {}

Result<Run> Runs::find(const Principal& who, RunId run) const {
  return store_.find_run(who.project, run);
}

Result<Page<Run>> Runs::list(const Principal& who, RunFilter filter) const {
  filter.project = who.project;
  if (filter.job) {
    CHRONOS_TRY([[maybe_unused]] const auto job, store_.find_job(who.project, *filter.job));
  }
  return store_.list_runs(filter);
}

Result<Output> Runs::output(const Principal& who, RunId id, int attempt,
                            std::int64_t offset) const {
  CHRONOS_TRY(const auto run, store_.find_run(who.project, id));
  if (attempt > run.attempts_made) {
    return fail(Reason::not_found, "the run has had no attempt of this number");
  }
  CHRONOS_TRY(auto page, store_.read_output(who.project, id, attempt, offset));
  return Output{std::move(page.bytes), page.dropped, page.attempt, page.is_running};
}

void Runs::cancel(const Principal& who, RunId run, Done<RunReply> done) {
  const auto now = clock_.now();
  store_.commit(store::CancelRun{who.project, run, now, author_of(who, ids_, now, "run.cancel")},
                [done = std::move(done)](Result<store::RunAnswer> answer) mutable {
                  if (!answer) return done(std::unexpected(std::move(answer).error()));
                  done(RunReply{answer->run, answer->is_replay});
                });
}

void Runs::retry(const Principal& who, RunId id, const RequestFacts& facts, Done<RunReply> done) {
  const auto run = store_.find_run(who.project, id);
  if (!run) return done(std::unexpected(run.error()));
  if (!is_final(run->state)) {
    return done(fail(Reason::state_conflict, "the run has not ended yet",
                     "only a run that has ended can be repeated; cancel it first"));
  }
  if (run->count > 1) {
    return done(fail(Reason::state_conflict, "the row stands for several instants, not for one run",
                     "POST /api/jobs/:job_id/run runs the job now"));
  }
  const auto now = clock_.now();
  // Planned for now: its deadline and its lateness count from here, not from the first run's
  // instant.
  const PlannedRun again{ids_.make<RunId>(), Trigger::retry, now, now, false, id};
  store_.commit(store::RunJob{who.project, run->job, again, now, idempotency_of(who, facts, now),
                              author_of(who, ids_, now, "run.retry")},
                [done = std::move(done)](Result<store::RunAnswer> answer) mutable {
                  if (!answer) return done(std::unexpected(std::move(answer).error()));
                  done(RunReply{answer->run, answer->is_replay});
                });
}

}  // namespace chronos::service
