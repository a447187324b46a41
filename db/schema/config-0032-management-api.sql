-- The management API: tokens of programs that belong to no person, and answers that are given again to a request that comes twice.

CREATE TABLE machine_token (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	prefix TEXT NOT NULL,                    -- first characters, to recognise it
	digest TEXT NOT NULL,                    -- SHA-256 in hexadecimal
	role TEXT NOT NULL,                      -- what it may do at most
	scopes TEXT NOT NULL,                    -- of that, what it is for; blank-separated: read, write, read:KIND, write:KIND
	created_us INTEGER NOT NULL,
	used_us INTEGER NOT NULL,                -- to the minute; 0: never
	ends_us INTEGER NOT NULL                 -- 0: never
) STRICT;
CREATE UNIQUE INDEX machine_token_digest ON machine_token (digest);

-- By the digest of who asked and the key that came with the request.
CREATE TABLE repeated_answer (
	digest TEXT NOT NULL PRIMARY KEY,
	request TEXT NOT NULL,                   -- digest of method, address and body: another request may not use the key
	answer BLOB NOT NULL,                    -- sealed: it may hold keys that are told once
	at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX repeated_answer_at ON repeated_answer (at_us);
