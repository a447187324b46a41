/* cache_response.c - cache-lookup and cache-store: whole responses.
 *
 * The lookup builds the key and leaves it for the store of the same request. When a response is missing, one request of
 * a worker fetches it and the others wait for a moment to find it in the cache (they look again every FILL_POLL_MS, at
 * most FILL_WAIT_MS, then go to the backend themselves). RFC 9111: what is no-store or private, varies on everything or
 * sets cookies is not kept. */
#include "policy/elements/url.h"

#include "core/buf.h"
#include "core/str.h"
#include "policy/program.h"
#include "policy/value_store.h"

enum { FILL_POLL_MS = 20, FILL_WAIT_MS = 5000 };
enum { DOWNSTREAM_NONE, DOWNSTREAM_PRIVATE, DOWNSTREAM_PUBLIC };

struct text_child {
	struct arg text;
};
struct lookup_config {
	struct arg by_developer, by_groups, private, store, downstream, revalidate;
	struct children headers, query;
};
struct store_config {
	struct arg duration, cache_response;
};
struct lookup_state {
	struct cache_op op;
	struct host_sleep sleep;
	uint32_t waited_ms;
	bool asleep;
};

/* ---- the key ----------------------------------------------------------------------------------------------------- */

static bool named_in_list(struct exchange *x, const struct children *list, struct str name, bool *found)
{
	for (size_t i = 0; i < list->n; i++) {
		struct str all;

		if (!arg_get_text(x, &((const struct text_child *)list->v[i].config)->text, &all))
			return false;
		for (struct str one; str_split(&all, ';', &one);)
			*found |= str_eq_ci(str_trim(one), name);
	}
	return true;
}

/* The query parameters that count, in the order in which they stand; all when none is named. */
static bool add_query(struct exchange *x, const struct lookup_config *c, struct buf *key)
{
	struct str rest = x->request.original_url.query, n, v;

	while (rest.n && query_next(&rest, &n, &v)) {
		bool counts = !c->query.n;

		if (c->query.n && !named_in_list(x, &c->query, url_decode(x->arena, n, true), &counts))
			return false;
		if (!counts)
			continue;
		buf_char(key, '&');
		buf_str(key, n);
		buf_char(key, '=');
		buf_str(key, v);
	}
	return true;
}

static bool add_headers(struct exchange *x, const struct lookup_config *c, struct buf *key)
{
	for (size_t i = 0; i < c->headers.n; i++) {
		struct str all;

		if (!arg_get_text(x, &((const struct text_child *)c->headers.v[i].config)->text, &all))
			return false;
		for (struct str one; str_split(&all, ';', &one);) {
			buf_char(key, '\n');
			buf_str(key, str_trim(one));
			buf_char(key, ':');
			buf_str(key, fields_joined(&x->request.headers, str_trim(one)));
		}
	}
	return true;
}

static bool build_key(struct exchange *x, const struct lookup_config *c, struct buf *key)
{
	bool developer, groups;

	if (!arg_get_bool(x, &c->by_developer, &developer) || !arg_get_bool(x, &c->by_groups, &groups))
		return false;
	buf_cstr(key, "response:");
	buf_str(key, x->api ? x->api->id : STR(""));
	buf_char(key, ';');
	buf_str(key, x->api ? x->api->revision : STR(""));
	buf_char(key, '\n');
	buf_str(key, x->request.original_url.path);
	if (!add_query(x, c, key) || !add_headers(x, c, key))
		return false;
	if (developer) {
		buf_cstr(key, "\nuser:");
		buf_str(key, x->user ? x->user->id : STR(""));
	}
	for (size_t i = 0; groups && x->user && i < x->user->n_groups; i++) {
		buf_cstr(key, "\ngroup:");
		buf_str(key, x->user->groups[i].id);
	}
	return true;
}

/* ---- cache-lookup ------------------------------------------------------------------------------------------------ */

static void release_fill(struct exchange *x, void *arg)
{
	(void)arg;
	if (!x->program->filling)
		return;
	x->program->filling = false;
	x->host->leave(x, x->program->cache_key);
}

/* What caches on the way to the client may do. */
static bool set_downstream(struct exchange *x, const struct lookup_config *c, int64_t age_s)
{
	int64_t kind;
	bool revalidate;
	struct str value;

	if (!arg_get_int(x, &c->downstream, &kind) || !arg_get_bool(x, &c->revalidate, &revalidate))
		return false;
	if (kind == DOWNSTREAM_NONE)
		value = STR("no-store, must-revalidate, no-cache");
	else
		value = arena_printf(x->arena, "%s, max-age=%lld%s", kind == DOWNSTREAM_PRIVATE ? "private" : "public",
				     (long long)age_s, revalidate ? ", must-revalidate" : "");
	return !str_is_null(value) && fields_set(&x->response.headers, STR("Cache-Control"), value);
}

static enum step miss(struct exchange *x, struct lookup_state *s)
{
	if (s->waited_ms < FILL_WAIT_MS && !x->host->enter(x, x->program->cache_key, 1)) {
		s->sleep = (struct host_sleep){ .ms = FILL_POLL_MS };
		s->asleep = true;
		s->waited_ms += FILL_POLL_MS;
		return x->host->sleep(x, &s->sleep);
	}
	if (s->waited_ms < FILL_WAIT_MS) {
		x->program->filling = true;
		if (!exchange_at_end(x, release_fill, NULL))
			return exchange_no_memory(x);
	}
	exchange_trace(x, "not in the cache");
	return STEP_NEXT;
}

static enum step looked(struct exchange *x, struct lookup_state *s)
{
	struct response kept;

	if (str_is_null(s->op.value) || !response_restore(x->arena, s->op.value, &kept))
		return miss(x, s);
	x->response = kept;
	x->program->cache_config = NULL;
	exchange_trace(x, "answered from the cache");
	return STEP_RESPOND;
}

static enum step go_on(struct exchange *x, struct lookup_state *s)
{
	enum step step = STEP_NEXT;

	for (;;) {
		if (s->asleep) {
			if (!s->sleep.done)
				return STEP_WAIT;
			s->asleep = false;
			s->op.done = false;
			step = x->host->cache_get(x, &s->op);
		}
		if (step != STEP_NEXT)
			return step;
		if (!s->op.done)
			return STEP_WAIT;
		step = looked(x, s);
		if (step != STEP_NEXT || !s->asleep)
			return step;
	}
}

static enum step run_lookup(struct exchange *x, const void *config)
{
	const struct lookup_config *c = config;
	struct lookup_state *s;
	struct buf key;
	bool private, ok;
	enum step step;

	if (!arg_get_bool(x, &c->private, &private))
		return STEP_FAIL;
	if (!str_eq(x->request.method, STR("GET"))
	    || (!private && fields_count(&x->request.headers, STR("Authorization")))) {
		exchange_trace(x, "this request is not cached");
		return STEP_NEXT;
	}
	s = arena_new_of(x->arena, struct lookup_state);
	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	buf_init(&key, 65536);
	ok = build_key(x, c, &key);
	x->program->cache_key = ok && buf_ok(&key) ? arena_dup(x->arena, buf_view(&key)) : STR_NULL;
	buf_release(&key);
	if (!ok)
		return STEP_FAIL;
	if (str_is_null(x->program->cache_key))
		return STEP_NEXT;
	x->program->cache_config = c;
	s->op = (struct cache_op){ .store = (enum cache_store)c->store.number, .key = x->program->cache_key };
	step = x->host->cache_get(x, &s->op);
	return step == STEP_NEXT ? go_on(x, s) : step;
}

static enum step resume_lookup(struct exchange *x, const void *config)
{
	(void)config;
	return go_on(x, *step_state(x));
}

/* ---- cache-store ------------------------------------------------------------------------------------------------- */

static bool may_keep(const struct response *r)
{
	struct str control = fields_joined(&r->headers, STR("Cache-Control")),
		   vary = fields_joined(&r->headers, STR("Vary"));
	struct str all = control;

	if (str_eq(str_trim(vary), STR("*")) || fields_count(&r->headers, STR("Set-Cookie")))
		return false;
	for (struct str one; control.n && str_split(&all, ',', &one);) {
		struct str word = str_trim(str_first(one, str_find_char(one, '=')));

		if (str_eq_ci(word, STR("no-store")) || str_eq_ci(word, STR("private")))
			return false;
	}
	return true;
}

static enum step run_store(struct exchange *x, const void *config)
{
	const struct store_config *c = config;
	const struct lookup_config *lookup = x->program->cache_config;
	struct cache_op *op;
	int64_t duration;
	bool any_status;

	if (!lookup) {
		exchange_trace(x, "no cache-lookup has looked for this response");
		return STEP_NEXT;
	}
	if (!arg_get_int(x, &c->duration, &duration) || !arg_get_bool(x, &c->cache_response, &any_status))
		return STEP_FAIL;
	if (duration < 1 || (!any_status && x->response.status != 200) || !may_keep(&x->response)
	    || x->response.body.kind == BODY_STREAM) {
		exchange_trace(x, "not kept");
		return STEP_NEXT;
	}
	if (!set_downstream(x, lookup, duration))
		return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	op = arena_new_of(x->arena, struct cache_op);
	if (!op)
		return exchange_no_memory(x);
	*step_state(x) = op;
	*op = (struct cache_op){ .store = (enum cache_store)lookup->store.number, .key = x->program->cache_key,
				 .ttl_s = (uint32_t)duration, .value = response_store(x->arena, &x->response) };
	if (str_is_null(op->value))
		return exchange_no_memory(x);
	exchange_trace(x, "kept for %lld s", (long long)duration);
	return x->host->cache_put(x, op);
}

static enum step resume_store(struct exchange *x, const void *config)
{
	const struct cache_op *op = *step_state(x);

	(void)config;
	return op->done ? STEP_NEXT : STEP_WAIT;
}

/* ---- schemas ----------------------------------------------------------------------------------------------------- */

static bool check_store(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	c->uses.response_body = true;
	return true;
}

static const struct arg_schema header_text = {
	.name = "header",
	.kind = ARG_TEXT,
	.flags = ARG_REQUIRED | ARG_EXPR,
	.offset = offsetof(struct text_child, text),
	.help = "name of a header; several with `;`",
};
static const struct element_schema header_schema = {
	.name = "vary-by-header",
	.help = "A response for each value of this request header.",
	.config_size = sizeof(struct text_child),
	.text = &header_text,
};
static const struct arg_schema query_text = {
	.name = "parameter",
	.kind = ARG_TEXT,
	.flags = ARG_EXPR | ARG_EMPTY,
	.offset = offsetof(struct text_child, text),
	.help = "name of a query parameter; several with `;`",
};
static const struct element_schema query_schema = {
	.name = "vary-by-query-parameter",
	.help = "A response for each value of this query parameter; none given: for each query.",
	.config_size = sizeof(struct text_child),
	.text = &query_text,
};
static const struct child_schema children[] = {
	{ .element = &header_schema, .offset = offsetof(struct lookup_config, headers) },
	{ .element = &query_schema, .offset = offsetof(struct lookup_config, query) },
};
static const struct arg_schema lookup_args[] = {
	{ .name = "vary-by-developer",
	  .kind = ARG_BOOL,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct lookup_config, by_developer),
	  .help = "a response for each user" },
	{ .name = "vary-by-developer-groups",
	  .kind = ARG_BOOL,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct lookup_config, by_groups),
	  .help = "a response for each set of groups" },
	{ .name = "allow-private-response-caching",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct lookup_config, private),
	  .help = "also for requests with Authorization" },
	{ .name = "caching-type",
	  .kind = ARG_ENUM,
	  .choices = "internal|external|prefer-external",
	  .def = "prefer-external",
	  .offset = offsetof(struct lookup_config, store),
	  .help = "which cache: the gateway's own, or one shared with others" },
	{ .name = "downstream-caching-type",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "none|private|public",
	  .def = "none",
	  .offset = offsetof(struct lookup_config, downstream),
	  .help = "what caches on the way to the caller may keep" },
	{ .name = "must-revalidate",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct lookup_config, revalidate),
	  .help = "they must ask again when it has expired" },
};
static const struct element_schema lookup_schema = {
	.name = "cache-lookup",
	.help = "Answers a GET request from the cache when a response is there.",
	.config_size = sizeof(struct lookup_config),
	.args = lookup_args,
	.n_args = ARRAY_LEN(lookup_args),
	.children = children,
	.n_children = ARRAY_LEN(children),
};
const struct policy_type cache_lookup_type = { .schema = &lookup_schema, .sections = IN_INBOUND, .run = run_lookup,
					       .resume = resume_lookup };

static const struct arg_schema store_args[] = {
	{ .name = "duration",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 0,
	  .most = INT32_MAX,
	  .offset = offsetof(struct store_config, duration),
	  .help = "seconds for which the response is kept" },
	{ .name = "cache-response",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct store_config, cache_response),
	  .help = "keep responses of any status, not only 200" },
};
static const struct element_schema store_schema = {
	.name = "cache-store",
	.help = "Keeps the response for the requests that cache-lookup will see.",
	.config_size = sizeof(struct store_config),
	.args = store_args,
	.n_args = ARRAY_LEN(store_args),
	.check = check_store,
};
const struct policy_type cache_store_type = { .schema = &store_schema, .sections = IN_OUTBOUND, .run = run_store,
					      .resume = resume_store };
