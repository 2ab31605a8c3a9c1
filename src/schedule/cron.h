// Cron: one cron expression, compiled. The search for its next or previous instant in a zone obeys
// the clock-change rules of schedule.md §7. Used by Schedule and by the command line.
// Immutable, cheap to copy, thread-safe; next() and prev() allocate nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "schedule/cron_masks.h"
#include "schedule/cron_syntax.h"
#include "schedule/schedule_error.h"
#include "schedule/timezone.h"

namespace chronos::schedule {

// What clock changes do to a schedule. On the wire "auto" and "skip".
enum class DstPolicy {
  // Fixed-time schedules: each reading once; moved to the end of a gap, first pass of an overlap.
  // Interval schedules follow the clock on the wall: nothing in a gap, both passes of an overlap.
  automatic,
  skip,  // for both: nothing in a gap, first pass only
};

std::string_view to_string(DstPolicy policy);
std::optional<DstPolicy> parse_dst_policy(std::string_view text);

// Something odd but legal.
struct Warning {
  std::string code;     // such as "W-step-wide"
  std::string field;    // "minute" …; empty when it is about the whole schedule
  std::string message;  // lower case, says what will happen and what to write instead

  bool operator==(const Warning&) const = default;
};

class Cron {
 public:
  // Five to seven fields, or a nickname such as "@daily". `seed` drives H and ~.
  static Parsed<Cron> parse(std::string_view text, std::string_view seed = {});

  // The same for a part of a longer text that has passed check_text().
  static Parsed<Cron> parse_span(const TextSpan& span, std::string_view seed);

  // What another scheduler's text says; `text` is that text.
  static Cron from_syntax(std::string text, CronSyntax syntax);

  // The first instant > `after`, the last < `before`; whole seconds of the local years 1970–2199.
  std::optional<Timestamp> next(Timestamp after, const TimeZone& zone,
                                DstPolicy policy = DstPolicy::automatic) const;
  std::optional<Timestamp> prev(Timestamp before, const TimeZone& zone,
                                DstPolicy policy = DstPolicy::automatic) const;

  // The number of instants in (`after`, `through`]: by days and clock changes, not one by one.
  std::int64_t count_between(Timestamp after, Timestamp through, const TimeZone& zone,
                             DstPolicy policy = DstPolicy::automatic) const;

  // Whether the wall clock reading itself is one the expression names. An instant whose reading is
  // not was moved out of a gap.
  bool matches(WallTime wall) const { return masks_.matches(wall); }

  // A date that cannot exist, such as 30 February.
  bool is_never() const { return is_never_; }

  // Whether it follows the clock on the wall (§7): a * or a step in seconds, minutes or hours.
  bool is_interval() const { return is_interval_; }

  // As written, without blanks at its ends.
  const std::string& text() const { return source_->text; }
  const CronSyntax& syntax() const { return source_->syntax; }
  const CronMasks& masks() const { return masks_; }

 private:
  struct Source {
    std::string text;
    CronSyntax syntax;
  };

  explicit Cron(Source source);

  std::int64_t count_passes(Instant from, Instant until, const TimeZone& zone) const;
  std::int64_t count_readings(Instant from, Instant until, const TimeZone& zone,
                              DstPolicy policy) const;
  std::optional<Timestamp> next_pass(Instant from, const TimeZone& zone) const;
  std::optional<Timestamp> prev_pass(Instant upto, const TimeZone& zone) const;
  std::optional<Timestamp> next_reading(Instant from, const TimeZone& zone, DstPolicy policy) const;
  std::optional<Timestamp> prev_reading(Instant upto, const TimeZone& zone, DstPolicy policy) const;

  CronMasks masks_;
  bool is_interval_ = false;
  bool is_never_ = false;
  std::shared_ptr<const Source> source_;  // shared by copies: never changes
};

// The warnings that the text alone gives rise to (schedule.md §10).
std::vector<Warning> text_warnings(const Cron& cron);

struct TimeWindow {
  Timestamp from;   // exclusive
  Timestamp until;  // exclusive
};

// W-last-run: years that end; W-gap: the first fixed time that `zone` skips within the window.
std::vector<Warning> time_warnings(const Cron& cron, const TimeZone& zone, DstPolicy policy,
                                   TimeWindow window);

}  // namespace chronos::schedule
