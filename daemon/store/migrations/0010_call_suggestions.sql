-- How much of what a completion showed is judged, and up to where it was accepted, in bytes. Where nothing new was shown,
-- and in rows from before, both are 0: what `accepted` says of those is said of the whole.
ALTER TABLE call ADD COLUMN suggested_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN accepted_bytes INTEGER NOT NULL DEFAULT 0;
