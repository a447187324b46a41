/* call_trace.c - a trace as JSON, without secrets, bounded.
 *
 * Three things are masked wherever they occur: secret named values (the documents know them), the subscription's keys, and
 * the values of fields that carry credentials. A text that holds one of them percent-encoded is shown decoded and masked.
 * Masking comes before cutting, so that no half of a secret is left at an edge. */
#include "fcgi/call_trace.h"

#include "core/buf.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/trace_token.h"
#include "core/uri.h"
#include "fcgi/access_flow.h"
#include "fcgi/credential.h"

enum {
	TRACE_BYTES_MAX = 262144,
	STEPS_UNTIL = 225280,            /* bytes; steps that come later are left out */
	FIELDS_BYTES = 40960,            /* of one message's fields */
	NAME_MAX_BYTES = 256,
	VALUE_MAX_BYTES = 1024,
	HIDDEN_MAX = 96, HIDDEN_LEAST = 6,       /* texts that are masked everywhere; shorter ones only in their field */
};

static const struct str debug_field = STR_INIT("Apim-Debug-Authorization");
static const struct str hidden = STR_INIT("***");

struct call_trace {
	struct str token, problem;
	struct field more;               /* what the reference system says besides; name STR_NULL: nothing */
	struct str owner;                /* subscription of the token; STR_NULL: an administrator's */
	struct fields before, sent;
	struct url url;                  /* of the backend */
	struct str asked, method;        /* methods: of the client, of the backend */
	bool was_sent;
};

struct writer {
	struct buf b;
	struct call *k;
	struct str hidden[HIDDEN_MAX];
	size_t n_hidden;
	bool cut;
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

/* ---- masking ------------------------------------------------------------------------------------------------------- */

static const struct str secret_fields[] = {
	STR_INIT("Authorization"), STR_INIT("Proxy-Authorization"), STR_INIT("Cookie"), STR_INIT("Set-Cookie"),
	STR_INIT("Apim-Debug-Authorization"), STR_INIT("X-Amz-Security-Token"), STR_INIT("Client-Secret"),
	STR_INIT("client_secret"), STR_INIT("Signature"), STR_INIT("X-Consumer-Token"), STR_INIT("Ocp-Apim-Subscription-Key"), STR_INIT("X-Api-Key"),
};

/* Of the i-th method or token that the access rules of the API name. */
static struct str rule_field(const struct call *k, size_t i)
{
	const struct access_flow *f = k->access;

	for (size_t r = 0; f && r < f->n_rules; r++) {
		const struct snap_rule *rule = f->rules[r];
		const struct snap_demand *d = f->operation.n && rule->operations.n ? map_get(&rule->operations, f->operation) : NULL;
		bool own = d && d->n_groups;
		const struct snap_group *g = own ? d->groups : rule->groups, *end = g + (own ? d->n_groups : rule->n_groups);

		if (rule->token_header.n && i-- == 0)
			return rule->token_header;
		for (; g < end; g++)
			for (size_t m = 0; m < g->n; m++)
				if (g->methods[m].header.n && i-- == 0)
					return g->methods[m].header;
	}
	return STR_NULL;
}

/* The i-th name of a field that carries a credential; the last are those that the API, the backend's credential and the access
 * rules chose. STR_NULL past them. */
static struct str secret_field(const struct call *k, size_t i)
{
	const size_t n = ARRAY_LEN(secret_fields);
	struct str chosen = STR_NULL;

	if (i < n)
		return secret_fields[i];
	if (i > n + 1)
		return rule_field(k, i - n - 2);
	if (i == n && k->x.api)
		chosen = k->x.api->key_header;
	else if (i > n && k->credential)
		chosen = credential_text(&k->credential->c, "header");
	return chosen.n ? chosen : secret_fields[0];
}

static bool is_secret_field(const struct call *k, struct str name)
{
	struct str secret;

	for (size_t i = 0; (secret = secret_field(k, i)).n; i++)
		if (str_eq_ci(secret, name))
			return true;
	return false;
}

/* Texts reach here with named values masked already, so what is looked for in them must be too. */
static void hide(struct writer *w, struct str text)
{
	text = exchange_mask(&w->k->x, str_trim(text));
	if (text.n >= HIDDEN_LEAST && !str_eq(text, hidden) && w->n_hidden < HIDDEN_MAX)
		w->hidden[w->n_hidden++] = text;
}

/* "Bearer abc": the whole and "abc"; "a=1; b=2": the whole and each value. */
static void hide_value(struct writer *w, struct str value)
{
	size_t blank = str_find_char(value, ' ');
	struct str rest = value;

	hide(w, value);
	if (blank != SIZE_MAX)
		hide(w, str_from(value, blank + 1));
	for (struct str part; str_split(&rest, ';', &part);) {
		size_t equals = str_find_char(part, '=');

		if (equals != SIZE_MAX)
			hide(w, str_from(part, equals + 1));
	}
}

static void hide_fields(struct writer *w, const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (is_secret_field(w->k, f->v[i].name))
			hide_value(w, f->v[i].value);
}

static void hide_query(struct writer *w, struct str query, struct str name)
{
	struct str value;

	if (!query.n || !name.n || !uri_query_find(query, name, &value))
		return;
	hide(w, value);
	hide(w, uri_decode(w->k->arena, value, true));
}

static void collect_hidden(struct writer *w, const struct call_trace *t)
{
	const struct exchange *x = &w->k->x;
	const struct ctx_subscription *sub = x->subscription;

	hide(w, t->token);
	if (sub) {
		hide(w, sub->key);
		hide(w, sub->primary_key);
		hide(w, sub->secondary_key);
	}
	if (x->api)
		hide_query(w, x->request.original_url.query, x->api->key_query);
	hide_query(w, x->request.original_url.query, STR("subscription-key"));
	for (const struct credential_secret *s = w->k->secrets; s; s = s->next)
		hide(w, s->text);
	hide_fields(w, &t->before);
	hide_fields(w, &x->request.headers);
	hide_fields(w, &t->sent);
	hide_fields(w, &x->response.headers);
}

static struct str mask_plain(struct writer *w, struct str text)
{
	text = exchange_mask(&w->k->x, text);
	for (size_t i = 0; i < w->n_hidden && text.n; i++)
		text = mask_text(w->k->arena, text, w->hidden[i]);
	return text;
}

static struct str mask(struct writer *w, struct str text)
{
	struct str masked = mask_plain(w, text);

	for (int plus = 0; plus < 2 && text.n && str_find_char(masked, '%') != SIZE_MAX; plus++) {
		struct str decoded = uri_decode(w->k->arena, masked, plus), again = mask_plain(w, decoded);

		if (!decoded.p || !again.p)
			return STR_NULL;
		if (!str_eq(decoded, again))
			masked = again;
	}
	return masked;
}

static size_t find_ci(struct str s, struct str part)
{
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (str_starts_ci(str_from(s, i), part))
			return i;
	return SIZE_MAX;
}

/* "Authorization: …" in what a step says: nothing behind the name is shown. */
static struct str mask_decision(struct writer *w, struct str text)
{
	struct str name;

	text = mask(w, text);
	for (size_t i = 0; text.n && (name = secret_field(w->k, i)).n; i++) {
		size_t at = find_ci(text, name);

		if (at != SIZE_MAX && at + name.n < text.n && text.p[at + name.n] == ':')
			text = arena_printf(w->k->arena, "%.*s: ***", STR_ARG(str_first(text, at + name.n)));
	}
	return text;
}

/* The address without what stands under the names of keys. */
static struct str shown_url(struct writer *w, const struct url *from)
{
	const struct ctx_api *api = w->k->x.api;
	const struct str names[] = { api ? api->key_query : STR_NULL, STR("subscription-key") };
	struct url u = *from;
	struct str value;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!u.query.n || !names[i].n || !uri_query_find(u.query, names[i], &value))
			continue;
		if (!uri_query_remove(w->k->arena, u.query, names[i], &u.query))
			return STR_NULL;
		u.query = arena_printf(w->k->arena, "%.*s%s%.*s=***", STR_ARG(u.query), u.query.n ? "&" : "", STR_ARG(names[i]));
	}
	return mask(w, url_text(w->k->arena, &u));
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/* masked: it has been through mask(), which gives STR_NULL when there was no memory to look for secrets. */
static void put_masked(struct writer *w, const char *name, struct str masked, size_t most)
{
	buf_fmt(&w->b, "\"%s\":", name);
	buf_json(&w->b, str_is_null(masked) ? STR("(no memory to mask it)") : str_first(masked, most));
	w->cut |= masked.n > most;
}

static void put(struct writer *w, const char *name, struct str text)
{
	if (str_is_null(text))
		buf_fmt(&w->b, "\"%s\":null", name);
	else
		put_masked(w, name, mask(w, text), VALUE_MAX_BYTES);
}

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
static void put_fields(struct writer *w, const struct fields *f, const struct call_trace *sent)
{
	size_t start = w->b.n;

	buf_cstr(&w->b, "\"headers\":[");
	for (size_t i = 0; i < f->n; i++) {
		if (w->b.n - start > FIELDS_BYTES) {
			w->cut = true;
			break;
		}
		buf_cstr(&w->b, i ? ",{" : "{");
		put_masked(w, "name", mask(w, f->v[i].name), NAME_MAX_BYTES);
		buf_char(&w->b, ',');
		put_masked(w, "value", is_secret_field(w->k, f->v[i].name) ? hidden : mask(w, f->v[i].value), VALUE_MAX_BYTES);
		if (sent)
			buf_fmt(&w->b, ",\"by\":\"%s\"", origin(sent, &f->v[i]));
		buf_char(&w->b, '}');
	}
	buf_char(&w->b, ']');
}

static void put_who(struct writer *w, const struct call_trace *t)
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
		put(w, rows[i].name, rows[i].value);
		buf_char(&w->b, ',');
	}
	buf_fmt(&w->b, "\"status\":%d,", k->status);
}

static void put_messages(struct writer *w, const struct call_trace *t)
{
	const struct exchange *x = &w->k->x;

	buf_cstr(&w->b, "\"request\":{");
	put(w, "method", t->asked);
	buf_char(&w->b, ',');
	put_masked(w, "url", shown_url(w, &x->request.original_url), VALUE_MAX_BYTES);
	buf_char(&w->b, ',');
	put_fields(w, &t->before, NULL);
	buf_cstr(&w->b, "},\"backend\":");
	if (t->was_sent) {
		buf_char(&w->b, '{');
		put(w, "method", t->method);
		buf_char(&w->b, ',');
		put_masked(w, "url", shown_url(w, &t->url), VALUE_MAX_BYTES);
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

static void put_timings(struct writer *w)
{
	const struct call *k = w->k;

	buf_fmt(&w->b, "\"timings\":{\"totalUs\":%lld,\"backendUs\":%lld,\"dnsUs\":%u,\"connectUs\":%u,\"tlsUs\":%u},",
		(long long)(k->over_us - k->begun_us), (long long)k->backend_total_us, k->dns_us, k->connect_us, k->tls_us);
}

static void put_error(struct writer *w)
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
		put(w, rows[i].name, rows[i].value);
	}
	buf_cstr(&w->b, e->set ? "}," : "null,");
}

static void put_steps(struct writer *w)
{
	const struct trace_step *s = w->k->x.trace_first;

	buf_cstr(&w->b, "\"steps\":[");
	for (; s && w->b.n < STEPS_UNTIL; s = s->next) {
		buf_cstr(&w->b, s == w->k->x.trace_first ? "{" : ",{");
		put(w, "section", section_name(s->section));
		buf_char(&w->b, ',');
		put(w, "scope", scope_name(s->scope));
		buf_char(&w->b, ',');
		put(w, "policy", s->policy);
		buf_fmt(&w->b, ",\"line\":%u,\"us\":%lld,", s->line, (long long)s->duration_us);
		put_masked(w, "decision", s->decision.n ? mask_decision(w, s->decision) : STR(""), VALUE_MAX_BYTES);
		buf_char(&w->b, '}');
	}
	w->cut |= s != NULL;
	buf_fmt(&w->b, "],\"note\":%s}", w->cut ? "\"longer than a trace may be: cut\"" : "null");
}

/* One line in the lists of those who may see it: of its subscription, of the token's, of all calls. */
static void list_trace(struct writer *w, const struct call_trace *t, int64_t now, int64_t expires)
{
	const struct call *k = w->k;
	struct str lists[] = { STR(""), k->gate->access.subscription_id, t->owner };
	struct gh_err err;
	size_t start = w->b.n;

	put_who(w, t);
	put(w, "method", t->asked);
	buf_char(&w->b, ',');
	put(w, "path", k->x.request.original_url.path);
	for (size_t i = 0; buf_ok(&w->b) && i < ARRAY_LEN(lists); i++) {
		struct str line = arena_printf(k->arena, "{%.*s}", STR_ARG(str_from(buf_view(&w->b), start)));

		if ((i && !lists[i].n) || (i == 2 && str_eq(lists[2], lists[1])) || !line.p)
			continue;
		if (cache_push(k->wk->cache, TRACE_LIST_SPACE, lists[i], line, TRACE_LIST_MAX, now, expires, &err).code)
			log_warn("a trace could not be listed", KV_CSTR("error", err.message));
	}
}

void call_trace_store(struct call *k)
{
	const struct call_trace *t = k->gate ? k->gate->traced : NULL;
	struct writer w = { .k = k };
	int64_t now = clock_wall_us(), expires = now + TRACE_TOKEN_LIFE_S * INT64_C(1000000);
	struct gh_err err;

	if (!t || !k->x.trace_on || !k->wk->cache)
		return;
	buf_init(&w.b, TRACE_BYTES_MAX);
	collect_hidden(&w, t);
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
