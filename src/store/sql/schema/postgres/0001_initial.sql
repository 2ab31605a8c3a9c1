-- The tables of ../*.sql as PostgreSQL has them: see there what each is for. Ids are UUIDs, times are
-- microseconds since 1970 in UTC, texts compare by their bytes. No foreign keys: each would be a look
-- into another table for every row that is written.
--
-- Rows of the hot tables come and go by the thousand: autovacuum looks after them early.

CREATE TABLE projects (
  id UUID NOT NULL PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);

CREATE TABLE keys (
  id UUID NOT NULL PRIMARY KEY,
  project UUID NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  last_used_at BIGINT
);
CREATE INDEX keys_by_project ON keys (project, id);

CREATE TABLE specs (
  id BIGINT GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  spec TEXT NOT NULL,
  payload TEXT NOT NULL
);

CREATE TABLE jobs (
  project UUID NOT NULL,
  id UUID NOT NULL,
  spec BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C",
  is_paused INTEGER NOT NULL,
  phase TEXT COLLATE "C" NOT NULL,
  phase_at_end TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  planned_through BIGINT NOT NULL,
  parked_at BIGINT,
  paused_until BIGINT,
  runs_planned BIGINT NOT NULL,
  failure_streak BIGINT NOT NULL,
  succeeded BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  missed BIGINT NOT NULL,
  last_run UUID,
  last_state TEXT,
  last_ended_at BIGINT,
  last_error TEXT,
  retention_runs BIGINT NOT NULL,
  retention_age BIGINT NOT NULL,
  runs_kept BIGINT NOT NULL,
  PRIMARY KEY (project, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX jobs_by_key ON jobs (project, key) WHERE key IS NOT NULL;
CREATE INDEX jobs_unusual ON jobs (project, phase, id) WHERE phase IN ('failed', 'cancelled');
CREATE INDEX jobs_paused ON jobs (project, id) WHERE is_paused = 1;
CREATE INDEX jobs_to_prune ON jobs (id) WHERE runs_kept > retention_runs;
CREATE INDEX jobs_to_resume ON jobs (paused_until, id)
  WHERE paused_until IS NOT NULL AND phase = 'active';

CREATE TABLE job_tags (
  project UUID NOT NULL,
  tag TEXT COLLATE "C" NOT NULL,
  job UUID NOT NULL,
  PRIMARY KEY (project, tag, job)
);

CREATE TABLE calendars (
  project UUID NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  declared TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (project, name)
);

CREATE TABLE job_calendars (
  project UUID NOT NULL,
  job UUID NOT NULL,
  place INTEGER NOT NULL,
  calendar TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (project, job, place)
);
CREATE INDEX job_calendars_by_name ON job_calendars (project, calendar, job);

CREATE TABLE unique_keys (
  project UUID NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  job UUID NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (project, key)
);

CREATE TABLE live (
  job UUID NOT NULL,
  is_held INTEGER NOT NULL,
  run UUID NOT NULL,
  project UUID NOT NULL,
  trigger_kind TEXT NOT NULL,
  planned_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  needs_planning INTEGER NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  queue TEXT COLLATE "C" NOT NULL,
  rank INTEGER NOT NULL,
  retry_of UUID,
  is_cancel_requested INTEGER NOT NULL,
  attempts_made INTEGER NOT NULL,
  queued_at BIGINT,
  started_at BIGINT,
  jitter BIGINT NOT NULL,
  is_limited INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job, is_held, run)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX live_by_run ON live (project, run);
CREATE INDEX live_tried ON live (project, run) WHERE attempts_made > 0;
CREATE INDEX live_tried_jobs ON live (project, job) WHERE attempts_made > 0;

CREATE TABLE due (
  needs_planning INTEGER NOT NULL,
  at BIGINT NOT NULL,
  run UUID NOT NULL,
  job UUID NOT NULL,
  PRIMARY KEY (needs_planning, at, run)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE TABLE ready (
  kind TEXT COLLATE "C" NOT NULL,
  queue TEXT COLLATE "C" NOT NULL,
  rank INTEGER NOT NULL,
  planned_at BIGINT NOT NULL,
  run UUID NOT NULL,
  job UUID NOT NULL,
  project UUID NOT NULL,
  trigger_kind TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  queued_at BIGINT NOT NULL,
  has_rate INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, queue, rank, planned_at, run)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE TABLE held (
  job UUID NOT NULL,
  is_backfill INTEGER NOT NULL,
  planned_at BIGINT NOT NULL,
  run UUID NOT NULL,
  PRIMARY KEY (job, is_backfill, planned_at, run)
);

CREATE TABLE limited (
  run UUID NOT NULL PRIMARY KEY,
  project UUID NOT NULL,
  concurrency_key TEXT COLLATE "C",
  concurrency_max BIGINT,
  rate_key TEXT COLLATE "C",
  rate_max BIGINT,
  rate_per BIGINT,
  has_slot INTEGER NOT NULL
);
CREATE INDEX limited_with_slot ON limited (project, concurrency_key, run) WHERE has_slot = 1;

CREATE TABLE limit_keys (
  project UUID NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  in_use BIGINT NOT NULL,
  last_start BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  opens_at BIGINT,
  forget_at BIGINT,
  PRIMARY KEY (project, kind, key)
) WITH (fillfactor = 50);
CREATE INDEX limit_keys_opening ON limit_keys (opens_at) WHERE opens_at IS NOT NULL;
CREATE INDEX limit_keys_by_age ON limit_keys (forget_at) WHERE forget_at IS NOT NULL;

CREATE TABLE limit_lines (
  project UUID NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  rank INTEGER NOT NULL,
  planned_at BIGINT NOT NULL,
  run UUID NOT NULL,
  job UUID NOT NULL,
  PRIMARY KEY (project, kind, key, rank, planned_at, run)
);

CREATE TABLE limit_starts (
  project UUID NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (project, key, number)
);

CREATE TABLE leases (
  run UUID NOT NULL PRIMARY KEY,
  job UUID NOT NULL,
  holder UUID NOT NULL,
  node TEXT NOT NULL,
  token BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  queued_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  is_cancel_requested INTEGER NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX leases_to_cancel ON leases (holder, run) WHERE is_cancel_requested = 1;

CREATE TABLE attempts (
  run UUID NOT NULL,
  number INTEGER NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  node TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  error TEXT NOT NULL,
  exit_code INTEGER,
  signal INTEGER,
  http_status INTEGER,
  output BIGINT,
  output_dropped BIGINT NOT NULL,
  PRIMARY KEY (run, number)
);

CREATE TABLE outputs (
  id BIGINT GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  bytes BYTEA NOT NULL
);

CREATE TABLE runs (
  project UUID NOT NULL,
  id UUID NOT NULL,
  job UUID NOT NULL,
  trigger_kind TEXT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  planned_at BIGINT NOT NULL,
  jitter BIGINT NOT NULL DEFAULT 0,
  planned_until BIGINT,
  run_count BIGINT NOT NULL,
  is_fold INTEGER NOT NULL DEFAULT 0,
  queued_at BIGINT,
  started_at BIGINT,
  ended_at BIGINT,
  retry_of UUID,
  attempts_made INTEGER NOT NULL,
  attempt_started_at BIGINT,
  attempt_ended_at BIGINT,
  node TEXT,
  outcome TEXT,
  outcome_reason TEXT,
  error TEXT COLLATE "C",
  exit_code INTEGER,
  signal INTEGER,
  http_status INTEGER,
  output BIGINT,
  output_dropped BIGINT,
  PRIMARY KEY (project, id)
);
CREATE INDEX runs_by_job ON runs (job, id);
CREATE INDEX runs_unusual ON runs (project, state, id, planned_at) WHERE state <> 'succeeded';
CREATE INDEX runs_folds ON runs (job, state) WHERE is_fold = 1;
CREATE INDEX runs_by_last_instant ON runs (job, coalesce(planned_until, planned_at))
  WHERE state IN ('skipped', 'missed');

CREATE TABLE deliveries (
  id UUID NOT NULL PRIMARY KEY,
  project UUID NOT NULL,
  run UUID,
  kind TEXT COLLATE "C" NOT NULL,
  address TEXT NOT NULL,
  message TEXT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  attempts_made INTEGER NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  error TEXT NOT NULL
);
CREATE INDEX deliveries_waiting ON deliveries (kind, next_attempt_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_finished ON deliveries (next_attempt_at) WHERE state <> 'waiting';
CREATE INDEX deliveries_by_run ON deliveries (run, id) WHERE run IS NOT NULL;

CREATE TABLE idempotency (
  caller UUID NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  fingerprint BYTEA NOT NULL,
  at BIGINT NOT NULL,
  what INTEGER NOT NULL,
  project UUID NOT NULL,
  job UUID NOT NULL,
  run UUID,
  made_key UUID,
  made_name TEXT,
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_by_age ON idempotency (at);

CREATE TABLE workers (
  id UUID NOT NULL PRIMARY KEY,
  project UUID NOT NULL,
  name TEXT NOT NULL,
  queues TEXT NOT NULL,
  ttl BIGINT NOT NULL,
  first_seen_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX workers_by_project ON workers (project, id);
CREATE INDEX workers_by_age ON workers (last_seen_at);

-- Who may hold leases: the nodes and remote workers, by the clock of the database. (SQLite has one
-- process, which keeps this in memory.)
CREATE TABLE holders (
  id UUID NOT NULL PRIMARY KEY,
  opening BIGINT NOT NULL, -- which opening of the store heard of it last
  is_worker INTEGER NOT NULL,
  ttl BIGINT NOT NULL,
  alive_until BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE SEQUENCE openings AS BIGINT;

-- The last transaction of each writer: whoever loses its connection in a commit looks here.
CREATE TABLE commits (
  writer BIGINT NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL,
  noted_at TIMESTAMPTZ NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- THE clock of leases: this one, whatever a node's own clock says.
CREATE FUNCTION lease_now() RETURNS BIGINT LANGUAGE sql VOLATILE AS
  $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT $$;

-- As SQLite calls it.
CREATE FUNCTION instr(text TEXT, part TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT strpos(text, part) $$;

-- What the planner has to know of the hot tables, whose own statistics would tell it of a moment: of jobs
-- nearly each is another one, nearly nothing is held. Kept as it is: they are never analyzed again.
INSERT INTO live SELECT gen_random_uuid(), 0, gen_random_uuid(), gen_random_uuid(), 'schedule', n, n, n % 2,
  'http', 'queue' || n % 5, 5, NULL, 0, 0, NULL, NULL, 0, 0 FROM generate_series(1, 1000) AS n;
INSERT INTO due SELECT n % 2, n, gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 1000) AS n;
INSERT INTO ready SELECT 'http', 'queue' || n % 5, 5, n, gen_random_uuid(), gen_random_uuid(),
  gen_random_uuid(), 'schedule', 1, n, 0 FROM generate_series(1, 1000) AS n;
INSERT INTO held SELECT gen_random_uuid(), 0, n, gen_random_uuid() FROM generate_series(1, 1000) AS n;
INSERT INTO leases SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'node', n, 1, n, n, 0
  FROM generate_series(1, 1000) AS n;
ANALYZE live, due, ready, held, leases;
TRUNCATE live, due, ready, held, leases;
ALTER TABLE live SET (autovacuum_analyze_threshold = 2000000000);
ALTER TABLE due SET (autovacuum_analyze_threshold = 2000000000);
ALTER TABLE ready SET (autovacuum_analyze_threshold = 2000000000);
ALTER TABLE held SET (autovacuum_analyze_threshold = 2000000000);
ALTER TABLE leases SET (autovacuum_analyze_threshold = 2000000000);
