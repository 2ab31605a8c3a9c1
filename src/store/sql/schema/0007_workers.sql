-- Remote workers: who they are. Whether one lives is known in memory; its row is written when it
-- comes, when it changes, and now and then (last_seen_at).

CREATE TABLE workers (
  id BLOB NOT NULL PRIMARY KEY, -- leases.holder
  project BLOB NOT NULL,
  name TEXT NOT NULL,
  queues TEXT NOT NULL, -- slugs with a space between them; '' = every queue
  ttl BIGINT NOT NULL,
  first_seen_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX workers_by_project ON workers (project, id);
CREATE INDEX workers_by_age ON workers (last_seen_at);
