// Turns: of queues that have runs of the same priority, the one that was served longest ago goes
// first, so that a backlog in one holds up no other (round robin over flows: Nagle, RFC 970, 1985).
// Of one store, as long as the process lives: a start begins anew, and nodes that share a database
// each let queues take turns for themselves. Used by ClaimRuns, on the committer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace chronos::store {

// When a line was served last, by counting; kNotServed for one that was not, or not lately.
using Turn = std::int64_t;
inline constexpr Turn kNotServed = 0;

class Turns {
 public:
  // The runs of one kind in one queue.
  using Line = std::pair<std::string, std::string>;

  Turn last(const Line& line) const {
    const auto found = last_.find(line);
    return found == last_.end() ? kNotServed : found->second;
  }

  // A later turn than all others; it is the caller's to keep.
  Turn next() { return ++count_; }

  void keep(Line line, Turn turn) {
    last_.insert_or_assign(std::move(line), turn);
    // Names of queues are the users': there may be any number of them.
    if (last_.size() <= 2 * kRemembered) return;
    const auto is_long_ago = [this](const auto& kept) {
      return kept.second + static_cast<Turn>(kRemembered) <= count_;
    };
    std::erase_if(last_, is_long_ago);
  }

 private:
  static constexpr std::size_t kRemembered = 10'000;  // lines served last

  std::map<Line, Turn> last_;
  Turn count_ = kNotServed;
};

}  // namespace chronos::store
