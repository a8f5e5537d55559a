-- Experiments on a lane. Their calls name them and their arm.
CREATE TABLE experiment (
  name TEXT PRIMARY KEY,
  lane TEXT NOT NULL,
  arms TEXT NOT NULL,  -- JSON list of {"model": text, "weight": number}
  unit TEXT NOT NULL,  -- seat or request
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,  -- NULL: not yet
  ended_at INTEGER
) STRICT, WITHOUT ROWID;
