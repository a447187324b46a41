#include "db/identity_providers.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"
#include "db/sql.h"

enum { SCRATCH_BYTES = 1 << 20, ID_MAX = 64 };
static const char PROVIDER_KIND[] = "identity_provider";

struct provider_row {
	struct store_provider p;
	struct str sealed;
};
#define PROVIDER_FIELD(kind, member) { #member, FIELD_##kind, offsetof(struct provider_row, p.member) }
static const struct field provider_fields[] = {
	PROVIDER_FIELD(TEXT, id),           PROVIDER_FIELD(TEXT, name),         PROVIDER_FIELD(TEXT, issuer),
	PROVIDER_FIELD(TEXT, client_id),    FIELD_HIDDEN(provider_row, BLOB, sealed), PROVIDER_FIELD(TEXT, scopes),
	PROVIDER_FIELD(TEXT, groups_claim), PROVIDER_FIELD(TEXT, group_map),    PROVIDER_FIELD(TEXT, role_map),
	PROVIDER_FIELD(BOOL, for_portal),   PROVIDER_FIELD(BOOL, for_admin),    PROVIDER_FIELD(BOOL, create_users),
	PROVIDER_FIELD(TIME, created_us),
};
static const struct row_type provider_type = ROW_TYPE("identity provider", provider_row, provider_fields);

static gh_rc check_id(struct str id, struct gh_err *err)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && id.p[i] != '-' && id.p[i] != '_')
			FAIL(err, INVALID, "identity provider '%.*s': an id consists of letters, digits, '-' and '_'", STR_ARG(id));
	if (!id.n || id.n > ID_MAX)
		FAIL(err, INVALID, "the id of an identity provider has 1 to %d characters", ID_MAX);
	return GH_RC_OK;
}

static gh_rc check_map(struct str text, const char *what, struct gh_err *err)
{
	json_t *map = NULL, *value;
	const char *key;
	bool ok;

	TRY(jsn_parse(text, NULL, &map, NULL, err));
	ok = json_is_object(map);
	json_object_foreach(map, key, value)
		ok = ok && json_is_string(value);
	json_decref(map);
	if (!ok)
		FAIL(err, INVALID, "a %s map is a JSON object of texts", what);
	return GH_RC_OK;
}

static struct str text_or(struct str s, struct str other)
{
	return s.p ? s : other;
}

GH_RC store_provider_set(struct store *s, const struct store_provider *p, struct gh_err *err)
{
	struct provider_row row = { .p = *p };
	struct arena *scratch;
	gh_rc rc;

	TRY(check_id(p->id, err));
	row.p.name = p->name.n ? p->name : p->id;
	row.p.scopes = text_or(p->scopes, STR("openid email profile"));
	row.p.groups_claim = text_or(p->groups_claim, STR("groups"));
	row.p.group_map = p->group_map.n ? p->group_map : STR("{}");
	row.p.role_map = p->role_map.n ? p->role_map : STR("{}");
	if (!row.p.created_us)
		row.p.created_us = clock_wall_us();
	TRY(check_map(row.p.group_map, "group", err));
	TRY(check_map(row.p.role_map, "role", err));
	scratch = arena_new(SCRATCH_BYTES);
	if (!scratch)
		FAIL(err, NOMEM, "identity provider '%.*s'", STR_ARG(p->id));
	rc = store_seal(s, scratch, PROVIDER_KIND, p->id, p->secret, &row.sealed, err);
	if (!rc.code)
		rc = change_row(s, SQL_PROVIDER_PUT, &provider_type, &row,
				(struct change){ .action = "set", .id = p->id, .raises = RAISES_CONFIG }, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_provider_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_PROVIDER_DROP, id, STR_NULL, CHANGE_DROP("identity provider"), err);
}

static gh_rc finish(struct store *s, struct arena *a, bool in_clear, struct provider_row *row, struct store_provider *out,
		    struct gh_err *err)
{
	*out = row->p;
	out->has_secret = row->sealed.p != NULL;
	out->secret = STR_NULL;
	return in_clear ? store_unseal(s, a, PROVIDER_KIND, row->p.id, row->sealed, &out->secret, err) : GH_RC_OK;
}

GH_RC store_provider_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_provider *out,
			  bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PROVIDER_GET);
	struct provider_row row = { .sealed = STR_NULL };

	bind_str(st, 1, id);
	TRY(find_row(s, st, &provider_type, a, &row, found, err));
	return *found ? finish(s, a, in_clear, &row, out, err) : GH_RC_OK;
}

GH_RC store_providers(struct store *s, struct arena *a, bool in_clear, struct store_provider **out, size_t *n,
		      struct gh_err *err)
{
	struct provider_row *rows;

	TRY(list_rows(s, sql_use(s, SQL_PROVIDER_ALL), &provider_type, a, &rows, n, err));
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "%zu identity providers", *n);
	for (size_t i = 0; i < *n; i++)
		TRY(finish(s, a, in_clear, &rows[i], &(*out)[i], err));
	return GH_RC_OK;
}

/* ---- who somebody is there ------------------------------------------------------------------------------------------- */

static const struct field identity_fields[] = {
	FIELD(store_identity, TEXT, provider_id), FIELD(store_identity, TEXT, subject), FIELD(store_identity, TEXT, user_id),
	FIELD(store_identity, TIME, created_us),
};
static const struct row_type identity_type = ROW_TYPE("identity", store_identity, identity_fields);

GH_RC store_identity_add(struct store *s, struct str provider_id, struct str subject, struct str user_id, struct gh_err *err)
{
	struct store_identity row = { .provider_id = provider_id, .subject = subject, .user_id = user_id,
				      .created_us = clock_wall_us() };

	return change_row(s, SQL_IDENTITY_ADD, &identity_type, &row, (struct change){ .action = "link", .id = user_id }, err);
}

GH_RC store_identity_remove(struct store *s, struct str provider_id, struct str user_id, struct gh_err *err)
{
	return change_keys(s, SQL_IDENTITY_DROP, provider_id, user_id,
			   (struct change){ .action = "unlink", .kind = "identity", .id = user_id, .must_exist = true }, err);
}

GH_RC store_identity_find(struct store *s, struct arena *a, struct str provider_id, struct str subject,
			  struct store_identity *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_IDENTITY_GET);

	bind_str(st, 1, provider_id);
	bind_str(st, 2, subject);
	return find_row(s, st, &identity_type, a, out, found, err);
}

GH_RC store_identities_of_user(struct store *s, struct arena *a, struct str user_id, struct store_identity **out, size_t *n,
			       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_IDENTITY_OF_USER);

	bind_str(st, 1, user_id);
	return list_rows(s, st, &identity_type, a, out, n, err);
}

/* ---- APIs behind a sign-in ------------------------------------------------------------------------------------------- */

static const struct field sign_in_fields[] = {
	FIELD(store_api_sign_in, TEXT, api_id), FIELD(store_api_sign_in, TEXT, provider_id), FIELD(store_api_sign_in, TEXT, groups),
	FIELD(store_api_sign_in, INT, idle_s),  FIELD(store_api_sign_in, INT, max_s),
};
static const struct row_type sign_in_type = ROW_TYPE("sign-in of an API", store_api_sign_in, sign_in_fields);

GH_RC store_api_sign_in_set(struct store *s, const struct store_api_sign_in *x, struct gh_err *err)
{
	return change_row(s, SQL_API_SIGN_IN_PUT, &sign_in_type, x,
			  (struct change){ .action = "set", .id = x->api_id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_api_sign_in_delete(struct store *s, struct str api_id, struct gh_err *err)
{
	return change_keys(s, SQL_API_SIGN_IN_DROP, api_id, STR_NULL, CHANGE_DROP("sign-in of an API"), err);
}

GH_RC store_api_sign_in_find(struct store *s, struct arena *a, struct str api_id, struct store_api_sign_in *out, bool *found,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_SIGN_IN_GET);

	bind_str(st, 1, api_id);
	return find_row(s, st, &sign_in_type, a, out, found, err);
}

GH_RC store_api_sign_ins(struct store *s, struct arena *a, struct store_api_sign_in **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_API_SIGN_IN_ALL), &sign_in_type, a, out, n, err);
}
