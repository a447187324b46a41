-- When a subscription key was last shown, to the minute.
CREATE TABLE key_use (
	subscription TEXT NOT NULL,
	key_prefix TEXT NOT NULL,                -- first characters: tells the keys of a subscription apart
	last_us INTEGER NOT NULL,
	PRIMARY KEY (subscription, key_prefix)
) STRICT;
