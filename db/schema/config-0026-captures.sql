-- Headers and bodies of calls that are written down for a while: whose, for how long and how many. What was written lies in the
-- shared cache, not here.
CREATE TABLE capture (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,
	subscription_id TEXT REFERENCES subscription (id) ON DELETE CASCADE,
	address TEXT,                            -- an address or network of callers
	started_us INTEGER NOT NULL,
	until_us INTEGER NOT NULL,
	calls INTEGER NOT NULL,                  -- most that are written down
	body_bytes INTEGER NOT NULL,             -- of each body
	marked TEXT NOT NULL,                    -- names whose values are masked besides those that are known as secret
	started_by TEXT NOT NULL,
	ended_us INTEGER NOT NULL,               -- 0: it has not ended
	ended_by TEXT NOT NULL,
	CONSTRAINT "a capture is for one API, one subscription or one address"
		CHECK ((api_id IS NOT NULL) + (subscription_id IS NOT NULL) + (address IS NOT NULL) = 1)
) STRICT;
CREATE INDEX capture_api ON capture (api_id) WHERE api_id IS NOT NULL;
CREATE INDEX capture_subscription ON capture (subscription_id) WHERE subscription_id IS NOT NULL;
CREATE INDEX capture_on ON capture (until_us) WHERE ended_us = 0;
