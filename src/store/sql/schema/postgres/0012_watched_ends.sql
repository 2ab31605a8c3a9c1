-- When an attempt of a remote worker has had its time: any node may end it then. Empty for attempts of nodes,
-- which watch their own, and for those that were claimed before this column was there.

ALTER TABLE leases ADD COLUMN ends_at BIGINT;
CREATE INDEX leases_ending ON leases (ends_at) WHERE ends_at IS NOT NULL;
