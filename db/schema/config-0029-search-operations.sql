-- Operations get a search of their own: there are twenty times as many as APIs, and who looks for an API ranked them all.
CREATE VIRTUAL TABLE operation_search USING fts5 (name, place, tags, description,
	tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
INSERT INTO operation_search (operation_search, rank) VALUES ('rank', 'bm25(10.0, 5.0, 4.0, 1.0)');
DELETE FROM catalog_search WHERE rowid IN (SELECT id FROM catalog_entry WHERE operation_id <> '');
INSERT INTO operation_search (rowid, name, place, tags, description)
	SELECT e.id, o.name, o.method || ' ' || o.uri_template || ' ' || o.id, o.tags, substr(o.description, 1, 20000)
	FROM catalog_entry e JOIN api_revision r ON r.api_id = e.api_id AND r.is_current = 1
	JOIN operation o ON o.api_id = r.api_id AND o.revision = r.revision AND o.id = e.operation_id WHERE e.operation_id <> '';
