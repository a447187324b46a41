/* alert_quota.c - which share of its tier's quotas a subscription has used: looks at the counters that the gateway takes from. */
#include "keeper/alerts_impl.h"

#include "core/limit_key.h"
#include "core/str.h"
#include "db/requests.h"
#include "db/tiers.h"

static gh_rc look(struct checking *c, const struct store_subscription *sub, const struct store_limit *l, int64_t *share)
{
	struct counter_ask ask = { .type = COUNTER_TYPE_FIXED, .key = limit_tier_key(c->a, sub->id), .limit = (uint64_t)l->calls,
				   .window_s = (uint32_t)l->seconds, .origin_us = sub->starts_us ? sub->starts_us : sub->created_us };
	struct counter_answer answer = counter_take(c->alerts->counters, &ask);
	int64_t used = answer.used > (uint64_t)l->calls ? l->calls : (int64_t)answer.used;

	*share = used * 100000 / l->calls;
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

		if (v[i].kind == STORE_LIMIT_QUOTA)
			TRY(look(c, sub, &v[i], &share));
		if (share > most) {
			most = share;
			at = i;
		}
	}
	if (most < c->w->r.rule.threshold)
		return GH_RC_OK;
	return alerts_bad(c, sub->id, most,
			  arena_printf(c->a, "subscription %.*s (%.*s) has used %s %% of its quota of %lld calls", STR_ARG(sub->id),
				       STR_ARG(sub->name), alert_number(most, value), (long long)v[at].calls), err);
}

gh_rc alerts_check_quotas(struct checking *c, struct gh_err *err)
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
