#include "support/samples.h"

#include <utility>

namespace chronos::test {

using namespace std::chrono_literals;

JobSpec sample_spec(std::string name) {
  JobSpec spec;
  spec.name = std::move(name);
  spec.action = {"http", R"({"kind":"http","url":"http://127.0.0.1/hook"})"};
  return spec;
}

JobSpec full_spec() {
  auto spec = sample_spec("nightly \"report\" ü");
  spec.key = "nightly-report";
  spec.payload = R"({ "kind" : "daily", "n": 1.50 })";
  spec.schedule.cron = {"30 2 * * MON-FRI", "@weekly"};
  spec.schedule.timezone = "Europe/Berlin";
  spec.schedule.dst = DstPolicy::skip;
  spec.schedule.start_at = kStart + 1h;
  spec.schedule.end_at = kStart + 24h * 365;
  spec.schedule.jitter = StartJitter{.max = 30s, .mode = JitterMode::stable};
  spec.max_runs = 12;
  spec.max_attempts = 7;
  spec.retry = {.backoff = Backoff::linear,
                .delay = 3s,
                .max_delay = 10min,
                .jitter = Jitter::none,
                .max_age = 2h,
                .on = {"timed_out"}};
  spec.timeout = 90s;
  spec.deadline = 3h;
  spec.on_lost = OnLost::fail;
  spec.misfire = {.policy = Misfire::run_all, .grace = 5s, .window = 6h, .max = 17};
  spec.overlap = Overlap::queue_all;
  spec.queue = "reports";
  spec.priority = 8;
  spec.limits = {.concurrency = ConcurrencyLimit{"tenant-7", 3},
                 .rate = RateLimit{"reports-api", 20, 1min}};
  spec.notify = {{.on = "failure", .after = 2, .email = {"ops@example.com"}, .channel = "alerts"}};
  spec.tags = {"reports", "night"};
  spec.metadata = {{"team", "data"}, {"tier", "1"}};
  spec.retention = {.runs = 100, .age = 72h};
  spec.paused = true;
  spec.paused_until = kStart + 24h * 300;
  spec.note = "kept for audits";
  return spec;
}

Message sample_message() {
  Message message;
  message.event = "run.failed";
  message.project = "default";
  message.job_id = "job_x";
  message.job_name = "report \"ü\"";
  message.run_id = "run_x";
  message.state = "timed_out";
  message.error = "no answer within 5m";
  message.attempts = 3;
  message.planned_at = kStart;
  message.ended_at = kStart + 5min;
  message.output_tail = "line 1\nline 2\n";
  return message;
}

}  // namespace chronos::test
