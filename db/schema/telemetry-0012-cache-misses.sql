-- Calls that a cache was asked for and could not answer, so that a hit ratio is known and not only hits.
ALTER TABLE rollup ADD COLUMN cache_misses INTEGER NOT NULL DEFAULT 0;
