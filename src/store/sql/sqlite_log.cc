#include "store/sql/sqlite_log.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <vector>

namespace chronos::store::sql {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t kHeaderSize = 32;
constexpr std::size_t kFrameHeaderSize = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // its lowest bit: checksums are big-endian
constexpr std::uint32_t kPageSizeMax = 65536;

using ByteSpan = std::span<const unsigned char>;
using Sum = std::array<std::uint32_t, 2>;

std::uint32_t big_endian(ByteSpan bytes) {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
         std::uint32_t{bytes[2]} << 8U | std::uint32_t{bytes[3]};
}

std::uint32_t word_of(ByteSpan bytes, bool is_big_endian) {
  const auto word = big_endian(bytes);
  return is_big_endian ? word : std::byteswap(word);
}

Sum sum_of(ByteSpan bytes, bool is_big_endian, Sum sum) {
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    sum[0] += word_of(bytes.subspan(i), is_big_endian) + sum[1];
    sum[1] += word_of(bytes.subspan(i + 4), is_big_endian) + sum[0];
  }
  return sum;
}

Sum sum_at(ByteSpan bytes) {
  return {big_endian(bytes), big_endian(bytes.subspan(4))};
}

struct Header {
  std::size_t page_size = 0;
  bool is_big_endian = false;
  std::array<unsigned char, 8> salts{};  // of the frames that belong to it
  Sum sum{};
};

// Nothing when it is not whole: then no frame behind it counts.
std::optional<Header> header_of(ByteSpan bytes) {
  const auto magic = big_endian(bytes);
  const auto page_size = big_endian(bytes.subspan(8));
  if ((magic & ~1U) != kMagic || !std::has_single_bit(page_size) || page_size > kPageSizeMax) {
    return std::nullopt;
  }
  Header header{.page_size = page_size, .is_big_endian = (magic & 1U) != 0};
  std::memcpy(header.salts.data(), bytes.data() + 16, header.salts.size());
  header.sum = sum_of(bytes.first(kHeaderSize - 8), header.is_big_endian, {});
  return header.sum == sum_at(bytes.subspan(kHeaderSize - 8)) ? std::optional(header)
                                                              : std::nullopt;
}

struct Frame {
  bool is_of_this_log = false;  // else of an earlier use of the file
  bool is_commit = false;
  Sum sum{};  // as written
};

Frame frame_of(ByteSpan bytes, const Header& header) {
  return {.is_of_this_log =
              std::memcmp(bytes.data() + 8, header.salts.data(), header.salts.size()) == 0,
          .is_commit = big_endian(bytes.subspan(4)) != 0,
          .sum = sum_at(bytes.subspan(16))};
}

// The sum a whole frame has, from that of the frame before.
Sum next_sum(ByteSpan frame, const Header& header, Sum before) {
  const auto page = sum_of(frame.first(8), header.is_big_endian, before);
  return sum_of(frame.subspan(kFrameHeaderSize), header.is_big_endian, page);
}

}  // namespace

Result<void> check_sqlite_log(const std::string& path) {
  std::ifstream file(path + "-wal", std::ios::binary);
  std::vector<unsigned char> bytes(kHeaderSize);
  const auto read = [&file, &bytes] {
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return static_cast<std::size_t>(file.gcount()) == bytes.size();
  };
  if (!read()) return {};
  const auto header = header_of(bytes);
  if (!header) return {};
  bytes.resize(kFrameHeaderSize + header->page_size);
  auto sum = header->sum;
  std::int64_t number = 0, damaged = 0;  // frames count from 1
  int commits = 0;  // from the damaged frame on; the first ends the transaction it belongs to
  while (read()) {
    ++number;
    const auto frame = frame_of(bytes, *header);
    const bool is_whole = frame.is_of_this_log && next_sum(bytes, *header, sum) == frame.sum;
    const bool is_first_damaged = !is_whole && damaged == 0;
    if (is_first_damaged) damaged = number;
    const bool counts = is_whole || (is_first_damaged && frame.is_of_this_log);
    if (damaged != 0 && counts && frame.is_commit) ++commits;
    sum = frame.sum;  // so that those behind a damaged page can be told from old ones
  }
  if (commits < 2) return {};
  return fail(
      Reason::store_unavailable,
      fmt::format("{}-wal is damaged: its frame {} of {} is not what was written, and later "
                  "transactions were committed behind it",
                  path, damaged, number),
      "restore a backup; what is whole can be read with `sqlite3 FILE .recover`");
}

}  // namespace chronos::store::sql
