#include "store/sql/disk_reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "support/manual_clock.h"

namespace chronos::store::sql {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kBytes = 1 << 20;

class DiskReserveTest : public ::testing::Test {
 protected:
  DiskReserveTest() {
    std::string folder = std::filesystem::temp_directory_path() / "chronos-reserve-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    path_ = folder_ / "reserve";
  }
  ~DiskReserveTest() override { std::filesystem::remove_all(folder_); }

  std::int64_t bytes_on_disk() const {
    struct stat found{};
    return ::stat(path_.c_str(), &found) == 0 ? found.st_blocks * 512 : 0;
  }

  ManualClock clock_{from_micros(0)};
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(DiskReserveTest, HoldsRoomFromTheBeginning) {
  const DiskReserve reserve(path_, kBytes, clock_);
  EXPECT_GE(bytes_on_disk(), kBytes);
  EXPECT_FALSE(reserve.is_spent());
}

TEST_F(DiskReserveTest, IsGivenUpAndTakenAgain) {
  DiskReserve reserve(path_, kBytes, clock_);
  reserve.spend();
  EXPECT_EQ(bytes_on_disk(), 0);
  EXPECT_TRUE(reserve.is_spent());
  reserve.keep();
  EXPECT_TRUE(reserve.is_spent()) << "looked for room at once";
  clock_.advance(1s);
  reserve.keep();
  EXPECT_FALSE(reserve.is_spent());
  EXPECT_GE(bytes_on_disk(), kBytes);
}

TEST_F(DiskReserveTest, OneThatIsThereIsKept) {
  {
    const DiskReserve before(path_, kBytes, clock_);
  }
  const auto inode = [&] {
    struct stat found{};
    EXPECT_EQ(::stat(path_.c_str(), &found), 0);
    return found.st_ino;
  };
  const auto first = inode();
  const DiskReserve reserve(path_, kBytes, clock_);
  EXPECT_EQ(inode(), first);
}

// More than any disk has.
TEST_F(DiskReserveTest, WithoutRoomThereIsNoneAndNothingIsRefusedForIt) {
  DiskReserve reserve(path_, std::int64_t{1} << 60, clock_);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(reserve.is_spent());
  reserve.spend();
  EXPECT_FALSE(reserve.is_spent()) << "there was nothing to give up";
}

}  // namespace
}  // namespace chronos::store::sql
