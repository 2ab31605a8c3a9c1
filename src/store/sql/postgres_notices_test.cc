#include "store/sql/postgres_notices.h"

#include <gtest/gtest.h>

namespace chronos::store::sql {
namespace {

TEST(Notices, AreReadAsTheyWereWritten) {
  const ProjectId project{{7, 9}};
  const auto own = read_notice(notice_of({project, "reports", 12}));
  ASSERT_TRUE(own);
  ASSERT_EQ(own->work.size(), 1U);
  EXPECT_EQ(own->work[0].project, project);
  EXPECT_EQ(own->work[0].queue, "reports");
  EXPECT_EQ(own->work[0].count, 12);
  EXPECT_FALSE(own->is_for_nodes);

  const auto any = read_notice(notice_of({std::nullopt, "default", 1}));
  ASSERT_TRUE(any);
  EXPECT_EQ(any->work.at(0).project, std::nullopt);

  const auto nodes = read_notice(notice_of_nodes());
  ASSERT_TRUE(nodes);
  EXPECT_TRUE(nodes->is_for_nodes);
  EXPECT_TRUE(nodes->work.empty());
}

TEST(Notices, OfWhatWasTouchedAreReadAsTheyWereWritten) {
  const std::vector<Touch> touched = {
      {ProjectId{{7, 9}}, JobId{{1, 2}}, RunId{{3, 4}}, RunState::timed_out},
      {ProjectId{{7, 9}}, std::nullopt, RunId{{3, 4}}},
      {ProjectId{{7, 9}}, JobId{{1, 2}}, RunId{{3, 4}}, std::nullopt, 3, 1'000'000},
      {ProjectId{{7, 9}}},
      {}};
  const auto news = read_notice(notice_of(touched));
  ASSERT_TRUE(news);
  EXPECT_EQ(news->touched, touched);
  EXPECT_FALSE(news->is_for_nodes);
  const std::vector<Touch> many(kTouchesTogether, touched.front());
  EXPECT_LT(notice_of(many).size(), 8000U) << "what PostgreSQL takes";
  const auto watching = read_notice(notice_of_watching());
  ASSERT_TRUE(watching);
  EXPECT_TRUE(watching->is_watching);
}

TEST(Notices, OthersAreNotTaken) {
  for (const char* text :
       {"", "node", "work", "work - q", "work - q x", "work - q 0", "work - q 1 2", "work x q 1",
        "work - q 1x", "play - q 1", "touched x", "touched - - - x",
        "touched - - - 1:", "touched - - - 1:x", "touched x - - -", "touched - - -"}) {
    EXPECT_FALSE(read_notice(text)) << text;
  }
}

}  // namespace
}  // namespace chronos::store::sql
