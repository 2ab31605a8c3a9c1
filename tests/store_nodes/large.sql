-- Rows for plans.py: a million runs that are planned, as many that have ended, all of one project, and the rest in
-- proportion. In one transaction that empties the tables first: at wal_level minimal nothing of it is logged.
SET search_path = chronos;
\set now 1780272000000000
\set second 1000000::bigint
\set ahead 1000000

CREATE FUNCTION pg_temp.id(kind INTEGER, number BIGINT) RETURNS UUID LANGUAGE sql IMMUTABLE AS
  $$ SELECT (lpad(to_hex(kind), 8, '0') || lpad(to_hex(number), 24, '0'))::uuid $$;
\set project 'pg_temp.id(1, 1)'

BEGIN;
TRUNCATE projects, keys, sessions, workers, calendars, job_calendars, specs, jobs, job_tags, unique_keys, live, due, ready,
  held, leases, limited, limit_keys, limit_lines, limit_starts, runs, attempts, outputs, running_output, deliveries,
  idempotency, audit, bulks, bulk_items, channels, tallies, job_totals, run_totals;

INSERT INTO projects SELECT pg_temp.id(1, n), 'project-' || n, 1 FROM generate_series(1, 100) AS n;
INSERT INTO keys (id, project, name, role, hash, created_at)
  SELECT pg_temp.id(2, n), pg_temp.id(1, n % 100 + 1), 'key', 'admin', '', 1 FROM generate_series(1, 1000) AS n;
INSERT INTO sessions SELECT pg_temp.id(3, n), pg_temp.id(2, 1), n % 2, '', 1, :now + n FROM generate_series(1, 10000) AS n;
INSERT INTO workers SELECT pg_temp.id(4, n), pg_temp.id(1, n % 100 + 1), 'worker', '', 15000000, :now, :now + n
  FROM generate_series(1, 1000) AS n;
INSERT INTO calendars SELECT :project, 'calendar-' || n, '{}', 1, 1, 1 FROM generate_series(1, 100) AS n;
INSERT INTO channels SELECT :project, 'channel-' || n, '{}', 1, 1, 1 FROM generate_series(1, 100) AS n;
INSERT INTO specs (spec, payload) SELECT '{}', '' FROM generate_series(1, 100000);
INSERT INTO specs (spec, payload, job, version, declared_at) SELECT '{}', '', pg_temp.id(5, n), 1, :now
  FROM generate_series(1, 50000) AS n;

-- Jobs: a thousand recur, and of a million and a bit more each run is planned, ready, in back-off or in line; the last
-- hundred thousand are done.
INSERT INTO jobs (project, id, spec, name, key, is_paused, phase, version, created_at, updated_at, planned_through,
    paused_until, runs_planned, failure_streak, succeeded, failed, cancelled, skipped, missed, retention_runs,
    retention_age, runs_kept, kind, queue)
  SELECT :project, pg_temp.id(5, n), n, 'report ' || n, CASE WHEN n % 1000 = 7 THEN 'key-' || n END,
    (n % 1000 = 3)::int, CASE WHEN n <= :ahead + 51000 THEN 'active' WHEN n % 100 = 0 THEN 'failed' ELSE 'succeeded' END,
    1, n, n, 0, CASE WHEN n % 1000 = 3 THEN :now + n END, 1, 0, 0, 0, 0, 0, 0, 10000, 30 * 86400 * :second,
    CASE WHEN n <= 1000 THEN 900 ELSE 1 END, 'http', 'queue' || n % 20
  FROM generate_series(1, :ahead + 151000) AS n;
INSERT INTO job_tags SELECT :project, 'common', pg_temp.id(5, n) FROM generate_series(1, 150000) AS n;
INSERT INTO job_tags SELECT :project, 'rare', pg_temp.id(5, n) FROM generate_series(1, 100) AS n;
INSERT INTO unique_keys SELECT :project, 'unique-' || n, pg_temp.id(5, n), 0 FROM generate_series(1, 100000) AS n;
INSERT INTO job_calendars SELECT :project, pg_temp.id(5, n), 0, 'calendar-' || n % 99 FROM generate_series(1, 10000) AS n;

-- Live runs, each in its place: the recurring jobs', half of them due; a million ahead; then 20,000 ready, 1,000 leased,
-- 10,000 in back-off, 20,000 in line for a key. And 10,000 are held, all of one job.
INSERT INTO live (job, is_held, run, project, trigger_kind, planned_at, at, needs_planning, kind, queue, rank,
    is_cancel_requested, attempts_made, jitter, is_limited)
  SELECT pg_temp.id(5, n), 0, pg_temp.id(6, :ahead + n), :project, 'schedule', :now + (n - 500) * :second,
    :now + (n - 500) * :second, (n <= 1000)::int, 'http', 'queue' || n % 20, 5, 0,
    (n > :ahead + 22000 AND n <= :ahead + 32000)::int, 0, (n > :ahead + 32000)::int
  FROM generate_series(1, :ahead + 51000) AS n;
INSERT INTO due SELECT needs_planning, at, run, job FROM live
  WHERE job <= pg_temp.id(5, :ahead + 1000) OR attempts_made = 1;
INSERT INTO ready SELECT kind, queue, rank, planned_at, run, job, project, trigger_kind, 1, :now, 0 FROM live
  WHERE job > pg_temp.id(5, :ahead + 1000) AND job <= pg_temp.id(5, :ahead + 21000);
INSERT INTO leases (run, job, holder, node, token, attempt, queued_at, started_at, is_cancel_requested, ends_at)
  SELECT run, job, pg_temp.id(4, 1), 'node', row_number() OVER (), 1, at, at, 0, at FROM live
  WHERE job > pg_temp.id(5, :ahead + 21000) AND job <= pg_temp.id(5, :ahead + 22000);
INSERT INTO limited SELECT run, project, queue, 10, 'rate ' || queue, 10, 1000, 0 FROM live
  WHERE job > pg_temp.id(5, :ahead + 32000);
INSERT INTO limit_lines SELECT project, 'concurrency', queue, rank, planned_at, run, job FROM live
  WHERE job > pg_temp.id(5, :ahead + 32000);
INSERT INTO limit_keys SELECT :project, 'rate', 'rate ' || n, 0, 1, 1, CASE WHEN n <= 20 THEN :now END, n
  FROM generate_series(1, 10000) AS n;
INSERT INTO limit_starts SELECT :project, 'rate ' || n, 1, 1 FROM generate_series(1, 10000) AS n;
INSERT INTO live (job, is_held, run, project, trigger_kind, planned_at, at, needs_planning, kind, queue, rank,
    is_cancel_requested, attempts_made, jitter)
  SELECT pg_temp.id(5, 1), 1, pg_temp.id(7, n), :project, 'backfill', n, n, 0, 'http', 'default', 5, 0, 0, 0
  FROM generate_series(1, 10000) AS n;
INSERT INTO held SELECT job, 1, planned_at, run FROM live WHERE job = pg_temp.id(5, 1) AND is_held = 1;

-- History: 900 runs of each recurring job and one of each that is done; of a thousand one failed, one was skipped.
INSERT INTO runs (project, id, job, trigger_kind, state, reason, planned_at, run_count, queued_at, started_at, ended_at,
    attempts_made, attempt_started_at, attempt_ended_at, node, outcome, outcome_reason, error, output, output_dropped)
  SELECT :project, pg_temp.id(6, n), pg_temp.id(5, CASE WHEN n <= 900000 THEN n % 1000 + 1 ELSE n + 151000 END),
    'schedule', CASE n % 1000 WHEN 0 THEN 'failed' WHEN 1 THEN 'skipped' ELSE 'succeeded' END, '', n, 1, 1, 1, n, 1, 1, 1,
    'node', 'succeeded', '', '', CASE WHEN n <= 50000 THEN n END, 0
  FROM generate_series(1, 1000000) AS n;
INSERT INTO attempts (run, number, started_at, ended_at, node, outcome, reason, error, output_dropped)
  SELECT run, 1, 1, 2, 'node', 'failed', 'http_status', '', 0 FROM live WHERE attempts_made = 1;
INSERT INTO outputs (bytes) SELECT 'said' FROM generate_series(1, 50000);
INSERT INTO running_output SELECT pg_temp.id(6, :ahead + n), 0, 'said' FROM generate_series(1, 10000) AS n;
INSERT INTO deliveries SELECT pg_temp.id(8, n), :project, pg_temp.id(6, n), 'email', 'ops', '{}',
    CASE WHEN n <= 1000 THEN 'waiting' ELSE 'delivered' END, 0, :now + n, '' FROM generate_series(1, 50000) AS n;
INSERT INTO idempotency (caller, key, fingerprint, at, what, project, job)
  SELECT pg_temp.id(2, 1), 'idem-' || n, '', n, 0, :project, pg_temp.id(5, n) FROM generate_series(1, 100000) AS n;
INSERT INTO audit SELECT :project, pg_temp.id(9, n), n, pg_temp.id(2, 1), 'job.submit', 'job', 'job-' || n, 'report', NULL,
    '{}' FROM generate_series(1, 100000) AS n;
INSERT INTO bulks SELECT :project, pg_temp.id(10, n), pg_temp.id(2, 1), 'cancel', 0, '{}', 'done', 1, 1, 0, '', 1, 1, 2, 1, 0
  FROM generate_series(1, 10000) AS n;
INSERT INTO bulk_items SELECT pg_temp.id(10, n), 1, '' FROM generate_series(1, 10000) AS n;
INSERT INTO tallies SELECT :project, n * 900 * :second, 9, 1, 0, 0, 0, 0, 0, 10, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0 FROM generate_series(1, 3000) AS n;
INSERT INTO job_totals VALUES (:project, :ahead, 1000, 100000, 0, 0);
INSERT INTO run_totals SELECT :project, 'queue' || n, 1, 1, 1, 1, 1, 1 FROM generate_series(0, 19) AS n;
COMMIT;
