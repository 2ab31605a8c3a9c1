-- What running attempts have printed so far, piece by piece. An attempt's pieces go when it ends: then its
-- output is stored whole (outputs). Of one whose process died they are all there is.

CREATE TABLE running_output (
  run BLOB NOT NULL,
  begins_at BIGINT NOT NULL, -- bytes before it
  bytes BLOB NOT NULL,
  PRIMARY KEY (run, begins_at)
) WITHOUT ROWID;
