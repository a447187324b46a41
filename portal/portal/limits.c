#include "portal/portal/portal.h"

#include "core/str.h"
#include "db/apis.h"
#include "db/policies.h"
#include "db/subscriptions.h"
#include "db/consumer_rules.h"
#include "policy/document.h"
#include "policy/elements/limits.h"

/* The limits of a product in words, out of its policy document: what stands right in <inbound> and holds for everybody.
 * Limits inside of <choose> depend on the call and are left to the description. */

static struct str period_words(struct web *w, uint64_t s)
{
	static const struct {
		uint64_t seconds;
		struct str words;
	} known[] = { { 1, STR_INIT("a second") }, { 60, STR_INIT("a minute") }, { 3600, STR_INIT("an hour") },
		      { 86400, STR_INIT("a day") }, { 604800, STR_INIT("a week") }, { 0, STR_INIT("in all") } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].seconds == s)
			return web_text(w, known[i].words);
	if (s % 86400 == 0)
		return web_textf(w, "in {1} day || in {1} days", web_count(w, (int64_t)(s / 86400)));
	if (s % 3600 == 0)
		return web_textf(w, "in {1} hour || in {1} hours", web_count(w, (int64_t)(s / 3600)));
	if (s % 60 == 0)
		return web_textf(w, "in {1} minute || in {1} minutes", web_count(w, (int64_t)(s / 60)));
	return web_textf(w, "in {1} second || in {1} seconds", web_count(w, (int64_t)s));
}

struct str portal_limit_words(struct web *w, uint64_t calls, uint64_t seconds)
{
	return web_textf(w, "{1} call {2} || {1} calls {2}", web_count(w, (int64_t)calls), LANG_STR(period_words(w, seconds)));
}

static bool number(const struct doc_node *n, const char *name, uint64_t *out)
{
	for (const struct doc_attr *t = n->attrs; t; t = t->next)
		if (str_eq(t->name, str_of(name)))
			return !t->value.expression && str_to_u64(str_trim(t->value.text), INT64_MAX, out);
	return false;
}

static struct str bytes_words(struct web *w, uint64_t bytes)
{
	static const char *const units[] = { NULL, "KB", "MB", "GB" };
	size_t i = 0;

	for (; i + 1 < ARRAY_LEN(units) && bytes && bytes % 1024 == 0; i++)
		bytes /= 1024;
	return i ? arena_printf(w->a, "%llu %s", (unsigned long long)bytes, units[i])
		 : web_textf(w, "{1} byte || {1} bytes", web_count(w, (int64_t)bytes));
}

static struct str queue_words(struct web *w, struct str rate, const struct store_limit *l)
{
	struct str wait = l->delay_ms % 1000 ? web_textf(w, "{1} ms", web_count(w, l->delay_ms))
					     : web_textf(w, "{1} second || {1} seconds", web_count(w, l->delay_ms / 1000));

	return web_textf(w, "{2}, and {1} more waits for at most {3} || {2}, and {1} more wait for at most {3}", web_count(w, l->queue),
			 LANG_STR(rate), LANG_STR(wait));
}

struct str portal_stored_limit_words(struct web *w, const struct store_limit *l)
{
	struct str words;

	if (l->kind == STORE_LIMIT_CONCURRENCY)
		return web_textf(w, "{1} call at a time || {1} calls at a time", web_count(w, l->calls));
	if (l->kind == STORE_LIMIT_BANDWIDTH)
		return arena_printf(w->a, "%.*s %.*s", STR_ARG(bytes_words(w, (uint64_t)l->calls)),
				    STR_ARG(period_words(w, (uint64_t)l->seconds)));
	words = portal_limit_words(w, (uint64_t)l->calls, (uint64_t)l->seconds);
	return l->queue ? queue_words(w, words, l) : words;
}

/* ---- what a product's document says -------------------------------------------------------------------------------------- */

enum { LIMITS_MAX = ARRAY_LEN(((struct portal_limits *)0)->words) };

struct limit {
	bool rate, bytes;                /* rate-limit or quota; a quota counts calls or bytes */
	uint64_t most, seconds, burst;
	enum counter_type type;
};

static void add_limits(struct limit *v, size_t *n, const struct doc_node *node)
{
	bool rate = str_eq(node->name, STR("rate-limit"));
	struct limit l = { .rate = rate, .type = rate ? COUNTER_TYPE_SLIDING : COUNTER_TYPE_FIXED };

	if ((!rate && !str_eq(node->name, STR("quota"))) || !number(node, "renewal-period", &l.seconds))
		return;
	if (number(node, "calls", &l.most) && *n < LIMITS_MAX)
		v[(*n)++] = l;
	l.bytes = true;
	if (number(node, "bandwidth", &l.most) && l.most <= INT64_MAX / LIMIT_KILOBYTE && *n < LIMITS_MAX) {
		l.most *= LIMIT_KILOBYTE;
		v[(*n)++] = l;
	}
}

static GH_RC limits_of(struct web *w, struct str product_id, struct limit v[LIMITS_MAX], size_t *n, struct gh_err *err)
{
	struct store_policy_scope scope = { .kind = STORE_POLICY_PRODUCT, .product_id = product_id };
	struct policy_diags diags;
	struct document d;
	struct str bytes;
	bool found;

	*n = 0;
	TRY(store_policy_find(w->site->store, w->a, &scope, &bytes, &found, err));
	if (!found)
		return GH_RC_OK;
	policy_diags_init(&diags, w->a);
	if (!document_parse(w->a, bytes, NULL, &d, &diags))
		return GH_RC_OK;                 /* the gateway refuses it as well, and says so to its operator */
	for (const struct doc_node *section = d.root->first; section; section = section->next)
		if (str_eq(section->name, STR("inbound")))
			for (const struct doc_node *node = section->first; node; node = node->next)
				add_limits(v, n, node);
	return GH_RC_OK;
}

static struct str limit_words(struct web *w, const struct limit *l)
{
	if (!l->bytes)
		return portal_limit_words(w, l->most, l->seconds);
	return arena_printf(w->a, "%.*s %.*s", STR_ARG(bytes_words(w, l->most)), STR_ARG(period_words(w, l->seconds)));
}

gh_rc portal_limits(struct web *w, struct str product_id, struct portal_limits *out, struct gh_err *err)
{
	struct limit v[LIMITS_MAX];

	TRY(limits_of(w, product_id, v, &out->n, err));
	for (size_t i = 0; i < out->n; i++)
		out->words[i] = limit_words(w, &v[i]);
	return GH_RC_OK;
}

gh_rc portal_put_limits(struct web *w, struct liquid_record *r, struct str product_id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(r, "limits");
	struct portal_limits limits;

	TRY(portal_limits(w, product_id, &limits, err));
	for (size_t i = 0; i < limits.n; i++)
		liquid_push(list, liquid_of_text(limits.words[i]));
	return GH_RC_OK;
}

/* ---- what is left ---------------------------------------------------------------------------------------------------------- */

/* Looks at the counter that the gateway takes from. With Redis the machines count there, and this one's own counters say nothing. */
static void put_left(struct web *w, struct liquid_list *list, const struct store_subscription *s, const struct limit *l, struct str key,
		     uint8_t part)
{
	struct counter_ask ask = { .type = l->type, .key = key,
				   .limit = l->most, .part = part, .burst = l->burst, .window_s = (uint32_t)l->seconds,
				   .origin_us = s->starts_us ? s->starts_us : s->created_us };
	struct counter_answer a;

	if (config_text(&w->site->config, CONFIG_REDIS).n) {
		liquid_push(list, liquid_of_text(web_textf(w, "{1}; each answer says in its field RateLimit what is left", LANG_STR(limit_words(w, l)))));
		return;
	}
	a = counter_take(w->site->limits, &ask);
	if (l->bytes)
		liquid_push(list, liquid_of_text(web_textf(w, "{1} KB of {2} {3}", web_count(w, (int64_t)(a.remaining / LIMIT_KILOBYTE)),
							   LANG_STR(bytes_words(w, l->most)), LANG_STR(period_words(w, l->seconds)))));
	else
		liquid_push(list, liquid_of_text(web_textf(w, "{1} of {2}", web_count(w, (int64_t)a.remaining),
							   LANG_STR(portal_limit_words(w, l->most, l->seconds)))));
}

static void put_free(struct web *w, struct liquid_list *list, const struct store_limit *l, struct str key)
{
	uint64_t inside = counter_inside(w->site->limits, limit_place_key(w->a, key)), most = (uint64_t)l->calls;

	liquid_push(list, liquid_of_text(web_textf(w, "{1} of {2}", web_count(w, (int64_t)(inside < most ? most - inside : 0)),
						   LANG_STR(portal_stored_limit_words(w, l)))));
}

static void put_stored(struct web *w, struct liquid_list *list, const struct store_subscription *s, const struct store_limit *v, size_t n,
		       struct str key)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].kind == STORE_LIMIT_CONCURRENCY)
			put_free(w, list, &v[i], key);
		else
			put_left(w, list, s, &(struct limit){ .rate = v[i].kind == STORE_LIMIT_RATE, .bytes = v[i].kind == STORE_LIMIT_BANDWIDTH,
							      .most = (uint64_t)v[i].calls, .seconds = (uint64_t)v[i].seconds,
							      .type = store_limit_counter(&v[i]), .burst = v[i].algorithm == STORE_ALGORITHM_LEAKY },
				 key, v[i].kind == STORE_LIMIT_BANDWIDTH ? LIMIT_PART_BYTES : LIMIT_PART_CALLS);
}

/* What a rule limits at one API is shown at the API's place in the list of rules; at every API, in place of the tier. */
static gh_rc put_own(struct web *w, struct liquid_list *list, const struct store_subscription *s, struct gh_err *err)
{
	struct store_limit *v;
	size_t n;

	TRY(store_consumer_rule_limits(w->site->store, w->a, s->id, STR_NULL, &v, &n, err));
	if (n) {
		put_stored(w, list, s, v, n, limit_rule_key(w->a, s->id, STR_NULL));
		return GH_RC_OK;
	}
	if (!s->tier_id.n)
		return GH_RC_OK;
	TRY(store_tier_limits(w->site->store, w->a, s->tier_id, &v, &n, err));
	put_stored(w, list, s, v, n, limit_tier_key(w->a, s->id));
	return GH_RC_OK;
}

static gh_rc put_rule(struct web *w, struct liquid_list *list, const struct store_subscription *s, const struct store_consumer_rule *r,
		      struct gh_err *err)
{
	struct liquid_record *row = liquid_push_record(list);
	struct store_limit *v;
	struct store_api api;
	bool found = false;
	size_t n;

	if (r->api_id.n)
		TRY(store_api_find(w->site->store, w->a, r->api_id, 0, &api, &found, err));
	liquid_set_text(row, "api", found ? api.name : STR(""));
	liquid_set_text(row, "methods", r->methods);
	liquid_set_text(row, "operations", r->operations);
	TRY(store_consumer_rule_limits(w->site->store, w->a, s->id, r->api_id, &v, &n, err));
	put_stored(w, liquid_set_list(row, "left"), s, v, r->api_id.n ? n : 0, limit_rule_key(w->a, s->id, r->api_id));
	return GH_RC_OK;
}

/* The rules that this consumer has, beyond its product and tier. */
static gh_rc put_rules(struct web *w, struct liquid_record *r, const struct store_subscription *s, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(r, "rules");
	struct store_consumer_rule *v;
	size_t n;

	TRY(store_consumer_rules(w->site->store, w->a, s->id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(put_rule(w, list, s, &v[i], err));
	return GH_RC_OK;
}

gh_rc portal_put_left(struct web *w, struct liquid_record *r, const struct store_subscription *s, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(r, "left");
	struct limit v[LIMITS_MAX];
	size_t n = 0;

	if (s->state != STORE_SUB_ACTIVE || !w->site->limits)
		return GH_RC_OK;
	TRY(put_own(w, list, s, err));
	TRY(put_rules(w, r, s, err));
	if (s->scope != STORE_SCOPE_PRODUCT)
		return GH_RC_OK;
	TRY(limits_of(w, s->product_id, v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct str key = v[i].rate ? limit_rate_key(w->a, SCOPE_PRODUCT, s->product_id, s->id) : limit_quota_key(w->a, s->product_id, s->id);

		if (!v[i].rate)
			key = limit_quota_part(w->a, key, v[i].bytes);
		put_left(w, list, s, &v[i], key, LIMIT_PART_CALLS);
	}
	return GH_RC_OK;
}
