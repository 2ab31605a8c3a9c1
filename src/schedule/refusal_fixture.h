// A row of a table of refusals, and the check of it. For the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "schedule/expression.h"

namespace chronos::schedule {

struct Refusal {
  std::string_view text;
  std::string_view code;
  std::string_view field;
  int column;
  std::string_view message;
  std::string_view hint;
};

inline void expect_refused(const Refusal& row) {
  const auto parsed = parse_expression(row.text);
  ASSERT_FALSE(parsed) << row.text;
  const auto& error = parsed.error();
  EXPECT_EQ(error.code, row.code) << row.text;
  EXPECT_EQ(error.field, row.field) << row.text;
  EXPECT_EQ(error.column, row.column) << row.text;
  EXPECT_EQ(error.message, row.message) << row.text;
  EXPECT_EQ(error.hint, row.hint) << row.text;
}

}  // namespace chronos::schedule
