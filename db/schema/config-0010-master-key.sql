-- Which master key the store is sealed with: the first digits of a digest of the key, which say nothing about it. '': the one
-- that was there when the store was made.
CREATE TABLE master_key (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	id TEXT NOT NULL
) STRICT;
INSERT INTO master_key (one, id) VALUES (1, '');
