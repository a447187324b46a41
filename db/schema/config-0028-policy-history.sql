-- What policy documents said before: a row for each time one was written or taken away, of each scope the newest hundred.
CREATE TABLE policy_history (
	id INTEGER NOT NULL PRIMARY KEY,
	scope TEXT NOT NULL CHECK (scope <> ''),         -- "global", "product:ID", "api:ID;rev=N", "operation:ID;rev=N/OP"
	at_us INTEGER NOT NULL,
	actor TEXT NOT NULL,                             -- '' : before this was kept
	bytes BLOB                                       -- NULL: taken away
) STRICT;
CREATE INDEX policy_history_scope ON policy_history (scope, id);
INSERT INTO policy_history (scope, at_us, actor, bytes)
	SELECT CASE kind WHEN 0 THEN 'global' WHEN 1 THEN 'workspace:' || business_group_id WHEN 2 THEN 'product:' || product_id
		WHEN 3 THEN 'api:' || api_id || ';rev=' || revision
		ELSE 'operation:' || api_id || ';rev=' || revision || '/' || operation_id END, changed_us, '', bytes
	FROM policy_document;
