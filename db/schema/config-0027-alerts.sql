-- Rules that say when somebody is told, what state they are in, and what was and is to be sent.
CREATE TABLE alert_rule (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	kind INTEGER NOT NULL,                   -- this and the other words: enumerations of core/alert.h
	environment_id TEXT REFERENCES environment (id) ON DELETE CASCADE,        -- NULL in these five: of all
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,
	product_id TEXT REFERENCES product (id) ON DELETE CASCADE,
	subscription_id TEXT REFERENCES subscription (id) ON DELETE CASCADE,
	backend_id TEXT,                         -- also scheme://host:port, as calls are recorded
	each INTEGER NOT NULL,
	status TEXT NOT NULL,
	origin INTEGER NOT NULL,
	reasons TEXT NOT NULL,
	statistic INTEGER NOT NULL,
	time_of INTEGER NOT NULL,
	measure INTEGER NOT NULL,
	comparison INTEGER NOT NULL,
	threshold INTEGER NOT NULL,              -- thousandths, as target
	target INTEGER NOT NULL,
	least_calls INTEGER NOT NULL,
	period_s INTEGER NOT NULL,
	periods INTEGER NOT NULL,
	remind_s INTEGER NOT NULL,               -- 0: never
	mails TEXT NOT NULL,                     -- addresses, blank-separated
	webhooks TEXT NOT NULL,                  -- ids of alert_webhook, blank-separated
	changed_us INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_webhook (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	url TEXT NOT NULL,
	description TEXT NOT NULL,
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	secret_sealed BLOB NOT NULL,             -- "whsec_…" of the Standard Webhooks scheme
	problem TEXT NOT NULL,                   -- of the last delivery; '' when it was taken
	changed_us INTEGER NOT NULL
) STRICT;

-- Silences and maintenance windows: states go on and are written down, nobody is told.
CREATE TABLE alert_silence (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	rule_id TEXT REFERENCES alert_rule (id) ON DELETE CASCADE,                -- NULL in these three: all
	environment_id TEXT REFERENCES environment (id) ON DELETE CASCADE,
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,
	from_us INTEGER NOT NULL,
	to_us INTEGER NOT NULL,
	repeat_s INTEGER NOT NULL,               -- again each so many seconds (a day, a week); 0: once
	comment TEXT NOT NULL,
	created_by TEXT NOT NULL,
	CONSTRAINT "a silence ends after it begins" CHECK (to_us > from_us)
) STRICT;

-- What is bad now. A rule and subject that is well has no row.
CREATE TABLE alert_state (
	rule_id TEXT NOT NULL REFERENCES alert_rule (id) ON DELETE CASCADE,
	subject TEXT NOT NULL,                   -- what "each" keeps apart, or backend, certificate …; '' for the whole rule
	since_us INTEGER NOT NULL,
	told_us INTEGER NOT NULL,                -- when the last message about it was queued; 0: not yet (silenced)
	event_id TEXT NOT NULL,                  -- of the beginning
	PRIMARY KEY (rule_id, subject)
) STRICT;

-- The history. Not bound to the rule: it outlives it.
CREATE TABLE alert_event (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
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
CREATE INDEX alert_event_time ON alert_event (at_us);
CREATE INDEX alert_event_api ON alert_event (api_id, at_us) WHERE api_id <> '';

-- Webhook calls: the id is the one of the message, the same at each try.
CREATE TABLE alert_delivery (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	webhook_id TEXT NOT NULL REFERENCES alert_webhook (id) ON DELETE CASCADE,
	event_id TEXT NOT NULL,
	body TEXT NOT NULL,
	state INTEGER NOT NULL,                  -- 0 waiting, 1 delivered, 2 failed
	tries INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	due_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	status INTEGER NOT NULL,                 -- of the last answer; 0: none
	problem TEXT NOT NULL
) STRICT;
CREATE INDEX alert_delivery_due ON alert_delivery (state, due_us);
