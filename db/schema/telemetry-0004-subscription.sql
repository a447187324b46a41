-- A developer looks at the calls of an own subscription, which may be few among very many.
CREATE INDEX call_record_subscription ON call_record (subscription) WHERE subscription <> '';
