// doctor.
#include <algorithm>
#include <memory>

#include "app/doctor.h"
#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/server_settings.h"

namespace chronos::cli {
namespace {

void print_findings_json(Session& session, const std::vector<app::Finding>& findings) {
  std::string text;
  json::Writer writer(text);
  writer.begin_array();
  for (const auto& finding : findings) {
    writer.begin_object().member("check", finding.check);
    writer.member("verdict", to_string(finding.verdict)).member("message", finding.message);
    writer.member("fix", finding.fix).end_object();
  }
  writer.end_array();
  print_json(session.terminal, text);
}

Color color_of(app::Verdict verdict) {
  switch (verdict) {
    case app::Verdict::ok:
      return Color::green;
    case app::Verdict::warning:
      return Color::yellow;
    case app::Verdict::error:
      return Color::red;
  }
  return Color::none;
}

int doctor(Session& session, const SettingFlags& flags) {
  const auto loaded = load_settings(session, flags);
  if (!loaded) return print_config_error(session, loaded.error());
  auto findings = app::judge(loaded->config, app::examine(loaded->config), session.clock.now());
  for (const auto& warning : loaded->warnings) {
    findings.push_back({"config", app::Verdict::warning, warning, "correct the configuration"});
  }
  const bool is_well = std::ranges::none_of(
      findings, [](const auto& finding) { return finding.verdict == app::Verdict::error; });
  const int code = is_well ? kOk : kFailed;
  if (session.flags.json) {
    print_findings_json(session, findings);
    return code;
  }
  auto& terminal = session.terminal;
  for (const auto& finding : findings) {
    if (session.flags.quiet && finding.verdict == app::Verdict::ok) continue;
    terminal.out << colored(to_string(finding.verdict), color_of(finding.verdict),
                            terminal.has_out_color)
                 << ' ' << finding.check << ": " << safe_line(finding.message) << '\n';
    if (!finding.fix.empty()) terminal.out << "  fix: " << safe_line(finding.fix) << '\n';
  }
  return code;
}

}  // namespace

Action declare_doctor(Arguments& arguments) {
  auto flags = std::make_unique<SettingFlags>();
  declare_settings(arguments, *flags);
  return [flags = std::move(flags)](Session& session) { return doctor(session, *flags); };
}

}  // namespace chronos::cli
