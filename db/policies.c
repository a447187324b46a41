#include "db/policy_history.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field policy_fields[] = {
	FIELD(store_policy, INT, scope.kind),       FIELD(store_policy, REF, scope.business_group_id),
	FIELD(store_policy, REF, scope.product_id), FIELD(store_policy, REF, scope.api_id),
	FIELD(store_policy, INT, scope.revision),   FIELD(store_policy, REF, scope.operation_id),
	FIELD(store_policy, REF, scope.environment_id),
	FIELD_HIDDEN(store_policy, BLOB, bytes),    FIELD(store_policy, TIME, changed_us),
};
static const struct row_type policy_type = ROW_TYPE("policy document", store_policy, policy_fields);

static const struct field fragment_fields[] = {
	FIELD(store_fragment, TEXT, id),
	FIELD(store_fragment, TEXT, description),
	FIELD_HIDDEN(store_fragment, BLOB, bytes),
	FIELD(store_fragment, TIME, changed_us),
};
static const struct row_type fragment_type = ROW_TYPE("policy fragment", store_fragment, fragment_fields);

/* ---- scopes ----------------------------------------------------------------------------------------------------------- */

static bool parse_api(struct str text, struct store_policy_scope *out)
{
	size_t at = str_find(text, STR(";rev="));

	out->api_id = str_first(text, at == SIZE_MAX ? text.n : at);
	if (at != SIZE_MAX && (!str_to_i64(str_from(text, at + 5), 1, INT64_MAX, &out->revision)))
		return false;
	return out->api_id.n > 0;
}

static bool parse_operation(struct str text, struct store_policy_scope *out)
{
	size_t slash = str_find_char(text, '/');

	if (slash == SIZE_MAX)
		return false;
	out->operation_id = str_from(text, slash + 1);
	return out->operation_id.n && parse_api(str_first(text, slash), out);
}

GH_RC store_policy_scope_parse(struct str text, struct store_policy_scope *out, struct gh_err *err)
{
	size_t colon = str_find_char(text, ':');
	struct str kind = str_first(text, colon == SIZE_MAX ? text.n : colon);
	struct str rest = colon == SIZE_MAX ? STR_NULL : str_from(text, colon + 1);
	bool ok = false;

	*out = (struct store_policy_scope){ 0 };
	if (str_eq(kind, STR("global"))) {
		out->kind = STORE_POLICY_GLOBAL;
		ok = colon == SIZE_MAX;
	} else if (str_eq(kind, STR("workspace"))) {
		out->kind = STORE_POLICY_WORKSPACE;
		out->business_group_id = rest;
		ok = rest.n > 0;
	} else if (str_eq(kind, STR("environment"))) {
		out->kind = STORE_POLICY_ENVIRONMENT;
		out->environment_id = rest;
		ok = rest.n > 0;
	} else if (str_eq(kind, STR("product"))) {
		out->kind = STORE_POLICY_PRODUCT;
		out->product_id = rest;
		ok = rest.n > 0;
	} else if (str_eq(kind, STR("api"))) {
		out->kind = STORE_POLICY_API;
		ok = parse_api(rest, out);
	} else if (str_eq(kind, STR("operation"))) {
		out->kind = STORE_POLICY_OPERATION;
		ok = parse_operation(rest, out);
	}
	if (!ok)
		FAIL(err, SYNTAX, "'%.*s' is no scope; write global, environment:ID, workspace:ID, product:ID, api:ID, api:ID;rev=N, "
		     "operation:API/OP or operation:API;rev=N/OP", STR_ARG(str_first(text, 200)));
	return GH_RC_OK;
}

/* As text for the audit trail and messages: the form that store_policy_scope_parse reads. */
static struct str scope_name(struct buf *b, const struct store_policy_scope *p)
{
	static const char *const kinds[] = { "global", "workspace:", "product:", "api:", "operation:", "environment:" };

	buf_clear(b);
	buf_cstr(b, p->kind >= 0 && p->kind < (int64_t)ARRAY_LEN(kinds) ? kinds[p->kind] : "?");
	buf_str(b, p->business_group_id);
	buf_str(b, p->environment_id);
	buf_str(b, p->product_id);
	buf_str(b, p->api_id);
	if (p->revision)
		buf_fmt(b, ";rev=%lld", (long long)p->revision);
	if (p->operation_id.n)
		buf_fmt(b, "/%.*s", STR_ARG(p->operation_id));
	return buf_view(b);
}

/* Revision 0 becomes the number of the current one. *found is false when there is no such API. */
static gh_rc fix_revision(struct store *s, struct store_policy_scope *p, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_CURRENT);

	*found = true;
	if (!p->api_id.n || p->revision)
		return GH_RC_OK;
	bind_str(st, 1, p->api_id);
	return find_int(s, st, &p->revision, found, err);
}

static void bind_place(sqlite3_stmt *st, const struct store_policy_scope *p)
{
	bind_int(st, 1, p->kind);
	bind_str(st, 2, p->business_group_id);
	bind_str(st, 3, p->product_id);
	bind_str(st, 4, p->api_id);
	bind_int(st, 5, p->revision);
	bind_str(st, 6, p->operation_id);
	bind_str(st, 7, p->environment_id);
}

/* ---- what was before -------------------------------------------------------------------------------------------------- */

static const struct field past_fields[] = {
	FIELD(store_policy_past, INT, id),
	FIELD(store_policy_past, TIME, at_us),
	FIELD(store_policy_past, TEXT, actor),
	FIELD(store_policy_past, BLOB, bytes),
};
static const struct row_type past_type = ROW_TYPE("past policy document", store_policy_past, past_fields);

/* bytes STR_NULL: the document is taken away. */
static gh_rc remember(struct store *s, struct str scope, struct str bytes, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_POLICY_PAST_ADD);

	bind_str(st, 1, scope);
	bind_int(st, 2, clock_wall_us());
	bind_str(st, 3, str_of(s->actor));
	bind_blob(st, 4, bytes);
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_POLICY_PAST_PRUNE);
	bind_str(st, 1, scope);
	bind_int(st, 2, POLICY_HISTORY_MAX);
	return sql_done(s, st, err);
}

GH_RC store_policy_scope_name(struct store *s, struct arena *a, const struct store_policy_scope *scope, struct str *out, bool *found,
			      struct gh_err *err)
{
	struct store_policy_scope place = *scope;
	struct buf name;

	TRY(fix_revision(s, &place, found, err));
	if (!*found)
		return GH_RC_OK;
	buf_init(&name, 4096);
	*out = arena_dup(a, scope_name(&name, &place));
	buf_release(&name);
	if (!out->p)
		FAIL(err, NOMEM, "scope of a policy");
	return GH_RC_OK;
}

GH_RC store_policy_history(struct store *s, struct arena *a, const struct store_policy_scope *scope, struct store_policy_past **out,
			   size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st;
	struct str name;
	bool found;

	*n = 0;
	TRY(store_policy_scope_name(s, a, scope, &name, &found, err));
	if (!found)
		return GH_RC_OK;
	st = sql_use(s, SQL_POLICY_PAST_LIST);
	bind_str(st, 1, name);
	return list_rows(s, st, &past_type, a, out, n, err);
}

GH_RC store_policy_past_find(struct store *s, struct arena *a, const struct store_policy_scope *scope, int64_t id,
			     struct store_policy_past *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st;
	struct str name;

	TRY(store_policy_scope_name(s, a, scope, &name, found, err));
	if (!*found)
		return GH_RC_OK;
	st = sql_use(s, SQL_POLICY_PAST_GET);
	bind_str(st, 1, name);
	bind_int(st, 2, id);
	return find_row(s, st, &past_type, a, out, found, err);
}

/* ---- documents -------------------------------------------------------------------------------------------------------- */

static gh_rc set_policy(struct store *s, const struct store_policy_scope *place, struct str bytes, struct str name,
			struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_POLICY_PUT);
	gh_rc rc;

	bind_place(st, place);
	bind_blob(st, 8, bytes.p ? bytes : STR(""));
	bind_int(st, 9, clock_wall_us());
	rc = change_run(s, st, &(struct change){ .action = "set", .kind = "policy document", .id = name,
						 .detail = STR_NULL, .raises = RAISES_CONFIG }, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, NOT_FOUND, "scope %.*s: there is no such environment, product, API, revision or operation", STR_ARG(name));
	return rc.code ? rc : remember(s, name, bytes.p ? bytes : STR(""), err);
}

GH_RC store_policy_set(struct store *s, const struct store_policy_scope *scope, struct str bytes, struct gh_err *err)
{
	struct store_policy_scope place = *scope;
	struct buf name;
	bool found;
	gh_rc rc;

	if (bytes.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "a policy document has %zu bytes; %d are allowed", bytes.n, STORE_TEXT_MAX);
	TRY(fix_revision(s, &place, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(place.api_id));
	buf_init(&name, 4096);
	rc = set_policy(s, &place, bytes, scope_name(&name, &place), err);
	buf_release(&name);
	return rc;
}

GH_RC store_policy_unset(struct store *s, const struct store_policy_scope *scope, struct gh_err *err)
{
	struct store_policy_scope place = *scope;
	sqlite3_stmt *st = sql_use(s, SQL_POLICY_DROP);
	struct buf name;
	bool found;
	gh_rc rc;

	TRY(fix_revision(s, &place, &found, err));
	buf_init(&name, 4096);
	bind_place(st, &place);
	rc = change_run(s, st, &(struct change){ .action = "delete", .kind = "policy document",
						 .id = scope_name(&name, &place), .raises = RAISES_CONFIG }, err);
	if (!rc.code)
		rc = remember(s, buf_view(&name), STR_NULL, err);
	buf_release(&name);
	return rc;
}

GH_RC store_policy_find(struct store *s, struct arena *a, const struct store_policy_scope *scope, struct str *bytes, bool *found,
			struct gh_err *err)
{
	struct store_policy_scope place = *scope;
	sqlite3_stmt *st = sql_use(s, SQL_POLICY_GET);
	struct store_policy row;

	TRY(fix_revision(s, &place, found, err));
	if (!*found)
		return GH_RC_OK;
	bind_place(st, &place);
	TRY(find_row(s, st, &policy_type, a, &row, found, err));
	if (*found)
		*bytes = row.bytes;
	return GH_RC_OK;
}

GH_RC store_policies(struct store *s, struct arena *a, struct store_policy **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_POLICY_ALL), &policy_type, a, out, n, err);
}

GH_RC store_policy_page(struct store *s, struct arena *a, const struct store_page *page, struct store_policy **out, size_t *n,
			struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_POLICY_PAGE);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	return list_rows(s, st, &policy_type, a, out, n, err);
}

/* ---- fragments -------------------------------------------------------------------------------------------------------- */

GH_RC store_fragment_set(struct store *s, const struct store_fragment *f, struct gh_err *err)
{
	struct store_fragment row = *f;

	if (f->bytes.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "fragment '%.*s' has %zu bytes; %d are allowed", STR_ARG(f->id), f->bytes.n, STORE_TEXT_MAX);
	if (!row.bytes.p)
		row.bytes = STR("");
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_FRAGMENT_PUT, &fragment_type, &row,
			  (struct change){ .action = "set", .id = f->id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_fragment_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_FRAGMENT_DROP, id, STR_NULL, CHANGE_DROP("policy fragment"), err);
}

GH_RC store_fragment_find(struct store *s, struct arena *a, struct str id, struct store_fragment *out, bool *found,
			  struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_FRAGMENT_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &fragment_type, a, out, found, err);
}

GH_RC store_fragments(struct store *s, struct arena *a, struct store_fragment **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_FRAGMENT_ALL), &fragment_type, a, out, n, err);
}
