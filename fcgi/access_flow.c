/* access_flow.c - the walk over rules, groups and methods, and what all methods share. */
#include "fcgi/access_flow.h"

#include "core/crypto.h"
#include "core/log.h"
#include "core/str.h"
#include "db/users.h"
#include "fcgi/access_jobs.h"

/* ---- what methods share ---------------------------------------------------------------------------------------------------- */

struct arena *access_arena(const struct access_flow *f)
{
	return f->k->arena;
}

int64_t access_now_us(const struct access_flow *f)
{
	return f->k->x.started_us;
}

static bool says_missing(enum reason why)
{
	return why == REASON_TOKEN_MISSING || why == REASON_CLIENT_MISSING || why == REASON_CERTIFICATE_MISSING
	       || why == REASON_BASIC_MISSING || why == REASON_SIGNATURE_MISSING;
}

enum verdict access_refuse(struct access_flow *f, enum reason why, const char *check, struct str expected, struct str got)
{
	f->why.reason = why;
	f->why.check = check;
	f->why.expected = expected;
	f->why.got = got;
	return says_missing(why) ? V_MISSING : V_REFUSED;
}

struct str access_token_text(const struct access_flow *f, const struct snap_method *m)
{
	struct str value = str_trim(fields_get(&f->k->x.request.headers, m->header));

	if (!m->scheme.n)
		return value.n ? value : STR_NULL;
	if (value.n <= m->scheme.n || value.p[m->scheme.n] != ' ' || !str_starts_ci(value, m->scheme))
		return STR_NULL;
	value = str_trim(str_from(value, m->scheme.n));
	return value.n ? value : STR_NULL;
}

bool access_basic_pair(const struct access_flow *f, struct str *name, struct str *secret)
{
	struct str value = str_trim(fields_get(&f->k->x.request.headers, STR("Authorization"))), text;
	size_t colon;

	if (!str_starts_ci(value, STR("Basic ")) || !crypto_base64_decode(access_arena(f), str_trim(str_from(value, 6)), &text))
		return false;
	colon = str_find_char(text, ':');
	if (colon == SIZE_MAX)
		return false;
	*name = str_first(text, colon);
	*secret = str_from(text, colon + 1);
	return true;
}

static void let_go(void *entry)
{
	lru_unref(entry);
}

struct caller_entry *access_caller(struct access_flow *f, const char *kind, struct str id)
{
	struct caller_entry *c;
	struct gh_err err = { 0 };

	c = access_memory_caller(f->memory, f->cache, f->snapshot, str_of(kind), id, &err);
	if (!c) {
		if (err.code != GH_E_LIMIT)
			log_warn("a caller cannot be looked up", KV_CSTR("error", err.message));
		access_refuse(f, REASON_STORE_UNAVAILABLE, "caller", STR("a store that can be read"), STR("none"));
		return NULL;
	}
	if (!arena_defer(access_arena(f), let_go, &c->lru)) {
		lru_unref(&c->lru);
		access_refuse(f, REASON_NO_MEMORY, "caller", STR_NULL, STR_NULL);
		return NULL;
	}
	return c;
}

enum verdict access_take_caller(struct access_flow *f, struct caller_entry *c)
{
	struct principal *who = &f->who;

	if (c->row.state != STORE_CALLER_ACTIVE)
		return access_refuse(f, REASON_CALLER_SUSPENDED, "state", STR("active"), STR("suspended"));
	if (!who->caller && (!who->subscription || !who->has_key))
		who->caller = c;
	if (!who->groups.n && c->row.groups.n) {
		char *text = arena_alloc_text(access_arena(f), c->row.groups.n);

		if (!text)
			return V_NO_MEMORY;
		for (size_t i = 0; i < c->row.groups.n; i++)
			text[i] = c->row.groups.p[i] == ' ' ? ',' : c->row.groups.p[i];
		who->groups = (struct str){ text, c->row.groups.n };
	}
	return V_PASS;
}

/* ---- methods that are short --------------------------------------------------------------------------------------------------- */

enum verdict access_by_key(struct access_flow *f, const struct snap_method *m UNUSED)
{
	const struct url *u = &f->k->x.request.original_url;
	struct access_request rq = { .api = f->api, .headers = &f->k->x.request.headers, .query = u->query, .scheme = u->scheme,
				     .host = f->k->client_host, .mount = call_mount(f->k), .now_us = access_now_us(f) };
	const struct snap_product *of = f->rules[f->rule]->product;
	struct access a;

	if (!access_check_key(f->cache, f->snapshot, access_arena(f), &rq, &a))
		return V_NO_MEMORY;
	if (a.result == ACCESS_GRANTED && of && a.product && a.product != of)
		a.result = ACCESS_KEY_WRONG_SCOPE;   /* this rule is another product's way in */
	f->who.key_prefix = a.key_prefix;
	f->who.subscription_id = a.subscription_id;
	if (a.result != ACCESS_GRANTED) {
		f->why.reason = REASON_NONE;         /* told in the words of keys: see access_refusal.c */
		f->why.check = access_reason(a.result);
		f->why.expected = STR("a key of an active subscription that opens this API");
		f->why.got = a.key_prefix.n ? arena_printf(access_arena(f), "%.*s…", STR_ARG(a.key_prefix)) : STR("none that is known");
		return a.result == ACCESS_KEY_MISSING ? V_MISSING : V_REFUSED;
	}
	f->who.method = f->who.method ? f->who.method : "key";
	f->who.has_key = true;
	f->who.subscription = a.subscription;
	f->who.user = a.user;
	f->who.product = a.product;
	f->who.application = a.application;
	return V_PASS;
}

static enum verdict by_nothing(struct access_flow *f, const struct snap_method *m UNUSED)
{
	f->who.method = f->who.method ? f->who.method : "anonymous";
	return V_PASS;
}

static const access_check_fn checks[ACCESS_KIND__COUNT] = {
	[ACCESS_KEY] = access_by_key, [ACCESS_CLIENT] = access_by_client, [ACCESS_JWT] = access_by_jwt,
	[ACCESS_INTROSPECT] = access_by_introspection, [ACCESS_CERT] = access_by_certificate, [ACCESS_BASIC] = access_by_password,
	[ACCESS_HMAC] = access_by_message_signature, [ACCESS_SIGV4] = access_by_sigv4, [ACCESS_ANONYMOUS] = by_nothing,
};

/* ---- which subscription it is --------------------------------------------------------------------------------------------------- */

/* Whether the token's scope names the product. */
static bool scope_has(const struct access_flow *f, const struct snap_product *p)
{
	struct str rest = f->who.scope, part;

	while (p && str_split(&rest, ' ', &part))
		if (str_eq(part, p->ctx.id))
			return true;
	return false;
}

/* The first of the application's subscriptions that opens this API, or how the nearest one fails. */
static enum access_result find_subscription(struct access_flow *f, const struct caller_entry *c)
{
	const struct snap_product *of = f->rules[f->rule]->product;
	enum access_result worst = ACCESS_KEY_WRONG_SCOPE;

	for (size_t i = 0; i < c->n_subscriptions; i++) {
		const struct key_entry *e = c->subscriptions[i];
		const struct snap_product *product = NULL;
		enum access_result r = access_judge(e, f->snapshot, f->api, access_now_us(f), &product);

		if (r == ACCESS_GRANTED && of && product && product != of)
			r = ACCESS_KEY_WRONG_SCOPE;
		if (r == ACCESS_GRANTED && f->who.own_token && product && !scope_has(f, product))
			r = ACCESS_KEY_WRONG_SCOPE;
		if (r == ACCESS_GRANTED) {
			f->who.subscription = &e->subscription;
			f->who.user = e->user.id.n ? &e->user : NULL;
			f->who.product = product;
			f->who.subscription_id = e->subscription.id;
			return r;
		}
		if (r != ACCESS_KEY_WRONG_SCOPE)
			worst = r;
	}
	return worst;
}

static enum verdict settle(struct access_flow *f)
{
	struct principal *who = &f->who;
	enum access_result r = ACCESS_KEY_WRONG_SCOPE;

	if (who->caller) {
		who->application = who->caller->application.id;
		if (!who->username.n)
			who->username = who->caller->application.name.n ? who->caller->application.name : who->caller->row.name;
	}
	if (who->has_key)
		return V_PASS;
	if (who->caller && who->need != SUBSCRIPTION_NONE)
		r = find_subscription(f, who->caller);
	if (r != ACCESS_GRANTED && who->need == SUBSCRIPTION_REQUIRED)
		return access_refuse(f, REASON_SUBSCRIPTION_NONE, "subscription",
				     arena_printf(access_arena(f), "one that opens API %.*s", STR_ARG(f->api->ctx.id)),
				     who->application.n ? arena_printf(access_arena(f), "application %.*s: %s", STR_ARG(who->application),
								       r == ACCESS_KEY_WRONG_SCOPE ? "none for this API" : access_reason(r))
							: STR("no application"));
	if (!who->product)
		who->product = f->rules[f->rule]->product;
	return V_PASS;
}

/* ---- the walk ------------------------------------------------------------------------------------------------------------------- */

const struct snap_group *groups_of_rule(struct access_flow *f, size_t *n)
{
	const struct snap_rule *r = f->rules[f->rule];

	f->demand = f->operation.n && r->operations.n ? map_get(&r->operations, f->operation) : NULL;
	if (f->demand && f->demand->n_groups) {
		*n = f->demand->n_groups;
		return f->demand->groups;
	}
	*n = r->n_groups;
	return r->groups;
}

static void begin_group(struct access_flow *f)
{
	f->method = 0;
	f->phase = 0;
	f->state = NULL;
	f->used = 0;
	f->tokens = NULL;
	f->who = (struct principal){ 0 };
}

static void note_refusal(struct access_flow *f, enum verdict v)
{
	f->why.rank = v == V_MISSING ? f->method ? 2 : 1 : 3;
	if (f->why.rank <= f->worst.rank)
		return;
	f->worst = f->why;
	if (!f->optional) {                      /* an open API lets the call in, as nobody's */
		f->k->gate->access.key_prefix = f->who.key_prefix;
		f->k->gate->access.subscription_id = f->who.subscription_id;
		f->k->gate->access.application = f->who.caller ? f->who.caller->application.id : f->who.application;
	}
}

static void next_group(struct access_flow *f, size_t n_groups)
{
	if (++f->group >= n_groups) {
		f->group = 0;
		f->rule++;
	}
	begin_group(f);
}

static enum verdict ask(struct access_flow *f, const struct snap_method *m)
{
	if (!f->phase) {
		f->why = (struct comparison){ .kind = m->kind, .method = access_methods[m->kind].name };
		if (m->subscription > f->who.need)
			f->who.need = m->subscription;
	}
	return checks[m->kind](f, m);
}

static enum step suspend(struct access_flow *f, enum verdict v, bool *body)
{
	*body = v == V_BODY;
	return v == V_NO_MEMORY || f->why.reason == REASON_NO_MEMORY ? STEP_FAIL : STEP_WAIT;
}

enum step access_flow_run(struct access_flow *f, bool *body)
{
	*body = false;
	while (f->rule < f->n_rules) {
		size_t n_groups;
		const struct snap_group *g = groups_of_rule(f, &n_groups) + f->group;
		const struct snap_method *m = &g->methods[f->method];
		enum verdict v = ask(f, m);

		if (v >= V_WAIT || f->why.reason == REASON_NO_MEMORY)
			return suspend(f, v, body);
		f->phase = 0;
		f->state = NULL;
		if (v == V_PASS) {
			f->used |= 1u << m->kind;
			if (++f->method < g->n)
				continue;
			v = settle(f);
		}
		if (v == V_PASS) {
			f->granted = f->rules[f->rule];
			return STEP_NEXT;
		}
		note_refusal(f, v);
		next_group(f, n_groups);
	}
	return STEP_NEXT;
}

struct access_flow *access_flow_new(struct call *k, struct gate_state *g, const struct snap_rule *const *rules, size_t n_rules)
{
	struct access_flow *f = arena_new_of(k->arena, struct access_flow);

	if (!f)
		return NULL;
	f->k = k;
	f->cache = k->wk->serving->access;
	f->memory = k->wk->serving->memory;
	f->snapshot = g->snapshot;
	f->api = g->route.api;
	f->rules = rules;
	f->n_rules = n_rules;
	f->operation = g->route.operation ? g->route.operation->ctx.id : STR_NULL;
	begin_group(f);
	return f;
}

void access_flow_drop(struct access_flow *f)
{
	if (f) {
		access_job_drop(f->job);
		f->job = NULL;
	}
}
