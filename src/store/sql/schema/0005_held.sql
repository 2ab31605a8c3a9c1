-- Held runs lie behind the others of their job, and those of a backfill behind the schedule's: whether
-- a run of the job goes on, and which held one is next, is a look at a few rows, however many wait.

CREATE TABLE live_2 (
  job BLOB NOT NULL,
  is_held INTEGER NOT NULL,
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
  jitter BIGINT NOT NULL,               -- microseconds after planned_at at which it is meant to start
  PRIMARY KEY (job, is_held, run)
) WITHOUT ROWID;
INSERT INTO live_2 SELECT job, EXISTS (SELECT 1 FROM held h WHERE h.job = l.job
    AND h.planned_at = l.planned_at AND h.run = l.run), run, project, trigger_kind, planned_at, at,
    needs_planning, kind, queue, rank, retry_of, is_cancel_requested, attempts_made, queued_at,
    started_at, jitter FROM live l;

CREATE TABLE held_2 (
  job BLOB NOT NULL,
  is_backfill INTEGER NOT NULL,
  planned_at BIGINT NOT NULL,
  run BLOB NOT NULL,
  PRIMARY KEY (job, is_backfill, planned_at, run)
) WITHOUT ROWID;
INSERT INTO held_2 SELECT job, trigger_kind = 'backfill', planned_at, run FROM live_2
  WHERE is_held = 1;

DROP TABLE live;
DROP TABLE held;
ALTER TABLE live_2 RENAME TO live;
ALTER TABLE held_2 RENAME TO held;
CREATE UNIQUE INDEX live_by_run ON live (project, run);
CREATE INDEX live_tried ON live (project, run) WHERE attempts_made > 0;
