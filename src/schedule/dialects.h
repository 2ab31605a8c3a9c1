// The spellings that expression.cc hands on: ISO 8601 repetitions and those of AWS, Quartz and
// systemd. Internal to this folder; pure, except that parse_systemd reads the tz database.
#pragma once

#include "schedule/cron_syntax.h"
#include "schedule/expression.h"

namespace chronos::schedule {

// The longest interval: 100 years, as in base/time_text.h.
constexpr std::chrono::seconds kLongestPeriod = std::chrono::days(36'525);

// Each reads a whole checked text without its TZ= prefix and sets the body; systemd also the zone.
Parsed<void> parse_repeat(const TextSpan& span, Expression& expression);    // R5/start/P1M
Parsed<void> parse_aws_rate(const TextSpan& span, Expression& expression);  // rate(5 minutes)
Parsed<void> parse_aws_at(const TextSpan& span, Expression& expression);  // at(2026-01-31T09:00:00)
Parsed<void> parse_aws_cron(const TextSpan& span, Expression& expression);  // cron(0 9 ? * MON *)
Parsed<void> parse_quartz(const TextSpan& span, Expression& expression);    // quartz: 0 0 9 ? * MON
Parsed<void> parse_systemd(const TextSpan& span,
                           Expression& expression);  // systemd: Mon *-*-* 9:00

// The fields of parse_quartz and parse_aws_cron.
Parsed<CronSyntax> parse_quartz_fields(const TextSpan& span, Dialect dialect);

// A time with an offset (InstantText) or without (LocalText), or `bad_time`.
Parsed<ExpressionBody> parse_time(const TextSpan& span);

// `span` without blanks at its ends.
TextSpan trimmed(TextSpan span);

}  // namespace chronos::schedule
