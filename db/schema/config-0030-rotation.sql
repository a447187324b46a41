-- Secrets that are replaced by a program: what is under way, and what went wrong. Whether and how stands in the credential.
CREATE TABLE credential_rotation (
	environment_id TEXT NOT NULL,
	credential_id TEXT NOT NULL,
	rotated_us INTEGER NOT NULL,             -- when a new secret last worked; 0: never yet
	tried_us INTEGER NOT NULL,               -- 0: not yet
	wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),        -- somebody asked for it before its time
	next_sealed BLOB,                        -- made by the provider, not seen to work yet; sealed to 'credential_rotation:ENVIRONMENT/ID'
	problem TEXT NOT NULL,                   -- of the last try; '': none
	PRIMARY KEY (environment_id, credential_id),
	FOREIGN KEY (environment_id, credential_id) REFERENCES credential (environment_id, id) ON DELETE CASCADE
) STRICT;
