-- Calls of an API, a subscription, a key, an address or a time are found by blocks of 256 rows and not by an index of their own
-- each: rows come in the order of time, and many of a block have the same API, key or address, which is then written once a
-- block instead of once a call. Whoever looks for one reads the blocks that have it, the newest first.
DROP INDEX call_record_api;
DROP INDEX call_record_key;
DROP INDEX call_record_address;
DROP INDEX call_record_started;
DROP INDEX call_record_subscription;

CREATE TABLE call_block (
	block INTEGER NOT NULL PRIMARY KEY,      -- call_record.row / 256
	first_us INTEGER NOT NULL,               -- of its calls: least and greatest started_us
	last_us INTEGER NOT NULL
) STRICT;

CREATE TABLE call_seen (
	kind INTEGER NOT NULL,                   -- 1 api, 2 subscription, 3 key_prefix, 4 client_ip
	value TEXT NOT NULL,
	block INTEGER NOT NULL,
	PRIMARY KEY (kind, value, block)
) WITHOUT ROWID, STRICT;
CREATE INDEX call_seen_block ON call_seen (block);   -- for pruning

INSERT INTO call_block SELECT row / 256, min(started_us), max(started_us) FROM call_record GROUP BY row / 256;
INSERT INTO call_seen SELECT DISTINCT 1, api, row / 256 FROM call_record WHERE api <> '';
INSERT INTO call_seen SELECT DISTINCT 2, subscription, row / 256 FROM call_record WHERE subscription <> '';
INSERT INTO call_seen SELECT DISTINCT 3, key_prefix, row / 256 FROM call_record WHERE key_prefix <> '';
INSERT INTO call_seen SELECT DISTINCT 4, client_ip, row / 256 FROM call_record WHERE client_ip <> '';
