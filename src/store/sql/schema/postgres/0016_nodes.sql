-- Who the nodes are: what they say with each heartbeat. (SQLite has one node, which needs no table.)

ALTER TABLE holders ADD COLUMN name TEXT NOT NULL DEFAULT '', ADD COLUMN version TEXT NOT NULL DEFAULT '',
  ADD COLUMN started_at BIGINT NOT NULL DEFAULT 0, ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
