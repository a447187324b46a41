-- Pages of the portal in Markdown: guides, change logs. Of one API, or of the whole portal. At most one of a name for each.
CREATE TABLE portal_page (
	api_id TEXT REFERENCES api (id) ON DELETE CASCADE,       -- NULL: of the whole portal
	id TEXT NOT NULL CHECK (id <> ''),       -- stands in its address
	title TEXT NOT NULL,
	body TEXT NOT NULL,                      -- Markdown
	audience TEXT NOT NULL,                  -- of those who may see the API
	group_id TEXT REFERENCES user_group (id) ON DELETE SET NULL,     -- NULL with 'group': nobody, as the group is gone
	in_menu INTEGER NOT NULL CHECK (in_menu IN (0, 1)),      -- a page of the whole portal stands in its menu
	position INTEGER NOT NULL,               -- the lowest number comes first
	changed_us INTEGER NOT NULL,
	changed_by TEXT NOT NULL,
	CONSTRAINT "a page is for everybody, users, group or nobody" CHECK (audience IN ('everybody', 'users', 'group', 'nobody'))
) STRICT;
CREATE UNIQUE INDEX portal_page_place ON portal_page (coalesce(api_id, ''), id);
CREATE INDEX portal_page_api ON portal_page (api_id) WHERE api_id IS NOT NULL;
CREATE INDEX portal_page_group ON portal_page (group_id) WHERE group_id IS NOT NULL;
