-- Single calls lie packed in blocks of up to 256 (db/call_pack.h): as rows with fifty columns they cost the keeper five times the
-- time, and four times the room. What finds them (call_seen) names the block; whoever looks for calls reads the blocks that may have
-- them, the newest first. The number of a call is block + gone + its place in what is packed.
CREATE TABLE call_seen_old AS SELECT kind, value, block FROM call_seen;
DROP TABLE call_seen;
DROP TABLE call_block;

CREATE TABLE call_block (
	block INTEGER NOT NULL PRIMARY KEY,      -- number of its first call, when it had all
	gone INTEGER NOT NULL,                   -- calls that were deleted from its beginning
	calls INTEGER NOT NULL,                  -- that are left
	first_us INTEGER NOT NULL,               -- of all that it had: least and greatest started_us
	last_us INTEGER NOT NULL
) STRICT;

CREATE TABLE call_data (
	block INTEGER NOT NULL PRIMARY KEY,
	records BLOB NOT NULL                    -- db/call_pack.h
) STRICT;

CREATE TABLE call_seen (
	kind INTEGER NOT NULL,                   -- 1 api, 2 subscription, 3 key_prefix, 4 client_ip, 5 request_id that is none of the
	                                         -- gateway's own, 6 correlation, 7 trace_id, 8 status that is no success: "404", "4xx"
	value TEXT NOT NULL,
	block INTEGER NOT NULL,
	PRIMARY KEY (kind, value, block)
) WITHOUT ROWID, STRICT;
CREATE INDEX call_seen_block ON call_seen (block);   -- for pruning

ALTER TABLE telemetry_total ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;         -- single calls that are kept
ALTER TABLE telemetry_total ADD COLUMN next_row INTEGER NOT NULL DEFAULT 1;      -- number of the next one

-- Each block by the numbers of its calls: grouping would sort all that there is.
CREATE TABLE call_of AS SELECT row / 256 AS old, min(row) AS block FROM call_record GROUP BY row / 256;
CREATE INDEX call_of_old ON call_of (old);
INSERT INTO call_data SELECT o.block, (SELECT call_pack(row, started_us, bytes_in, bytes_out, backend_bytes_out, backend_bytes_in,
	total_us, gateway_us, backend_us, dns_us, connect_us, tls_us, first_byte_us, status, backend_status, attempts, origin, cache,
	trace_flags, request_id, environment, api, version, revision, operation, product, subscription, "user", application, backend,
	method, host, path, reason, client_ip, trace_id, key_prefix, decision, detail, correlation, place, credential, limits, steps,
	parent_span, tries) FROM call_record WHERE row >= o.old * 256 AND row < (o.old + 1) * 256) FROM call_of AS o ORDER BY o.block;
INSERT INTO call_block SELECT o.block, 0, (SELECT count(*) FROM call_record WHERE row >= o.old * 256 AND row < (o.old + 1) * 256),
	(SELECT min(started_us) FROM call_record WHERE row >= o.old * 256 AND row < (o.old + 1) * 256),
	(SELECT max(started_us) FROM call_record WHERE row >= o.old * 256 AND row < (o.old + 1) * 256) FROM call_of AS o ORDER BY o.block;
INSERT INTO call_seen SELECT s.kind, s.value, o.block FROM call_seen_old AS s JOIN call_of AS o ON o.old = s.block;
INSERT OR IGNORE INTO call_seen SELECT 5, r.request_id, o.block FROM call_record AS r JOIN call_of AS o ON o.old = r.row / 256
	WHERE r.request_id <> '' AND NOT call_own_id(r.request_id, r.started_us);
INSERT OR IGNORE INTO call_seen SELECT 6, r.correlation, o.block FROM call_record AS r JOIN call_of AS o ON o.old = r.row / 256
	WHERE r.correlation <> '';
INSERT OR IGNORE INTO call_seen SELECT 7, r.trace_id, o.block FROM call_record AS r JOIN call_of AS o ON o.old = r.row / 256
	WHERE r.trace_id <> '';
INSERT OR IGNORE INTO call_seen SELECT 8, CAST(r.status AS TEXT), o.block FROM call_record AS r JOIN call_of AS o ON o.old = r.row / 256
	WHERE r.status NOT BETWEEN 200 AND 299;
INSERT OR IGNORE INTO call_seen SELECT 8, (r.status / 100) || 'xx', o.block FROM call_record AS r JOIN call_of AS o ON o.old = r.row / 256
	WHERE r.status NOT BETWEEN 200 AND 299;
UPDATE telemetry_total SET calls = (SELECT count(*) FROM call_record), next_row = (SELECT coalesce(max(row), 0) + 1 FROM call_record),
	raw_bytes = (SELECT coalesce(sum(length(records)), 0) FROM call_data);
DROP TABLE call_of;
DROP TABLE call_seen_old;
DROP TABLE call_record;
