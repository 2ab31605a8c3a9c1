-- Pauses that end by themselves.

ALTER TABLE jobs ADD COLUMN paused_until BIGINT; -- of the spec, to be found when it comes
CREATE INDEX jobs_to_resume ON jobs (paused_until, id)
  WHERE paused_until IS NOT NULL AND phase = 'active';
