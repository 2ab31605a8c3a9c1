// What users ask of the nodes in a simulated history.
#include <fmt/format.h>

#include <iterator>
#include <stdexcept>

#include "base/crypto.h"
#include "base/time_text.h"
#include "world.h"

namespace chronos::sim {
namespace {

constexpr std::size_t kJobsAtLeast = 12;
constexpr int kBurst = 40;

}  // namespace

// One that answers, if any does.
World::Machine* World::some_machine() {
  auto& machine = *machines_[static_cast<std::size_t>(
      rng_.between(0, static_cast<std::int64_t>(machines_.size()) - 1))];
  return is_up(machine) ? &machine : nullptr;
}

void World::act_as_user() {
  auto* machine = some_machine();
  if (machine == nullptr) return;
  if (!unsure_.empty()) {
    auto asked = std::move(unsure_.back());
    unsure_.pop_back();
    return ask(*machine, std::move(asked));
  }
  if (rng_.chance(plan_.burst)) {
    tell("a crowd");
    for (int i = 0; i < kBurst; ++i) submit(*machine);
  }
  if (known_.size() < kJobsAtLeast || rng_.chance(100)) {
    submit(*machine);
  } else {
    change_some_job(*machine);
  }
}

void World::submit(Machine& machine) {
  ++asked_;
  ask(machine, {fmt::format("key-{}", asked_), new_body()});
}

// Until there is an answer, of any node: the key makes the repetition harmless.
void World::ask(Machine& machine, const Asked& asked) {
  const auto document = json::parse(asked.body);
  const service::RequestFacts facts{
      .idempotency_key = asked.key, .fingerprint = sha256(asked.body), .if_version = {}};
  machine.waiting.emplace(asked.key, asked);
  machine.jobs.submit(who_, document->root(), facts,
                      [this, asked, &machine](Result<service::JobReply> reply) {
                        machine.waiting.erase(asked.key);
                        if (reply) {
                          if (!reply->is_replay)
                            tell("acknowledged " + asked.key + " " + asked.body);
                          known_.insert(reply->job.id);
                        } else if (reply.error().code() == ErrorCode::invalid_argument) {
                          throw std::runtime_error(reply.error().message + " " + asked.body);
                        } else {
                          unsure_.push_back(asked);
                        }
                      });
}

std::string World::new_body() {
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
  return fmt::format(
      R"({{"name":"job {}",{}{}"action":{{"kind":"{}"}},"max_attempts":{},"overlap":"{}",)"
      R"("misfire":{{"policy":"{}","grace":"{}","max":20}},"on_lost":"{}","queue":"{}","priority":{},)"
      R"("timeout":"60s","retry":{{"delay":"{}"}},"notify":[{{"email":["a@example.com"]}}]}})",
      asked_, schedule, limits, pick("http", "command"), rng_.between(1, 4),
      pick("skip", "queue_one", "queue_all", "cancel_running", "allow"),
      pick("run_once", "run_all", "skip", "ask"), pick("1s", "60s"), pick("retry", "fail"),
      pick("default", "narrow"), rng_.between(0, 9), pick("100ms", "5s"));
}

// Closed, or open, for some minutes a day, around now.
void World::change_calendar(Machine& machine) {
  const auto minute = [](Timestamp time) { return format_timestamp(time).substr(11, 5); };
  const auto from = machine.clock.now() + std::chrono::minutes(rng_.between(-8, 3));
  const auto body = fmt::format(R"({{"kind":"{}","weekly":[{{"from":"{}","to":"{}"}}]}})",
                                rng_.chance(300) ? "business" : "blackout", minute(from),
                                minute(from + std::chrono::minutes(rng_.between(1, 10))));
  tell("calendar " + body);
  const auto document = json::parse(body);
  machine.calendars.put(who_, "closed", document->root(), {}, [](const auto&) {});
}

// For good, or for a while.
void World::pause(Machine& machine, JobId job) {
  const auto end = machine.clock.now() + Duration(rng_.between(1, 120) * 1'000'000);
  const auto document = json::parse(
      rng_.chance(500) ? fmt::format(R"({{"until":"{}"}})", format_timestamp(end)) : "{}");
  machine.jobs.pause(who_, job, document->root(), {}, [](const auto&) {});
}

void World::change_some_job(Machine& machine) {
  const auto job =
      *std::next(known_.begin(), rng_.between(0, static_cast<std::int64_t>(known_.size()) - 1));
  const auto ignore = [](const auto&) {};
  switch (rng_.between(0, 7)) {
    case 0:
      return machine.jobs.cancel(who_, job, rng_.chance(500), {}, ignore);
    case 1:
      return machine.jobs.run_now(who_, job, {}, ignore);
    case 2:
      return pause(machine, job);
    case 3:
      return machine.jobs.resume(who_, job, {}, ignore);
    case 4:
      return change_calendar(machine);
    case 5: {
      rescheduled_.insert(job);
      const auto document = json::parse(R"({"cron":"*/9 * * * * *"})");
      return machine.jobs.reschedule(who_, job, document->root(), {}, ignore);
    }
    case 6:
      return backfill(machine, job);
    default: {
      const auto live = inner_->live_runs(who_.project, job);
      if (live->empty()) return;
      return machine.store.commit(
          store::CancelRun{who_.project, live->front().id, machine.clock.now()}, ignore);
    }
  }
}

void World::backfill(Machine& machine, JobId job) {
  store::Backfill change{.project = who_.project,
                         .job = job,
                         .expected_version = inner_->find_job(who_.project, job)->version,
                         .runs = {},
                         .holds = rng_.chance(500),
                         .now = machine.clock.now(),
                         .idempotency = {}};
  for (auto ago = rng_.between(1, 8); ago > 0; --ago) {
    const auto instant = machine.clock.now() - Duration(ago * 1'000'000);
    change.runs.push_back(
        {ids_.make<RunId>(), Trigger::backfill, instant, machine.clock.now(), false, std::nullopt});
  }
  machine.store.commit(std::move(change), [](const auto&) {});
}

}  // namespace chronos::sim
