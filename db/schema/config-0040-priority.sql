-- Whose calls a busy gateway refuses last: 0 normal, 1 high, 2 low.
ALTER TABLE product ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 2);
