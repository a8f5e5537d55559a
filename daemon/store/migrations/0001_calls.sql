-- The ledger: one row a call. Times are microseconds (at: since 1970, UTC), money is nano-dollars.
CREATE TABLE call (
  row INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so that a follower can ask for what came after
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  key TEXT NOT NULL,
  seat TEXT NOT NULL,
  team TEXT NOT NULL,
  surface TEXT NOT NULL,
  lane TEXT NOT NULL,
  requested_model TEXT NOT NULL,
  model TEXT NOT NULL,
  upstream TEXT NOT NULL,
  deployment TEXT NOT NULL,
  outcome TEXT NOT NULL,
  http_status INTEGER NOT NULL,
  error_code TEXT NOT NULL,
  stream INTEGER NOT NULL,
  latency INTEGER NOT NULL,
  ttft INTEGER,  -- NULL: no content was sent
  overhead INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  usage_source TEXT NOT NULL,
  cost INTEGER NOT NULL,
  cache TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  experiment TEXT NOT NULL,
  arm TEXT NOT NULL,
  client TEXT NOT NULL,
  tags TEXT NOT NULL  -- JSON list of texts
) STRICT;

-- Apart from the row, so that reading a million rows does not read a million traces.
CREATE TABLE call_trace (
  row INTEGER PRIMARY KEY REFERENCES call (row) ON DELETE CASCADE,
  trace TEXT NOT NULL  -- JSON object; no row: the trace is empty
) STRICT;

-- Not unique: an id that came twice must not keep a row out of the ledger.
CREATE INDEX call_by_id ON call (id);
-- The newest rows. One key's, seat's or model's are found by walking back from the newest: every index more is paid for
-- by every call.
CREATE INDEX call_by_time ON call (at);
-- Failures are rare and often asked for: small indexes that a good call does not pay for.
CREATE INDEX call_failed ON call (outcome, at) WHERE outcome <> 'ok';
CREATE INDEX call_failed_status ON call (http_status, at) WHERE http_status >= 400;
