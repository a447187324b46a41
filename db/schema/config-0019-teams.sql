-- Teams around applications, what people ask for and wait for, the limits of tiers, and which warnings have been sent.

-- Any number of limits of a tier; together they hold all at once.
CREATE TABLE tier_limit (
	tier_id TEXT NOT NULL REFERENCES tier (id) ON DELETE CASCADE,
	kind INTEGER NOT NULL CHECK (kind IN (0, 1)),    -- 0 rate: a sliding window; 1 quota: a fixed one
	seconds INTEGER NOT NULL CHECK (seconds >= 0),   -- of the window; 0: a quota that never begins anew
	calls INTEGER NOT NULL CHECK (calls > 0),
	PRIMARY KEY (tier_id, kind, seconds)
) STRICT;
INSERT INTO tier_limit (tier_id, kind, seconds, calls) SELECT id, 0, rate_seconds, rate_calls FROM tier WHERE rate_calls > 0;
INSERT INTO tier_limit (tier_id, kind, seconds, calls) SELECT id, 1, quota_seconds, quota_calls FROM tier WHERE quota_calls > 0;
ALTER TABLE tier DROP COLUMN rate_calls;
ALTER TABLE tier DROP COLUMN rate_seconds;
ALTER TABLE tier DROP COLUMN quota_calls;
ALTER TABLE tier DROP COLUMN quota_seconds;

-- What somebody asks the people behind the portal for, until it is decided: the subscription itself, or another tier for it.
CREATE TABLE subscription_request (
	subscription_id TEXT NOT NULL PRIMARY KEY REFERENCES subscription (id) ON DELETE CASCADE,
	tier_id TEXT REFERENCES tier (id) ON DELETE CASCADE,     -- that is wished for; NULL: the subscription itself
	message TEXT NOT NULL,                   -- to whoever decides
	user_id TEXT REFERENCES user_account (id) ON DELETE SET NULL,    -- who asks
	created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX subscription_request_tier ON subscription_request (tier_id) WHERE tier_id IS NOT NULL;
CREATE INDEX subscription_request_user ON subscription_request (user_id) WHERE user_id IS NOT NULL;

-- Addresses whose owner may join the team of an application.
CREATE TABLE application_invitation (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	application_id TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
	email TEXT NOT NULL CHECK (email <> ''),
	invited_by TEXT NOT NULL,                -- name or address, for the mail and the page
	created_us INTEGER NOT NULL,
	ends_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX application_invitation_once ON application_invitation (application_id, lower(email));
CREATE INDEX application_invitation_email ON application_invitation (lower(email));

-- Warnings that a subscription ends. Each is sent once for an end, whatever clocks and processes do; a new end has its own.
CREATE TABLE expiry_notice (
	subscription_id TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
	ends_us INTEGER NOT NULL,
	days INTEGER NOT NULL,                   -- before the end: 30, 10, 1
	PRIMARY KEY (subscription_id, ends_us, days)
) STRICT;
CREATE INDEX subscription_ends ON subscription (ends_us) WHERE ends_us > 0;
