-- Tokens written to the providers' caches, which are billed apart, in the daily sums too. What was written on days whose
-- rows are gone is not known.
ALTER TABLE usage_daily ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;

UPDATE usage_daily SET cache_write_tokens = written.tokens
FROM (SELECT (at - (at % 86400000000 + 86400000000) % 86400000000) / 86400000000 AS day,
             key, seat, team, model, lane, client, upstream, project, sum(cache_write_tokens) AS tokens
      FROM call WHERE cache_write_tokens <> 0
      GROUP BY day, key, seat, team, model, lane, client, upstream, project) AS written
WHERE usage_daily.day = written.day AND usage_daily.key = written.key AND usage_daily.seat = written.seat
  AND usage_daily.team = written.team AND usage_daily.model = written.model AND usage_daily.lane = written.lane
  AND usage_daily.client = written.client AND usage_daily.upstream = written.upstream
  AND usage_daily.project = written.project;
