/* rest_cache.c - the answers that cache rules keep: GET /cache says what is there, POST /cache/purge removes some. It is the cache of
 * this machine. */
#include "portal/admin/rest_deed.h"

#include "core/str.h"
#include "db/audit.h"
#include "policy/response_cache.h"
#include "portal/admin/admin.h"

enum { LISTED = 100, LISTED_MAX = 1000, KEY_MOST = 8192 };

static const struct {
	const char *name, *description;
	size_t at;
} filters[] = {
	{ "api", "Answers of this API", offsetof(struct cached_filter, api) },
	{ "key", "Of this path and query, as callers ask: /api/orders/7?full=1", offsetof(struct cached_filter, key) },
	{ "prefix", "Of paths that begin so", offsetof(struct cached_filter, prefix) },
	{ "tag", "With this word in Surrogate-Key or Cache-Tag", offsetof(struct cached_filter, tag) },
	{ "subscription", "That were kept for this subscription", offsetof(struct cached_filter, subscription) },
};

static struct str *place_of(struct cached_filter *f, size_t i)
{
	return (struct str *)(void *)((char *)f + filters[i].at);
}

static void close_cache(void *c)
{
	cache_close(c);
}

/* Opened for the request alone: the gateway may begin the files anew. *out NULL: nothing was kept yet. */
static GH_RC open_answers(struct rest *r, struct cache **out, struct gh_err *err)
{
	bool there;

	TRY(response_cache_open(&r->w->site->config, r->w->site->state_dir, out, &there, err));
	if (*out && !arena_defer(r->w->a, close_cache, *out)) {
		cache_close(*out);
		FAIL(err, NOMEM, "no memory for the cache");
	}
	return GH_RC_OK;
}

/* ---- what is there ------------------------------------------------------------------------------------------------------- */

static json_t *text(struct str s)
{
	return s.p ? json_stringn(s.p, s.n) : json_null();
}

static json_t *line_json(const struct cached_line *l)
{
	return json_pack("{s:o, s:o, s:o, s:i, s:I, s:I, s:I, s:o}", "key", text(l->target), "api", text(l->api), "subscription",
			 text(l->subscription), "status", l->status, "bytes", (json_int_t)l->bytes, "age", (json_int_t)l->age_s, "fresh",
			 (json_int_t)l->fresh_s, "tags", text(l->tags));
}

gh_rc rest_cache(struct rest *r, struct gh_err *err)
{
	struct str limit = web_param(&r->w->rq.query, "limit");
	struct cached_filter f = { .api = STR_NULL };
	struct cached_line *lines = NULL;
	struct cache_stats stats = { 0 };
	json_t *items = json_array(), *v;
	const char *known[ARRAY_LEN(filters) + 2] = { [ARRAY_LEN(filters)] = "limit" };
	int64_t most = LISTED;
	struct cache *cache;
	size_t n = 0;
	bool ok;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "list of answers");
	if (limit.n && !str_to_i64(limit, 1, LISTED_MAX, &most))
		return rest_problem(r, 400, "bad-request", STR("limit is a number from 1 to 1000."), NULL, err);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		known[i] = filters[i].name;
	TRY(rest_known(r, known, &ok, err));
	if (!ok)
		return GH_RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		*place_of(&f, i) = web_param(&r->w->rq.query, filters[i].name);
	TRY(open_answers(r, &cache, err));
	if (cache) {
		TRY(cache_stats(cache, &stats, err));
		TRY(response_cache_list(cache, r->w->a, &f, (size_t)most + 1, &lines, &n, err));
	}
	for (size_t i = 0; i < n && i < (size_t)most; i++)
		json_array_append_new(items, line_json(&lines[i]));
	v = jsn_keep(r->w->a, json_pack("{s:I, s:I, s:I, s:b, s:O}", "entries", (json_int_t)stats.entries, "bytes", (json_int_t)stats.bytes,
					"maxBytes", (json_int_t)config_int(&r->w->site->config, CONFIG_CACHE_RESPONSES_MAX_BYTES), "more",
					n > (size_t)most, "items", items));
	if (!v)
		FAIL(err, NOMEM, "list of answers");
	return web_json(r->w, 200, "application/json", v, err);
}

/* ---- purging ------------------------------------------------------------------------------------------------------------- */

/* A member that is not known must not widen what is removed: rest_take refuses it. */
static bool read_filter(struct resource_change *c, const json_t *body, struct cached_filter *f)
{
	struct rest_member members[ARRAY_LEN(filters) + 2] = { { NULL } };
	struct {
		struct cached_filter f;
		bool all;
	} x = { .all = false };
	bool narrow = false;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		members[i] = (struct rest_member){ filters[i].name, REST_TEXT, false, filters[i].at, 1, KEY_MOST };
	members[ARRAY_LEN(filters)] = (struct rest_member){ "all", REST_BOOL, false, (size_t)((char *)&x.all - (char *)&x), 0, 0 };
	if (!rest_take(c, body, members, &x))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		narrow |= place_of(&x.f, i)->n > 0;
	if (x.all == narrow)
		resource_problem(c, NULL, STR_NULL, STR("/all"), "say which answers: key, prefix, tag, api or subscription; or \"all\": true");
	*f = x.f;
	return x.all != narrow;
}

GH_RC admin_purge_note(struct web *w, const struct cached_filter *f, size_t removed, struct gh_err *err)
{
	json_t *v = jsn_keep(w->a, json_object());
	struct str detail;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct str given = *(const struct str *)(const void *)((const char *)f + filters[i].at);

		if (given.n)
			json_object_set_new(v, filters[i].name, json_stringn(given.p, given.n));
	}
	json_object_set_new(v, "removed", json_integer((json_int_t)removed));
	detail = jsn_text(w->a, v, 0);
	return store_audit_note(w->site->store, STR("purge"), STR("cache"), STR("responses"), detail, err);
}

static GH_RC purge(struct rest *r, struct resource_change *c, const json_t *body, json_t **out, struct gh_err *err)
{
	struct cached_filter f;
	struct cache *cache;
	size_t n = 0;

	if (!read_filter(c, body, &f))
		return GH_RC_OK;
	TRY(open_answers(r, &cache, err));
	if (cache && r->dry_run)
		TRY(response_cache_count(cache, &f, &n, err));
	else if (cache)
		TRY(response_cache_purge(cache, &f, &n, err));
	TRY(admin_purge_note(r->w, &f, n, err));
	*out = json_pack("{s:I}", "removed", (json_int_t)n);
	return GH_RC_OK;
}

gh_rc rest_cache_purge(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, purge, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

static json_t *integers(const char *const *names)
{
	json_t *v = json_object();

	for (; *names; names++)
		json_object_set_new(v, *names, json_pack("{s:s}", "type", "integer"));
	return json_pack("{s:s, s:o}", "type", "object", "properties", v);
}

static json_t *list_schema(void)
{
	json_t *v = integers((const char *const[]){ "entries", "bytes", "maxBytes", NULL }), *item = integers((const char *const[]){ "status", "bytes", "age", "fresh", NULL });

	for (const char *const *name = (const char *const[]){ "key", "api", "subscription", "tags", NULL }; *name; name++)
		json_object_set_new(jsn_get(item, "properties"), *name, json_pack("{s:[s, s]}", "type", "string", "null"));
	json_object_set_new(jsn_get(v, "properties"), "more", json_pack("{s:s}", "type", "boolean"));
	json_object_set_new(jsn_get(v, "properties"), "items", json_pack("{s:s, s:o}", "type", "array", "items", item));
	return v;
}

json_t *rest_describe_cache(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const char *const refusals[] = { "400", "401", "403", "406", "409", "413", "415", "422" };
	json_t *parameters = json_array(), *fields = json_object(), *answers, *op;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		json_array_append_new(parameters, json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", filters[i].name, "in", "query", "description",
							   filters[i].description, "schema", "type", "string"));
		json_object_set_new(fields, filters[i].name, json_pack("{s:s, s:s}", "type", "string", "description", filters[i].description));
	}
	json_object_set_new(fields, "all", json_pack("{s:s, s:s}", "type", "boolean", "description", "true: everything"));
	json_array_append_new(parameters, json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:i}}", "name", "limit", "in", "query", "description",
						   "At most so many, the newest first", "schema", "type", "integer", "minimum", 1, "maximum", LISTED_MAX));
	answers = json_pack("{s:{s:s, s:{s:{s:o}}}}", "200", "description", route->writes ? "How many were removed" : "What the cache holds", "content",
			    "application/json", "schema", route->writes ? integers((const char *const[]){ "removed", NULL }) : list_schema());
	for (size_t i = 0; i < (route->writes ? ARRAY_LEN(refusals) : 4); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	op = json_pack("{s:s, s:s, s:[s], s:o, s:[{s:[]}]}", "operationId", route->writes ? "purgeCache" : "getCache", "summary",
		       route->writes ? "Remove answers from the cache" : "Answers that cache rules keep", "tags", "about", "responses", answers,
		       "security", "token");
	if (route->writes)
		json_object_set_new(op, "requestBody", json_pack("{s:b, s:{s:{s:{s:s, s:b, s:O}}}}", "required", 1, "content", "application/json",
				    "schema", "type", "object", "additionalProperties", 0, "properties", fields));
	json_object_set_new(op, "parameters", route->writes ? rest_write_parameters() : json_incref(parameters));
	json_decref(fields);
	json_decref(parameters);
	return op;
}
