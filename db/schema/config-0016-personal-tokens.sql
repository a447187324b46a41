-- Tokens with which programs of a person use the portal's JSON API, by the SHA-256 of the token in hexadecimal.
CREATE TABLE personal_token (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	prefix TEXT NOT NULL,                    -- first characters, to recognise it
	digest TEXT NOT NULL,
	may_write INTEGER NOT NULL CHECK (may_write IN (0, 1)),
	created_us INTEGER NOT NULL,
	used_us INTEGER NOT NULL,
	ends_us INTEGER NOT NULL,
	address TEXT NOT NULL                    -- of its last use; '' before
) STRICT;
CREATE UNIQUE INDEX personal_token_digest ON personal_token (digest);
CREATE INDEX personal_token_user ON personal_token (user_id, created_us);
