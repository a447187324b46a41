/* kind_revision.c - what belongs to an API: its revisions beside the current one, operations, the description it came from. Their ids
 * begin with the API: "orders;rev=2", "orders/get-order", "orders;rev=2/get-order". */
#include "config/kind.h"

#include "core/openapi.h"
#include "core/str.h"
#include "core/uritemplate.h"
#include "db/apis.h"

/* ---- revisions --------------------------------------------------------------------------------------------------------- */

struct revision_row {
	struct str id;
	struct store_api api;
};

static const struct resource_field revision_fields[] = {
	FIELD_ID("The API and the number: \"orders;rev=2\"", revision_row, id),
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_READ_ONLY, .label = "API", .description = "Of which API",
	  AT(revision_row, api.id) },
	{ .name = "revision", .type = RESOURCE_INT, .flags = RESOURCE_READ_ONLY, .label = "Number", .description = "Its number",
	  AT(revision_row, api.revision) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it tries",
	  AT(revision_row, api.revision_description) },
	{ .name = "backendUrl", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL | RESOURCE_STAYS, .label = "Backend address", .most = 2000,
	  .description = "Where its calls go", AT(revision_row, api.backend_url) },
	{ .name = "backend", .type = RESOURCE_REF, .ref = "backend", .flags = RESOURCE_STAYS, .label = "Backend",
	  .description = "Backend or pool that its calls go to", AT(revision_row, api.backend_id) },
	{ .name = "copyOf", .type = RESOURCE_INT, .flags = RESOURCE_NULL, .least = 1, .most = INT32_MAX, .label = "Copy of",
	  .description = "When it is made: the revision whose operations, description and policies it begins with; null: none",
	  .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static void revision_check_id(struct resource_change *c, struct str id)
{
	struct api_place place;

	if (!api_place_parse(id, false, &place) || !place.revision)
		resource_problem(c, &kind_revision, id, STR("/id"), "must be API;rev=N");
	else
		check_api_place(c, &kind_revision, id, false);
}

static GH_RC revision_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct revision_row *r = row;
	struct api_place place;

	*found = false;
	r->id = id;
	if (!api_place_parse(id, false, &place) || !place.revision)
		return GH_RC_OK;
	TRY(store_api_find(s, a, place.api, place.revision, &r->api, found, err));
	*found = *found && !r->api.is_current;
	return GH_RC_OK;
}

/* A copy has the backend of its source, unless the document says another. */
static GH_RC revision_fresh(struct resource_put *p, struct gh_err *err)
{
	struct revision_row *r = p->row;
	struct api_place place;
	bool found = false;

	if (!api_place_parse(p->id, false, &place))
		return GH_RC_OK;
	TRY(store_api_find(p->s, p->a, place.api, 0, &r->api, &found, err));
	r->api.id = place.api;
	r->api.revision = place.revision;
	return GH_RC_OK;
}

static GH_RC revision_check(struct resource_put *p, struct gh_err *err)
{
	const struct revision_row *r = p->row;
	int64_t from = jsn_int(p->doc, "copyOf", 0);
	struct store_api source;
	bool found;

	check_address(p, "/backendUrl", r->api.backend_url);
	if (jsn_str(p->doc, "backendUrl").n && jsn_str(p->doc, "backend").n)
		put_problem(p, "/backend", "give backendUrl or backend, not both");
	TRY(store_api_find(p->s, p->a, r->api.id, from > 0 ? from : 0, &source, &found, err));
	if (!found)
		put_problem(p, from > 0 ? "/copyOf" : "/id", from > 0 ? "there is no such revision" : "there is no such API");
	return GH_RC_OK;
}

static GH_RC revision_save(struct resource_put *p, struct gh_err *err)
{
	struct revision_row *r = p->row;

	/* of the two the document gives one, and that takes the place of the other */
	if (jsn_str(p->doc, "backend").n)
		r->api.backend_url = STR_NULL;
	else if (jsn_str(p->doc, "backendUrl").n)
		r->api.backend_id = STR_NULL;
	return store_revision_put(p->s, &r->api, jsn_int(p->doc, "copyOf", 0), err);
}

static GH_RC revision_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct api_place place;

	if (!api_place_parse(id, false, &place))
		FAIL(err, NOT_FOUND, "there is no revision '%.*s'", STR_ARG(id));
	return store_revision_delete(s, place.api, place.revision, err);
}

static const struct resource_ops revision_ops = {
	.row_size = sizeof(struct revision_row), .store = STORE_RESOURCE_REVISION, .check_id = revision_check_id, .find = revision_find,
	.fresh = revision_fresh, .check = revision_check, .save = revision_save, .drop = revision_drop,
};

const struct resource_kind kind_revision = {
	.name = "revision", .plural = "revisions", .title = "Revision",
	.description = "A revision of an API beside the current one; callers reach it with ;rev=N. Which one is current says the API.",
	.area = RESOURCE_AREA_APIS, .fields = revision_fields, .ops = &revision_ops,
	.filters = { { "api", "Only revisions of this API", NULL } },
};

/* ---- operations -------------------------------------------------------------------------------------------------------- */

struct operation_row {
	struct str id;
	struct store_operation o;
};

static const struct resource_field operation_fields[] = {
	FIELD_ID("The API and the operation: \"orders/get-order\", \"orders;rev=2/get-order\"", operation_row, id),
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_READ_ONLY, .label = "API", .description = "Of which API",
	  AT(operation_row, o.api_id) },
	{ .name = "revision", .type = RESOURCE_INT, .flags = RESOURCE_READ_ONLY, .label = "Revision", .description = "Of which revision",
	  AT(operation_row, o.revision) },
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What developers read", AT(operation_row, o.name) },
	{ .name = "method", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Method", .most = 40,
	  .description = "HTTP method in upper case, or *", AT(operation_row, o.method) },
	{ .name = "uriTemplate", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "URI template", .most = 2000,
	  .description = "Path below that of the API: \"/orders/{id}?expand={expand}\"", AT(operation_row, o.uri_template) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it does",
	  AT(operation_row, o.description) },
	{ .name = "position", .type = RESOURCE_INT, .least = 0, .most = 1000000, .label = "Position",
	  .description = "The lowest number stands first", AT(operation_row, o.position) },
	{ .name = "tags", .type = RESOURCE_TEXTS, .label = "Tags", .most = STORE_TAG_MAX, .description = "Tags of its description",
	  .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static void operation_check_id(struct resource_change *c, struct str id)
{
	check_api_place(c, &kind_operation, id, true);
}

static GH_RC operation_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct operation_row *r = row;
	struct api_place place;
	int64_t number;
	bool current;

	*found = false;
	if (!api_place_parse(id, true, &place))
		return GH_RC_OK;
	number = place.revision;
	if (number)
		TRY(api_place_find(s, a, &place, &number, &current, err));
	if (number && current)
		return GH_RC_OK;
	TRY(store_operation_find(s, a, place.api, place.revision, place.operation, &r->o, found, err));
	r->id = id;
	return GH_RC_OK;
}

static GH_RC operation_fresh(struct resource_put *p, struct gh_err *err)
{
	struct operation_row *r = p->row;
	struct api_place place;
	bool current;

	if (!api_place_parse(p->id, true, &place))
		return GH_RC_OK;
	r->o.api_id = place.api;
	r->o.id = place.operation;
	return api_place_find(p->s, p->a, &place, &r->o.revision, &current, err);
}

static GH_RC operation_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct operation_row *r = row;
	json_t *tags = NULL;

	if (!r->o.tags.n || jsn_parse_in(a, r->o.tags, NULL, &tags, NULL, NULL).code || !json_is_array(tags))
		json_object_set_new(doc, "tags", json_array());
	else
		json_object_set(doc, "tags", tags);
	return GH_RC_OK;
}

/* Whoever still has the route may leave it, or go, in the same change: two operations swap theirs. So it is looked at again at its end. */
static GH_RC claim_route(struct resource_put *p, const struct store_operation *o, struct gh_err *err)
{
	struct route_claim *claim;
	struct str twin;

	TRY(store_operation_twin(p->s, p->a, o, &twin, err));
	if (!twin.p)
		return GH_RC_OK;
	claim = arena_new_of(p->c->arena, struct route_claim);
	if (!claim)
		FAIL(err, NOMEM, "operation");
	*claim = (struct route_claim){ .id = arena_dup(p->c->arena, p->id), .api = arena_dup(p->c->arena, o->api_id), .revision = o->revision,
				       .operation = arena_dup(p->c->arena, o->id), .next = p->c->routes };
	if (!claim->id.p || !claim->api.p || !claim->operation.p)
		FAIL(err, NOMEM, "operation");
	p->c->routes = claim;
	return GH_RC_OK;
}

GH_RC operation_routes_settle(struct resource_change *c, struct gh_err *err)
{
	for (const struct route_claim *claim; (claim = c->routes);) {
		struct store_operation o;
		struct str twin = STR_NULL;
		bool found;

		c->routes = claim->next;
		TRY(store_operation_find(c->store, c->arena, claim->api, claim->revision, claim->operation, &o, &found, err));
		if (found)
			TRY(store_operation_twin(c->store, c->arena, &o, &twin, err));
		if (twin.p)
			resource_problem(c, &kind_operation, claim->id, STR("/uriTemplate"), "the operation '%.*s' has this method and URI template already",
					 STR_ARG(twin));
	}
	return GH_RC_OK;
}

static GH_RC operation_check(struct resource_put *p, struct gh_err *err)
{
	const struct operation_row *r = p->row;
	const struct uritemplate *parsed;
	struct gh_err why;

	for (size_t i = 0; i < r->o.method.n; i++)
		if (!(r->o.method.p[i] >= 'A' && r->o.method.p[i] <= 'Z') && r->o.method.p[i] != '-' && !str_eq(r->o.method, STR("*"))) {
			put_problem(p, "/method", "must be in upper case, like GET, or *");
			break;
		}
	if (!str_starts(r->o.uri_template, STR("/")))
		put_problem(p, "/uriTemplate", "must begin with '/'");
	else if (uritemplate_parse(p->a, r->o.uri_template, &parsed, &why).code)
		put_problem(p, "/uriTemplate", "%s", why.message);
	return claim_route(p, &r->o, err);
}

static GH_RC operation_save(struct resource_put *p, struct gh_err *err)
{
	struct operation_row *r = p->row;

	r->o.tags = jsn_text(p->a, jsn_get(p->doc, "tags"), 0);
	return p->exists ? store_operation_update(p->s, &r->o, err) : store_operation_create(p->s, &r->o, err);
}

static GH_RC operation_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct api_place place;

	if (!api_place_parse(id, true, &place))
		FAIL(err, NOT_FOUND, "there is no operation '%.*s'", STR_ARG(id));
	return store_operation_delete(s, place.api, place.revision, place.operation, err);
}

static const struct resource_ops operation_ops = {
	.row_size = sizeof(struct operation_row), .store = STORE_RESOURCE_OPERATION, .check_id = operation_check_id,
	.find = operation_find, .show = operation_show, .fresh = operation_fresh, .check = operation_check, .save = operation_save,
	.drop = operation_drop,
};

const struct resource_kind kind_operation = {
	.name = "operation", .plural = "operations", .title = "Operation", .description = "What an API can do: a method and a path.",
	.area = RESOURCE_AREA_APIS, .fields = operation_fields, .ops = &operation_ops,
	.filters = { { "api", "Only operations of this API, of all its revisions", NULL } },
};

/* ---- descriptions ------------------------------------------------------------------------------------------------------ */

struct description_row {
	struct str id;
	struct store_api_document d;
};

static const struct resource_field description_fields[] = {
	FIELD_ID("The API: \"orders\", \"orders;rev=2\"", description_row, id),
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_READ_ONLY, .label = "API", .description = "Of which API",
	  AT(description_row, d.api_id) },
	{ .name = "revision", .type = RESOURCE_INT, .flags = RESOURCE_READ_ONLY, .label = "Revision", .description = "Of which revision",
	  AT(description_row, d.revision) },
	{ .name = "mediaType", .type = RESOURCE_TEXT, .otherwise = "\"application/vnd.oai.openapi+json\"", .label = "Media type", .most = 200,
	  .description = "What the document is", AT(description_row, d.media_type) },
	{ .name = "source", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Source", .most = 2000,
	  .description = "File or address that it came from", AT(description_row, d.source) },
	{ .name = "document", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_LINES | RESOURCE_FILE, .label = "Document",
	  .description = "The description byte for byte. Operations are resources of their own and stay as they are",
	  AT(description_row, d.bytes) },
	{ .name = "bundled", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL | RESOURCE_LINES | RESOURCE_FILE, .label = "Bundled",
	  .description = "What the document and the files beside it make together; null: it is one file", AT(description_row, d.bundled) },
	FIELD_END,
};

static void description_check_id(struct resource_change *c, struct str id)
{
	check_api_place(c, &kind_api_description, id, false);
}

static GH_RC description_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct description_row *r = row;
	struct api_place place;
	int64_t number;
	bool current;

	*found = false;
	r->id = id;
	if (!api_place_parse(id, false, &place))
		return GH_RC_OK;
	TRY(api_place_find(s, a, &place, &number, &current, err));
	if (!number || (place.revision && current))
		return GH_RC_OK;
	return store_api_document_find(s, a, place.api, number, &r->d, found, err);
}

static GH_RC description_fresh(struct resource_put *p, struct gh_err *err)
{
	struct description_row *r = p->row;
	struct api_place place;
	bool current;

	if (!api_place_parse(p->id, false, &place))
		return GH_RC_OK;
	r->d.api_id = place.api;
	return api_place_find(p->s, p->a, &place, &r->d.revision, &current, err);
}

static GH_RC description_check(struct resource_put *p, struct gh_err *err)
{
	const struct description_row *r = p->row;
	struct text_where where = { 0 };
	struct openapi *parsed;
	struct gh_err why;
	gh_rc rc;

	if (str_find(r->d.media_type, STR("openapi")) == SIZE_MAX && str_find(r->d.media_type, STR("swagger")) == SIZE_MAX)
		return GH_RC_OK;
	rc = openapi_parse(p->a, r->d.bundled.n ? r->d.bundled : r->d.bytes, &parsed, &where, &why);
	if (rc.code && rc.code != GH_E_NOMEM)
		put_problem(p, "/document", "line %u, column %u: %s", where.line, where.column, why.message);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "description");
	return GH_RC_OK;
}

static GH_RC description_save(struct resource_put *p, struct gh_err *err)
{
	return store_api_document_set(p->s, &((struct description_row *)p->row)->d, err);
}

static GH_RC description_drop(struct store *s, struct arena *a, struct str id, struct gh_err *err)
{
	struct api_place place;
	int64_t number;
	bool current;

	if (!api_place_parse(id, false, &place))
		FAIL(err, NOT_FOUND, "there is no description of '%.*s'", STR_ARG(id));
	TRY(api_place_find(s, a, &place, &number, &current, err));
	return store_api_document_delete(s, place.api, number, err);
}

static const struct resource_ops description_ops = {
	.row_size = sizeof(struct description_row), .store = STORE_RESOURCE_API_DESCRIPTION, .check_id = description_check_id,
	.find = description_find, .fresh = description_fresh, .check = description_check, .save = description_save,
	.drop = description_drop,
};

const struct resource_kind kind_api_description = {
	.name = "api-description", .plural = "api-descriptions", .title = "API description",
	.description = "The document that describes an API, mostly OpenAPI, as it was given.",
	.area = RESOURCE_AREA_APIS, .fields = description_fields, .ops = &description_ops,
	.filters = { { "api", "Only descriptions of this API", NULL } },
};
