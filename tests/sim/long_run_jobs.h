// The jobs of long_run_test.cc, each with what it means: the instants its schedule must have,
// worked out apart from src/schedule by tests/oracle. One thread (the oracle sets TZ).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "oracle/cron_oracle.h"

namespace chronos::sim {

struct LongRunJob {
  std::string name;
  std::string schedule;  // JSON members: cron or every, timezone, dst …
  std::string policies;  // JSON members: overlap, misfire …
  Duration longest{};    // an attempt takes at most so long
  // The meaning of the schedule.
  std::string zone = "UTC";
  oracle::Policy policy = oracle::Policy::automatic;
  std::vector<oracle::Expression> expressions;
  Duration every{};  // zero: cron

  std::string body() const;
  // The instants in (from, until].
  std::vector<Timestamp> expected(Timestamp from, Timestamp until) const;
};

const std::vector<LongRunJob>& long_run_jobs();

}  // namespace chronos::sim
