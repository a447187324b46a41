/* alert_quota.c - which share of a quota is used: of a tier by looking at the counters that the gateway takes from, of policies,
 * consumer rules and of what Redis counts by what gateways noted (core/quota_watch.h). */
#include "keeper/alerts_impl.h"

#include "core/clock.h"
#include "core/limit_key.h"
#include "core/log.h"
#include "core/str.h"
#include "db/requests.h"
#include "db/tiers.h"

/* ---- tiers ------------------------------------------------------------------------------------------------------------- */

static gh_rc look(struct checking *c, const struct store_subscription *sub, const struct store_limit *l, int64_t *share)
{
	struct counter_ask ask = { .type = store_limit_counter(l), .key = limit_tier_key(c->a, sub->id), .limit = (uint64_t)l->calls,
				   .part = l->kind == STORE_LIMIT_BANDWIDTH ? LIMIT_PART_BYTES : LIMIT_PART_CALLS, .window_s = (uint32_t)l->seconds,
				   .origin_us = sub->starts_us ? sub->starts_us : sub->created_us };
	struct counter_answer answer = counter_take(c->alerts->counters, &ask);
	int64_t used = answer.used > (uint64_t)l->calls ? l->calls : (int64_t)answer.used;

	*share = (int64_t)((double)used / (double)l->calls * 100000);
	return GH_RC_OK;
}

static gh_rc check_one(struct checking *c, const struct store_subscription *sub, struct gh_err *err)
{
	char value[ALERT_NUMBER_MAX];
	struct store_limit *v;
	int64_t most = 0;
	size_t n, at = 0;

	TRY(store_tier_limits(c->store, c->a, sub->tier_id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		int64_t share = 0;

		if (v[i].kind == STORE_LIMIT_QUOTA || v[i].kind == STORE_LIMIT_BANDWIDTH)
			TRY(look(c, sub, &v[i], &share));
		if (share > most) {
			most = share;
			at = i;
		}
	}
	if (most < c->w->r.rule.threshold)
		return GH_RC_OK;
	return alerts_bad(c, sub->id, most,
			  arena_printf(c->a, "subscription %.*s%s%.*s%s has used %s %% of its quota of %lld %s", STR_ARG(sub->id),
				       sub->name.n ? " (" : "", STR_ARG(sub->name), sub->name.n ? ")" : "", alert_number(most, value), (long long)v[at].calls,
				       v[at].kind == STORE_LIMIT_BANDWIDTH ? "bytes" : "calls"), err);
}

static gh_rc check_tiers(struct checking *c, struct gh_err *err)
{
	const struct alert_rule *r = &c->w->r.rule;
	struct store_subscription *v;
	char path[PATHS_MAX];
	size_t n;

	TRY(paths_join(path, c->alerts->state_dir, "counters", err));
	if (!c->alerts->counters)
		TRY(counters_open(path, (size_t)config_int(c->alerts->config, CONFIG_COUNTER_ENTRIES), &c->alerts->counters, err));
	TRY(store_subscriptions_with_quota(c->store, c->a, r->subscription, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if ((!r->product.n || str_eq(r->product, v[i].product_id)) && (!r->api.n || str_eq(r->api, v[i].api_id)))
			TRY(check_one(c, &v[i], err));
	return GH_RC_OK;
}

/* ---- what gateways noted ----------------------------------------------------------------------------------------------- */

static bool counts_here(const struct checking *c)
{
	return !config_text(c->alerts->config, CONFIG_REDIS).n;
}

/* A rule that is narrowed watches quotas that are of that thing alone: a counter key may be of several. */
static bool is_watched(const struct alert_rule *r, const struct quota_name *q)
{
	return (!r->environment.n || str_eq(r->environment, q->environment)) && (!r->api.n || str_eq(r->api, q->api))
	       && (!r->product.n || str_eq(r->product, q->product)) && (!r->subscription.n || str_eq(r->subscription, q->subscription));
}

static struct str labelled(struct arena *a, const char *label, struct str v)
{
	return v.n ? arena_printf(a, " %s %.*s", label, STR_ARG(v)) : STR("");
}

/* "quota-by-key at api orders, key 203…#1f09a2c4": the same for as long as it is the same quota, so it is its name in the history. */
static struct str subject_of(struct arena *a, const struct quota_entry *q)
{
	const struct quota_name *n = &q->name;
	struct str api = labelled(a, "API", n->api), operation = labelled(a, "operation", n->operation),
		   product = labelled(a, "product", n->product), who = labelled(a, "subscription", n->subscription), key = labelled(a, "key", n->key);
	bool bare = !api.n && !operation.n && !product.n;

	return arena_printf(a, "%.*s of%.*s%.*s%.*s%s%.*s%.*s%.*s%s", STR_ARG(n->policy), STR_ARG(product), STR_ARG(api), STR_ARG(operation),
			    bare ? " " : "", STR_ARG(bare ? n->scope : STR("")), STR_ARG(who), STR_ARG(key), q->bytes ? " in bytes" : "");
}

static gh_rc check_noted(struct checking *c, const struct quota_entry *q, struct gh_err *err)
{
	double part = q->limit ? 100000.0 * (double)q->used / (double)q->limit : 0;
	int64_t share = part > 100000 ? 100000 : (int64_t)part;
	struct str subject, ends = STR("");
	char value[ALERT_NUMBER_MAX], when[CLOCK_ISO_MAX];

	if (share < c->w->r.rule.threshold || (counts_here(c) && str_eq(q->name.policy, STR("tier"))) || !is_watched(&c->w->r.rule, &q->name))
		return GH_RC_OK;
	subject = subject_of(c->a, q);
	if (q->end_us != INT64_MAX)
		ends = arena_printf(c->a, ", which begins anew at %s", clock_iso(q->end_us, 0, when));
	return alerts_bad_at(c, subject, share,
			     arena_printf(c->a, "%.*s has used %s %% of %llu %s%.*s", STR_ARG(subject), alert_number(share, value),
					  (unsigned long long)q->limit, q->bytes ? "bytes" : "calls", STR_ARG(ends)),
			     q->name.environment, q->name.api, err);
}

static void tell_overflow(struct alerts *a)
{
	uint64_t full = quota_watch_overflow(a->quotas);

	if (full != a->quotas_full)
		log_warn("more quotas are used than alerts can watch", KV_INT("room", QUOTA_WATCH_ENTRIES), KV_INT("left_out", full));
	a->quotas_full = full;
}

gh_rc alerts_want_quotas(struct alerts *a, struct gh_err *err)
{
	int64_t least = INT64_MAX;
	char path[PATHS_MAX];

	for (size_t i = 0; i < a->n_rules; i++)
		if (a->rules[i].r.rule.kind == ALERT_QUOTA && a->rules[i].r.rule.threshold < least)
			least = a->rules[i].r.rule.threshold;
	if (!a->quotas && least == INT64_MAX)
		return GH_RC_OK;
	TRY(paths_join(path, a->state_dir, "quotas", err));
	if (!a->quotas)
		TRY(quota_watch_open(path, &a->quotas, err));
	least /= 100;                            /* thousandths of a per cent */
	quota_watch_want(a->quotas, least > 1000 ? 0 : least ? (uint32_t)least : 1);
	tell_overflow(a);
	return GH_RC_OK;
}

static gh_rc check_all_noted(struct checking *c, struct gh_err *err)
{
	struct quota_entry *v;
	size_t n;

	if (!c->alerts->quotas)                  /* could not be opened: once more, which says why */
		TRY(alerts_want_quotas(c->alerts, err));
	TRY(quota_watch_read(c->alerts->quotas, c->a, c->now_us, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(check_noted(c, &v[i], err));
	return GH_RC_OK;
}

gh_rc alerts_check_quotas(struct checking *c, struct gh_err *err)
{
	gh_rc rc = GH_RC_OK;
	struct gh_err why;

	if (counts_here(c))
		alerts_keep_first(&rc, err, check_tiers(c, &why), &why);
	alerts_keep_first(&rc, err, check_all_noted(c, &why), &why);
	return rc;
}
