-- Limits of tiers and consumer rules: besides calls also bytes and calls at once, and a queue in front of a rate.
--   kind       0 rate; 1 quota of calls; 2 quota of bytes; 3 calls at once (seconds 0)
--   calls      how many: calls, bytes, calls at once
--   algorithm  0 as is usual for its kind, 1 fixed window, 2 sliding window, 3 token bucket, 4 leaky bucket
--   queue      calls beyond a rate that wait in place of being refused; 0: none
--   delay_ms   how long one of them waits at most
CREATE TABLE tier_limit_new (
	tier_id TEXT NOT NULL REFERENCES tier (id) ON DELETE CASCADE,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
	seconds INTEGER NOT NULL CHECK (seconds >= 0),   -- of the window; 0: a quota that never begins anew
	calls INTEGER NOT NULL CHECK (calls > 0),
	algorithm INTEGER NOT NULL DEFAULT 0 CHECK (algorithm BETWEEN 0 AND 4),
	queue INTEGER NOT NULL DEFAULT 0 CHECK (queue >= 0),
	delay_ms INTEGER NOT NULL DEFAULT 0 CHECK (delay_ms >= 0),
	PRIMARY KEY (tier_id, kind, seconds)
) STRICT;
INSERT INTO tier_limit_new (tier_id, kind, seconds, calls, algorithm) SELECT tier_id, kind, seconds, calls, algorithm FROM tier_limit;
DROP TABLE tier_limit;
ALTER TABLE tier_limit_new RENAME TO tier_limit;

CREATE TABLE consumer_rule_limit_new (
	rule INTEGER NOT NULL REFERENCES consumer_rule (row) ON DELETE CASCADE,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
	seconds INTEGER NOT NULL CHECK (seconds >= 0),
	calls INTEGER NOT NULL CHECK (calls > 0),
	algorithm INTEGER NOT NULL DEFAULT 0 CHECK (algorithm BETWEEN 0 AND 4),
	queue INTEGER NOT NULL DEFAULT 0 CHECK (queue >= 0),
	delay_ms INTEGER NOT NULL DEFAULT 0 CHECK (delay_ms >= 0),
	PRIMARY KEY (rule, kind, seconds)
) STRICT;
INSERT INTO consumer_rule_limit_new (rule, kind, seconds, calls, algorithm) SELECT rule, kind, seconds, calls, algorithm FROM consumer_rule_limit;
DROP TABLE consumer_rule_limit;
ALTER TABLE consumer_rule_limit_new RENAME TO consumer_rule_limit;
