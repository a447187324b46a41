-- Where calls of an API go besides its backend: a canary with its state, a mirror, faults for tests of consumers.
CREATE TABLE traffic_rule (
	api_id TEXT PRIMARY KEY REFERENCES api (id) ON DELETE CASCADE,
	canary TEXT NOT NULL,                    -- JSON as core/traffic_rule.h has it; '': none
	mirror TEXT NOT NULL,
	faults TEXT NOT NULL,
	canary_state INTEGER NOT NULL CHECK (canary_state IN (0, 1, 2)),         -- running, paused, rolled back
	since_us INTEGER NOT NULL,               -- when the canary was begun or begun anew
	rolled_back_us INTEGER NOT NULL,         -- 0: it was not
	rolled_back_why TEXT NOT NULL,
	changed_us INTEGER NOT NULL
) STRICT;
