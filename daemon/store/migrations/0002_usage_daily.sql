-- Sums of the ledger by day (UTC, days since 1970). Written in the transaction that writes the rows; they outlive them.
CREATE TABLE usage_daily (
  day INTEGER NOT NULL,
  key TEXT NOT NULL,
  seat TEXT NOT NULL,
  team TEXT NOT NULL,
  model TEXT NOT NULL,
  lane TEXT NOT NULL,
  client TEXT NOT NULL,
  upstream TEXT NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (day, key, seat, team, model, lane, client, upstream)
) STRICT, WITHOUT ROWID;

-- Rows that are there already. The arithmetic rounds a day down before 1970 too.
INSERT INTO usage_daily
SELECT (at - (at % 86400000000 + 86400000000) % 86400000000) / 86400000000 AS day,
       key, seat, team, model, lane, client, upstream,
       count(*), sum(outcome <> 'ok'), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
       sum(reasoning_tokens), sum(cost)
FROM call
GROUP BY day, key, seat, team, model, lane, client, upstream;
