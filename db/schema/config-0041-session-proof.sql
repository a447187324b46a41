-- How a session was begun, besides by a password: 'second-factor', 'provider'; '' is by nothing more, or before this was noted.
ALTER TABLE session ADD COLUMN proof TEXT NOT NULL DEFAULT '';
