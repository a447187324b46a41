-- The configuration: everything but traffic. Small, backed up, promoted between installations.
--
-- Types are those that SQLite (STRICT) and PostgreSQL share; PostgreSQL reads BLOB as BYTEA and knows no WITHOUT ROWID. Times are microseconds since
-- 1970, 0 meaning none. Truth values are 0 and 1. Ids are texts that people choose or that a program makes once; they never
-- change. Small numbers such as `state` are named by the enums in db/*.h.

-- Who owns environments, products and applications.
CREATE TABLE business_group (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	parent_id TEXT REFERENCES business_group (id)
) STRICT;
INSERT INTO business_group (id, name) VALUES ('default', 'Default');

-- A place where APIs stand: by host, by path prefix, by both; the one with neither takes what no other takes.
CREATE TABLE environment (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	business_group_id TEXT NOT NULL REFERENCES business_group (id),
	host TEXT,
	path_prefix TEXT,
	kind TEXT NOT NULL,
	CONSTRAINT "an environment is of the kind production or sandbox" CHECK (kind IN ('production', 'sandbox'))
) STRICT;
CREATE UNIQUE INDEX environment_place ON environment (coalesce(host, ''), coalesce(path_prefix, ''));
INSERT INTO environment (id, name, business_group_id, kind) VALUES ('default', 'Default', 'default', 'production');

-- Certificates that the gateway shows to backends, and authorities that it trusts.
CREATE TABLE certificate (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	subject TEXT NOT NULL,
	thumbprint TEXT NOT NULL,                -- SHA-1, upper-case hexadecimal: the name that policies use
	not_before_us INTEGER NOT NULL,
	expires_us INTEGER NOT NULL,
	pem TEXT NOT NULL,
	key_sealed BLOB,                         -- private key, sealed with the master key
	is_authority INTEGER NOT NULL CHECK (is_authority IN (0, 1))
) STRICT;
CREATE INDEX certificate_thumbprint ON certificate (thumbprint);

-- A backend with a URL, or a pool of such backends.
CREATE TABLE backend (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	url TEXT,
	is_pool INTEGER NOT NULL CHECK (is_pool IN (0, 1)),
	verify_tls INTEGER NOT NULL CHECK (verify_tls IN (0, 1)),
	verify_name INTEGER NOT NULL CHECK (verify_name IN (0, 1)),
	client_certificate_id TEXT REFERENCES certificate (id),
	credentials_sealed BLOB,                 -- JSON of headers and query parameters, sealed with the master key
	breaker TEXT,                            -- JSON of circuit-breaker rules
	CONSTRAINT "a backend has a URL, a pool has none" CHECK ((url IS NULL) = (is_pool = 1))
) STRICT;

CREATE TABLE backend_pool_member (
	pool_id TEXT NOT NULL REFERENCES backend (id) ON DELETE CASCADE,
	backend_id TEXT NOT NULL REFERENCES backend (id),
	weight INTEGER NOT NULL CHECK (weight > 0),
	priority INTEGER NOT NULL,               -- the lowest number is used first
	PRIMARY KEY (pool_id, backend_id),
	CHECK (pool_id <> backend_id)
) STRICT;
CREATE INDEX backend_pool_member_backend ON backend_pool_member (backend_id);

-- How the versions of one API are told apart.
CREATE TABLE version_set (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	scheme TEXT NOT NULL,
	parameter TEXT,                          -- name of the header or query parameter
	CONSTRAINT "a scheme is segment, header or query" CHECK (scheme IN ('segment', 'header', 'query')),
	CONSTRAINT "a header or query scheme names its parameter" CHECK ((scheme = 'segment') = (parameter IS NULL))
) STRICT;

-- An API, or one version of it.
CREATE TABLE api (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	environment_id TEXT NOT NULL REFERENCES environment (id),
	path TEXT NOT NULL,                      -- without slashes at its ends
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	version_set_id TEXT REFERENCES version_set (id),
	version TEXT NOT NULL,                   -- '' for an unversioned API
	key_header TEXT,                         -- where the subscription key is looked for; NULL: the default names
	key_query TEXT,
	subscription_required INTEGER NOT NULL CHECK (subscription_required IN (0, 1)),
	state INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	UNIQUE (environment_id, path, version)
) STRICT;
CREATE INDEX api_version_set ON api (version_set_id) WHERE version_set_id IS NOT NULL;

-- A numbered state of an API. One is current; the others answer to ";rev=N".
CREATE TABLE api_revision (
	api_id TEXT NOT NULL REFERENCES api (id) ON DELETE CASCADE,
	revision INTEGER NOT NULL CHECK (revision > 0),
	is_current INTEGER NOT NULL CHECK (is_current IN (0, 1)),
	backend_url TEXT,
	backend_id TEXT REFERENCES backend (id),
	description TEXT NOT NULL,
	created_us INTEGER NOT NULL,
	PRIMARY KEY (api_id, revision),
	CONSTRAINT "an API names a backend by URL or by id, not both" CHECK (backend_url IS NULL OR backend_id IS NULL)
) STRICT;
CREATE UNIQUE INDEX api_revision_current ON api_revision (api_id) WHERE is_current = 1;
CREATE INDEX api_revision_backend ON api_revision (backend_id) WHERE backend_id IS NOT NULL;

-- The description an API was imported from, byte for byte.
CREATE TABLE api_document (
	api_id TEXT NOT NULL,
	revision INTEGER NOT NULL,
	media_type TEXT NOT NULL,
	source TEXT,                             -- file name or URL
	bytes BLOB NOT NULL,
	PRIMARY KEY (api_id, revision),
	FOREIGN KEY (api_id, revision) REFERENCES api_revision (api_id, revision) ON DELETE CASCADE
) STRICT;

CREATE TABLE operation (
	api_id TEXT NOT NULL,
	revision INTEGER NOT NULL,
	id TEXT NOT NULL CHECK (id <> ''),
	method TEXT NOT NULL CHECK (method <> ''),       -- upper case, or '*'
	uri_template TEXT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	position INTEGER NOT NULL,               -- order in the description
	PRIMARY KEY (api_id, revision, id),
	FOREIGN KEY (api_id, revision) REFERENCES api_revision (api_id, revision) ON DELETE CASCADE
) STRICT;

-- What a developer subscribes to. Its limits are its policy document.
CREATE TABLE product (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	terms TEXT NOT NULL,                     -- what a subscriber agrees to; '' for nothing
	business_group_id TEXT NOT NULL REFERENCES business_group (id),
	subscription_required INTEGER NOT NULL CHECK (subscription_required IN (0, 1)),
	approval INTEGER NOT NULL,
	state INTEGER NOT NULL,
	subscriptions_limit INTEGER NOT NULL,    -- of one user; 0 is any number
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE product_api (
	product_id TEXT NOT NULL REFERENCES product (id) ON DELETE CASCADE,
	api_id TEXT NOT NULL REFERENCES api (id) ON DELETE CASCADE,
	PRIMARY KEY (product_id, api_id)
) STRICT;
CREATE INDEX product_api_api ON product_api (api_id);

-- A named pair of limits that a subscription to a product is bound to.
CREATE TABLE tier (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	product_id TEXT NOT NULL REFERENCES product (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	approval INTEGER NOT NULL,
	rate_calls INTEGER NOT NULL,             -- 0 is no limit
	rate_seconds INTEGER NOT NULL,
	quota_calls INTEGER NOT NULL,            -- 0 is no limit
	quota_seconds INTEGER NOT NULL,
	deprecated INTEGER NOT NULL CHECK (deprecated IN (0, 1))         -- takes no new subscription
) STRICT;
CREATE INDEX tier_product ON tier (product_id);

CREATE TABLE user_account (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	email TEXT NOT NULL CHECK (email <> ''),
	first_name TEXT NOT NULL,
	last_name TEXT NOT NULL,
	password_hash TEXT,                      -- Argon2id; NULL: no sign-in with a password
	role TEXT NOT NULL,
	state INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	signed_in_us INTEGER NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT "a role is administrator, operator, publisher, auditor or developer"
		CHECK (role IN ('administrator', 'operator', 'publisher', 'auditor', 'developer'))
) STRICT;
CREATE UNIQUE INDEX user_account_email ON user_account (lower(email));

-- Groups decide who sees which product.
CREATE TABLE user_group (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	built_in INTEGER NOT NULL CHECK (built_in IN (0, 1))
) STRICT;
INSERT INTO user_group (id, name, description, built_in) VALUES
	('administrators', 'Administrators', 'Manage this installation.', 1),
	('developers', 'Developers', 'Have signed in to the portal.', 1),
	('guests', 'Guests', 'Visit the portal without signing in.', 1);

CREATE TABLE group_member (
	group_id TEXT NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	PRIMARY KEY (group_id, user_id)
) STRICT;
CREATE INDEX group_member_user ON group_member (user_id);

-- Groups whose members may see and subscribe to a product; a product without any is open to everybody.
CREATE TABLE product_group (
	product_id TEXT NOT NULL REFERENCES product (id) ON DELETE CASCADE,
	group_id TEXT NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
	PRIMARY KEY (product_id, group_id)
) STRICT;
CREATE INDEX product_group_group ON product_group (group_id);

-- A program of a developer that calls APIs.
CREATE TABLE application (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	redirect_url TEXT NOT NULL,              -- '' for none
	business_group_id TEXT NOT NULL REFERENCES business_group (id),
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE application_owner (
	application_id TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
	user_id TEXT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
	PRIMARY KEY (application_id, user_id)
) STRICT;
CREATE INDEX application_owner_user ON application_owner (user_id);

-- The right to call a product (scope 0), one API (1) or all APIs (2).
CREATE TABLE subscription (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	scope INTEGER NOT NULL,
	product_id TEXT REFERENCES product (id),
	api_id TEXT REFERENCES api (id),
	user_id TEXT REFERENCES user_account (id),
	application_id TEXT REFERENCES application (id),
	tier_id TEXT REFERENCES tier (id),
	state INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	starts_us INTEGER NOT NULL,
	ends_us INTEGER NOT NULL,
	tracing INTEGER NOT NULL CHECK (tracing IN (0, 1)),      -- its calls may ask for a trace
	note TEXT NOT NULL,
	CONSTRAINT "a subscription names what its scope says" CHECK (
		(scope = 0 AND product_id IS NOT NULL AND api_id IS NULL)
		OR (scope = 1 AND product_id IS NULL AND api_id IS NOT NULL)
		OR (scope = 2 AND product_id IS NULL AND api_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_product ON subscription (product_id, id) WHERE product_id IS NOT NULL;
CREATE INDEX subscription_api ON subscription (api_id, id) WHERE api_id IS NOT NULL;
CREATE INDEX subscription_user ON subscription (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX subscription_application ON subscription (application_id, id) WHERE application_id IS NOT NULL;
CREATE INDEX subscription_tier ON subscription (tier_id) WHERE tier_id IS NOT NULL;

-- Keys: one row each, so that finding the subscription of a key is one look-up whichever of its keys it is. This table and
-- the one above are kept in the order of their primary keys: the gateway's look-up goes down two trees and not four.
CREATE TABLE subscription_key (
	digest BLOB NOT NULL PRIMARY KEY,        -- SHA-256 of the key
	subscription_id TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
	slot INTEGER NOT NULL,                   -- 0 primary, 1 secondary
	prefix TEXT NOT NULL,                    -- first characters, to recognise it
	sealed BLOB NOT NULL,                    -- the key, sealed with the master key
	ends_us INTEGER NOT NULL                 -- of a key that was replaced and is still good for a while; 0: the present one
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_key_subscription ON subscription_key (subscription_id, slot);

-- What policies name as {{id}}: in clear, or sealed with the master key.
CREATE TABLE named_value (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	value TEXT,
	sealed BLOB,
	tags TEXT NOT NULL,
	changed_us INTEGER NOT NULL,
	CHECK ((value IS NULL) <> (sealed IS NULL))
) STRICT;

-- Policy documents as they were given. The kind says which of the other columns are set.
CREATE TABLE policy_document (
	kind INTEGER NOT NULL,                   -- 0 global, 1 workspace, 2 product, 3 API, 4 operation
	business_group_id TEXT REFERENCES business_group (id) ON DELETE CASCADE,
	product_id TEXT REFERENCES product (id) ON DELETE CASCADE,
	api_id TEXT,
	revision INTEGER,
	operation_id TEXT,
	bytes BLOB NOT NULL,
	changed_us INTEGER NOT NULL,
	FOREIGN KEY (api_id, revision) REFERENCES api_revision (api_id, revision) ON DELETE CASCADE,
	FOREIGN KEY (api_id, revision, operation_id) REFERENCES operation (api_id, revision, id) ON DELETE CASCADE,
	CONSTRAINT "a policy document names what its kind says" CHECK (
		(business_group_id IS NOT NULL) = (kind = 1) AND (product_id IS NOT NULL) = (kind = 2)
		AND (api_id IS NOT NULL) = (kind IN (3, 4)) AND (revision IS NOT NULL) = (kind IN (3, 4))
		AND (operation_id IS NOT NULL) = (kind = 4) AND kind IN (0, 1, 2, 3, 4))
) STRICT;
CREATE UNIQUE INDEX policy_document_place ON policy_document (kind, coalesce(business_group_id, ''), coalesce(product_id, ''),
	coalesce(api_id, ''), coalesce(revision, 0), coalesce(operation_id, ''));
CREATE INDEX policy_document_business_group ON policy_document (business_group_id) WHERE business_group_id IS NOT NULL;
CREATE INDEX policy_document_product ON policy_document (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX policy_document_api ON policy_document (api_id, revision, operation_id) WHERE api_id IS NOT NULL;

CREATE TABLE policy_fragment (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	description TEXT NOT NULL,
	bytes BLOB NOT NULL,
	changed_us INTEGER NOT NULL
) STRICT;

-- Who changed what. Only added to; each entry holds the digest of the one before it.
CREATE TABLE audit_entry (
	seq INTEGER NOT NULL PRIMARY KEY,
	at_us INTEGER NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	kind TEXT NOT NULL,
	object_id TEXT NOT NULL,
	detail TEXT,                             -- JSON of what was written, without secrets
	previous BLOB NOT NULL,                  -- hash of the entry before; 32 zero bytes at the start
	hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_entry_object ON audit_entry (kind, object_id);
CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit entries are only added'); END;
CREATE TRIGGER audit_entry_remains BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'audit entries are only added'); END;

-- One row of two numbers; each rises in the transaction that changes something of its kind.
CREATE TABLE generation (
	one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
	config INTEGER NOT NULL,                 -- what a gateway's snapshot is built from
	access INTEGER NOT NULL                  -- subscriptions, keys, users, groups, applications
) STRICT;
INSERT INTO generation (one, config, access) VALUES (1, 1, 1);

-- Signed-in browsers, by the digest of their cookie.
CREATE TABLE session (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	user_id TEXT REFERENCES user_account (id) ON DELETE CASCADE,
	csrf TEXT NOT NULL,                      -- what forms must send back
	data TEXT,                               -- small notes of the web code
	created_us INTEGER NOT NULL,
	seen_us INTEGER NOT NULL,
	ends_us INTEGER NOT NULL
) STRICT;
CREATE INDEX session_user ON session (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX session_ends ON session (ends_us);

-- What a person sets in the dashboard.
CREATE TABLE setting (
	name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
	value TEXT NOT NULL
) STRICT;
