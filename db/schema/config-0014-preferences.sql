-- How people want pages and mails: what they chose, and what their browser asked for last.
CREATE TABLE user_preference (
	user_id TEXT NOT NULL PRIMARY KEY REFERENCES user_account (id) ON DELETE CASCADE,
	language TEXT NOT NULL,                  -- "de"; '' for what the browser asks for
	zone TEXT NOT NULL,                      -- "Europe/Berlin"; '' for that of the browser
	seen_language TEXT NOT NULL              -- of the pages at the last sign-in: for mails to those who chose none
) STRICT;
