-- Limits that runs share by a key (`concurrency`, `rate`). A run whose job has some waits, on its way to
-- `ready`, in one more place: `limit_lines`. Runs without limits touch none of these tables.

ALTER TABLE live ADD COLUMN is_limited INTEGER NOT NULL DEFAULT 0; -- it has a row in `limited`
ALTER TABLE ready ADD COLUMN has_rate INTEGER NOT NULL DEFAULT 0;  -- its start counts for a rate

CREATE TABLE limited (
  run BLOB NOT NULL PRIMARY KEY,
  project BLOB NOT NULL,
  concurrency_key TEXT,
  concurrency_max BIGINT,
  rate_key TEXT,
  rate_max BIGINT,
  rate_per BIGINT,
  has_slot INTEGER NOT NULL -- of its concurrency key: from before its first attempt to its end
) WITHOUT ROWID;
CREATE INDEX limited_with_slot ON limited (project, concurrency_key, run) WHERE has_slot = 1;

CREATE TABLE limit_keys (
  project BLOB NOT NULL,
  kind TEXT NOT NULL, -- concurrency, rate
  key TEXT NOT NULL,
  in_use BIGINT NOT NULL,     -- runs with a slot; of a rate: attempts let through and not yet started
  last_start BIGINT NOT NULL, -- number of the newest row in `limit_starts`
  depth BIGINT NOT NULL,      -- so many of them are kept: the largest `max` of a run that asked
  opens_at BIGINT,            -- when the first in line may be let through, if time alone does it
  forget_at BIGINT,           -- from then on its starts are in nobody's window
  PRIMARY KEY (project, kind, key)
) WITHOUT ROWID;
CREATE INDEX limit_keys_opening ON limit_keys (opens_at) WHERE opens_at IS NOT NULL;
CREATE INDEX limit_keys_by_age ON limit_keys (forget_at) WHERE forget_at IS NOT NULL;

CREATE TABLE limit_lines (
  project BLOB NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  rank INTEGER NOT NULL,
  planned_at BIGINT NOT NULL,
  run BLOB NOT NULL,
  job BLOB NOT NULL,
  PRIMARY KEY (project, kind, key, rank, planned_at, run)
) WITHOUT ROWID;

CREATE TABLE limit_starts (
  project BLOB NOT NULL,
  key TEXT NOT NULL,
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (project, key, number)
) WITHOUT ROWID;
