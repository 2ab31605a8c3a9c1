// The names of every enum of the model but RunState, which has a table of its own.
#include <cstddef>

#include "model/access.h"
#include "model/enum_names.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/notification.h"
#include "model/run.h"

namespace chronos {
namespace {

constexpr EnumNames<Trigger, 5> kTriggers = {{{Trigger::schedule, "schedule"},
                                              {Trigger::manual, "manual"},
                                              {Trigger::retry, "retry"},
                                              {Trigger::backfill, "backfill"},
                                              {Trigger::dependency, "dependency"}}};
constexpr EnumNames<OutcomeKind, 5> kOutcomes = {{{OutcomeKind::succeeded, "succeeded"},
                                                  {OutcomeKind::failed, "failed"},
                                                  {OutcomeKind::timed_out, "timed_out"},
                                                  {OutcomeKind::lost, "lost"},
                                                  {OutcomeKind::cancelled, "cancelled"}}};
constexpr EnumNames<Backoff, 3> kBackoffs = {{{Backoff::exponential, "exponential"},
                                              {Backoff::linear, "linear"},
                                              {Backoff::fixed, "fixed"}}};
constexpr EnumNames<Jitter, 2> kJitters = {{{Jitter::full, "full"}, {Jitter::none, "none"}}};
constexpr EnumNames<OnLost, 2> kOnLost = {{{OnLost::retry, "retry"}, {OnLost::fail, "fail"}}};
constexpr EnumNames<Misfire, 4> kMisfires = {{{Misfire::run_once, "run_once"},
                                              {Misfire::run_all, "run_all"},
                                              {Misfire::skip, "skip"},
                                              {Misfire::ask, "ask"}}};
constexpr EnumNames<Overlap, 5> kOverlaps = {{{Overlap::skip, "skip"},
                                              {Overlap::queue_one, "queue_one"},
                                              {Overlap::queue_all, "queue_all"},
                                              {Overlap::cancel_running, "cancel_running"},
                                              {Overlap::allow, "allow"}}};
constexpr EnumNames<UniqueWhile, 3> kUniqueWhile = {{{UniqueWhile::queued, "queued"},
                                                     {UniqueWhile::running, "running"},
                                                     {UniqueWhile::window, "window"}}};
constexpr EnumNames<OnConflict, 4> kOnConflict = {{{OnConflict::reject, "reject"},
                                                   {OnConflict::keep, "keep"},
                                                   {OnConflict::replace, "replace"},
                                                   {OnConflict::extend, "extend"}}};
constexpr EnumNames<LimitKind, 2> kLimitKinds = {
    {{LimitKind::concurrency, "concurrency"}, {LimitKind::rate, "rate"}}};
constexpr EnumNames<JobPhase, 4> kPhases = {{{JobPhase::active, "active"},
                                             {JobPhase::succeeded, "succeeded"},
                                             {JobPhase::failed, "failed"},
                                             {JobPhase::cancelled, "cancelled"}}};
constexpr EnumNames<JobStatus, 7> kStatuses = {{{JobStatus::scheduled, "scheduled"},
                                                {JobStatus::running, "running"},
                                                {JobStatus::retrying, "retrying"},
                                                {JobStatus::paused, "paused"},
                                                {JobStatus::succeeded, "succeeded"},
                                                {JobStatus::failed, "failed"},
                                                {JobStatus::cancelled, "cancelled"}}};
constexpr EnumNames<DeliveryState, 3> kDeliveryStates = {{{DeliveryState::waiting, "waiting"},
                                                          {DeliveryState::delivered, "delivered"},
                                                          {DeliveryState::given_up, "given_up"}}};
constexpr EnumNames<Role, 5> kRoles = {{{Role::worker, "worker"},
                                        {Role::viewer, "viewer"},
                                        {Role::submitter, "submitter"},
                                        {Role::operator_, "operator"},
                                        {Role::admin, "admin"}}};

}  // namespace

std::string_view to_string(Trigger value) {
  return name_of(kTriggers, value);
}
std::optional<Trigger> parse_trigger(std::string_view text) {
  return value_of(kTriggers, text);
}
std::string_view to_string(OutcomeKind value) {
  return name_of(kOutcomes, value);
}
std::optional<OutcomeKind> parse_outcome_kind(std::string_view text) {
  return value_of(kOutcomes, text);
}
std::string_view to_string(Backoff value) {
  return name_of(kBackoffs, value);
}
std::optional<Backoff> parse_backoff(std::string_view text) {
  return value_of(kBackoffs, text);
}
std::string_view to_string(Jitter value) {
  return name_of(kJitters, value);
}
std::optional<Jitter> parse_jitter(std::string_view text) {
  return value_of(kJitters, text);
}
std::string_view to_string(OnLost value) {
  return name_of(kOnLost, value);
}
std::optional<OnLost> parse_on_lost(std::string_view text) {
  return value_of(kOnLost, text);
}
std::string_view to_string(Misfire value) {
  return name_of(kMisfires, value);
}
std::optional<Misfire> parse_misfire(std::string_view text) {
  return value_of(kMisfires, text);
}
std::string_view to_string(Overlap value) {
  return name_of(kOverlaps, value);
}
std::string_view to_string(UniqueWhile value) {
  return name_of(kUniqueWhile, value);
}
std::string_view to_string(OnConflict value) {
  return name_of(kOnConflict, value);
}
std::optional<UniqueWhile> parse_unique_while(std::string_view text) {
  return value_of(kUniqueWhile, text);
}
std::optional<OnConflict> parse_on_conflict(std::string_view text) {
  return value_of(kOnConflict, text);
}
std::optional<Overlap> parse_overlap(std::string_view text) {
  return value_of(kOverlaps, text);
}
std::string_view to_string(LimitKind kind) {
  return name_of(kLimitKinds, kind);
}
std::string_view to_string(JobPhase value) {
  return name_of(kPhases, value);
}
std::optional<JobPhase> parse_job_phase(std::string_view text) {
  return value_of(kPhases, text);
}
std::string_view to_string(JobStatus value) {
  return name_of(kStatuses, value);
}
std::optional<JobStatus> parse_job_status(std::string_view text) {
  return value_of(kStatuses, text);
}
std::string_view to_string(DeliveryState value) {
  return name_of(kDeliveryStates, value);
}
std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  return value_of(kDeliveryStates, text);
}
std::string_view to_string(Role value) {
  return name_of(kRoles, value);
}
std::optional<Role> parse_role(std::string_view text) {
  return value_of(kRoles, text);
}

}  // namespace chronos
