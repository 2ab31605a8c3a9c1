-- Jobs that retry, newest first.

CREATE INDEX live_tried_jobs ON live (project, job) WHERE attempts_made > 0;

-- With the instant a list can tell what of it matches without the rows, and SQLite prefers it to a
-- walk along all runs.

DROP INDEX runs_unusual;
CREATE INDEX runs_unusual ON runs (project, state, id, planned_at) WHERE state <> 'succeeded';
