#include "db/apis.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"
#include "db/api_rows.h"

const char *const store_api_state_names[] = { "draft", "published", "deprecated", "retired", "preview", NULL };

/* The first API_OWN_FIELDS stand in the table api, the rest in api_revision. */
enum { API_OWN_FIELDS = 15 };
static const struct field api_fields[] = {
	FIELD(store_api, TEXT, id),
	FIELD(store_api, TEXT, environment_id),
	FIELD(store_api, TEXT, path),
	FIELD(store_api, TEXT, name),
	FIELD(store_api, TEXT, description),
	FIELD(store_api, REF, version_set_id),
	FIELD(store_api, TEXT, version),
	FIELD(store_api, REF, key_header),
	FIELD(store_api, REF, key_query),
	FIELD(store_api, BOOL, subscription_required),
	FIELD(store_api, INT, state),
	FIELD(store_api, TIME, created_us),
	FIELD(store_api, TIME, changed_us),
	FIELD(store_api, TIME, deprecated_us),
	FIELD(store_api, TIME, sunset_us),
	FIELD(store_api, INT, revision),
	FIELD(store_api, BOOL, is_current),
	FIELD(store_api, REF, backend_url),
	FIELD(store_api, REF, backend_id),
	FIELD(store_api, TEXT, revision_description),
};
const struct row_type api_type = ROW_TYPE("API", store_api, api_fields);
static const struct row_type api_own_type = { "API", api_fields, API_OWN_FIELDS, sizeof(struct store_api) };

static const struct field operation_fields[] = {
	FIELD(store_operation, TEXT, api_id),       FIELD(store_operation, INT, revision),
	FIELD(store_operation, TEXT, id),           FIELD(store_operation, TEXT, method),
	FIELD(store_operation, TEXT, uri_template), FIELD(store_operation, TEXT, name),
	FIELD(store_operation, TEXT, description),  FIELD(store_operation, INT, position),
	FIELD(store_operation, TEXT, tags),
};
static const struct row_type operation_type = ROW_TYPE("operation", store_operation, operation_fields);

static const struct field version_set_fields[] = {
	FIELD(store_version_set, TEXT, id),     FIELD(store_version_set, TEXT, name), FIELD(store_version_set, TEXT, description),
	FIELD(store_version_set, TEXT, scheme), FIELD(store_version_set, REF, parameter),
};
static const struct row_type version_set_type = ROW_TYPE("version set", store_version_set, version_set_fields);

static const struct field document_fields[] = {
	FIELD(store_api_document, TEXT, api_id), FIELD(store_api_document, INT, revision),
	FIELD(store_api_document, TEXT, media_type), FIELD(store_api_document, REF, source),
	FIELD_HIDDEN(store_api_document, BLOB, bytes), FIELD_HIDDEN(store_api_document, BLOB, bundled),
};
static const struct row_type document_type = ROW_TYPE("API description", store_api_document, document_fields);

/* ---- APIs ------------------------------------------------------------------------------------------------------------- */

static gh_rc check_api(const struct store_api *api, struct gh_err *err)
{
	if (!api->id.n || str_find_char(api->id, ';') != SIZE_MAX || str_find_char(api->id, '/') != SIZE_MAX)
		FAIL(err, INVALID, "API '%.*s': an id is not empty and holds neither ';' nor '/'", STR_ARG(api->id));
	if (str_starts(api->path, STR("/")) || str_ends(api->path, STR("/")))
		FAIL(err, INVALID, "API '%.*s': path '%.*s' must have no slash at its ends", STR_ARG(api->id),
		     STR_ARG(api->path));
	if (api->backend_url.n && api->backend_id.n)
		FAIL(err, INVALID, "API '%.*s' names a backend by URL and by id; give one", STR_ARG(api->id));
	return GH_RC_OK;
}

GH_RC store_api_create(struct store *s, const struct store_api *api, struct gh_err *err)
{
	return store_api_create_at(s, api, 1, err);
}

GH_RC store_api_create_at(struct store *s, const struct store_api *api, int64_t revision, struct gh_err *err)
{
	struct store_api row = *api;
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_ADD);

	TRY(check_api(api, err));
	row.created_us = api->created_us ? api->created_us : clock_wall_us();
	row.changed_us = row.created_us;
	TRY(api_life_settle(&row, NULL, err));
	TRY(change_row(s, SQL_API_ADD, &api_own_type, &row, CHANGE_ADD(api->id), err));
	TRY(api_life_note(s, &row, NULL, err));
	bind_str(st, 1, api->id);
	bind_int(st, 2, revision);
	bind_int(st, 3, 1);
	bind_ref(st, 4, api->backend_url);
	bind_ref(st, 5, api->backend_id);
	bind_str(st, 6, api->revision_description);
	bind_int(st, 7, row.created_us);
	return change_run(s, st, &(struct change){ .kind = "API", .id = api->id, .raises = RAISES_CONFIG }, err);
}

/* The revision that was named, or the current one for 0; *found false: there is no such API. */
static gh_rc present_revision(struct store *s, struct str api_id, int64_t given, int64_t *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_CURRENT);

	*found = true;
	*out = given;
	if (given)
		return GH_RC_OK;
	bind_str(st, 1, api_id);
	return find_int(s, st, out, found, err);
}

static gh_rc revision_number(struct store *s, struct str api_id, int64_t given, int64_t *out, struct gh_err *err)
{
	bool found;

	TRY(present_revision(s, api_id, given, out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(api_id));
	return GH_RC_OK;
}

GH_RC store_api_update(struct store *s, const struct store_api *api, struct gh_err *err)
{
	struct store_api row = *api, old = { .id = api->id };
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_SET);
	int64_t revision;
	bool found;

	TRY(check_api(api, err));
	row.changed_us = clock_wall_us();
	TRY(revision_number(s, api->id, api->revision, &revision, err));
	TRY(api_life_read(s, api->id, &old, &found, err));
	TRY(api_life_settle(&row, found ? &old : NULL, err));
	TRY(change_row(s, SQL_API_SET, &api_own_type, &row, CHANGE_SET(api->id), err));
	TRY(api_life_note(s, &row, &old, err));
	bind_str(st, 1, api->id);
	bind_int(st, 2, revision);
	bind_ref(st, 3, api->backend_url);
	bind_ref(st, 4, api->backend_id);
	bind_str(st, 5, api->revision_description);
	return change_run(s, st, &(struct change){ .kind = "revision of API", .id = api->id, .raises = RAISES_CONFIG,
						   .must_exist = true }, err);
}

GH_RC store_api_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_API_DROP, id, STR_NULL, CHANGE_DROP("API"), err);
}

GH_RC store_api_find(struct store *s, struct arena *a, struct str id, int64_t revision, struct store_api *out, bool *found,
		     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, revision ? SQL_API_GET_REVISION : SQL_API_GET_CURRENT);

	bind_str(st, 1, id);
	if (revision)
		bind_int(st, 2, revision);
	return find_row(s, st, &api_type, a, out, found, err);
}

GH_RC store_api_find_path(struct store *s, struct arena *a, struct str environment_id, struct str path, struct str version,
			  struct store_api *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_GET_PATH);

	bind_str(st, 1, environment_id);
	bind_str(st, 2, path);
	bind_str(st, 3, version);
	return find_row(s, st, &api_type, a, out, found, err);
}

GH_RC store_apis(struct store *s, struct arena *a, const struct store_page *page, struct store_api **out, size_t *n,
		 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_PAGE);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	return list_rows(s, st, &api_type, a, out, n, err);
}

GH_RC store_apis_of_product(struct store *s, struct arena *a, struct str product_id, const struct store_page *page,
			    struct store_api **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_OF_PRODUCT);

	bind_str(st, 1, product_id);
	bind_int(st, 2, page && page->limit ? (int64_t)page->limit : STORE_LIST_MAX);
	bind_int(st, 3, page ? (int64_t)page->offset : 0);
	return list_rows(s, st, &api_type, a, out, n, err);
}

GH_RC store_apis_of_product_count(struct store *s, struct str product_id, int64_t *out, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_COUNT_OF_PRODUCT);

	bind_str(st, 1, product_id);
	return find_int(s, st, out, NULL, err);
}

GH_RC store_api_revisions(struct store *s, struct arena *a, struct store_api **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_API_REVISIONS), &api_type, a, out, n, err);
}

GH_RC store_revisions_of_api(struct store *s, struct arena *a, struct str api_id, struct store_api **out, size_t *n,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_REVISIONS_OF);

	bind_str(st, 1, api_id);
	return list_rows(s, st, &api_type, a, out, n, err);
}

/* ---- revisions -------------------------------------------------------------------------------------------------------- */

static gh_rc copy_parts(struct store *s, struct str api_id, int64_t from, int64_t to, struct gh_err *err)
{
	static const enum sql parts[] = { SQL_REVISION_COPY_OPERATIONS, SQL_REVISION_COPY_DOCUMENT, SQL_REVISION_COPY_POLICIES };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		sqlite3_stmt *st = sql_use(s, parts[i]);

		bind_str(st, 1, api_id);
		bind_int(st, 2, from);
		bind_int(st, 3, to);
		TRY(sql_done(s, st, err));
	}
	return GH_RC_OK;
}

/* An id for the audit trail, made on the stack of the caller. */
static struct str named(char out[300], struct str api_id, int64_t revision)
{
	struct buf b;
	struct str view;

	buf_init(&b, 299);
	buf_str(&b, str_first(api_id, 256));
	buf_fmt(&b, ";rev=%lld", (long long)revision);
	view = buf_view(&b);
	memcpy(out, view.p, view.n);
	view.p = out;
	buf_release(&b);
	return view;
}

GH_RC store_revision_create(struct store *s, struct str api_id, int64_t from, struct str description, int64_t *revision,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_NEWEST);
	char id[300];
	int64_t to;

	TRY(change_begin(s, err));
	TRY(revision_number(s, api_id, from, &from, err));
	bind_str(st, 1, api_id);
	TRY(find_int(s, st, &to, NULL, err));
	to++;
	st = sql_use(s, SQL_REVISION_COPY);
	bind_str(st, 1, api_id);
	bind_int(st, 2, from);
	bind_int(st, 3, to);
	bind_str(st, 4, description);
	bind_int(st, 5, clock_wall_us());
	TRY(change_run(s, st, &(struct change){ .action = "create", .kind = "revision", .id = named(id, api_id, to),
						.raises = RAISES_CONFIG, .must_exist = true }, err));
	*revision = to;
	return copy_parts(s, api_id, from, to, err);
}

static gh_rc write_revision(struct store *s, const struct store_api *api, bool is_new, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, is_new ? SQL_REVISION_ADD : SQL_REVISION_SET);
	int at = 3;
	char id[300];

	bind_str(st, 1, api->id);
	bind_int(st, 2, api->revision);
	if (is_new)
		bind_int(st, at++, 0);
	bind_ref(st, at++, api->backend_url);
	bind_ref(st, at++, api->backend_id);
	bind_str(st, at++, api->revision_description);
	if (is_new)
		bind_int(st, at, clock_wall_us());
	return change_run(s, st, &(struct change){ .action = is_new ? "create" : "update", .kind = "revision",
						   .id = named(id, api->id, api->revision), .raises = RAISES_CONFIG }, err);
}

GH_RC store_revision_put(struct store *s, const struct store_api *api, int64_t copy_of, struct gh_err *err)
{
	struct arena *a = arena_new(1 << 20);
	struct store_api old;
	bool found;
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "revision of API '%.*s'", STR_ARG(api->id));
	rc = store_api_find(s, a, api->id, api->revision, &old, &found, err);
	if (!rc.code && found && old.is_current)
		rc = gh_err_set(err, GH_E_CONFLICT, __FILE__, __LINE__, "revision %lld of API '%.*s' is the current one",
				(long long)api->revision, STR_ARG(api->id));
	if (!rc.code)
		rc = write_revision(s, api, !found, err);
	if (!rc.code && !found && copy_of)
		rc = copy_parts(s, api->id, copy_of, api->revision, err);
	arena_free(a);
	return rc;
}

GH_RC store_revision_make_current(struct store *s, struct str api_id, int64_t revision, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_CLEAR_CURRENT);
	int64_t before;
	char id[300];

	TRY(change_begin(s, err));
	TRY(revision_number(s, api_id, 0, &before, err));
	bind_str(st, 1, api_id);
	TRY(sql_done(s, st, err));
	st = sql_use(s, SQL_REVISION_MAKE_CURRENT);
	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	TRY(change_run(s, st, &(struct change){ .action = "make-current", .kind = "revision", .must_exist = true,
						.id = named(id, api_id, revision), .raises = RAISES_CONFIG }, err));
	if (before == revision)
		return GH_RC_OK;
	TRY(api_life_note_revision(s, api_id, revision, err));
	return api_tags_refresh(s, api_id, err);
}

GH_RC store_revision_delete(struct store *s, struct str api_id, int64_t revision, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_REVISION_DROP);
	int64_t current;
	char id[300];

	TRY(revision_number(s, api_id, 0, &current, err));
	if (current == revision)
		FAIL(err, CONFLICT, "revision %lld of API '%.*s' is current; make another one current first", (long long)revision,
		     STR_ARG(api_id));
	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	TRY(change_run(s, st, &(struct change){ .action = "delete", .kind = "revision", .must_exist = true,
						   .id = named(id, api_id, revision), .raises = RAISES_CONFIG }, err));
	return api_rules_refresh(s, api_id, err);
}

/* ---- operations ------------------------------------------------------------------------------------------------------- */

static gh_rc check_operation(const struct store_operation *o, struct gh_err *err)
{
	if (!o->id.n || str_find_char(o->id, '/') != SIZE_MAX)
		FAIL(err, INVALID, "operation '%.*s': an id is not empty and holds no '/'", STR_ARG(o->id));
	if (!str_starts(o->uri_template, STR("/")))
		FAIL(err, INVALID, "operation '%.*s': URI template '%.*s' must begin with '/'", STR_ARG(o->id),
		     STR_ARG(o->uri_template));
	for (size_t i = 0; i < o->method.n; i++)
		if (o->method.p[i] != ascii_upper(o->method.p[i]) || ascii_is_space(o->method.p[i]))
			FAIL(err, INVALID, "operation '%.*s': method '%.*s' must be in upper case", STR_ARG(o->id),
			     STR_ARG(o->method));
	return GH_RC_OK;
}

static gh_rc write_operation(struct store *s, enum sql which, const struct store_operation *o, struct change c,
			     struct gh_err *err)
{
	struct store_operation row = *o;

	if (!row.tags.n)
		row.tags = STR("[]");
	TRY(check_operation(o, err));
	TRY(revision_number(s, o->api_id, o->revision, &row.revision, err));
	return change_row(s, which, &operation_type, &row, c, err);
}

GH_RC store_operation_create(struct store *s, const struct store_operation *o, struct gh_err *err)
{
	TRY(write_operation(s, SQL_OPERATION_ADD, o, CHANGE_ADD(o->id), err));
	return api_tags_refresh(s, o->api_id, err);
}

GH_RC store_operation_update(struct store *s, const struct store_operation *o, struct gh_err *err)
{
	TRY(write_operation(s, SQL_OPERATION_SET, o, CHANGE_SET(o->id), err));
	return api_tags_refresh(s, o->api_id, err);
}

static gh_rc drop_operation(struct store *s, struct str api_id, int64_t revision, struct str id, const char *action,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OPERATION_DROP);

	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	bind_str(st, 3, id);
	return change_run(s, st, &(struct change){ .action = action, .kind = "operation", .id = id, .raises = RAISES_CONFIG,
						   .must_exist = true }, err);
}

GH_RC store_operation_delete(struct store *s, struct str api_id, int64_t revision, struct str id, struct gh_err *err)
{
	TRY(revision_number(s, api_id, revision, &revision, err));
	TRY(drop_operation(s, api_id, revision, id, "delete", err));
	TRY(api_rules_refresh(s, api_id, err));
	return api_tags_refresh(s, api_id, err);
}

/* Those that are not in v go, first, so that their places are free. */
static gh_rc drop_missing(struct store *s, struct arena *a, struct str api_id, int64_t revision, const struct store_operation *v,
			  size_t n, struct gh_err *err)
{
	struct store_operation *old;
	struct map kept;
	size_t n_old;

	map_init(&kept, a, false);
	for (size_t i = 0; i < n; i++) {
		if (map_get(&kept, v[i].id))
			FAIL(err, CONFLICT, "operation '%.*s' stands twice in the list", STR_ARG(v[i].id));
		if (!map_put(&kept, v[i].id, (void *)(uintptr_t)&v[i]))
			FAIL(err, NOMEM, "%zu operations", n);
	}
	TRY(store_operations_of(s, a, api_id, revision, &old, &n_old, err));
	for (size_t i = 0; i < n_old; i++)
		if (!map_get(&kept, old[i].id))
			TRY(drop_operation(s, api_id, revision, old[i].id, NULL, err));
	return GH_RC_OK;
}

GH_RC store_operations_replace(struct store *s, struct str api_id, int64_t revision, const struct store_operation *v, size_t n,
			       struct gh_err *err)
{
	struct arena *a = arena_new(256 << 20);
	struct str detail;
	char id[300];
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "%zu operations", n);
	rc = revision_number(s, api_id, revision, &revision, err);
	if (!rc.code)
		rc = drop_missing(s, a, api_id, revision, v, n, err);
	for (size_t i = 0; i < n && !rc.code; i++) {
		struct store_operation row = v[i];

		row.api_id = api_id, row.revision = revision;
		rc = write_operation(s, SQL_OPERATION_PUT, &row, (struct change){ .id = row.id, .raises = RAISES_CONFIG }, err);
	}
	if (!rc.code)
		rc = api_tags_refresh(s, api_id, err);
	if (!rc.code)
		rc = api_rules_refresh(s, api_id, err);
	if (!rc.code) {
		detail = arena_printf(a, "{\"operations\":%zu}", n);
		rc = change_note(s, &(struct change){ .action = "replace", .kind = "operations", .detail = detail,
						      .id = named(id, api_id, revision), .raises = RAISES_CONFIG }, err);
	}
	arena_free(a);
	return rc;
}

GH_RC store_operations_of(struct store *s, struct arena *a, struct str api_id, int64_t revision, struct store_operation **out,
			  size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OPERATION_OF);

	TRY(revision_number(s, api_id, revision, &revision, err));
	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	return list_rows(s, st, &operation_type, a, out, n, err);
}

GH_RC store_operation_find(struct store *s, struct arena *a, struct str api_id, int64_t revision, struct str id,
			   struct store_operation *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(present_revision(s, api_id, revision, &revision, found, err));
	if (!*found)
		return GH_RC_OK;
	st = sql_use(s, SQL_OPERATION_GET);
	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	bind_str(st, 3, id);
	return find_row(s, st, &operation_type, a, out, found, err);
}

GH_RC store_operation_twin(struct store *s, struct arena *a, const struct store_operation *o, struct str *id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_OPERATION_TWIN);
	bool row, ok = true;

	*id = STR_NULL;
	bind_str(st, 1, o->api_id);
	bind_int(st, 2, o->revision);
	bind_str(st, 3, o->id);
	bind_str(st, 4, o->method);
	bind_str(st, 5, o->uri_template);
	TRY(sql_step(s, st, &row, err));
	if (!row)
		return GH_RC_OK;
	*id = column_str(st, 0, a, &ok);
	sqlite3_reset(st);
	if (!ok)
		FAIL(err, NOMEM, "operation");
	return GH_RC_OK;
}

GH_RC store_operations(struct store *s, struct arena *a, struct store_operation **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_OPERATION_ALL), &operation_type, a, out, n, err);
}

/* ---- version sets ----------------------------------------------------------------------------------------------------- */

GH_RC store_version_set_create(struct store *s, const struct store_version_set *v, struct gh_err *err)
{
	return change_row(s, SQL_VERSION_SET_ADD, &version_set_type, v, CHANGE_ADD(v->id), err);
}

GH_RC store_version_set_update(struct store *s, const struct store_version_set *v, struct gh_err *err)
{
	return change_row(s, SQL_VERSION_SET_SET, &version_set_type, v, CHANGE_SET(v->id), err);
}

GH_RC store_version_set_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_VERSION_SET_DROP, id, STR_NULL, CHANGE_DROP("version set"), err);
}

GH_RC store_version_set_find(struct store *s, struct arena *a, struct str id, struct store_version_set *out, bool *found,
			     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_VERSION_SET_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &version_set_type, a, out, found, err);
}

GH_RC store_version_sets(struct store *s, struct arena *a, struct store_version_set **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_VERSION_SET_ALL), &version_set_type, a, out, n, err);
}

/* ---- descriptions ----------------------------------------------------------------------------------------------------- */

GH_RC store_api_document_set(struct store *s, const struct store_api_document *d, struct gh_err *err)
{
	struct store_api_document row = *d;

	if (d->bytes.n > STORE_DOCUMENT_MAX)
		FAIL(err, LIMIT, "the description of API '%.*s' has %zu bytes; %d are allowed", STR_ARG(d->api_id), d->bytes.n,
		     STORE_DOCUMENT_MAX);
	if (!row.bytes.p)
		row.bytes = STR("");
	TRY(revision_number(s, d->api_id, d->revision, &row.revision, err));
	return change_row(s, SQL_DOCUMENT_PUT, &document_type, &row,
			  (struct change){ .action = "set", .id = d->api_id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_api_document_find(struct store *s, struct arena *a, struct str api_id, int64_t revision,
			      struct store_api_document *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(present_revision(s, api_id, revision, &revision, found, err));
	if (!*found)
		return GH_RC_OK;
	st = sql_use(s, SQL_DOCUMENT_GET);
	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	return find_row(s, st, &document_type, a, out, found, err);
}

GH_RC store_api_document_delete(struct store *s, struct str api_id, int64_t revision, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_DOCUMENT_DROP);

	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	return change_run(s, st, &(struct change){ .action = "delete", .kind = "API description", .id = api_id,
						   .raises = RAISES_CONFIG, .must_exist = true }, err);
}

GH_RC store_api_document_size(struct store *s, struct str api_id, int64_t revision, int64_t *bytes, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_DOCUMENT_SIZE);
	bool found;

	*bytes = 0;
	bind_str(st, 1, api_id);
	bind_int(st, 2, revision);
	return find_int(s, st, bytes, &found, err);
}
