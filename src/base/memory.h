// When memory runs out: who was about to answer somebody must say so, and not that there is a bug.
#pragma once

namespace chronos {

// From now on has_memory_run_out() knows. Once for each process, before it has threads: it sets
// operator new's handler ([new.handler]).
void watch_memory();

// Whether an allocation by `new` has failed on this thread since this was last asked. Never throws.
bool has_memory_run_out();

}  // namespace chronos
