// Bulk operations over HTTP.
#include <array>
#include <utility>

#include "base/crypto.h"
#include "base/fields.h"
#include "http/query.h"
#include "http/routes.h"

namespace chronos::http {
namespace {

using service::BulkRequest;

// The members of an object as if they were parameters of a query: a filter is written as the list
// takes it.
Result<std::vector<Param>> params_of(const json::Value& filter, std::string_view name) {
  std::vector<Param> params;
  for (const auto& member : filter.members) {
    const auto& value = member.value;
    if (value.is(json::Type::object) || value.is(json::Type::array)) {
      return fail_field(json::pointer_to(json::pointer_to("", name), member.name), "wrong_type",
                        "must be a text, a number or true or false");
    }
    if (value.is(json::Type::null)) continue;
    params.push_back(
        {member.name, value.is(json::Type::string) ? value.string : std::string(value.raw)});
  }
  return params;
}

void read_action(const json::Value& value, BulkRequest& request, const fields::Place& place) {
  if (!place.expect(value, json::Type::string)) return;
  if (const auto action = parse_bulk_action(value.string)) {
    request.action = *action;
  } else {
    place.refuse("unknown_value", fmt::format("'{}' is not an action", value.string.substr(0, 64)),
                 "cancel, pause, resume, run or retry");
  }
}

// The filters themselves are read afterwards, as the lists read them.
void expect_filter(const json::Value& value, BulkRequest&, const fields::Place& place) {
  place.expect(value, json::Type::object);
}

constexpr std::array kFields = {
    fields::Field<BulkRequest>{"action", read_action, nullptr},
    fields::Field<BulkRequest>{"jobs", expect_filter, nullptr},
    fields::Field<BulkRequest>{"runs", expect_filter, nullptr},
    fields::row<&BulkRequest::ids>("ids"),
    fields::row<&BulkRequest::dry_run>("dry_run"),
};

std::string selection_of(const json::Value& body) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  for (const std::string_view name : {"jobs", "runs"}) {
    if (const auto* part = body.find(name)) writer.key(name).raw(part->raw);
  }
  // Not each: there may be thousands.
  if (const auto* ids = body.find("ids")) {
    writer.member("ids", static_cast<std::int64_t>(ids->elements.size()));
  }
  writer.end_object();
  return text;
}

Result<BulkRequest> read_request(const json::Value& body, Timestamp now) {
  BulkRequest request;
  CHRONOS_TRY_VOID(fields::read_document<BulkRequest>("the request", kFields, body, request));
  if (body.find("action") == nullptr) {
    return fail_field("/action", "required", "is required", "cancel, pause, resume, run or retry");
  }
  if (const auto* jobs = body.find("jobs")) {
    CHRONOS_TRY(const auto params, params_of(*jobs, "jobs"));
    Query query(params, "jobs");
    read_job_filter(query, request.jobs.emplace());
    CHRONOS_TRY_VOID(query.finish());
  }
  if (const auto* runs = body.find("runs")) {
    CHRONOS_TRY(const auto params, params_of(*runs, "runs"));
    Query query(params, "runs");
    auto& filter = request.runs.emplace();
    query.choice("job", &JobId::parse, "the id of a job: job_…", filter.job);
    read_run_filter(query, now, filter);
    CHRONOS_TRY_VOID(query.finish());
  }
  request.selection = selection_of(body);
  return request;
}

Response bulk_response(int status, const Bulk& bulk) {
  std::string body;
  json::Writer writer(body);
  write_bulk(writer, bulk);
  auto response = json_response(status, std::move(body));
  if (status == 202) response.headers.push_back({"Location", "/api/bulk/" + bulk.id.to_string()});
  return response;
}

Response preview_response(const service::BulkReply& reply) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("matches", reply.matches).key("sample").begin_array();
  for (const auto& [id, name] : reply.sample) {
    writer.begin_object().member("id", id).member("name", name).end_object();
  }
  writer.end_array().end_object();
  return json_response(200, std::move(body));
}

}  // namespace

// On a reader thread: it picks what is to be acted on, and waits for the commit.
Result<Response> create_bulk(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  CHRONOS_TRY(const auto request, read_request(body.root(), call.api().clock.now()));
  CHRONOS_TRY(const auto reply, call.api().bulks.create(call.who(), request, facts));
  if (!reply.bulk) return preview_response(reply);
  return with_replay(bulk_response(202, *reply.bulk), reply.is_replay);
}

Result<Response> get_bulk(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<BulkId>("bulk_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto bulk, call.api().bulks.find(call.who(), id));
  return bulk_response(200, bulk);
}

Result<Response> cancel_bulk(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<BulkId>("bulk_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY_VOID(call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  CHRONOS_TRY(const auto bulk, call.api().bulks.cancel(call.who(), id));
  return bulk_response(200, bulk);
}

Result<Response> list_bulks(const Call& call) {
  int limit = kPageDefault;
  std::optional<BulkId> after;
  Query query(call.request());
  query.integer("limit", {1, kPageMax}, limit);
  query.cursor(after);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(auto bulks, call.api().bulks.list(call.who(), after, limit + 1));
  const bool has_more = std::ssize(bulks) > limit;
  if (has_more) bulks.pop_back();
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("bulks").begin_array();
  for (const auto& bulk : bulks) write_bulk(writer, bulk);
  writer.end_array().key("next");
  has_more ? writer.string(to_base64(bulks.back().id.to_string())) : writer.null();
  writer.end_object();
  return json_response(200, std::move(body));
}

}  // namespace chronos::http
