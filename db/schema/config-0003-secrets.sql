-- Secrets by reference: where they stand, and their last good value. The keeper reads them (core/secret_ref.h).
CREATE TABLE secret_ref (
	ref TEXT NOT NULL PRIMARY KEY CHECK (ref <> ''),         -- 'vault:kv/erp#password'
	sealed BLOB,                             -- the last good value, sealed with the master key; NULL: none was ever read
	version TEXT NOT NULL,                   -- of the provider
	changed_us INTEGER NOT NULL,             -- when the value was seen to change
	problem TEXT NOT NULL,                   -- why it cannot be read at present; '': it can
	problem_us INTEGER NOT NULL              -- since when
) STRICT;

-- Who uses a reference. A reference that nothing uses goes.
CREATE TABLE secret_use (
	kind TEXT NOT NULL,                      -- 'named value'
	holder_id TEXT NOT NULL,
	field TEXT NOT NULL,
	ref TEXT NOT NULL REFERENCES secret_ref (ref),
	PRIMARY KEY (kind, holder_id, field)
) STRICT;
CREATE INDEX secret_use_ref ON secret_use (ref);

-- When a secret is to be replaced, for what no program replaces by itself.
CREATE TABLE rotation_reminder (
	kind TEXT NOT NULL,                      -- 'named value', 'certificate', 'credential'
	object_id TEXT NOT NULL,
	rotate_by_us INTEGER NOT NULL,
	PRIMARY KEY (kind, object_id)
) STRICT;

-- A named value has a third way to its value.
CREATE TABLE named_value_new (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	value TEXT,
	sealed BLOB,
	ref TEXT,                                -- of secret_ref
	tags TEXT NOT NULL,
	changed_us INTEGER NOT NULL,
	CONSTRAINT "a named value has a value or a reference to one" CHECK (
		(value IS NOT NULL AND sealed IS NULL AND ref IS NULL)
		OR (value IS NULL AND sealed IS NOT NULL AND ref IS NULL)
		OR (value IS NULL AND sealed IS NULL AND ref IS NOT NULL))
) STRICT;
INSERT INTO named_value_new (id, value, sealed, tags, changed_us) SELECT id, value, sealed, tags, changed_us FROM named_value;
DROP TABLE named_value;
ALTER TABLE named_value_new RENAME TO named_value;
