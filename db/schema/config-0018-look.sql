-- How the portal looks, as set in the dashboard: one row.
CREATE TABLE portal_look (
	id TEXT NOT NULL PRIMARY KEY CHECK (id = 'portal'),
	look TEXT NOT NULL,                      -- JSON: name, colours, texts, menu; core/look.h
	logo BLOB,                               -- the picture; NULL: the shipped mark
	logo_type TEXT NOT NULL,                 -- "image/png"; '' without a picture
	changed_us INTEGER NOT NULL
) STRICT;
