-- How a pool spreads its calls, and how the keeper finds out whether a backend is well.
ALTER TABLE backend ADD COLUMN balance TEXT NOT NULL DEFAULT 'round-robin'
	CHECK (balance IN ('round-robin', 'least-outstanding', 'hash'));
ALTER TABLE backend ADD COLUMN hash_on TEXT;             -- address, subscription, path, header:NAME, cookie:NAME
ALTER TABLE backend ADD COLUMN affinity_cookie TEXT;     -- name of the cookie that keeps a session on its member
ALTER TABLE backend ADD COLUMN health TEXT;              -- JSON of the health check
