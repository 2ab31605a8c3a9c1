#include "store/sql/sqlite_log_writer.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>

namespace chronos::store::sql {
namespace {

class SqliteLogWriterTest : public testing::Test {
 protected:
  SqliteLogWriterTest()
      : vfs_(sqlite3_vfs_find(sqlite_log_writer())),
        room_(std::make_unique<std::uint64_t[]>(static_cast<std::size_t>(vfs_->szOsFile) / 8 + 1)),
        file_(reinterpret_cast<sqlite3_file*>(room_.get())) {
    constexpr int kFlags = SQLITE_OPEN_WAL | SQLITE_OPEN_CREATE | SQLITE_OPEN_READWRITE;
    EXPECT_EQ(vfs_->xOpen(vfs_, path_.c_str(), file_, kFlags, nullptr), SQLITE_OK);
  }
  ~SqliteLogWriterTest() override {
    EXPECT_EQ(file_->pMethods->xClose(file_), SQLITE_OK);
    std::filesystem::remove_all(directory_);
  }

  void write(const std::string& bytes, std::int64_t offset) {
    EXPECT_EQ(file_->pMethods->xWrite(file_, bytes.data(), static_cast<int>(bytes.size()), offset),
              SQLITE_OK);
  }
  std::string read(std::size_t count, std::int64_t offset) {
    std::string bytes(count, '?');
    EXPECT_EQ(file_->pMethods->xRead(file_, bytes.data(), static_cast<int>(count), offset),
              SQLITE_OK);
    return bytes;
  }
  std::uintmax_t written() const { return std::filesystem::file_size(path_); }

  static std::string make_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "chronos-log-XXXXXX").string();
    return mkdtemp(pattern.data());
  }

  const std::string directory_ = make_directory();
  const std::string path_ = directory_ + "/db-wal";
  const std::ofstream database_{directory_ + "/db"};  // whose mode a log gets
  sqlite3_vfs* const vfs_;
  const std::unique_ptr<std::uint64_t[]> room_;
  sqlite3_file* const file_;
};

TEST_F(SqliteLogWriterTest, WhatFollowsIsWrittenTogetherAtTheSync) {
  write("head", 0);
  write("first page", 4);
  write("second", 14);
  EXPECT_EQ(written(), 0);
  EXPECT_EQ(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL), SQLITE_OK);
  EXPECT_EQ(written(), 20);
  EXPECT_EQ(read(20, 0), "headfirst pagesecond");
}

TEST_F(SqliteLogWriterTest, WhatIsAskedForIsThere) {
  write("abc", 0);
  EXPECT_EQ(read(2, 1), "bc");
  write("def", 3);
  sqlite3_int64 size = 0;
  EXPECT_EQ(file_->pMethods->xFileSize(file_, &size), SQLITE_OK);
  EXPECT_EQ(size, 6);
  write("ghi", 6);
  EXPECT_EQ(file_->pMethods->xTruncate(file_, 7), SQLITE_OK);
  EXPECT_EQ(read(7, 0), "abcdefg");
}

TEST_F(SqliteLogWriterTest, WhatIsWrittenElsewhereStaysInOrder) {
  write("aaaa", 0);
  write("bb", 1);  // over what waits
  write("c", 2);
  EXPECT_EQ(read(4, 0), "abca");
}

// Against a string that does the same.
TEST_F(SqliteLogWriterTest, AFileIsWhatWasWrittenToIt) {
  std::mt19937 random(7);  // NOLINT: the same each time
  std::string expected;
  std::size_t next = 0;
  for (int i = 0; i < 2'000; ++i) {
    const auto size = random() % 50 == 0 ? random() % 65'536 : random() % 5'000;
    const auto offset = random() % 20 == 0 && !expected.empty() ? random() % expected.size() : next;
    const std::string bytes(size + 1, static_cast<char>('a' + random() % 26));
    write(bytes, static_cast<std::int64_t>(offset));
    expected.resize(std::max(expected.size(), offset + bytes.size()));
    expected.replace(offset, bytes.size(), bytes);
    next = offset + bytes.size();
    if (random() % 30 == 0) next = 0;  // as when a log begins anew
    if (random() % 10 != 0) continue;
    const auto from = random() % expected.size();
    const auto count = std::min<std::size_t>(expected.size() - from, 1 + random() % 9'000);
    ASSERT_EQ(read(count, static_cast<std::int64_t>(from)), expected.substr(from, count));
  }
  EXPECT_EQ(read(expected.size(), 0), expected);
}

}  // namespace
}  // namespace chronos::store::sql
