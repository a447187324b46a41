-- When a key was made. Of those that were there: when their subscription was.
ALTER TABLE subscription_key ADD COLUMN created_us INTEGER NOT NULL DEFAULT 0;
UPDATE subscription_key SET created_us = coalesce((SELECT created_us FROM subscription s WHERE s.id = subscription_key.subscription_id), 0);
