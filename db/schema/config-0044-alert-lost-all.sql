-- A rule may lose two things one after the other: it remembers all of them ("api orders, product gold"), as it must name all again.
DROP TRIGGER alert_rule_environment_gone;
CREATE TRIGGER alert_rule_environment_gone BEFORE DELETE ON environment BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE environment_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = CASE lost WHEN '' THEN '' ELSE lost || ', ' END || 'environment ' || old.id, environment_id = NULL,
		changed_us = changed_us + 1 WHERE environment_id = old.id;
END;
DROP TRIGGER alert_rule_api_gone;
CREATE TRIGGER alert_rule_api_gone BEFORE DELETE ON api BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE api_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = CASE lost WHEN '' THEN '' ELSE lost || ', ' END || 'api ' || old.id, api_id = NULL,
		changed_us = changed_us + 1 WHERE api_id = old.id;
END;
DROP TRIGGER alert_rule_product_gone;
CREATE TRIGGER alert_rule_product_gone BEFORE DELETE ON product BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE product_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = CASE lost WHEN '' THEN '' ELSE lost || ', ' END || 'product ' || old.id, product_id = NULL,
		changed_us = changed_us + 1 WHERE product_id = old.id;
END;
DROP TRIGGER alert_rule_subscription_gone;
CREATE TRIGGER alert_rule_subscription_gone BEFORE DELETE ON subscription BEGIN
	DELETE FROM alert_state WHERE rule_id IN (SELECT id FROM alert_rule WHERE subscription_id = old.id);
	UPDATE alert_rule SET enabled = 0, lost = CASE lost WHEN '' THEN '' ELSE lost || ', ' END || 'subscription ' || old.id, subscription_id = NULL,
		changed_us = changed_us + 1 WHERE subscription_id = old.id;
END;
