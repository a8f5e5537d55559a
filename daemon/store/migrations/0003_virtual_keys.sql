-- Keys that Nemo gave out. The key itself is not kept: its SHA-256 and its last four characters are.
CREATE TABLE virtual_key (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  last4 TEXT NOT NULL,
  seat TEXT NOT NULL,
  team TEXT NOT NULL,
  models TEXT NOT NULL,  -- JSON list of texts; empty: every model
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;
