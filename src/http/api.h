// The API as the composition sees it: what it stands on, its limits, its routes and its gate. Built
// once by the daemon; everything in it must outlive the Server. Read routes.cc next: THE table.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "http/gate.h"
#include "http/read_pool.h"
#include "http/router.h"
#include "service/access.h"
#include "service/audit.h"
#include "service/backfill.h"
#include "service/bulks.h"
#include "service/calendars.h"
#include "service/channels.h"
#include "service/events.h"
#include "service/jobs.h"
#include "service/reasons.h"
#include "service/runs.h"
#include "service/sessions.h"
#include "service/system.h"
#include "service/views.h"
#include "service/workers.h"

namespace chronos::http {

struct ApiLimits {
  std::size_t batch_body_max = 16uz * 1024 * 1024;  // bytes
  std::size_t batch_items_max = 10'000;
};

// How the server shows itself to people.
struct Site {
  std::string base_url;   // how they reach it; empty = as each request does
  std::string base_path;  // the path of that, before every other: "/chronos"; empty = none
  std::string version;
  std::vector<std::string> features;  // that are not everywhere: "commands", "email"
};

struct Api {
  service::Jobs& jobs;
  service::Runs& runs;
  service::Backfills& backfills;
  service::Reasons& reasons;
  service::Calendars& calendars;
  service::Workers& workers;
  service::Access& access;
  service::Sessions& sessions;
  service::Events& events;
  service::System& system;
  service::Audit& audit;
  service::Bulks& bulks;
  service::Channels& channels;
  service::Views& views;
  ReadPool& readers;  // where what reads the store for long, or blocks, is done
  const Clock& clock;
  ApiLimits limits{};
  std::function<std::string()> metrics;  // Prometheus text format 0.0.4
  Site site{};
};

inline constexpr std::string_view kEventsPath = "/api/events";

// `api` must outlive the routes.
std::vector<Route> make_routes(const Api& api);

// Lets in whoever has a live key of a role that the route allows, or a session of such a key; that
// may change something only from a page of this server, whose `base_url` is as in Site.
Gate make_gate(service::Access& access, service::Sessions& sessions, std::string base_url);

// What a browser opens to log in with the token of a link, once.
std::string login_url(std::string_view address, std::string_view token);

}  // namespace chronos::http
