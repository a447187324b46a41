-- The sliding windows of alert rules, a row a slice: written with the records that they count, so that a restart forgets nothing.
CREATE TABLE alert_slice (
	rule_id TEXT NOT NULL,
	definition TEXT NOT NULL,                -- digest of what the rule counts: another definition begins anew
	subject TEXT NOT NULL,
	number INTEGER NOT NULL,                 -- time divided by the width
	calls INTEGER NOT NULL,
	hits INTEGER NOT NULL,
	sum_us INTEGER NOT NULL,
	histogram BLOB,
	until_us INTEGER NOT NULL,               -- from then on no window reaches back to it
	PRIMARY KEY (rule_id, definition, subject, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_slice_until ON alert_slice (until_us);
