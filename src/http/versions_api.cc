// What a job declared before, over HTTP.
#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/crypto.h"
#include "http/job_response.h"
#include "http/query.h"
#include "http/routes.h"

namespace chronos::http {
namespace {

// A whole number above 0; nothing else is the number of a version.
std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, number);
  const bool is_number = error == std::errc() && parsed_to == end && number > 0;
  return is_number ? std::optional(number) : std::nullopt;
}

Result<std::int64_t> version_of(const Call& call) {
  if (const auto number = parse_number(call.path_param("version"))) return *number;
  return fail(Reason::not_found, "the job has no such version");
}

// A cursor is the base64 of the version that ended the page before.
std::optional<std::int64_t> parse_cursor(std::string_view text) {
  return parse_number(from_base64(text).value_or(""));
}

}  // namespace

Result<Response> list_job_versions(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  int limit = kPageDefault;
  auto before = kNewestVersion;
  Query query(call.request());
  query.integer("limit", {1, kPageMax}, limit);
  query.choice("cursor", parse_cursor, "take 'next' of the page before as it is", before);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(auto versions, call.api().jobs.list_versions(call.who(), id, before, limit + 1));
  const bool has_more = std::ssize(versions) > limit;
  if (has_more) versions.pop_back();
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("versions").begin_array();
  for (const auto& version : versions) write_job_version(writer, version);
  writer.end_array().key("next");
  has_more ? writer.string(to_base64(fmt::to_string(versions.back().version))) : writer.null();
  writer.end_object();
  return json_response(200, std::move(body));
}

Result<Response> get_job_version(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto number, version_of(call));
  CHRONOS_TRY(const auto version, call.api().jobs.find_version(call.who(), id, number));
  std::string body;
  json::Writer writer(body);
  write_job_version(writer, version);
  return json_response(200, std::move(body));
}

Result<void> restore_job_version(const Call& call, Ending& end) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto number, version_of(call));
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().jobs.restore(call.who(), id, number, facts, answer_job(end));
  return {};
}

}  // namespace chronos::http
