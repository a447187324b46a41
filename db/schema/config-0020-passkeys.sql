-- Keys in people's devices and browsers, for signing in without a password (W3C Web Authentication).
CREATE TABLE user_passkey (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),   -- the credential's own, base64url
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	name TEXT NOT NULL,                      -- "Phone", as its owner calls it
	public_key BLOB NOT NULL,
	algorithm INTEGER NOT NULL,              -- COSE
	sign_count INTEGER NOT NULL,             -- of its last use; 0: the device does not count
	created_us INTEGER NOT NULL,
	used_us INTEGER NOT NULL                 -- 0: never
) STRICT;
CREATE INDEX user_passkey_user ON user_passkey (user_id);

-- Challenges that were answered: none is taken twice. Kept for as long as one is good.
CREATE TABLE passkey_challenge (
	digest TEXT NOT NULL PRIMARY KEY,        -- SHA-256
	ends_us INTEGER NOT NULL
) STRICT;
