-- See ../0011_running_output.sql.

CREATE TABLE running_output (
  run UUID NOT NULL,
  begins_at BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (run, begins_at)
);
