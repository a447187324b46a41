-- What was compared when a caller was refused, and the backend's own id of the call.
ALTER TABLE call_record ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE call_record ADD COLUMN correlation TEXT NOT NULL DEFAULT '';
CREATE INDEX call_record_correlation ON call_record (correlation) WHERE correlation <> '';
CREATE INDEX call_record_trace ON call_record (trace_id) WHERE trace_id <> '';
