// The stream of events over HTTP: server-sent events (HTML, "9.2 Server-sent events").
#include <memory>
#include <set>
#include <utility>

#include "http/query.h"
#include "http/routes.h"

namespace chronos::http {
namespace {

// How long a browser waits before it comes back.
constexpr std::string_view kBeginning = "retry: 2000\n\n";

std::string wire_form(const service::Event& event) {
  if (event.name.empty() && event.id.empty()) return ":\n\n";
  std::string text;
  const auto add = [&](std::string_view field, std::string_view value) {
    if (!value.empty()) text.append(field).append(": ").append(value).append("\n");
  };
  add("event", event.name);
  add("data", event.data);
  add("id", event.id);
  return text += '\n';
}

Result<std::set<RunId>> read_followed(std::string_view list) {
  std::set<RunId> runs;
  while (!list.empty()) {
    const auto word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    const auto run = RunId::parse(word);
    if (!run) return fail_field("/output", "bad_id", "is not a list of ids of runs", "run_a,run_b");
    runs.insert(*run);
  }
  if (runs.size() <= service::kFollowedMax) return runs;
  return fail_field("/output", "too_many",
                    "follows more than " + std::to_string(service::kFollowedMax) + " runs");
}

// A key or session that has ended ends the stream; a store in trouble does not.
std::function<bool()> permission_of(const Call& call) {
  return [&access = call.api().access, &sessions = call.api().sessions, key = call.who().key,
          session = call.request().caller->session] {
    const auto who = session.empty() ? access.authenticate(key) : sessions.authenticate(session);
    return who || (who.error().code() != ErrorCode::unauthenticated &&
                   who.error().code() != ErrorCode::not_found);
  };
}

}  // namespace

Result<Response> get_events(const Call& call) {
  std::string output;
  Query query(call.request());
  query.text("output", output);
  CHRONOS_TRY_VOID(query.finish());
  CHRONOS_TRY(auto followed, read_followed(output));
  auto& events = call.api().events;
  CHRONOS_TRY_VOID(events.check_room(call.who()));

  service::EventStream viewer;
  viewer.followed = std::move(followed);
  viewer.may_go_on = permission_of(call);
  viewer.gone = call.request().gone;
  viewer.last_id = call.request().headers.find("Last-Event-ID").value_or("");
  auto response = json_response(200, std::string(kBeginning));
  response.content_type = "text/event-stream";
  // nginx would gather what is meant to arrive at once.
  response.headers.push_back({"X-Accel-Buffering", "no"});
  response.stream = [&events, who = call.who(), viewer = std::move(viewer)](Stream stream) mutable {
    // Shared: std::function wants to be copied.
    auto open = std::make_shared<Stream>(std::move(stream));
    viewer.send = [open](const service::Event& event) { return open->send(wire_form(event)); };
    // Without room after all the stream ends, and whoever wanted it comes back.
    static_cast<void>(events.subscribe(who, std::move(viewer)));
  };
  return response;
}

}  // namespace chronos::http
