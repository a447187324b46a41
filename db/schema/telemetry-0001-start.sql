-- The calls that happened. Large, prunable, not part of a backup unless asked for; nothing refers to it from elsewhere.
-- Ids are those of the configuration, as text: a record outlives what it is about.

-- Single calls, kept for a while. One row a call, in the order in which the keeper took them in.
CREATE TABLE call_record (
	row INTEGER NOT NULL PRIMARY KEY,
	bytes INTEGER NOT NULL,                  -- about what the row takes
	started_us INTEGER NOT NULL,
	bytes_in INTEGER NOT NULL,               -- body from the client
	bytes_out INTEGER NOT NULL,              -- body to the client
	backend_bytes_out INTEGER NOT NULL,      -- body to the backend
	backend_bytes_in INTEGER NOT NULL,       -- body from the backend
	total_us INTEGER NOT NULL,
	gateway_us INTEGER NOT NULL,             -- total less the wait for backends
	backend_us INTEGER NOT NULL,
	dns_us INTEGER NOT NULL,                 -- these four: of the last try
	connect_us INTEGER NOT NULL,
	tls_us INTEGER NOT NULL,
	first_byte_us INTEGER NOT NULL,
	status INTEGER NOT NULL,                 -- 0: none, the client went away
	backend_status INTEGER NOT NULL,         -- 0: none
	attempts INTEGER NOT NULL,               -- tries at the backend
	origin INTEGER NOT NULL,                 -- who made the status: enum telemetry_origin
	cache INTEGER NOT NULL,                  -- enum telemetry_cache
	request_id TEXT NOT NULL,
	environment TEXT NOT NULL,
	api TEXT NOT NULL,
	version TEXT NOT NULL,
	revision TEXT NOT NULL,
	operation TEXT NOT NULL,
	product TEXT NOT NULL,
	subscription TEXT NOT NULL,
	"user" TEXT NOT NULL,
	application TEXT NOT NULL,
	backend TEXT NOT NULL,                   -- id, or scheme://host:port
	method TEXT NOT NULL,
	host TEXT NOT NULL,
	path TEXT NOT NULL,                      -- without the query
	reason TEXT NOT NULL,                    -- machine word: why the gateway answered
	client_ip TEXT NOT NULL,
	trace_id TEXT NOT NULL,
	key_prefix TEXT NOT NULL,
	decision TEXT NOT NULL                   -- a sentence for people
) STRICT;
CREATE INDEX call_record_request ON call_record (request_id);

-- Totals, kept for long: of each minute and of each hour, for each combination that had calls. Empty texts: had none.
CREATE TABLE traffic (
	period_s INTEGER NOT NULL CHECK (period_s IN (60, 3600)),
	start_s INTEGER NOT NULL,                -- since 1970; a multiple of period_s
	environment TEXT NOT NULL,
	api TEXT NOT NULL,
	operation TEXT NOT NULL,
	product TEXT NOT NULL,
	subscription TEXT NOT NULL,
	application TEXT NOT NULL,
	backend TEXT NOT NULL,
	calls INTEGER NOT NULL,
	refused INTEGER NOT NULL,                -- 4xx made by the gateway
	client_errors INTEGER NOT NULL,          -- 4xx of whoever
	gateway_errors INTEGER NOT NULL,         -- 5xx made by the gateway
	backend_errors INTEGER NOT NULL,         -- 5xx of the backend, and backends that could not be used
	class_0 INTEGER NOT NULL,                -- calls by first digit of the status; 0: none
	class_1 INTEGER NOT NULL,
	class_2 INTEGER NOT NULL,
	class_3 INTEGER NOT NULL,
	class_4 INTEGER NOT NULL,
	class_5 INTEGER NOT NULL,
	bytes_in INTEGER NOT NULL,
	bytes_out INTEGER NOT NULL,
	gateway_us INTEGER NOT NULL,             -- sums
	backend_us INTEGER NOT NULL,
	total_us INTEGER NOT NULL,
	latency BLOB NOT NULL                    -- packed histogram of total_us: core/latency.h
) STRICT;
CREATE UNIQUE INDEX traffic_place ON traffic (period_s, start_s, environment, api, operation, product, subscription,
	application, backend);

-- How far each segment of call records has been read; written in the transaction that stores what was read.
CREATE TABLE segment (
	name TEXT NOT NULL PRIMARY KEY,
	read_to INTEGER NOT NULL,                -- bytes of records
	dropped INTEGER NOT NULL                 -- records that its writer had to drop, as far as counted in telemetry_total
) STRICT;

CREATE TABLE telemetry_total (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	raw_bytes INTEGER NOT NULL,              -- sum of call_record.bytes
	dropped INTEGER NOT NULL                 -- records that were lost because nobody read the segments
) STRICT;
INSERT INTO telemetry_total (one, raw_bytes, dropped) VALUES (1, 0, 0);
