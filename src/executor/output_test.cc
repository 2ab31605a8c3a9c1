#include "executor/output.h"

#include <gtest/gtest.h>

#include <string>

namespace chronos::executor {
namespace {

std::string numbered(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + "\n";
  text.resize(size);
  return text;
}

Captured capture(std::string_view text, std::size_t capacity, std::size_t step) {
  OutputCapture output(capacity);
  for (std::size_t at = 0; at < text.size(); at += step) output.append(text.substr(at, step));
  return output.take();
}

TEST(Output, KeepsEverythingUpToTheCapacity) {
  for (const std::size_t size : {0U, 1U, 767U, 768U, 769U, 1023U, 1024U}) {
    const auto text = numbered(size);
    const auto captured = capture(text, 1024, 100);
    EXPECT_EQ(captured.text, text) << size;
    EXPECT_EQ(captured.dropped, 0) << size;
  }
}

TEST(Output, BeyondItKeepsTheBeginningAndTheEndAndCountsTheRest) {
  for (const std::size_t size : {1025U, 1300U, 2048U, 100'000U}) {
    const auto text = numbered(size);
    for (const std::size_t step : {1U, 7U, 256U, 300U, 5000U, 100'000U}) {
      const auto captured = capture(text, 1024, step);
      const auto gap = "\n[... " + std::to_string(captured.dropped) + " bytes not kept ...]\n";
      ASSERT_LE(captured.text.size(), 1024U);
      const auto at = captured.text.find(gap);
      ASSERT_EQ(at, 768U) << size << " in steps of " << step;
      const auto tail = captured.text.substr(at + gap.size());
      EXPECT_EQ(captured.text.substr(0, at), text.substr(0, 768));
      EXPECT_GE(tail.size(), 128U);
      EXPECT_TRUE(text.ends_with(tail));
      EXPECT_EQ(768 + tail.size() + static_cast<std::size_t>(captured.dropped), size);
    }
  }
}

TEST(Output, ASmallCapacityKeepsTheBeginningOnly) {
  for (const std::size_t capacity : {0U, 1U, 100U, 255U}) {
    const auto text = numbered(1000);
    const auto captured = capture(text, capacity, 7);
    EXPECT_EQ(captured.text, text.substr(0, capacity));
    EXPECT_EQ(captured.dropped, 1000 - static_cast<std::int64_t>(capacity));
  }
}

TEST(Output, KeepsBytesAsTheyAre) {
  const std::string bytes("\xff\xfe\0\x1b[31m\x80", 9);
  EXPECT_EQ(capture(bytes, 256, 2).text, bytes);
}

TEST(Output, StartsAnewAfterItIsTaken) {
  OutputCapture output(256);
  output.append(std::string(1000, 'a'));
  output.take();
  output.append("b");
  const auto captured = output.take();
  EXPECT_EQ(captured.text, "b");
  EXPECT_EQ(captured.dropped, 0);
}

TEST(Output, HoldsTheBoundWithTheLargestCount) {
  OutputCapture output(256);
  const std::string chunk(1 << 20, 'x');
  for (int i = 0; i < 4096; ++i) output.append(chunk);
  const auto captured = output.take();
  EXPECT_LE(captured.text.size(), 256U);
  EXPECT_GT(captured.dropped, (std::int64_t{4096} << 20) - 256);
}

}  // namespace
}  // namespace chronos::executor
