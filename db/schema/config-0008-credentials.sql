-- What the gateway shows to backends. Settings and secrets are flat JSON objects, checked by core/credential.h.
CREATE TABLE credential (
	environment_id TEXT NOT NULL REFERENCES environment (id),
	id TEXT NOT NULL CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	provider TEXT NOT NULL,                  -- group that policies name it by; '': its own id
	resource TEXT NOT NULL,                  -- policies find it by this as a managed identity; '': none
	kind TEXT NOT NULL,                      -- 'client-credentials', 'api-key' …
	settings TEXT NOT NULL,
	secrets_sealed BLOB,                     -- sealed with the master key to 'credential:ENVIRONMENT/ID'
	created_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	PRIMARY KEY (environment_id, id)
) STRICT;

-- The consent that an administrator gave for a credential of kind authorization-code.
CREATE TABLE credential_grant (
	environment_id TEXT NOT NULL,
	credential_id TEXT NOT NULL,
	refresh_sealed BLOB NOT NULL,            -- refresh token, sealed to 'credential_grant:ENVIRONMENT/ID'
	granted_by TEXT NOT NULL,
	granted_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,             -- when the provider last gave another one
	PRIMARY KEY (environment_id, credential_id),
	FOREIGN KEY (environment_id, credential_id) REFERENCES credential (environment_id, id) ON DELETE CASCADE
) STRICT;

-- The id of a credential in the environment of the API that is called: no foreign key, for it is one of many.
ALTER TABLE backend ADD COLUMN credential_id TEXT;
