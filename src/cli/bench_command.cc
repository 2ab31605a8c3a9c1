// bench: how fast, how late and whether anything is lost, on this machine and its disk.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/time_text.h"
#include "cli/bench_load.h"
#include "cli/commands.h"
#include "cli/private_server.h"

namespace chronos::cli {
namespace {

struct BenchFlags {
  std::optional<std::string> duration;
  std::optional<std::int64_t> clients;
  std::optional<std::int64_t> due;
  std::optional<std::int64_t> workers;
  std::optional<std::int64_t> batch;
  std::string folder = ".";
};

struct Figures {
  SubmitFigures submits;
  LifecycleFigures lifecycles;
  LatenessFigures lateness;
  std::int64_t acknowledged = 0;
  std::int64_t lost = 0;      // acknowledged, and nobody was given them
  std::int64_t repeated = 0;  // given more than once
};

// The upper bounds of the histogram's rows, in milliseconds.
constexpr std::array<double, 12> kBounds = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};

Result<int> within(std::optional<std::int64_t> value, int otherwise, int most,
                   std::string_view flag) {
  if (!value) return otherwise;
  if (*value >= 1 && *value <= most) return static_cast<int>(*value);
  return fail(Reason::bad_request, fmt::format("{} must be 1 to {}", flag, most));
}

Result<BenchPlan> plan_of(const BenchFlags& flags) {
  BenchPlan plan{.submit_for = std::chrono::seconds(5), .give_up = std::chrono::seconds(30)};
  if (flags.duration) {
    const auto duration = parse_duration(*flags.duration);
    if (!duration) return std::unexpected(duration.error());
    if (*duration < std::chrono::milliseconds(100) || *duration > std::chrono::minutes(10)) {
      return fail(Reason::bad_request, "--duration must be 100ms to 10m");
    }
    plan.submit_for = *duration;
  }
  CHRONOS_TRY(plan.clients, within(flags.clients, plan.clients, 10'000, "--clients"));
  CHRONOS_TRY(plan.due_jobs, within(flags.due, plan.due_jobs, 1'000'000, "--due"));
  CHRONOS_TRY(plan.workers, within(flags.workers, plan.workers, 256, "--workers"));
  CHRONOS_TRY(plan.batch, within(flags.batch, plan.batch, 1000, "--batch"));
  return plan;
}

Result<Figures> measure(Session& session, const BenchTarget& target, const BenchPlan& plan) {
  const auto say = [&](std::string_view what) {
    if (!session.flags.quiet && !session.flags.json)
      print_note(session.terminal, std::string(what));
  };
  Figures figures;
  Ledger ledger;
  say(fmt::format("submitting from {} clients for {} …", plan.clients,
                  format_duration(plan.submit_for)));
  CHRONOS_TRY(figures.submits, bench_submits(target, plan, ledger));
  say(fmt::format("working on {} jobs …", ledger.size()));
  CHRONOS_TRY(figures.lifecycles, bench_lifecycles(target, plan, ledger));
  say(fmt::format("{} jobs due at one instant …", plan.due_jobs));
  CHRONOS_TRY(figures.lateness, bench_lateness(target, plan, session.clock, ledger));
  figures.acknowledged = std::ssize(ledger);
  for (const auto& [_, times] : ledger) {
    figures.lost += times == 0 ? 1 : 0;
    figures.repeated += times > 1 ? 1 : 0;
  }
  return figures;
}

// How many lie at or below each bound and above the one before; the last: beyond all.
std::array<std::int64_t, kBounds.size() + 1> histogram_of(const Milliseconds& values) {
  std::array<std::int64_t, kBounds.size() + 1> counts{};
  for (const auto value : values) {
    ++counts[static_cast<std::size_t>(std::ranges::lower_bound(kBounds, value) - kBounds.begin())];
  }
  return counts;
}

void print_histogram(Terminal& terminal, const Milliseconds& values) {
  constexpr std::int64_t kWidth = 50;
  const auto counts = histogram_of(values);
  const auto most = std::max<std::int64_t>(*std::ranges::max_element(counts), 1);
  terminal.out << "\nlateness\n";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const auto bar = std::string(
        static_cast<std::size_t>(std::max<std::int64_t>(counts[i] * kWidth / most, 1)), '#');
    const auto bound = i < kBounds.size() ? fmt::format("<= {} ms", kBounds[i])
                                          : fmt::format("> {} ms", kBounds.back());
    terminal.out << fmt::format("  {:>10}  {:<50}  {}\n", bound, bar, counts[i]);
  }
}

void print_figures(Session& session, const BenchPlan& plan, Figures& figures) {
  auto& terminal = session.terminal;
  auto& submits = figures.submits;
  auto& late = figures.lateness.lateness;
  Record record;
  record.add("submits",
             fmt::format("{:.0f}/s from {} clients, p50 {:.1f} ms, p99 {:.1f} ms, {} refused",
                         submits.per_second, plan.clients, percentile(submits.latencies, .5),
                         percentile(submits.latencies, .99), submits.refused));
  record.add("lifecycles", fmt::format("{:.0f}/s taken and settled by {} workers, batches of {}",
                                       figures.lifecycles.per_second, plan.workers, plan.batch));
  record.add(
      "lateness",
      fmt::format("p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms of {} due at one instant, {} early",
                  percentile(late, .5), percentile(late, .99), percentile(late, 1), plan.due_jobs,
                  figures.lateness.early));
  record.add("loss", fmt::format("{} lost, {} repeated, of {} acknowledged", figures.lost,
                                 figures.repeated, figures.acknowledged));
  record.print(terminal);
  print_histogram(terminal, late);
}

void print_figures_json(Session& session, const BenchPlan& plan, Figures& figures) {
  const auto spread = [](json::Writer& writer, Milliseconds& values) {
    writer.key("p50_ms").number(percentile(values, .5));
    writer.key("p99_ms").number(percentile(values, .99));
    writer.key("max_ms").number(percentile(values, 1));
  };
  std::string text;
  json::Writer writer(text);
  writer.begin_object().key("submits").begin_object();
  writer.key("per_second").number(figures.submits.per_second);
  spread(writer, figures.submits.latencies);
  writer.member("clients", std::int64_t{plan.clients}).member("refused", figures.submits.refused);
  writer.end_object().key("lifecycles").begin_object();
  writer.key("per_second").number(figures.lifecycles.per_second);
  writer.member("workers", std::int64_t{plan.workers}).member("batch", std::int64_t{plan.batch});
  writer.end_object().key("lateness").begin_object();
  auto& late = figures.lateness.lateness;
  spread(writer, late);
  writer.member("jobs", std::int64_t{plan.due_jobs}).member("early", figures.lateness.early);
  writer.key("histogram").begin_array();
  const auto counts = histogram_of(late);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    writer.begin_object().key("up_to_ms");
    i < kBounds.size() ? writer.number(kBounds[i]) : writer.null();
    writer.member("count", counts[i]).end_object();
  }
  writer.end_array().end_object().key("loss").begin_object();
  writer.member("acknowledged", figures.acknowledged).member("lost", figures.lost);
  writer.member("repeated", figures.repeated).end_object().end_object();
  print_json(session.terminal, text);
}

int bench(Session& session, const BenchFlags& flags) {
  const auto plan = plan_of(flags);
  if (!plan) return failed(session, plan.error());
  auto server = PrivateServer::start(flags.folder);
  if (!server) return failed(session, server.error());
  auto figures = measure(session, {(*server)->url(), (*server)->key(), {}}, *plan);
  if (!figures) return failed(session, figures.error());
  if (session.flags.json) {
    print_figures_json(session, *plan, *figures);
  } else {
    print_figures(session, *plan, *figures);
  }
  return figures->lost == 0 && figures->repeated == 0 && figures->lateness.early == 0 ? kOk
                                                                                      : kFailed;
}

}  // namespace

Action declare_bench(Arguments& arguments) {
  auto flags = std::make_unique<BenchFlags>();
  arguments.text({"--duration", "DURATION", "how long to submit (5s)"}, flags->duration);
  arguments.number({"--clients", "N", "that submit one job at a time (64)"}, flags->clients);
  arguments.number({"--due", "N", "jobs due at one instant (5000)"}, flags->due);
  arguments.number({"--workers", "N", "that take and settle runs (4)"}, flags->workers);
  arguments.number({"--batch", "N", "runs in one claim (500)"}, flags->batch);
  arguments.text({"--dir", "PATH", "where the data lies meanwhile: the disk counts (.)"},
                 flags->folder);
  return [flags = std::move(flags)](Session& session) { return bench(session, *flags); };
}

}  // namespace chronos::cli
