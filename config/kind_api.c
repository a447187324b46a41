/* kind_api.c - APIs, seen through their current revision. */
#include "config/kind.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/lifecycle.h"

static const struct resource_field fields[] = {
	FIELD_ID("Names the API: no '/' and no ';'", store_api, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Name", .most = 300,
	  .description = "What developers read", AT(store_api, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description",
	  .description = "What it is for, in Markdown", AT(store_api, description) },
	{ .name = "environment", .type = RESOURCE_REF, .ref = "environment", .otherwise = "\"default\"", .label = "Environment",
	  .description = "Where it stands", AT(store_api, environment_id) },
	{ .name = "path", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_EMPTY, .label = "Path", .most = 400,
	  .description = "Where the gateway serves it, without slashes at the ends; may be empty", AT(store_api, path) },
	{ .name = "versionSet", .type = RESOURCE_REF, .ref = "version-set", .label = "Version set",
	  .description = "The set of which it is a version", AT(store_api, version_set_id) },
	{ .name = "version", .type = RESOURCE_TEXT, .label = "Version", .most = 100,
	  .description = "\"v2\"; empty for the unversioned member of a set", AT(store_api, version) },
	{ .name = "state", .type = RESOURCE_ENUM, .values = store_api_state_names, .otherwise = "\"published\"", .label = "Stage",
	  .description = "Stage of its life; deprecating an API tells its subscribers by mail", AT(store_api, state) },
	{ .name = "deprecated", .type = RESOURCE_TIME, .label = "Deprecated from",
	  .description = "Since or from when it is deprecated; null: since it is at that stage, so a day that is still to come is taken back", AT(store_api, deprecated_us) },
	{ .name = "sunset", .type = RESOURCE_TIME, .label = "Sunset",
	  .description = "From when on calls to a deprecated API are answered 410; null: they go on", AT(store_api, sunset_us) },
	{ .name = "subscriptionRequired", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Key required",
	  .description = "Whether calls need a subscription key", AT(store_api, subscription_required) },
	{ .name = "keyHeader", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Key header", .most = 200,
	  .description = "Header that carries the key; null: the usual ones", AT(store_api, key_header) },
	{ .name = "keyQuery", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Key parameter", .most = 200,
	  .description = "Query parameter that carries the key; null: the usual one", AT(store_api, key_query) },
	{ .name = "tags", .type = RESOURCE_TEXTS, .label = "Tags", .most = STORE_TAG_MAX, .description = "Words to find it by",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "revision", .type = RESOURCE_INT, .flags = RESOURCE_STAYS, .least = 1, .most = INT32_MAX, .label = "Current revision",
	  .description = "Number of the current revision; another number makes that one current", AT(store_api, revision) },
	{ .name = "revisionDescription", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "What the revision changes",
	  .description = "What the current revision brings, for the list of what is new", AT(store_api, revision_description) },
	{ .name = "backendUrl", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Backend address", .most = 2000,
	  .description = "Where calls go; null when backend is given or a policy says it", AT(store_api, backend_url) },
	{ .name = "backend", .type = RESOURCE_REF, .ref = "backend", .label = "Backend",
	  .description = "Backend or pool that calls go to", AT(store_api, backend_id) },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_api, created_us) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_api, changed_us) },
	FIELD_END,
};

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_api_find(s, a, id, 0, row, found, err);
}

static void check_id(struct resource_change *c, struct str id)
{
	if (str_find_char(id, '/') != SIZE_MAX || str_find_char(id, ';') != SIZE_MAX)
		resource_problem(c, &kind_api, id, STR("/id"), "an id of an API holds neither '/' nor ';'");
}

static GH_RC show(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_api *api = row;
	json_t *list = json_array();
	struct store_tag *tags;
	size_t n;

	json_object_set_new(doc, "tags", list);
	TRY(store_api_tags(s, a, api->id, &tags, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!tags[i].of_operations)
			json_array_append_new(list, json_stringn(tags[i].tag.p, tags[i].tag.n));
	return GH_RC_OK;
}

static GH_RC fresh(struct resource_put *p, struct gh_err *err UNUSED)
{
	((struct store_api *)p->row)->revision = 1;
	return GH_RC_OK;
}

static void check_path(struct resource_put *p, struct str path)
{
	if (str_starts(path, STR("/")) || str_ends(path, STR("/")) || str_find(path, STR("//")) != SIZE_MAX)
		put_problem(p, "/path", "has plain segments between single slashes, and no slash at its ends");
	for (size_t i = 0; i < path.n; i++)
		if (strchr("?#{} \\", path.p[i])) {
			put_problem(p, "/path", "holds no '%c'", path.p[i]);
			return;
		}
}

/* A deprecated API has a date always. Left out it is the one since when it is deprecated, which for one that is deprecated already
 * stands in the store: it is no change then. A day that is still to come was somebody's choice, which is taken back. */
static void settle_date(struct resource_put *p)
{
	struct store_api *api = p->row;
	struct str was = jsn_str(p->before, "deprecated");
	char iso[CLOCK_ISO_MAX];
	int64_t us;

	if (api->deprecated_us || api->state != STORE_API_DEPRECATED || !clock_parse_iso(was, &us))
		return;
	api->deprecated_us = us <= clock_wall_us() ? us : clock_wall_us();
	clock_iso(api->deprecated_us, api->deprecated_us % 1000000 ? 6 : 0, iso);
	json_object_set_new((json_t *)(uintptr_t)p->doc, "deprecated", json_string(iso));
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	const struct store_api *api = p->row;
	struct store_api other;
	bool found;

	settle_date(p);
	check_path(p, api->path);
	check_address(p, "/backendUrl", api->backend_url);
	if (api->backend_url.n && api->backend_id.n)
		put_problem(p, "/backend", "give backendUrl or backend, not both");
	if (api->version.n && !api->version_set_id.n)
		put_problem(p, "/versionSet", "a version belongs to a version set; name it, or leave the version out");
	TRY(store_api_find_path(p->s, p->a, api->environment_id, api->path, api->version, &other, &found, err));
	if (found && !str_eq(other.id, p->id))
		put_problem(p, "/path", "the API '%.*s' is at this path already, in the same environment and version", STR_ARG(other.id));
	if (!p->exists)
		return GH_RC_OK;
	TRY(store_api_find(p->s, p->a, p->id, api->revision, &other, &found, err));
	if (!found)
		put_problem(p, "/revision", "there is no revision %lld; make it first", (long long)api->revision);
	return GH_RC_OK;
}

static GH_RC set_tags(struct resource_put *p, struct gh_err *err)
{
	struct str *tags;
	size_t n;

	if (p->before && json_equal(jsn_get(p->before, "tags"), jsn_get(p->doc, "tags")))
		return GH_RC_OK;
	if (!p->before && !json_array_size(jsn_get(p->doc, "tags")))
		return GH_RC_OK;
	TRY(resource_texts(p->a, jsn_get(p->doc, "tags"), &tags, &n, err));
	return store_api_tags_set(p->s, p->id, tags, n, err);
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	const struct store_api *api = p->row;

	if (!p->exists) {
		TRY(store_api_create_at(p->s, api, api->revision, err));
		return set_tags(p, err);
	}
	if (api->revision != jsn_int(p->before, "revision", 0))
		TRY(store_revision_make_current(p->s, p->id, api->revision, err));
	TRY(store_api_change(p->s, p->a, api, p->c->portal, &p->c->told, err));
	return set_tags(p, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_api_delete(s, id, err);
}

/* A patch that makes another revision current is about that one: its backend is not that of the present one. */
static GH_RC base(struct store *s, struct arena *a, struct str id, const json_t *patch, json_t **out, struct gh_err *err)
{
	int64_t revision = jsn_int(patch, "revision", 0);
	struct store_api api;
	bool found = false;

	*out = NULL;
	if (revision > 0)
		TRY(store_api_find(s, a, id, revision, &api, &found, err));
	if (!found)
		TRY(store_api_find(s, a, id, 0, &api, &found, err));
	return found ? resource_show(s, a, &kind_api, &api, out, err) : GH_RC_OK;
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct store_api), .store = STORE_RESOURCE_API, .check_id = check_id, .find = find, .show = show, .fresh = fresh,
	.check = check, .save = save, .drop = drop, .base = base,
};

const struct resource_kind kind_api = {
	.name = "api", .plural = "apis", .title = "API",
	.description = "An API of an environment, seen through its current revision. Its operations, description, policy and other "
		       "revisions are resources of their own; removing the API removes them.",
	.area = RESOURCE_AREA_APIS, .fields = fields, .ops = &ops,
	.filters = { { "environment", "Only APIs of this environment", NULL }, { "state", "Only APIs at this stage", store_api_state_names },
		     { "tag", "Only APIs with this tag", NULL }, { "product", "Only APIs in this product", NULL } },
};
