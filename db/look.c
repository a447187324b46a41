#include "db/look.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

struct row {
	struct str id, look, logo, logo_type;
	int64_t changed_us;
};
static const struct field look_fields[] = {
	FIELD(row, TEXT, id),
	FIELD(row, TEXT, look),
	FIELD(row, TEXT, logo_type),
	FIELD(row, TIME, changed_us),
};
static const struct field logo_fields[] = {
	FIELD(row, TEXT, id),
	FIELD_HIDDEN(row, BLOB, logo),
	FIELD(row, TEXT, logo_type),
	FIELD(row, TIME, changed_us),
};
static const struct row_type look_type = { "look", look_fields, ARRAY_LEN(look_fields), sizeof(struct row) };
static const struct row_type logo_type = { "logo", logo_fields, ARRAY_LEN(logo_fields), sizeof(struct row) };

gh_rc store_look_get(struct store *s, struct arena *a, struct store_look *out, struct gh_err *err)
{
	struct row r = { .look = STR("{}"), .logo_type = STR("") };
	bool found;

	TRY(find_row(s, sql_use(s, SQL_LOOK_GET), &look_type, a, &r, &found, err));
	*out = found ? (struct store_look){ r.look, r.logo_type, r.changed_us } : (struct store_look){ STR("{}"), STR(""), 0 };
	return GH_RC_OK;
}

gh_rc store_look_set(struct store *s, struct str look, struct gh_err *err)
{
	struct row r = { .id = STR("portal"), .look = look, .logo_type = STR(""), .changed_us = clock_wall_us() };

	return change_row(s, SQL_LOOK_PUT, &look_type, &r, (struct change){ .action = "set", .id = r.id }, err);
}

gh_rc store_logo_set(struct store *s, struct str bytes, struct str type, struct gh_err *err)
{
	struct row r = { .id = STR("portal"), .logo = bytes.n ? bytes : STR_NULL, .logo_type = bytes.n ? type : STR(""),
			 .changed_us = clock_wall_us() };

	return change_row(s, SQL_LOOK_LOGO_PUT, &logo_type, &r, (struct change){ .action = "set", .id = r.id }, err);
}

gh_rc store_logo_get(struct store *s, struct arena *a, struct str *bytes, struct str *type, bool *found, struct gh_err *err)
{
	struct row r;

	TRY(find_row(s, sql_use(s, SQL_LOOK_LOGO), &logo_type, a, &r, found, err));
	*found = *found && r.logo.n;
	*bytes = *found ? r.logo : STR_NULL;
	*type = *found ? r.logo_type : STR_NULL;
	return GH_RC_OK;
}
