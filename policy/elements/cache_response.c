/* cache_response.c - cache-lookup and cache-store: whole responses.
 *
 * The lookup builds the key and leaves it for the store of the same request. When a response is missing, one request of
 * the machine fetches it and the others wait for it (policy_host.fill), at most FILL_WAIT_MS each; then they go to the
 * backend themselves. A response that turned out not to be kept leaves a mark for PASS_S, so that the next requests do
 * not queue up for something that will never be there.
 *
 * Of RFC 9111 this is the part of a cache in front of the origin: what the response says counts (no-store, no-cache,
 * private, Vary), what the client says in Cache-Control does not, as in the reference system. An entry holds one variant:
 *
 *   'C' | stored_us i64 | length u32 | "name:value\n" of each field that Vary names | response       or 'P': not kept */
#include "policy/elements/url.h"

#include "core/buf.h"
#include "core/str.h"
#include "policy/program.h"
#include "policy/value_store.h"

enum { FILL_WAIT_MS = 5000, PASS_S = 10, KEY_MAX = 65536, VARY_MAX = 16384, ENTRY_HEAD = 1 + 8 + 4 };
enum { DOWNSTREAM_NONE, DOWNSTREAM_PRIVATE, DOWNSTREAM_PUBLIC };
static const char ENTRY = 'C', PASS = 'P';

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

/* What cache-lookup leaves for cache-store. */
struct cache_session {
	struct str key;
	const struct lookup_config *config;
	struct fields asked;                 /* the request's fields as the lookup saw them, for Vary */
	bool leads;                          /* others wait for this request */
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
	if (x->backend_id.n)
		buf_str(key, x->backend_id);
	else
		buf_fmt(key, "%.*s://%.*s:%u", STR_ARG(u->scheme), STR_ARG(u->host), url_port(u));
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

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* The values that the fields named by Vary have in `asked`. False: it names everything, or too much. */
static bool vary_text(const struct fields *asked, struct str vary, struct buf *out)
{
	buf_init(out, VARY_MAX);
	for (struct str one; vary.n && str_split(&vary, ',', &one);) {
		struct str name = str_trim(one);

		if (str_eq(name, STR("*")))
			return false;
		if (!name.n)
			continue;
		buf_str(out, name);
		buf_char(out, ':');
		buf_str(out, fields_joined(asked, name));
		buf_char(out, '\n');
	}
	return buf_ok(out);
}

static struct str make_entry(struct exchange *x, const struct fields *asked)
{
	struct str body = response_store(x->arena, &x->response), entry = STR_NULL;
	int64_t now = x->host->now_us(x);
	struct buf vary;

	if (vary_text(asked, fields_joined(&x->response.headers, STR("Vary")), &vary) && !str_is_null(body)) {
		uint32_t n = (uint32_t)vary.n;
		char *p = arena_alloc_text(x->arena, ENTRY_HEAD + vary.n + body.n);

		if (p) {
			p[0] = ENTRY;
			memcpy(p + 1, &now, sizeof(now));
			memcpy(p + 1 + sizeof(now), &n, sizeof(n));
			memcpy(p + ENTRY_HEAD, buf_view(&vary).p, vary.n);
			memcpy(p + ENTRY_HEAD + vary.n, body.p, body.n);
			entry = (struct str){ p, ENTRY_HEAD + vary.n + body.n };
		}
	}
	buf_release(&vary);
	return entry;
}

/* Each line of the stored text holds for this request too. */
static bool vary_matches(const struct exchange *x, struct str text)
{
	for (struct str line; text.n && str_split(&text, '\n', &line);) {
		size_t colon = str_find_char(line, ':');

		if (colon != SIZE_MAX
		    && !str_eq(fields_joined(&x->request.headers, str_first(line, colon)), str_from(line, colon + 1)))
			return false;
	}
	return true;
}

static bool read_entry(struct exchange *x, struct str entry, struct response *out, int64_t *age_s)
{
	int64_t stored_us;
	uint32_t n;

	if (entry.n < ENTRY_HEAD || entry.p[0] != ENTRY)
		return false;
	memcpy(&stored_us, entry.p + 1, sizeof(stored_us));
	memcpy(&n, entry.p + 1 + sizeof(stored_us), sizeof(n));
	if (n > entry.n - ENTRY_HEAD || !vary_matches(x, str_first(str_from(entry, ENTRY_HEAD), n)))
		return false;
	*age_s = (x->host->now_us(x) - stored_us) / 1000000;
	return response_restore(x->arena, str_from(entry, ENTRY_HEAD + n), out);
}

/* ---- cache-lookup ------------------------------------------------------------------------------------------------ */

/* Lets those go on that wait for this request. */
static void release_fill(struct exchange *x)
{
	struct cache_session *c = x->program->cache;

	if (!c || !c->leads)
		return;
	c->leads = false;
	x->host->filled(x, c->key);
}

void cache_fill_drop(struct exchange *x)
{
	release_fill(x);
}

/* The pipeline has ended. A response that came and was not kept would not be the next time either; after an error it may. */
static void end_fill(struct exchange *x, void *arg)
{
	struct cache_session *c = x->program->cache;
	struct cache_op *mark = arg;

	if (c->leads && !c->kept && !x->error.set && x->response.status < 500) {
		mark->key = c->key;
		mark->value = (struct str){ &PASS, 1 };
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

static enum step hit(struct exchange *x, const struct response *kept, int64_t age_s)
{
	struct cache_session *c = x->program->cache;
	int64_t kind;

	release_fill(x);
	x->response = *kept;
	x->cached = EXCHANGE_CACHE_HIT;
	x->program->cache = NULL;
	x->program->from_cache = true;
	if (!arg_get_int(x, &c->config->downstream, &kind))
		return STEP_FAIL;
	if (kind != DOWNSTREAM_NONE) {               /* RFC 9111 section 5.1 */
		struct str age = arena_printf(x->arena, "%lld", (long long)(age_s > 0 ? age_s : 0));

		if (str_is_null(age) || !fields_set(&x->response.headers, STR("Age"), age))
			return exchange_no_memory(x);
	}
	exchange_trace(x, "found, kept %lld s ago: goes on behind cache-store", (long long)age_s);
	return STEP_RESPOND;
}

/* The backend is to send the whole response, not an answer to a condition that is the client's own. */
static enum step miss(struct exchange *x, const char *why)
{
	static const struct str conditions[] = {
		STR_INIT("If-None-Match"), STR_INIT("If-Modified-Since"), STR_INIT("If-Range"), STR_INIT("Range"),
		STR_INIT("Cache-Control"), STR_INIT("Pragma"),
	};

	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
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

static enum step look(struct exchange *x, struct lookup_state *s);

/* Who gets the right to fetch looks once more: another request may have ended between its look and now. */
static enum step after_fill(struct exchange *x, struct lookup_state *s)
{
	if (s->fill.result == CACHE_FILL_ALONE)
		return miss(x, "not in the cache, and nobody has put it there in time");
	x->program->cache->leads = s->fill.result == CACHE_FILL_LEAD;
	s->op.done = false;
	return look(x, s);
}

static enum step fill(struct exchange *x, struct lookup_state *s)
{
	enum step step;

	if (!x->host->fill)
		return lead(x);
	s->fill.done = false;
	step = x->host->fill(x, &s->fill);
	s->filling = step == STEP_WAIT;
	return step == STEP_NEXT ? after_fill(x, s) : step;
}

static enum step looked(struct exchange *x, struct lookup_state *s)
{
	struct response kept;
	int64_t age_s;

	if (read_entry(x, s->op.value, &kept, &age_s))
		return hit(x, &kept, age_s);
	if (s->op.value.n == 1 && s->op.value.p[0] == PASS) {
		release_fill(x);
		return miss(x, "not in the cache: what was fetched before could not be kept");
	}
	return x->program->cache->leads ? lead(x) : fill(x, s);
}

static enum step look(struct exchange *x, struct lookup_state *s)
{
	enum step step = x->host->cache_get(x, &s->op);

	return step == STEP_NEXT ? looked(x, s) : step;
}

static struct str key_of(struct exchange *x, const struct lookup_config *c)
{
	struct str key = STR_NULL;
	struct buf b;

	buf_init(&b, KEY_MAX);
	if (build_key(x, c, &b))
		key = buf_ok(&b) ? arena_dup(x->arena, buf_view(&b)) : STR("");
	buf_release(&b);
	return key;
}

static enum step run_lookup(struct exchange *x, const void *config)
{
	const struct lookup_config *c = config;
	struct cache_session *session;
	struct lookup_state *s;
	bool private;

	if (!arg_get_bool(x, &c->private, &private))
		return STEP_FAIL;
	if (!str_eq(x->request.method, STR("GET"))
	    || (!private && fields_count(&x->request.headers, STR("Authorization")))) {
		exchange_trace(x, "this request is not cached");
		return STEP_NEXT;
	}
	release_fill(x);                             /* of a lookup before this one */
	s = arena_new_of(x->arena, struct lookup_state);
	session = arena_new_of(x->arena, struct cache_session);
	if (!s || !session)
		return exchange_no_memory(x);
	*step_state(x) = s;
	session->key = key_of(x, c);
	if (str_is_null(session->key))
		return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	if (!session->key.n) {
		exchange_trace(x, "the key would be longer than %d bytes: not cached", KEY_MAX);
		return STEP_NEXT;
	}
	session->config = c;
	fields_init(&session->asked, x->arena);
	if (!fields_copy(&session->asked, &x->request.headers))
		return exchange_no_memory(x);
	x->program->cache = session;
	x->cached = EXCHANGE_CACHE_MISS;
	s->op = (struct cache_op){ .store = (enum cache_store)c->store.number, .key = session->key };
	s->fill = (struct cache_fill){ .key = session->key, .wait_ms = FILL_WAIT_MS };
	return look(x, s);
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

/* RFC 9111 section 3. What sets cookies is for one client, whatever else it says. */
static bool may_keep(const struct response *r)
{
	static const struct str forbid[] = { STR_INIT("no-store"), STR_INIT("no-cache"), STR_INIT("private") };
	struct str control = fields_joined(&r->headers, STR("Cache-Control"));

	if (fields_count(&r->headers, STR("Set-Cookie")) || r->status == 206 || r->status == 304)
		return false;
	for (struct str one; control.n && str_split(&control, ',', &one);) {
		struct str word = str_trim(str_first(one, str_find_char(one, '=')));

		for (size_t i = 0; i < ARRAY_LEN(forbid); i++)
			if (str_eq_ci(word, forbid[i]))
				return false;
	}
	return true;
}

static enum step not_kept(struct exchange *x, const char *why)
{
	exchange_trace(x, "not kept: %s", why);
	return STEP_NEXT;
}

static enum step keep(struct exchange *x, struct cache_session *session, int64_t duration)
{
	struct cache_op *op = arena_new_of(x->arena, struct cache_op);
	struct str before = fields_joined(&x->response.headers, STR("Cache-Control"));
	enum step step;

	if (!op)
		return exchange_no_memory(x);
	*step_state(x) = op;
	if (!set_downstream(x, session->config, duration))
		return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	*op = (struct cache_op){ .store = (enum cache_store)session->config->store.number, .key = session->key,
				 .ttl_s = (uint32_t)duration, .value = make_entry(x, &session->asked) };
	if (str_is_null(op->value)) {
		if (!str_is_null(before) && !fields_set(&x->response.headers, STR("Cache-Control"), before))
			return exchange_no_memory(x);
		if (str_is_null(before))
			fields_remove(&x->response.headers, STR("Cache-Control"));
		return not_kept(x, "it varies by everything, or is too large");
	}
	exchange_trace(x, "kept for %lld s", (long long)duration);
	session->kept = true;
	step = x->host->cache_put(x, op);
	if (step == STEP_NEXT)
		release_fill(x);                     /* nobody needs to wait for the rest of this request */
	return step;
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
	if (!may_keep(&x->response))
		return not_kept(x, "the response forbids it");
	if (x->response.body.kind == BODY_STREAM)
		return not_kept(x, "its body was not held");
	return keep(x, session, duration);
}

static enum step resume_store(struct exchange *x, const void *config)
{
	const struct cache_op *op = *step_state(x);

	(void)config;
	if (!op->done)
		return STEP_WAIT;
	release_fill(x);
	return STEP_NEXT;
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
