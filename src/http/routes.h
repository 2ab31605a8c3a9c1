// The handlers that routes.cc lists; each is in the *_api.cc of its resource. Private to http/.
#pragma once

#include "http/call.h"
#include "http/query.h"
#include "model/page.h"

namespace chronos::http {

// Answers from what is at hand or one short read.
using AnswerFunction = Result<Response> (*)(const Call& call);
// Hands a change over and moves the Ending along; refuses by returning the Error.
using CommitFunction = Result<void> (*)(const Call& call, Ending& end);

// What the lists take but for limit and cursor: for them, and for bulk operations and the grid.
// jobs_api.cc, runs_api.cc
void read_job_filter(Query& query, JobFilter& filter);
void read_run_filter(Query& query, Timestamp now, RunFilter& filter);

// jobs_api.cc
Result<void> submit_job(const Call& call, Ending& end);
Result<Response> get_job(const Call& call);
Result<Response> get_job_by_key(const Call& call);
Result<Response> list_jobs(const Call& call);
Result<void> put_job(const Call& call, Ending& end);
Result<void> put_job_by_key(const Call& call, Ending& end);
Result<void> patch_job(const Call& call, Ending& end);
Result<void> cancel_job(const Call& call, Ending& end);
Result<void> pause_job(const Call& call, Ending& end);
Result<void> resume_job(const Call& call, Ending& end);

// versions_api.cc
Result<Response> list_job_versions(const Call& call);
Result<Response> get_job_version(const Call& call);
Result<void> restore_job_version(const Call& call, Ending& end);

// batch_api.cc
Result<void> submit_batch(const Call& call, Ending& end);

// runs_api.cc
Result<void> run_job(const Call& call, Ending& end);
Result<Response> list_job_runs(const Call& call);
Result<Response> list_runs(const Call& call);
Result<Response> get_run(const Call& call);
Result<Response> get_run_output(const Call& call);
Result<void> cancel_run(const Call& call, Ending& end);
Result<void> retry_run(const Call& call, Ending& end);

// backfill_api.cc
Result<Response> backfill_job(const Call& call);

// why_api.cc
Result<Response> get_job_status(const Call& call);
Result<Response> get_job_why(const Call& call);
Result<Response> get_run_why(const Call& call);

// schedule_api.cc
Result<Response> preview_schedule(const Call& call);

// calendars_api.cc
Result<Response> list_calendars(const Call& call);
Result<Response> get_calendar(const Call& call);
Result<void> create_calendar(const Call& call, Ending& end);
Result<void> put_calendar(const Call& call, Ending& end);
Result<void> import_calendar(const Call& call, Ending& end);
Result<void> delete_calendar(const Call& call, Ending& end);

// workers_api.cc
Result<void> claim_runs(const Call& call, Ending& end);
Result<void> settle_runs(const Call& call, Ending& end);
Result<Response> list_workers(const Call& call);

// views_api.cc
Result<Response> get_overview(const Call& call);
Result<Response> get_strip(const Call& call);
Result<Response> list_queues(const Call& call);
Result<Response> list_nodes(const Call& call);
Result<Response> get_forecast(const Call& call);
Result<Response> get_grid(const Call& call);

// keys_api.cc
Result<Response> list_keys(const Call& call);
Result<void> create_key(const Call& call, Ending& end);
Result<void> revoke_key(const Call& call, Ending& end);
Result<void> rotate_key(const Call& call, Ending& end);
Result<Response> list_projects(const Call& call);
Result<void> create_project(const Call& call, Ending& end);

// sessions_api.cc
Result<void> log_in(const Call& call, Ending& end);
Result<void> log_out(const Call& call, Ending& end);
Result<void> make_login_link(const Call& call, Ending& end);
Result<Response> get_me(const Call& call);

// events_api.cc
Result<Response> get_events(const Call& call);

// bulk_api.cc
Result<Response> create_bulk(const Call& call);
Result<Response> get_bulk(const Call& call);
Result<Response> list_bulks(const Call& call);
Result<Response> cancel_bulk(const Call& call);

// channels_api.cc
Result<Response> list_channels(const Call& call);
Result<Response> get_channel(const Call& call);
Result<void> create_channel(const Call& call, Ending& end);
Result<void> put_channel(const Call& call, Ending& end);
Result<void> delete_channel(const Call& call, Ending& end);
Result<void> test_channel(const Call& call, Ending& end);

// audit_api.cc
Result<Response> list_audit(const Call& call);

// system_api.cc
Result<Response> get_liveness(const Call& call);
Result<Response> get_readiness(const Call& call);
Result<Response> get_metrics(const Call& call);
Result<Response> get_openapi(const Call& call);
Result<void> test_notify(const Call& call, Ending& end);
Result<Response> back_up(const Call& call);
Result<Response> get_error_page(const Call& call);

}  // namespace chronos::http
