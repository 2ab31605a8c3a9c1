// demo: a data directory to look at.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "app/demo.h"
#include "cli/commands.h"
#include "cli/safe_text.h"

namespace chronos::cli {
namespace {

struct DemoFlags {
  std::string directory;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> days;
};

int demo(Session& session, const DemoFlags& flags) {
  constexpr std::int64_t kDaysMax = 90;
  const auto days = flags.days.value_or(30);
  if (days < 1 || days > kDaysMax) {
    return failed(session, fail(Reason::invalid_fields, "--days: from 1 to 90").error());
  }
  const auto made = app::make_demo({.data_dir = flags.directory,
                                    .now = session.clock.now(),
                                    .seed = static_cast<std::uint64_t>(flags.seed.value_or(1)),
                                    .days = static_cast<int>(days)});
  if (!made) return failed(session, made.error());
  auto& terminal = session.terminal;
  if (session.flags.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().member("directory", flags.directory).member("jobs", made->jobs);
    writer.member("runs", made->runs).member("key_file", made->key_file).end_object();
    print_json(terminal, text);
    return kOk;
  }
  terminal.out << safe_line(fmt::format("{} jobs and {} runs of {} days are in {}", made->jobs,
                                        made->runs, days, flags.directory))
               << '\n';
  print_note(terminal, fmt::format("chronos serve --data-dir {} --allow-commands",
                                   safe_line(flags.directory)));
  return kOk;
}

}  // namespace

Action declare_demo(Arguments& arguments) {
  auto flags = std::make_unique<DemoFlags>();
  arguments.required({"DIR", "a data directory that is not there yet"}, flags->directory);
  arguments.number({"--seed", "N", "another makes other runs"}, flags->seed);
  arguments.number({"--days", "N", "of history"}, flags->days);
  return [flags = std::move(flags)](Session& session) { return demo(session, *flags); };
}

}  // namespace chronos::cli
