-- A rule whose API, product, subscription or environment is deleted stays, switched off, and says what it has lost: to vanish with it
-- would leave people believing that somebody still watches.
ALTER TABLE alert_rule ADD COLUMN lost TEXT NOT NULL DEFAULT '';        -- "api orders"; '' for nothing

CREATE TRIGGER alert_rule_environment_gone BEFORE DELETE ON environment BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE environment_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = 'environment ' || old.id, environment_id = NULL, changed_us = changed_us + 1
		WHERE environment_id = old.id;
END;
CREATE TRIGGER alert_rule_api_gone BEFORE DELETE ON api BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE api_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = 'api ' || old.id, api_id = NULL, changed_us = changed_us + 1 WHERE api_id = old.id;
END;
CREATE TRIGGER alert_rule_product_gone BEFORE DELETE ON product BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE product_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = 'product ' || old.id, product_id = NULL, changed_us = changed_us + 1
		WHERE product_id = old.id;
END;
CREATE TRIGGER alert_rule_subscription_gone BEFORE DELETE ON subscription BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE subscription_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = 'subscription ' || old.id, subscription_id = NULL, changed_us = changed_us + 1
		WHERE subscription_id = old.id;
END;
