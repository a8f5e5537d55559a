-- What a call paid for writing to the provider's cache, and whether the text of a completion was taken.
ALTER TABLE call ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN accepted INTEGER;  -- 0 or 1; NULL: not known
-- Few calls belong to an experiment, and its report asks for the newest of its own.
CREATE INDEX call_by_experiment ON call (experiment, at) WHERE experiment <> '';
