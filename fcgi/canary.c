/* canary.c - which side a call goes to, and how it went there. */
#include "fcgi/traffic.h"

#include "core/log.h"
#include "core/str.h"
#include "fcgi/balance.h"
#include "fcgi/call_gate.h"

enum { COOKIE_BYTES = 12, ONE_PERCENT = 100 };

static struct backend_slot *slot_of(const struct call *k, const struct snap_traffic *r, bool canary)
{
	return backend_place_find(canary ? &r->live->canary : &r->live->stable, r->api, k->wk->serving->states,
				  k->wk->loop.now_us);
}

/* "always" and "never", or a value of one's own that says "always". 0: it says nothing. */
static int word_of(struct str value, struct str own)
{
	if (own.n)
		return str_eq(value, own);
	return str_eq_ci(value, STR("always")) ? 1 : str_eq_ci(value, STR("never")) ? -1 : 0;
}

static int asked_for(struct call *k, const struct canary_rule *c, struct str *why)
{
	const struct fields *h = &k->x.request.headers;
	int word = c->header.n ? word_of(fields_get(h, c->header), c->header_value) : 0;

	if (word) {
		*why = arena_printf(k->arena, "header %.*s", STR_ARG(c->header));
		return word;
	}
	word = c->cookie.n ? word_of(fields_cookie(h, c->cookie, STR("")), STR_NULL) : 0;
	if (word) {
		*why = arena_printf(k->arena, "cookie %.*s", STR_ARG(c->cookie));
		return word;
	}
	if (c->subscriptions.n && traffic_list_has(&c->subscriptions, k->gate->access.subscription_id)) {
		*why = STR("subscription");
		return 1;
	}
	return 0;
}

/* What keeps callers on their side. A browser without the cookie gets one. */
static struct str sticky_text(struct call *k, const struct canary_rule *c)
{
	const struct fields *h = &k->x.request.headers;
	uint8_t bytes[COOKIE_BYTES / 2];
	struct str text;

	switch (c->sticky) {
	case CANARY_BY_SUBSCRIPTION:
		return k->gate->access.subscription_id;
	case CANARY_BY_ADDRESS:
		return k->x.request.ip;
	case CANARY_BY_HEADER:
		return fields_get(h, c->sticky_name);
	case CANARY_BY_COOKIE:
		text = fields_cookie(h, c->sticky_name, STR(""));
		if (text.n)
			return text;
		worker_random(k->wk, bytes, sizeof(bytes));
		k->traffic->set_cookie = crypto_hex(k->arena, (struct str){ (const char *)bytes, sizeof(bytes) });
		return k->traffic->set_cookie;
	default:
		return STR_NULL;
	}
}

/* Of equal texts always the same, and whoever is in at a share of 5 is in at 10 too. */
static bool sticks(const struct snap_traffic *r, struct str text, uint32_t percent)
{
	uint64_t v = str_hash(text) ^ str_hash(r->api);

	v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (v ^ (v >> 31)) % (100 * ONE_PERCENT) < percent * ONE_PERCENT;
}

static bool wants_canary(struct call *k, const struct snap_traffic *r, struct str *why)
{
	const struct canary_rule *c = r->canary;
	int asked = asked_for(k, c, why);
	struct str text;

	if (asked)
		return asked > 0;
	text = sticky_text(k, c);
	*why = arena_printf(k->arena, "share of %u %%%s", c->percent, text.n ? ", sticky" : "");
	return text.n ? sticks(r, text, c->percent) : traffic_share(&r->live->canary_turn, c->percent);
}

/* Calls of other operations and products are on neither side: the two are measured by calls of the same kind. */
static bool takes_part(const struct call *k, const struct canary_rule *c)
{
	const struct gate_state *g = k->gate;

	if (c->operations.n && (!g->route.operation || !traffic_list_has(&c->operations, g->route.operation->ctx.id)))
		return false;
	return !c->products.n || (g->access.product && traffic_list_has(&c->products, g->access.product->ctx.id));
}

/* False: the call stays where it was, for the canary's backend has no address. */
static bool turn_to(struct call *k, struct str backend_id)
{
	const struct snap_backend *was = k->backend, *was_pool = k->pool;
	const struct url *from = was && k->x.backend_id.n ? &was->base : &k->gate->route.api->ctx.service_url;
	struct str address;
	bool moved = false;

	if (gate_backend(&k->x, backend_id, &address) && url_rebase(k->arena, &k->x.request.url, from, &k->backend->base, &moved) && moved) {
		k->x.backend_id = backend_id;
		k->backend_host = k->x.request.url.host;
		return true;
	}
	k->backend = was;
	k->pool = was_pool;
	k->x.backend_is_pool = was_pool;
	return false;
}

void canary_choose(struct call *k)
{
	struct call_traffic *t = k->traffic;
	const struct snap_traffic *r = t->rule;
	const struct snap_api *api = k->gate->route.api;
	struct str why = STR("");

	if (!r->canary || t->chosen)
		return;
	t->chosen = true;
	/* a policy that names a backend has decided by itself */
	if (!str_eq(k->x.backend_id, api->backend_id) || !takes_part(k, r->canary))
		return;
	if (r->canary_off || canary_is_back(slot_of(k, r, true), r->canary)) {
		traffic_note(k, STR("stable: the canary is paused or rolled back"));
		return;
	}
	t->counts = true;
	t->on_canary = wants_canary(k, r, &why) && turn_to(k, r->canary->backend);
	t->side = k->x.backend_id;
	traffic_note(k, arena_printf(k->arena, "%s: %.*s", t->on_canary ? "canary" : "stable", STR_ARG(why)));
}

/* The client went away, or the gateway failed by itself: nothing is known of the backend. */
static bool says_something(enum reason why)
{
	return why == REASON_NONE || why == REASON_BACKEND_OPEN || reason_is_backend(why);
}

void canary_outcome(struct call *k, enum reason why)
{
	struct call_traffic *t = k->traffic;
	const struct snap_traffic *r = t->rule;
	bool failed = why != REASON_NONE || k->x.response.status >= 500;
	struct canary_view v;

	if (!t->counts || t->told || !says_something(why) || !str_eq(k->x.backend_id, t->side))
		return;
	t->told = true;
	if (!canary_tell(slot_of(k, r, true), slot_of(k, r, false), r->canary, t->on_canary, failed, k->wk->loop.now_us))
		return;
	canary_look(slot_of(k, r, true), slot_of(k, r, false), r->canary, k->wk->loop.now_us, &v);
	log_warn("canary rolled back", KV_STR("api", r->api), KV_STR("backend", r->canary->backend), KV_INT("calls", (int64_t)v.calls[1]),
		 KV_INT("errors", (int64_t)v.failed[1]), KV_INT("stable_calls", (int64_t)v.calls[0]),
		 KV_INT("stable_errors", (int64_t)v.failed[0]));
}

bool canary_cookie(struct call *k, struct field *out)
{
	const struct call_traffic *t = k->traffic;

	if (!t || !t->set_cookie.n)
		return false;
	out->name = STR("Set-Cookie");
	out->value = arena_printf(k->arena, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax%s", STR_ARG(t->rule->canary->sticky_name),
				  STR_ARG(t->set_cookie), str_eq(k->x.request.original_url.scheme, STR("https")) ? "; Secure" : "");
	return out->value.p != NULL;
}
