-- How each API did, a day a row: the status page asks for 90 days of many APIs at once and may be asked by anybody, so it must
-- not walk all the totals. Written with the totals of days, from the same calls.
CREATE TABLE api_day (
	api TEXT NOT NULL,
	day_s INTEGER NOT NULL,                  -- since 1970; a multiple of 86400
	environment TEXT NOT NULL,
	served INTEGER NOT NULL,                 -- calls that were not refused by the gateway
	failed INTEGER NOT NULL,                 -- of them: answered 5xx, by whoever
	PRIMARY KEY (api, day_s, environment)
) WITHOUT ROWID, STRICT;
CREATE INDEX api_day_day ON api_day (day_s);     -- what is too old is removed by it

INSERT INTO api_day SELECT p.api, r.start_s, p.environment, sum(r.calls), sum(CASE WHEN p.status = '5xx' THEN r.calls ELSE 0 END)
	FROM rollup AS r JOIN place AS p ON p.id = r.place WHERE r.period_s = 86400 AND p.api <> ''
	AND NOT (p.status = '4xx' AND p.origin = 'gateway') GROUP BY p.api, r.start_s, p.environment;
