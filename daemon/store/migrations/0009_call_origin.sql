-- Whose work a call was: the project's folder (a path), the branch checked out there, and the process that called. Empty:
-- not known. Usage can be summed by project, so the daily sums know it too; those from before do not know whose they are.
ALTER TABLE call ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE call ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE call ADD COLUMN process TEXT NOT NULL DEFAULT '';

-- A primary key cannot be changed in place.
ALTER TABLE usage_daily RENAME TO usage_daily_without_project;
CREATE TABLE usage_daily (
  day INTEGER NOT NULL,
  key TEXT NOT NULL,
  seat TEXT NOT NULL,
  team TEXT NOT NULL,
  model TEXT NOT NULL,
  lane TEXT NOT NULL,
  client TEXT NOT NULL,
  upstream TEXT NOT NULL,
  project TEXT NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (day, key, seat, team, model, lane, client, upstream, project)
) STRICT, WITHOUT ROWID;
INSERT INTO usage_daily
SELECT day, key, seat, team, model, lane, client, upstream, '', calls, errors, input_tokens, cached_tokens,
       output_tokens, reasoning_tokens, cost
FROM usage_daily_without_project;
DROP TABLE usage_daily_without_project;
