#include "db/products.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/product_rows.h"

static const struct field product_fields[] = {
	FIELD(store_product, TEXT, id),
	FIELD(store_product, TEXT, name),
	FIELD(store_product, TEXT, description),
	FIELD(store_product, TEXT, terms),
	FIELD(store_product, TEXT, business_group_id),
	FIELD(store_product, BOOL, subscription_required),
	FIELD(store_product, INT, approval),
	FIELD(store_product, INT, state),
	FIELD(store_product, INT, subscriptions_limit),
	FIELD(store_product, TIME, created_us),
	FIELD(store_product, INT, kind),
	FIELD(store_product, INT, priority),
};
const struct row_type product_type = ROW_TYPE("product", store_product, product_fields);

static const struct field product_api_fields[] = {
	FIELD(store_product_api, TEXT, product_id),
	FIELD(store_product_api, TEXT, api_id),
};
static const struct row_type product_api_type = ROW_TYPE("API of product", store_product_api, product_api_fields);

static const struct field id_fields[] = { { "id", FIELD_TEXT, 0 } };
static const struct row_type id_type = { "group of product", id_fields, 1, sizeof(struct str) };

static struct store_product filled(const struct store_product *p)
{
	struct store_product row = *p;

	if (!row.business_group_id.n)
		row.business_group_id = STR("default");
	if (!row.created_us)
		row.created_us = clock_wall_us();
	return row;
}

GH_RC store_check_id(const char *kind, struct str id, struct gh_err *err)
{
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] == '/' || id.p[i] == ';' || (unsigned char)id.p[i] <= ' ')
			FAIL(err, INVALID, "%s '%.*s': an id holds no blank, '/' or ';'", kind, STR_ARG(id));
	return GH_RC_OK;
}

GH_RC store_product_create(struct store *s, const struct store_product *p, struct gh_err *err)
{
	struct store_product row = filled(p);

	TRY(store_check_id("product", p->id, err));
	return change_row(s, SQL_PRODUCT_ADD, &product_type, &row, CHANGE_ADD(p->id), err);
}

GH_RC store_product_update(struct store *s, const struct store_product *p, struct gh_err *err)
{
	struct store_product row = filled(p);

	return change_row(s, SQL_PRODUCT_SET, &product_type, &row, CHANGE_SET(p->id), err);
}

GH_RC store_product_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_PRODUCT_DROP, id, STR_NULL, CHANGE_DROP("product"), err);
}

GH_RC store_product_find(struct store *s, struct arena *a, struct str id, struct store_product *out, bool *found,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &product_type, a, out, found, err);
}

GH_RC store_products(struct store *s, struct arena *a, const struct store_page *page, struct store_product **out, size_t *n,
		     struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_PAGE);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	return list_rows(s, st, &product_type, a, out, n, err);
}

GH_RC store_products_of_kind(struct store *s, struct arena *a, enum store_product_kind kind, const struct store_page *page,
			     struct store_product **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_PAGE_KIND);
	char pattern[512];

	bind_page(st, 1, page, pattern);
	bind_int(st, 4, kind);
	return list_rows(s, st, &product_type, a, out, n, err);
}

GH_RC store_products_of_api(struct store *s, struct arena *a, struct str api_id, struct store_product **out, size_t *n,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_OF_API);

	bind_str(st, 1, api_id);
	return list_rows(s, st, &product_type, a, out, n, err);
}

/* Puts one thing into a product or takes it out; `what` is the kind of it, `which` its id. */
static gh_rc link_product(struct store *s, enum sql sql, const char *action, const char *what, struct str product_id,
			  struct str which, struct gh_err *err)
{
	struct buf detail;
	gh_rc rc;

	buf_init(&detail, 4096);
	buf_fmt(&detail, "{\"%s\":", what);
	buf_json(&detail, str_first(which, 256));
	buf_char(&detail, '}');
	rc = change_keys(s, sql, product_id, which,
			 (struct change){ .action = action, .kind = "product", .id = product_id, .detail = buf_view(&detail),
					  .raises = RAISES_CONFIG }, err);
	buf_release(&detail);
	return rc;
}

GH_RC store_product_add_api(struct store *s, struct str product_id, struct str api_id, struct gh_err *err)
{
	return link_product(s, SQL_PRODUCT_API_ADD, "add", "api", product_id, api_id, err);
}

GH_RC store_product_remove_api(struct store *s, struct str product_id, struct str api_id, struct gh_err *err)
{
	return link_product(s, SQL_PRODUCT_API_DROP, "remove", "api", product_id, api_id, err);
}

GH_RC store_product_apis(struct store *s, struct arena *a, struct store_product_api **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_PRODUCT_API_ALL), &product_api_type, a, out, n, err);
}

GH_RC store_product_api_ids(struct store *s, struct arena *a, struct str product_id, struct str **out, size_t *n,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_API_IDS);

	bind_str(st, 1, product_id);
	return list_rows(s, st, &id_type, a, out, n, err);
}

GH_RC store_product_add_group(struct store *s, struct str product_id, struct str group_id, struct gh_err *err)
{
	return link_product(s, SQL_PRODUCT_GROUP_ADD, "add", "group", product_id, group_id, err);
}

GH_RC store_product_remove_group(struct store *s, struct str product_id, struct str group_id, struct gh_err *err)
{
	return link_product(s, SQL_PRODUCT_GROUP_DROP, "remove", "group", product_id, group_id, err);
}

GH_RC store_product_groups(struct store *s, struct arena *a, struct str product_id, struct str **out, size_t *n,
			   struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_GROUP_OF);

	bind_str(st, 1, product_id);
	return list_rows(s, st, &id_type, a, out, n, err);
}
