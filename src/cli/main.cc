// The program: the real terminal, environment and clock, and whatever the command line asks for.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/commands.h"

namespace {

chronos::app::Environment read_environment() {
  chronos::app::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string::npos) {
      environment[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  return environment;
}

std::size_t columns_of(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int run(const std::vector<std::string>& words) {
  using namespace chronos;
  const auto environment = read_environment();
  const bool is_out_tty = isatty(STDOUT_FILENO) == 1;
  cli::Terminal terminal{
      .out = std::cout,
      .err = std::cerr,
      .in = std::cin,
      .is_out_tty = is_out_tty,
      .has_out_color = cli::wants_color(is_out_tty, environment, false),
      .has_err_color = cli::wants_color(isatty(STDERR_FILENO) == 1, environment, false),
      .columns = is_out_tty ? columns_of(STDOUT_FILENO) : 0};
  const SystemClock clock;
  const auto exit_code = cli::run_command_line(
      words, {terminal, environment, clock,
              [](Duration duration) { std::this_thread::sleep_for(duration); }});
  std::cout.flush();
  return exit_code == 0 && !std::cout ? cli::kFailed : exit_code;  // stdout was full or closed
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (`chronos list | head`) is a failed write, not a death; for the server
  // it is a client that hung up.
  std::signal(SIGPIPE, SIG_IGN);
  chronos::watch_memory();
  std::ios::sync_with_stdio(false);
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return chronos::cli::kFailed;
  }
}
