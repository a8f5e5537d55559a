-- What keys, seats and teams may use. Keys remember the secret before the last rotation and when they were last used.
ALTER TABLE virtual_key ADD COLUMN old_hash BLOB;
ALTER TABLE virtual_key ADD COLUMN old_last4 TEXT;
ALTER TABLE virtual_key ADD COLUMN old_ends_at INTEGER;
ALTER TABLE virtual_key ADD COLUMN last_used_at INTEGER;
ALTER TABLE virtual_key ADD COLUMN fallback_model TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX virtual_key_by_old_hash ON virtual_key (old_hash) WHERE old_hash IS NOT NULL;

UPDATE virtual_key SET last_used_at = used.at
FROM (SELECT key, max(at) AS at FROM call WHERE key <> '' GROUP BY key) AS used
WHERE used.key = virtual_key.id;

CREATE TABLE team (
  name TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Teams came into being by being named.
INSERT INTO team SELECT team, min(created_at) FROM virtual_key WHERE team <> '' GROUP BY team;

-- Of a scope: kind is key, seat or team.
CREATE TABLE budget_limit (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  window TEXT NOT NULL,  -- day, week, month or total
  amount INTEGER NOT NULL,
  PRIMARY KEY (kind, name, window)
) STRICT, WITHOUT ROWID;

-- NULL: no limit. 0: none allowed.
CREATE TABLE rate_limit (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  rpm INTEGER,
  tpm INTEGER,
  parallel INTEGER,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
