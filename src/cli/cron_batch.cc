#include "cli/cron_batch.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "base/time_text.h"
#include "schedule/expression.h"
#include "schedule/schedule.h"

namespace chronos::cli {
namespace {

struct Question {
  std::string expr;
  std::string tz = "UTC";
  std::optional<std::string> from;
  std::int64_t count = 1;
  std::string seed;
  std::optional<std::string> anchor;  // of @every; without it `from`
  schedule::DstPolicy dst = schedule::DstPolicy::automatic;
};

using fields::row;

constexpr std::array kQuestion = {
    row<&Question::expr>("expr"),
    row<&Question::tz>("tz"),
    row<&Question::from>("from"),
    row<&Question::count, fields::Range{0, kInstantsToldMax}>("count"),
    row<&Question::seed>("seed"),
    row<&Question::anchor>("anchor"),
    fields::enum_row<&Question::dst, &schedule::parse_dst_policy>("dst"),
};

// An error of the schedule has its field and place in the text; one of the line around it names the
// line's member.
struct Fault {
  std::string code;
  std::string field;  // "hour", or "tz"; may be empty
  std::optional<int> column;
  int length = 0;
  std::string message;
  std::string hint;
};

Fault of_line(const Error& error) {
  if (error.fields.empty()) {
    return {std::string(to_string(error.reason)), "", {}, 0, error.message, error.hint};
  }
  const auto& first = error.fields.front();
  const auto field = first.pointer.empty() ? std::string() : first.pointer.substr(1);
  return {first.code, field, {}, 0, first.message, first.hint};
}

// What compile() finds after the text has been read: a zone that contradicts another, a local time
// that a zone skipped, the zone itself.
Fault of_compilation(const Error& error) {
  auto fault = of_line(error);
  const auto& first = error.fields.front();
  fault.field = first.pointer == "/timezone" ? "tz" : "";
  if (first.column > 0) fault.column = first.column;
  fault.length = first.length;
  return fault;
}

void write_or_null(json::Writer& writer, const json::Name& name, const std::string& text) {
  writer.key(name);
  text.empty() ? writer.null() : writer.string(text);
}

std::string write_fault(const Fault& fault) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().key("error").begin_object().member("code", fault.code);
  write_or_null(writer, "field", fault.field);
  writer.key("column");
  fault.column ? writer.integer(*fault.column) : writer.null();
  writer.key("length");
  fault.column ? writer.integer(fault.length) : writer.null();
  writer.member("message", fault.message);
  write_or_null(writer, "hint", fault.hint);
  writer.end_object().end_object();
  return text;
}

// "2026-03-08T07:30:00Z": no fraction unless there is one.
std::string format_instant(Timestamp at) {
  auto text = format_timestamp(at).substr(0, 19);
  auto micros = (at - std::chrono::floor<std::chrono::seconds>(at)).count();
  if (micros != 0) {
    auto fraction = fmt::format(".{:06}", micros);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text + "Z";
}

std::expected<Question, Fault> read_question(std::string_view line) {
  const auto document = json::parse(line);
  if (!document) return std::unexpected(of_line(document.error()));
  Question question;
  const auto read = fields::read_document(
      "the line", std::span<const fields::Field<Question>>(kQuestion), document->root(), question);
  if (!read) return std::unexpected(of_line(read.error()));
  if (document->root().find("expr") == nullptr) {
    return std::unexpected(Fault{"required", "expr", {}, 0, "the line has no schedule", ""});
  }
  return question;
}

std::expected<Timestamp, Fault> read_time(const std::optional<std::string>& text,
                                          std::string_view field, Timestamp otherwise) {
  if (!text) return otherwise;
  const auto time = parse_timestamp(*text);
  if (time) return *time;
  auto fault = of_line(time.error());
  fault.field = field;
  return std::unexpected(std::move(fault));
}

std::expected<std::vector<Timestamp>, Fault> answer(std::string_view line, Timestamp now) {
  CHRONOS_TRY(const auto question, read_question(line));
  CHRONOS_TRY(const auto from, read_time(question.from, "from", now));
  schedule::ScheduleSpec spec;
  CHRONOS_TRY(spec.anchor, read_time(question.anchor, "anchor", from));
  const auto parsed = schedule::parse_expression(question.expr, question.seed);
  if (!parsed) {
    const auto& error = parsed.error();
    return std::unexpected(
        Fault{error.code, error.field, error.column, error.length, error.message, error.hint});
  }
  spec.cron = {question.expr};
  spec.timezone = question.tz;
  spec.seed = question.seed;
  spec.dst = question.dst;
  const auto compiled = schedule::Schedule::compile(spec);
  if (!compiled) return std::unexpected(of_compilation(compiled.error()));
  std::vector<Timestamp> next;
  auto at = compiled->next_after(from);
  for (; at && std::ssize(next) < question.count; at = compiled->next_after(*at)) {
    next.push_back(*at);
  }
  return next;
}

}  // namespace

std::string answer_schedule_question(std::string_view line, Timestamp now) {
  const auto found = answer(line, now);
  if (!found) return write_fault(found.error());
  std::string text;
  json::Writer writer(text);
  writer.begin_object().key("next").begin_array();
  for (const auto at : *found) writer.string(format_instant(at));
  writer.end_array().end_object();
  return text;
}

void answer_schedule_questions(std::istream& in, std::ostream& out, const Clock& clock) {
  std::string line;
  while (out && std::getline(in, line)) {
    out << answer_schedule_question(line, clock.now()) << '\n' << std::flush;
  }
}

}  // namespace chronos::cli
