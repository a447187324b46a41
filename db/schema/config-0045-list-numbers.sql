-- Lists of what happened go on behind a number, as those of calls and of the audit trail do: an entry that arrives, and a mail or call that
-- is sent once more (its time is then another), move none of the others. Times alone are no place in a list: two may have the same.
CREATE TABLE alert_event_new (
	number INTEGER NOT NULL PRIMARY KEY,     -- in the order in which they came
	id TEXT NOT NULL UNIQUE CHECK (id <> ''),
	rule_id TEXT NOT NULL,
	rule_name TEXT NOT NULL,
	kind INTEGER NOT NULL,                   -- 0 fired, 1 recovered, 2 reminder
	subject TEXT NOT NULL,
	environment_id TEXT NOT NULL,
	api_id TEXT NOT NULL,
	at_us INTEGER NOT NULL,
	value INTEGER NOT NULL,                  -- thousandths of the rule's unit
	summary TEXT NOT NULL,
	request_id TEXT NOT NULL,                -- of the last call that counted; '' for none
	told INTEGER NOT NULL                    -- how many messages were queued
) STRICT;
INSERT INTO alert_event_new (id, rule_id, rule_name, kind, subject, environment_id, api_id, at_us, value, summary, request_id, told)
	SELECT id, rule_id, rule_name, kind, subject, environment_id, api_id, at_us, value, summary, request_id, told FROM alert_event
	ORDER BY at_us, id DESC;
DROP TABLE alert_event;
ALTER TABLE alert_event_new RENAME TO alert_event;
CREATE INDEX alert_event_time ON alert_event (at_us);
CREATE INDEX alert_event_api ON alert_event (api_id) WHERE api_id <> '';

CREATE TABLE alert_delivery_new (
	number INTEGER NOT NULL PRIMARY KEY,
	id TEXT NOT NULL UNIQUE CHECK (id <> ''),
	webhook_id TEXT NOT NULL REFERENCES alert_webhook (id) ON DELETE CASCADE,
	event_id TEXT NOT NULL,
	body TEXT NOT NULL,
	state INTEGER NOT NULL,                  -- 0 waiting, 1 delivered, 2 failed
	tries INTEGER NOT NULL,
	created_us INTEGER NOT NULL,             -- or sent once more since
	due_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	status INTEGER NOT NULL,                 -- of the last answer; 0: none
	problem TEXT NOT NULL
) STRICT;
INSERT INTO alert_delivery_new (id, webhook_id, event_id, body, state, tries, created_us, due_us, changed_us, status, problem)
	SELECT id, webhook_id, event_id, body, state, tries, created_us, due_us, changed_us, status, problem FROM alert_delivery
	ORDER BY created_us, id DESC;
DROP TABLE alert_delivery;
ALTER TABLE alert_delivery_new RENAME TO alert_delivery;
CREATE INDEX alert_delivery_due ON alert_delivery (state, due_us);

CREATE TABLE mail_new (
	number INTEGER NOT NULL PRIMARY KEY,
	id TEXT NOT NULL UNIQUE CHECK (id <> ''),
	recipient TEXT NOT NULL CHECK (recipient <> ''),
	template TEXT NOT NULL,
	data_sealed BLOB,                        -- JSON, sealed: it may hold a link that opens an account
	state INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	created_us INTEGER NOT NULL,             -- or sent once more since
	due_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	problem TEXT NOT NULL
) STRICT;
INSERT INTO mail_new (id, recipient, template, data_sealed, state, tries, created_us, due_us, changed_us, problem)
	SELECT id, recipient, template, data_sealed, state, tries, created_us, due_us, changed_us, problem FROM mail
	ORDER BY created_us, id DESC;
DROP TABLE mail;
ALTER TABLE mail_new RENAME TO mail;
CREATE INDEX mail_due ON mail (state, due_us);

CREATE TABLE capture_new (
	number INTEGER NOT NULL PRIMARY KEY,
	id TEXT NOT NULL UNIQUE CHECK (id <> ''),
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
INSERT INTO capture_new (id, api_id, subscription_id, address, started_us, until_us, calls, body_bytes, marked, started_by, ended_us, ended_by)
	SELECT id, api_id, subscription_id, address, started_us, until_us, calls, body_bytes, marked, started_by, ended_us, ended_by FROM capture
	ORDER BY started_us, id DESC;
DROP TABLE capture;
ALTER TABLE capture_new RENAME TO capture;
CREATE INDEX capture_api ON capture (api_id) WHERE api_id IS NOT NULL;
CREATE INDEX capture_subscription ON capture (subscription_id) WHERE subscription_id IS NOT NULL;
CREATE INDEX capture_on ON capture (until_us) WHERE ended_us = 0;
