// Many jobs in one request: a JSON array, or one JSON object a line (application/x-ndjson).
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "http/routes.h"
#include "model/json_codec.h"

namespace chronos::http {
namespace {

constexpr std::size_t kAddedToEach = 1024;  // bytes

// The items of a batch in their order, and the documents they lie in.
struct Items {
  std::vector<json::Document> documents;
  std::vector<Result<const json::Value*>> values;
};

Result<Items> read_array(const std::string& body) {
  Items items;
  // An item may be as deep as a job that comes alone.
  CHRONOS_TRY(auto document, json::parse(body, json::kDepthMax + 1));
  items.documents.push_back(std::move(document));
  const auto& root = items.documents.front().root();
  if (!root.is(json::Type::array)) {
    return fail_field("", "wrong_type", "expected an array of jobs",
                      "or send one job a line as application/x-ndjson");
  }
  for (const auto& value : root.elements) items.values.push_back(&value);
  return items;
}

// A line that is no JSON spoils itself only. Blank lines are passed over.
Items read_lines(std::string_view body) {
  Items items;
  std::vector<Error> faults;
  while (!body.empty()) {
    auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (auto document = json::parse(line)) {
      items.documents.push_back(std::move(*document));
      items.values.emplace_back(nullptr);
    } else {
      items.values.emplace_back(std::unexpected(std::move(document).error()));
    }
  }
  // Now that no document moves any more.
  auto next = items.documents.begin();
  for (auto& value : items.values) {
    if (value) value = &(next++)->root();
  }
  return items;
}

Result<Items> read_items(const Call& call) {
  CHRONOS_TRY(const auto type, call.media_type());
  if (type == "application/x-ndjson") return read_lines(call.request().body);
  if (type == "application/json") return read_array(call.request().body);
  return fail(Reason::unsupported_media_type,
              "a batch is application/json (an array) or application/x-ndjson (a job a line)");
}

// Each reply as {"status", "job"} or {"status", "error"}; faults come before replies where a line
// could not be read.
class BatchWriter {
 public:
  BatchWriter(const service::Principal& who, std::size_t size) : who_(who), writer_(body_) {
    body_.reserve(size);
    writer_.begin_object().key("results").begin_array();
  }

  void add(const service::JobReply& reply) {
    writer_.begin_object().member("status", reply.is_created ? 201 : 200).key("job");
    write_job(writer_, reply.job, who_.project_name, reply.warnings);
    writer_.end_object();
    created_ += reply.is_created ? 1 : 0;
    has_replays_ = has_replays_ || reply.is_replay;
  }

  void add(const Error& error) {
    const auto document = problem(error, "/api/jobs/batch");
    writer_.begin_object().member("status", document.status).key("error").raw(document.body);
    writer_.end_object();
    ++failed_;
  }

  Response finish() {
    writer_.end_array().member("created", created_).member("failed", failed_).end_object();
    return with_replay(json_response(200, std::move(body_)), has_replays_);
  }

 private:
  const service::Principal& who_;
  std::string body_;
  json::Writer writer_;
  std::int64_t created_ = 0;
  std::int64_t failed_ = 0;
  bool has_replays_ = false;
};

}  // namespace

Result<void> submit_batch(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto items, read_items(call));
  const auto items_max = call.api().limits.batch_items_max;
  if (items.values.size() > items_max) {
    return fail_field(
        "", "too_long",
        fmt::format("has {} jobs, at most {} are allowed", items.values.size(), items_max));
  }
  std::vector<const json::Value*> readable;
  std::vector<std::optional<Error>> faults;  // one for each item, in their order
  for (const auto& value : items.values) {
    if (value) readable.push_back(*value);
    faults.push_back(value ? std::nullopt : std::optional(value.error()));
  }
  // Of the answer, about: what was said of each job, and what the server adds to it.
  const auto size = call.request().body.size() + faults.size() * kAddedToEach;
  auto answer = [faults = std::move(faults), size](
                    service::BatchReply replies,
                    const service::Principal& who) -> Result<Response> {
    const bool is_refused = replies.size() == 1 && !replies.front() &&
                            replies.front().error().reason == Reason::idempotency_key_reused;
    if (is_refused) return std::unexpected(std::move(replies.front()).error());
    BatchWriter writer(who, size);
    auto reply = replies.begin();
    for (const auto& fault : faults) {
      if (fault) {
        writer.add(*fault);
      } else if (*reply) {
        writer.add(**reply++);
      } else {
        writer.add((reply++)->error());
      }
    }
    return writer.finish();
  };
  call.api().jobs.submit_batch(call.who(), readable, facts,
                               std::move(end).then_read<service::BatchReply>(std::move(answer)));
  return {};
}

}  // namespace chronos::http
