#include "world.h"

#include <fmt/format.h>

#include <iostream>

#include "base/time_text.h"

namespace chronos::sim {
namespace {

using namespace std::chrono_literals;

scheduler::SchedulerOptions scheduler_options() {
  scheduler::SchedulerOptions options;
  options.node = "sim";
  options.lanes = {{"http", 8}, {"command", 3}};
  options.queue_limits = {{"narrow", 1}};
  return options;
}

}  // namespace

World::Node::Node(World& world)
    : launcher(world.clock_, world.rng_, world.outside_, 350),
      scheduler(world.store_, launcher, world.clock_, world.ids_, Rng(world.rng_.next()),
                scheduler_options(), {}, [] {}) {}

World::World(WorldOptions options)
    : options_(options),
      rng_(options.seed),
      ids_(clock_, Rng(options.seed + 1)),
      inner_(clock_, {.has_own_thread = false}),
      store_(inner_),
      jobs_(store_, [](const auto&, const auto&) -> Result<void> { return {}; }, clock_, ids_, {}),
      calendars_(store_, clock_) {
  clock_.step_wall(parse_timestamp("2026-03-29T00:30:00Z")->time_since_epoch() +
                   Duration(rng_.between(0, 7'200'000'000)));
  who_ = {ids_.make<KeyId>(), {}, ids_.make<ProjectId>(), "default", Role::admin};
  inner_.commit(store::PutProject{{who_.project, "default", clock_.now()}}, [](const auto&) {});
  change_calendar();
  commit();
  node_ = std::make_unique<Node>(*this);
}

void World::tell(const std::string& what) const {
  if (options_.is_verbose) std::cout << format_timestamp(clock_.now()) << " " << what << "\n";
}

Complaints World::run() {
  for (int i = 0; i < options_.steps; ++i) {
    step(true);
    if (i % 50 != 0) continue;
    if (auto complaints = check(false); !complaints.empty()) return complaints;
  }
  // The faults stop. Recurring jobs are cancelled, so that there is an end to wait for: also those
  // whose submission was still on its way.
  commit();
  for (const auto& job : known_) jobs_.cancel(who_, job, true, {}, [](const auto&) {});
  const auto until = clock_.steady() + SteadyTime(std::chrono::hours(30));
  while (clock_.steady() < until) {
    step(false);
    if (inner_.stats()->leased == 0 && inner_.stats()->due == 0 && inner_.stats()->ready == 0 &&
        inner_.stats()->held == 0 && inner_.stats()->limited == 0 && !store_.has_waiting()) {
      break;
    }
  }
  return check(true);
}

void World::step(bool has_faults) {
  if (has_faults) {
    if (rng_.chance(250)) act_as_user();
    maybe_fault();
  }
  if (!has_faults || rng_.chance(700)) commit();
  const auto next = node_->scheduler.step();
  // Time goes to the next thing that happens, or a little further.
  auto sleep = std::clamp(next - clock_.now(), Duration(1'000), Duration(500'000));
  if (const auto ending = node_->launcher.next_ending()) {
    sleep = std::clamp(Duration(*ending - clock_.steady()), Duration(0), sleep);
  }
  if (rng_.chance(300)) sleep += Duration(rng_.between(0, 2'000'000));
  clock_.advance(sleep);
  outside_.latest_time = std::max(outside_.latest_time, clock_.now());
  node_->launcher.finish_due();
}

void World::commit() {
  store_.pass_on();
  while (inner_.pump()) {
  }
}

void World::maybe_fault() {
  if (rng_.chance(6)) crash();
  if (rng_.chance(3)) {
    const auto jump = Duration(rng_.between(-3'600, 3'600) * 1'000'000);
    tell(fmt::format("clock steps by {}", format_duration(jump)));
    clock_.step_wall(jump);
    outside_.latest_time = std::max(outside_.latest_time, clock_.now());
  }
}

void World::crash() {
  ++crashes_;
  if (rng_.chance(500)) {
    tell("crash before the commit");
    store_.drop_waiting();
  } else {
    tell("crash after the commit");
    commit();
  }
  node_.reset();
  inner_.start_epoch();
  const auto downtime = Duration(rng_.between(0, rng_.chance(200) ? 900'000'000 : 20'000'000));
  clock_.advance(downtime);
  outside_.latest_time = std::max(outside_.latest_time, clock_.now());
  node_ = std::make_unique<Node>(*this);
}

void World::act_as_user() {
  if (known_.size() < 12 || rng_.chance(100)) {
    submit();
  } else {
    change_some_job();
  }
}

void World::submit() {
  const auto pick = [&](auto... values) {
    const std::vector<std::string> all = {values...};
    return all[static_cast<std::size_t>(
        rng_.between(0, static_cast<std::int64_t>(all.size()) - 1))];
  };
  const auto in_a_while =
      format_timestamp(clock_.now() + Duration(rng_.between(-60, 600) * 1'000'000));
  const auto schedule =
      pick(std::string(R"("cron":"*/5 * * * * *",)"), std::string(R"("cron":"* * * * *",)"),
           std::string(R"("cron":["*/7 * * * * *","30 * * * * *"],"max_runs":40,)"),
           std::string(R"("cron":"30 2 * * *","timezone":"Europe/Berlin",)"),
           std::string(R"("every":"11s",)"),
           std::string(R"("cron":"*/10 * * * * *","calendars":["closed"],)"),
           std::string(R"("every":"13s","jitter":"7s","calendars":["closed"],)"),
           std::string(R"("cron":"* * * * *","jitter":{"max":"50s","mode":"stable"},)"),
           std::string(R"("cron":"@reboot",)"), R"("scheduled_time":")" + in_a_while + R"(",)",
           std::string());
  const auto limits =
      pick(std::string(), std::string(), R"("concurrency":{"key":"two","max":2},)",
           R"("rate":{"key":"some","max":5,"per":"20s"},)",
           R"("concurrency":{"key":"one","max":1},"rate":{"key":"few","max":3,"per":"10s"},)");
  const auto body = fmt::format(
      R"({{"name":"job",{}{}"action":{{"kind":"{}"}},"max_attempts":{},"overlap":"{}",)"
      R"("misfire":{{"policy":"{}","grace":"{}","max":20}},"on_lost":"{}","queue":"{}","priority":{},)"
      R"("timeout":"60s","retry":{{"delay":"{}"}},"notify":[{{"email":["a@example.com"]}}]}})",
      schedule, limits, pick("http", "command"), rng_.between(1, 4),
      pick("skip", "queue_one", "queue_all", "cancel_running", "allow"),
      pick("run_once", "run_all", "skip", "ask"), pick("1s", "60s"), pick("retry", "fail"),
      pick("default", "narrow"), rng_.between(0, 9), pick("100ms", "5s"));
  const auto document = json::parse(body);
  jobs_.submit(who_, document->root(), {}, [this, body](Result<service::JobReply> reply) {
    if (!reply) throw std::runtime_error(reply.error().message + " " + body);
    known_.push_back(reply->job.id);
    tell("acknowledged " + reply->job.id.to_string() + " " + body);
  });
}

// Closed, or open, for some minutes a day, around now.
void World::change_calendar() {
  const auto minute = [](Timestamp time) { return format_timestamp(time).substr(11, 5); };
  const auto from = clock_.now() + std::chrono::minutes(rng_.between(-8, 3));
  const auto body = fmt::format(R"({{"kind":"{}","weekly":[{{"from":"{}","to":"{}"}}]}})",
                                rng_.chance(300) ? "business" : "blackout", minute(from),
                                minute(from + std::chrono::minutes(rng_.between(1, 10))));
  tell("calendar " + body);
  const auto document = json::parse(body);
  calendars_.put(who_, "closed", document->root(), {}, [](const auto&) {});
}

// For good, or for a while.
void World::pause(JobId job) {
  const auto end = clock_.now() + Duration(rng_.between(1, 120) * 1'000'000);
  const auto document = json::parse(
      rng_.chance(500) ? fmt::format(R"({{"until":"{}"}})", format_timestamp(end)) : "{}");
  jobs_.pause(who_, job, document->root(), {}, [](const auto&) {});
}

void World::change_some_job() {
  const auto job = known_[static_cast<std::size_t>(
      rng_.between(0, static_cast<std::int64_t>(known_.size()) - 1))];
  const auto ignore = [](const auto&) {};
  switch (rng_.between(0, 7)) {
    case 0:
      return jobs_.cancel(who_, job, rng_.chance(500), {}, ignore);
    case 1:
      return jobs_.run_now(who_, job, {}, ignore);
    case 2:
      return pause(job);
    case 3:
      return jobs_.resume(who_, job, {}, ignore);
    case 4:
      return change_calendar();
    case 5: {
      rescheduled_.insert(job);
      const auto document = json::parse(R"({"cron":"*/9 * * * * *"})");
      return jobs_.reschedule(who_, job, document->root(), {}, ignore);
    }
    case 6:
      return backfill(job);
    default: {
      const auto live = inner_.live_runs(who_.project, job);
      if (live->empty()) return;
      return store_.commit(store::CancelRun{who_.project, live->front().id, clock_.now()}, ignore);
    }
  }
}

void World::backfill(JobId job) {
  store::Backfill change{.project = who_.project,
                         .job = job,
                         .expected_version = inner_.find_job(who_.project, job)->version,
                         .runs = {},
                         .holds = rng_.chance(500),
                         .now = clock_.now(),
                         .idempotency = {}};
  for (auto ago = rng_.between(1, 8); ago > 0; --ago) {
    const auto instant = clock_.now() - Duration(ago * 1'000'000);
    change.runs.push_back(
        {ids_.make<RunId>(), Trigger::backfill, instant, clock_.now(), false, std::nullopt});
  }
  store_.commit(std::move(change), [](const auto&) {});
}

Complaints World::check(bool at_end) {
  const auto history = read_history(inner_, who_.project);
  Complaints all;
  const auto add = [&](Complaints complaints) {
    all.insert(all.end(), complaints.begin(), complaints.end());
  };
  add(states_.check(history));
  add(check_no_double_fire(history));
  add(check_overlap(inner_, who_.project, history));
  add(check_limits(inner_, who_.project, history, outside_));
  add(check_attempts(inner_, who_.project, history, outside_));
  add(check_ledger(inner_, who_.project, history, rescheduled_, crashes_ + 1));
  add(check_deliveries(inner_, who_.project, history));
  for (const auto& job : known_) {
    if (!history.contains(job)) all.push_back(job.to_string() + " was acknowledged and is gone");
  }
  if (at_end) add(check_all_done(history, clock_.now()));
  return all;
}

std::string World::summary() const {
  return fmt::format("{} jobs, {} starts, {} crashes", known_.size(), outside_.starts.size(),
                     crashes_);
}

}  // namespace chronos::sim
