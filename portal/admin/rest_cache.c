/* rest_cache.c - the answers that cache rules keep: GET /cache says what is there, POST /cache/purge removes some. It is the cache of
 * this machine. */
#include "portal/admin/rest.h"

#include "core/str.h"
#include "db/audit.h"
#include "policy/response_cache.h"

enum { LISTED = 100, LISTED_MAX = 1000 };

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
	int64_t most = LISTED;
	struct cache *cache;
	size_t n = 0;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "list of answers");
	if (limit.n && !str_to_i64(limit, 1, LISTED_MAX, &most))
		return rest_problem(r, 400, "bad-request", STR("limit is a number from 1 to 1000."), NULL, err);
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

/* A member that is not known must not widen what is removed. */
static GH_RC read_filter(json_t *body, struct cached_filter *f, struct gh_err *err)
{
	bool all = false, narrow = false;
	const char *name;
	json_t *v;

	*f = (struct cached_filter){ .api = STR_NULL };
	json_object_foreach(body, name, v) {
		size_t i = 0;

		while (i < ARRAY_LEN(filters) && strcmp(filters[i].name, name) != 0)
			i++;
		if (strcmp(name, "all") == 0 && json_is_true(v)) {
			all = true;
			continue;
		}
		if (i == ARRAY_LEN(filters) || !json_string_length(v))
			FAIL(err, INVALID, "\"%.64s\": give texts for key, prefix, tag, api or subscription, or \"all\": true", name);
		*place_of(f, i) = jsn_string(v);
		narrow = true;
	}
	if (all == narrow)
		FAIL(err, INVALID, "say which answers: key, prefix, tag, api or subscription; or \"all\": true");
	return GH_RC_OK;
}

gh_rc rest_cache_purge(struct rest *r, struct gh_err *err)
{
	struct store *s = r->w->site->store;
	struct cached_filter f;
	struct cache *cache;
	struct gh_err why;
	size_t removed = 0;
	json_t *body;
	char *detail;
	gh_rc rc;

	TRY(rest_body(r, false, &body, err));
	if (!body)
		return GH_RC_OK;
	rc = read_filter(body, &f, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	if (r->dry_run)
		return rest_problem(r, 400, "bad-request", STR("A purge has no dry run; GET /cache lists what fits."), NULL, err);
	TRY(open_answers(r, &cache, err));
	if (cache)
		TRY(response_cache_purge(cache, &f, &removed, err));
	json_object_set_new(body, "removed", json_integer((json_int_t)removed));
	detail = json_dumps(body, JSON_COMPACT);
	rc = store_tx_begin(s, r->who.actor, err);
	if (!rc.code)
		rc = store_tx_end(s, store_audit_note(s, STR("purge"), STR("cache"), STR("responses"), detail ? str_of(detail) : STR_NULL, err), err);
	free(detail);
	TRY(rc);
	return web_json(r->w, 200, "application/json", jsn_keep(r->w->a, json_pack("{s:I}", "removed", (json_int_t)removed)), err);
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
	static const char *const refusals[] = { "400", "401", "403", "406" };
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
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	op = json_pack("{s:s, s:s, s:[s], s:o, s:[{s:[]}]}", "operationId", route->writes ? "purgeCache" : "getCache", "summary",
		       route->writes ? "Remove answers from the cache" : "Answers that cache rules keep", "tags", "about", "responses", answers,
		       "security", "token");
	if (route->writes)
		json_object_set_new(op, "requestBody", json_pack("{s:b, s:{s:{s:{s:s, s:b, s:O}}}}", "required", 1, "content", "application/json",
				    "schema", "type", "object", "additionalProperties", 0, "properties", fields));
	else
		json_object_set(op, "parameters", parameters);
	json_decref(fields);
	json_decref(parameters);
	return op;
}
