// Values to test with: whole, valid and short to ask for.
#pragma once

#include <string>

#include "base/id.h"
#include "model/job.h"
#include "model/notification.h"

namespace chronos::test {

// 2026-03-01T00:00:00Z: where virtual time starts.
inline constexpr Timestamp kStart{std::chrono::seconds(1'772'323'200)};

// A spec of an http job with defaults in everything but its name.
JobSpec sample_spec(std::string name = "report");

// A spec with a value of its own in every member.
JobSpec full_spec();

Message sample_message();

}  // namespace chronos::test
