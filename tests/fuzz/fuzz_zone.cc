// Any text as the name of a time zone: none leads out of the tz database, and what is found is
// whole.
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "schedule/timezone.h"

namespace chronos::schedule {
namespace {

void try_name(std::string_view name) {
  const auto zone = TimeZone::find(name);
  if (!zone) {
    CHRONOS_CHECK(zone.error().fields.size() == 1);
    CHRONOS_CHECK(zone.error().fields.front().code == "unknown_timezone");
    return;
  }
  CHRONOS_CHECK(!name.empty() && name.front() != '/' && !name.contains(".."));
  CHRONOS_CHECK(!name.contains('\0') && !name.contains('\n'));
  const auto segments = zone->segments();
  CHRONOS_CHECK(!segments.empty());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    CHRONOS_CHECK(segments[i].begin < segments[i].end);
    CHRONOS_CHECK(segments[i].offset < std::chrono::days(1));
    CHRONOS_CHECK(segments[i].offset > -std::chrono::days(1));
    if (i > 0) CHRONOS_CHECK(segments[i - 1].end == segments[i].begin);
    // Of a reading of its own, the zone says that it was shown, here or in a first pass before.
    const auto resolved = zone->resolve(segments[i].wall_begin());
    CHRONOS_CHECK(resolved.instant <= segments[i].begin);
  }
}

}  // namespace
}  // namespace chronos::schedule

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::schedule::try_name({reinterpret_cast<const char*>(data), size});
  return 0;
}
