-- Whether a call may be traced is decided by the credential that it shows, and who gets one by db/traces.h.
ALTER TABLE subscription DROP COLUMN tracing;
