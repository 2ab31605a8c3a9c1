// A second opinion on cron: schedule.md §2, §3 and §7 by brute force. Shares no code with
// src/schedule: it makes random expressions together with their meaning, so it parses nothing; it
// asks the C library for local times, not Abseil; and it walks minute by minute. One thread (it
// sets TZ). Used by src/schedule/cron_oracle_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace chronos::oracle {

struct Day {
  int year;
  int month;
  int day;
};

// What an item of the day-of-month or day-of-week field asks for.
struct DayItem {
  enum class Kind { values, last, last_weekday, nearest, nth } kind = Kind::values;
  std::vector<int> values;  // days; or weekdays 0-6
  int number = 0;           // last: days before it; nearest: the day; nth: 1-5, 0 = last
};

// A random expression and what it means.
struct Expression {
  std::string text;
  std::array<bool, 60> seconds{};
  std::array<bool, 60> minutes{};
  std::array<bool, 24> hours{};
  std::array<bool, 13> months{};
  std::array<bool, 230> years{};  // from 1970
  std::vector<DayItem> dates;
  std::vector<DayItem> weekdays;
  bool any_date = false;
  bool any_weekday = false;
  bool needs_both = false;
  bool is_interval = false;

  bool matches(const Day& day) const;
};

// `near` is a day whose date and weekday are likelier than others, so that windows get hits.
Expression random_expression(Rng& rng, const Day& near);

// The same meaning, as far as the dialect has it, in other words: plain lists, the dialect's
// numbers of the week and its way to say which day field counts. None if the dialect cannot say it.
std::optional<Expression> in_quartz(const Expression& expression);
std::optional<Expression> in_aws(const Expression& expression);
std::optional<Expression> in_systemd(const Expression& expression);

enum class Policy { automatic, skip };

// One minute of real time and what the clock on the wall showed, as the C library has it.
struct Minute {
  std::int64_t utc;   // seconds since 1970
  std::int64_t wall;  // utc + offset
  bool is_repeated;   // an earlier minute of the walk showed the same
};

// Every minute of [from, until) in `zone`, which becomes the process's TZ.
std::vector<Minute> walk(const std::string& zone, std::int64_t from, std::int64_t until);

// The instants, in seconds since 1970, that the expression fires at within the minutes walked. The
// walk must begin two days before the first instant that matters.
std::vector<std::int64_t> fire_times(const Expression& expression, Policy policy,
                                     const std::vector<Minute>& minutes);

// An ISO 8601 repetition by the calendar, in local readings as seconds since 1970.
struct Repetition {
  std::int64_t start = 0;
  int months = 0;
  int days = 0;
  std::int64_t seconds = 0;  // elapsed
  int count = 0;
};

// Its instants, from the first, as far as the minutes walked show all readings they need.
std::vector<std::int64_t> repeat_times(const Repetition& repetition, Policy policy,
                                       const std::vector<Minute>& minutes);

// The changes of the offset in a year, in seconds since 1970, to the minute.
std::vector<std::int64_t> clock_changes(const std::string& zone, int year);

Day day_of(std::int64_t wall);
std::int64_t midnight(const Day& day);

}  // namespace chronos::oracle
