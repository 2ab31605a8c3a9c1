#include "scheduler/start_ups.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chronos::scheduler {
namespace {

constexpr int kPage = 1000;

// Before every run that waits for a start.
constexpr store::WaitingCursor kBeginning{kNextStart - Duration(1), {}};

}  // namespace

Result<void> StartUps::read() {
  std::set<RunId> found;
  auto cursor = kBeginning;
  for (bool has_more = true; has_more;) {
    CHRONOS_TRY(const auto page, store_.waiting_runs(cursor, kPage));
    for (const auto& run : page) found.insert(run.run);
    has_more = std::ssize(page) == kPage;
    if (has_more) cursor = {page.back().at, page.back().run};
  }
  waiting_ = std::move(found);
  is_read_ = true;
  cursor_ = kBeginning;
  return {};
}

Result<std::vector<store::WaitingRun>> StartUps::next(int limit) {
  if (!is_read_) CHRONOS_TRY_VOID(read());
  std::vector<store::WaitingRun> found;
  while (found.empty() && !waiting_.empty()) {
    CHRONOS_TRY(const auto page, store_.waiting_runs(cursor_, limit));
    const bool has_more = std::ssize(page) == limit;
    if (has_more) cursor_ = {page.back().at, page.back().run};
    std::ranges::copy_if(page, std::back_inserter(found),
                         [&](const auto& run) { return waiting_.contains(run.run); });
    has_found_ |= !found.empty();
    if (has_more) continue;
    // The end of a walk that met none: the rest went away, with their schedules or jobs.
    if (!std::exchange(has_found_, false)) waiting_.clear();
    cursor_ = kBeginning;
  }
  return found;
}

}  // namespace chronos::scheduler
