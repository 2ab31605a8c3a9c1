-- Who changed what (decision 14: a submission is told by its job's own row).

ALTER TABLE jobs ADD COLUMN created_by BLOB; -- keys.id; none: nobody knows

CREATE TABLE audit (
  project BLOB NOT NULL,
  id BLOB NOT NULL,
  at BIGINT NOT NULL,
  actor BLOB NOT NULL, -- keys.id
  action TEXT NOT NULL,
  kind TEXT NOT NULL,
  resource TEXT NOT NULL,
  name TEXT NOT NULL,
  before TEXT, -- JSON
  after TEXT,  -- JSON
  PRIMARY KEY (project, id)
) WITHOUT ROWID;
CREATE INDEX audit_by_resource ON audit (project, resource, id);
CREATE INDEX audit_by_age ON audit (at);

-- What a job declared before stays among its versions. Of a current declaration `job` is not set, and
-- of one that came with its submission nothing is: it is version 1, as old as the job and its maker's.

ALTER TABLE specs ADD COLUMN job BLOB;
ALTER TABLE specs ADD COLUMN version BIGINT;
ALTER TABLE specs ADD COLUMN declared_at BIGINT;
ALTER TABLE specs ADD COLUMN declared_by BLOB;
CREATE INDEX specs_past ON specs (job, version) WHERE job IS NOT NULL;
