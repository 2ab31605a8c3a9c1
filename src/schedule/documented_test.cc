// The tables of docs/schedules.md are what the program does: each row of the page is tried.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/expression.h"
#include "schedule/schedule.h"

namespace chronos::schedule {
namespace {

using Cells = std::vector<std::string>;

// A row of a table, with the last line before the table that was a sentence.
struct Row {
  Cells cells;
  std::string before;
};

std::string trimmed_cell(std::string_view cell) {
  const auto first = cell.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(cell.substr(first, cell.find_last_not_of(' ') - first + 1));
}

Cells cells_of(std::string_view line) {
  Cells cells;
  line.remove_prefix(1);
  for (auto end = line.find('|'); end != std::string_view::npos; end = line.find('|')) {
    cells.push_back(trimmed_cell(line.substr(0, end)));
    line.remove_prefix(end + 1);
  }
  return cells;
}

// The page's tables by their header line.
std::map<std::string, std::vector<Row>> tables() {
  std::map<std::string, std::vector<Row>> found;
  std::ifstream page(CHRONOS_SCHEDULES_PAGE);
  std::string line;
  std::string before;
  std::string header;
  while (std::getline(page, line)) {
    if (!line.starts_with('|')) {
      header.clear();
      if (!line.empty()) before = line;
    } else if (header.empty()) {
      header = line;
    } else if (!line.starts_with("|-")) {
      found[header].push_back({cells_of(line), before});
    }
  }
  return found;
}

// What stands between the first two backticks.
std::string code_in(std::string_view cell) {
  const auto begin = cell.find('`');
  return begin == std::string_view::npos
             ? ""
             : std::string(cell.substr(begin + 1, cell.find('`', begin + 1) - begin - 1));
}

Schedule compiled(const std::string& text, std::string timezone = "UTC") {
  ScheduleSpec spec;
  spec.cron = {text};
  spec.timezone = std::move(timezone);
  auto schedule = Schedule::compile(spec);
  EXPECT_TRUE(schedule) << text << ": " << (schedule ? "" : schedule.error().message);
  return *schedule;
}

// "2026-03-08 03:00 -04", as the page writes instants.
std::string show(Timestamp at, const TimeZone& zone) {
  const auto text = format_local(at, zone);
  const auto minutes = text.substr(22);
  return fmt::format("{} {} {}{}", text.substr(0, 10), text.substr(11, 5), text.substr(19, 3),
                     minutes == ":00" ? "" : minutes);
}

TEST(Documented, ClockChanges) {
  const auto rows = tables()["| expression | class | next |"];
  EXPECT_GE(rows.size(), 57);
  for (const auto& [cells, before] : rows) {
    const auto text = code_in(cells.at(0));
    const auto schedule = compiled(text, before.substr(2, before.find("**", 2) - 2));
    const auto cron = std::get<Cron>(parse_expression(text)->body);
    EXPECT_EQ(cron.is_interval(), cells.at(1) == "interval") << text;
    auto at = schedule.next_after(*parse_timestamp(code_in(before)));
    std::string shown;
    for (; at && shown.size() < cells.at(2).size(); at = schedule.next_after(*at)) {
      shown += (shown.empty() ? "" : " · ") + show(*at, schedule.zone());
    }
    EXPECT_EQ(shown, cells.at(2)) << text << " in " << before;
  }
}

TEST(Documented, OtherSpellings) {
  const auto rows = tables()["| text | means |"];
  EXPECT_GE(rows.size(), 11);
  for (const auto& row : rows) {
    const auto one = compiled(code_in(row.cells.at(0)));
    const auto other = compiled(code_in(row.cells.at(1)));
    auto at = *parse_timestamp("2026-01-01T00:00:00Z");
    for (int i = 0; i < 50; ++i) {
      const auto next = one.next_after(at);
      ASSERT_TRUE(next);
      ASSERT_EQ(next, other.next_after(at)) << row.cells.at(0);
      at = *next;
    }
  }
}

TEST(Documented, WhatToWrite) {
  const auto rows = tables()["| You want | Write |"];
  EXPECT_GE(rows.size(), 12);
  for (const auto& row : rows) compiled(code_in(row.cells.at(1)));
}

TEST(Documented, Refusals) {
  const auto rows = tables()["| text | code | field | column | message | hint |"];
  EXPECT_GE(rows.size(), 60);
  for (const auto& row : rows) {
    const auto text = code_in(row.cells.at(0));
    const auto parsed = parse_expression(text);
    ASSERT_FALSE(parsed) << text;
    const auto& error = parsed.error();
    const Cells shown{row.cells.at(0),
                      error.code,
                      error.field.empty() ? "–" : error.field,
                      std::to_string(error.column),
                      error.message,
                      error.hint};
    EXPECT_EQ(row.cells, shown) << text;
  }
}

}  // namespace
}  // namespace chronos::schedule
