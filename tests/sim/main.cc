// sim --seed N [--steps N] [--store memory|sqlite] [--verbose]: replays one history. sim --seeds A
// B: many, on all processors, one line each; ends non-zero when one of them breaks an invariant.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "world.h"

namespace {

using chronos::sim::StoreKind;
using chronos::sim::World;
using chronos::sim::WorldOptions;

struct Order {
  WorldOptions options;
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};

constexpr auto kUsage =
    "sim (--seed N | --seeds A B) [--steps N] [--store memory|sqlite] [--verbose]\n";

// Nothing when it cannot be understood.
std::optional<Order> read_order(std::span<char*> words) {
  Order order;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view flag = words[i];
    const auto next = [&] { return ++i < words.size() ? words[i] : ""; };
    const auto number = [&] { return std::strtoull(next(), nullptr, 10); };
    if (flag == "--seed") {
      order.first = order.last = number();
    } else if (flag == "--seeds") {
      order.first = number();
      order.last = number();
    } else if (flag == "--steps") {
      order.options.steps = static_cast<int>(number());
    } else if (flag == "--store") {
      const std::string_view store = next();
      if (store != "memory" && store != "sqlite") return std::nullopt;
      order.options.store = store == "sqlite" ? StoreKind::sqlite : StoreKind::memory;
    } else if (flag == "--verbose") {
      order.options.is_verbose = true;
    } else {
      return std::nullopt;
    }
  }
  return order;
}

// Histories share nothing: each thread takes the next seed that nobody has.
class Replays {
 public:
  explicit Replays(const Order& order) : order_(order), next_(order.first) {}

  // Returns how many broke an invariant.
  int run() {
    const auto began = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> threads(std::max(1U, std::thread::hardware_concurrency()));
      for (auto& thread : threads) thread = std::jthread([this] { work(); });
    }
    const chronos::MutexLock lock(mutex_);
    const double hours = std::chrono::duration<double, std::ratio<3600>>(node_time_).count();
    const std::chrono::duration<double, std::ratio<60>> took =
        std::chrono::steady_clock::now() - began;
    std::cout << fmt::format("{} seeds, {} steps, {:.0f} node-hours ({:.0f} a minute), {} failed\n",
                             done_, steps_, hours, hours / took.count(), failed_);
    return failed_;
  }

 private:
  void work() {
    while (true) {
      auto options = order_.options;
      {
        const chronos::MutexLock lock(mutex_);
        if (next_ > order_.last) return;
        options.seed = next_++;
      }
      World world(options);
      const auto complaints = world.run();
      tell(options.seed, world, complaints);
    }
  }

  void tell(std::uint64_t seed, const World& world, const chronos::sim::Complaints& complaints) {
    auto text =
        fmt::format("seed {}: {}{}\n", seed, world.summary(), complaints.empty() ? "" : " FAILED");
    for (const auto& complaint : complaints) text += "  " + complaint + "\n";
    const chronos::MutexLock lock(mutex_);
    std::cout << text << std::flush;
    ++done_;
    steps_ += world.steps_made();
    node_time_ += world.node_time();
    failed_ += complaints.empty() ? 0 : 1;
  }

  const Order& order_;
  chronos::Mutex mutex_;
  std::uint64_t next_ CHRONOS_GUARDED_BY(mutex_);
  int done_ CHRONOS_GUARDED_BY(mutex_) = 0;
  std::int64_t steps_ CHRONOS_GUARDED_BY(mutex_) = 0;
  chronos::SteadyTime node_time_ CHRONOS_GUARDED_BY(mutex_){};
  int failed_ CHRONOS_GUARDED_BY(mutex_) = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto order = read_order({argv, static_cast<std::size_t>(argc)});
  if (!order) {
    std::cerr << kUsage;
    return 2;
  }
  // What fails on purpose is no news, unless one looks at one history.
  if (!order->options.is_verbose)
    chronos::log::configure(chronos::log::Level::error, chronos::log::Format::text);
  return Replays(*order).run() == 0 ? 0 : 1;
}
