-- Bulk operations, and what each was picked for: kept in pieces of many ids, in the order they are
-- gone through. Channels of projects.

CREATE TABLE bulks (
  project BLOB NOT NULL,
  id BLOB NOT NULL,
  created_by BLOB NOT NULL, -- keys.id
  action TEXT NOT NULL,
  is_of_runs INTEGER NOT NULL,
  selection TEXT NOT NULL, -- JSON
  status TEXT NOT NULL,
  total BIGINT NOT NULL,
  done BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  failed TEXT NOT NULL, -- JSON
  created_at BIGINT NOT NULL,
  starts_at BIGINT NOT NULL,
  ended_at BIGINT,
  step BIGINT NOT NULL,
  taken_until BIGINT NOT NULL,
  PRIMARY KEY (project, id)
) WITHOUT ROWID;
CREATE INDEX bulks_open ON bulks (starts_at, id) WHERE status IN ('waiting', 'running');

CREATE TABLE bulk_items (
  bulk BLOB NOT NULL,
  piece BIGINT NOT NULL, -- from 0
  ids BLOB NOT NULL,     -- UUIDs, 16 bytes each; every piece but the last is full
  PRIMARY KEY (bulk, piece)
) WITHOUT ROWID;

CREATE TABLE channels (
  project BLOB NOT NULL,
  name TEXT NOT NULL,
  declared TEXT NOT NULL, -- JSON, the secret included
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (project, name)
) WITHOUT ROWID;
