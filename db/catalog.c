#include "db/catalog.h"

#include "core/str.h"
#include "db/api_rows.h"
#include "db/product_rows.h"

static const struct field row_fields[] = {
	FIELD(store_catalog_row, TEXT, id),
	FIELD(store_catalog_row, TEXT, name),
	FIELD(store_catalog_row, TEXT, path),
	FIELD(store_catalog_row, TEXT, description),
	FIELD(store_catalog_row, REF, version_set_id),
	FIELD(store_catalog_row, TEXT, version),
	FIELD(store_catalog_row, BOOL, subscription_required),
	FIELD(store_catalog_row, INT, state),
	FIELD(store_catalog_row, TIME, deprecated_us),
	FIELD(store_catalog_row, TIME, sunset_us),
};
static const struct row_type row_type = ROW_TYPE("API", store_catalog_row, row_fields);

static const struct field name_fields[] = {
	FIELD(store_catalog_name, TEXT, id),
	FIELD(store_catalog_name, TEXT, name),
	FIELD(store_catalog_name, TEXT, version),
};
static const struct row_type name_type = ROW_TYPE("API", store_catalog_name, name_fields);

static const struct field operation_fields[] = {
	FIELD(store_catalog_operation, TEXT, api_id),       FIELD(store_catalog_operation, TEXT, api_name),
	FIELD(store_catalog_operation, TEXT, version),      FIELD(store_catalog_operation, TEXT, id),
	FIELD(store_catalog_operation, TEXT, method),       FIELD(store_catalog_operation, TEXT, uri_template),
	FIELD(store_catalog_operation, TEXT, name),         FIELD(store_catalog_operation, TEXT, description),
};
static const struct row_type operation_type = ROW_TYPE("operation", store_catalog_operation, operation_fields);

static const struct field product_fields[] = {
	FIELD(store_catalog_product, TEXT, id), FIELD(store_catalog_product, TEXT, name),
	FIELD(store_catalog_product, TEXT, description), FIELD(store_catalog_product, INT, kind),
};
static const struct row_type found_product_type = ROW_TYPE("product", store_catalog_product, product_fields);

static const struct field tag_fields[] = { FIELD(store_catalog_tag, TEXT, tag), FIELD(store_catalog_tag, INT, apis) };
static const struct row_type tag_type = ROW_TYPE("tag", store_catalog_tag, tag_fields);

static const struct field event_fields[] = {
	FIELD(store_api_event, INT, id),         FIELD(store_api_event, TIME, at_us),     FIELD(store_api_event, INT, kind),
	FIELD(store_api_event, INT, revision),   FIELD(store_api_event, TEXT, note),      FIELD(store_api_event, TEXT, api_id),
	FIELD(store_api_event, TEXT, api_name),  FIELD(store_api_event, TEXT, version),   FIELD(store_api_event, INT, state),
	FIELD(store_api_event, TIME, deprecated_us), FIELD(store_api_event, TIME, sunset_us),
	FIELD(store_api_event, INT, is_new_version),
};
static const struct row_type event_type = ROW_TYPE("event", store_api_event, event_fields);

/* A statement of catalog.def for the one who looks. */
static sqlite3_stmt *ask(struct store *s, enum sql which, struct str user_id)
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_str(st, 1, user_id);
	return st;
}

GH_RC store_catalog_names(struct store *s, struct arena *a, struct str user_id, struct store_catalog_name **out, size_t *n,
			  struct gh_err *err)
{
	return list_rows(s, ask(s, SQL_CATALOG_NAMES, user_id), &name_type, a, out, n, err);
}

GH_RC store_catalog_api(struct store *s, struct arena *a, struct str user_id, struct str id, struct store_api *out, bool *found,
			struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_API, user_id);

	bind_str(st, 2, id);
	return find_row(s, st, &api_type, a, out, found, err);
}

GH_RC store_catalog_versions(struct store *s, struct arena *a, struct str user_id, struct str version_set_id,
			     struct store_api **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_VERSIONS, user_id);

	bind_str(st, 2, version_set_id);
	return list_rows(s, st, &api_type, a, out, n, err);
}

GH_RC store_catalog_products(struct store *s, struct arena *a, struct str user_id, struct store_product **out, size_t *n,
			     struct gh_err *err)
{
	return list_rows(s, ask(s, SQL_CATALOG_PRODUCTS, user_id), &product_type, a, out, n, err);
}

GH_RC store_catalog_products_of(struct store *s, struct arena *a, struct str user_id, struct str api_id,
				struct store_product **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_PRODUCTS_OF, user_id);

	bind_str(st, 2, api_id);
	return list_rows(s, st, &product_type, a, out, n, err);
}

GH_RC store_catalog_has_groups(struct store *s, struct str user_id, bool *out, struct gh_err *err)
{
	int64_t yes = 0;
	bool found;

	TRY(find_int(s, ask(s, SQL_CATALOG_HAS_GROUPS, user_id), &yes, &found, err));
	*out = yes != 0;
	return GH_RC_OK;
}

/* ---- lists and search -------------------------------------------------------------------------------------------------- */

static void bind_filter(sqlite3_stmt *st, int at, const struct store_catalog_filter *f)
{
	bind_str(st, at, f->tag);
	bind_int(st, at + 1, f->state);
	bind_int(st, at + 2, f->now_us);
}

GH_RC store_catalog_list(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct store_catalog_row **out,
			 size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_LIST, f->user_id);

	bind_filter(st, 2, f);
	return list_rows(s, st, &row_type, a, out, n, err);
}

GH_RC store_catalog_describe(struct store *s, struct arena *a, struct store_catalog_row *rows, size_t n, struct gh_err *err)
{
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = sql_use(s, SQL_CATALOG_DESCRIPTION);
		bool row = false, ok = true;
		gh_rc rc;

		bind_str(st, 1, rows[i].id);
		rc = sql_step(s, st, &row, err);
		if (!rc.code && row)
			rows[i].description = column_str(st, 0, a, &ok);
		sqlite3_reset(st);
		if (rc.code)
			return rc;
		if (!ok)
			FAIL(err, NOMEM, "descriptions");
	}
	return GH_RC_OK;
}

static bool is_word_byte(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || ((unsigned char)c & 0x80);
}

/* Cuts the next word off: letters and digits; beyond ASCII everything that is UTF-8, as the tokenizer of FTS5 knows what of it
 * is a letter. */
static bool next_word(struct str *rest, struct str *word)
{
	while (rest->n) {
		size_t n = 0;

		while (n < rest->n && is_word_byte(rest->p[n]))
			n++;
		*word = str_first(*rest, n);
		*rest = str_from(*rest, n ? n : 1);
		if (n && utf8_valid(*word))
			return true;
	}
	return false;
}

/* Between quotes, which a word cannot hold: a text for FTS5 and nothing else. The beginning "order" finds "orders" too. */
static void put_word(struct buf *b, struct str word)
{
	bool plural = word.n > 3 && (word.p[word.n - 1] | 0x20) == 's' && (word.p[word.n - 2] | 0x20) != 's';

	buf_fmt(b, "\"%.*s\" *", STR_ARG(str_first(word, word.n - plural)));
}

struct str store_catalog_query(struct arena *a, struct str typed)
{
	struct str rest = str_first(typed, STORE_SEARCH_TEXT_MAX), word, out = STR_NULL;
	struct buf b;

	if (rest.n < typed.n)            /* no half character at the end */
		while (rest.n && ((unsigned char)rest.p[rest.n - 1] & 0x80))
			rest.n--;
	buf_init(&b, 4 * STORE_SEARCH_TEXT_MAX + 16 * STORE_SEARCH_WORDS_MAX);
	for (size_t i = 0; i < STORE_SEARCH_WORDS_MAX && next_word(&rest, &word); i++) {
		buf_cstr(&b, i ? " " : "");      /* not AND: that finds nothing beside a word in which FTS5 sees no letter */
		put_word(&b, word);
	}
	if (b.n && buf_ok(&b))
		out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static sqlite3_stmt *search(struct store *s, enum sql which, const struct store_catalog_filter *f, struct str query, size_t limit)
{
	sqlite3_stmt *st = ask(s, which, f->user_id);

	bind_str(st, 2, query);
	bind_filter(st, 3, f);
	bind_int(st, 6, (int64_t)limit);
	return st;
}

/* How the things of one kind are looked for. */
struct finder {
	enum sql count, ranked, plain;
	const struct row_type *type;
	struct str (*id)(struct arena *a, const void *row);
};

static bool is_among(struct arena *a, const struct finder *k, const char *rows, size_t n, const void *row)
{
	struct str id = k->id(a, row);

	for (size_t i = 0; i < n; i++)
		if (str_eq(k->id(a, rows + i * k->type->size), id))
			return true;
	return false;
}

/* Words that very many things have: those that have them in their names first, then any. To rank them all would take longer than a
 * page may, and tells little. */
static GH_RC find_common(struct store *s, struct arena *a, const struct finder *k, const struct store_catalog_filter *f, struct str query,
			 size_t limit, char **out, size_t *n, struct gh_err *err)
{
	struct str named = arena_printf(a, "name : (%.*s)", STR_ARG(query));
	char *first, *more, *all;
	size_t n_first, n_more;

	if (!named.p)
		FAIL(err, NOMEM, "search");
	TRY(list_rows(s, search(s, k->plain, f, named, limit), k->type, a, &first, &n_first, err));
	*out = first;
	*n = n_first;
	if (n_first >= limit)
		return GH_RC_OK;
	TRY(list_rows(s, search(s, k->plain, f, query, limit), k->type, a, &more, &n_more, err));
	all = arena_alloc(a, n_first + n_more + 1, k->type->size);
	if (!all)
		FAIL(err, NOMEM, "search");
	if (n_first)
		memcpy(all, first, n_first * k->type->size);
	*out = all;
	for (size_t i = 0; i < n_more && *n < limit; i++)
		if (!is_among(a, k, first, n_first, more + i * k->type->size))
			memcpy(all + (*n)++ * k->type->size, more + i * k->type->size, k->type->size);
	return GH_RC_OK;
}

static GH_RC find(struct store *s, struct arena *a, const struct finder *k, const struct store_catalog_filter *f, struct str query, size_t limit,
		  void *out, size_t *n, struct gh_err *err)
{
	int64_t matches = 0;
	bool found;
	char *rows = NULL;

	TRY(find_int(s, search(s, k->count, f, query, STORE_SEARCH_RANKED + 1), &matches, &found, err));
	*n = 0;
	memcpy(out, &rows, sizeof(rows));
	if (!matches)
		return GH_RC_OK;
	if (matches <= STORE_SEARCH_RANKED)
		return list_rows(s, search(s, k->ranked, f, query, limit), k->type, a, out, n, err);
	TRY(find_common(s, a, k, f, query, limit, &rows, n, err));
	memcpy(out, &rows, sizeof(rows));
	return GH_RC_OK;
}

static struct str api_key(struct arena *a UNUSED, const void *row)
{
	return ((const struct store_catalog_row *)row)->id;
}

static struct str operation_key(struct arena *a, const void *row)
{
	const struct store_catalog_operation *op = row;

	return arena_printf(a, "%.*s/%.*s", STR_ARG(op->api_id), STR_ARG(op->id));
}

GH_RC store_catalog_find_apis(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct str query,
			      size_t limit, struct store_catalog_row **out, size_t *n, struct gh_err *err)
{
	static const struct finder apis = { SQL_CATALOG_COUNT_APIS, SQL_CATALOG_FIND_APIS, SQL_CATALOG_FIND_APIS_PLAIN, &row_type, api_key };

	return find(s, a, &apis, f, query, limit, out, n, err);
}

GH_RC store_catalog_find_operations(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct str query,
				    size_t limit, struct store_catalog_operation **out, size_t *n, struct gh_err *err)
{
	static const struct finder operations = { SQL_CATALOG_COUNT_OPERATIONS, SQL_CATALOG_FIND_OPERATIONS, SQL_CATALOG_FIND_OPERATIONS_PLAIN,
						  &operation_type, operation_key };

	return find(s, a, &operations, f, query, limit, out, n, err);
}

GH_RC store_catalog_find_products(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct str query,
				  size_t limit, struct store_catalog_product **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_FIND_PRODUCTS, f->user_id);

	bind_str(st, 2, query);
	bind_int(st, 3, (int64_t)limit);
	return list_rows(s, st, &found_product_type, a, out, n, err);
}

GH_RC store_catalog_tags(struct store *s, struct arena *a, const struct store_catalog_filter *f, size_t limit,
			 struct store_catalog_tag **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_TAGS, f->user_id);

	bind_int(st, 2, f->now_us);
	bind_int(st, 3, (int64_t)limit);
	return list_rows(s, st, &tag_type, a, out, n, err);
}

GH_RC store_catalog_news(struct store *s, struct arena *a, struct str user_id, size_t limit, size_t offset,
			 struct store_api_event **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = ask(s, SQL_CATALOG_NEWS, user_id);

	bind_int(st, 2, (int64_t)limit);
	bind_int(st, 3, (int64_t)offset);
	return list_rows(s, st, &event_type, a, out, n, err);
}

/* ---- the index --------------------------------------------------------------------------------------------------------- */

gh_rc catalog_refresh(struct store *s, struct gh_err *err)
{
	static const enum sql steps[] = { SQL_CATALOG_DROP_TEXTS, SQL_CATALOG_DROP_OPERATIONS, SQL_CATALOG_ADD_APIS,
					  SQL_CATALOG_ADD_OPERATIONS, SQL_CATALOG_ADD_PRODUCTS, SQL_CATALOG_FORGET, SQL_CATALOG_SETTLE };
	int64_t ignored;
	bool stale;

	TRY(find_int(s, sql_use(s, SQL_CATALOG_STALE), &ignored, &stale, err));
	for (size_t i = 0; stale && i < ARRAY_LEN(steps); i++)
		TRY(sql_done(s, sql_use(s, steps[i]), err));
	return GH_RC_OK;
}
