-- See ../0010_sessions.sql.

CREATE TABLE sessions (
  id UUID NOT NULL PRIMARY KEY,
  key_id UUID NOT NULL,
  is_link INTEGER NOT NULL,
  hash BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_age ON sessions (expires_at);
