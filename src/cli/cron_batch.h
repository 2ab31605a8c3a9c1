// `chronos cron --batch`: many questions about schedules, one JSON object a line, one answer a
// line. For programs that compare or import schedules. Called by cron_command.cc; one thread.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace chronos::cli {

constexpr std::int64_t kInstantsToldMax = 10'000;  // also of `chronos cron`

// {"expr","tz","from","count","seed","anchor","dst"} -> {"next":[…]}, or {"error":{…}}: never
// anything else, whatever the line is. Without "from" it asks from `now`.
std::string answer_schedule_question(std::string_view line, Timestamp now);

// Answers line by line, each flushed, until the input ends or the output is closed.
void answer_schedule_questions(std::istream& in, std::ostream& out, const Clock& clock);

}  // namespace chronos::cli
