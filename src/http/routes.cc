// THE table of the API: method, path, who may, handler. What a route takes and answers is in
// api/openapi.json; tests/contract/ holds the two together.
#include "http/routes.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace chronos::http {
namespace {

// Answers on the server's own thread.
Handler at_once(const Api& api, AnswerFunction answer) {
  return [&api, answer](Request request, Reply reply) {
    const Call call(api, std::move(request));
    Ending end(api, call.request(), std::move(reply));
    end.answer(answer(call));
  };
}

// Answers on a reader thread.
Handler reads(const Api& api, AnswerFunction answer) {
  return [&api, answer](Request request, Reply reply) {
    Call call(api, std::move(request));
    Ending end(api, call.request(), std::move(reply));
    std::move(end).read([call = std::move(call), answer](const Ending&) { return answer(call); });
  };
}

// Answers when the store has committed.
Handler commits(const Api& api, CommitFunction commit) {
  return [&api, commit](Request request, Reply reply) {
    const Call call(api, std::move(request));
    Ending end(api, call.request(), std::move(reply));
    if (auto begun = commit(call, end); !begun) end.refuse(begun.error());
  };
}

// The same, but the body may be long: it is read on a reader thread, so that a server thread is
// never kept from the others' requests.
Handler reads_body(const Api& api, CommitFunction commit) {
  return [&api, commit](Request request, Reply reply) {
    Call call(api, std::move(request));
    Ending end(api, call.request(), std::move(reply));
    std::move(end).read_then([call = std::move(call), commit](Ending& self) {
      if (auto begun = commit(call, self); !begun) self.refuse(begun.error());
    });
  };
}

// Whoever submits too much at once is refused.
Route submits(Route route) {
  route.is_submission = true;
  return route;
}

// A job alone: it is handed on at once.
Route submits_one(Route route) {
  route.keeps_order = true;
  return submits(std::move(route));
}

using enum Method;
constexpr auto kOpen = Access::open();
constexpr auto kViewer = Access::role(Role::viewer);
constexpr auto kWorker = Access::role(Role::worker);
constexpr auto kSubmitter = Access::role(Role::submitter);
constexpr auto kOperator = Access::role(Role::operator_);
constexpr auto kAdmin = Access::role(Role::admin);
// Whoever sends a job's declaration may put the key into it.
constexpr auto kDeclarer = kSubmitter.or_key_in_body();

std::vector<Route> job_routes(const Api& api) {
  return {
      // The mission's six: frozen (product.md §2).
      submits_one({post, "/api/submitJob", kDeclarer, commits(api, submit_job)}),
      {get, "/api/jobs", kViewer, reads(api, list_jobs)},
      {get, "/api/jobs/:job_id", kViewer, at_once(api, get_job)},
      {put, "/api/jobs/:job_id", kDeclarer, commits(api, put_job)},
      {delete_, "/api/jobs/:job_id", kSubmitter, commits(api, cancel_job)},
      {get, "/api/jobs/:job_id/status", kViewer, at_once(api, get_job_status)},

      submits_one({post, "/api/jobs", kDeclarer, commits(api, submit_job)}),
      // Any media type here: the handler knows two.
      submits({post, "/api/jobs/batch", kSubmitter, reads_body(api, submit_batch),
               api.limits.batch_body_max, ""}),
      {get, "/api/jobs/by-key/:key", kViewer, at_once(api, get_job_by_key)},
      submits({put, "/api/jobs/by-key/:key", kDeclarer, commits(api, put_job_by_key)}),
      {patch, "/api/jobs/:job_id", kDeclarer, commits(api, patch_job)},
      {post, "/api/jobs/:job_id/pause", kOperator, commits(api, pause_job)},
      {post, "/api/jobs/:job_id/resume", kOperator, commits(api, resume_job)},
      {post, "/api/jobs/:job_id/run", kSubmitter, commits(api, run_job)},
      // On a reader thread, which may wait for the commit.
      {post, "/api/jobs/:job_id/backfill", kOperator, reads(api, backfill_job)},
      {get, "/api/jobs/:job_id/runs", kViewer, reads(api, list_job_runs)},
      {get, "/api/jobs/:job_id/versions", kViewer, reads(api, list_job_versions)},
      {get, "/api/jobs/:job_id/versions/:version", kViewer, reads(api, get_job_version)},
      {post, "/api/jobs/:job_id/versions/:version/restore", kSubmitter,
       commits(api, restore_job_version)},
      {get, "/api/jobs/:job_id/why", kViewer, reads(api, get_job_why)},
  };
}

std::vector<Route> run_routes(const Api& api) {
  return {
      {get, "/api/runs", kViewer, reads(api, list_runs)},
      {get, "/api/runs/:run_id", kViewer, at_once(api, get_run)},
      {get, "/api/runs/:run_id/why", kViewer, reads(api, get_run_why)},
      {get, "/api/runs/:run_id/output", kViewer, reads(api, get_run_output)},
      {post, "/api/runs/:run_id/cancel", kSubmitter, commits(api, cancel_run)},
      {post, "/api/runs/:run_id/retry", kSubmitter, commits(api, retry_run)},

      {get, "/api/schedule/preview", kViewer, at_once(api, preview_schedule)},
      {get, "/api/calendars", kViewer, reads(api, list_calendars)},
      {post, "/api/calendars", kOperator, commits(api, create_calendar)},
      {get, "/api/calendars/:calendar", kViewer, at_once(api, get_calendar)},
      {put, "/api/calendars/:calendar", kOperator, commits(api, put_calendar)},
      {delete_, "/api/calendars/:calendar", kOperator, commits(api, delete_calendar)},
      {post, "/api/calendars/:calendar/import", kOperator, commits(api, import_calendar), 0,
       "text/calendar"},
  };
}

std::vector<Route> worker_routes(const Api& api) {
  return {
      {post, "/api/workers/claim", kWorker, commits(api, claim_runs)},
      {post, "/api/workers/settle", kWorker, commits(api, settle_runs), api.limits.batch_body_max},
      {get, "/api/workers", kViewer, reads(api, list_workers)},
  };
}

std::vector<Route> bulk_and_channel_routes(const Api& api) {
  return {
      // On a reader thread: they read much, or wait.
      {post, "/api/bulk", kOperator, reads(api, create_bulk), api.limits.batch_body_max},
      {get, "/api/bulk", kOperator, reads(api, list_bulks)},
      {get, "/api/bulk/:bulk_id", kOperator, at_once(api, get_bulk)},
      {post, "/api/bulk/:bulk_id/cancel", kOperator, reads(api, cancel_bulk)},

      {get, "/api/channels", kOperator, reads(api, list_channels)},
      {post, "/api/channels", kOperator, commits(api, create_channel)},
      {get, "/api/channels/:channel", kOperator, at_once(api, get_channel)},
      {put, "/api/channels/:channel", kOperator, commits(api, put_channel)},
      {delete_, "/api/channels/:channel", kOperator, commits(api, delete_channel)},
      {post, "/api/channels/:channel/test", kOperator, commits(api, test_channel)},
  };
}

std::vector<Route> access_routes(const Api& api) {
  return {
      {get, "/api/keys", kAdmin, at_once(api, list_keys)},
      {post, "/api/keys", kAdmin, commits(api, create_key)},
      {delete_, "/api/keys/:key_id", kAdmin, commits(api, revoke_key)},
      {post, "/api/keys/:key_id/rotate", kAdmin, commits(api, rotate_key)},
      {get, "/api/projects", kAdmin, at_once(api, list_projects)},
      {post, "/api/projects", kAdmin, commits(api, create_project)},

      {post, "/api/login", kOpen, commits(api, log_in)},
      {post, "/api/logout", kViewer, commits(api, log_out)},
      {post, "/api/login-links", kViewer, commits(api, make_login_link)},
      {get, "/api/me", kViewer, at_once(api, get_me)},
  };
}

std::vector<Route> system_routes(const Api& api) {
  return {
      {get, std::string(kEventsPath), kViewer, at_once(api, get_events)},
      {get, "/api/audit", kAdmin, reads(api, list_audit)},
      {post, "/api/notify/test", kOperator, commits(api, test_notify)},
      {post, "/api/backup", kAdmin, reads(api, back_up)},
      {get, "/api/openapi.json", kViewer, at_once(api, get_openapi)},
      {get, "/docs/errors", kOpen, at_once(api, get_error_page)},
      {get, "/metrics", kViewer, reads(api, get_metrics)},
      {get, "/livez", kOpen, at_once(api, get_liveness)},
      {get, "/readyz", kOpen, reads(api, get_readiness)},
  };
}

// A project as a whole.
std::vector<Route> view_routes(const Api& api) {
  return {
      {get, "/api/overview", kViewer, reads(api, get_overview)},
      {get, "/api/queues", kViewer, reads(api, list_queues)},
      {get, "/api/nodes", kViewer, reads(api, list_nodes)},
      {get, "/api/forecast", kViewer, reads(api, get_forecast)},
      {get, "/api/grid", kViewer, reads(api, get_grid)},
      {get, "/api/jobs/:job_id/strip", kViewer, reads(api, get_strip)},
  };
}

}  // namespace

std::vector<Route> make_routes(const Api& api) {
  std::vector<Route> routes;
  for (const auto part : {job_routes, run_routes, worker_routes, bulk_and_channel_routes,
                          access_routes, view_routes, system_routes}) {
    std::ranges::move(part(api), std::back_inserter(routes));
  }
  return routes;
}

}  // namespace chronos::http
