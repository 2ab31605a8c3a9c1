-- As ../0014_bulks_channels.sql, which says what each is for.

CREATE TABLE bulks (
  project UUID NOT NULL,
  id UUID NOT NULL,
  created_by UUID NOT NULL,
  action TEXT NOT NULL,
  is_of_runs INTEGER NOT NULL,
  selection TEXT NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  total BIGINT NOT NULL,
  done BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  failed TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  ended_at BIGINT,
  step BIGINT NOT NULL,
  taken_until BIGINT NOT NULL,
  PRIMARY KEY (project, id)
);
CREATE INDEX bulks_open ON bulks (starts_at, id) WHERE status IN ('waiting', 'running');

CREATE TABLE bulk_items (
  bulk UUID NOT NULL,
  piece BIGINT NOT NULL,
  ids BYTEA NOT NULL,
  PRIMARY KEY (bulk, piece)
);

CREATE TABLE channels (
  project UUID NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  declared TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (project, name)
);
