-- Roles that people made, and who has which role where. What a permission is stands in config/rights.def.

CREATE TABLE own_role (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	permissions TEXT NOT NULL                -- blank-separated: view-apis change-apis
) STRICT;

-- A role of a person or of the members of a group: everywhere, in one environment, or in what a business group owns.
CREATE TABLE role_assignment (
	id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	role TEXT NOT NULL,
	user_id TEXT REFERENCES user_account (id) ON DELETE CASCADE,
	group_id TEXT REFERENCES user_group (id) ON DELETE CASCADE,
	environment_id TEXT REFERENCES environment (id) ON DELETE CASCADE,
	business_group_id TEXT REFERENCES business_group (id) ON DELETE CASCADE,
	CONSTRAINT "a role is assigned to a person or to a group" CHECK ((user_id IS NULL) <> (group_id IS NULL)),
	CONSTRAINT "an assignment counts in an environment or in a business group, not both"
		CHECK (environment_id IS NULL OR business_group_id IS NULL)
) STRICT;
CREATE INDEX role_assignment_user ON role_assignment (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX role_assignment_group ON role_assignment (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX role_assignment_environment ON role_assignment (environment_id) WHERE environment_id IS NOT NULL;
CREATE INDEX role_assignment_business_group ON role_assignment (business_group_id) WHERE business_group_id IS NOT NULL;

-- NULL: everywhere. A token ends with its place, for without it it would count everywhere.
ALTER TABLE machine_token ADD COLUMN environment_id TEXT REFERENCES environment (id) ON DELETE CASCADE;
ALTER TABLE machine_token ADD COLUMN business_group_id TEXT REFERENCES business_group (id) ON DELETE CASCADE;
CREATE INDEX machine_token_environment ON machine_token (environment_id) WHERE environment_id IS NOT NULL;
CREATE INDEX machine_token_business_group ON machine_token (business_group_id) WHERE business_group_id IS NOT NULL;
