// What can be learnt of a store from outside, without opening it as one: for `chronos doctor`.
// Changes nothing, whatever state the store is in, also while servers work with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::store {

struct SqliteFacts {
  std::string path;
  bool exists = false;
  std::int64_t bytes = 0;
  std::int64_t free_bytes = 0;  // of them, kept for what comes
};

struct PostgresFacts {
  struct Table {
    std::string name;
    std::int64_t live = 0;  // rows, as the server estimates them
    std::int64_t dead = 0;
  };
  struct Standby {
    std::string name;
    std::string sync_state;  // async, potential, sync, quorum
  };

  int version = 0;  // 150004 is 15.4
  bool is_standby = false;
  bool may_write = false;    // the role may make our schema, or use the one that is there
  Duration clock_ahead{};    // the server's clock before ours; exact to half of `round_trip`
  Duration round_trip{};     // of one statement
  int sessions = 0;          // of anybody, now
  int sessions_max = 0;      // for our role
  Duration oldest_change{};  // since the oldest transaction that is open began
  std::string oldest_by;     // who it is
  std::map<std::string, std::string> settings;
  std::vector<Standby> standbys;
  std::vector<Table> tables;  // of our schema
};

struct StoreFacts {
  std::int64_t schema = 0;         // 0: there is none yet
  std::int64_t newest_schema = 0;  // that this program knows
  std::optional<SqliteFacts> sqlite;
  std::optional<PostgresFacts> postgres;
};

// Refused: invalid_fields as by open_store(); store_unavailable when it cannot be reached.
Result<StoreFacts> examine_store(const std::string& url);

}  // namespace chronos::store
