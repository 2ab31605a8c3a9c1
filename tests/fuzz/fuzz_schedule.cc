// Any text as a schedule: it is refused at a place within it, or it is a schedule whose searches,
// words and warnings hold together. The text also chooses the zone, the policy and the time.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/time_text.h"
#include "schedule/cron_syntax.h"
#include "schedule/expression.h"
#include "schedule/preview.h"
#include "schedule/schedule.h"

namespace chronos::schedule {
namespace {

constexpr std::array<std::string_view, 12> kZones = {
    "UTC",          "America/New_York",  "Europe/Berlin",      "Australia/Lord_Howe",
    "Pacific/Apia", "America/Sao_Paulo", "America/Nuuk",       "Africa/Casablanca",
    "Africa/Cairo", "Asia/Kabul",        "Pacific/Kiritimati", "+05:30"};

// Instants near changes of those zones, and the ends of time.
constexpr std::array<std::string_view, 8> kTimes = {
    "1970-01-01T00:00:00Z", "2026-03-08T06:59:59.999999Z", "2026-11-01T05:30:00Z",
    "2011-12-30T09:59:00Z", "2018-11-04T02:00:00Z",        "2026-10-03T15:30:00Z",
    "2099-12-31T00:00:00Z", "2199-12-31T23:00:00Z"};

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// It says what is wrong, and where in the text.
void check_error(const ScheduleError& error, std::string_view text) {
  const auto end = static_cast<std::size_t>(error.byte_offset + error.length);
  CHRONOS_CHECK(!error.code.empty() && !error.message.empty());
  CHRONOS_CHECK(error.column >= 1 && error.byte_offset >= 0 && error.length >= 0);
  CHRONOS_CHECK(end <= text.size());
  CHRONOS_CHECK(error.column <= error.byte_offset + 1);
  CHRONOS_CHECK(render(error, text).find('^') != std::string::npos);
}

// The instants before and after `from` are instants, and nothing lies between them, whichever way
// one goes.
void check_search(const Schedule& schedule, Timestamp from) {
  const auto next = schedule.next_after(from);
  const auto last = schedule.latest_at_or_before(from);
  if (last) {
    CHRONOS_CHECK(*last <= from);
    CHRONOS_CHECK(schedule.next_after(*last - Duration(1)) == last);
    CHRONOS_CHECK(schedule.next_after(*last) == next);
  }
  if (!next) return;
  CHRONOS_CHECK(*next > from);
  CHRONOS_CHECK(schedule.next_after(*next - Duration(1)) == next);
  CHRONOS_CHECK(schedule.latest_at_or_before(*next) == next);
  CHRONOS_CHECK(schedule.latest_at_or_before(*next - Duration(1)) == last);
  CHRONOS_CHECK(schedule.count_between({from, *next}, 10) == 1);
  CHRONOS_CHECK(schedule.describe(*next).at == *next);
}

void try_text(std::string_view text) {
  const auto hash = field_hash(text, 'z');
  const auto parsed = parse_expression(text, "seed");
  if (!parsed) return check_error(parsed.error(), text);
  CHRONOS_CHECK(code_points(text) <= 1024);  // longer texts are refused
  const auto from = *parse_timestamp(kTimes[hash / 16 % kTimes.size()]);
  ScheduleSpec spec;
  spec.cron = {std::string(text)};
  spec.timezone = kZones[hash % kZones.size()];
  spec.dst = hash / 256 % 4 == 0 ? DstPolicy::skip : DstPolicy::automatic;
  spec.anchor = from;
  spec.seed = "seed";
  const auto schedule = Schedule::compile(spec);
  if (!schedule) return;  // a zone that contradicts, a local time that its zone skipped
  const auto shown = preview(*schedule, from, 3);
  CHRONOS_CHECK(!shown.words.empty());  // every schedule has words
  check_search(*schedule, from);
  for (const auto& occurrence : shown.next) check_search(*schedule, occurrence.at);
}

}  // namespace
}  // namespace chronos::schedule

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::schedule::try_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
