/* call_trace.c - a trace as JSON, bounded, without secrets: trace_mask.h. */
#include "fcgi/call_trace.h"

#include "core/buf.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/trace_token.h"
#include "fcgi/capture.h"
#include "fcgi/trace_mask.h"

enum {
	TRACE_BYTES_MAX = 262144,
	STEPS_UNTIL = 225280,            /* bytes; steps that come later are left out */
	FIELDS_BYTES = 40960,            /* of one message's fields */
};

static const struct str debug_field = STR_INIT("Apim-Debug-Authorization");

struct call_trace {
	struct str token, problem;
	struct field more;               /* what the reference system says besides; name STR_NULL: nothing */
	struct str owner;                /* subscription of the token; STR_NULL: an administrator's */
	struct fields before, sent;
	struct url url;                  /* of the backend */
	struct str asked, method;        /* methods: of the client, of the backend */
	bool was_sent;
};

/* ---- what the call does -------------------------------------------------------------------------------------------- */

void call_trace_take(struct call *k, struct gate_state *g)
{
	struct str token = fields_get(&k->x.request.headers, debug_field);

	if (str_is_null(token))
		return;
	fields_remove(&k->x.request.headers, debug_field);
	g->traced = arena_new_of(k->arena, struct call_trace);
	if (g->traced)
		g->traced->token = str_trim(token);
}

/* The names in which the reference system tells of a token that has expired, or is for another API. */
static void note_problem(struct call *k, struct call_trace *t, enum trace_token_result r, const struct trace_claims *claims)
{
	char when[CLOCK_ISO_MAX];

	t->problem = trace_token_reason(r);
	if (r == TRACE_TOKEN_EXPIRED)
		t->more = (struct field){ STR("Apim-Debug-Authorization-Expired"),
					  arena_dup(k->arena, str_of(clock_iso(claims->expires_s * 1000000, 0, when))) };
	if (r == TRACE_TOKEN_OTHER_API)
		t->more = (struct field){ STR("Apim-Debug-Authorization-WrongAPI"), t->problem };
}

void call_trace_begin(struct call *k, struct gate_state *g, bool refused)
{
	const struct serving *s = k->wk->serving;
	const struct trace_call call = { .subscription = g->access.subscription_id, .refused = refused,
					 .api = g->route.api ? g->route.api->ctx.id : STR_NULL };
	struct call_trace *t = g->traced;
	struct trace_claims claims;
	enum trace_token_result r;

	k->x.steps_on = call_steps_wanted(k, refused);
	if (g->snapshot->n_captures)
		capture_begin(k, g);
	if (!t || t->problem.n || k->x.trace_on)
		return;
	if (!s->trace_key_known || !k->wk->cache) {
		t->problem = STR("traces cannot be kept now");
		return;
	}
	r = trace_token_check(k->arena, s->trace_key, t->token, k->x.started_us / 1000000, &call, &claims);
	note_problem(k, t, r, &claims);
	if (r != TRACE_TOKEN_OK)
		return;
	t->owner = claims.admin ? STR_NULL : claims.subscription;
	t->asked = k->x.request.method;
	fields_init(&t->before, k->arena);
	if (fields_copy(&t->before, &k->x.request.headers))
		k->x.trace_on = true;
	else
		t->problem = STR("no memory");
}

void call_trace_sent(struct call *k, const struct fields *sent)
{
	struct call_trace *t = k->gate ? k->gate->traced : NULL;

	if (!t)
		return;
	t->sent = *sent;
	t->url = k->x.request.url;
	t->method = k->x.request.method;
	t->was_sent = true;
}

size_t call_trace_fields(const struct call *k, struct field out[CALL_TRACE_FIELDS])
{
	const struct call_trace *t = k->gate ? k->gate->traced : NULL;

	if (!t || (!k->x.trace_on && !t->problem.n))
		return 0;
	if (k->x.trace_on) {
		out[0] = (struct field){ STR("Apim-Trace-Id"), k->x.request_id };
		return 1;
	}
	out[0] = (struct field){ STR("Apim-Trace-Error"), t->problem };
	out[1] = t->more;
	return t->more.value.p ? 2 : 1;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static const char *origin(const struct call_trace *t, const struct field *f)
{
	static const struct str gateways[] = {
		STR_INIT("X-Forwarded-For"), STR_INIT("X-Forwarded-Host"), STR_INIT("X-Forwarded-Proto"), STR_INIT("Forwarded"),
		STR_INIT("traceparent"), STR_INIT("X-Request-Id"),
	};

	for (size_t i = 0; i < ARRAY_LEN(gateways); i++)
		if (str_eq_ci(gateways[i], f->name))
			return "gateway";
	for (size_t i = 0; i < t->before.n; i++)
		if (str_eq_ci(t->before.v[i].name, f->name) && str_eq(t->before.v[i].value, f->value))
			return "client";
	return "policy";
}

/* sent: of the backend's request, where each field says who put it there; else NULL. */
static void put_fields(struct trace_writer *w, const struct fields *f, const struct call_trace *sent)
{
	size_t start = w->b.n;

	buf_cstr(&w->b, "\"headers\":[");
	for (size_t i = 0; i < f->n; i++) {
		if (w->b.n - start > FIELDS_BYTES) {
			w->cut = true;
			break;
		}
		buf_cstr(&w->b, i ? ",{" : "{");
		trace_put_masked(w, "name", trace_mask(w, f->v[i].name), TRACE_NAME_BYTES);
		buf_char(&w->b, ',');
		trace_put_masked(w, "value", trace_field_is_secret(w->k, f->v[i].name) ? STR("***") : trace_mask(w, f->v[i].value), TRACE_VALUE_BYTES);
		if (sent)
			buf_fmt(&w->b, ",\"by\":\"%s\"", origin(sent, &f->v[i]));
		buf_char(&w->b, '}');
	}
	buf_char(&w->b, ']');
}

static void put_who(struct trace_writer *w, const struct call_trace *t)
{
	const struct call *k = w->k;
	const struct exchange *x = &k->x;
	char when[CLOCK_ISO_MAX];
	const struct {
		const char *name;
		struct str value;
	} rows[] = {
		{ "id", x->request_id }, { "time", str_of(clock_iso(x->started_us, 3, when)) },
		{ "api", x->api ? x->api->id : STR_NULL }, { "operation", x->operation ? x->operation->id : STR_NULL },
		{ "product", x->product ? x->product->id : STR_NULL },
		{ "subscription", k->gate->access.subscription_id },
		{ "owner", t->owner },
		{ "failure", k->reason == REASON_NONE ? k->word : reason_info(k->reason)->word },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		trace_put(w, rows[i].name, rows[i].value);
		buf_char(&w->b, ',');
	}
	buf_fmt(&w->b, "\"status\":%d,", k->status);
}

static void put_messages(struct trace_writer *w, const struct call_trace *t)
{
	const struct exchange *x = &w->k->x;

	buf_cstr(&w->b, "\"request\":{");
	trace_put(w, "method", t->asked);
	buf_char(&w->b, ',');
	trace_put_masked(w, "url", trace_mask_url(w, &x->request.original_url), TRACE_VALUE_BYTES);
	buf_char(&w->b, ',');
	put_fields(w, &t->before, NULL);
	buf_cstr(&w->b, "},\"backend\":");
	if (t->was_sent) {
		buf_char(&w->b, '{');
		trace_put(w, "method", t->method);
		buf_char(&w->b, ',');
		trace_put_masked(w, "url", trace_mask_url(w, &t->url), TRACE_VALUE_BYTES);
		buf_fmt(&w->b, ",\"tries\":%u,\"status\":%d,", w->k->tries, w->k->backend_status);
		put_fields(w, &t->sent, t);
		buf_char(&w->b, '}');
	} else {
		buf_cstr(&w->b, "null");
	}
	buf_fmt(&w->b, ",\"response\":{\"status\":%d,", w->k->status);
	put_fields(w, &x->response.headers, NULL);
	buf_cstr(&w->b, "},");
}

static void put_timings(struct trace_writer *w)
{
	const struct call *k = w->k;

	buf_fmt(&w->b, "\"timings\":{\"totalUs\":%lld,\"backendUs\":%lld,\"dnsUs\":%u,\"connectUs\":%u,\"tlsUs\":%u},",
		(long long)(k->over_us - k->begun_us), (long long)k->backend_total_us, k->dns_us, k->connect_us, k->tls_us);
}

static void put_error(struct trace_writer *w)
{
	const struct last_error *e = &w->k->x.error;
	const struct {
		const char *name;
		struct str value;
	} rows[] = {
		{ "source", e->source }, { "reason", e->reason }, { "scope", e->scope }, { "section", e->section },
		{ "path", e->path }, { "policyId", e->policy_id }, { "message", e->message },
	};

	buf_cstr(&w->b, "\"lastError\":");
	for (size_t i = 0; e->set && i < ARRAY_LEN(rows); i++) {
		buf_char(&w->b, i ? ',' : '{');
		trace_put(w, rows[i].name, rows[i].value);
	}
	buf_cstr(&w->b, e->set ? "}," : "null,");
}

static void put_steps(struct trace_writer *w)
{
	const struct trace_step *s = w->k->x.trace_first;

	buf_cstr(&w->b, "\"steps\":[");
	for (; s && w->b.n < STEPS_UNTIL; s = s->next) {
		buf_cstr(&w->b, s == w->k->x.trace_first ? "{" : ",{");
		trace_put(w, "section", section_name(s->section));
		buf_char(&w->b, ',');
		trace_put(w, "scope", scope_name(s->scope));
		buf_char(&w->b, ',');
		trace_put(w, "policy", s->policy);
		buf_fmt(&w->b, ",\"line\":%u,\"us\":%lld,", s->line, (long long)s->duration_us);
		trace_put_masked(w, "decision", s->decision.n ? trace_mask_decision(w, s->decision) : STR(""), TRACE_VALUE_BYTES);
		buf_char(&w->b, '}');
	}
	w->cut |= s != NULL;
	buf_fmt(&w->b, "],\"note\":%s}", w->cut ? "\"longer than a trace may be: cut\"" : "null");
}

/* One line in the lists of those who may see it: of its subscription, of the token's, of all calls. */
static void list_trace(struct trace_writer *w, const struct call_trace *t, int64_t now, int64_t expires)
{
	const struct call *k = w->k;
	struct str lists[] = { STR(""), k->gate->access.subscription_id, t->owner };
	struct gh_err err;
	size_t start = w->b.n;

	put_who(w, t);
	trace_put(w, "method", t->asked);
	buf_char(&w->b, ',');
	trace_put(w, "path", k->x.request.original_url.path);
	for (size_t i = 0; buf_ok(&w->b) && i < ARRAY_LEN(lists); i++) {
		struct str line = arena_printf(k->arena, "{%.*s}", STR_ARG(str_from(buf_view(&w->b), start)));

		if ((i && !lists[i].n) || (i == 2 && str_eq(lists[2], lists[1])) || !line.p)
			continue;
		if (cache_push(k->wk->cache, TRACE_LIST_SPACE, lists[i], line, TRACE_LIST_MAX, now, expires, &err).code)
			log_warn("a trace could not be listed", KV_CSTR("error", err.message));
	}
}

static void store(struct call *k, const struct call_trace *t)
{
	struct trace_writer w = { .k = k };
	int64_t now = clock_wall_us(), expires = now + TRACE_TOKEN_LIFE_S * INT64_C(1000000);
	struct gh_err err;

	buf_init(&w.b, TRACE_BYTES_MAX);
	trace_hide(&w, t->token);
	trace_hide_call(&w);             /* what the gateway keeps secret comes first: there is room for so many */
	trace_hide_fields(&w, &t->before);
	trace_hide_fields(&w, &t->sent);
	buf_char(&w.b, '{');
	put_who(&w, t);
	put_messages(&w, t);
	put_timings(&w);
	put_error(&w);
	put_steps(&w);
	if (!buf_ok(&w.b))
		log_warn("a trace could not be kept", KV_STR("request_id", k->x.request_id));
	else if (cache_put(k->wk->cache, TRACE_CACHE_SPACE, k->x.request_id, buf_view(&w.b), now, expires, &err).code)
		log_warn("a trace could not be kept", KV_CSTR("error", err.message));
	else {
		buf_clear(&w.b);
		list_trace(&w, t, now, expires);
	}
	buf_release(&w.b);
}

void call_trace_store(struct call *k)
{
	const struct call_trace *t = k->gate ? k->gate->traced : NULL;

	if (t && k->x.trace_on && k->wk->cache)
		store(k, t);
}
