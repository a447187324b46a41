/* cache_response.c - cache-lookup and cache-store: whole responses.
 *
 * The lookup builds the key and leaves it for the store of the same request. When a response is missing, one request of
 * the machine fetches it and the others wait for it (policy_host.fill), at most FILL_WAIT_MS each; then they go to the
 * backend themselves. A response that turned out not to be kept leaves a mark for PASS_S, so that the next requests do
 * not queue up for something that will never be there.
 *
 * Of RFC 9111 it follows what the response says (no-store, no-cache, private, Vary) and what the client says in his
 * Cache-Control; see cache_entry.h. */
#include "policy/elements/cache_entry.h"
#include "policy/elements/url.h"

#include "core/buf.h"
#include "core/str.h"
#include "policy/http_cache.h"
#include "policy/program.h"

enum { FILL_WAIT_MS = 5000, PASS_S = 10 };
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
	struct cache_fill fill;
	bool filling;                        /* waits for another request */
};
struct store_state {
	struct cache_op ops[2];              /* the response; then what Vary names, which leads to it */
	size_t n, at;
};

/* What cache-lookup leaves for cache-store. */
struct cache_session {
	struct str key;
	struct str variant;                  /* the key with what Vary names; null: not known, or nothing is named */
	struct str led;                      /* the key that others wait for; null: none */
	const struct lookup_config *config;
	struct fields asked;                 /* the request's fields as the lookup saw them, for Vary */
	struct cache_wishes wishes;
	bool kept;
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
	struct str rest = x->request.url.query, n, v;

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

/* What the client asked for and where that would go: policies may have chosen the backend by anything. A pool counts as
 * one backend. */
static void add_address(const struct exchange *x, struct buf *key)
{
	const struct url *u = &x->request.url;

	buf_cstr(key, "response:");
	buf_str(key, x->api ? x->api->id : STR(""));
	buf_char(key, ';');
	buf_str(key, x->api ? x->api->revision : STR(""));
	buf_char(key, '\n');
	buf_str(key, x->request.original_url.path);
	buf_char(key, '\n');
	if (x->backend_id.n) {
		buf_str(key, x->backend_id);
	} else {
		buf_str(key, u->scheme);
		buf_cstr(key, "://");
		buf_str(key, u->host);
		buf_char(key, ':');
		buf_u64(key, url_port(u));
	}
	buf_str(key, u->path);
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
	add_address(x, key);
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

/* Lets those go on that wait for this request. */
static void release_fill(struct exchange *x)
{
	struct cache_session *c = x->program->cache;

	if (!c || !c->led.p)
		return;
	x->host->filled(x, c->led);
	c->led = STR_NULL;
}

void cache_fill_drop(struct exchange *x)
{
	release_fill(x);
}

/* The pipeline has ended. A response that came and was not kept would not be the next time either; after an error it may.
 * There is no session left when another lookup of the request has found the response. */
static void end_fill(struct exchange *x, void *arg)
{
	struct cache_session *c = x->program->cache;
	struct cache_op *mark = arg;

	if (c && c->led.p && !c->kept && !x->error.set && x->response.status < 500) {
		mark->key = c->led;
		mark->value = cache_entry_pass();
		mark->ttl_s = PASS_S;
		(void)x->host->cache_put(x, mark);
	}
	release_fill(x);
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

/* The client has it already: status and the fields of a 304 (RFC 9110 section 15.4.5) go, the body does not. */
static void not_modified(struct exchange *x)
{
	x->response.status = 304;
	x->response.reason = STR("Not Modified");
	x->response.body = (struct body){ .kind = BODY_NONE, .changed = true };
	fields_remove(&x->response.headers, STR("Content-Length"));
	exchange_trace(x, "the client has this response already");
}

static enum step hit(struct exchange *x, const struct cache_entry *e)
{
	struct cache_session *c = x->program->cache;
	int64_t kind;

	release_fill(x);
	x->response = e->response;
	x->cached = EXCHANGE_CACHE_HIT;
	x->program->cache = NULL;
	x->program->from_cache = true;
	if (!arg_get_int(x, &c->config->downstream, &kind))
		return STEP_FAIL;
	if (kind != DOWNSTREAM_NONE) {               /* RFC 9111 section 5.1 */
		struct str age = arena_printf(x->arena, "%lld", (long long)e->age_s);

		if (str_is_null(age) || !fields_set(&x->response.headers, STR("Age"), age))
			return exchange_no_memory(x);
	}
	if (http_cache_client_has(&c->asked, &e->response))
		not_modified(x);
	exchange_trace(x, "found, kept %lld s ago: goes on behind cache-store", (long long)e->age_s);
	return STEP_RESPOND;
}

/* The backend is to send the whole response, not an answer to a condition that is the client's own. That he wants a
 * fresh one is for all caches on the way. */
static enum step miss(struct exchange *x, const char *why)
{
	static const struct str conditions[] = {
		STR_INIT("If-None-Match"), STR_INIT("If-Modified-Since"), STR_INIT("If-Range"), STR_INIT("Range"),
		STR_INIT("Cache-Control"), STR_INIT("Pragma"),
	};
	size_t n = x->program->cache->wishes.anew ? ARRAY_LEN(conditions) - 2 : ARRAY_LEN(conditions);

	for (size_t i = 0; i < n; i++)
		fields_remove(&x->request.headers, conditions[i]);
	exchange_trace(x, "%s", why);
	return STEP_NEXT;
}

static enum step lead(struct exchange *x)
{
	struct cache_op *mark = arena_new_of(x->arena, struct cache_op);

	if (!mark || !exchange_at_end(x, end_fill, mark)) {
		release_fill(x);
		return exchange_no_memory(x);
	}
	mark->store = (enum cache_store)x->program->cache->config->store.number;
	return miss(x, "not in the cache");
}

static enum step look(struct exchange *x, struct lookup_state *s, struct str key);

/* Who gets the right to fetch looks once more: another request may have ended between its look and now. */
static enum step after_fill(struct exchange *x, struct lookup_state *s)
{
	if (s->fill.result == CACHE_FILL_ALONE)
		return miss(x, "not in the cache, and nobody has put it there in time");
	if (s->fill.result == CACHE_FILL_LEAD)
		x->program->cache->led = s->fill.key;
	return look(x, s, s->fill.key);
}

static enum step fill(struct exchange *x, struct lookup_state *s)
{
	enum step step;

	if (!x->host->fill)
		return lead(x);
	s->fill.key = s->op.key;
	s->fill.done = false;
	step = x->host->fill(x, &s->fill);
	s->filling = step == STEP_WAIT;
	return step == STEP_NEXT ? after_fill(x, s) : step;
}

/* The names of Vary lead to the response for this request. */
static enum step look_for_variant(struct exchange *x, struct lookup_state *s, struct str names)
{
	struct cache_session *c = x->program->cache;

	c->variant = cache_variant_key(x, c->key, names, &c->asked);
	release_fill(x);                             /* those who wait for the names can see them now */
	if (str_is_null(c->variant) || str_eq(s->op.key, c->variant))
		return miss(x, "not in the cache: what it varies by is too much");
	return look(x, s, c->variant);
}

static enum step looked(struct exchange *x, struct lookup_state *s)
{
	struct cache_session *c = x->program->cache;
	struct cache_entry e;

	cache_entry_read(x, s->op.value, &e);
	if (e.kind == CACHE_ENTRY_VARY)
		return look_for_variant(x, s, e.names);
	if (e.kind == CACHE_ENTRY_RESPONSE && cache_wishes_fit(&c->wishes, &e))
		return hit(x, &e);
	if (c->wishes.only_kept)                     /* RFC 9111 section 5.2.1.7 */
		return exchange_refuse(x, 504, STR("NotInCache"), STR("The response is not in the cache, and the client wants no "
				       "other (only-if-cached)."), STR_NULL);
	if (e.kind != CACHE_ENTRY_RESPONSE && e.kind != CACHE_ENTRY_PASS)
		return c->led.p ? lead(x) : fill(x, s);
	release_fill(x);
	return miss(x, e.kind == CACHE_ENTRY_PASS ? "not in the cache: what was fetched before could not be kept"
						  : "in the cache, but the client wants a fresher one");
}

static enum step look(struct exchange *x, struct lookup_state *s, struct str key)
{
	enum step step;

	s->op.key = key;
	s->op.done = false;
	step = x->host->cache_get(x, &s->op);
	return step == STEP_NEXT ? looked(x, s) : step;
}

static struct str key_of(struct exchange *x, const struct lookup_config *c)
{
	struct str key = STR_NULL;
	struct buf b;

	buf_init(&b, CACHE_KEY_MAX);
	if (build_key(x, c, &b))
		key = buf_ok(&b) ? arena_dup(x->arena, buf_view(&b)) : STR("");
	buf_release(&b);
	return key;
}

static struct cache_session *session_new(struct exchange *x, const struct lookup_config *c)
{
	struct cache_session *session = arena_new_of(x->arena, struct cache_session);

	if (!session)
		return NULL;
	session->config = c;
	fields_init(&session->asked, x->arena);
	if (!fields_copy(&session->asked, &x->request.headers))
		return NULL;
	session->wishes = cache_wishes_of(&session->asked);
	return session;
}

static enum step run_lookup(struct exchange *x, const void *config)
{
	const struct lookup_config *c = config;
	struct lookup_state *s = arena_new_of(x->arena, struct lookup_state);
	struct cache_session *session = session_new(x, c);
	bool private;

	if (!s || !session)
		return exchange_no_memory(x);
	if (!arg_get_bool(x, &c->private, &private))
		return STEP_FAIL;
	if (!str_eq(x->request.method, STR("GET")) || session->wishes.no_store
	    || (!private && fields_count(&x->request.headers, STR("Authorization")))) {
		exchange_trace(x, "this request is not cached");
		return STEP_NEXT;
	}
	release_fill(x);                             /* of a lookup before this one */
	*step_state(x) = s;
	session->key = key_of(x, c);
	if (str_is_null(session->key))
		return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	if (!session->key.n) {
		exchange_trace(x, "the key would be longer than %d bytes: not cached", CACHE_KEY_MAX);
		return STEP_NEXT;
	}
	x->program->cache = session;
	x->cached = EXCHANGE_CACHE_MISS;
	s->op.store = (enum cache_store)c->store.number;
	s->fill.wait_ms = FILL_WAIT_MS;
	return look(x, s, session->key);
}

static enum step resume_lookup(struct exchange *x, const void *config)
{
	struct lookup_state *s = *step_state(x);

	(void)config;
	if (s->filling) {
		if (!s->fill.done)
			return STEP_WAIT;
		s->filling = false;
		return after_fill(x, s);
	}
	return s->op.done ? looked(x, s) : STEP_WAIT;
}

/* ---- cache-store ------------------------------------------------------------------------------------------------- */

static enum step not_kept(struct exchange *x, const char *why)
{
	exchange_trace(x, "not kept: %s", why);
	return STEP_NEXT;
}

static enum step put(struct exchange *x, struct store_state *s)
{
	for (; s->at < s->n; s->at++) {
		enum step step = x->host->cache_put(x, &s->ops[s->at]);

		if (step != STEP_NEXT)
			return step;
	}
	release_fill(x);                             /* nobody needs to wait for the rest of this request */
	return STEP_NEXT;
}

/* What is to be written. False: it cannot be kept. */
static bool fill_store(struct exchange *x, const struct cache_session *c, int64_t duration, struct store_state *s)
{
	struct str names = fields_joined(&x->response.headers, STR("Vary"));
	struct cache_op op = { .store = (enum cache_store)c->config->store.number, .key = c->key, .ttl_s = (uint32_t)duration };

	s->n = str_trim(names).n ? 2 : 1;
	op.value = s->n > 1 ? cache_entry_vary(x, names) : STR("");
	s->ops[1] = op;
	op.value = cache_entry_response(x, &x->response, duration);
	if (s->n > 1)
		op.key = cache_variant_key(x, c->key, names, &c->asked);
	s->ops[0] = op;
	return !str_is_null(op.key) && !str_is_null(op.value) && !str_is_null(s->ops[1].value);
}

static enum step keep(struct exchange *x, struct cache_session *session, int64_t duration)
{
	struct store_state *s = arena_new_of(x->arena, struct store_state);
	struct str before = fields_joined(&x->response.headers, STR("Cache-Control"));

	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	if (!set_downstream(x, session->config, duration))
		return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	if (!fill_store(x, session, duration, s)) {
		if (!str_is_null(before) && !fields_set(&x->response.headers, STR("Cache-Control"), before))
			return exchange_no_memory(x);
		if (str_is_null(before))
			fields_remove(&x->response.headers, STR("Cache-Control"));
		return not_kept(x, "it varies by everything, or is too large");
	}
	exchange_trace(x, "kept for %lld s", (long long)duration);
	session->kept = true;
	return put(x, s);
}

static enum step run_store(struct exchange *x, const void *config)
{
	const struct store_config *c = config;
	struct cache_session *session = x->program->cache;
	int64_t duration;
	bool any_status;

	if (!session)
		return not_kept(x, "no cache-lookup has looked for this response");
	if (!arg_get_int(x, &c->duration, &duration) || !arg_get_bool(x, &c->cache_response, &any_status))
		return STEP_FAIL;
	if (duration < 1)
		return not_kept(x, "the duration is 0");
	if (!any_status && x->response.status != 200)
		return not_kept(x, "its status is not 200");
	if (!cache_may_keep(&x->response))
		return not_kept(x, "the response forbids it");
	if (x->response.body.kind == BODY_STREAM)
		return not_kept(x, "its body was not held");
	return keep(x, session, duration);
}

static enum step resume_store(struct exchange *x, const void *config)
{
	struct store_state *s = *step_state(x);

	(void)config;
	if (!s->ops[s->at].done)
		return STEP_WAIT;
	s->at++;
	return put(x, s);
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
const struct policy_type cache_lookup_type = { .schema = &lookup_schema, .sections = IN_INBOUND, .once = true, .run = run_lookup,
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
const struct policy_type cache_store_type = { .schema = &store_schema, .sections = IN_OUTBOUND, .once = true, .run = run_store,
					      .resume = resume_store };
