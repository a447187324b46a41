-- Each try at the backend with its times, and where the call stands in the caller's trace.
ALTER TABLE call_record ADD COLUMN trace_flags INTEGER NOT NULL DEFAULT 0;   -- of traceparent
ALTER TABLE call_record ADD COLUMN parent_span TEXT NOT NULL DEFAULT '';     -- of the caller's traceparent
ALTER TABLE call_record ADD COLUMN tries TEXT NOT NULL DEFAULT '';           -- core/telemetry.h says how
