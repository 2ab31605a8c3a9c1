-- Ids are UUIDs (16 bytes), times are microseconds since 1970 in UTC, enums are their names.
--
-- A job lies in `jobs` (small: rewritten with every outcome) and `specs` (what the user declared:
-- written once per change). A run lives in `live`, and while it does, in exactly one of the places
-- `due` (planned for later), `ready` (may start), `held` (waits for an earlier run of its job) and
-- `leases` (an attempt runs). Its end moves it to `runs`, whose rows are written once.
-- No place has a second index: these are the hot tables. How many rows they and `jobs` have is kept
-- in `meta`, because counting would read them all.

CREATE TABLE projects (
  id BLOB NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE keys (
  id BLOB NOT NULL PRIMARY KEY,
  project BLOB NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  last_used_at BIGINT
) WITHOUT ROWID;
CREATE INDEX keys_by_project ON keys (project);

CREATE TABLE specs (
  id INTEGER PRIMARY KEY,
  spec TEXT NOT NULL,   -- JSON, without the payload
  payload TEXT NOT NULL -- JSON as sent; '' = none
);

CREATE TABLE jobs (
  project BLOB NOT NULL,
  id BLOB NOT NULL,
  spec INTEGER NOT NULL, -- specs.id
  name TEXT NOT NULL,    -- name, key, paused: of the spec, to be searched
  key TEXT,
  is_paused INTEGER NOT NULL,
  phase TEXT NOT NULL,
  phase_at_end TEXT, -- taken when the last live run ends
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  planned_through BIGINT NOT NULL,
  parked_at BIGINT,
  runs_planned BIGINT NOT NULL,
  failure_streak BIGINT NOT NULL,
  succeeded BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  missed BIGINT NOT NULL,
  last_run BLOB,
  last_state TEXT,
  last_ended_at BIGINT,
  last_error TEXT,
  retention_runs BIGINT NOT NULL,
  retention_age BIGINT NOT NULL,
  runs_kept BIGINT NOT NULL, -- rows in `runs` that Prune may fold
  PRIMARY KEY (project, id)
) WITHOUT ROWID;
-- Partial indexes cost nothing while their condition is false: lists of what is rare stay short.
CREATE UNIQUE INDEX jobs_by_key ON jobs (project, key) WHERE key IS NOT NULL;
CREATE INDEX jobs_unusual ON jobs (project, phase, id) WHERE phase IN ('failed', 'cancelled');
CREATE INDEX jobs_paused ON jobs (project, id) WHERE is_paused = 1;
CREATE INDEX jobs_to_prune ON jobs (id) WHERE runs_kept > retention_runs;

CREATE TABLE job_tags (
  project BLOB NOT NULL,
  tag TEXT NOT NULL,
  job BLOB NOT NULL,
  PRIMARY KEY (project, tag, job)
) WITHOUT ROWID;

CREATE TABLE live (
  job BLOB NOT NULL,
  run BLOB NOT NULL,
  project BLOB NOT NULL,
  trigger_kind TEXT NOT NULL,
  planned_at BIGINT NOT NULL,
  at BIGINT NOT NULL, -- when it may start, or start again
  needs_planning INTEGER NOT NULL,
  kind TEXT NOT NULL, -- of the action; with queue and rank its key in `ready`
  queue TEXT NOT NULL,
  rank INTEGER NOT NULL, -- 9 - priority
  retry_of BLOB,
  is_cancel_requested INTEGER NOT NULL, -- of a planned run; of a running one see leases
  attempts_made INTEGER NOT NULL,       -- that have ended
  queued_at BIGINT,                     -- of the newest of them
  started_at BIGINT,                    -- of the first of them
  PRIMARY KEY (job, run)
) WITHOUT ROWID;
CREATE INDEX live_by_run ON live (project, run);
CREATE INDEX live_tried ON live (project, run) WHERE attempts_made > 0;

CREATE TABLE due (
  needs_planning INTEGER NOT NULL,
  at BIGINT NOT NULL,
  run BLOB NOT NULL,
  job BLOB NOT NULL,
  PRIMARY KEY (needs_planning, at, run)
) WITHOUT ROWID;

CREATE TABLE ready (
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  rank INTEGER NOT NULL,
  planned_at BIGINT NOT NULL,
  run BLOB NOT NULL,
  -- So that a claim need not look into `live`:
  job BLOB NOT NULL,
  project BLOB NOT NULL,
  trigger_kind TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  queued_at BIGINT NOT NULL,
  PRIMARY KEY (kind, queue, rank, planned_at, run)
) WITHOUT ROWID;

CREATE TABLE held (
  job BLOB NOT NULL,
  planned_at BIGINT NOT NULL,
  run BLOB NOT NULL,
  PRIMARY KEY (job, planned_at, run)
) WITHOUT ROWID;

CREATE TABLE leases (
  run BLOB NOT NULL PRIMARY KEY,
  job BLOB NOT NULL,
  holder BLOB NOT NULL,
  node TEXT NOT NULL,
  token BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  queued_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  is_cancel_requested INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX leases_to_cancel ON leases (holder, run) WHERE is_cancel_requested = 1;

-- Attempts of a run but its last: that lies in the run's row. Output bytes lie apart.
CREATE TABLE attempts (
  run BLOB NOT NULL,
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
  output INTEGER, -- outputs.id; none when it said nothing
  output_dropped BIGINT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;

CREATE TABLE outputs (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);

CREATE TABLE runs (
  project BLOB NOT NULL,
  id BLOB NOT NULL,
  job BLOB NOT NULL,
  trigger_kind TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  planned_at BIGINT NOT NULL,
  planned_until BIGINT,
  run_count BIGINT NOT NULL,
  is_fold INTEGER NOT NULL DEFAULT 0, -- a range row that Prune left
  queued_at BIGINT,
  started_at BIGINT, -- of the first attempt
  ended_at BIGINT,
  retry_of BLOB,
  attempts_made INTEGER NOT NULL,
  -- Of the last attempt, when there was one.
  attempt_started_at BIGINT,
  attempt_ended_at BIGINT,
  node TEXT,
  outcome TEXT,
  outcome_reason TEXT,
  error TEXT,
  exit_code INTEGER,
  signal INTEGER,
  http_status INTEGER,
  output INTEGER, -- outputs.id; none when it said nothing
  output_dropped BIGINT,
  PRIMARY KEY (project, id)
) WITHOUT ROWID;
CREATE INDEX runs_by_job ON runs (job, id);
CREATE INDEX runs_unusual ON runs (project, state, id) WHERE state <> 'succeeded';
CREATE INDEX runs_folds ON runs (job, state) WHERE is_fold = 1;
-- The row that a further skipped or missed instant extends ends where the job's planning stands.
CREATE INDEX runs_by_last_instant ON runs (job, coalesce(planned_until, planned_at))
  WHERE state IN ('skipped', 'missed');

CREATE TABLE deliveries (
  id BLOB NOT NULL PRIMARY KEY,
  project BLOB NOT NULL,
  run BLOB,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  message TEXT NOT NULL, -- JSON
  state TEXT NOT NULL,
  attempts_made INTEGER NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  error TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX deliveries_waiting ON deliveries (kind, next_attempt_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_finished ON deliveries (next_attempt_at) WHERE state <> 'waiting';
CREATE INDEX deliveries_by_run ON deliveries (run, id) WHERE run IS NOT NULL;

CREATE TABLE idempotency (
  caller BLOB NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  at BIGINT NOT NULL,
  project BLOB NOT NULL,
  job BLOB NOT NULL,
  run BLOB,
  PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);
