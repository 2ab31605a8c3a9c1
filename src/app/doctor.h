// Looks at what a server will stand on, before it starts or while it runs: `chronos doctor`. Facts
// are gathered by the machine and by store/facts.h; judge() is pure, so that each fault can be
// tested without making one. Called by the command line; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "store/facts.h"

namespace chronos::app {

enum class Verdict { ok, warning, error };
std::string_view to_string(Verdict verdict);

struct Finding {
  std::string check;  // "disk", "clock", …: one word each, several findings may share it
  Verdict verdict = Verdict::ok;
  std::string message;
  std::string fix;  // what to do; empty when all is well
};

// The place of the database's file, of the data directory when the database is elsewhere, or of the
// directory it will be made in.
struct DiskFacts {
  std::string path;
  std::string problem;  // it cannot be written: why
  std::uint64_t bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t free_files = 0;
  bool is_in_memory = false;  // tmpfs
  bool is_on_network = false;
  std::optional<Duration> sync;  // the median of some small writes that wait for the disk
};

struct ClockFacts {
  bool is_kept_in_step = true;
  bool is_known = true;  // the kernel says
};

struct ZoneFacts {
  std::string problem;  // a zone that everybody has cannot be read: why
  std::string version;  // "2024a"; empty = not known
};

struct MachineFacts {
  DiskFacts disk;
  ClockFacts clock;
  ZoneFacts zones;
  bool is_root = false;
  std::uint64_t open_files_max = 0;
  // Of the mail server, when one is configured: why it does not take mail; empty when it does.
  std::string smtp_problem;
  std::optional<store::StoreFacts> store;
  std::string store_problem;  // when there are no facts of it
  std::string store_fix;
};

// Asks the machine, the database and the mail server; takes some seconds when one does not answer.
MachineFacts examine(const Config& config);

// In the order of the checks, those that are well too. `now` is for the age of things.
std::vector<Finding> judge(const Config& config, const MachineFacts& facts, Timestamp now);

}  // namespace chronos::app
