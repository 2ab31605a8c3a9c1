#include "base/shared.h"

#include <gtest/gtest.h>

#include <string>

namespace chronos {
namespace {

TEST(Shared, CopiesAreOneValueUntilOneIsEdited) {
  Shared<std::string> first(std::string("as declared"));
  const auto second = first;
  EXPECT_EQ(&*first, &*second);
  first.edit() += ", and changed";
  EXPECT_EQ(*first, "as declared, and changed");
  EXPECT_EQ(*second, "as declared");
}

TEST(Shared, OfNothingIsTheDefault) {
  const Shared<std::string> one;
  Shared<std::string> other;
  other.edit() = "x";
  EXPECT_EQ(*one, "");
  EXPECT_EQ(*Shared<std::string>(), "");
}

}  // namespace
}  // namespace chronos
