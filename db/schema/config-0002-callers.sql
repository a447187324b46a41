-- Who may call, and how callers that have no subscription key are known.

-- What an API or a product asks of its callers, as JSON (core/access_rule.h). At most one for each.
CREATE TABLE access_rule (
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,
	product_id TEXT REFERENCES product (id) ON DELETE CASCADE,
	rule TEXT NOT NULL,
	changed_us INTEGER NOT NULL,
	CONSTRAINT "an access rule is of an API or of a product" CHECK ((api_id IS NULL) <> (product_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX access_rule_place ON access_rule (coalesce(api_id, ''), coalesce(product_id, ''));
CREATE INDEX access_rule_api ON access_rule (api_id) WHERE api_id IS NOT NULL;
CREATE INDEX access_rule_product ON access_rule (product_id) WHERE product_id IS NOT NULL;

-- By what a caller is known, and which application it is. The kind says what the id is and how it is proven:
--   client       client id; SHA-256 digest of the secret (secrets are made by the system or of at least 16 characters)
--   basic        user name; Argon2id hash of the password
--   signing      id of an access key; the secret itself, sealed, because signatures are computed with it
--   token        "ISSUER SUBJECT" of somebody else's tokens; proven by the token
--   certificate  SHA-256 thumbprint or subject of a client certificate; proven by the handshake
CREATE TABLE caller (
	kind TEXT NOT NULL,
	id TEXT NOT NULL CHECK (id <> ''),
	application_id TEXT REFERENCES application (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	groups TEXT NOT NULL,                    -- blank-separated
	state INTEGER NOT NULL,
	digest BLOB,
	old_digest BLOB,                         -- of a secret that was replaced
	old_ends_us INTEGER NOT NULL,            -- until when that one is good
	hash TEXT,
	sealed BLOB,
	created_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,             -- of the secret
	PRIMARY KEY (kind, id),
	CONSTRAINT "a caller is of the kind client, basic, signing, token or certificate"
		CHECK (kind IN ('client', 'basic', 'signing', 'token', 'certificate'))
) STRICT, WITHOUT ROWID;
CREATE INDEX caller_application ON caller (application_id) WHERE application_id IS NOT NULL;

-- Keys that the gateway signs with. All whose end has not come are published; the newest one of a purpose signs.
CREATE TABLE auth_key (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),   -- kid
	purpose TEXT NOT NULL,                   -- token: access tokens; identity: tokens for backends
	alg TEXT NOT NULL,
	sealed BLOB NOT NULL,                    -- the private key as a JWK set, sealed with the master key
	created_us INTEGER NOT NULL,
	signs_us INTEGER NOT NULL,               -- from when on it signs: published before that
	ends_us INTEGER NOT NULL,                -- 0: none
	CONSTRAINT "a key is for tokens or for identities" CHECK (purpose IN ('token', 'identity'))
) STRICT;

-- Access tokens of our own that were taken back before their end.
CREATE TABLE revoked_token (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),   -- jti
	ends_us INTEGER NOT NULL                 -- end of the token: then the row may go
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_token_ends ON revoked_token (ends_us);
