-- Totals by everything that is asked for, per minute, hour and day. Where calls belong (a "place") is written once; a total
-- names it by number, so rows stay narrow. Counts and histograms stand apart: most questions need no histogram.

CREATE TABLE place (
	id INTEGER NOT NULL PRIMARY KEY,
	environment TEXT NOT NULL,
	api TEXT NOT NULL,
	version TEXT NOT NULL,
	operation TEXT NOT NULL,
	product TEXT NOT NULL,
	subscription TEXT NOT NULL,
	application TEXT NOT NULL,
	"user" TEXT NOT NULL,
	backend TEXT NOT NULL,
	status TEXT NOT NULL,                    -- class: "2xx"; "none": the client went away
	reason TEXT NOT NULL,                    -- why the gateway answered; empty: it did not
	origin TEXT NOT NULL,                    -- who answered: gateway, backend, cache, backend_failed, client_gone
	address TEXT NOT NULL                    -- kind of the caller's address: private, public_ipv4, ...
) STRICT;
CREATE UNIQUE INDEX place_all ON place (environment, api, version, operation, product, subscription, application, "user",
	backend, status, reason, origin, address);
CREATE INDEX place_api ON place (api);
CREATE INDEX place_subscription ON place (subscription);

CREATE TABLE rollup (
	period_s INTEGER NOT NULL,               -- 60, 3600 or 86400
	start_s INTEGER NOT NULL,                -- since 1970; a multiple of period_s
	place INTEGER NOT NULL,
	calls INTEGER NOT NULL,
	bytes_in INTEGER NOT NULL,               -- bodies from clients
	bytes_out INTEGER NOT NULL,              -- bodies to clients
	backend_bytes_in INTEGER NOT NULL,
	backend_bytes_out INTEGER NOT NULL,
	total_us INTEGER NOT NULL,               -- these three: sums
	gateway_us INTEGER NOT NULL,
	backend_us INTEGER NOT NULL,
	backend_calls INTEGER NOT NULL,          -- calls for which a backend was asked
	attempts INTEGER NOT NULL,               -- tries at backends
	cache_hits INTEGER NOT NULL,
	PRIMARY KEY (period_s, start_s, place)
) WITHOUT ROWID, STRICT;
CREATE INDEX rollup_place ON rollup (place, period_s, start_s);

CREATE TABLE rollup_latency (
	period_s INTEGER NOT NULL,
	start_s INTEGER NOT NULL,
	place INTEGER NOT NULL,
	total BLOB NOT NULL,                     -- packed histograms: core/latency.h
	gateway BLOB NOT NULL,
	backend BLOB NOT NULL,                   -- of calls for which a backend was asked
	connects INTEGER NOT NULL,               -- calls that opened a connection; the next three are their sums
	dns_us INTEGER NOT NULL,
	connect_us INTEGER NOT NULL,
	tls_us INTEGER NOT NULL,
	first_byte_us INTEGER NOT NULL,          -- sum over calls for which a backend was asked
	PRIMARY KEY (period_s, start_s, place)
) WITHOUT ROWID, STRICT;

-- When an API was last called, for lists of very many.
CREATE TABLE api_last (
	api TEXT NOT NULL PRIMARY KEY,
	last_s INTEGER NOT NULL                  -- start of that minute
) WITHOUT ROWID, STRICT;

ALTER TABLE telemetry_total ADD COLUMN other_calls INTEGER NOT NULL DEFAULT 0;   -- calls whose place is "(other)"

-- How large the file is, once a day, so that its growth is known.
CREATE TABLE store_size (
	day_s INTEGER NOT NULL PRIMARY KEY,
	bytes INTEGER NOT NULL,                  -- pages in use at the end of the day, or now
	calls INTEGER NOT NULL                   -- single calls that are kept
) STRICT;

-- What was summed up before goes on. A row held all classes of status: each becomes a row, and what cannot be told apart
-- (bytes, times) goes with the one that stands first here.
CREATE TABLE part AS
	SELECT rowid AS r, '2xx' AS status, 'backend' AS origin, class_2 AS calls, 1 AS rank FROM traffic WHERE class_2 > 0
	UNION ALL SELECT rowid, '3xx', 'backend', class_3, 2 FROM traffic WHERE class_3 > 0
	UNION ALL SELECT rowid, '4xx', 'backend', client_errors - refused, 3 FROM traffic WHERE client_errors > refused
	UNION ALL SELECT rowid, '4xx', 'gateway', refused, 4 FROM traffic WHERE refused > 0
	UNION ALL SELECT rowid, '5xx', 'backend', backend_errors, 5 FROM traffic WHERE backend_errors > 0
	UNION ALL SELECT rowid, '5xx', 'gateway', gateway_errors, 6 FROM traffic WHERE gateway_errors > 0
	UNION ALL SELECT rowid, '1xx', 'backend', class_1, 7 FROM traffic WHERE class_1 > 0
	UNION ALL SELECT rowid, 'none', 'client_gone', class_0, 8 FROM traffic WHERE class_0 > 0;
CREATE INDEX part_r ON part (r, rank);
INSERT INTO place (environment, api, version, operation, product, subscription, application, "user", backend, status, reason,
	origin, address)
	SELECT DISTINCT t.environment, t.api, '', t.operation, t.product, t.subscription, t.application, '', t.backend, p.status,
		'', p.origin, '' FROM part AS p JOIN traffic AS t ON t.rowid = p.r;
CREATE TABLE whole AS
	SELECT t.period_s, t.start_s, w.id AS place, p.calls, p.rank = (SELECT min(q.rank) FROM part AS q WHERE q.r = p.r) AS first,
		p.r FROM part AS p JOIN traffic AS t ON t.rowid = p.r JOIN place AS w ON w.environment = t.environment
		AND w.api = t.api AND w.version = '' AND w.operation = t.operation AND w.product = t.product
		AND w.subscription = t.subscription AND w.application = t.application AND w."user" = '' AND w.backend = t.backend
		AND w.status = p.status AND w.reason = '' AND w.origin = p.origin AND w.address = '';
INSERT INTO rollup SELECT w.period_s, w.start_s, w.place, w.calls, w.first * t.bytes_in, w.first * t.bytes_out, 0, 0,
	w.first * t.total_us, w.first * t.gateway_us, w.first * t.backend_us, w.first * t.calls, w.first * t.calls, 0
	FROM whole AS w JOIN traffic AS t ON t.rowid = w.r;
INSERT INTO rollup_latency SELECT w.period_s, w.start_s, w.place, t.latency, x'', x'', 0, 0, 0, 0, 0
	FROM whole AS w JOIN traffic AS t ON t.rowid = w.r WHERE w.first;
INSERT INTO rollup SELECT 86400, start_s / 86400 * 86400 AS day, place, sum(calls), sum(bytes_in), sum(bytes_out), 0, 0,
	sum(total_us), sum(gateway_us), sum(backend_us), sum(backend_calls), sum(attempts), 0
	FROM rollup WHERE period_s = 3600 GROUP BY day, place;
INSERT INTO rollup_latency SELECT 86400, start_s / 86400 * 86400 AS day, place, latency_sum(total), x'', x'', 0, 0, 0, 0, 0
	FROM rollup_latency WHERE period_s = 3600 GROUP BY day, place;
INSERT INTO api_last SELECT api, max(start_s + period_s - 60) FROM traffic GROUP BY api;
DROP TABLE whole;
DROP TABLE part;
DROP TABLE traffic;
