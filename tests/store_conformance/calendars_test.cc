// Calendars: put, delete, who names them, and what a plan must have seen.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class CalendarsTest : public StoreTest {
 protected:
  PutCalendar put(std::string name, std::vector<std::string> dates = {"12-25"}) {
    PutCalendar change;
    change.calendar.project = project_;
    change.calendar.name = std::move(name);
    change.calendar.spec.dates = std::move(dates);
    change.calendar.created_at = change.calendar.updated_at = change.now = now();
    return change;
  }
  JobSpec keeping_to(std::vector<std::string> names) {
    auto spec = every_hour();
    spec.schedule.calendars = std::move(names);
    return spec;
  }
  Calendar calendar(const std::string& name) { return must(store().find_calendar(project_, name)); }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& each : must(store().list_calendars(project_))) all.push_back(each.name);
    return all;
  }
  DeleteCalendar removal(std::string name) { return {project_, std::move(name), std::nullopt}; }
};
CHRONOS_OVER_ALL_STORES(CalendarsTest);

TEST_P(CalendarsTest, CalendarIsKeptWhole) {
  auto change = put("holidays");
  change.calendar.note = "of the office";
  change.calendar.spec.kind = schedule::CalendarKind::business;
  change.calendar.spec.timezone = "Europe/Berlin";
  change.calendar.spec.weekly = {{{"MON-FRI"}, "09:00", "17:00"}};
  change.calendar.spec.events = {{"x", "2026-12-24", "", 48h, "FREQ=YEARLY", {"2027-12-24"}}};
  const auto answer = commit(change);
  EXPECT_TRUE(answer.is_new);
  EXPECT_EQ(answer.calendar.version, 1);
  const auto read = calendar("holidays");
  EXPECT_EQ(read.spec, change.calendar.spec);
  EXPECT_EQ(read.note, "of the office");
  EXPECT_EQ(read.version, 1);
  EXPECT_EQ(read.created_at, now());
  store_.reopen();
  EXPECT_EQ(calendar("holidays").spec, change.calendar.spec);
}

TEST_P(CalendarsTest, ReplacedItsVersionGrowsAndTheSameAgainChangesNothing) {
  commit(put("a"));
  clock_.advance(1h);
  EXPECT_EQ(commit(put("a")).calendar.version, 1);
  EXPECT_EQ(calendar("a").updated_at, now() - 1h);
  const auto replaced = commit(put("a", {"12-26"}));
  EXPECT_FALSE(replaced.is_new);
  EXPECT_EQ(replaced.calendar.version, 2);
  EXPECT_EQ(calendar("a").spec.dates, std::vector<std::string>{"12-26"});
  EXPECT_EQ(calendar("a").created_at, now() - 1h);
  EXPECT_EQ(calendar("a").updated_at, now());
}

TEST_P(CalendarsTest, ExpectedVersionIsCompared) {
  auto change = put("a");
  change.expected_version = 1;
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
  commit(put("a"));
  change.calendar.spec.dates = {"12-26"};
  EXPECT_EQ(commit(change).calendar.version, 2);
  change.calendar.spec.dates = {"12-27"};
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
  auto gone = removal("a");
  gone.expected_version = 1;
  EXPECT_EQ(refusal(try_commit(gone)), "version_mismatch");
  gone.expected_version = 2;
  EXPECT_EQ(commit(gone).calendar.version, 2);
}

TEST_P(CalendarsTest, ANewOneNeedsAFreeName) {
  auto change = put("a");
  change.must_be_new = true;
  commit(change);
  EXPECT_TRUE(commit(change).is_replay) << "repeated as it was";
  change.calendar.spec.dates = {"12-26"};
  EXPECT_EQ(refusal(try_commit(change)), "key_taken");
}

TEST_P(CalendarsTest, IdempotencyKeyAnswersTheSameCalendar) {
  auto change = put("a");
  change.must_be_new = true;
  change.idempotency = Idempotency{id<KeyId>(), "once", Sha256{1}, now()};
  commit(change);
  commit(put("a", {"12-26"}));
  const auto again = commit(change);
  EXPECT_TRUE(again.is_replay);
  EXPECT_EQ(again.calendar.version, 2);
  change.idempotency->fingerprint = Sha256{2};
  EXPECT_EQ(refusal(try_commit(change)), "idempotency_key_reused");
}

TEST_P(CalendarsTest, ProjectsDoNotShareThem) {
  commit(put("b"));
  commit(put("a"));
  auto other = put("b", {"01-01"});
  other.calendar.project = other_project_;
  commit(other);
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(calendar("b").spec.dates, std::vector<std::string>{"12-25"});
  commit(removal("b"));
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  EXPECT_EQ(must(store().find_calendar(other_project_, "b")).version, 1);
  EXPECT_EQ(refusal(store().find_calendar(project_, "b")), "not_found");
  EXPECT_EQ(refusal(try_commit(removal("b"))), "not_found");
}

// -- Jobs ----------------------------------------------------------------------------------------

TEST_P(CalendarsTest, AJobNamesOnlyWhatIsThere) {
  commit(put("a"));
  const SubmitJob change{new_job(keeping_to({"a", "b"})), std::nullopt, now(), std::nullopt};
  const auto refused = try_commit(change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields.at(0).pointer, "/calendars/1");
  EXPECT_EQ(refused.error().fields.at(0).code, "unknown_calendar");
  auto submitted = submit(new_job(keeping_to({"a"})));
  submitted.spec.edit().schedule.calendars = {"b"};
  auto edit = replacement(submitted);
  edit.replaces_schedule = true;
  EXPECT_EQ(refusal(try_commit(edit)), "invalid_fields");
  EXPECT_EQ(job(submitted).spec->schedule.calendars, std::vector<std::string>{"a"});
}

TEST_P(CalendarsTest, OneInUseStays) {
  commit(put("a"));
  auto submitted = submit_recurring(now() + 1h, keeping_to({"a"}));
  const auto refused = try_commit(removal("a"));
  EXPECT_EQ(refusal(refused), "state_conflict");
  EXPECT_NE(refused.error().message.find(submitted.id.to_string()), std::string::npos);
  // A job that is done does not keep it.
  commit(CancelJob{project_, submitted.id, false, std::nullopt, now()});
  commit(removal("a"));
}

TEST_P(CalendarsTest, AJobThatNamesItNoMoreDoesNotKeepIt) {
  commit(put("a"));
  auto submitted = submit_recurring(now() + 1h, keeping_to({"a"}));
  submitted.spec.edit().schedule.calendars = {};
  commit(replacement(submitted));
  commit(removal("a"));
}

TEST_P(CalendarsTest, DueRunKnowsTheVersionsInTheOrderOfTheJob) {
  commit(put("a"));
  commit(put("b"));
  commit(put("b", {"12-26"}));
  submit_recurring(now(), keeping_to({"b", "a"}));
  EXPECT_EQ(due_one().calendars, (std::vector<CalendarVersion>{{"b", 2}, {"a", 1}}));
}

// -- Planning ------------------------------------------------------------------------------------

TEST_P(CalendarsTest, APlanThatSawAnotherCalendarIsRefused) {
  commit(put("a"));
  submit_recurring(now(), keeping_to({"a"}));
  auto change = plan_for(due_one(), Plan::DueRun::release);
  change.calendars = due_one().calendars;
  commit(put("a", {"12-26"}));
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
  change.calendars = due_one().calendars;
  commit(change);
}

TEST_P(CalendarsTest, AChangedCalendarWakesThePlannedRunsOfItsJobs) {
  commit(put("a"));
  commit(put("b"));
  const auto user = submit_recurring(now() + 24h, keeping_to({"a"}));
  const auto other = submit_recurring(now() + 24h, keeping_to({"b"}));
  commit(put("a"));
  EXPECT_TRUE(must(store().due_runs(now(), 10)).empty()) << "nothing was changed";
  commit(put("a", {"12-26"}));
  const auto due = due_one();
  EXPECT_EQ(due.job->id, user.id);
  EXPECT_EQ(due.planned_at, now() + 24h);
  EXPECT_EQ(job(user).next_run_at, now() + 24h) << "its instant is where it was";
  EXPECT_EQ(job(other).next_run_at, now() + 24h);
  EXPECT_EQ(must(store().next_due_at()), now());
}

TEST_P(CalendarsTest, ARunThatWaitsOnKeepsItsIdAndItsMark) {
  commit(put("a"));
  auto first = to_plan(now() + 1h);
  const auto submitted = submit(new_job(keeping_to({"a"})), first);
  commit(CancelRun{project_, first.id, now()});
  clock_.advance(1h);
  auto change = plan_for(due_one(), Plan::DueRun::wait);
  change.next_run = PlannedRun{first.id, Trigger::schedule, now() + 5h, now() + 2h, true, {}, 3s};
  change.planned_through = now();
  change.rows = {{.id = id<RunId>(),
                  .state = RunState::skipped,
                  .reason = "calendar",
                  .planned_at = now(),
                  .planned_until = {},
                  .error = "excluded by the calendar 'a'"}};
  commit(change);
  const auto waiting = run(first.id);
  EXPECT_EQ(waiting.state, RunState::planned);
  EXPECT_EQ(waiting.planned_at, now() + 5h);
  EXPECT_EQ(waiting.jitter, 3s);
  EXPECT_TRUE(waiting.is_cancel_requested);
  EXPECT_EQ(job(submitted).next_run_at, now() + 5h + 3s);
  EXPECT_EQ(job(submitted).counts.skipped, 1);
  EXPECT_EQ(must(store().next_due_at()), now() + 2h);
  const auto skipped = run(change.rows[0].id);
  EXPECT_EQ(skipped.reason, "calendar");
  EXPECT_EQ(skipped.error, "excluded by the calendar 'a'");
}

TEST_P(CalendarsTest, AWaitingRunKeepsWhatWasParked) {
  commit(put("a"));
  auto declared = new_job(keeping_to({"a"}));
  declared.parked_at = now();
  submit(declared, to_plan(now()));
  auto change = plan_for(due_one(), Plan::DueRun::wait);
  change.next_run = to_plan(now() + 1h);
  change.next_run->id = change.run;
  commit(change);
  EXPECT_EQ(job(declared).parked_at, now());
}

// Another node's clock may be behind, or its look at the calendars older.
TEST_P(CalendarsTest, APlanForAnInstantThatAnotherMovedIsRefused) {
  commit(put("a"));
  submit_recurring(now(), keeping_to({"a"}));
  const auto stale = plan_for(due_one(), Plan::DueRun::release);
  auto moved = stale;
  moved.due_run = Plan::DueRun::wait;
  moved.planned_through = moved.expected_planned_through;
  moved.next_run = to_plan(now() - 1min);
  moved.next_run->id = moved.run;
  commit(moved);
  EXPECT_EQ(refusal(try_commit(stale)), "version_mismatch");
  EXPECT_EQ(due_one().planned_at, now() - 1min);
}

TEST_P(CalendarsTest, EqualSkipsFoldUnlessAnotherCalendarIsNamed) {
  commit(put("a"));
  const auto submitted = submit_recurring(now(), keeping_to({"a"}));
  const auto skip = [&](std::string error) {
    const auto due = due_one();
    auto change = plan_for(due, Plan::DueRun::drop);
    change.rows = {{.id = id<RunId>(),
                    .state = RunState::skipped,
                    .reason = "calendar",
                    .planned_at = due.planned_at,
                    .planned_until = {},
                    .error = std::move(error)}};
    change.next_run = to_plan(due.planned_at + 1h);
    commit(change);
    clock_.advance(1h);
  };
  skip("a");
  skip("a");
  skip("b");
  std::vector<std::string> rows;
  for (const auto& each : runs_of(submitted)) {
    if (is_final(each.state)) rows.push_back(each.error + std::to_string(each.count));
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"b1", "a2"}));
}

}  // namespace
}  // namespace chronos::store
