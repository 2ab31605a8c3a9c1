// From the flags of `submit` and `reschedule` to the JSON the API takes. Pure but for reading
// "@file" through the function given. What a field may hold is the server's to say; here only what
// would not be JSON, or would be lost, is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/arguments.h"

namespace chronos::cli {

struct ScheduleFlags {
  std::optional<std::string> at;  // RFC 3339
  std::optional<std::string> in;  // duration from now
  std::vector<std::string> cron;
  std::optional<std::string> every;
  std::optional<std::string> timezone;
  std::optional<std::string> dst;
  std::optional<std::string> start_at;
  std::optional<std::string> end_at;
  std::optional<std::string> jitter;
  std::vector<std::string> calendars;
  std::optional<std::int64_t> max_runs;
};

struct PolicyFlags {
  std::optional<std::int64_t> max_attempts;
  std::optional<std::string> timeout;
  std::optional<std::string> deadline;
  std::optional<std::string> retry_backoff;
  std::optional<std::string> retry_delay;
  std::optional<std::string> retry_max_delay;
  std::optional<std::string> retry_jitter;
  std::optional<std::string> retry_max_age;
  std::vector<std::string> retry_on;
  std::optional<std::string> on_lost;
  std::optional<std::string> overlap;
  std::optional<std::string> misfire;
  std::optional<std::string> misfire_grace;
  std::optional<std::string> misfire_window;
  std::optional<std::string> queue;
  std::optional<std::int64_t> priority;
  std::optional<std::string> concurrency_key;
  std::optional<std::int64_t> concurrency_max;
  std::optional<std::string> rate_key;
  std::optional<std::int64_t> rate_max;
  std::optional<std::string> rate_per;
  std::optional<std::string> unique_key;
  std::optional<std::string> unique_while;
  std::optional<std::string> unique_window;
  std::optional<std::string> on_conflict;
  std::vector<std::string> notify_email;
  std::vector<std::string> notify_channel;
};

struct ActionFlags {
  std::optional<std::string> url;
  std::optional<std::string> method;
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> body;   // text, or @file
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=VALUE
  std::optional<std::string> cwd;
  std::optional<std::string> stdin_text;  // text, or @file
  bool shell = false;
};

struct JobFlags {
  std::optional<std::string> name;
  std::optional<std::string> key;
  std::optional<std::string> payload;  // JSON, or @file
  std::vector<std::string> tags;
  std::vector<std::string> metadata;  // NAME=VALUE
  std::optional<std::string> note;
  bool paused = false;
  ScheduleFlags schedule;
  PolicyFlags policy;
  ActionFlags action;
};

void declare_schedule(Arguments& arguments, ScheduleFlags& flags);
void declare_policy(Arguments& arguments, PolicyFlags& flags);
void declare_action(Arguments& arguments, ActionFlags& flags);
void declare_labels(Arguments& arguments, JobFlags& flags);

struct JobRequestInputs {
  std::string base;  // a declaration to start from: a JSON object; empty = none
  Timestamp now;
  std::function<Result<std::string>(const std::string& path)> read_file;
};

// The declaration: members of `base`, replaced by what the flags say; objects such as `retry` are
// merged member by member. A job without a name is named after its action. Fails with
// Reason::bad_request and what to write instead.
Result<std::string> job_body(const JobFlags& flags, const JobRequestInputs& inputs);

}  // namespace chronos::cli
