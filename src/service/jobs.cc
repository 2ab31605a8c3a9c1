#include "service/jobs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "base/time_text.h"
#include "model/planner.h"

namespace chronos::service {

using schedule::Schedule;

// The next value of a job, ready to be committed.
struct Jobs::Draft {
  Job job;
  std::optional<PlannedRun> next_run;
  bool replaces_schedule = false;
  bool is_unchanged = false;
  std::vector<FieldError> warnings;
};

namespace {

constexpr std::array<std::string_view, 1> kCredential = {"api_key"};

void add_past_warning(const JobSpec& spec, Timestamp now, std::vector<FieldError>& warnings) {
  if (!spec.schedule.at || *spec.schedule.at >= now) return;
  warnings.push_back({"/scheduled_time",
                      "scheduled_time_in_past",
                      "the time has passed: the job runs at once and keeps its planned instant",
                      {},
                      0,
                      0});
}

}  // namespace

Jobs::Jobs(store::Store& store, SpecCheck check_spec, const Clock& clock, IdSource& ids,
           SpecLimits limits)
    : store_(store),
      check_spec_(std::move(check_spec)),
      clock_(clock),
      ids_(ids),
      limits_(limits) {}

// -- Checking
// ----------------------------------------------------------------------------------------

Result<std::vector<FieldError>> Jobs::check(const JobSpec& spec, Timestamp now) const {
  CHRONOS_TRY(const auto action, json::parse(spec.action.config));
  CHRONOS_TRY_VOID(check_spec_(spec, action.root()));
  CHRONOS_TRY(const auto schedule, Schedule::compile(spec.schedule));
  if (const auto fires = schedule.check_fires_after(now); !fires)
    return std::unexpected(fires.error());
  std::vector<FieldError> warnings;
  for (const auto& warning : schedule.warnings(now)) {
    warnings.push_back({"", warning.code, warning.message, {}, 0, 0});
  }
  add_past_warning(spec, now, warnings);
  return warnings;
}

// -- New jobs
// ----------------------------------------------------------------------------------------

Result<Jobs::Draft> Jobs::draft_new(const Principal& who, const json::Value& body, JobSpec spec,
                                    Timestamp now) const {
  CHRONOS_TRY_VOID(read_spec(body, SpecUse::submit, limits_, spec, kCredential));
  spec.schedule.anchor = std::chrono::floor<std::chrono::seconds>(now);
  spec.schedule.seed = spec.key.value_or(spec.name);
  Draft draft;
  CHRONOS_TRY(draft.warnings, check(spec, now));
  CHRONOS_TRY(const auto schedule, Schedule::compile(spec.schedule));
  auto first = plan_first(spec, schedule, now, Timestamp{}, ids_);
  draft.next_run = std::move(first.run);
  draft.job.id = ids_.make<JobId>();
  draft.job.project = who.project;
  draft.job.spec = std::move(spec);
  draft.job.created_at = draft.job.updated_at = now;
  draft.job.planned_through = first.planned_through;
  return draft;
}

void Jobs::commit_new(Draft draft, std::optional<store::Idempotency> idempotency,
                      Done<JobReply> done) {
  const auto now = draft.job.created_at;
  store_.commit(
      store::SubmitJob{std::move(draft.job), std::move(draft.next_run), now,
                       std::move(idempotency)},
      [warnings = std::move(draft.warnings),
       done = std::move(done)](Result<store::JobAnswer> answer) mutable {
        if (!answer) return done(std::unexpected(std::move(answer).error()));
        done(JobReply{std::move(answer->job), std::move(warnings), answer->is_replay, true});
      });
}

void Jobs::submit(const Principal& who, const json::Value& body, const RequestFacts& facts,
                  Done<JobReply> done) {
  const auto now = clock_.now();
  auto draft = draft_new(who, body, {}, now);
  if (!draft) return done(std::unexpected(std::move(draft).error()));
  commit_new(std::move(*draft), idempotency_of(who, facts, now), std::move(done));
}

// The drafts of a batch and the answers as they come. Shared by the completions of its items; the
// last one to come completes the batch.
struct Jobs::Batch {
  struct Item {
    std::size_t index;  // among the replies
    Draft draft;
  };
  Principal who;
  RequestFacts facts;
  Timestamp now;
  std::vector<Item> items;  // those without fault
  BatchReply replies;
  std::atomic<std::size_t> missing;  // replies to come, and one for who sends them off
  Done<BatchReply> done;

  void count_down() {
    if (--missing == 0) done(std::move(replies));
  }
};

void Jobs::submit_batch(const Principal& who, const std::vector<const json::Value*>& items,
                        const RequestFacts& facts, Done<BatchReply> done) {
  auto batch = std::make_shared<Batch>();
  batch->who = who;
  batch->facts = facts;
  batch->now = clock_.now();
  batch->replies.resize(items.size());
  batch->done = std::move(done);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto draft = draft_new(who, *items[i], {}, batch->now)) {
      batch->items.push_back({i, std::move(*draft)});
    } else {
      batch->replies[i] = std::unexpected(std::move(draft).error());
    }
  }
  batch->missing = batch->items.size() + 1;
  if (facts.idempotency_key.empty() || batch->items.empty()) {
    commit_batch(std::move(batch), 0);
    return;
  }
  // The first job stands guard: with another body under the same key nothing at all is made.
  auto guard = std::move(batch->items.front());
  auto idempotency = idempotency_of(who, facts, batch->now);
  commit_new(std::move(guard.draft), std::move(idempotency),
             [this, batch, index = guard.index](Result<JobReply> reply) mutable {
               if (!reply && reply.error().reason == Reason::idempotency_key_reused) {
                 batch->replies.assign(1, std::unexpected(std::move(reply).error()));
                 return batch->done(std::move(batch->replies));
               }
               batch->replies[index] = std::move(reply);
               batch->count_down();
               commit_batch(std::move(batch), 1);
             });
}

// Sends off the items from the one numbered `from`.
void Jobs::commit_batch(std::shared_ptr<Batch> batch, std::size_t from) {
  for (std::size_t i = from; i < batch->items.size(); ++i) {
    auto& item = batch->items[i];
    auto idempotency = idempotency_of(batch->who, batch->facts, batch->now);
    if (idempotency) idempotency->key += " " + std::to_string(i);  // no key of a user has a space
    commit_new(std::move(item.draft), std::move(idempotency),
               [batch, index = item.index](Result<JobReply> reply) {
                 batch->replies[index] = std::move(reply);
                 batch->count_down();
               });
  }
  batch->count_down();
}

void Jobs::put_by_key(const Principal& who, const std::string& key, const json::Value& body,
                      const RequestFacts& facts, Done<JobReply> done) {
  const auto now = clock_.now();
  JobSpec declared;
  declared.key = key;
  auto draft = draft_new(who, body, std::move(declared), now);
  if (!draft) return done(std::unexpected(std::move(draft).error()));
  if (draft->job.spec.key != key) {
    return done(fail_field("/key", "conflicting_key", "differs from the key in the path"));
  }
  const auto found = store_.find_job_by_key(who.project, key);
  if (!found && found.error().reason != Reason::not_found)
    return done(std::unexpected(found.error()));
  if (!found)
    return commit_new(std::move(*draft), idempotency_of(who, facts, now), std::move(done));
  auto spec = std::move(draft->job.spec);
  edit(
      who, found->id,
      [this, spec = std::move(spec)](const Job& stored, Timestamp at) -> Result<Draft> {
        auto next = spec;
        next.schedule.anchor = stored.spec.schedule.anchor;
        next.schedule.seed = stored.spec.schedule.seed;
        const bool is_done = stored.phase != JobPhase::active;
        const bool replaces = is_done || next.schedule != stored.spec.schedule;
        return draft_edit(stored, std::move(next), replaces, at);
      },
      facts, 5, std::move(done));
}

// -- Changes
// -----------------------------------------------------------------------------------------

Result<Jobs::Draft> Jobs::draft_edit(const Job& stored, JobSpec spec, bool replaces_schedule,
                                     Timestamp now) const {
  Draft draft;
  draft.job = stored;
  draft.replaces_schedule = replaces_schedule;
  if (replaces_schedule) {
    CHRONOS_TRY(draft.warnings, check(spec, now));
    CHRONOS_TRY(const auto schedule, Schedule::compile(spec.schedule));
    auto first = plan_first(spec, schedule, now, stored.planned_through, ids_);
    draft.next_run = std::move(first.run);
    draft.job.planned_through = first.planned_through;
    draft.job.parked_at.reset();
    draft.job.runs_planned = 0;
    draft.job.phase = JobPhase::active;
  } else {
    // What did not change was fine once: a job can be paused although it could not be run today.
    if (spec.action != stored.spec.action || spec.notify != stored.spec.notify) {
      CHRONOS_TRY(const auto action, json::parse(spec.action.config));
      CHRONOS_TRY_VOID(check_spec_(spec, action.root()));
    }
    if (stored.spec.paused && !spec.paused) {
      // Resumed: should an instant have come meanwhile, this run answers it, and all since, as a
      // misfire. Only the store knows at the commit; without one it passes the run over.
      const auto parked_at = stored.parked_at.value_or(now);
      draft.next_run =
          PlannedRun{ids_.make<RunId>(), Trigger::schedule, parked_at, parked_at, true, {}};
    }
  }
  draft.job.spec = std::move(spec);
  draft.job.version = stored.version + 1;
  draft.job.updated_at = now;
  return draft;
}

void Jobs::edit(const Principal& who, JobId job, Edit edit, RequestFacts facts, int tries_left,
                Done<JobReply> done) {
  const auto now = clock_.now();
  const auto stored = store_.find_job(who.project, job);
  if (!stored) return done(std::unexpected(stored.error()));
  if (facts.if_version && *facts.if_version != stored->version) {
    return done(fail(Reason::version_mismatch, "the job was changed meanwhile: read it again"));
  }
  auto draft = edit(*stored, now);
  if (!draft) return done(std::unexpected(std::move(draft).error()));
  if (draft->is_unchanged) return done(JobReply{*stored, {}, false, false});
  const bool plans = needs_planning(draft->job.spec);
  store::ReplaceJob change{std::move(draft->job),          stored->version,
                           draft->replaces_schedule,       plans,
                           std::move(draft->next_run),     now,
                           idempotency_of(who, facts, now)};
  store_.commit(std::move(change), [this, who, job, edit = std::move(edit), facts, tries_left,
                                    warnings = std::move(draft->warnings), done = std::move(done)](
                                       Result<store::JobAnswer> answer) mutable {
    if (answer)
      return done(JobReply{std::move(answer->job), std::move(warnings), answer->is_replay, false});
    const bool is_race = answer.error().reason == Reason::version_mismatch && !facts.if_version;
    if (!is_race || tries_left == 0) return done(std::unexpected(std::move(answer).error()));
    this->edit(who, job, std::move(edit), std::move(facts), tries_left - 1, std::move(done));
  });
}

namespace {

// The edit outlives the request's document: it keeps the text and reads it again.
std::string text_of(const json::Value& body) {
  return std::string(body.raw);
}

}  // namespace

void Jobs::reschedule(const Principal& who, JobId job, const json::Value& body,
                      const RequestFacts& facts, Done<JobReply> done) {
  edit(
      who, job,
      [this, text = text_of(body)](const Job& stored, Timestamp now) -> Result<Draft> {
        CHRONOS_TRY(const auto document, json::parse(text));
        auto spec = stored.spec;
        CHRONOS_TRY_VOID(
            read_spec(document.root(), SpecUse::reschedule, limits_, spec, kCredential));
        if (spec.schedule.every)
          spec.schedule.anchor = std::chrono::floor<std::chrono::seconds>(now);
        return draft_edit(stored, std::move(spec), true, now);
      },
      facts, 5, std::move(done));
}

void Jobs::patch(const Principal& who, JobId job, const json::Value& body,
                 const RequestFacts& facts, Done<JobReply> done) {
  edit(
      who, job,
      [this, text = text_of(body)](const Job& stored, Timestamp now) -> Result<Draft> {
        CHRONOS_TRY(const auto document, json::parse(text));
        auto spec = stored.spec;
        CHRONOS_TRY_VOID(read_spec(document.root(), SpecUse::patch, limits_, spec, kCredential));
        const bool replaces = spec.schedule != stored.spec.schedule;
        return draft_edit(stored, std::move(spec), replaces, now);
      },
      facts, 5, std::move(done));
}

void Jobs::set_paused(const Principal& who, JobId job, bool paused, const RequestFacts& facts,
                      Done<JobReply> done) {
  edit(
      who, job,
      [this, paused](const Job& stored, Timestamp now) -> Result<Draft> {
        if (stored.spec.paused == paused) {
          Draft unchanged;
          unchanged.is_unchanged = true;
          return unchanged;
        }
        auto spec = stored.spec;
        spec.paused = paused;
        return draft_edit(stored, std::move(spec), false, now);
      },
      facts, 5, std::move(done));
}

void Jobs::cancel(const Principal& who, JobId job, bool keep_running, const RequestFacts& facts,
                  Done<JobReply> done) {
  store_.commit(store::CancelJob{who.project, job, keep_running, facts.if_version, clock_.now()},
                [done = std::move(done)](Result<store::JobAnswer> answer) mutable {
                  if (!answer) return done(std::unexpected(std::move(answer).error()));
                  done(JobReply{std::move(answer->job), {}, false, false});
                });
}

void Jobs::run_now(const Principal& who, JobId job, const RequestFacts& facts,
                   Done<RunReply> done) {
  const auto now = clock_.now();
  store_.commit(store::RunJob{who.project,
                              job,
                              {ids_.make<RunId>(), Trigger::manual, now, now, false, std::nullopt},
                              now,
                              idempotency_of(who, facts, now)},
                [done = std::move(done)](Result<store::RunAnswer> answer) mutable {
                  if (!answer) return done(std::unexpected(std::move(answer).error()));
                  done(RunReply{answer->run, answer->is_replay});
                });
}

// -- Reading
// -----------------------------------------------------------------------------------------

Result<Job> Jobs::find(const Principal& who, JobId job) const {
  return store_.find_job(who.project, job);
}

Result<Job> Jobs::find_by_key(const Principal& who, const std::string& key) const {
  return store_.find_job_by_key(who.project, key);
}

Result<Page<Job>> Jobs::list(const Principal& who, JobFilter filter) const {
  filter.project = who.project;
  return store_.list_jobs(filter);
}

Result<Status> Jobs::status(const Principal& who, JobId id) const {
  Status status;
  CHRONOS_TRY(status.job, store_.find_job(who.project, id));
  CHRONOS_TRY(const auto live, store_.live_runs(who.project, id));
  if (live.empty()) {
    if (status.job.parked_at) status.waiting_for = "resume";
    if (status.job.last_run) {
      CHRONOS_TRY(const auto last, store_.find_run(who.project, status.job.last_run->id));
      status.attempts_made = last.attempts_made;
    }
    return status;
  }
  // The run that is furthest on is what the caller waits for.
  const auto furthest = std::ranges::max_element(live, {}, [](const Run& run) {
    switch (run.state) {
      case RunState::running:
        return 3;
      case RunState::retrying:
        return 2;
      case RunState::queued:
        return 1;
      default:
        return 0;
    }
  });
  status.attempts_made = furthest->attempts_made;
  if (furthest->state == RunState::retrying) status.waiting_for = "retry";
  if (furthest->state == RunState::queued)
    status.waiting_for = furthest->reason.empty() ? "queue" : furthest->reason;
  if (furthest->state == RunState::planned)
    status.waiting_for = status.job.spec.paused ? "resume" : "scheduled_time";
  return status;
}

}  // namespace chronos::service
