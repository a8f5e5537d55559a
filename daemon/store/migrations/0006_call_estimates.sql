-- What was set aside for a call, the input that it was estimated from, and the model that was asked for when a budget sent
-- the call to another.
ALTER TABLE call ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN estimated_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN budget_fallback TEXT NOT NULL DEFAULT '';
