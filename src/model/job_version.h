// What a job's declaration was, each time somebody changed it. Plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "model/job.h"

namespace chronos {

struct JobVersion {
  std::int64_t version = 1;  // of the job, when it was declared
  Timestamp at;
  std::optional<KeyId> by;  // nothing: the server itself (a pause that ended), or nobody knows
  std::string by_name;      // of the key; known when read
  Shared<JobSpec> spec;
};

inline constexpr std::int64_t kNewestVersion = std::numeric_limits<std::int64_t>::max();

// The declaration is written as a job has it.
void write_job_version(json::Writer& writer, const JobVersion& version);

}  // namespace chronos
