#include "model/backfill.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "base/fields.h"
#include "base/time_text.h"
#include "model/enum_names.h"

namespace chronos {
namespace {

// Instants beyond this many are not counted: the answer says at least so many.
constexpr std::int64_t kInstantsCountedMax = 10'000'000;

constexpr EnumNames<BackfillOverlap, 2> kBackfillOverlaps = {
    {{BackfillOverlap::queue_all, "queue_all"}, {BackfillOverlap::allow, "allow"}}};
constexpr EnumNames<BackfillOnly, 2> kOnly = {
    {{BackfillOnly::missing, "missing"}, {BackfillOnly::all, "all"}}};

using fields::enum_row;
using fields::Field;
using fields::Range;
using fields::row;

// THE table of a backfill's body.
constexpr std::array kBackfillFields = {
    row<&BackfillRequest::from>("from"),
    row<&BackfillRequest::until>("until"),
    enum_row<&BackfillRequest::overlap, parse_backfill_overlap>("overlap"),
    enum_row<&BackfillRequest::only, parse_backfill_only>("only"),
    row<&BackfillRequest::max, Range{1, kBackfillMax}>("max"),
    row<&BackfillRequest::dry_run>("dry_run"),
};

// The ranges without what they share, in order.
std::vector<InstantRange> merged(std::vector<InstantRange> ranges) {
  std::ranges::sort(ranges, {}, &InstantRange::first);
  std::vector<InstantRange> result;
  for (const auto& range : ranges) {
    if (!result.empty() && range.first <= result.back().last) {
      result.back().last = std::max(result.back().last, range.last);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

// Those of `instants` that lie in the range.
std::span<const Timestamp> within(const std::vector<Timestamp>& instants, InstantRange range) {
  const auto begin = std::ranges::lower_bound(instants, range.first);
  const auto end = std::ranges::upper_bound(instants, range.last);
  return {begin, end};
}

bool is_instant(const schedule::Schedule& schedule, Timestamp time) {
  return schedule.latest_at_or_before(time) == time;
}

}  // namespace

std::string_view to_string(BackfillOverlap value) {
  return name_of(kBackfillOverlaps, value);
}
std::string_view to_string(BackfillOnly value) {
  return name_of(kOnly, value);
}
std::optional<BackfillOverlap> parse_backfill_overlap(std::string_view text) {
  return value_of(kBackfillOverlaps, text);
}
std::optional<BackfillOnly> parse_backfill_only(std::string_view text) {
  return value_of(kOnly, text);
}

Result<BackfillRequest> read_backfill(const json::Value& body, Timestamp now) {
  BackfillRequest request;
  std::vector<FieldError> problems;
  const fields::Place place(problems);
  fields::read_object(std::span<const Field<BackfillRequest>>(kBackfillFields), body, request,
                      place);
  const auto is_bad = [&](std::string_view pointer) {
    return std::ranges::any_of(problems,
                               [&](const auto& known) { return known.pointer == pointer; });
  };
  if (body.is(json::Type::object)) {
    if (!request.from && !is_bad("/from")) {
      place.at("from").refuse("required", "the first instant to run, as RFC 3339");
    }
    if (!request.until && !is_bad("/until")) {
      place.at("until").refuse("required", "the end of the range, exclusive, as RFC 3339");
    }
  }
  if (!problems.empty()) return fields::refuse_all("the backfill", std::move(problems));
  if (*request.until > now) {
    place.at("until").refuse("in_future",
                             "lies in the future: the schedule itself answers for that",
                             "at most " + format_timestamp(now));
  } else if (*request.from >= *request.until) {
    place.at("until").refuse("out_of_range", "must lie after from");
  }
  if (!problems.empty()) return fields::refuse_all("the backfill", std::move(problems));
  return request;
}

void note(InstantHistory& history, const Run& run) {
  if (run.state == RunState::skipped || run.state == RunState::missed) {
    history.not_run.push_back({run.planned_at, run.planned_until.value_or(run.planned_at)});
    return;
  }
  if (run.count > 1) return;  // a range of runs that ended: which ones is not known
  if (run.state == RunState::succeeded) history.succeeded.insert(run.planned_at);
  const bool may_succeed = run.state == RunState::succeeded || !is_final(run.state);
  if (run.trigger == Trigger::backfill && may_succeed) history.made_up.insert(run.planned_at);
}

BackfillPick pick_instants(const schedule::Schedule& schedule, InstantRange range,
                           const BackfillRequest& request, const InstantHistory& history) {
  const bool wants_all = request.only == BackfillOnly::all;
  const auto ranges = wants_all ? std::vector{range} : merged(history.not_run);
  // What is left out, and is an instant of the schedule as it is now.
  std::vector<Timestamp> left_out;
  if (!wants_all) {
    std::ranges::copy_if(history.made_up, std::back_inserter(left_out),
                         [&](Timestamp time) { return is_instant(schedule, time); });
  }
  std::vector<InstantRange> wanted;
  BackfillPick pick;
  for (auto [first, last] : ranges) {
    first = std::max(first, range.first);
    last = std::min(last, range.last);
    if (first > last) continue;
    wanted.push_back({first, last});
    pick.count += schedule.count_between({first - kTick, last}, kInstantsCountedMax) -
                  std::ssize(within(left_out, {first, last}));
  }
  if (pick.count > request.max) return pick;
  for (const auto& [first, last] : wanted) {
    auto at = schedule.next_after(first - kTick);
    for (; at && *at <= last; at = schedule.next_after(*at)) {
      if (std::ranges::binary_search(left_out, *at)) continue;
      pick.instants.push_back(*at);
      pick.already_run += history.succeeded.contains(*at) ? 1 : 0;
    }
  }
  return pick;
}

}  // namespace chronos
