// A bulk operation: one action on many jobs or runs, picked once, done in small steps. Plain
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"

namespace chronos {

struct BulkTag {
  static constexpr std::string_view kPrefix = "bulk_";
};
using BulkId = Id<BulkTag>;

enum class BulkAction { cancel, pause, resume, run, retry };
enum class BulkStatus { waiting, running, done, cancelled };

struct BulkFailure {
  std::string id;    // of the job or run
  std::string code;  // of a problem
  std::string detail;
};

inline constexpr Duration kBulkUndo =
    std::chrono::seconds(10);                         // between the request and the start
inline constexpr std::size_t kBulkMax = 50'000;       // things of one bulk operation
inline constexpr std::size_t kBulkFailuresMax = 100;  // that are told
inline constexpr int kBulkStep = 25;                  // things under way at a time

struct Bulk {
  BulkId id;
  ProjectId project;
  KeyId by;
  BulkAction action = BulkAction::cancel;
  bool is_of_runs = false;  // else of jobs
  std::string selection;    // what was asked for, as JSON
  BulkStatus status = BulkStatus::waiting;
  std::int64_t total = 0;
  std::int64_t done = 0;            // that went well
  std::int64_t failed_count = 0;    // position: done + failed_count of the things picked
  std::vector<BulkFailure> failed;  // the first kBulkFailuresMax
  Timestamp created_at;
  Timestamp starts_at;
  std::optional<Timestamp> ended_at;
  std::int64_t step = 0;  // grows with every change; whoever changes it names the one it saw
  Timestamp taken_until;  // somebody works on it; nobody else does before then

  // Takes over how far `moved` came.
  void move_to(const Bulk& moved);
  std::int64_t position() const { return done + failed_count; }
  bool is_over() const { return status == BulkStatus::done || status == BulkStatus::cancelled; }
};

void write_bulk(json::Writer& writer, const Bulk& bulk);
// For the store.
std::string encode_failures(const std::vector<BulkFailure>& failures);
Result<std::vector<BulkFailure>> decode_failures(std::string_view text);

std::string_view to_string(BulkAction action);
std::string_view to_string(BulkStatus status);
std::optional<BulkAction> parse_bulk_action(std::string_view text);
std::optional<BulkStatus> parse_bulk_status(std::string_view text);

}  // namespace chronos
