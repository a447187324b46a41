-- From where calls may come, for all of them, for a product, for an API. At most one row for each.
CREATE TABLE network_rule (
	product_id TEXT REFERENCES product (id) ON DELETE CASCADE,
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,
	allow TEXT NOT NULL,                     -- networks, blank-separated; '': any
	deny TEXT NOT NULL,                      -- networks; wins over allow
	https_only INTEGER NOT NULL CHECK (https_only IN (0, 1)),
	changed_us INTEGER NOT NULL,
	CONSTRAINT "a network rule is for all calls, a product or an API" CHECK (product_id IS NULL OR api_id IS NULL)
) STRICT;
CREATE UNIQUE INDEX network_rule_place ON network_rule (coalesce(product_id, ''), coalesce(api_id, ''));
CREATE INDEX network_rule_product ON network_rule (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX network_rule_api ON network_rule (api_id) WHERE api_id IS NOT NULL;
