// THE table of commands and the way into the command line. To add a command: a function in a
// *_commands.cc file, declared here, and a row in commands.cc. Called by main.cc; one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/config.h"
#include "cli/command_line.h"

namespace chronos::cli {

std::span<const Command> commands();

// What many of them are given.
constexpr Arguments::Positional kJob{"JOB", "id of a job, or the key it was declared with"};
constexpr Arguments::Positional kRun{"RUN", "id of a run"};

// What the whole program needs from outside.
struct Outside {
  Terminal& terminal;
  const app::Environment& environment;
  const Clock& clock;
  std::function<void(Duration)> sleep;
};

// Runs the command that `words` (without the program's name) ask for; answers the exit code.
int run_command_line(const std::vector<std::string>& words, Outside outside);

Action declare_serve(Arguments& arguments);        // serve_command.cc
Action declare_config_show(Arguments& arguments);  // config_commands.cc
Action declare_config_check(Arguments& arguments);
Action declare_doctor(Arguments& arguments);       // doctor_command.cc
Action declare_submit(Arguments& arguments);       // job_commands.cc
Action declare_list(Arguments& arguments);         //
Action declare_get(Arguments& arguments);          //
Action declare_status(Arguments& arguments);       //
Action declare_why(Arguments& arguments);          //
Action declare_reschedule(Arguments& arguments);   //
Action declare_cancel(Arguments& arguments);       //
Action declare_pause(Arguments& arguments);        //
Action declare_resume(Arguments& arguments);       //
Action declare_run(Arguments& arguments);          // run_commands.cc
Action declare_backfill(Arguments& arguments);     // backfill_command.cc
Action declare_runs(Arguments& arguments);         //
Action declare_logs(Arguments& arguments);         //
Action declare_retry(Arguments& arguments);        //
Action declare_wait(Arguments& arguments);         //
Action declare_keys_list(Arguments& arguments);    // key_commands.cc
Action declare_keys_create(Arguments& arguments);  //
Action declare_keys_revoke(Arguments& arguments);  //
Action declare_keys_rotate(Arguments& arguments);  //
Action declare_login_link(Arguments& arguments);   //
Action declare_cron(Arguments& arguments);         // cron_command.cc
Action declare_bench(Arguments& arguments);        // bench_command.cc
Action declare_notify_test(Arguments& arguments);  // system_commands.cc
Action declare_backup(Arguments& arguments);       //
Action declare_health(Arguments& arguments);       //
Action declare_version(Arguments& arguments);      //

// history_commands.cc
Action declare_audit(Arguments& arguments);
Action declare_versions(Arguments& arguments);
Action declare_restore(Arguments& arguments);

// bulk_commands.cc
Action declare_bulk_start(Arguments& arguments);
Action declare_bulk_list(Arguments& arguments);
Action declare_bulk_get(Arguments& arguments);
Action declare_bulk_undo(Arguments& arguments);

// channel_commands.cc
Action declare_channels_list(Arguments& arguments);
Action declare_channels_get(Arguments& arguments);
Action declare_channels_put(Arguments& arguments);
Action declare_channels_delete(Arguments& arguments);
Action declare_channels_test(Arguments& arguments);

// overview_commands.cc
Action declare_overview(Arguments& arguments);
Action declare_queues(Arguments& arguments);
Action declare_nodes(Arguments& arguments);

Action declare_demo(Arguments& arguments);  // demo_command.cc

// calendar_commands.cc
Action declare_calendars_list(Arguments& arguments);
Action declare_calendars_get(Arguments& arguments);
Action declare_calendars_put(Arguments& arguments);
Action declare_calendars_import(Arguments& arguments);
Action declare_calendars_delete(Arguments& arguments);

}  // namespace chronos::cli
