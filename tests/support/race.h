// Threads that start together, to find what they must not do to each other.
#pragma once

#include <barrier>
#include <thread>
#include <vector>

namespace chronos::test {

// Runs `work(number)` in `count` threads that start together, and waits for them.
template <class Work>
void race(int count, Work work) {
  std::barrier start(count);
  std::vector<std::jthread> threads;
  for (int number = 0; number < count; ++number) {
    threads.emplace_back([&start, &work, number] {
      start.arrive_and_wait();
      work(number);
    });
  }
}

}  // namespace chronos::test
