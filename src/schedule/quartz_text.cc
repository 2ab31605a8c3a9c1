// Cron fields as Quartz has them, and AWS after it: weekdays count from Sunday = 1, and one of the
// two day fields must be "?". What Quartz takes by accident (1e1, **, */0, MONDAY) is refused.
#include <fmt/format.h>

#include <span>
#include <utility>

#include "schedule/dialects.h"

namespace chronos::schedule {
namespace {

constexpr std::string_view kQuartzPrefix = "quartz:";

// The count of fields as a sentence; where something is missing or too much.
std::unexpected<ScheduleError> refuse_count(const TextSpan& span, Dialect dialect) {
  const auto words = split_words(span);
  const bool is_aws = dialect == Dialect::aws;
  const std::size_t most = is_aws ? 6 : 7;
  const auto place = words.size() > most ? words[most] : TextSpan{span.text, span.end, span.end};
  return refuse(place, "field_count",
                fmt::format("expected {} fields, found {}", is_aws ? "6" : "6 or 7", words.size()),
                is_aws ? "minute hour day-of-month month day-of-week year"
                       : "second minute hour day-of-month month day-of-week, and perhaps year");
}

}  // namespace

Parsed<CronSyntax> parse_quartz_fields(const TextSpan& span, Dialect dialect) {
  const auto words = split_words(span);
  const bool is_aws = dialect == Dialect::aws;
  if (words.size() < 6 || words.size() > (is_aws ? 6 : 7)) return refuse_count(span, dialect);
  CronSyntax syntax;
  syntax.dialect = dialect;
  syntax.has_seconds = !is_aws;
  syntax.has_year = is_aws || words.size() == kFieldCount;
  const std::size_t first = is_aws ? 1 : 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto kind = static_cast<FieldKind>(first + i);
    CHRONOS_TRY_VOID(parse_field(words[i], kind, {}, syntax));
  }
  fill_omitted(syntax);
  const auto dates = words[3 - first];
  const auto weekdays = words[5 - first];
  const bool is_date_open = dates.view() == "?";
  const bool is_weekday_open = weekdays.view() == "?";
  if (is_date_open == is_weekday_open) {
    auto error = refuse(weekdays, is_date_open ? "question_twice" : "question_needed",
                        is_date_open ? "only one of day-of-month and day-of-week can be '?'"
                                     : "one of day-of-month and day-of-week must be '?'",
                        is_date_open             ? "write '*' for every day"
                        : weekdays.view() == "*" ? "write '?' here"
                                                 : "write '?' in the field that is not to decide")
                     .error();
    error.field = "day-of-week";
    return std::unexpected(std::move(error));
  }
  return syntax;
}

Parsed<void> parse_quartz(const TextSpan& span, Expression& expression) {
  const auto fields = trimmed({span.text, span.begin + kQuartzPrefix.size(), span.end});
  if (fields.empty()) return refuse(fields, "empty", "a schedule is needed after quartz:");
  CHRONOS_TRY(auto syntax, parse_quartz_fields(fields, Dialect::quartz));
  expression.body = Cron::from_syntax(std::string(span.view()), std::move(syntax));
  return {};
}

}  // namespace chronos::schedule
