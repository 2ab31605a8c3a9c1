-- Browsers that are logged in, and links that log one in: the hash of the secret, and whose key it acts as.

CREATE TABLE sessions (
  id BLOB NOT NULL PRIMARY KEY,
  key_id BLOB NOT NULL,
  is_link INTEGER NOT NULL, -- it has not begun
  hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_age ON sessions (expires_at);
