#include "store/sql/statement_cost_operations.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/live.h"
#include "support/large_database.h"

namespace chronos::store::sql {
namespace {

using namespace std::chrono_literals;
using test::large::job;
using test::large::kFuture;
using test::large::kInLine;
using test::large::kLeased;
using test::large::kLive;
using test::large::kNow;
using test::large::kReady;
using test::large::kRecurring;
using test::large::kRetrying;
using test::large::project;
using test::large::run;
using test::large::uuid;

constexpr std::int64_t kNew = 90'000'000;  // numbers nothing has yet

// What operations prepare themselves with; not measured.
constexpr Sql kGiveOutput{"UPDATE runs SET output = 1 WHERE project = $1 AND id = $2"};
constexpr Sql kKeepProject{"DELETE FROM projects WHERE id <> $1"};
constexpr Sql kKeepLess{"UPDATE jobs SET retention_runs = 10 WHERE project = $1 AND id = $2"};

const NodeId kNode{uuid('n', 1)};
const NodeId kWorker{uuid('w', 100)};

JobSpec spec_named(std::string name) {
  JobSpec spec;
  spec.name = std::move(name);
  spec.action = {"http", R"({"kind":"http","url":"http://127.0.0.1/hook"})"};
  return spec;
}

Job new_job(JobSpec spec) {
  Job value;
  value.id = job(kNew);
  value.project = project();
  value.spec = std::move(spec);
  value.created_at = value.updated_at = kNow;
  return value;
}

Idempotency idempotency(std::string key) {
  return {.caller = {uuid('k', 1)}, .key = std::move(key), .fingerprint = {}, .at = kNow};
}

SubmitJob submission(JobSpec spec) {
  return {.job = new_job(std::move(spec)),
          .first_run = PlannedRun{.id = run(kNew), .planned_at = kNow + 1h, .at = kNow + 1h},
          .now = kNow,
          .idempotency = idempotency("new")};
}

Result<ReplaceJob> replacement(Desk& desk, JobId id) {
  CHRONOS_TRY(auto before, read_job(desk.reader, project(), id));
  ReplaceJob change{.job = std::move(before), .now = kNow, .idempotency = {}};
  change.expected_version = change.job.version++;
  change.job.spec.edit().queue = "other";
  return change;
}

// -- Reads ---------------------------------------------------------------------------------------

std::vector<Operation> reads_of_one() {
  const auto find = [](RunId id) {
    return [id](Desk& desk) { return done(read_run(desk.reader, project(), id)); };
  };
  const auto stands = [](std::int64_t number) {
    return [number](Desk& desk) {
      return done(read_standing(desk.reader, project(), run(kLive + number), 10'000));
    };
  };
  return {
      {"a job", [](Desk& desk) { return done(read_job(desk.reader, project(), job(7))); }},
      {"a job by its key",
       [](Desk& desk) { return done(read_job_by_key(desk.reader, project(), "key-7")); }},
      {"a final run", find(run(500'000))},
      {"a planned run", find(run(kLive + kFuture.first + 500'000))},
      {"a running run", find(run(kLive + kLeased.first))},
      {"a run in back-off", find(run(kLive + kRetrying.first))},
      {"output",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(store_output(desk.writer, "said"));
         CHRONOS_TRY_VOID(desk.writer.db.run(kGiveOutput, project(), run(2)));
         return done(read_output(desk.reader, project(), run(2), 0, 0));
       }},
      {"the live runs of a job",
       [](Desk& desk) { return done(read_live_runs(desk.reader, project(), job(7))); }},
      {"where a queued run stands", stands(kReady.first)},
      {"where a running run stands", stands(kLeased.first)},
      {"the reasons of a job",
       [](Desk& desk) { return done(reason_counts(desk.reader, project(), job(1))); }},
      {"deliveries of a run",
       [](Desk& desk) { return done(list_deliveries(desk.reader, project(), run(2'000))); }},
      {"a key", [](Desk& desk) { return done(read_key(desk.reader, {uuid('k', 7)})); }},
      {"a session", [](Desk& desk) { return done(read_session(desk.reader, {uuid('s', 7)})); }},
      {"a project", [](Desk& desk) { return done(read_project(desk.reader, project())); }},
  };
}

Operation overview_of(std::string name, ProjectId of) {
  return {std::move(name), [of](Desk& desk) {
            return done(read_overview(
                desk.reader, {.project = of, .now = kNow, .since = kNow - 24h * 7, .ahead = 1h}));
          }};
}

Operation runs_ahead_of(std::string name, ProjectId of) {
  return {std::move(name), [of](Desk& desk) {
            return done(runs_ahead(desk.reader, {.project = of,
                                                 .from = kNow,
                                                 .until = kNow + 24h * 7,
                                                 .runs_max = 500,
                                                 .instants_max = kOverviewLooksMax}));
          }};
}

std::vector<Operation> other_reads() {
  return {
      overview_of("the overview", project()),
      overview_of("the overview of a project with nothing", {uuid('p', 2)}),
      {"the queues", [](Desk& desk) { return done(list_queues(desk.reader, project())); }},
      {"the nodes", [](Desk& desk) { return done(list_nodes(desk.reader, desk.writer.holders)); }},
      {"the newest runs of some jobs",
       [](Desk& desk) {
         RecentAsk ask{.project = project(), .jobs = {}};
         for (std::int64_t i = 1; i <= 50; ++i) ask.jobs.push_back(job(i));
         ask.jobs.push_back(job(test::large::kBackfilled));
         return done(recent_runs(desk.reader, ask));
       }},
      runs_ahead_of("runs ahead", project()),
      {"runs ahead of the only project",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(desk.writer.db.run(kKeepProject, project()));
         return runs_ahead_of("", project()).run(desk);
       }},
      {"the overview of the only project",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(desk.writer.db.run(kKeepProject, project()));
         return overview_of("", project()).run(desk);
       }},
      {"due runs", [](Desk& desk) { return done(due_runs(desk.reader, kNow, 200)); }},
      {"due runs of a job with a calendar",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY(auto value, replacement(desk, job(kRecurring.first)));
         value.job.spec.edit().schedule.calendars = {"calendar-7"};
         value.waiting_needs_planning = true;
         CHRONOS_TRY_VOID(apply(desk.writer, value));
         return done(due_runs(desk.reader, kNow, 200));
       }},
      {"runs that wait to be planned",
       [](Desk& desk) { return done(waiting_runs(desk.reader, {}, 100)); }},
      {"next due", [](Desk& desk) { return done(next_due_at(desk.reader)); }},
      {"next to resume", [](Desk& desk) { return done(next_resume_at(desk.reader)); }},
      {"jobs to resume",
       [](Desk& desk) { return done(jobs_to_resume(desk.reader, kNow + 48h, 100)); }},
      {"zones", [](Desk& desk) { return done(zones_stamp(desk.reader)); }},
      {"expired leases",
       [](Desk& desk) {
         const SystemClock clock;  // nobody was heard of
         return done(expired_leases(desk.reader, 100, *holders_in_memory(clock)));
       }},
      {"leases of runs",
       [](Desk& desk) {
         return done(find_leases(desk.reader, {run(kLive + kLeased.first), run(kNew)}));
       }},
      {"leases of a worker", [](Desk& desk) { return done(leases_of(desk.reader, kWorker)); }},
      {"attempts of workers that had their time",
       [](Desk& desk) { return done(overdue_leases(desk.reader, kNow, 100)); }},
      {"workers",
       [](Desk& desk) { return done(list_workers(desk.reader, project(), desk.writer.holders)); }},
      {"all workers, at the start",
       [](Desk& desk) { return desk.writer.holders.begin(desk.writer.db); }},
      {"next delivery", [](Desk& desk) { return done(next_delivery_at(desk.reader)); }},
      {"keys", [](Desk& desk) { return done(list_keys(desk.reader, project())); }},
      {"projects", [](Desk& desk) { return done(list_projects(desk.reader)); }},
      {"a calendar",
       [](Desk& desk) { return done(find_calendar(desk.reader, project(), "calendar-7")); }},
      {"calendars", [](Desk& desk) { return done(list_calendars(desk.reader, project())); }},
      {"stats", [](Desk& desk) { return done(read_stats(desk.reader)); }},
  };
}

// -- Changes -------------------------------------------------------------------------------------

std::vector<Operation> submits() {
  auto full = spec_named("full");
  full.key = "a-new-key";
  full.tags = {"common", "rare"};
  full.schedule.calendars = {"calendar-7"};
  auto unique = spec_named("unique");
  unique.unique = Unique{.key = "unique-7", .on_conflict = OnConflict::keep};
  auto extended = unique;
  extended.unique->on_conflict = OnConflict::extend;
  extended.unique->holds_while = UniqueWhile::window;
  extended.unique->window = 1h;
  auto replay = submission(spec_named("again"));
  replay.idempotency = idempotency("idem-7");
  auto now = submission(spec_named("now"));
  now.first_run->at = now.first_run->planned_at = kNow;
  return {
      {"submit several, of which one is there",
       [](Desk& desk) {
         const auto fresh = submission(spec_named("fresh"));
         auto there = submission(spec_named("there"));
         there.job.id = job(7);
         there.first_run->id = run(kNew + 1);
         return done(submit_rows(desk.writer, std::array{&fresh, &std::as_const(there)}));
       }},
      change("submit", submission(spec_named("new"))),
      change("submit for now", now),
      change("submit with everything", submission(full)),
      change("submit what is unique", submission(unique)),
      change("submit what is unique for a time", submission(extended)),
      change("submit again", replay),
      {"submit what is there",
       [](Desk& desk) {
         auto again = submission(spec_named("again"));
         again.job.id = job(7);
         again.job.spec.edit().key = "key-7";
         return done(apply(desk.writer, again));
       }},
  };
}

std::vector<Operation> replacements() {
  const auto replace = [](JobId id, std::function<void(ReplaceJob&)> set) {
    return [id, set = std::move(set)](Desk& desk) -> Result<void> {
      CHRONOS_TRY(auto value, replacement(desk, id));
      set(value);
      return done(apply(desk.writer, value));
    };
  };
  return {
      {"replace a declaration", replace(job(kFuture.last), [](ReplaceJob&) {})},
      {"replace that of a queued job", replace(job(kReady.first), [](ReplaceJob&) {})},
      {"replace that of a running job", replace(job(kLeased.first), [](ReplaceJob&) {})},
      {"pause", replace(job(kFuture.last),
                        [](auto& value) {
                          value.job.spec.edit().paused = true;
                          value.waiting_needs_planning = true;
                        })},
      {"reschedule", replace(job(kFuture.first + 10),
                             [](auto& value) {
                               value.replaces_schedule = true;
                               value.job.spec.edit().tags = {"rare"};
                               value.job.spec.edit().key = "another-key";
                               value.job.spec.edit().schedule.calendars = {"calendar-8"};
                               value.next_run = PlannedRun{
                                   .id = run(kNew), .planned_at = kNow + 1h, .at = kNow + 1h};
                             })},
      {"reschedule what retries",
       replace(job(kRetrying.first), [](auto& value) { value.replaces_schedule = true; })},
      {"reschedule what has tags",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY(auto value, replacement(desk, job(kFuture.first)));
         value.job.spec.edit().tags = {"common", "rare"};
         CHRONOS_TRY_VOID(apply(desk.writer, value));
         CHRONOS_TRY(value, replacement(desk, job(kFuture.first)));
         value.job.spec.edit().tags = {};
         return done(apply(desk.writer, value));
       }},
      change(
          "cancel a planned job",
          CancelJob{
              .project = project(), .job = job(kFuture.last), .expected_version = {}, .now = kNow}),
      change("cancel a running job", CancelJob{.project = project(),
                                               .job = job(kLeased.first),
                                               .expected_version = {},
                                               .now = kNow}),
  };
}

std::vector<Operation> other_requests() {
  const PlannedRun once{
      .id = run(kNew), .trigger = Trigger::manual, .planned_at = kNow, .at = kNow};
  Backfill backfill{.project = project(),
                    .job = job(7),
                    .expected_version = 1,
                    .now = kNow,
                    .idempotency = idempotency("fill")};
  for (int i = 0; i < 100; ++i) {
    const auto at = kNow - 1h * i;
    backfill.runs.push_back(
        {.id = run(kNew + i), .trigger = Trigger::backfill, .planned_at = at, .at = at});
  }
  const auto cancel = [](std::int64_t number) {
    return CancelRun{.project = project(), .run = run(number), .now = kNow};
  };
  Calendar calendar{.project = project(), .name = "calendar-7"};
  calendar.spec.dates = {"01-01"};
  return {
      change("run now", RunJob{.project = project(),
                               .job = job(7),
                               .run = once,
                               .now = kNow,
                               .idempotency = idempotency("run")}),
      change("backfill", backfill),
      change("cancel a planned run", cancel(kLive + kFuture.last)),
      change("cancel the planned run of a schedule", cancel(kLive + kRecurring.last)),
      change("cancel a queued run", cancel(kLive + kReady.first)),
      change("cancel a running run", cancel(kLive + kLeased.first)),
      change("cancel a run in back-off", cancel(kLive + kRetrying.first)),
      change("cancel a final run", cancel(1)),
      change("cancel a held run", cancel(test::large::kHeldFrom + 7)),
      change("cancel what held runs wait for", cancel(kLive + test::large::kBackfilled)),
      change("put a calendar", PutCalendar{.calendar = calendar,
                                           .expected_version = {},
                                           .now = kNow,
                                           .idempotency = idempotency("calendar")}),
      change("delete a calendar",
             DeleteCalendar{.project = project(), .name = "calendar-100", .expected_version = {}}),
  };
}

CommitPlan plan(Plan::DueRun what) {
  CommitPlan value;
  value.job = job(1);
  value.expected_version = 1;
  value.run = run(kLive + 1);
  value.expected_planned_at = kNow - 499s;
  value.due_run = what;
  value.planned_through = kNow;
  value.now = kNow;
  value.next_run =
      PlannedRun{.id = run(kNew), .planned_at = kNow + 1h, .at = kNow + 1h, .needs_planning = true};
  return value;
}

std::vector<Operation> plans() {
  auto release = plan(Plan::DueRun::release);
  release.released_planned_at = kNow;
  release.calendars = {{"calendar-7", 1}};
  auto skip = plan(Plan::DueRun::drop);
  skip.next_run.reset();
  skip.phase_at_end = JobPhase::succeeded;
  skip.rows = {
      {.id = run(kNew + 1), .state = RunState::skipped, .reason = "overlap", .planned_at = kNow},
      {.id = run(kNew + 2),
       .state = RunState::skipped,
       .reason = "overlap",
       .planned_at = kNow + 1s}};
  auto wait = plan(Plan::DueRun::wait);
  wait.next_run->id = wait.run;
  auto stop = plan(Plan::DueRun::release);
  stop.cancels_running = true;
  return {
      change("release what is due", ReleaseDue{.now = kNow, .limit = 1000}),
      change("release all that is due", ReleaseDue{.now = kNow, .limit = 10'000}),
      change("plan: release", release),
      change("plan: skip, and that was the last", skip),
      change("plan: hold", plan(Plan::DueRun::hold)),
      change("plan: wait", wait),
      change("plan: stop others", stop),
      change("note the zones", NoteZones{.stamp = 7}),
  };
}

ClaimRuns claim(int max) {
  return {.holder = kNode, .node = "node", .lanes = {{"http", max}}, .now = kNow};
}

std::vector<Operation> claims() {
  auto limited = claim(1000);
  limited.queue_limits = {{"q00", 1010}, {"q01", 5}};
  auto one_queue = claim(1000);
  one_queue.queues = {"q07"};
  auto of_worker = claim(100);
  of_worker.holder = kWorker;
  of_worker.lanes = {{std::string(kWorkerKind), 100}};
  of_worker.project = project();
  const Heartbeat beat{.holder = kWorker,
                       .ttl = 15s,
                       .worker = WorkerWords{{uuid('p', 1)}, "worker", {}},
                       .now = kNow + 1h};
  return {
      change("claim from every queue", claim(1000)),
      change("claim one", claim(1)),
      change("claim within limits", limited),
      change("claim from one queue", one_queue),
      change("claim of a worker", of_worker),
      change("heartbeat", Heartbeat{.holder = kNode, .ttl = 15s}),
      change("turn of a worker", WorkerTurn{.beat = beat, .settled = {}, .claim = of_worker}),
      {"release to workers that wait",
       [](Desk& desk) { return done(apply(desk.writer, ReleaseDue{.now = kNow, .limit = 1000})); }},
  };
}

SettleRun settlement(RunState next) {
  SettleRun value;
  value.run = run(kLive + kLeased.first);
  value.token = 1;
  value.next = next;
  value.retry_at = kNow + 1h;
  value.attempt = {
      .number = 1, .started_at = kNow, .ended_at = kNow, .node = "node", .outcome = {}};
  value.attempt.outcome.output = "said";
  value.now = kNow;
  return value;
}

std::vector<Operation> settlements() {
  auto told = settlement(RunState::failed);
  told.deliveries.push_back({.id = {uuid('d', kNew)},
                             .project = project(),
                             .run = told.run,
                             .target = {"email", "ops"},
                             .message = {}});
  auto lost = settlement(RunState::failed);
  lost.attempt.outcome.kind = OutcomeKind::lost;
  lost.attempt.outcome.output.clear();
  AppendOutput said;
  said.pieces.push_back(
      {.project = project(), .job = {}, .run = lost.run, .token = lost.token, .bytes = "said"});
  return {
      change("settle: succeeded", settlement(RunState::succeeded)),
      change("settle: failed, and tell", told),
      change("settle: try again", settlement(RunState::retrying)),
      change("settle: handed back", settlement(RunState::queued)),
      change("settle: lost", lost),
      change("a running attempt prints", said),
      {"what a running attempt printed",
       [said](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(apply(desk.writer, said));
         return done(read_output(desk.reader, project(), said.pieces.front().run, 0, 3));
       }},
      {"settle after a cancel",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(
             apply(desk.writer, CancelRun{project(), run(kLive + kLeased.first), kNow}));
         return done(apply(desk.writer, settlement(RunState::queued)));
       }},
      {"a run of a job with held ones ends",
       [](Desk& desk) -> Result<void> {
         auto only = claim(1);
         only.queues = {"default"};
         CHRONOS_TRY(const auto claimed, apply(desk.writer, only));
         auto value = settlement(RunState::succeeded);
         value.run = claimed.at(0).run;
         value.token = claimed.at(0).token;
         return done(apply(desk.writer, value));
       }},
  };
}

// -- Limits --------------------------------------------------------------------------------------

JobSpec limited(std::optional<std::string> slots, std::optional<std::string> rate) {
  auto spec = spec_named("limited");
  if (slots) spec.limits.concurrency = ConcurrencyLimit{*slots, 10};
  if (rate) spec.limits.rate = RateLimit{*rate, 10, 1h};
  return spec;
}

SubmitJob now(JobSpec spec) {
  auto value = submission(std::move(spec));
  value.first_run->at = value.first_run->planned_at = kNow;
  return value;
}

std::vector<Operation> limits() {
  constexpr auto kInSlots = kInLine.first;
  constexpr auto kInRate = kInLine.last;
  const auto cancel = [](std::int64_t number) {
    return CancelRun{.project = project(), .run = run(kLive + number), .now = kNow};
  };
  const auto stands = [](std::int64_t number) {
    return [number](Desk& desk) {
      return done(read_standing(desk.reader, project(), run(kLive + number), 10'000));
    };
  };
  auto settled = settlement(RunState::succeeded);  // of a run with a slot: the next one has it
  auto with_rate = claim(100);
  with_rate.queues = {"q01", "q02", "q03"};
  return {
      change("submit with limits that are free", now(limited("new slots", "new rate"))),
      change("submit with a slot of many in line", now(limited("slots 1", {}))),
      change("submit with a rate of many in line", now(limited({}, "rate 1"))),
      change("cancel a run in line for a slot", cancel(kInSlots)),
      change("cancel a run in line for a rate", cancel(kInRate)),
      change("cancel a ready run with a rate", cancel(kReady.last)),
      change("a slot is free again", settled),
      change("claim runs with a rate", with_rate),
      change("release where a line opens", ReleaseDue{.now = kNow + 1s, .limit = 1000}),
      {"the only run of a key goes",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(apply(desk.writer, now(limited("new slots", {}))));
         CHRONOS_TRY_VOID(open_lines(desk.writer, kNow));
         CHRONOS_TRY_VOID(apply(desk.writer, CancelRun{project(), run(kNew), kNow}));
         return open_lines(desk.writer, kNow);
       }},
      {"where a run in line for a slot stands", stands(kInSlots)},
      {"where a run in line for a rate stands", stands(kInRate)},
      {"give a run in line other limits",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY(auto value, replacement(desk, job(kInSlots)));
         value.job.spec.edit().limits = limited("slots 2", "rate 2").limits;
         CHRONOS_TRY_VOID(apply(desk.writer, value));
         return open_lines(desk.writer, kNow);
       }},
  };
}

std::vector<Operation> upkeep() {
  const Delivery delivery{.id = {uuid('d', kNew)},
                          .project = project(),
                          .run = {},
                          .target = {"email", "ops"},
                          .message = {}};
  const Key key{.id = {uuid('k', kNew)},
                .project = project(),
                .name = "key",
                .created_at = kNow,
                .expires_at = {},
                .revoked_at = {},
                .last_used_at = {}};
  const Project made{.id = {uuid('p', kNew)}, .name = "made", .created_at = kNow};
  const Session session{
      .id = {uuid('s', kNew)}, .key = key.id, .created_at = kNow, .expires_at = kNow + 24h};
  const KeyId known{uuid('k', 100)};  // of the project
  return {
      change("claim deliveries", ClaimDeliveries{.now = kNow + 1s, .lease = 1min, .kind = "email"}),
      change("claim deliveries of any kind", ClaimDeliveries{.now = kNow + 1s, .lease = 1min}),
      change("finish a delivery", FinishDelivery{.delivery = {uuid('d', 7)}, .error = {}}),
      change("add deliveries", AddDeliveries{{delivery}, idempotency("deliveries")}),
      change("put a project",
             PutProject{.project = made, .first_key = key, .idempotency = idempotency("project")}),
      change("put a project again", PutProject{.project = {.id = project(), .name = "project-1"},
                                               .first_key = {},
                                               .idempotency = {}}),
      change("bootstrap", Bootstrap{.project = made, .key = key}),
      change("put a key", PutKey{.key = key, .idempotency = idempotency("key")}),
      change("revoke a key",
             RevokeKey{.project = project(), .key = known, .now = kNow, .expires_at = {}}),
      change("rotate a key",
             RevokeKey{.project = project(), .key = known, .now = kNow, .expires_at = kNow + 1h}),
      change("touch keys", TouchKeys{.used = {{known, kNow}, {{uuid('k', 7)}, kNow}}}),
      change("begin a session", PutSession{.session = session, .redeems = SessionId{uuid('s', 7)}}),
      change("end a session", EndSession{.session = {uuid('s', 8)}}),
      change("prune, nothing is old", Prune{.now = kNow, .limit = 100}),
      change("prune, everything is old", Prune{.now = kNow + 24h * 365, .limit = 100}),
      {"prune what is too much",
       [](Desk& desk) -> Result<void> {
         CHRONOS_TRY_VOID(store_output(desk.writer, "said"));
         CHRONOS_TRY_VOID(desk.writer.db.run(kGiveOutput, project(), run(6)));
         CHRONOS_TRY_VOID(desk.writer.db.run(kKeepLess, project(), job(7)));
         return done(apply(desk.writer, Prune{.now = kNow, .limit = 100}));
       }},
      {"write the totals",
       [](Desk& desk) {
         auto& totals = desk.writer.totals;
         totals.jobs[project()] = {.scheduled = 1};
         totals.runs[{project(), "q00"}] = {.due = 1};
         count_end(totals.tallies, {.project = project(), .at = kNow});
         return write_totals(desk.writer);
       }},
  };
}

}  // namespace

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (auto* part : {list_operations, audit_operations, reads_of_one, other_reads, submits,
                     replacements, other_requests, plans, claims, settlements, limits, upkeep}) {
    std::ranges::move(part(), std::back_inserter(all));
  }
  return all;
}

}  // namespace chronos::store::sql
