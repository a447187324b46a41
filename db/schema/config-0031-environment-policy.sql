-- A policy document that binds every present and future API of an environment: kind 5.
CREATE TABLE policy_document_2 (
	kind INTEGER NOT NULL,                   -- 0 global, 1 workspace, 2 product, 3 API, 4 operation, 5 environment
	business_group_id TEXT REFERENCES business_group (id) ON DELETE CASCADE,
	product_id TEXT REFERENCES product (id) ON DELETE CASCADE,
	api_id TEXT,
	revision INTEGER,
	operation_id TEXT,
	environment_id TEXT REFERENCES environment (id) ON DELETE CASCADE,
	bytes BLOB NOT NULL,
	changed_us INTEGER NOT NULL,
	FOREIGN KEY (api_id, revision) REFERENCES api_revision (api_id, revision) ON DELETE CASCADE,
	FOREIGN KEY (api_id, revision, operation_id) REFERENCES operation (api_id, revision, id) ON DELETE CASCADE,
	CONSTRAINT "a policy document names what its kind says" CHECK (
		(business_group_id IS NOT NULL) = (kind = 1) AND (product_id IS NOT NULL) = (kind = 2)
		AND (api_id IS NOT NULL) = (kind IN (3, 4)) AND (revision IS NOT NULL) = (kind IN (3, 4))
		AND (operation_id IS NOT NULL) = (kind = 4) AND (environment_id IS NOT NULL) = (kind = 5)
		AND kind IN (0, 1, 2, 3, 4, 5))
) STRICT;
INSERT INTO policy_document_2 (kind, business_group_id, product_id, api_id, revision, operation_id, bytes, changed_us)
	SELECT kind, business_group_id, product_id, api_id, revision, operation_id, bytes, changed_us FROM policy_document;
DROP TABLE policy_document;
ALTER TABLE policy_document_2 RENAME TO policy_document;
CREATE UNIQUE INDEX policy_document_place ON policy_document (kind, coalesce(business_group_id, ''), coalesce(product_id, ''),
	coalesce(api_id, ''), coalesce(revision, 0), coalesce(operation_id, ''), coalesce(environment_id, ''));
CREATE INDEX policy_document_business_group ON policy_document (business_group_id) WHERE business_group_id IS NOT NULL;
CREATE INDEX policy_document_product ON policy_document (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX policy_document_api ON policy_document (api_id, revision, operation_id) WHERE api_id IS NOT NULL;
CREATE INDEX policy_document_environment ON policy_document (environment_id) WHERE environment_id IS NOT NULL;
