// Does the time in which a wrong key is refused tell how much of it is right?
//
//   key_timing [requests]
//
// Two kinds of wrong keys of a key that exists, both with the right checksum: all of the secret is
// wrong, or its last character alone. They take turns at random in Access::authenticate(), and for
// comparison in a loop that ends at the first character that differs: there a difference must be
// seen, or this sees none. Welch's t says whether their times differ. As in "Dude, is my code
// constant time?" (Reparaz, Balasch, Verbauwhede, 2017) the slowest are left out at several bounds,
// since what interrupted them was something else, and |t| beyond 4.5 at any of them is a
// difference: exit code 1.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "service/access.h"
#include "store/memory_store.h"

namespace chronos {
namespace {

constexpr int kRequests = 200'000;
constexpr double kDifference = 4.5;
constexpr std::array kKept = {0.5, 0.8, 0.95, 1.0};
constexpr std::size_t kChecksum = 8;
constexpr std::size_t kSecretAt = kKeyPrefix.size() + 26;

// With the checksum of what it says now.
std::string with_checksum(std::string key) {
  key.resize(key.size() - kChecksum);
  return key + fmt::format("{:08x}", crc32(key));
}

std::string all_wrong(std::string key, Rng& rng) {
  constexpr std::string_view kLetters = "0123456789abcdefghjkmnpqrstvwxyz";
  for (auto at = kSecretAt; at < key.size() - kChecksum; ++at) {
    key[at] = kLetters[static_cast<std::size_t>(rng.between(0, 31))];
  }
  return with_checksum(std::move(key));
}

std::string last_wrong(std::string key, Rng& rng) {
  constexpr std::string_view kLetters = "0123456789abcdefghjkmnpqrstvwxyz";
  auto& last = key[key.size() - kChecksum - 1];
  const auto right = last;
  while (last == right) last = kLetters[static_cast<std::size_t>(rng.between(0, 31))];
  return with_checksum(std::move(key));
}

struct Sample {
  double nanoseconds;
  bool is_near;
};

double welch(const std::vector<Sample>& samples, double bound) {
  struct Of {
    double count = 0, mean = 0, squares = 0;
  };
  std::array<Of, 2> kinds;
  for (const auto& sample : samples) {
    if (sample.nanoseconds > bound) continue;
    auto& [count, mean, squares] = kinds[sample.is_near ? 1 : 0];
    const auto off = sample.nanoseconds - mean;
    mean += off / ++count;
    squares += off * (sample.nanoseconds - mean);
  }
  const auto error = [](const Of& of) { return of.squares / (of.count - 1) / of.count; };
  return (kinds[0].mean - kinds[1].mean) / std::sqrt(error(kinds[0]) + error(kinds[1]));
}

template <class Accepts>
std::vector<Sample> measure(const Accepts& accepts, const std::string& key, int requests) {
  auto rng = Rng::from_system();
  std::vector<Sample> samples;
  samples.reserve(static_cast<std::size_t>(requests));
  for (int i = 0; i < requests; ++i) {
    const bool is_near = rng.between(0, 1) == 1;
    // Both are made, so that what lies in the caches is the same.
    const std::array keys = {all_wrong(key, rng), last_wrong(key, rng)};
    const auto& asked = keys[is_near ? 1 : 0];
    const auto begun = std::chrono::steady_clock::now();
    const bool is_right = accepts(asked);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    if (is_right) {
      fmt::print(stderr, "a wrong key was not refused\n");
      std::exit(2);
    }
    samples.push_back({took.count(), is_near});
  }
  return samples;
}

bool differ(std::string_view what, const std::vector<Sample>& samples) {
  std::vector<double> times;
  times.reserve(samples.size());
  for (const auto& sample : samples) times.push_back(sample.nanoseconds);
  std::ranges::sort(times);
  bool differs = false;
  for (const auto kept : kKept) {
    const auto bound =
        times[static_cast<std::size_t>(kept * static_cast<double>(times.size() - 1))];
    const auto t = welch(samples, bound);
    fmt::print("{}: {:3.0f} % of {} requests, up to {:.0f} ns: t = {:.2f}\n", what, kept * 100,
               times.size(), bound, t);
    differs = differs || std::abs(t) > kDifference;
  }
  return differs;
}

int run(int requests) {
  const SystemClock clock;
  IdSource ids(clock, Rng::from_system());
  store::MemoryStore store(clock, {});
  auto name = (std::filesystem::temp_directory_path() / "chronos_keys_XXXXXX").string();
  const std::filesystem::path folder(::mkdtemp(name.data()));
  const auto first = service::bootstrap(store, clock, ids, folder.string());
  std::filesystem::remove_all(folder);
  if (!first) return 2;
  service::Access access(store, clock, ids);
  if (!access.authenticate(first->admin_secret)) return 2;

  const auto& key = first->admin_secret;
  const auto authenticate = [&](const std::string& asked) -> bool {
    return access.authenticate(asked).has_value();
  };
  const auto stops_early = [&](const std::string& asked) {
    return std::ranges::mismatch(asked, key).in1 == asked.end();
  };
  if (!differ("a comparison that ends early", measure(stops_early, key, requests))) {
    fmt::print("too little was measured to see even that\n");
    return 2;
  }
  return differ("authenticate", measure(authenticate, key, requests)) ? 1 : 0;
}

}  // namespace
}  // namespace chronos

int main(int argc, char** argv) {
  return chronos::run(argc > 1 ? std::atoi(argv[1]) : chronos::kRequests);
}
