-- Which APIs answer from the shared cache of responses, and how. A rule of an operation takes the place of its API's.
CREATE TABLE cache_rule (
	api_id TEXT NOT NULL REFERENCES api (id) ON DELETE CASCADE,
	operation_id TEXT NOT NULL,              -- of any revision; '': all operations of the API
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	shared_by TEXT NOT NULL CHECK (shared_by IN ('subscription', 'everyone')),
	ttl_s INTEGER NOT NULL,                  -- freshness of responses that say nothing about it; 0: RFC 9111's heuristic
	stale_while_revalidate_s INTEGER NOT NULL,
	stale_if_error_s INTEGER NOT NULL,
	max_bytes INTEGER NOT NULL,              -- of one body
	vary_by TEXT NOT NULL,                   -- names of request fields, blank-separated
	authorized INTEGER NOT NULL CHECK (authorized IN (0, 1)),        -- responses to Authorization, each value by itself
	obeys_client INTEGER NOT NULL CHECK (obeys_client IN (0, 1)),    -- Cache-Control of requests counts
	tells INTEGER NOT NULL CHECK (tells IN (0, 1)),                  -- X-Cache and Cache-Status in answers
	changed_us INTEGER NOT NULL,
	PRIMARY KEY (api_id, operation_id)
) STRICT;
