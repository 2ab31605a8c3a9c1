// The bare loop that P1 is a ratio of: spawns /bin/true, up to 64 at once, and reaps them.
//
//   bare_spawn SECONDS      prints the rate
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto begun = std::chrono::steady_clock::now();
  const auto until = begun + std::chrono::seconds(std::atoi(argv[1]));
  char program[] = "/bin/true";
  char* arguments[] = {program, nullptr};
  long ended = 0;
  int running = 0;
  while (std::chrono::steady_clock::now() < until) {
    while (running < 64) {
      pid_t child = 0;
      if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) != 0) return 1;
      ++running;
    }
    if (wait(nullptr) > 0) {
      --running;
      ++ended;
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
  std::cout << static_cast<double>(ended) / elapsed.count() << std::endl;
}
