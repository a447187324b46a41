#include "db/credentials.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/secrets.h"
#include "db/sql.h"

enum { SCRATCH_BYTES = 4 << 20 };
static const char KIND[] = "credential", GRANT_KIND[] = "credential_grant";

static const struct field credential_fields[] = {
	FIELD(store_credential, TEXT, environment_id),
	FIELD(store_credential, TEXT, id),
	FIELD(store_credential, TEXT, name),
	FIELD(store_credential, TEXT, description),
	FIELD(store_credential, TEXT, provider),
	FIELD(store_credential, TEXT, resource),
	FIELD(store_credential, TEXT, kind),
	FIELD(store_credential, TEXT, settings),
	FIELD_HIDDEN(store_credential, BLOB, secrets),
	FIELD(store_credential, TIME, created_us),
	FIELD(store_credential, TIME, changed_us),
};
static const struct row_type credential_type = ROW_TYPE(KIND, store_credential, credential_fields);

static const struct field grant_fields[] = {
	FIELD(store_credential_grant, TEXT, environment_id),
	FIELD(store_credential_grant, TEXT, credential_id),
	FIELD_HIDDEN(store_credential_grant, BLOB, refresh_token),
	FIELD(store_credential_grant, TEXT, granted_by),
	FIELD(store_credential_grant, TIME, granted_us),
	FIELD(store_credential_grant, TIME, changed_us),
};
static const struct row_type grant_type = ROW_TYPE("consent to credential", store_credential_grant, grant_fields);

/* What a sealed value is bound to, and how the audit trail names the row. */
static GH_RC place_of(struct arena *a, struct str environment_id, struct str id, struct str *out, struct gh_err *err)
{
	*out = arena_printf(a, "%.*s/%.*s", STR_ARG(environment_id), STR_ARG(id));
	if (!out->p)
		FAIL(err, NOMEM, "credential '%.*s'", STR_ARG(id));
	return GH_RC_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static gh_rc check_id(struct str id, struct gh_err *err)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("._-", id.p[i]))
			FAIL(err, INVALID, "credential '%.*s': an id consists of letters, digits, '.', '_' and '-'", STR_ARG(str_first(id, 120)));
	if (!id.n || id.n > STORE_CREDENTIAL_ID_MAX)
		FAIL(err, INVALID, "the id of a credential has 1 to %d characters", STORE_CREDENTIAL_ID_MAX);
	return GH_RC_OK;
}

GH_RC store_credential_parse(struct arena *a, const struct store_credential *row, struct credential *out, struct gh_err *err)
{
	*out = (struct credential){ .environment = row->environment_id, .id = row->id };
	if (!credential_kind_of(row->kind, &out->kind))
		FAIL(err, INVALID, "credential '%.*s': there is no kind '%.*s'", STR_ARG(row->id), STR_ARG(str_first(row->kind, 80)));
	if (jsn_parse_in(a, row->settings.n ? row->settings : STR("{}"), NULL, &out->settings, NULL, err).code
	    || !json_is_object(out->settings))
		FAIL(err, INVALID, "credential '%.*s': its settings are no JSON object", STR_ARG(row->id));
	if (row->secrets.n && (jsn_parse_in(a, row->secrets, NULL, &out->secrets, NULL, err).code || !json_is_object(out->secrets)))
		FAIL(err, INVALID, "credential '%.*s': its secrets are no JSON object", STR_ARG(row->id));
	return GH_RC_OK;
}

/* What is there, with what is given over it, without what another kind had. */
static gh_rc merge_secrets(struct arena *a, struct str old, struct store_credential *row, struct gh_err *err)
{
	struct credential c, more;
	const char *name;
	void *next;
	json_t *v;

	TRY(store_credential_parse(a, row, &more, err));
	row->secrets = old.n ? old : STR("{}");
	TRY(store_credential_parse(a, row, &c, err));
	json_object_foreach(more.secrets, name, v)
		json_object_set(c.secrets, name, v);
	json_object_foreach_safe(c.secrets, next, name, v) {
		const struct credential_field *f = credential_field_find(str_of(name));

		if (json_is_null(v) || (!jsn_get(more.secrets, name) && (!f || !(f->kinds & 1u << c.kind))))
			json_object_del(c.secrets, name);
	}
	row->secrets = json_object_size(c.secrets) ? jsn_text(a, c.secrets, JSN_SORTED) : STR_NULL;
	return GH_RC_OK;
}

static gh_rc bind_refs(struct store *s, const struct credential *c, struct str place, struct gh_err *err)
{
	const char *name;
	json_t *v;

	TRY(store_secret_unbind(s, KIND, place, err));
	json_object_foreach(c->secrets, name, v)
		if (json_is_object(v))
			TRY(store_secret_bind(s, KIND, place, name, jsn_str(v, "ref"), err));
	return GH_RC_OK;
}

/* Consent was given to this client for these scopes. */
static bool same_consent(const struct credential *x, const struct credential *y)
{
	static const char *const fields[] = { "authorize-url", "token-url", "client-id", "scope" };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (!str_eq(credential_text(x, fields[i]), credential_text(y, fields[i])))
			return false;
	return x->kind == y->kind;
}

/* A statement over the two keys, told by both. */
static gh_rc change_place(struct store *s, enum sql which, struct str environment_id, struct str id, struct change c,
			  struct str *place, struct arena *a, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(place_of(a, environment_id, id, place, err));
	c.id = *place;
	st = sql_use(s, which);
	bind_str(st, 1, environment_id);
	bind_str(st, 2, id);
	return change_run(s, st, &c, err);
}

/* The row as it was written: secrets in clear, references unread. */
static gh_rc find_written(struct store *s, struct arena *a, struct str environment_id, struct str id,
			  struct store_credential *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CREDENTIAL_GET);
	struct str sealed, place;

	bind_str(st, 1, environment_id);
	bind_str(st, 2, id);
	TRY(find_row(s, st, &credential_type, a, out, found, err));
	if (!*found)
		return GH_RC_OK;
	sealed = out->secrets;
	TRY(place_of(a, environment_id, id, &place, err));
	return store_unseal(s, a, KIND, place, sealed, &out->secrets, err);
}

static gh_rc put(struct store *s, struct arena *a, struct store_credential *row, struct gh_err *err)
{
	struct change change = { .action = "set", .raises = RAISES_CONFIG };
	struct store_credential old = { .id = STR_NULL };
	struct credential now, before;
	struct str place;
	bool found;

	TRY(find_written(s, a, row->environment_id, row->id, &old, &found, err));
	TRY(merge_secrets(a, old.secrets, row, err));
	TRY(store_credential_parse(a, row, &now, err));
	TRY(credential_check(&now, err));
	row->resource = credential_text(&now, "resource");
	row->changed_us = clock_wall_us();
	row->created_us = found ? old.created_us : row->changed_us;
	TRY(place_of(a, row->environment_id, row->id, &change.id, err));
	TRY(store_seal(s, a, KIND, change.id, row->secrets, &row->secrets, err));
	TRY(change_row(s, SQL_CREDENTIAL_PUT, &credential_type, row, change, err));
	TRY(bind_refs(s, &now, change.id, err));
	if (!found || store_credential_parse(a, &old, &before, NULL).code || same_consent(&before, &now))
		return GH_RC_OK;
	return change_place(s, SQL_CREDENTIAL_GRANT_DROP, row->environment_id, row->id,
			    (struct change){ .action = "withdraw", .kind = grant_type.kind, .raises = RAISES_CONFIG }, &place, a, err);
}

GH_RC store_credential_set(struct store *s, const struct store_credential *c, struct gh_err *err)
{
	struct store_credential row = *c;
	struct arena *scratch;
	gh_rc rc;

	TRY(check_id(c->id, err));
	if (c->settings.n > STORE_TEXT_MAX || c->secrets.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "credential '%.*s' is larger than %d bytes", STR_ARG(c->id), STORE_TEXT_MAX);
	scratch = arena_new(SCRATCH_BYTES);
	if (!scratch)
		FAIL(err, NOMEM, "credential '%.*s'", STR_ARG(c->id));
	rc = put(s, scratch, &row, err);
	if (rc.code == GH_E_INVALID && err && !str_starts(str_of(err->message), STR("credential '")))
		gh_err_prefix(err, "credential '%.*s'", STR_ARG(c->id));
	arena_free(scratch);
	return rc;
}

static gh_rc count(struct store *s, enum sql which, struct str x, struct str y, int64_t *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, which);
	bool found;

	bind_str(st, 1, x);
	if (y.p)
		bind_str(st, 2, y);
	return find_int(s, st, out, &found, err);
}

GH_RC store_credential_delete(struct store *s, struct str environment_id, struct str id, struct gh_err *err)
{
	int64_t elsewhere = 0, used = 0;
	struct arena *scratch;
	struct str place;
	gh_rc rc;

	TRY(count(s, SQL_CREDENTIAL_ELSEWHERE, id, environment_id, &elsewhere, err));
	TRY(count(s, SQL_CREDENTIAL_USED, id, STR_NULL, &used, err));
	if (used && !elsewhere)
		FAIL(err, CONFLICT, "credential '%.*s' is named by %lld backend%s: take it from there first", STR_ARG(id), (long long)used,
		     used == 1 ? "" : "s");
	scratch = arena_new(SCRATCH_BYTES);
	if (!scratch)
		FAIL(err, NOMEM, "credential '%.*s'", STR_ARG(id));
	rc = change_place(s, SQL_CREDENTIAL_DROP, environment_id, id, CHANGE_DROP(KIND), &place, scratch, err);
	if (!rc.code)
		rc = store_secret_unbind(s, KIND, place, err);
	arena_free(scratch);
	return rc;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* Puts values in the place of references; one that has none is left out, and `problem` tells. */
static gh_rc read_refs(struct store *s, struct arena *a, struct store_credential *c, json_t *secrets, struct gh_err *err)
{
	json_t *refs = jsn_keep(a, json_object()), *v;
	const char *name;
	void *next;

	json_object_foreach_safe(secrets, next, name, v) {
		struct str value, why, ref = arena_dup(a, jsn_str(v, "ref"));

		if (!json_is_object(v))
			continue;
		TRY(store_secret_value(s, a, ref, &value, &why, err));
		json_object_set(refs, name, jsn_get(v, "ref"));
		if (value.p) {
			json_object_set_new(secrets, name, json_stringn(value.p, value.n));
			continue;
		}
		c->problem = arena_printf(a, "%s (%.*s): %.*s", name, STR_ARG(ref), STR_ARG(why));
		json_object_del(secrets, name);
	}
	c->refs = json_object_size(refs) ? jsn_text(a, refs, JSN_SORTED) : STR_NULL;
	c->secrets = jsn_text(a, secrets, JSN_SORTED);
	return GH_RC_OK;
}

static gh_rc reveal(struct store *s, struct arena *a, bool in_clear, struct store_credential *c, struct gh_err *err)
{
	struct str sealed = c->secrets, place;
	struct credential parsed;

	c->secrets = c->refs = c->problem = STR_NULL;
	if (!in_clear)
		return GH_RC_OK;
	TRY(place_of(a, c->environment_id, c->id, &place, err));
	TRY(store_unseal(s, a, KIND, place, sealed, &c->secrets, err));
	TRY(store_credential_parse(a, c, &parsed, err));
	credential_print(&parsed, c->secrets, c->print);
	return parsed.secrets ? read_refs(s, a, c, parsed.secrets, err) : GH_RC_OK;
}

GH_RC store_credential_find(struct store *s, struct arena *a, struct str environment_id, struct str id, bool in_clear,
			    struct store_credential *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CREDENTIAL_GET);

	bind_str(st, 1, environment_id);
	bind_str(st, 2, id);
	TRY(find_row(s, st, &credential_type, a, out, found, err));
	return *found ? reveal(s, a, in_clear, out, err) : GH_RC_OK;
}

GH_RC store_credentials(struct store *s, struct arena *a, bool in_clear, struct store_credential **out, size_t *n,
			struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_CREDENTIAL_ALL), &credential_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++)
		TRY(reveal(s, a, in_clear, &(*out)[i], err));
	return GH_RC_OK;
}

/* ---- consent ------------------------------------------------------------------------------------------------------- */

GH_RC store_credential_grant_set(struct store *s, const struct store_credential_grant *g, struct gh_err *err)
{
	struct change change = { .action = "set", .raises = RAISES_CONFIG };
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct store_credential_grant row = *g;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "consent to credential '%.*s'", STR_ARG(g->credential_id));
	row.granted_us = row.changed_us = clock_wall_us();
	rc = place_of(scratch, g->environment_id, g->credential_id, &change.id, err);
	if (!rc.code)
		rc = store_seal(s, scratch, GRANT_KIND, change.id, g->refresh_token, &row.refresh_token, err);
	if (!rc.code)
		rc = change_row(s, SQL_CREDENTIAL_GRANT_PUT, &grant_type, &row, change, err);
	arena_free(scratch);
	return rc;
}

/* In one transaction with the change, so nobody comes between. */
static gh_rc stands_there(struct store *s, struct arena *a, struct str environment_id, struct str id, struct str token, bool *fits,
			  struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CREDENTIAL_GRANT_GET);
	struct store_credential_grant row;
	struct str place, present;
	bool found;

	bind_str(st, 1, environment_id);
	bind_str(st, 2, id);
	TRY(place_of(a, environment_id, id, &place, err));
	TRY(find_row(s, st, &grant_type, a, &row, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no %s '%.*s'", grant_type.kind, STR_ARG(place));
	TRY(store_unseal(s, a, GRANT_KIND, place, row.refresh_token, &present, err));
	*fits = crypto_equal(present, token);
	crypto_wipe((char *)(uintptr_t)present.p, present.n);
	return GH_RC_OK;
}

static gh_rc rotate(struct store *s, struct arena *a, struct str environment_id, struct str id, struct str token,
		    struct gh_err *err)
{
	struct change c = { .action = "rotate", .kind = grant_type.kind, .raises = RAISES_CONFIG, .must_exist = true };
	sqlite3_stmt *st;
	struct str sealed;

	TRY(place_of(a, environment_id, id, &c.id, err));
	TRY(store_seal(s, a, GRANT_KIND, c.id, token, &sealed, err));
	st = sql_use(s, SQL_CREDENTIAL_GRANT_ROTATE);
	bind_str(st, 1, environment_id);
	bind_str(st, 2, id);
	bind_blob(st, 3, sealed);
	bind_int(st, 4, clock_wall_us());
	return change_run(s, st, &c, err);
}

GH_RC store_credential_grant_rotate(struct store *s, struct str environment_id, struct str id, struct str old,
				    struct str refresh_token, bool *fits, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	gh_rc rc;

	*fits = false;
	if (!scratch)
		FAIL(err, NOMEM, "consent to credential '%.*s'", STR_ARG(id));
	rc = stands_there(s, scratch, environment_id, id, old, fits, err);
	if (!rc.code && *fits)
		rc = rotate(s, scratch, environment_id, id, refresh_token, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_credential_grants(struct store *s, struct arena *a, bool in_clear, struct store_credential_grant **out, size_t *n,
			      struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_CREDENTIAL_GRANT_ALL), &grant_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct store_credential_grant *g = &(*out)[i];
		struct str sealed = g->refresh_token, place;

		g->refresh_token = STR_NULL;
		if (!in_clear)
			continue;
		TRY(place_of(a, g->environment_id, g->credential_id, &place, err));
		TRY(store_unseal(s, a, GRANT_KIND, place, sealed, &g->refresh_token, err));
	}
	return GH_RC_OK;
}
