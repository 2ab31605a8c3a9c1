// Small English: lists, ordinals, runs of numbers, names of months and weekdays. Used by words.cc
// and cron_warnings.cc. Pure; thread-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chronos::schedule {

// "a", "a and b", "a, b and c"; `last` is the word before the last.
std::string join(const std::vector<std::string>& parts, std::string_view last = "and");

// The set bits of a mask, lowest first.
std::vector<int> bits_of(std::uint64_t mask);

// "1st", "22nd", "13th".
std::string ordinal(int number);

// "first" … "fifth".
std::string_view ordinal_word(int number);

std::string_view long_month(int month);      // "January"
std::string_view long_weekday(int weekday);  // 0 = "Sunday"

// Sorted values as a list in which runs of three or more are drawn together: "1, 5 through 9 and
// 12". `name` writes one value.
std::string list_of(const std::vector<int>& values, const std::function<std::string(int)>& name,
                    std::string_view last = "and");

// Evenly spaced sorted values.
struct Series {
  int first = 0;
  int last = 0;
  int step = 0;  // 0: the values are not evenly spaced, or fewer than two
};

Series series_of(const std::vector<int>& values);

}  // namespace chronos::schedule
