#include "service/work_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/fields.h"

namespace chronos {

// Found by argument-dependent lookup from the templates of base/fields.h.
template <class Tag>
void read_value(const json::Value& value, Id<Tag>& out, const fields::Place& place) {
  if (!place.expect(value, json::Type::string)) return;
  if (const auto id = Id<Tag>::parse(value.string)) {
    out = *id;
  } else {
    place.refuse("bad_id", fmt::format("'{}' is not an id that begins with '{}'",
                                       std::string_view(value.string).substr(0, 64), Tag::kPrefix));
  }
}

}  // namespace chronos

namespace chronos::service {

// Likewise.
void read_value(const json::Value& value, LeaseRef& out, const fields::Place& place);
void read_value(const json::Value& value, OutcomeRequest& out, const fields::Place& place);
void read_value(const json::Value& value, ProgressRequest& out, const fields::Place& place);
void read_value(const json::Value& value, ClaimRequest& out, const fields::Place& place);

namespace {

using fields::Field;
using fields::Length;
using fields::Place;
using fields::Range;

constexpr std::size_t kTextMax = 16'384;  // bytes of an error or a message
constexpr std::size_t kQueuesMax = 100;

struct OutcomeName {
  WorkOutcome outcome;
  std::string_view name;
};
constexpr std::array kOutcomes = {
    OutcomeName{WorkOutcome::succeeded, "succeeded"},
    OutcomeName{WorkOutcome::failed, "failed"},
    OutcomeName{WorkOutcome::retry_later, "retry_later"},
    OutcomeName{WorkOutcome::cancelled, "cancelled"},
    OutcomeName{WorkOutcome::lost, "lost"},
};

struct QueueNames {
  void check(const std::optional<std::vector<std::string>>& queues, const Place& place) const {
    if (!queues) return;
    if (queues->empty()) {
      place.refuse("too_short", "names no queue", "leave it out to poll every queue");
    }
    if (queues->size() > kQueuesMax) {
      place.refuse("too_long", fmt::format("at most {} queues are allowed", kQueuesMax));
    }
    for (std::size_t i = 0; i < queues->size(); ++i) {
      fields::Slug{64}.check((*queues)[i], place.at(i));
      if (std::find(queues->begin(), queues->begin() + static_cast<std::ptrdiff_t>(i),
                    (*queues)[i]) != queues->begin() + static_cast<std::ptrdiff_t>(i)) {
        place.at(i).refuse("repeated", fmt::format("'{}' is there twice", (*queues)[i]));
      }
    }
  }
};

struct HeldRuns {
  void check(const std::optional<std::vector<RunId>>& runs, const Place& place) const {
    if (runs && runs->size() > kOutcomesMax) {
      place.refuse("too_long", fmt::format("has {} entries, at most {} are allowed", runs->size(),
                                           kOutcomesMax));
    }
  }
};

struct WorkerName {
  void check(const std::optional<std::string>& name, const Place& place) const {
    if (name) Length{1, 200}.check(*name, place);
  }
};

struct Between {
  std::int64_t low_us, high_us;
  void check(Duration value, const Place& place) const {
    if (value.count() >= low_us && value.count() <= high_us) return;
    place.refuse("out_of_range", fmt::format("{} is outside {} to {}", format_duration(value),
                                             format_duration(Duration(low_us)),
                                             format_duration(Duration(high_us))));
  }
  void check(const std::optional<Duration>& value, const Place& place) const {
    if (value) check(*value, place);
  }
};
constexpr std::int64_t kDayUs = 24LL * 3600 * 1'000'000;

struct Percent {
  void check(const std::optional<int>& value, const Place& place) const {
    if (value) Range{0, 100}.check(std::int64_t{*value}, place);
  }
};

template <class T>
struct AtMost {
  std::size_t high;
  void check(const std::vector<T>& values, const Place& place) const {
    if (values.size() <= high) return;
    place.refuse("too_long",
                 fmt::format("has {} entries, at most {} are allowed", values.size(), high));
  }
};

// These tables only read.
template <auto Member, auto Rule = fields::AnyValue{}>
constexpr auto request_row(const json::Name& name) {
  using T = typename fields::MemberOf<decltype(Member)>::Owner;
  return Field<T>{name,
                  [](const json::Value& value, T& object, const Place& place) {
                    if (value.is(json::Type::null)) return;
                    fields::read_checked(value, object.*Member, Rule, place);
                  },
                  nullptr};
}

template <auto Member, auto Parse>
constexpr auto choice(const json::Name& name) {
  auto field = request_row<&OutcomeRequest::error>(name);
  field.read = [](const json::Value& value, OutcomeRequest& object, const Place& place) {
    if (!place.expect(value, json::Type::string)) return;
    if (const auto parsed = Parse(value.string)) {
      object.*Member = *parsed;
    } else {
      place.refuse("unknown_value",
                   fmt::format("'{}' is not one of the values allowed",
                               std::string_view(value.string).substr(0, 64)),
                   "succeeded, failed, retry_later, cancelled or lost");
    }
  };
  return field;
}

constexpr std::array kClaimFields = {
    request_row<&ClaimRequest::name, WorkerName{}>("worker"),
    request_row<&ClaimRequest::id>("worker_id"),
    request_row<&ClaimRequest::holding, HeldRuns{}>("holding"),
    request_row<&ClaimRequest::queues, QueueNames{}>("queues"),
    request_row<&ClaimRequest::max, Range{1, kClaimMax}>("max"),
    request_row<&ClaimRequest::wait, Between{0, Duration(kWaitMax).count()}>("wait"),
};
// Of a claim within a settlement: the worker is known.
constexpr std::span<const Field<ClaimRequest>> kNextClaimFields =
    std::span(kClaimFields).last<kClaimFields.size() - 3>();

constexpr std::array kLeaseFields = {
    request_row<&LeaseRef::run>("run"),
    request_row<&LeaseRef::token>("token"),
};
constexpr std::array kOutcomeFields = {
    request_row<&OutcomeRequest::run>("run"),
    request_row<&OutcomeRequest::token>("token"),
    choice<&OutcomeRequest::outcome, parse_work_outcome>("outcome"),
    request_row<&OutcomeRequest::error, Length{0, kTextMax}>("error"),
    request_row<&OutcomeRequest::output>("output"),
    request_row<&OutcomeRequest::retry_after, Between{0, kDayUs}>("retry_after"),
};
constexpr std::array kProgressFields = {
    request_row<&ProgressRequest::run>("run"),
    request_row<&ProgressRequest::token>("token"),
    request_row<&ProgressRequest::percent, Percent{}>("percent"),
    request_row<&ProgressRequest::message, Length{0, kTextMax}>("message"),
    request_row<&ProgressRequest::output>("output"),
};
constexpr std::array kSettleFields = {
    request_row<&SettleRequest::id>("worker_id"),
    request_row<&SettleRequest::outcomes, AtMost<OutcomeRequest>{kOutcomesMax}>("outcomes"),
    request_row<&SettleRequest::release, AtMost<LeaseRef>{kOutcomesMax}>("release"),
    request_row<&SettleRequest::progress, AtMost<ProgressRequest>{kOutcomesMax}>("progress"),
    request_row<&SettleRequest::claim>("claim"),
};

template <class Table, class T>
void read_item(const Table& table, const json::Value& value, T& out, const Place& place,
               std::initializer_list<std::string_view> required) {
  using Row = typename Table::value_type;
  fields::read_object(std::span<const Row>(table), value, out, place);
  if (!value.is(json::Type::object)) return;
  for (const auto name : required) {
    const auto* member = value.find(name);
    if (member == nullptr || member->is(json::Type::null)) {
      place.at(name).refuse("required", "is required");
    }
  }
}

template <class Table>
std::vector<std::string_view> names_of(const Table& table) {
  std::vector<std::string_view> names;
  names.reserve(std::size(table));
  for (const auto& field : table) names.push_back(field.name);
  return names;
}

}  // namespace

std::string_view to_string(WorkOutcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)].name;
}

std::optional<WorkOutcome> parse_work_outcome(std::string_view text) {
  const auto found = std::ranges::find(kOutcomes, text, &OutcomeName::name);
  return found == kOutcomes.end() ? std::nullopt : std::optional(found->outcome);
}

void read_value(const json::Value& value, LeaseRef& out, const Place& place) {
  read_item(kLeaseFields, value, out, place, {"run", "token"});
}
void read_value(const json::Value& value, OutcomeRequest& out, const Place& place) {
  read_item(kOutcomeFields, value, out, place, {"run", "token", "outcome"});
  const bool may_wait =
      out.outcome == WorkOutcome::failed || out.outcome == WorkOutcome::retry_later;
  if (out.retry_after && !may_wait) {
    place.at("retry_after")
        .refuse("not_applicable", "goes with the outcomes failed and retry_later only");
  }
}
void read_value(const json::Value& value, ProgressRequest& out, const Place& place) {
  read_item(kProgressFields, value, out, place, {"run", "token"});
}
void read_value(const json::Value& value, ClaimRequest& out, const Place& place) {
  read_item(kNextClaimFields, value, out, place, {});
}

Result<ClaimRequest> read_claim(const json::Value& body) {
  ClaimRequest request;
  std::vector<FieldError> problems;
  const Place place(problems);
  read_item(kClaimFields, body, request, place, {});
  if (problems.empty() && !request.id && !request.name) {
    place.at("worker").refuse("required", "is required: the name of the worker",
                              "later claims give the 'worker_id' of the first answer instead");
  }
  if (problems.empty() && !request.id && request.holding) {
    place.at("holding").refuse("not_applicable", "a worker that begins holds nothing",
                               "give it with the 'worker_id' of an earlier answer");
  }
  if (!problems.empty()) return fields::refuse_all("the claim", std::move(problems));
  return request;
}

Result<SettleRequest> read_settle(const json::Value& body) {
  SettleRequest request;
  std::vector<FieldError> problems;
  read_item(kSettleFields, body, request, Place(problems), {"worker_id"});
  if (!problems.empty()) return fields::refuse_all("the settlement", std::move(problems));
  return request;
}

Outcome outcome_of(const OutcomeRequest& request, std::string said, std::size_t output_max) {
  Outcome outcome;
  switch (request.outcome) {
    case WorkOutcome::succeeded:
      outcome.kind = OutcomeKind::succeeded;
      break;
    case WorkOutcome::failed:
      outcome.kind = OutcomeKind::failed;
      outcome.reason = "worker";
      break;
    case WorkOutcome::retry_later:
      outcome.kind = OutcomeKind::failed;
      outcome.reason = "retry_later";
      break;
    case WorkOutcome::cancelled:
      outcome.kind = OutcomeKind::cancelled;
      break;
    case WorkOutcome::lost:
      outcome.kind = OutcomeKind::lost;
      outcome.reason = "shutdown";
      break;
  }
  outcome.error = request.error;
  if (outcome.error.empty() && request.outcome == WorkOutcome::failed) {
    outcome.error = "the worker reported a failure";
  }
  if (outcome.error.empty() && request.outcome == WorkOutcome::retry_later) {
    outcome.error = "the worker asked to try later";
  }
  if (outcome.error.empty() && request.outcome == WorkOutcome::lost) {
    outcome.error = "the worker stopped before the attempt ended";
  }
  outcome.retry_after = request.retry_after;
  outcome.output = std::move(said);
  outcome.output += request.output;
  if (outcome.output.size() > output_max) {
    outcome.output_dropped = static_cast<std::int64_t>(outcome.output.size() - output_max);
    outcome.output.resize(output_max);
  }
  return outcome;
}

std::vector<std::string_view> claim_field_names() {
  return names_of(kClaimFields);
}
std::vector<std::string_view> settle_field_names() {
  return names_of(kSettleFields);
}
std::vector<std::string_view> outcome_field_names() {
  return names_of(kOutcomeFields);
}
std::vector<std::string_view> progress_field_names() {
  return names_of(kProgressFields);
}

}  // namespace chronos::service
