-- Jitter of starts: a run is meant to start so many microseconds after planned_at.

ALTER TABLE live ADD COLUMN jitter BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN jitter BIGINT NOT NULL DEFAULT 0;
