// The words of the schedule language: names of months and weekdays; and the hash behind H and ~.
#include <algorithm>

#include "schedule/cron_syntax.h"

namespace chronos::schedule {
namespace {

template <std::size_t N>
std::optional<int> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i].substr(0, 3) == name) return static_cast<int>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view month_name(int month) {
  return kLongMonths.at(static_cast<std::size_t>(month - 1)).substr(0, 3);
}

std::string_view weekday_name(int weekday) {
  return kLongWeekdays.at(static_cast<std::size_t>(weekday)).substr(0, 3);
}

std::optional<int> month_number(std::string_view name) {
  const auto index = index_of(kLongMonths, name);
  return index ? std::optional(*index + 1) : std::nullopt;
}

std::optional<int> weekday_number(std::string_view name) {
  return index_of(kLongWeekdays, name);
}

std::uint64_t field_hash(std::string_view seed, char letter) {
  constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325;
  constexpr std::uint64_t kFnvPrime = 0x100000001b3;
  std::uint64_t hash = kFnvOffset;
  const auto add = [&](char byte) { hash = (hash ^ static_cast<unsigned char>(byte)) * kFnvPrime; };
  for (const char byte : seed) add(byte);
  add('\0');
  add(letter);
  // The finisher of splitmix64: FNV alone leaves the high bits, which pick() uses, too regular.
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

int pick(std::uint64_t hash, int n) {
  // The high 64 bits of hash * n, in two halves because C++ has no 128-bit integer.
  const auto count = static_cast<std::uint64_t>(n);
  const std::uint64_t low = (hash & 0xffffffff) * count >> 32;
  return static_cast<int>(((hash >> 32) * count + low) >> 32);
}

}  // namespace chronos::schedule
