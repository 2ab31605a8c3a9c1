#include "schedule/cron.h"
namespace chronos::schedule {
std::vector<Warning> text_warnings(const Cron&) {
  return {};
}
std::vector<Warning> time_warnings(const Cron&, const TimeZone&, DstPolicy, Timestamp) {
  return {};
}
}  // namespace chronos::schedule
