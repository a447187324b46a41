-- Lists show how many subscriptions each product has.
CREATE INDEX subscription_product_state ON subscription (product_id, state) WHERE product_id IS NOT NULL;
