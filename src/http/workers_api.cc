// The protocol of remote workers over HTTP: docs/workers.md.
#include <utility>

#include "base/time_text.h"
#include "http/routes.h"

namespace chronos::http {
namespace {

// What is longer is written on a reader thread, not on the store's.
constexpr std::size_t kWrittenAtOnce = 16;

void write_run(json::Writer& writer, const service::WorkReply::Given& given) {
  const auto& claimed = given.claimed;
  const auto& spec = *claimed.spec;
  writer.begin_object().member("id", claimed.run.to_string());
  writer.member("job_id", claimed.job.to_string()).member("token", claimed.token);
  writer.member("name", spec.name).member("queue", spec.queue).key("payload");
  spec.payload.empty() ? writer.null() : writer.raw(spec.payload);
  writer.member("attempt", claimed.attempt).member("max_attempts", spec.max_attempts);
  writer.member("trigger", to_string(claimed.trigger));
  writer.member("planned_at", format_timestamp(claimed.planned_at));
  writer.member("deadline", format_timestamp(given.deadline)).key("metadata").begin_object();
  for (const auto& [name, value] : spec.metadata) writer.key(name).string(value);
  writer.end_object().end_object();
}

void write_settled(json::Writer& writer, const json::Name& name,
                   const std::vector<service::Settled>& settled) {
  writer.key(name).begin_array();
  for (const auto each : settled) writer.string(to_string(each));
  writer.end_array();
}

void write_claimed(json::Writer& writer, const service::WorkReply& reply) {
  writer.key("cancel").begin_array();
  for (const auto run : reply.cancel) writer.string(run.to_string());
  writer.end_array().key("runs").begin_array();
  for (const auto& given : reply.runs) write_run(writer, given);
  writer.end_array();
}

Response claim_response(const service::WorkReply& reply, Duration ttl) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("worker_id", reply.worker.to_string());
  writer.member("lease_ttl", format_duration(ttl));
  writer.member("heartbeat", format_duration(ttl / 3));
  write_claimed(writer, reply);
  writer.end_object();
  return json_response(200, std::move(body));
}

Response settle_response(const service::WorkReply& reply, Duration) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_settled(writer, "outcomes", reply.outcomes);
  write_settled(writer, "release", reply.released);
  write_claimed(writer, reply);
  writer.end_object();
  return json_response(200, std::move(body));
}

using Respond = Response (*)(const service::WorkReply& reply, Duration ttl);

// The runs of an answer on its way: ready again when it gets lost before it is written.
class Leased {
 public:
  Leased(service::Workers& workers, std::vector<service::LeaseRef> runs)
      : workers_(workers), runs_(std::move(runs)) {}
  Leased(Leased&& other) noexcept
      : workers_(other.workers_), runs_(std::exchange(other.runs_, {})) {}
  Leased& operator=(Leased&&) = delete;
  ~Leased() { hand_back(); }

  void hand_back() {
    if (!runs_.empty()) workers_.hand_back(std::exchange(runs_, {}));
  }
  // From now on it is the connection that knows.
  void give_to(Response& response) {
    if (runs_.empty()) return;
    response.if_gone = [&workers = workers_, runs = std::exchange(runs_, {})] {
      workers.hand_back(runs);
    };
  }

 private:
  service::Workers& workers_;
  std::vector<service::LeaseRef> runs_;
};

service::Done<service::WorkReply> answer_with(const Call& call, Ending& end, Respond respond) {
  auto& workers = call.api().workers;
  return [end = std::move(end), respond, &workers](Result<service::WorkReply> reply) mutable {
    if (!reply) return end.refuse(reply.error());
    Leased leased(workers, reply->leases());
    const auto write = [respond, &workers](const service::WorkReply& written, Leased& on_its_way) {
      auto response = respond(written, workers.options().lease_ttl);
      on_its_way.give_to(response);
      return response;
    };
    if (reply->runs.size() + reply->outcomes.size() / 8 <= kWrittenAtOnce) {
      return end.answer(write(*reply, leased));
    }
    std::move(end).read(
        [reply = std::move(*reply), leased = std::move(leased), write](const Ending&) mutable {
          return Result<Response>(write(reply, leased));
        });
  };
}

void write_worker(json::Writer& writer, const service::WorkerView& view) {
  const auto& worker = view.worker;
  writer.begin_object().member("id", worker.id.to_string()).member("name", worker.info.name);
  writer.key("queues");
  if (worker.info.queues.empty()) {
    writer.null();
  } else {
    writer.begin_array();
    for (const auto& queue : worker.info.queues) writer.string(queue);
    writer.end_array();
  }
  writer.member("alive", worker.is_alive || view.is_polling).member("polling", view.is_polling);
  writer.member("first_seen_at", format_timestamp(worker.first_seen_at));
  writer.member("last_seen_at", format_timestamp(worker.last_seen_at));
  writer.member("running", worker.running).key("runs").begin_array();
  for (const auto& [run, percent, message] : view.runs) {
    writer.begin_object().member("id", run.to_string()).key("percent");
    percent ? writer.integer(*percent) : writer.null();
    writer.member("message", message).end_object();
  }
  writer.end_array().end_object();
}

}  // namespace

Result<void> claim_runs(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto document, call.body());
  CHRONOS_TRY(auto request, service::read_claim(document.root()));
  call.api().workers.claim(call.who(), std::move(request), call.request().gone,
                           answer_with(call, end, claim_response));
  return {};
}

Result<void> settle_runs(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto document, call.body());
  CHRONOS_TRY(auto request, service::read_settle(document.root()));
  call.api().workers.settle(call.who(), std::move(request), call.request().gone,
                            answer_with(call, end, settle_response));
  return {};
}

Result<Response> list_workers(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto workers, call.api().workers.list(call.who()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("workers").begin_array();
  for (const auto& worker : workers) write_worker(writer, worker);
  writer.end_array().key("next").null().end_object();
  return json_response(200, std::move(body));
}

}  // namespace chronos::http
