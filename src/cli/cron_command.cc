// cron: what an expression means and when it fires, by the code that will fire it. Needs no server.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/time_text.h"
#include "cli/commands.h"
#include "cli/cron_batch.h"
#include "cli/safe_text.h"
#include "schedule/preview.h"

namespace chronos::cli {
namespace {

struct CronFlags {
  std::vector<std::string> words;
  std::string timezone = "UTC";
  std::string seed;
  std::string from;
  std::optional<std::int64_t> count;
  bool skips_clock_changes = false;
  bool is_batch = false;
};

// `chronos cron 30 2 '*' '*' 1-5` without quotes around the whole works too: an expression has at
// least five words or is one.
std::string expression_of(const CronFlags& flags) {
  std::string text;
  for (const auto& word : flags.words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void print_preview_json(Session& session, const schedule::Preview& preview) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().member("words", preview.words).key("next").begin_array();
  for (const auto& next : preview.next) {
    writer.begin_object().member("at", format_timestamp(next.at)).member("local", next.local);
    if (next.shifted) writer.member("shifted", *next.shifted);
    writer.end_object();
  }
  writer.end_array().key("warnings").begin_array();
  for (const auto& warning : preview.warnings) {
    writer.begin_object().member("code", warning.code).member("detail", warning.message);
    writer.end_object();
  }
  writer.end_array().end_object();
  print_json(session.terminal, text);
}

void print_preview(Session& session, const schedule::Preview& preview) {
  auto& terminal = session.terminal;
  if (!session.flags.quiet) print_note(terminal, preview.words);
  // For people also how far off; for programs always the same three columns.
  const auto now = session.clock.now();
  Table table(terminal.is_out_tty ? std::vector<std::string>{"LOCAL", "UTC", "", ""}
                                  : std::vector<std::string>{"UTC", "LOCAL", "SHIFTED"});
  for (const auto& next : preview.next) {
    const auto at = format_timestamp(next.at);
    const auto shifted = next.shifted.value_or("");
    if (terminal.is_out_tty) {
      table.add({next.local, at, relative_time(next.at, now),
                 shifted.empty() ? shifted : "moved out of a " + shifted});
    } else {
      table.add({at, next.local, shifted});
    }
  }
  if (!table.empty()) table.print(terminal);
  for (const auto& warning : preview.warnings) print_warning(terminal, warning.message);
}

// The error with the expression under it; the pointers of the schedule become this document's.
int refuse(const Session& session, const Error& error, const std::string& expression) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().member("cron", expression).end_object();
  const auto sent = json::parse(text);
  return failed(session, error, sent ? &sent->root() : nullptr);
}

int cron(Session& session, const CronFlags& flags) {
  if (flags.is_batch == !flags.words.empty()) {
    return failed(
        session,
        {Reason::bad_request, "give an expression, or --batch to read many from stdin", {}, {}});
  }
  if (flags.is_batch) {
    answer_schedule_questions(session.terminal.in, session.terminal.out, session.clock);
    return kOk;
  }
  const auto count = flags.count.value_or(10);
  if (count < 0 || count > kInstantsToldMax) {
    return failed(
        session,
        {Reason::bad_request, fmt::format("--count is outside 0-{}", kInstantsToldMax), {}, {}});
  }
  auto from = session.clock.now();
  if (!flags.from.empty()) {
    const auto parsed = parse_timestamp(flags.from);
    if (!parsed) return failed(session, parsed.error());
    from = *parsed;
  }
  schedule::ScheduleSpec spec;
  const auto expression = expression_of(flags);
  spec.cron = {expression};
  spec.timezone = flags.timezone;
  spec.seed = flags.seed;
  spec.anchor = from;
  if (flags.skips_clock_changes) spec.dst = schedule::DstPolicy::skip;
  const auto compiled = schedule::Schedule::compile(spec);
  if (!compiled) return refuse(session, compiled.error(), expression);
  const auto preview = schedule::preview(*compiled, from, static_cast<std::size_t>(count));
  if (session.flags.json) {
    print_preview_json(session, preview);
  } else {
    print_preview(session, preview);
  }
  const auto fires = compiled->check_fires_after(from);
  return fires ? static_cast<int>(kOk) : failed(session, fires.error());
}

}  // namespace

Action declare_cron(Arguments& arguments) {
  auto flags = std::make_unique<CronFlags>();
  arguments.any_number({"EXPRESSION", "such as '30 2 * * MON-FRI' or @daily"}, flags->words);
  arguments.text({"--timezone", "ZONE", "such as Europe/Berlin; UTC if not given"},
                 flags->timezone);
  arguments.text({"--from", "TIME", "show what comes after; now if not given"}, flags->from);
  arguments.number({"-n, --count", "N", "show so many (10)"}, flags->count);
  arguments.text({"--seed", "TEXT", "what H stands for depends on it: the job's key or name"},
                 flags->seed);
  arguments.toggle({"--dst-skip", "", "nothing in a gap, first pass of an overlap"},
                   flags->skips_clock_changes);
  arguments.toggle(
      {"--batch", "", "answer JSON lines {\"expr\",\"tz\",\"from\",\"count\"} of stdin"},
      flags->is_batch);
  return [flags = std::move(flags)](Session& session) { return cron(session, *flags); };
}

}  // namespace chronos::cli
