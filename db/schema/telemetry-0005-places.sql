-- Pages ask for the totals of one subscription, or of one API, among those of all.
CREATE INDEX traffic_subscription ON traffic (subscription, period_s, start_s) WHERE subscription <> '';
CREATE INDEX traffic_api ON traffic (api, period_s, start_s) WHERE api <> '';
