-- See ../0015_overview.sql.

ALTER TABLE jobs ADD COLUMN phase_before TEXT;
ALTER TABLE jobs ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN queue TEXT COLLATE "C" NOT NULL DEFAULT 'default';
UPDATE jobs SET kind = coalesce(s.spec::json -> 'action' ->> 'kind', ''),
    queue = coalesce(s.spec::json ->> 'queue', 'default') FROM specs s WHERE s.id = jobs.spec;

CREATE TABLE job_totals (
  project UUID NOT NULL PRIMARY KEY,
  scheduled BIGINT NOT NULL,
  paused BIGINT NOT NULL,
  succeeded BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  cancelled BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO job_totals SELECT project, count(*) FILTER (WHERE phase = 'active' AND is_paused = 0),
    count(*) FILTER (WHERE phase = 'active' AND is_paused = 1), count(*) FILTER (WHERE phase = 'succeeded'),
    count(*) FILTER (WHERE phase = 'failed'), count(*) FILTER (WHERE phase = 'cancelled')
  FROM jobs GROUP BY project;

CREATE TABLE run_totals (
  project UUID NOT NULL,
  queue TEXT COLLATE "C" NOT NULL,
  due BIGINT NOT NULL,
  retrying BIGINT NOT NULL,
  ready BIGINT NOT NULL,
  held BIGINT NOT NULL,
  limited BIGINT NOT NULL,
  running BIGINT NOT NULL,
  PRIMARY KEY (project, queue)
) WITH (fillfactor = 50);
INSERT INTO run_totals SELECT project, queue, count(*) FILTER (WHERE place = 'due'),
    count(*) FILTER (WHERE place = 'due' AND attempts_made > 0), count(*) FILTER (WHERE place = 'ready'),
    count(*) FILTER (WHERE place = 'held'), count(*) FILTER (WHERE place = 'limited'),
    count(*) FILTER (WHERE place = 'running')
  FROM (SELECT l.project, l.queue, l.attempts_made, CASE
      WHEN l.is_held = 1 THEN 'held'
      WHEN EXISTS (SELECT 1 FROM leases e WHERE e.run = l.run) THEN 'running'
      WHEN EXISTS (SELECT 1 FROM due d WHERE d.needs_planning = l.needs_planning AND d.at = l.at
        AND d.run = l.run) THEN 'due'
      WHEN EXISTS (SELECT 1 FROM ready y WHERE y.kind = l.kind AND y.queue = l.queue
        AND y.rank = l.rank AND y.planned_at = l.planned_at AND y.run = l.run) THEN 'ready'
      ELSE 'limited' END AS place FROM live l) AS places GROUP BY project, queue;
DELETE FROM meta WHERE name IN ('jobs', 'due', 'ready', 'held', 'limited', 'leased');

CREATE TABLE tallies (
  project UUID NOT NULL,
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
) WITH (fillfactor = 50);
CREATE INDEX tallies_by_age ON tallies (at);
INSERT INTO tallies SELECT project, ended_at / 900000000 * 900000000,
    coalesce(sum(run_count) FILTER (WHERE state = 'succeeded'), 0),
    coalesce(sum(run_count) FILTER (WHERE state = 'failed'), 0),
    coalesce(sum(run_count) FILTER (WHERE state = 'timed_out'), 0),
    coalesce(sum(run_count) FILTER (WHERE state = 'lost'), 0),
    coalesce(sum(run_count) FILTER (WHERE state = 'cancelled'), 0),
    coalesce(sum(run_count) FILTER (WHERE state = 'skipped'), 0),
    coalesce(sum(run_count) FILTER (WHERE state = 'missed'), 0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0
  FROM runs WHERE is_fold = 0 AND ended_at > (SELECT coalesce(max(ended_at), 0) FROM runs) - 691200000000
  GROUP BY 1, 2;
