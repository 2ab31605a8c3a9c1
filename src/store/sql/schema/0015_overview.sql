-- What the overview tells, kept while changes are made: a transaction adds what it did once, before it
-- commits. `meta` had the counts of the large tables before, of all projects and queues together.

ALTER TABLE jobs ADD COLUMN phase_before TEXT; -- what `phase` was before it was last set
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT '';         -- of the spec's action, and
ALTER TABLE jobs ADD COLUMN queue TEXT NOT NULL DEFAULT 'default'; -- of the spec: to be searched
UPDATE jobs SET kind = coalesce((SELECT json_extract(s.spec, '$.action.kind') FROM specs s
    WHERE s.id = jobs.spec), ''), queue = coalesce((SELECT json_extract(s.spec, '$.queue') FROM specs s
    WHERE s.id = jobs.spec), 'default');

-- Jobs by phase; of the active ones those that are paused apart.
CREATE TABLE job_totals (
  project BLOB NOT NULL PRIMARY KEY,
  scheduled BIGINT NOT NULL,
  paused BIGINT NOT NULL,
  succeeded BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  cancelled BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO job_totals SELECT project, sum(phase = 'active' AND is_paused = 0),
    sum(phase = 'active' AND is_paused = 1), sum(phase = 'succeeded'), sum(phase = 'failed'),
    sum(phase = 'cancelled') FROM jobs GROUP BY project;

-- Live runs by where they wait.
CREATE TABLE run_totals (
  project BLOB NOT NULL,
  queue TEXT NOT NULL,
  due BIGINT NOT NULL,
  retrying BIGINT NOT NULL, -- of those in `due`
  ready BIGINT NOT NULL,
  held BIGINT NOT NULL,
  limited BIGINT NOT NULL,
  running BIGINT NOT NULL,
  PRIMARY KEY (project, queue)
) WITHOUT ROWID;
INSERT INTO run_totals SELECT project, queue, sum(place = 'due'),
    sum(place = 'due' AND attempts_made > 0), sum(place = 'ready'), sum(place = 'held'),
    sum(place = 'limited'), sum(place = 'running')
  FROM (SELECT l.project, l.queue, l.attempts_made, CASE
      WHEN l.is_held = 1 THEN 'held'
      WHEN EXISTS (SELECT 1 FROM leases e WHERE e.run = l.run) THEN 'running'
      WHEN EXISTS (SELECT 1 FROM due d WHERE d.needs_planning = l.needs_planning AND d.at = l.at
        AND d.run = l.run) THEN 'due'
      WHEN EXISTS (SELECT 1 FROM ready y WHERE y.kind = l.kind AND y.queue = l.queue
        AND y.rank = l.rank AND y.planned_at = l.planned_at AND y.run = l.run) THEN 'ready'
      ELSE 'limited' END AS place FROM live l) GROUP BY project, queue;
DELETE FROM meta WHERE name IN ('jobs', 'due', 'ready', 'held', 'limited', 'leased');

-- What runs came to, by quarters of an hour. Latenesses are counted in classes (model/overview.h).
CREATE TABLE tallies (
  project BLOB NOT NULL,
  at BIGINT NOT NULL,
  succeeded BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  timed_out BIGINT NOT NULL,
  lost BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  missed BIGINT NOT NULL,
  started BIGINT NOT NULL,
  late_0 BIGINT NOT NULL,
  late_1 BIGINT NOT NULL,
  late_2 BIGINT NOT NULL,
  late_3 BIGINT NOT NULL,
  late_4 BIGINT NOT NULL,
  late_5 BIGINT NOT NULL,
  late_6 BIGINT NOT NULL,
  late_7 BIGINT NOT NULL,
  late_8 BIGINT NOT NULL,
  late_9 BIGINT NOT NULL,
  late_10 BIGINT NOT NULL,
  late_11 BIGINT NOT NULL,
  late_12 BIGINT NOT NULL,
  late_13 BIGINT NOT NULL,
  late_14 BIGINT NOT NULL,
  late_15 BIGINT NOT NULL,
  PRIMARY KEY (project, at)
) WITHOUT ROWID;
CREATE INDEX tallies_by_age ON tallies (at);
-- Of what ended before this version: how much, not how late.
INSERT INTO tallies SELECT project, ended_at / 900000000 * 900000000, sum((state = 'succeeded') * run_count),
    sum((state = 'failed') * run_count), sum((state = 'timed_out') * run_count),
    sum((state = 'lost') * run_count), sum((state = 'cancelled') * run_count),
    sum((state = 'skipped') * run_count), sum((state = 'missed') * run_count), 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM runs WHERE is_fold = 0 AND ended_at > (SELECT coalesce(max(ended_at), 0) FROM runs) - 691200000000
  GROUP BY 1, 2;
