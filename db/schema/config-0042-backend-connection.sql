-- How a backend is reached besides its address, and how many calls may be under way to it.
ALTER TABLE backend ADD COLUMN unix_socket TEXT;             -- path of a socket that is connected to in place of the address's host
ALTER TABLE backend ADD COLUMN max_calls INTEGER NOT NULL DEFAULT 0;  -- under way at once, of all workers; 0: any number
