// Backfill over HTTP: the preview and the runs.
#include <algorithm>

#include "base/time_text.h"
#include "http/routes.h"

namespace chronos::http {
namespace {

constexpr std::size_t kListedMax = 100;

}  // namespace

// On a reader thread: it reads a job's whole history, and waits for the commit.
Result<Response> backfill_job(const Call& call) {
  CHRONOS_TRY(const auto id, call.id<JobId>("job_id"));
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto document, call.body());
  CHRONOS_TRY(const auto reply,
              call.api().backfills.backfill(call.who(), id, document.root(), facts));
  const auto& instants = reply.instants;
  const auto listed = std::min(instants.size(), kListedMax);
  std::string body;
  json::Writer writer(body);
  const auto time = [&](const json::Name& name, bool is_there, auto get) {
    writer.key(name);
    is_there ? writer.string(format_timestamp(get())) : writer.null();
  };
  writer.begin_object().member("job_id", id.to_string()).member("dry_run", reply.is_preview);
  writer.member("count", static_cast<std::int64_t>(instants.size()));
  time("first", !instants.empty(), [&] { return instants.front(); });
  time("last", !instants.empty(), [&] { return instants.back(); });
  writer.member("already_run", reply.already_run).key("instants").begin_array();
  for (std::size_t i = 0; i < listed; ++i) writer.string(format_timestamp(instants[i]));
  writer.end_array().key("runs").begin_array();
  for (std::size_t i = 0; i < std::min(listed, reply.runs.size()); ++i) {
    writer.string(reply.runs[i].to_string());
  }
  writer.end_array().member("truncated", listed < instants.size()).end_object();
  const bool is_made = !reply.is_preview && !instants.empty();
  return with_replay(json_response(is_made ? 201 : 200, std::move(body)), reply.is_replay);
}

}  // namespace chronos::http
