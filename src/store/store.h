// The contract of durable state: start here. A Store is thread-safe.
//
// Changing: `commit` hands over one change and a completion and returns at once. One committer
// drains everything that waits into one transaction, in the order of arrival, and completes the
// callers after the durable commit, on the committer's thread (completions must be short and must
// not block; they may call `commit`). Reading: blocks, sees what was committed before the call,
// never waits for a writer's disk; goes on working after stop().
//
// What every store guarantees is tested by tests/store_conformance/ with no exceptions.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/job_version.h"
#include "model/overview.h"
#include "model/page.h"
#include "model/why.h"
#include "model/worker.h"
#include "store/changes.h"
#include "store/readings.h"
#include "store/touch.h"

namespace chronos::store {

template <class T>
using Done = std::move_only_function<void(Result<T>)>;

// A change on its way, with its type erased.
struct Operation {
  Change change;
  Done<Answer> done;
};

template <class C>
Operation make_operation(C change, Done<typename C::Answer> done) {
  return {std::move(change), [done = std::move(done)](Result<Answer> answer) mutable {
            if (!answer) return done(std::unexpected(std::move(answer).error()));
            done(std::get<typename C::Answer>(std::move(*answer)));
          }};
}

// Whoever waits for what is due looks again within this time, woken or not.
inline constexpr Duration kLookedAgain = std::chrono::seconds(1);

class Store {
 public:
  virtual ~Store() = default;

  // Completes with the change's own answer. After stop(): Reason::shutting_down.
  template <class C>
  void commit(C change, Done<typename C::Answer> done) {
    auto operation = make_operation(std::move(change), std::move(done));
    enqueue({&operation, 1});
  }
  // Several that follow each other: with nothing between them, so in one transaction, unless they
  // are more than a store takes into one. Refused for want of room: all.
  void commit_all(std::vector<Operation> operations) { enqueue(operations); }

  // -- Jobs. Another project's job is not_found. All lists are newest first (by id) unless they say
  // otherwise, and another project's things are simply not in them. A page costs a bounded look,
  // however much is stored: that of a search may be less than full and not the last (Page::last).
  //
  // Derived when read: Job::counts.running (leases); next_run_at, the earliest of its waiting runs'
  // `at` in due, but not before planned_at + jitter, and planned_at in ready and held; status, the
  // first that holds of cancelled (phase), running (a lease), retrying (a run in back-off),
  // succeeded or failed (phase), paused, scheduled.
  virtual Result<Job> find_job(ProjectId project, JobId job) const = 0;
  virtual Result<Job> find_job_by_key(ProjectId project, const std::string& key) const = 0;
  virtual Result<Page<Job>> list_jobs(const JobFilter& filter) const = 0;
  // What was declared under this version (or under the newest before it that declared something).
  virtual Result<JobVersion> find_version(ProjectId project, JobId job,
                                          std::int64_t version) const = 0;
  // Newest first, those before `before`.
  virtual Result<std::vector<JobVersion>> list_versions(ProjectId project, JobId job,
                                                        std::int64_t before, int limit) const = 0;

  // -- Runs, live and final as one. Another project's run is not_found. attempts_made counts the
  // running attempt too; node, error, exit_code and http_status are of the running attempt, else of
  // the newest that ended; job_name is the job's name now; queued_at is when the run last became
  // ready; is_cancel_requested is never set on a final run.
  virtual Result<Run> find_run(ProjectId project, RunId run) const = 0;
  virtual Result<Page<Run>> list_runs(const RunFilter& filter) const = 0;
  // The newest attempt's output when `attempt` is 0; of one that goes on as much as is stored
  // (AppendOutput). Empty when there is none.
  virtual Result<OutputPage> read_output(ProjectId project, RunId run, int attempt,
                                         std::int64_t offset = 0) const = 0;
  // The job's live runs (planned, queued, held, running, retrying), earliest planned first, then by
  // id.
  virtual Result<std::vector<Run>> live_runs(ProjectId project, JobId job) const = 0;
  // For each of the jobs its newest runs, newest first: final ones, and those that have begun.
  virtual Result<std::vector<std::vector<Run>>> recent_runs(const RecentAsk& ask) const = 0;
  // Where a live run stands; nothing when there is no such live run. `ahead` and `ahead_in_queue`
  // are counted up to `ahead_max`; of the runs that hold the slots at most 10 are named.
  virtual Result<std::optional<Standing>> standing(ProjectId project, RunId run,
                                                   int ahead_max) const = 0;
  // How many instants of the job were skipped and missed, for each reason (kPruned: beyond
  // retention), by state and then reason. Of a job with more than kReasonRowsMax such rows: the
  // latest.
  virtual Result<std::vector<ReasonCount>> reason_counts(ProjectId project, JobId job) const = 0;

  // What a project looks like as a whole, on one snapshot, at a cost that is the same whatever is
  // stored.
  virtual Result<Overview> overview(const OverviewAsk& ask) const = 0;
  // Queues that have or had runs, by name: the first kQueuesMax. Of each line in them the
  // kOldestLooksMax runs that were planned first are looked at for oldest_ready_at.
  virtual Result<std::vector<QueueTotals>> list_queues(ProjectId project) const = 0;
  virtual Result<Ahead> runs_ahead(const AheadAsk& ask) const = 0;

  // -- Calendars.
  virtual Result<Calendar> find_calendar(ProjectId project, const std::string& name) const = 0;
  virtual Result<std::vector<Calendar>> list_calendars(ProjectId project) const = 0;  // by name

  // -- Channels and bulk operations.
  virtual Result<DeclaredChannel> find_channel(ProjectId project,
                                               const std::string& name) const = 0;
  virtual Result<std::vector<DeclaredChannel>> list_channels(
      ProjectId project) const = 0;  // by name
  virtual Result<Bulk> find_bulk(ProjectId project, BulkId bulk) const = 0;
  virtual Result<std::vector<Bulk>> list_bulks(ProjectId project, std::optional<BulkId> after,
                                               int limit) const = 0;
  // Of any project, those that are not over, by starts_at.
  virtual Result<std::vector<Bulk>> open_bulks(int limit) const = 0;
  // Things of one from this place on, at most `limit`.
  virtual Result<std::vector<Uuid>> bulk_items(BulkId bulk, std::int64_t from, int limit) const = 0;

  // -- Scheduling.
  // Due runs that need planning, `at` <= now, by `at` and then id. Never two of one job: its
  // earliest. Of more than `limit` the ends: the earliest, and as the smaller half the latest, so
  // that what has just become due never waits for a crowd that is older.
  virtual Result<std::vector<DueRun>> due_runs(Timestamp now, int limit) const = 0;
  // Every run that waits to be planned, by `at` and then id, a piece at a time.
  virtual Result<std::vector<WaitingRun>> waiting_runs(WaitingCursor after, int limit) const = 0;
  // What NoteZones noted last; nothing before the first.
  virtual Result<std::optional<std::int64_t>> zones_stamp() const = 0;
  // The earliest instant anything lies in `due`, or nothing.
  virtual Result<std::optional<Timestamp>> next_due_at() const = 0;
  // Active jobs whose paused_until <= now, earliest first: to be resumed (ReplaceJob).
  virtual Result<std::vector<Job>> jobs_to_resume(Timestamp now, int limit) const = 0;
  // The earliest paused_until of an active job, or nothing.
  virtual Result<std::optional<Timestamp>> next_resume_at() const = 0;
  // Attempts whose holder is gone: to be settled as lost, with the lease's own token. Oldest claim
  // first.
  virtual Result<std::vector<ClaimedRun>> expired_leases(int limit) const = 0;

  // -- Remote workers, newest first (by id), and attempts of theirs under way, whatever node they
  // were given by: of these runs, those one worker holds (oldest claim first), and those that have
  // had their time (store/settlement.h), in the order in which it ended.
  virtual Result<std::vector<Worker>> list_workers(ProjectId project) const = 0;
  virtual Result<std::vector<ClaimedRun>> find_leases(const std::vector<RunId>& runs) const = 0;
  virtual Result<std::vector<ClaimedRun>> leases_of(NodeId holder) const = 0;
  virtual Result<std::vector<ClaimedRun>> overdue_leases(Timestamp now, int limit) const = 0;
  // Nodes heard of within kNodesListed that said who they are, newest first (by id).
  virtual Result<std::vector<Node>> list_nodes() const = 0;

  // -- Telling, access, upkeep.
  virtual Result<std::optional<Timestamp>> next_delivery_at() const = 0;
  virtual Result<std::vector<Delivery>> list_deliveries(ProjectId project, RunId run) const = 0;
  virtual Result<Key> find_key(KeyId key) const = 0;
  virtual Result<std::vector<Key>> list_keys(ProjectId project) const = 0;
  virtual Result<Session> find_session(SessionId session) const = 0;  // a link too
  virtual Result<Project> find_project(ProjectId project) const = 0;
  virtual Result<std::vector<Project>> list_projects() const = 0;
  // Submissions among them, as entries of their jobs' ids.
  virtual Result<Page<AuditEntry>> list_audit(const AuditFilter& filter) const = 0;
  // Can it commit right now? After stop(): shutting_down. store_full: it goes on, but takes no new
  // work.
  virtual Result<void> health() const = 0;
  virtual Result<Stats> stats() const = 0;

  // Called on the committer's thread, after the completions of each commit that may have given a
  // scheduler or a notifier something to do: changes that users ask for, and new deliveries. (What
  // a scheduler commits itself comes back to it as an answer; new jobs whose first run comes after
  // kLookedAgain it finds by itself.) Set once, before the first commit; must only wake somebody.
  virtual void on_change(std::function<void()> wake) = 0;

  // Called on the committer's thread with what a transaction gives workers to do. First before its
  // commit: what `take` answers is made in the same transaction, so that a worker that waits has
  // its run as soon as that is stored; it takes off `count` what this will claim. Then, after the
  // completions, with what is left: what it answers now is committed next. Set once, before the
  // first commit; must be short and not block.
  using TakeWork = std::function<std::vector<Operation>(std::vector<Work>& work)>;
  virtual void on_work(TakeWork take) = 0;

  // What commits touch, those of other processes on the same store included; a process that begins
  // to watch may hear nothing of theirs for as long as they take between two heartbeats.
  virtual void on_touch(Watcher watcher) = 0;

  // Commits what waits, then refuses further changes. Idempotent; the destructor calls it.
  virtual void stop() = 0;

 protected:
  virtual void enqueue(std::span<Operation> operations) = 0;  // moves from them
};

// For callers that may block (start-up, tests): waits for the answer.
template <class C>
Result<typename C::Answer> commit_and_wait(Store& store, C change) {
  std::promise<Result<typename C::Answer>> promise;
  auto answer = promise.get_future();
  store.commit(std::move(change), [&promise](Result<typename C::Answer> result) {
    promise.set_value(std::move(result));
  });
  return answer.get();
}

}  // namespace chronos::store
