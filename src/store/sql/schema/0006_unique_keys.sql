-- Which job took a unique key of a project last. Whether it still holds it is looked at when the next
-- submission asks for it, so that runs start and end without a thought of it.

CREATE TABLE unique_keys (
  project BLOB NOT NULL,
  key TEXT NOT NULL,
  job BLOB NOT NULL,
  until BIGINT NOT NULL, -- the end of its window
  PRIMARY KEY (project, key)
) WITHOUT ROWID;
