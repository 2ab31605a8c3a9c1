// What a crashed server left running. The daemon calls it once at start-up, before the first
// launch.
#pragma once

#include <cstddef>
#include <string_view>

namespace chronos::executor {

// Kills every process that the server of this id ever started and that still lives; the id is the
// one given to the executors (CommandExecutorOptions::server_id). Returns how many there were.
// Waits until they are gone, at most ten seconds. An empty id: does nothing.
std::size_t kill_orphans(std::string_view server_id);

}  // namespace chronos::executor
