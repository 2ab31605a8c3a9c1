-- As ../0013_audit.sql, which says what each is for.

ALTER TABLE jobs ADD COLUMN created_by UUID;

CREATE TABLE audit (
  project UUID NOT NULL,
  id UUID NOT NULL,
  at BIGINT NOT NULL,
  actor UUID NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  resource TEXT COLLATE "C" NOT NULL,
  name TEXT NOT NULL,
  before TEXT,
  after TEXT,
  PRIMARY KEY (project, id)
);
CREATE INDEX audit_by_resource ON audit (project, resource, id);
CREATE INDEX audit_by_age ON audit (at);

ALTER TABLE specs ADD COLUMN job UUID;
ALTER TABLE specs ADD COLUMN version BIGINT;
ALTER TABLE specs ADD COLUMN declared_at BIGINT;
ALTER TABLE specs ADD COLUMN declared_by UUID;
CREATE INDEX specs_past ON specs (job, version) WHERE job IS NOT NULL;
