// A schedule in plain English: "At 02:30 on Monday through Friday, Europe/Berlin". Shown by
// GET /api/schedule/preview, the dashboard and `chronos cron`. Pure; thread-safe.
#pragma once

#include <string>

#include "schedule/cron.h"
#include "schedule/schedule.h"

namespace chronos::schedule {

// The whole schedule with its zone and limits; a list of expressions is joined by "; ".
std::string in_words(const Schedule& schedule);

// One expression, in lower case and without a zone: "at 02:30 on Monday through Friday".
std::string in_words(const Cron& cron);

// "15 minutes", "hour", "1 day and 3 seconds": the text stands after "every".
std::string period_in_words(Duration period);

}  // namespace chronos::schedule
