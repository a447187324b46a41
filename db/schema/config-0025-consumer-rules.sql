-- How a limit counts: 0 as is usual for its kind, 1 fixed window, 2 sliding window, 3 token bucket.
ALTER TABLE tier_limit ADD COLUMN algorithm INTEGER NOT NULL DEFAULT 0 CHECK (algorithm BETWEEN 0 AND 3);

-- What one subscription may do beyond and instead of what its product and tier say: at one API, or (api_id NULL) at all.
CREATE TABLE consumer_rule (
	row INTEGER PRIMARY KEY,
	subscription_id TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,
	methods TEXT NOT NULL,                           -- "GET,HEAD"; empty: any
	operations TEXT NOT NULL                         -- ids, separated by commas; empty: any
) STRICT;
CREATE UNIQUE INDEX consumer_rule_place ON consumer_rule (subscription_id, coalesce(api_id, ''));
CREATE INDEX consumer_rule_api ON consumer_rule (api_id) WHERE api_id IS NOT NULL;

-- Instead of the limits of the tier, for the calls that the rule is about.
CREATE TABLE consumer_rule_limit (
	rule INTEGER NOT NULL REFERENCES consumer_rule (row) ON DELETE CASCADE,
	kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
	seconds INTEGER NOT NULL CHECK (seconds >= 0),
	calls INTEGER NOT NULL CHECK (calls > 0),
	algorithm INTEGER NOT NULL DEFAULT 0 CHECK (algorithm BETWEEN 0 AND 3),
	PRIMARY KEY (rule, kind, seconds)
) STRICT;
