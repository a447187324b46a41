-- API groups: several API instances that act as one unit with one contract. A group is a kind of product, so that all that
-- opens, limits, shows and sells a product holds for it; what differs is said here.

ALTER TABLE product ADD COLUMN kind INTEGER NOT NULL DEFAULT 0   -- 0 product, 1 API group; never changes
	CHECK (kind IN (0, 1));
-- Few are groups: whether there are any is asked for each page of the portal.
CREATE INDEX product_api_group ON product (id) WHERE kind = 1;

-- One contract: an application, or a person without one, stands or waits at most once in a group.
CREATE TRIGGER api_group_one_contract BEFORE INSERT ON subscription
WHEN NEW.state IN (0, 1, 2) AND EXISTS (SELECT 1 FROM product p WHERE p.id = NEW.product_id AND p.kind = 1)
	AND EXISTS (SELECT 1 FROM subscription s WHERE s.product_id = NEW.product_id AND s.state IN (0, 1, 2)
		AND CASE WHEN NEW.application_id IS NOT NULL THEN s.application_id = NEW.application_id
			ELSE s.application_id IS NULL AND s.user_id = NEW.user_id END) BEGIN
	SELECT RAISE(ABORT, 'there is a contract with this API group already: one is enough for all of its APIs');
END;
CREATE TRIGGER api_group_still_one_contract BEFORE UPDATE OF state, product_id, application_id, user_id ON subscription
WHEN NEW.state IN (0, 1, 2) AND EXISTS (SELECT 1 FROM product p WHERE p.id = NEW.product_id AND p.kind = 1)
	AND EXISTS (SELECT 1 FROM subscription s WHERE s.product_id = NEW.product_id AND s.state IN (0, 1, 2) AND s.id <> NEW.id
		AND CASE WHEN NEW.application_id IS NOT NULL THEN s.application_id = NEW.application_id
			ELSE s.application_id IS NULL AND s.user_id = NEW.user_id END) BEGIN
	SELECT RAISE(ABORT, 'there is a contract with this API group already: one is enough for all of its APIs');
END;
