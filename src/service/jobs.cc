#include "service/jobs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "base/fields.h"
#include "model/planner.h"
#include "schedule/preview.h"
#include "service/calendars.h"

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
constexpr int kJobEditTries = 5;  // when others change the job at the same time

// A schedule that was found to be good, and what is odd about it.
struct CheckedSchedule {
  Schedule schedule;
  schedule::CalendarSet calendars;
  std::vector<FieldError> warnings;
};

Result<CheckedSchedule> check_schedule(const store::Store& store, ProjectId project,
                                       const JobSpec& spec, Timestamp now) {
  CHRONOS_TRY(auto schedule, Schedule::compile(spec.schedule));
  CHRONOS_TRY_VOID(schedule.check_fires_after(now));
  CHRONOS_TRY_VOID(schedule::check_jitter(schedule, now));
  CHRONOS_TRY(auto calendars, load_calendars(store, project, spec.schedule.calendars));
  std::vector<FieldError> warnings;
  for (const auto& warning : schedule.warnings(now)) {
    warnings.push_back({"", warning.code, warning.message, {}, 0, 0});
  }
  if (spec.schedule.at && *spec.schedule.at < now) {
    warnings.push_back({"/scheduled_time",
                        "scheduled_time_in_past",
                        "the time has passed: the job runs at once and keeps its planned instant",
                        {},
                        0,
                        0});
  }
  if (!calendars.empty() && schedule::preview(schedule, now, 1, calendars).next.empty()) {
    warnings.push_back({"/calendars",
                        "nothing_open",
                        "in the next years the calendars leave open no instant of the schedule",
                        {},
                        0,
                        0});
  }
  return CheckedSchedule{std::move(schedule), std::move(calendars), std::move(warnings)};
}

// Adds the problems of `error` to those found so far, each place once: what could not be read is
// not found wrong a second time.
void add_problems(std::optional<Error>& found, const Error& error) {
  if (!found) {
    found = error;
    return;
  }
  for (const auto& field : error.fields) {
    const bool is_known = std::ranges::any_of(
        found->fields, [&](const FieldError& known) { return known.pointer == field.pointer; });
    if (!is_known) found->fields.push_back(field);
  }
  if (!found->fields.empty()) {
    found = fields::refuse_all("the job", std::move(found->fields)).error();
  }
}

// A pause that is given now must end later.
Result<void> check_pause(const JobSpec& spec, std::string_view pointer, Timestamp now) {
  if (!spec.paused_until || *spec.paused_until > now) return {};
  return fail_field(std::string(pointer), "out_of_range", "has passed already",
                    "a later time, or none to pause until it is resumed");
}

struct PauseRequest {
  std::optional<Timestamp> until;
  std::optional<std::string> note;
};

struct NoteLength {
  void check(const std::optional<std::string>& note, const fields::Place& place) const {
    if (note) fields::Length{0, kNoteMax}.check(*note, place);
  }
};

constexpr std::array kPauseFields = {
    fields::row<&PauseRequest::until>("until"),
    fields::row<&PauseRequest::note, NoteLength{}>("note"),
};

// A key from elsewhere than a body, by the same rule as one in a body.
Result<void> read_key(const std::string& key, const SpecRules& rules, JobSpec& spec) {
  std::string text = R"({"key":)";
  json::append_string(text, key);
  text += '}';
  CHRONOS_TRY(const auto document, json::parse(text));
  return read_spec(document.root(), SpecUse::patch, rules, spec);
}

// Whether two declarations say the same; what only the schedule needs is part of it.
bool say_the_same(const JobSpec& a, const JobSpec& b) {
  return a.payload == b.payload && encode_spec(a) == encode_spec(b);
}

store::Done<store::JobAnswer> reply_to(Done<JobReply> done, std::vector<FieldError> warnings) {
  return [warnings = std::move(warnings),
          done = std::move(done)](Result<store::JobAnswer> answer) mutable {
    if (!answer) return done(std::unexpected(std::move(answer).error()));
    done(JobReply{std::move(answer->job), std::move(warnings), answer->is_replay,
                  !answer->is_holder});
  };
}

}  // namespace

Jobs::Jobs(store::Store& store, SpecCheck check_spec, const Clock& clock, IdSource& ids,
           SpecRules rules)
    : store_(store), check_spec_(std::move(check_spec)), clock_(clock), ids_(ids), rules_(rules) {}

// -- Checking ------------------------------------------------------------------------------------

Result<void> Jobs::check_parts(ProjectId project, const JobSpec& spec,
                               const json::Value& action) const {
  const bool names_channels = std::ranges::any_of(
      spec.notify, [](const NotifyRule& rule) { return !rule.channel.empty(); });
  if (!names_channels) return check_spec_(spec, action);
  // Those of the project are there; whether the others are is for the configuration to say.
  auto others = spec;
  for (auto& rule : others.notify) {
    if (rule.channel.empty()) continue;
    const auto channel = store_.find_channel(project, rule.channel);
    if (channel) rule.channel.clear();
    if (!channel && channel.error().reason != Reason::not_found) {
      return std::unexpected(channel.error());
    }
  }
  return check_spec_(others, action);
}

// -- New jobs ------------------------------------------------------------------------------------

Result<Jobs::Draft> Jobs::draft_new(const Principal& who, const json::Value& body,
                                    Shared<JobSpec> declared, Timestamp now) const {
  auto& spec = declared.edit();
  std::optional<Error> problems;
  if (const auto read = read_spec(body, SpecUse::submit, rules_, spec, kCredential); !read) {
    add_problems(problems, read.error());
  }
  if (!spec.action.config.empty()) {  // else found to be missing already
    if (const auto good = check_parts(who.project, spec, *body.find("action")); !good) {
      add_problems(problems, good.error());
    }
  }
  if (const auto good = check_pause(spec, "/paused_until", now); !good) {
    add_problems(problems, good.error());
  }
  spec.schedule.anchor = std::chrono::floor<std::chrono::seconds>(now);
  spec.schedule.seed = spec.key.value_or(spec.name);
  auto checked = check_schedule(store_, who.project, spec, now);
  if (!checked) add_problems(problems, checked.error());
  if (problems) return std::unexpected(std::move(*problems));
  Draft draft;
  draft.warnings = std::move(checked->warnings);
  draft.job.id = ids_.make<JobId>();
  auto first =
      plan_first({draft.job.id, spec, checked->schedule, now, {}, checked->calendars}, ids_);
  draft.next_run = first.run;
  draft.job.project = who.project;
  draft.job.spec = std::move(declared);
  draft.job.created_at = draft.job.updated_at = now;
  draft.job.planned_through = first.planned_through;
  return draft;
}

store::SubmitJob Jobs::change_of(const Principal& who, Draft& draft,
                                 std::optional<store::Idempotency> idempotency) {
  const auto now = draft.job.created_at;
  return {std::move(draft.job), draft.next_run, now, std::move(idempotency),
          author_of(who, ids_, now, kSubmitAction)};
}

void Jobs::commit_new(const Principal& who, Draft draft,
                      std::optional<store::Idempotency> idempotency, Done<JobReply> done) {
  store_.commit(change_of(who, draft, std::move(idempotency)),
                reply_to(std::move(done), std::move(draft.warnings)));
}

void Jobs::submit(const Principal& who, const json::Value& body, const RequestFacts& facts,
                  Done<JobReply> done) {
  const auto now = clock_.now();
  auto draft = draft_new(who, body, {}, now);
  if (!draft) return done(std::unexpected(std::move(draft).error()));
  commit_new(who, std::move(*draft), idempotency_of(who, facts, now), std::move(done));
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
    commit_batch(batch, 0);
    return;
  }
  // The first job stands guard: with another body under the same key nothing at all is made.
  auto guard = std::move(batch->items.front());
  auto idempotency = idempotency_of(who, facts, batch->now);
  commit_new(who, std::move(guard.draft), std::move(idempotency),
             [this, batch, index = guard.index](Result<JobReply> reply) mutable {
               if (!reply && reply.error().reason == Reason::idempotency_key_reused) {
                 batch->replies.assign(1, std::unexpected(std::move(reply).error()));
                 return batch->done(std::move(batch->replies));
               }
               batch->replies[index] = std::move(reply);
               batch->count_down();
               commit_batch(batch, 1);
             });
}

// Sends off the items from the one numbered `from`.
void Jobs::commit_batch(const std::shared_ptr<Batch>& batch, std::size_t from) {
  std::vector<store::Operation> operations;
  for (std::size_t i = from; i < batch->items.size(); ++i) {
    auto& item = batch->items[i];
    auto idempotency = idempotency_of(batch->who, batch->facts, batch->now);
    if (idempotency) idempotency->key += " " + std::to_string(i);  // no key of a user has a space
    auto change = change_of(batch->who, item.draft, std::move(idempotency));
    auto done = [batch, index = item.index](Result<JobReply> reply) {
      batch->replies[index] = std::move(reply);
      batch->count_down();
    };
    operations.push_back(store::make_operation(
        std::move(change), reply_to(std::move(done), std::move(item.draft.warnings))));
  }
  store_.commit_all(std::move(operations));
  batch->count_down();
}

void Jobs::put_by_key(const Principal& who, const std::string& key, const json::Value& body,
                      const RequestFacts& facts, Done<JobReply> done) {
  const auto now = clock_.now();
  JobSpec declared;
  if (auto good = read_key(key, rules_, declared); !good)
    return done(std::unexpected(std::move(good).error()));
  auto draft = draft_new(who, body, std::move(declared), now);
  if (!draft) return done(std::unexpected(std::move(draft).error()));
  if (draft->job.spec->unique) {
    return done(fail_field("/unique", "not_applicable", "a job with a key is unique already"));
  }
  if (draft->job.spec->key != key) {
    return done(fail_field("/key", "conflicting_key", "differs from the key in the path"));
  }
  const auto found = store_.find_job_by_key(who.project, key);
  if (!found && found.error().reason != Reason::not_found)
    return done(std::unexpected(found.error()));
  if (!found) return create_by_key(who, std::move(*draft), facts, std::move(done));
  // A paused job stays so unless the declaration speaks of it.
  const bool says_paused = body.find("paused") != nullptr || body.find("paused_until") != nullptr;
  replace_by_key(who, found->id, std::move(draft->job.spec), says_paused, facts, std::move(done));
}

void Jobs::create_by_key(const Principal& who, Draft draft, const RequestFacts& facts,
                         Done<JobReply> done) {
  if (facts.if_version) {
    return done(fail(Reason::version_mismatch, "there is no job with this key yet"));
  }
  auto spec = draft.job.spec;
  auto idempotency = idempotency_of(who, facts, draft.job.created_at);
  commit_new(who, std::move(draft), std::move(idempotency),
             [this, who, spec = std::move(spec), facts,
              done = std::move(done)](Result<JobReply> reply) mutable {
               if (reply || reply.error().reason != Reason::key_taken)
                 return done(std::move(reply));
               // Somebody else made it meanwhile.
               const auto made = store_.find_job_by_key(who.project, *spec->key);
               if (!made) return done(std::unexpected(made.error()));
               replace_by_key(who, made->id, std::move(spec), true, facts, std::move(done));
             });
}

void Jobs::replace_by_key(const Principal& who, JobId job, Shared<JobSpec> spec, bool says_paused,
                          const RequestFacts& facts, Done<JobReply> done) {
  edit(who, job,
       {"job.update",
        [this, spec = std::move(spec), says_paused](const Job& stored,
                                                    Timestamp now) -> Result<Draft> {
          JobSpec next = spec;
          next.schedule.anchor = stored.spec->schedule.anchor;
          next.schedule.seed = stored.spec->schedule.seed;
          if (!says_paused) {
            next.paused = stored.spec->paused;
            next.paused_until = stored.spec->paused_until;
          }
          // The same again changes nothing: a job that is done does not run anew.
          const bool is_cancelled = stored.phase == JobPhase::cancelled;
          if (!is_cancelled && say_the_same(next, stored.spec)) return unchanged();
          const bool replaces = is_cancelled || next.schedule != stored.spec->schedule;
          return draft_edit(stored, std::move(next), replaces, now);
        }},
       facts, kJobEditTries, std::move(done));
}

// -- Changes -------------------------------------------------------------------------------------

Jobs::Draft Jobs::unchanged() {
  Draft draft;
  draft.is_unchanged = true;
  return draft;
}

Result<Jobs::Draft> Jobs::read_edit(const Job& stored, std::string_view text, SpecUse use,
                                    Timestamp now) const {
  CHRONOS_TRY(const auto document, json::parse(text));
  JobSpec spec = stored.spec;
  CHRONOS_TRY_VOID(read_spec(document.root(), use, rules_, spec, kCredential));
  const bool replaces = use == SpecUse::reschedule || spec.schedule != stored.spec->schedule;
  if (use == SpecUse::reschedule && spec.schedule.every) {
    spec.schedule.anchor = std::chrono::floor<std::chrono::seconds>(now);
  }
  return draft_edit(stored, std::move(spec), replaces, now);
}

Result<Jobs::Draft> Jobs::draft_edit(const Job& stored, JobSpec spec, bool replaces_schedule,
                                     Timestamp now) const {
  std::optional<Error> problems;
  // What did not change was fine once: a job can be paused although it could not be run today.
  const bool has_new_parts =
      replaces_schedule || spec.action != stored.spec->action || spec.notify != stored.spec->notify;
  if (has_new_parts && !spec.action.config.empty()) {
    CHRONOS_TRY(const auto action, json::parse(spec.action.config));
    if (const auto good = check_parts(stored.project, spec, action.root()); !good) {
      add_problems(problems, good.error());
    }
  }
  if (spec.paused_until != stored.spec->paused_until) {
    if (const auto good = check_pause(spec, "/paused_until", now); !good) {
      add_problems(problems, good.error());
    }
  }
  Draft draft;
  draft.job = stored;
  draft.replaces_schedule = replaces_schedule;
  if (replaces_schedule) {
    auto checked = check_schedule(store_, stored.project, spec, now);
    if (!checked) add_problems(problems, checked.error());
    if (problems) return std::unexpected(std::move(*problems));
    draft.warnings = std::move(checked->warnings);
    auto first = plan_first(
        {stored.id, spec, checked->schedule, now, stored.planned_through, checked->calendars},
        ids_);
    draft.next_run = first.run;
    draft.job.planned_through = first.planned_through;
    draft.job.parked_at.reset();
    draft.job.runs_planned = 0;
    draft.job.phase = JobPhase::active;
  } else if (stored.spec->paused && !spec.paused) {
    draft.next_run = plan_resumption(stored, now, ids_);
  }
  if (problems) return std::unexpected(std::move(*problems));
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
  auto draft = edit.next(*stored, now);
  if (!draft) return done(std::unexpected(std::move(draft).error()));
  const bool moves_pause =
      !draft->is_unchanged && (draft->job.spec->paused != stored->spec->paused ||
                               draft->job.spec->paused_until != stored->spec->paused_until);
  if (moves_pause && !allows(who.role, Role::operator_)) {
    return done(fail(Reason::role_too_low, "pausing and resuming need the role operator"));
  }
  // After the values: who asks with a version that is none learns whether they are good.
  if (facts.if_version && *facts.if_version != stored->version) {
    return done(changed_meanwhile("job"));
  }
  if (draft->is_unchanged) return done(JobReply{*stored, {}, false, false});
  const bool plans = needs_planning(draft->job.spec);
  store::ReplaceJob change{std::move(draft->job),
                           stored->version,
                           draft->replaces_schedule,
                           plans,
                           draft->next_run,
                           now,
                           idempotency_of(who, facts, now),
                           author_of(who, ids_, now, edit.action)};
  store_.commit(std::move(change), [this, who, job, edit = std::move(edit), facts, tries_left,
                                    warnings = std::move(draft->warnings), done = std::move(done)](
                                       Result<store::JobAnswer> answer) mutable {
    if (answer)
      return done(JobReply{std::move(answer->job), std::move(warnings), answer->is_replay, false});
    // Whether it is still the version that the caller asked for is looked at again.
    const bool is_race = answer.error().reason == Reason::version_mismatch;
    if (!is_race) return done(std::unexpected(std::move(answer).error()));
    if (tries_left == 0) {
      return done(fail(Reason::state_conflict, "others change the job all the time: try again"));
    }
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
  edit(who, job,
       {"job.update",
        [this, text = text_of(body)](const Job& stored, Timestamp now) {
          return read_edit(stored, text, SpecUse::reschedule, now);
        }},
       facts, kJobEditTries, std::move(done));
}

void Jobs::patch(const Principal& who, JobId job, const json::Value& body,
                 const RequestFacts& facts, Done<JobReply> done) {
  edit(who, job,
       {"job.update",
        [this, text = text_of(body)](const Job& stored, Timestamp now) {
          return read_edit(stored, text, SpecUse::patch, now);
        }},
       facts, kJobEditTries, std::move(done));
}

void Jobs::pause(const Principal& who, JobId job, const json::Value& body,
                 const RequestFacts& facts, Done<JobReply> done) {
  PauseRequest request;
  if (auto read = fields::read_document<PauseRequest>("the pause", kPauseFields, body, request);
      !read) {
    return done(std::unexpected(std::move(read).error()));
  }
  edit(who, job,
       {"job.pause",
        [this, request](const Job& stored, Timestamp now) -> Result<Draft> {
          JobSpec spec = stored.spec;
          spec.paused = true;
          spec.paused_until = request.until;
          if (request.note) spec.note = *request.note;
          if (say_the_same(spec, stored.spec)) return unchanged();
          CHRONOS_TRY_VOID(check_pause(spec, "/until", now));
          return draft_edit(stored, std::move(spec), false, now);
        }},
       facts, kJobEditTries, std::move(done));
}

void Jobs::resume(const Principal& who, JobId job, const RequestFacts& facts, Done<JobReply> done) {
  edit(who, job,
       {"job.resume",
        [this](const Job& stored, Timestamp now) -> Result<Draft> {
          if (!stored.spec->paused) return unchanged();
          JobSpec spec = stored.spec;
          spec.paused = false;
          spec.paused_until.reset();
          return draft_edit(stored, std::move(spec), false, now);
        }},
       facts, kJobEditTries, std::move(done));
}

void Jobs::restore(const Principal& who, JobId job, std::int64_t version, const RequestFacts& facts,
                   Done<JobReply> done) {
  const auto found = store_.find_version(who.project, job, version);
  if (!found) return done(std::unexpected(found.error()));
  edit(who, job,
       {"job.restore",
        [this, spec = found->spec](const Job& stored, Timestamp now) -> Result<Draft> {
          JobSpec next = spec;
          next.paused = stored.spec->paused;
          next.paused_until = stored.spec->paused_until;
          const bool is_cancelled = stored.phase == JobPhase::cancelled;
          if (!is_cancelled && say_the_same(next, stored.spec)) return unchanged();
          const bool replaces = is_cancelled || next.schedule != stored.spec->schedule;
          return draft_edit(stored, std::move(next), replaces, now);
        }},
       facts, kJobEditTries, std::move(done));
}

void Jobs::cancel(const Principal& who, JobId job, bool keep_running, const RequestFacts& facts,
                  Done<JobReply> done) {
  const auto now = clock_.now();
  store_.commit(store::CancelJob{who.project, job, keep_running, facts.if_version, now,
                                 author_of(who, ids_, now, "job.cancel")},
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
                              idempotency_of(who, facts, now),
                              author_of(who, ids_, now, "job.run")},
                [done = std::move(done)](Result<store::RunAnswer> answer) mutable {
                  if (!answer) return done(std::unexpected(std::move(answer).error()));
                  done(RunReply{answer->run, answer->is_replay});
                });
}

// -- Reading -------------------------------------------------------------------------------------

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

Result<JobVersion> Jobs::find_version(const Principal& who, JobId job, std::int64_t version) const {
  return store_.find_version(who.project, job, version);
}

Result<std::vector<JobVersion>> Jobs::list_versions(const Principal& who, JobId job,
                                                    std::int64_t before, int limit) const {
  return store_.list_versions(who.project, job, before, limit);
}

}  // namespace chronos::service
