/* alert_check.c - rules that count no calls: each looks at things that are bad or well at this moment. A subject that a check
 * does not name any more is well again. */
#include "keeper/alerts_impl.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/traffic_rule.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/secrets.h"
#include "db/requests.h"
#include "db/traffic_rules.h"

#include <stdio.h>

/* Backends are looked at each turn, what costs more once in five seconds. */
enum { CHECK_MEMORY = 256 << 20, SLOW_EVERY_US = 5000000, BACKENDS_EVERY_US = 1000000 };
static const int64_t DAY_US = INT64_C(86400000000);

/* What the rule does not name is that of the subject. */
static struct alert_finding finding(const struct checking *c, const struct series *s, int64_t value, struct str summary)
{
	const struct alert_rule *r = &c->w->r.rule;

	return (struct alert_finding){ .environment = r->environment.n ? r->environment : str_of(s->environment),
				       .api = r->api.n ? r->api : str_of(s->api), .value = value, .summary = summary, .at_us = c->now_us };
}

gh_rc alerts_bad(struct checking *c, struct str subject, int64_t value, struct str summary, struct gh_err *err)
{
	return alerts_bad_at(c, subject, value, summary, STR(""), STR(""), err);
}

gh_rc alerts_bad_at(struct checking *c, struct str subject, int64_t value, struct str summary, struct str environment, struct str api,
		    struct gh_err *err)
{
	struct series *s = alerts_series(c->alerts, c->w, subject);
	struct alert_finding f;

	if (!s)
		return GH_RC_OK;
	snprintf(s->environment, sizeof(s->environment), "%.*s", STR_ARG(environment));
	snprintf(s->api, sizeof(s->api), "%.*s", STR_ARG(api));
	s->seen = true;
	f = finding(c, s, value, summary);
	return alerts_found(c->alerts, c->store, s, true, &f, err);
}

void alerts_keep_first(gh_rc *first, struct gh_err *err, gh_rc rc, const struct gh_err *why)
{
	if (!rc.code || (first->code && rc.code != GH_E_BUSY))
		return;
	*first = rc;
	*err = *why;
}

/* ---- backends -------------------------------------------------------------------------------------------------------------------- */

/* A canary that was rolled back is bad until it is begun anew or ended. */
static gh_rc check_canaries(struct checking *c, struct gh_err *err)
{
	const struct alert_rule *r = &c->w->r.rule;
	struct store_traffic_rule *v;
	size_t n;

	TRY(store_traffic_rules(c->store, c->a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct canary_rule canary;

		if (v[i].canary_state != STORE_CANARY_ROLLED_BACK || !canary_rule_read(c->a, v[i].canary, v[i].since_us, &canary)
		    || (r->backend.n && !str_eq(r->backend, canary.backend)) || (r->api.n && !str_eq(r->api, v[i].api_id)))
			continue;
		TRY(alerts_bad(c, canary.backend, 1000, arena_printf(c->a, "the canary of API %.*s was rolled back: %.*s", STR_ARG(v[i].api_id),
								     STR_ARG(v[i].rolled_back_why)), err));
	}
	return GH_RC_OK;
}

static gh_rc check_backends(struct checking *c, struct gh_err *err)
{
	struct store_backend *v;
	struct gh_err ignored;
	char path[PATHS_MAX];
	size_t n;

	if (!c->alerts->backends && (paths_join(path, c->alerts->state_dir, "backends", &ignored).code
				     || backend_states_open(path, false, &c->alerts->backends, &ignored).code))
		return GH_RC_OK;                 /* no worker has called any yet */
	TRY(store_backends(c->store, c->a, false, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct breaker_rule rule;
		struct backend_view look;
		bool has;

		if (c->w->r.rule.backend.n && !str_eq(c->w->r.rule.backend, v[i].id))
			continue;
		has = v[i].breaker.n && !breaker_rule_parse(v[i].breaker, &rule, &ignored).code;
		backend_look(backend_slot_find(c->alerts->backends, backend_state_key(v[i].id)), has ? &rule : NULL, clock_mono_us(), &look);
		if (v[i].health.n && look.health == BACKEND_DOWN)
			TRY(alerts_bad(c, v[i].id, 1000, look.health_status ? arena_printf(c->a, "the health checks of backend %.*s fail (status %d)",
							STR_ARG(v[i].id), look.health_status)
						 : arena_printf(c->a, "the health checks of backend %.*s get no answer", STR_ARG(v[i].id)), err));
		else if (look.breaker != BACKEND_PASS)
			TRY(alerts_bad(c, v[i].id, 1000, arena_printf(c->a, "the circuit breaker of backend %.*s is %s", STR_ARG(v[i].id),
							       look.breaker == BACKEND_SHUT ? "open" : "half-open"), err));
		else if (look.ejection != BACKEND_PASS)
			TRY(alerts_bad(c, v[i].id, 1000, arena_printf(c->a, "backend %.*s cannot be reached; its pools leave it out", STR_ARG(v[i].id)), err));
	}
	return GH_RC_OK;
}

/* ---- what ends ------------------------------------------------------------------------------------------------------------------- */

static gh_rc ends(struct checking *c, const char *kind, struct str id, const char *verb, int64_t at_us, struct gh_err *err)
{
	int64_t left = at_us - c->now_us;
	char when[CLOCK_ISO_MAX];
	struct str text;

	if (left > c->w->r.rule.threshold * (DAY_US / 1000))
		return GH_RC_OK;
	clock_iso(at_us, 0, when);
	text = left > 0 ? arena_printf(c->a, "%s %.*s %s in %lld days, at %s", kind, STR_ARG(id), verb, (long long)(left / DAY_US), when)
			: arena_printf(c->a, "%s %.*s: its time was over at %s", kind, STR_ARG(id), when);
	return alerts_bad(c, arena_printf(c->a, "%s:%.*s", kind, STR_ARG(id)), left > 0 ? left / (DAY_US / 1000) : 0, text, err);
}

static gh_rc check_expiry(struct checking *c, struct gh_err *err)
{
	const struct alert_rule *r = &c->w->r.rule;
	struct store_certificate *certificates;
	struct store_subscription *subs;
	struct store_reminder *reminders;
	size_t n;

	if (!r->subscription.n && !r->product.n && !r->api.n) {
		TRY(store_certificates(c->store, c->a, false, &certificates, &n, err));
		for (size_t i = 0; i < n; i++)
			TRY(ends(c, "certificate", certificates[i].id, "expires", certificates[i].expires_us, err));
		TRY(store_reminders(c->store, c->a, &reminders, &n, err));
		for (size_t i = 0; i < n; i++)
			TRY(ends(c, arena_cstr(c->a, reminders[i].kind), reminders[i].object_id, "is to be replaced", reminders[i].rotate_by_us, err));
	}
	TRY(store_subscriptions_ending(c->store, c->a, c->now_us - DAY_US, c->now_us + r->threshold * (DAY_US / 1000), &subs, &n, err));
	for (size_t i = 0; i < n; i++)
		if ((!r->subscription.n || str_eq(r->subscription, subs[i].id)) && (!r->product.n || str_eq(r->product, subs[i].product_id))
		    && (!r->api.n || str_eq(r->api, subs[i].api_id)))
			TRY(ends(c, "subscription", subs[i].id, "ends", subs[i].ends_us, err));
	return GH_RC_OK;
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------- */

/* What was bad and was not named is well. */
static gh_rc settle(struct checking *c, struct gh_err *err)
{
	const struct alert_rule *r = &c->w->r.rule;
	static const char *const texts[][2] = { [ALERT_BACKEND] = { "backend ", " is well again" }, [ALERT_EXPIRY] = { "", " does not end soon any more" },
						[ALERT_QUOTA] = { "", " is below the share again" } };

	for (size_t i = 0; i < ALERTS_TABLE; i++)
		for (struct series *s = c->alerts->table[i], *next; s; s = next) {
			struct alert_finding f;

			next = s->chain;
			if (s->rule != c->w)
				continue;
			f = finding(c, s, 0, STR_NULL);
			f.summary = arena_printf(c->a, "%s%.*s%s", texts[r->kind][0], STR_ARG(s->subject), texts[r->kind][1]);
			if (!s->seen)
				TRY(alerts_found(c->alerts, c->store, s, false, &f, err));
			if (!s->seen)
				alerts_drop_series(c->alerts, s);
			else
				s->seen = false;
		}
	return GH_RC_OK;
}

/* After a failure nothing is settled: what was not named may be bad all the same. */
static gh_rc check(struct checking *c, struct gh_err *err)
{
	struct gh_err why;
	gh_rc rc = GH_RC_OK;

	switch (c->w->r.rule.kind) {
	case ALERT_BACKEND:
		alerts_keep_first(&rc, err, check_backends(c, &why), &why);
		alerts_keep_first(&rc, err, check_canaries(c, &why), &why);
		break;
	case ALERT_EXPIRY:
		TRY(check_expiry(c, err));
		break;
	default:
		TRY(alerts_check_quotas(c, err));
	}
	return rc.code ? rc : settle(c, err);
}

static gh_rc check_rule(struct alerts *a, struct store *store, struct watched *w, int64_t now_us, struct gh_err *err)
{
	struct checking c = { .alerts = a, .store = store, .w = w, .now_us = now_us, .a = arena_new(CHECK_MEMORY) };
	gh_rc rc;

	if (!c.a)
		FAIL(err, NOMEM, "alerts");
	rc = check(&c, err);
	arena_free(c.a);
	return rc;
}

gh_rc alerts_check(struct alerts *a, struct store *store, int64_t now_us, struct gh_err *err)
{
	bool slow = !a->checked_us || now_us - a->checked_us >= SLOW_EVERY_US || now_us < a->checked_us;
	gh_rc rc = GH_RC_OK;
	struct gh_err why;

	if (slow)
		alerts_keep_first(&rc, err, alerts_want_quotas(a, &why), &why);
	for (size_t i = 0; i < a->n_rules && rc.code != GH_E_BUSY; i++) {
		const struct alert_rule *r = &a->rules[i].r.rule;

		if (!alert_rule_counts(r) && (slow || r->kind == ALERT_BACKEND))
			alerts_keep_first(&rc, err, check_rule(a, store, &a->rules[i], now_us, &why), &why);
	}
	a->checked_us = slow && rc.code != GH_E_BUSY ? now_us : a->checked_us;
	return rc;
}
