-- What scopes have spent, by quarter of an hour (UTC, counted from 1970); slot 0 holds all that is too old for any window
-- but the total. Written in the transaction that writes the ledger's rows.
CREATE TABLE scope_spend (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  slot INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (kind, name, slot)
) STRICT, WITHOUT ROWID;

-- Rows give their quarter. What the daily sums know beyond the rows (those that were removed) goes to the first quarter
-- of its day.
WITH
  paid AS MATERIALIZED (
    SELECT max(0, at / 900000000) AS slot,
           (at - (at % 86400000000 + 86400000000) % 86400000000) / 86400000000 AS day,
           key, seat, team, sum(cost) AS cost
    FROM call WHERE cost <> 0 GROUP BY slot, day, key, seat, team
  ),
  gone AS MATERIALIZED (
    SELECT max(0, day * 96) AS slot, key, seat, team, sum(cost) AS cost
    FROM (SELECT day, key, seat, team, cost FROM usage_daily
          UNION ALL SELECT day, key, seat, team, -cost FROM paid)
    GROUP BY day, key, seat, team HAVING sum(cost) > 0
  ),
  spent AS MATERIALIZED (
    SELECT slot, key, seat, team, cost FROM paid UNION ALL SELECT slot, key, seat, team, cost FROM gone
  )
INSERT INTO scope_spend
SELECT kind, name, slot, sum(cost)
FROM (SELECT 'key' AS kind, key AS name, slot, cost FROM spent
      UNION ALL SELECT 'seat', seat, slot, cost FROM spent
      UNION ALL SELECT 'team', team, slot, cost FROM spent)
WHERE name <> ''
GROUP BY kind, name, slot;

-- Budget set aside before calls draw from it. A row's transaction takes its cost out.
CREATE TABLE budget_lease (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  day INTEGER NOT NULL,  -- of the configured calendar, counted from 1970
  amount INTEGER NOT NULL,
  PRIMARY KEY (kind, name, day)
) STRICT, WITHOUT ROWID;

-- What leases still held when the daemon came up: it counts as spent until somebody says otherwise.
CREATE TABLE budget_unsettled (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  day INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  found_at INTEGER NOT NULL,
  released_at INTEGER,
  released_by TEXT,
  reason TEXT
) STRICT;

-- Thresholds that were passed, once a period.
CREATE TABLE budget_alert (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  window TEXT NOT NULL,
  period_start INTEGER NOT NULL,
  percent INTEGER NOT NULL,
  limit_amount INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (kind, name, window, period_start, percent)
) STRICT;
CREATE INDEX budget_alert_by_time ON budget_alert (at);
