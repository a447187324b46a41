-- Where the policy log-to-eventhub sends its messages.
CREATE TABLE logger (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	description TEXT NOT NULL,
	kind TEXT NOT NULL,
	settings TEXT NOT NULL,                  -- JSON, see core/logger.h
	secrets_sealed BLOB,                     -- JSON of secret header fields, sealed with the master key
	CONSTRAINT "a logger is of the kind http, file or syslog" CHECK (kind IN ('http', 'file', 'syslog'))
) STRICT;
