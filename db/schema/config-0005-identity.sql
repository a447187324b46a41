-- People: where else they may sign in, what else proves who they are, what they have agreed to, and mail on its way to them.

-- OpenID providers. The secret is sealed with the master key.
CREATE TABLE identity_provider (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,                      -- on the button
	issuer TEXT NOT NULL CHECK (issuer <> ''),
	client_id TEXT NOT NULL CHECK (client_id <> ''),
	secret_sealed BLOB,                      -- NULL: a public client, PKCE alone
	scopes TEXT NOT NULL,                    -- blank-separated
	groups_claim TEXT NOT NULL,              -- name of the claim that lists groups; '' for none
	group_map TEXT NOT NULL,                 -- JSON: what the claim says -> id of a group
	role_map TEXT NOT NULL,                  -- JSON: what the claim says -> role
	for_portal INTEGER NOT NULL CHECK (for_portal IN (0, 1)),
	for_admin INTEGER NOT NULL CHECK (for_admin IN (0, 1)),
	create_users INTEGER NOT NULL CHECK (create_users IN (0, 1)),    -- who is not known yet gets an account
	created_us INTEGER NOT NULL
) STRICT;

-- Who somebody is at a provider.
CREATE TABLE user_identity (
	provider_id TEXT NOT NULL REFERENCES identity_provider (id) ON DELETE CASCADE,
	subject TEXT NOT NULL CHECK (subject <> ''),
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	created_us INTEGER NOT NULL,
	PRIMARY KEY (provider_id, subject)
) STRICT;
CREATE INDEX user_identity_user ON user_identity (user_id);

-- APIs that browsers reach only after signing in at a provider.
CREATE TABLE api_sign_in (
	api_id TEXT NOT NULL PRIMARY KEY REFERENCES api (id) ON DELETE CASCADE,
	provider_id TEXT NOT NULL REFERENCES identity_provider (id),
	groups TEXT NOT NULL,                    -- one a line; any of them lets in; '' for everybody who can sign in
	idle_s INTEGER NOT NULL,
	max_s INTEGER NOT NULL
) STRICT;
CREATE INDEX api_sign_in_provider ON api_sign_in (provider_id);

-- The second factor: a shared secret for one-time codes (RFC 6238), sealed with the master key.
CREATE TABLE user_factor (
	user_id TEXT NOT NULL PRIMARY KEY REFERENCES user_account (id) ON DELETE CASCADE,
	secret_sealed BLOB NOT NULL,
	confirmed_us INTEGER NOT NULL,           -- 0: not in use, the first code has not been entered
	last_step INTEGER NOT NULL               -- time step of the last code taken: none is taken twice
) STRICT;
CREATE TABLE user_recovery_code (
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	digest TEXT NOT NULL,                    -- SHA-256
	PRIMARY KEY (user_id, digest)
) STRICT;

-- Who agreed to which terms of use, and when.
CREATE TABLE user_consent (
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	terms TEXT NOT NULL,                     -- first digits of the SHA-256 of the text
	accepted_us INTEGER NOT NULL,
	address TEXT NOT NULL,                   -- that it came from
	PRIMARY KEY (user_id, terms)
) STRICT;

-- Links that were sent by mail. Good for one use.
CREATE TABLE user_link (
	digest TEXT NOT NULL PRIMARY KEY,        -- SHA-256 of what stands in the link
	kind TEXT NOT NULL CHECK (kind IN ('sign-up', 'invitation', 'reset', 'address')),
	user_id TEXT REFERENCES user_account (id) ON DELETE CASCADE,     -- NULL: there is no account yet
	email TEXT NOT NULL,
	data TEXT NOT NULL,                      -- JSON: names, role, groups, terms
	created_us INTEGER NOT NULL,
	ends_us INTEGER NOT NULL
) STRICT;
CREATE INDEX user_link_user ON user_link (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX user_link_ends ON user_link (ends_us);

-- Mail: template and data, rendered and sent by the keeper. The data is dropped once the mail has left.
CREATE TABLE mail (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	recipient TEXT NOT NULL CHECK (recipient <> ''),
	template TEXT NOT NULL,
	data_sealed BLOB,                        -- JSON, sealed: it may hold a link that opens an account
	state INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	due_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	problem TEXT NOT NULL
) STRICT;
CREATE INDEX mail_due ON mail (state, due_us);

-- Provisioning (SCIM): who may, and what it says of users and groups beyond our own columns.
CREATE TABLE scim_token (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	digest TEXT NOT NULL UNIQUE,             -- SHA-256
	created_us INTEGER NOT NULL,
	used_us INTEGER NOT NULL,
	ends_us INTEGER NOT NULL                 -- 0: never
) STRICT;
CREATE TABLE scim_record (
	kind INTEGER NOT NULL,                   -- 0 user, 1 group
	id TEXT NOT NULL,
	name TEXT NOT NULL,                      -- userName; displayName of a group
	attributes TEXT NOT NULL,                -- JSON
	version INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	removed INTEGER NOT NULL CHECK (removed IN (0, 1)),      -- gone for the provisioner, kept because of its subscriptions
	PRIMARY KEY (kind, id)
) STRICT;
CREATE UNIQUE INDEX scim_record_name ON scim_record (kind, lower(name)) WHERE removed = 0;

-- Which app a browser signed in to, and how it shows itself.
ALTER TABLE session ADD COLUMN app TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
DELETE FROM session;
