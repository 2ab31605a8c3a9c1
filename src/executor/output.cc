#include "executor/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace chronos::executor {
namespace {

constexpr std::size_t kGapLineMax = 64;  // holds the line below with any 64-bit count
constexpr std::size_t kTailCapacityMin = 256;

std::string gap_line(std::uint64_t dropped) {
  return fmt::format("\n[... {} bytes not kept ...]\n", dropped);
}

}  // namespace

OutputCapture::OutputCapture(std::size_t capacity)
    : head_max_(capacity < kTailCapacityMin ? capacity : capacity / 4 * 3),
      tail_max_(capacity - head_max_) {}

void OutputCapture::append(std::string_view bytes) {
  total_ += bytes.size();
  const auto to_head = std::min(bytes.size(), head_max_ - head_.size());
  head_.append(bytes.substr(0, to_head));
  bytes.remove_prefix(to_head);
  if (bytes.size() > tail_max_) bytes.remove_prefix(bytes.size() - tail_max_);

  const auto to_grow = std::min(bytes.size(), tail_max_ - tail_.size());
  tail_.append(bytes.substr(0, to_grow));
  bytes.remove_prefix(to_grow);
  while (!bytes.empty()) {
    const auto to_copy = std::min(bytes.size(), tail_max_ - tail_oldest_);
    std::ranges::copy(bytes.substr(0, to_copy),
                      tail_.begin() + static_cast<std::ptrdiff_t>(tail_oldest_));
    tail_oldest_ = (tail_oldest_ + to_copy) % tail_max_;
    bytes.remove_prefix(to_copy);
  }
}

Captured OutputCapture::take() {
  std::ranges::rotate(tail_, tail_.begin() + static_cast<std::ptrdiff_t>(tail_oldest_));
  Captured captured;
  captured.text = std::exchange(head_, {});
  auto tail = std::exchange(tail_, {});
  if (total_ > captured.text.size() + tail.size()) {
    // The line that tells of the gap takes its place from the tail, so that the bound holds.
    tail.erase(0, kGapLineMax);
    const auto dropped = total_ - captured.text.size() - tail.size();
    if (tail_max_ > 0) captured.text += gap_line(dropped);
    captured.dropped = static_cast<std::int64_t>(dropped);
  }
  captured.text += tail;
  tail_oldest_ = 0;
  total_ = 0;
  return captured;
}

}  // namespace chronos::executor
