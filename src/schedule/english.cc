#include "schedule/english.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace chronos::schedule {

std::string join(const std::vector<std::string>& parts, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? fmt::format(" {} ", last) : ", ";
    text += parts[i];
  }
  return text;
}

std::vector<int> bits_of(std::uint64_t mask) {
  std::vector<int> bits;
  for (; mask != 0; mask &= mask - 1) bits.push_back(std::countr_zero(mask));
  return bits;
}

std::string ordinal(int number) {
  const bool is_teen = number / 10 % 10 == 1;
  const int digit = is_teen ? 0 : number % 10;
  const auto* suffix = digit == 1 ? "st" : digit == 2 ? "nd" : digit == 3 ? "rd" : "th";
  return fmt::format("{}{}", number, suffix);
}

std::string_view ordinal_word(int number) {
  constexpr std::array<std::string_view, 5> kWords = {"first", "second", "third", "fourth",
                                                      "fifth"};
  return kWords.at(static_cast<std::size_t>(number - 1));
}

std::string_view long_month(int month) {
  constexpr std::array<std::string_view, 12> kNames = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  return kNames.at(static_cast<std::size_t>(month - 1));
}

std::string_view long_weekday(int weekday) {
  constexpr std::array<std::string_view, 7> kNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                      "Thursday", "Friday", "Saturday"};
  return kNames.at(static_cast<std::size_t>(weekday));
}

std::string list_of(const std::vector<int>& values, const std::function<std::string(int)>& name,
                    std::string_view last) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i + 1;
    while (end < values.size() && values[end] == values[end - 1] + 1) ++end;
    if (end - i < 3) {
      parts.push_back(name(values[i++]));
    } else {
      parts.push_back(fmt::format("{} through {}", name(values[i]), name(values[end - 1])));
      i = end;
    }
  }
  return join(parts, last);
}

Series series_of(const std::vector<int>& values) {
  if (values.size() < 2) return {};
  const int step = values[1] - values[0];
  for (std::size_t i = 2; i < values.size(); ++i) {
    if (values[i] - values[i - 1] != step) return {};
  }
  return {values.front(), values.back(), step};
}

}  // namespace chronos::schedule
