#include "cli/commands.h"

#include <array>
#include <utility>

namespace chronos::cli {
namespace {

// In the order of the help.
constexpr std::array kCommands = {
    Command{"serve", "start the server", &declare_serve},
    Command{"submit", "submit a job: now, once, or on a schedule", &declare_submit},
    Command{"list", "list jobs", &declare_list},
    Command{"get", "show a job or a run", &declare_get},
    Command{"status", "show how a job is doing", &declare_status},
    Command{"why", "say why a job or a run does not run, or ended so", &declare_why},
    Command{"reschedule", "give a job another schedule", &declare_reschedule},
    Command{"cancel", "cancel a job or a run", &declare_cancel},
    Command{"pause", "keep a job from running", &declare_pause},
    Command{"resume", "let a paused job run again", &declare_resume},
    Command{"run", "run a job now", &declare_run},
    Command{"backfill", "run instants of the past again", &declare_backfill},
    Command{"runs", "list runs", &declare_runs},
    Command{"logs", "print the output of a run", &declare_logs},
    Command{"retry", "run a finished run once more", &declare_retry},
    Command{"wait", "wait until a job or a run has finished", &declare_wait},
    Command{"overview", "what goes on, what went wrong, what is to come", &declare_overview},
    Command{"queues", "list queues and what lies in them", &declare_queues},
    Command{"nodes", "list the servers that start runs", &declare_nodes},
    Command{"cron", "explain a cron expression (needs no server)", &declare_cron},
    Command{"versions", "list what a job declared before", &declare_versions},
    Command{"restore", "declare again what a job declared before", &declare_restore},
    Command{"audit", "list who changed what", &declare_audit},
    Command{"bulk start", "act on many jobs or runs", &declare_bulk_start},
    Command{"bulk list", "list bulk operations", &declare_bulk_list},
    Command{"bulk get", "show how far a bulk operation is", &declare_bulk_get},
    Command{"bulk undo", "undo a bulk operation, or stop it", &declare_bulk_undo},
    Command{"keys list", "list API keys", &declare_keys_list},
    Command{"keys create", "create an API key", &declare_keys_create},
    Command{"keys revoke", "revoke an API key", &declare_keys_revoke},
    Command{"keys rotate", "make a key that replaces another", &declare_keys_rotate},
    Command{"login-link", "print a link that opens the dashboard, logged in", &declare_login_link},
    Command{"calendars list", "list calendars", &declare_calendars_list},
    Command{"calendars get", "print a calendar", &declare_calendars_get},
    Command{"calendars put", "create or replace a calendar", &declare_calendars_put},
    Command{"calendars import", "fill a calendar from an iCalendar file",
            &declare_calendars_import},
    Command{"calendars delete", "delete a calendar", &declare_calendars_delete},
    Command{"channels list", "list channels", &declare_channels_list},
    Command{"channels get", "print a channel", &declare_channels_get},
    Command{"channels put", "create or replace a channel", &declare_channels_put},
    Command{"channels delete", "delete a channel", &declare_channels_delete},
    Command{"channels test", "send one message through a channel", &declare_channels_test},
    Command{"notify test", "send a test message", &declare_notify_test},
    Command{"backup", "copy the database while the server runs", &declare_backup},
    Command{"config show", "print the settings in force", &declare_config_show},
    Command{"config check", "check the configuration", &declare_config_check},
    Command{"doctor", "look for what will make trouble, and say how to mend it", &declare_doctor},
    Command{"health", "ask the server whether it is ready", &declare_health},
    Command{"bench", "measure a server of its own: speed, lateness, loss", &declare_bench},
    Command{"demo", "make a data directory with a made-up month in it", &declare_demo},
    Command{"version", "print the version", &declare_version},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

int run_command_line(const std::vector<std::string>& words, Outside outside) {
  auto parsed = parse_command_line(commands(), words);
  auto& terminal = outside.terminal;
  terminal.out << parsed.out;
  terminal.err << parsed.err;
  if (!parsed.action) return parsed.exit_code;
  if (parsed.flags.no_color) terminal.has_out_color = terminal.has_err_color = false;
  Session session{terminal, outside.environment, std::move(parsed.flags), outside.clock,
                  std::move(outside.sleep)};
  return parsed.action(session);
}

}  // namespace chronos::cli
