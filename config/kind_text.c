/* kind_text.c - schemas for validate-content, and pages of the portal. */
#include "config/kind.h"

#include "config/schema_check.h"
#include "core/str.h"
#include "db/pages.h"
#include "db/schemas.h"
#include "policy/schemas.h"

/* ---- schemas ----------------------------------------------------------------------------------------------------------- */

static const char *const schema_kinds[] = { [STORE_SCHEMA_JSON] = "json", [STORE_SCHEMA_XML] = "xml", NULL };

static const struct resource_field schema_fields[] = {
	FIELD_ID("Names the schema in policies: letters, digits, '.', '_' and '-'", store_schema, id),
	{ .name = "kind", .type = RESOURCE_ENUM, .values = schema_kinds, .otherwise = "\"json\"", .label = "Kind",
	  .description = "JSON Schema or XML Schema", AT(store_schema, kind) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is for",
	  AT(store_schema, description) },
	{ .name = "schema", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_LINES | RESOURCE_FILE, .label = "Schema",
	  .description = "The schema as it is", .most = STORE_SCHEMA_MAX, AT(store_schema, bytes) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_schema, changed_us) },
	FIELD_END,
};

static GH_RC schema_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_schema_find(s, a, id, row, found, err);
}

GH_RC check_schema(struct store *s, struct arena *a, const struct store_schema *new, struct gh_err *err)
{
	struct store_schema *rows;
	struct schema_text *texts;
	struct schemas *set;
	size_t n, k = 0;
	gh_rc rc;

	TRY(store_schemas(s, a, &rows, &n, err));
	texts = arena_alloc(a, n + 1, sizeof(*texts));
	if (!texts)
		FAIL(err, NOMEM, "schemas");
	for (size_t i = 0; i < n; i++)
		if (!str_eq(rows[i].id, new->id))
			texts[k++] = (struct schema_text){ rows[i].id, (enum schema_kind)rows[i].kind, rows[i].bytes };
	texts[k++] = (struct schema_text){ new->id, (enum schema_kind)new->kind, new->bytes };
	TRY(schemas_new(&set, texts, k, err));
	rc = schemas_check(set, new->id, err);
	schemas_free(set);
	return rc;
}

static GH_RC schema_check(struct resource_put *p, struct gh_err *err)
{
	struct gh_err why;

	return put_refused(p, "/schema", check_schema(p->s, p->a, p->row, &why), &why, err);
}

static GH_RC schema_save(struct resource_put *p, struct gh_err *err)
{
	return store_schema_set(p->s, p->row, err);
}

static GH_RC schema_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_schema_delete(s, id, err);
}

static const struct resource_ops schema_ops = {
	.row_size = sizeof(struct store_schema), .store = STORE_RESOURCE_SCHEMA, .find = schema_find, .check = schema_check,
	.save = schema_save, .drop = schema_drop,
};

const struct resource_kind kind_schema = {
	.name = "schema", .plural = "schemas", .title = "Schema", .description = "A schema that stands apart from APIs, for validate-content.",
	.area = RESOURCE_AREA_APIS, .fields = schema_fields, .ops = &schema_ops, .filters = { { NULL } },
};

/* ---- pages of the portal ----------------------------------------------------------------------------------------------- */

struct page_row {
	struct str id;                   /* "guide", or "orders/guide" of an API */
	struct store_portal_page page;
};

static const char *const audiences[] = { "everybody", "users", "group", "nobody", NULL };

static const struct resource_field page_fields[] = {
	FIELD_ID("The page: \"getting-started\"; of an API: \"orders/getting-started\"", page_row, id),
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_READ_ONLY, .label = "API",
	  .description = "The API that it belongs to; null: the whole portal", AT(page_row, page.api_id) },
	{ .name = "title", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Title", .most = STORE_PAGE_TITLE_MAX,
	  .description = "What stands above it", AT(page_row, page.title) },
	{ .name = "body", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES | RESOURCE_FILE, .label = "Text", .description = "Its text in Markdown",
	  AT(page_row, page.body) },
	{ .name = "audience", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT, .values = audiences, .otherwise = "\"everybody\"",
	  .label = "Who sees it", .description = "Of those who may see the API: everybody, users who are signed in, a group, nobody",
	  AT(page_row, page.audience) },
	{ .name = "group", .type = RESOURCE_REF, .ref = "group", .label = "Group", .description = "With the audience group",
	  AT(page_row, page.group_id) },
	{ .name = "inMenu", .type = RESOURCE_BOOL, .otherwise = "false", .label = "In the menu",
	  .description = "Whether a page of the whole portal stands in its menu", AT(page_row, page.in_menu) },
	{ .name = "position", .type = RESOURCE_INT, .least = -1000000, .most = 1000000, .otherwise = "0", .label = "Position",
	  .description = "The lowest number comes first", AT(page_row, page.position) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(page_row, page.changed_us) },
	FIELD_END,
};

static void place_of(struct str id, struct store_portal_page *page)
{
	size_t slash = str_find_char(id, '/');

	page->api_id = slash == SIZE_MAX ? STR_NULL : str_first(id, slash);
	page->id = slash == SIZE_MAX ? id : str_from(id, slash + 1);
}

static void page_check_id(struct resource_change *c, struct str id)
{
	struct store_portal_page page;
	bool there = true;

	place_of(id, &page);
	if (page.api_id.p && !resource_exists(c->store, &kind_api, page.api_id, &there, NULL).code && !there)
		resource_problem(c, &kind_page, id, STR("/id"), "there is no API '%.*s'%.*s", STR_ARG(page.api_id),
				 STR_ARG(resource_meant(c, &kind_api, page.api_id)));
}

static GH_RC page_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct page_row *r = row;
	struct store_portal_page place;

	place_of(id, &place);
	r->id = id;
	TRY(store_portal_page_find(s, a, place.api_id, place.id, &r->page, found, err));
	if (*found && str_eq(r->page.audience, STR("group")) && !r->page.group_id.n)
		r->page.audience = STR("nobody");        /* the group is gone; written so it says the same */
	return GH_RC_OK;
}

static GH_RC page_fresh(struct resource_put *p, struct gh_err *err UNUSED)
{
	place_of(p->id, &((struct page_row *)p->row)->page);
	return GH_RC_OK;
}

static GH_RC page_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	const struct store_portal_page *page = &((struct page_row *)p->row)->page;

	if (str_eq(page->audience, STR("group")) != (page->group_id.n > 0))
		put_problem(p, "/group", page->group_id.n ? "goes with the audience group only" : "is required with the audience group");
	return GH_RC_OK;
}

static GH_RC page_save(struct resource_put *p, struct gh_err *err)
{
	return store_portal_page_set(p->s, &((struct page_row *)p->row)->page, p->c->actor, err);
}

static GH_RC page_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct store_portal_page place;

	place_of(id, &place);
	return store_portal_page_delete(s, place.api_id, place.id, err);
}

static const struct resource_ops page_ops = {
	.row_size = sizeof(struct page_row), .store = STORE_RESOURCE_PAGE, .check_id = page_check_id, .find = page_find, .fresh = page_fresh,
	.check = page_check, .save = page_save, .drop = page_drop,
};

const struct resource_kind kind_page = {
	.name = "page", .plural = "pages", .title = "Page", .description = "A page of the portal in Markdown, of one API or of the whole portal.",
	.area = RESOURCE_AREA_PAGES, .fields = page_fields, .ops = &page_ops, .filters = { { "api", "Only pages of this API", NULL } },
};
