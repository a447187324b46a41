-- The catalog of the portal: the life of an API after it is published, its tags, what happened when, and the search.

ALTER TABLE api ADD COLUMN deprecated_us INTEGER NOT NULL DEFAULT 0;     -- since or from when it is deprecated (RFC 9745); 0: not
ALTER TABLE api ADD COLUMN sunset_us INTEGER NOT NULL DEFAULT 0;         -- from then on calls are answered 410 (RFC 8594); 0: no date
UPDATE api SET deprecated_us = changed_us WHERE state = 2;
ALTER TABLE operation ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';        -- of its description: a JSON array of names

CREATE TABLE api_tag (
	api_id TEXT NOT NULL REFERENCES api (id) ON DELETE CASCADE,
	tag TEXT NOT NULL CHECK (tag <> ''),
	origin INTEGER NOT NULL CHECK (origin IN (0, 1)),        -- 0: given to the API, 1: of an operation of its current revision
	PRIMARY KEY (api_id, tag, origin)
) STRICT;
CREATE INDEX api_tag_tag ON api_tag (tag, api_id);

-- What is new: a row for each thing that developers want to hear of.
CREATE TABLE api_event (
	id INTEGER NOT NULL PRIMARY KEY,
	at_us INTEGER NOT NULL,
	api_id TEXT NOT NULL REFERENCES api (id) ON DELETE CASCADE,
	kind INTEGER NOT NULL,                   -- 0 published, 1 preview, 2 revision made current, 3 deprecated, 4 retired
	revision INTEGER NOT NULL,
	note TEXT NOT NULL
) STRICT;
CREATE INDEX api_event_at ON api_event (at_us);
CREATE INDEX api_event_api ON api_event (api_id, kind);
INSERT INTO api_event (at_us, api_id, kind, revision, note)
	SELECT a.created_us, a.id, 0, 1, '' FROM api a WHERE a.state IN (1, 2) ORDER BY a.created_us;
INSERT INTO api_event (at_us, api_id, kind, revision, note)
	SELECT a.changed_us, a.id, 3, 1, '' FROM api a WHERE a.state = 2 ORDER BY a.changed_us;

-- What the search finds: APIs, operations of current revisions, products. The texts stand in catalog_search under the same
-- number. Triggers write down here what has changed; the commit of every transaction brings catalog_search up to date
-- (db/catalog.c), because a trigger may not write to a virtual table of a schema that is not trusted.
CREATE TABLE catalog_entry (
	id INTEGER NOT NULL PRIMARY KEY,
	api_id TEXT NOT NULL,                    -- '' for a product
	operation_id TEXT NOT NULL,              -- '' for an API or product
	product_id TEXT NOT NULL,                -- '' for an API or operation
	stale INTEGER NOT NULL                   -- 1: its texts have to be read again, 2: it is gone
) STRICT;
CREATE UNIQUE INDEX catalog_entry_place ON catalog_entry (api_id, operation_id, product_id);
CREATE INDEX catalog_entry_stale ON catalog_entry (id) WHERE stale > 0;
-- Short forms of words are found too (prefix); accents do not matter. The weights say what counts more when results are ranked.
CREATE VIRTUAL TABLE catalog_search USING fts5 (name, place, tags, description,
	tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
INSERT INTO catalog_search (catalog_search, rank) VALUES ('rank', 'bm25(10.0, 5.0, 4.0, 1.0)');

INSERT INTO catalog_entry (api_id, operation_id, product_id, stale) SELECT id, '', '', 0 FROM api;
INSERT INTO catalog_entry (api_id, operation_id, product_id, stale)
	SELECT o.api_id, o.id, '', 0 FROM operation o JOIN api_revision r ON r.api_id = o.api_id AND r.revision = o.revision
	WHERE r.is_current = 1;
INSERT INTO catalog_entry (api_id, operation_id, product_id, stale) SELECT '', '', id, 0 FROM product;
INSERT INTO catalog_search (rowid, name, place, tags, description)
	SELECT e.id, a.name, a.id || ' ' || a.path || ' ' || a.version, '', substr(a.description, 1, 20000)
	FROM catalog_entry e JOIN api a ON a.id = e.api_id WHERE e.operation_id = '';
INSERT INTO catalog_search (rowid, name, place, tags, description)
	SELECT e.id, o.name, o.method || ' ' || o.uri_template || ' ' || o.id, '', substr(o.description, 1, 20000)
	FROM catalog_entry e JOIN api_revision r ON r.api_id = e.api_id AND r.is_current = 1
	JOIN operation o ON o.api_id = r.api_id AND o.revision = r.revision AND o.id = e.operation_id WHERE e.operation_id <> '';
INSERT INTO catalog_search (rowid, name, place, tags, description)
	SELECT e.id, p.name, p.id, '', substr(p.description, 1, 20000)
	FROM catalog_entry e JOIN product p ON p.id = e.product_id;

CREATE TRIGGER catalog_api_new AFTER INSERT ON api BEGIN
	INSERT INTO catalog_entry (api_id, operation_id, product_id, stale) VALUES (NEW.id, '', '', 1)
		ON CONFLICT (api_id, operation_id, product_id) DO UPDATE SET stale = 1;
END;
CREATE TRIGGER catalog_api_set AFTER UPDATE OF name, description, path, version ON api
WHEN OLD.name <> NEW.name OR OLD.description <> NEW.description OR OLD.path <> NEW.path OR OLD.version <> NEW.version BEGIN
	UPDATE catalog_entry SET stale = 1 WHERE api_id = NEW.id AND operation_id = '' AND product_id = '';
END;
CREATE TRIGGER catalog_api_gone AFTER DELETE ON api BEGIN
	UPDATE catalog_entry SET stale = 2 WHERE api_id = OLD.id;
END;

CREATE TRIGGER catalog_tag_new AFTER INSERT ON api_tag WHEN NEW.origin = 0 BEGIN
	UPDATE catalog_entry SET stale = 1 WHERE api_id = NEW.api_id AND operation_id = '' AND product_id = '' AND stale = 0;
END;
CREATE TRIGGER catalog_tag_gone AFTER DELETE ON api_tag WHEN OLD.origin = 0 BEGIN
	UPDATE catalog_entry SET stale = 1 WHERE api_id = OLD.api_id AND operation_id = '' AND product_id = '' AND stale = 0;
END;

CREATE TRIGGER catalog_operation_new AFTER INSERT ON operation
WHEN EXISTS (SELECT 1 FROM api_revision r WHERE r.api_id = NEW.api_id AND r.revision = NEW.revision AND r.is_current = 1) BEGIN
	INSERT INTO catalog_entry (api_id, operation_id, product_id, stale) VALUES (NEW.api_id, NEW.id, '', 1)
		ON CONFLICT (api_id, operation_id, product_id) DO UPDATE SET stale = 1;
END;
CREATE TRIGGER catalog_operation_set AFTER UPDATE OF name, description, method, uri_template, tags ON operation
WHEN (OLD.name <> NEW.name OR OLD.description <> NEW.description OR OLD.method <> NEW.method
	OR OLD.uri_template <> NEW.uri_template OR OLD.tags <> NEW.tags)
	AND EXISTS (SELECT 1 FROM api_revision r WHERE r.api_id = NEW.api_id AND r.revision = NEW.revision AND r.is_current = 1) BEGIN
	UPDATE catalog_entry SET stale = 1 WHERE api_id = NEW.api_id AND operation_id = NEW.id AND product_id = '';
END;
CREATE TRIGGER catalog_operation_gone AFTER DELETE ON operation
WHEN EXISTS (SELECT 1 FROM api_revision r WHERE r.api_id = OLD.api_id AND r.revision = OLD.revision AND r.is_current = 1) BEGIN
	UPDATE catalog_entry SET stale = 2 WHERE api_id = OLD.api_id AND operation_id = OLD.id AND product_id = '';
END;
CREATE TRIGGER catalog_revision_left AFTER UPDATE OF is_current ON api_revision WHEN OLD.is_current = 1 AND NEW.is_current = 0 BEGIN
	UPDATE catalog_entry SET stale = 2 WHERE api_id = NEW.api_id AND operation_id <> '';
END;
CREATE TRIGGER catalog_revision_taken AFTER UPDATE OF is_current ON api_revision WHEN OLD.is_current = 0 AND NEW.is_current = 1 BEGIN
	INSERT INTO catalog_entry (api_id, operation_id, product_id, stale)
		SELECT o.api_id, o.id, '', 1 FROM operation o WHERE o.api_id = NEW.api_id AND o.revision = NEW.revision
		ON CONFLICT (api_id, operation_id, product_id) DO UPDATE SET stale = 1;
END;

CREATE TRIGGER catalog_product_new AFTER INSERT ON product BEGIN
	INSERT INTO catalog_entry (api_id, operation_id, product_id, stale) VALUES ('', '', NEW.id, 1)
		ON CONFLICT (api_id, operation_id, product_id) DO UPDATE SET stale = 1;
END;
CREATE TRIGGER catalog_product_set AFTER UPDATE OF name, description ON product
WHEN OLD.name <> NEW.name OR OLD.description <> NEW.description BEGIN
	UPDATE catalog_entry SET stale = 1 WHERE api_id = '' AND operation_id = '' AND product_id = NEW.id;
END;
CREATE TRIGGER catalog_product_gone AFTER DELETE ON product BEGIN
	UPDATE catalog_entry SET stale = 2 WHERE api_id = '' AND operation_id = '' AND product_id = OLD.id;
END;
