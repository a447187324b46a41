/* host.c - the world of an offline run: canned answers, counters, a cache, a clock that is moved by hand. */
#include "policy/offline/internal.h"

#include "core/str.h"

static struct offline *of(struct exchange *x)
{
	return x->owner;
}

static int64_t now_us(struct exchange *x)
{
	return of(x)->now_us;
}

/* splitmix64 */
static uint64_t random_bits(struct exchange *x)
{
	uint64_t z = of(x)->random_state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

static enum step sleep_for(struct exchange *x, struct host_sleep *s)
{
	of(x)->now_us += (int64_t)s->ms * 1000;
	s->done = true;
	return STEP_NEXT;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static enum call_failure failure_named(struct str name)
{
	static const struct {
		struct str name;
		enum call_failure failure;
	} known[] = {
		{ STR_INIT("timeout"), CALL_TIMEOUT },
		{ STR_INIT("connect"), CALL_CONNECT },
		{ STR_INIT("tls"), CALL_TLS },
		{ STR_INIT("protocol"), CALL_PROTOCOL },
		{ STR_INIT("too-large"), CALL_TOO_LARGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_ci(known[i].name, name))
			return known[i].failure;
	return CALL_CONNECT;
}

/* "error" in a canned answer, or CALL_OK. */
static enum call_failure canned_failure(struct arena *a, json_t *answer, struct str address, struct str *text)
{
	struct str name = jsn_str(answer, "error");

	if (str_is_null(name))
		return CALL_OK;
	*text = arena_printf(a, "%.*s: %.*s", STR_ARG(address), STR_ARG(name));
	return failure_named(name);
}

static enum step forward(struct exchange *x, struct forward *f)
{
	struct offline *o = of(x);
	json_t *canned = jsn_get(o->context, "backend"), *answer = canned;
	struct gh_err err;

	json_decref(o->backend_request);
	o->backend_request = offline_request_json(x->arena, &x->request);
	if (json_is_array(canned) && json_array_size(canned))
		answer = json_array_get(canned,
					o->tries < json_array_size(canned) ? o->tries : json_array_size(canned) - 1);
	o->tries++;
	f->done = true;
	f->failure = canned_failure(x->arena, answer, url_text(x->arena, &x->request.url), &f->failure_text);
	if (f->failure == CALL_OK && offline_read_response(x->arena, answer, &x->response, &err).code)
		return exchange_fail(x, 500, STR_NULL, "backend: %s", err.message);
	return STEP_NEXT;
}

static bool matches(struct str pattern, struct str text)
{
	if (str_is_null(pattern))
		return true;
	if (pattern.n && pattern.p[pattern.n - 1] == '*')
		return str_starts(text, str_first(pattern, pattern.n - 1));
	return str_eq(pattern, text);
}

static json_t *find_call(struct offline *o, struct str method, struct str url)
{
	json_t *call;
	size_t i;

	json_array_foreach(o->calls_left, i, call) {
		const json_t *match = jsn_obj(call, "match");
		int64_t times = jsn_int(call, "times", -1);
		struct str m = jsn_str(match, "method");

		if (!times || (m.n && !str_eq_ci(m, method)) || !matches(jsn_str(match, "url"), url))
			continue;
		if (times > 0)
			json_object_set_new(call, "times", json_integer(times - 1));
		return call;
	}
	return NULL;
}

static enum step send(struct exchange *x, struct subrequest *s)
{
	struct offline *o = of(x);
	struct str url = url_text(x->arena, &s->request.url);
	json_t *call = find_call(o, s->request.method, url), *answer;
	struct gh_err err;

	json_array_append_new(o->sent, offline_request_json(x->arena, &s->request));
	s->done = true;
	fields_init(&s->response.headers, x->arena);
	if (!call) {
		s->failure = CALL_CONNECT;
		s->failure_text = arena_printf(x->arena, "no entry of `calls` answers %.*s %.*s",
					       STR_ARG(s->request.method), STR_ARG(url));
		return STEP_NEXT;
	}
	answer = jsn_get(call, "response");
	s->failure = canned_failure(x->arena, call, url, &s->failure_text);
	if (s->failure == CALL_OK)
		s->failure = canned_failure(x->arena, answer, url, &s->failure_text);
	if (s->failure == CALL_OK && offline_read_response(x->arena, answer, &s->response, &err).code)
		return exchange_fail(x, 500, STR_NULL, "calls: %s", err.message);
	return STEP_NEXT;
}

/* ---- counters ---------------------------------------------------------------------------------------------------- */

/* The same key with another kind or window is another counter, as in core/counter.h. */
static struct offline_counter *counter(struct offline *o, const struct counter_take *t)
{
	struct offline_counter *c = o->counters;
	struct str key = arena_printf(o->arena, "%d:%u:%.*s", (int)t->kind, t->window_s, STR_ARG(t->key));

	while (c && !str_eq(c->key, key))
		c = c->next;
	if (c)
		return c;
	c = arena_new_of(o->arena, struct offline_counter);
	if (!c)
		return NULL;
	c->key = key;
	c->next = o->counters;
	o->counters = c;
	return c;
}

static bool record(struct offline *o, struct offline_counter *c, uint64_t amount)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct offline_event *v = arena_alloc(o->arena, cap, sizeof(*v));

		if (!v)
			return false;
		if (c->n)
			memcpy(v, c->events, c->n * sizeof(*v));
		c->events = v;
		c->cap = cap;
	}
	c->events[c->n++] = (struct offline_event){ o->now_us, amount };
	return true;
}

static uint32_t seconds_until(const struct offline *o, int64_t at_us)
{
	return at_us <= o->now_us ? 0 : (uint32_t)((at_us - o->now_us + 999999) / 1000000);
}

/* When the present window began: an event counts from then on. */
static int64_t window_start(const struct offline *o, const struct counter_take *t)
{
	int64_t length = (int64_t)t->window_s * 1000000;

	if (t->kind == COUNTER_FIXED)
		return length ? t->origin_us + (o->now_us - t->origin_us) / length * length : INT64_MIN;
	return o->now_us - length;
}

static void when_free(const struct offline *o, const struct offline_counter *c, struct counter_take *t, uint64_t used)
{
	int64_t length = (int64_t)t->window_s * 1000000, start = window_start(o, t);
	size_t i = 0;

	if (t->kind == COUNTER_FIXED) {
		t->reset_s = t->retry_after_s = length ? seconds_until(o, start + length) : UINT32_MAX;
		return;
	}
	t->reset_s = c->n ? seconds_until(o, c->events[c->n - 1].at_us + length) : 0;
	for (; i < c->n && used + t->amount > t->limit; i++)
		if (c->events[i].at_us > start) {
			used -= c->events[i].amount;
			t->retry_after_s = seconds_until(o, c->events[i].at_us + length);
		}
}

static enum step take(struct exchange *x, struct counter_take *t)
{
	struct offline *o = of(x);
	struct offline_counter *c = counter(o, t);
	int64_t start = window_start(o, t);
	uint64_t used = 0;

	if (!c)
		return exchange_fail(x, 500, STR_NULL, "out of memory");
	for (size_t i = 0; i < c->n; i++)
		if (t->kind == COUNTER_FIXED ? c->events[i].at_us >= start : c->events[i].at_us > start)
			used += c->events[i].amount;
	t->done = true;
	t->allowed = t->forced || (t->amount ? used <= t->limit && t->amount <= t->limit - used : used < t->limit);
	t->retry_after_s = 0;
	when_free(o, c, t, used);
	if (t->allowed && t->amount && record(o, c, t->amount))
		used += t->amount;
	t->remaining = used < t->limit ? t->limit - used : 0;
	return STEP_NEXT;
}

static struct offline_slot *slot(struct offline *o, struct str key)
{
	struct offline_slot *s = o->slots;

	while (s && !str_eq(s->key, key))
		s = s->next;
	if (!s && (s = arena_new_of(o->arena, struct offline_slot))) {
		s->key = arena_dup(o->arena, key);
		s->next = o->slots;
		o->slots = s;
	}
	return s;
}

static enum step enter(struct exchange *x, struct place_take *t)
{
	struct offline_slot *s = slot(of(x), t->key);

	t->done = true;
	t->allowed = s && s->inside < t->max;
	if (t->allowed)
		s->inside++;
	return STEP_NEXT;
}

static void leave(struct exchange *x, struct place_take *t, int64_t held_us UNUSED)
{
	struct offline_slot *s = slot(of(x), t->key);

	if (s && s->inside && t->allowed)
		s->inside--;
}

/* ---- cache ------------------------------------------------------------------------------------------------------- */

static struct offline_entry *entry(struct offline *o, enum cache_store store, struct str key)
{
	struct offline_entry *e = o->cache;
	enum cache_store kept = store == CACHE_INTERNAL ? CACHE_INTERNAL : CACHE_EXTERNAL;

	while (e && (e->store != kept || !str_eq(e->key, key)))
		e = e->next;
	if (!e && (e = arena_new_of(o->arena, struct offline_entry))) {
		e->store = kept;
		e->key = arena_dup(o->arena, key);
		e->next = o->cache;
		o->cache = e;
	}
	return e;
}

static enum step cache_get(struct exchange *x, struct cache_op *op)
{
	struct offline_entry *e = entry(of(x), op->store, op->key);

	op->value = e && e->expires_us > of(x)->now_us ? e->value : STR_NULL;
	op->done = true;
	return STEP_NEXT;
}

static enum step cache_put(struct exchange *x, struct cache_op *op)
{
	struct offline_entry *e = entry(of(x), op->store, op->key);

	if (e) {
		e->value = arena_dup(of(x)->arena, op->value);
		e->expires_us = of(x)->now_us + (int64_t)op->ttl_s * 1000000;
	}
	op->done = true;
	return STEP_NEXT;
}

static enum step cache_remove(struct exchange *x, struct cache_op *op)
{
	struct offline_entry *e = entry(of(x), op->store, op->key);

	if (e)
		e->value = STR_NULL;
	op->done = true;
	return STEP_NEXT;
}

/* ---- configuration and sinks ------------------------------------------------------------------------------------- */

static void log_to(struct exchange *x, const struct log_message *m)
{
	struct str text = exchange_mask(x, m->text);
	json_t *one = json_pack("{s:s%, s:s%}", "logger", m->logger_id.p, m->logger_id.n, "message", text.p, text.n);

	if (!str_is_null(m->partition_id))
		json_object_set_new(one, "partitionId", json_stringn(m->partition_id.p, m->partition_id.n));
	if (!str_is_null(m->partition_key))
		json_object_set_new(one, "partitionKey", json_stringn(m->partition_key.p, m->partition_key.n));
	json_array_append_new(of(x)->logs, one);
}

static void metric(struct exchange *x, struct str ns, struct str name, double value, const struct fields *dimensions)
{
	json_t *d = offline_headers_json(dimensions);

	json_array_append_new(of(x)->metrics,
			      json_pack("{s:s%, s:s%, s:f, s:o}", "namespace", ns.p, ns.n, "name", name.p, name.n,
					"value", value, "dimensions", d));
}

static bool certificate(struct exchange *x, struct str id, struct str *cert_pem, struct str *key_pem)
{
	const json_t *c = jsn_get_n(jsn_obj(of(x)->context, "certificates"), id);

	*cert_pem = jsn_str(c, "certificate");
	*key_pem = jsn_str(c, "key");
	return c != NULL;
}

static bool certificate_next(struct exchange *x, size_t *cursor, struct str *id)
{
	json_t *all = jsn_obj(of(x)->context, "certificates");
	void *it = json_object_iter(all);

	for (size_t i = 0; it && i < *cursor; i++)
		it = json_object_iter_next(all, it);
	if (!it)
		return false;
	++*cursor;
	*id = (struct str){ json_object_iter_key(it), json_object_iter_key_len(it) };
	return true;
}

static bool backend(struct exchange *x, struct str id, struct str *url)
{
	const json_t *known = jsn_obj(of(x)->context, "backends"), *b = jsn_get_n(known, id);

	*url = jsn_string(b);
	return !known || !str_is_null(*url);
}

static struct schemas *schemas(struct exchange *x)
{
	return of(x)->schemas;
}

static const struct trust *trust(struct exchange *x)
{
	return of(x)->trust;
}

static struct str api_document(struct exchange *x)
{
	json_t *d = jsn_get(of(x)->context, "openapi");

	if (json_is_string(d))
		return jsn_string(d);
	return d ? jsn_text(x->arena, d, 0) : STR_NULL;
}

const struct policy_host offline_host = {
	.now_us = now_us,
	.random = random_bits,
	.forward = forward,
	.send = send,
	.sleep = sleep_for,
	.take = take,
	.enter = enter,
	.leave = leave,
	.cache_get = cache_get,
	.cache_put = cache_put,
	.cache_remove = cache_remove,
	.log_to = log_to,
	.metric = metric,
	.certificate = certificate,
	.certificate_next = certificate_next,
	.backend = backend,
	.api_document = api_document,
	.schemas = schemas,
	.trust = trust,
};
