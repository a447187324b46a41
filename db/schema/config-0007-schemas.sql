-- Schemas that stand apart from any API: validate-content names them by id, and they name each other as /schemas/ID.
CREATE TABLE content_schema (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	kind INTEGER NOT NULL,                   -- 0 JSON Schema, 1 XML Schema
	description TEXT NOT NULL,
	bytes BLOB NOT NULL,                     -- as it was given
	changed_us INTEGER NOT NULL,
	CONSTRAINT "a schema is for JSON or for XML" CHECK (kind IN (0, 1))
) STRICT;
