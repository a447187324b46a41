-- More of what was decided, and finding calls by key, address and time.
ALTER TABLE call_record ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE call_record ADD COLUMN credential TEXT NOT NULL DEFAULT '';
ALTER TABLE call_record ADD COLUMN limits TEXT NOT NULL DEFAULT '';
ALTER TABLE call_record ADD COLUMN steps TEXT NOT NULL DEFAULT '';
CREATE INDEX call_record_api ON call_record (api) WHERE api <> '';
CREATE INDEX call_record_key ON call_record (key_prefix) WHERE key_prefix <> '';
CREATE INDEX call_record_address ON call_record (client_ip) WHERE client_ip <> '';
CREATE INDEX call_record_started ON call_record (started_us);
