#include "model/bulk.h"

#include <array>
#include <span>

#include "base/fields.h"
#include "model/enum_names.h"

namespace chronos {
namespace {

using fields::Field;
using fields::row;

constexpr EnumNames<BulkAction, 5> kActions = {{{BulkAction::cancel, "cancel"},
                                                {BulkAction::pause, "pause"},
                                                {BulkAction::resume, "resume"},
                                                {BulkAction::run, "run"},
                                                {BulkAction::retry, "retry"}}};
constexpr EnumNames<BulkStatus, 4> kBulkStatuses = {{{BulkStatus::waiting, "waiting"},
                                                     {BulkStatus::running, "running"},
                                                     {BulkStatus::done, "done"},
                                                     {BulkStatus::cancelled, "cancelled"}}};

constexpr std::array kFailureFields = {
    row<&BulkFailure::id>("id"),
    row<&BulkFailure::code>("code"),
    row<&BulkFailure::detail>("detail"),
};

void write_failure(json::Writer& writer, const BulkFailure& failure) {
  writer.begin_object();
  fields::write_members(std::span<const Field<BulkFailure>>(kFailureFields), writer, failure);
  writer.end_object();
}

}  // namespace

void Bulk::move_to(const Bulk& moved) {
  status = moved.status;
  done = moved.done;
  failed_count = moved.failed_count;
  failed = moved.failed;
  ended_at = moved.ended_at;
  taken_until = moved.taken_until;
  ++step;
}

void write_bulk(json::Writer& writer, const Bulk& bulk) {
  writer.begin_object().member("id", bulk.id.to_string());
  writer.member("action", to_string(bulk.action)).member("of", bulk.is_of_runs ? "runs" : "jobs");
  writer.key("selection").raw(bulk.selection);
  writer.member("status", to_string(bulk.status)).member("matches", bulk.total);
  writer.member("total", bulk.total).member("done", bulk.done);
  writer.member("failed_count", bulk.failed_count).key("failed").begin_array();
  for (const auto& failure : bulk.failed) write_failure(writer, failure);
  writer.end_array().member("by", bulk.by.to_string());
  const auto time = [&](const json::Name& name, const auto& value) {
    writer.key(name);
    fields::write_value(writer, value);
  };
  time("created_at", bulk.created_at);
  time("starts_at", bulk.starts_at);
  time("ended_at", bulk.ended_at);
  writer.end_object();
}

std::string encode_failures(const std::vector<BulkFailure>& failures) {
  std::string text;
  json::Writer writer(text);
  writer.begin_array();
  for (const auto& failure : failures) write_failure(writer, failure);
  writer.end_array();
  return text;
}

Result<std::vector<BulkFailure>> decode_failures(std::string_view text) {
  CHRONOS_TRY(const auto document, json::parse(text));
  std::vector<BulkFailure> failures(document.root().elements.size());
  std::vector<FieldError> problems;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    fields::read_object(std::span<const Field<BulkFailure>>(kFailureFields),
                        document.root().elements[i], failures[i], fields::Place(problems));
  }
  if (problems.empty()) return failures;
  return fail(Reason::internal, "the stored failures of a bulk operation cannot be read");
}

std::string_view to_string(BulkAction action) {
  return name_of(kActions, action);
}
std::string_view to_string(BulkStatus status) {
  return name_of(kBulkStatuses, status);
}
std::optional<BulkAction> parse_bulk_action(std::string_view text) {
  return value_of(kActions, text);
}
std::optional<BulkStatus> parse_bulk_status(std::string_view text) {
  return value_of(kBulkStatuses, text);
}

}  // namespace chronos
