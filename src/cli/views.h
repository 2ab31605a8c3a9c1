// Jobs and runs of API answers as tables and records. Called by job_commands.cc and
// run_commands.cc; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/arguments.h"
#include "cli/session.h"

namespace chronos::cli {

// "cron 30 2 * * MON-FRI Europe/Berlin", "every 5m", "at 2026-…", "now".
std::string schedule_of(const json::Value& job);

// "http POST https://…", "command backup.sh --all".
std::string action_of(const json::Value& job);

void print_jobs(const Session& session, const std::vector<const json::Value*>& jobs);
void print_job(const Session& session, const json::Value& job);
void print_runs(const Session& session, const std::vector<const json::Value*>& runs);
void print_run(const Session& session, const json::Value& run);

// One member of each, a line each: for -q.
void print_members(const Session& session, const std::vector<const json::Value*>& things,
                   std::string_view member = "id");

// One changed thing: its JSON, its id alone, or `line` as people read it; and its warnings.
void print_changed(const Session& session, const json::Value& thing, std::string_view line);

inline constexpr std::optional<std::int64_t> kLargestPage = 200;  // the API gives no larger one

// Lists a collection page by page.
struct Listing {
  std::string path;                   // "/api/jobs"
  std::string query;                  // "status=failed&tag=a", without limit and cursor
  std::string collection;             // "jobs": the array's name in the answer
  std::string cursor;                 // where to begin; empty = at the newest
  std::optional<std::int64_t> limit;  // things on a page; nothing = the server's choice
  bool wants_all = false;             // follow `next` to the end
  void (*print)(const Session&, const std::vector<const json::Value*>&);
};
int list(Session& session, const Listing& listing);

// What people say of a listing's pages.
struct PageFlags {
  std::string cursor;
  std::optional<std::int64_t> limit;
  bool all = false;

  void declare(Arguments& arguments);
  std::optional<std::int64_t> page() const { return all && !limit ? kLargestPage : limit; }
};

// "a=1&b=2": appends when the value is not empty, percent-encoded.
void add_query(std::string& query, std::string_view name, std::string_view value);

}  // namespace chronos::cli
