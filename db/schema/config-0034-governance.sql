-- Governance: rules that APIs are judged by, and what is let pass for a while.
CREATE TABLE governance_ruleset (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),   -- that of a ruleset in the program: changes that one
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	rules TEXT NOT NULL,                     -- YAML; '': those in the program
	environments TEXT NOT NULL,              -- JSON array of ids; [] for all
	tags TEXT NOT NULL,                      -- JSON array; APIs with one of them, [] for all
	severities TEXT NOT NULL,                -- JSON object: rule -> severity in place of its own
	changed_us INTEGER NOT NULL
) STRICT;

CREATE TABLE governance_exception (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,       -- NULL: all
	rule TEXT NOT NULL,                      -- ruleset/rule
	reason TEXT NOT NULL,
	owner TEXT NOT NULL,                     -- who answers for it
	ends_us INTEGER NOT NULL,                -- from then on the finding counts again
	created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX governance_exception_api ON governance_exception (api_id);
