#include "cli/cron_batch.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "support/manual_clock.h"

namespace chronos::cli {
namespace {

const Timestamp kNow = *parse_timestamp("2026-03-08T00:00:00Z");

std::string ask(std::string_view line) {
  return answer_schedule_question(line, kNow);
}

TEST(CronBatch, AnswersWithInstants) {
  EXPECT_EQ(
      ask(R"({"expr":"30 2 * * *","tz":"America/New_York","from":"2026-03-08T00:00:00-05:00",)"
          R"("count":3})"),
      R"({"next":["2026-03-08T07:00:00Z","2026-03-09T06:30:00Z","2026-03-10T06:30:00Z"]})");
  // One, in UTC, from now, when nothing else is said.
  EXPECT_EQ(ask(R"({"expr":"0 * * * *"})"), R"({"next":["2026-03-08T01:00:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"0 * * * *","count":0})"), R"({"next":[]})");
  // Strictly after `from`; a fraction only if there is one.
  EXPECT_EQ(ask(R"({"expr":"0 * * * *","from":"2026-03-08T01:00:00Z"})"),
            R"({"next":["2026-03-08T02:00:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"0 * * * *","from":"2026-03-08T00:59:59.9999Z"})"),
            R"({"next":["2026-03-08T01:00:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"@at 2026-03-08T01:00:00.250Z"})"),
            R"({"next":["2026-03-08T01:00:00.25Z"]})");
}

TEST(CronBatch, AnswersWithFewerWhenTheScheduleEnds) {
  EXPECT_EQ(ask(R"({"expr":"0 0 0 1 1 * 2027-2028","count":5})"),
            R"({"next":["2027-01-01T00:00:00Z","2028-01-01T00:00:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"0 0 30 2 *","count":5})"), R"({"next":[]})");
  EXPECT_EQ(ask(R"({"expr":"R2/2026-03-31T09:00:00Z/P1M","count":5})"),
            R"({"next":["2026-03-31T09:00:00Z","2026-04-30T09:00:00Z"]})");
}

TEST(CronBatch, TakesSeedAnchorAndPolicy) {
  EXPECT_EQ(ask(R"({"expr":"H H * * *","seed":"backup"})"), R"({"next":["2026-03-08T05:18:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"@every 1h"})"), R"({"next":["2026-03-08T01:00:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"@every 1h","anchor":"2026-01-01T00:30:00Z"})"),
            R"({"next":["2026-03-08T00:30:00Z"]})");
  EXPECT_EQ(ask(R"({"expr":"30 2 * * *","tz":"America/New_York","dst":"skip"})"),
            R"({"next":["2026-03-09T06:30:00Z"]})");
}

TEST(CronBatch, ErrorsOfTheScheduleNameFieldAndPlace) {
  EXPECT_EQ(ask(R"({"expr":"0 22-2 * * *"})"),
            R"({"error":{"code":"range_reversed","field":"hour","column":3,"length":4,)"
            R"("message":"range '22-2' runs backwards","hint":"write 22-23,0-2"}})");
  EXPECT_EQ(ask(R"({"expr":"* * * *"})"),
            R"({"error":{"code":"field_count","field":null,"column":8,"length":0,)"
            R"("message":"expected 5, 6 or 7 fields, found 4","hint":null}})");
  EXPECT_EQ(ask(R"({"expr":"TZ=Asia/Tokyo 0 0 * * *","tz":"Europe/Berlin"})"),
            R"({"error":{"code":"timezone_conflict","field":null,"column":4,"length":10,)"
            R"("message":"'Asia/Tokyo' contradicts the job's time zone 'Europe/Berlin'",)"
            R"("hint":null}})");
}

TEST(CronBatch, ErrorsOfTheLineNameItsMember) {
  const auto fault = [](std::string_view code, std::string_view field, std::string_view message,
                        std::string_view hint) {
    return R"({"error":{"code":")" + std::string(code) + R"(","field":)" + std::string(field) +
           R"(,"column":null,"length":null,"message":")" + std::string(message) + R"(","hint":)" +
           std::string(hint) + "}}";
  };
  EXPECT_EQ(ask(R"({"expr":"* * * * *","tz":"Mars/Base"})"),
            fault("unknown_timezone", R"("tz")", "unknown time zone 'Mars/Base'", "null"));
  EXPECT_EQ(ask(R"({"expr":"* * * * *","from":"2026-03-08T00:00:00"})"),
            fault("offset_missing", R"("from")", "'2026-03-08T00:00:00' has no offset from UTC",
                  R"("2026-03-08T00:00:00Z")"));
  EXPECT_EQ(ask(R"({"expr":"* * * * *","anchor":""})"),
            fault("bad_time", R"("anchor")", "'' is not an RFC 3339 time of the years 1970-2199",
                  R"("2026-03-08T07:30:00Z")"));
  EXPECT_EQ(ask(R"({"expr":"* * * * *","zone":"UTC"})"),
            fault("unknown_field", R"("zone")", "there is no field 'zone'", "null"));
  EXPECT_EQ(ask(R"({"expr":"* * * * *","count":10001})"),
            fault("out_of_range", R"("count")", "10001 is outside 0-10000", "null"));
  EXPECT_EQ(ask(R"({"expr":"* * * * *","count":1.5})"),
            fault("wrong_type", R"("count")", "1.5 is not a whole number of 64 bits", "null"));
  EXPECT_EQ(ask(R"({"expr":"* * * * *","dst":"both"})"),
            fault("unknown_value", R"("dst")", "'both' is not one of the values allowed", "null"));
  EXPECT_EQ(ask(R"({"expr":5})"),
            fault("wrong_type", R"("expr")", "expected string, found integer", "null"));
  EXPECT_EQ(ask(R"({"tz":"UTC"})"),
            fault("required", R"("expr")", "the line has no schedule", "null"));
  EXPECT_EQ(ask("[]"), fault("wrong_type", "null", "expected object, found array", "null"));
  for (const auto* line : {"", "{", "nonsense", "{\"expr\":\"\xff\"}", "{} {}"}) {
    EXPECT_NE(ask(line).find(R"("field":null)"), std::string::npos) << line;
    EXPECT_NE(ask(line).find(R"({"error":{"code":"bad_)"), std::string::npos) << ask(line);
  }
}

// A stream that counts how often it is flushed.
class CountedBuffer : public std::stringbuf {
 public:
  int flush_count = 0;

 protected:
  int sync() override {
    ++flush_count;
    return 0;
  }
};

TEST(CronBatch, OneFlushedAnswerPerLineAndNoStop) {
  std::istringstream in("{\"expr\":\"0 * * * *\"}\nnonsense\n\n{\"expr\":\"0 0 * * *\"}");
  CountedBuffer buffer;
  std::ostream out(&buffer);
  answer_schedule_questions(in, out, ManualClock(kNow));
  std::istringstream answers(buffer.str());
  std::string line;
  std::string kinds;
  while (std::getline(answers, line)) kinds += line.substr(2, 1);
  EXPECT_EQ(kinds, "neen");  // next, error, error, next
  EXPECT_EQ(buffer.flush_count, 4);
}

}  // namespace
}  // namespace chronos::cli
