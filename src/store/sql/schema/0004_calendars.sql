-- Calendars of projects, and the jobs that name them.

CREATE TABLE calendars (
  project BLOB NOT NULL,
  name TEXT NOT NULL,
  declared TEXT NOT NULL, -- JSON
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (project, name)
) WITHOUT ROWID;

-- `place` is that in the job's list.
CREATE TABLE job_calendars (
  project BLOB NOT NULL,
  job BLOB NOT NULL,
  place INTEGER NOT NULL,
  calendar TEXT NOT NULL,
  PRIMARY KEY (project, job, place)
) WITHOUT ROWID;
CREATE INDEX job_calendars_by_name ON job_calendars (project, calendar, job);

ALTER TABLE idempotency ADD COLUMN made_name TEXT;
