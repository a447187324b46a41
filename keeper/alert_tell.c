/* alert_tell.c - a change of state and everybody who is told of it, in one transaction. */
#include "keeper/alerts_impl.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/log.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/environments.h"
#include "db/mail.h"
#include "db/notices.h"

#include <stdio.h>

enum { TELL_MEMORY = 16 << 20, EVENT_ID_BYTES = 12 };

/* ---- the sentence -------------------------------------------------------------------------------------------------------------- */

static struct str span(struct arena *a, int64_t s)
{
	if (s % 86400 == 0)
		return arena_printf(a, "%lld d", (long long)(s / 86400));
	if (s % 3600 == 0)
		return arena_printf(a, "%lld h", (long long)(s / 3600));
	if (s % 60 == 0)
		return arena_printf(a, "%lld min", (long long)(s / 60));
	return arena_printf(a, "%lld s", (long long)s);
}

/* "calls answered 5xx by the backend"; one: "call answered …". Percentiles are told from a histogram of a few buckets. */
static struct str what(struct arena *a, const struct alert_rule *r, bool one)
{
	static const char *const by[] = { "", " by the gateway", " by the backend" };
	static const char *const of[] = { "the whole call", "the gateway's part", "the backend's part" };

	switch (r->kind) {
	case ALERT_STATUS:
		return arena_printf(a, "call%s answered %.*s%s", one ? "" : "s", STR_ARG(r->status), by[r->origin]);
	case ALERT_VIOLATION:
		return arena_printf(a, r->reasons.n ? "call%s refused by a policy (%.*s)" : "call%s refused by a policy%.*s", one ? "" : "s",
				    STR_ARG(r->reasons));
	case ALERT_LATENCY:
		return arena_printf(a, "%s time of %s", r->statistic ? alert_statistics[r->statistic] : "average", of[r->time]);
	default:
		return one ? STR("call") : STR("calls");
	}
}

struct str alerts_summary(struct arena *a, const struct store_alert_rule *rule, const struct alert_verdict *v, bool bad)
{
	const struct alert_rule *r = &rule->rule;
	bool percent = r->measure == ALERT_MEASURE_PERCENT, below = r->comparison == ALERT_BELOW;
	bool about = r->kind == ALERT_LATENCY && r->statistic != ALERT_STATISTIC_AVERAGE;
	char value[ALERT_NUMBER_MAX], limit[ALERT_NUMBER_MAX], target[ALERT_NUMBER_MAX];
	struct str period = span(a, r->period_s), text;

	/* whole milliseconds say enough of what is 6 % off at most */
	alert_number(about && v->value >= 10000 ? (v->value + 500) / 1000 * 1000 : v->value, value);
	alert_number(r->threshold, limit);
	if (v->no_data)
		text = arena_printf(a, "%lld call%s in %.*s, too few to judge", (long long)v->calls, v->calls == 1 ? "" : "s", STR_ARG(period));
	else if (r->kind == ALERT_LATENCY)
		text = arena_printf(a, "%.*s is %s%s ms over %lld call%s in %.*s; allowed are %s ms", STR_ARG(what(a, r, false)), about ? "about " : "",
				    value, (long long)v->calls, v->calls == 1 ? "" : "s", STR_ARG(period), limit);
	else if (r->kind == ALERT_BUDGET)
		text = arena_printf(a, "the error budget of %s %% is spent %s times as fast as it may be over %.*s (%lld of %lld calls failed); "
				    "the limit is %s", alert_number(r->target, target), value, STR_ARG(period), (long long)v->hits,
				    (long long)v->calls, limit);
	else if (percent)
		text = arena_printf(a, "%s %% %.*s (%lld of %lld) in %.*s; allowed are %s %%", value, STR_ARG(what(a, r, false)), (long long)v->hits,
				    (long long)v->calls, STR_ARG(period), limit);
	else
		text = arena_printf(a, "%s %.*s in %.*s; %s %s", value, STR_ARG(what(a, r, v->value == 1000)), STR_ARG(period),
				    below ? "at least expected are" : "allowed are", limit);
	if (bad && r->periods > 1)
		text = arena_printf(a, "%.*s, in each of %lld consecutive periods", STR_ARG(text), (long long)r->periods);
	return text;
}

/* ---- what a message holds --------------------------------------------------------------------------------------------------------- */

struct telling {
	struct alerts *alerts;
	struct store *store;
	struct arena *a;
	const struct store_alert_rule *rule;
	const struct series *s;
	struct alert_finding *f;
	const struct store_alert_event *e;
	int64_t since_us;
	struct str environment, api;             /* names for people */
	struct store_site site;
};

static void put(json_t *data, const char *name, struct str v)
{
	if (v.n)
		json_object_set_new(data, name, json_stringn(v.p, v.n));
}

static void put_number(json_t *data, const char *name, int64_t thousandths)
{
	json_object_set_new(data, name, thousandths % 1000 ? json_real((double)thousandths / 1000) : json_integer(thousandths / 1000));
}

static struct str named(struct arena *a, struct str name, struct str id)
{
	return name.n && !str_eq(name, id) ? arena_printf(a, "%.*s (%.*s)", STR_ARG(name), STR_ARG(id)) : id;
}

/* Where it fired is where it stays bad and gets well: the last call may be of another place or, after a restart, not known; who sees
 * one environment only, or silenced it, has all events of a breach or none. What calls do not tell when it fires, the subject or the
 * API may. */
static gh_rc place(struct telling *t, int kind, struct gh_err *err)
{
	const struct alert_rule *r = &t->rule->rule;
	struct store_api api;
	bool found = false;

	if (kind != STORE_ALERT_FIRED) {
		t->f->environment = arena_dup(t->a, str_of(t->s->fired_environment));
		t->f->api = arena_dup(t->a, str_of(t->s->fired_api));
		return GH_RC_OK;
	}
	if (!t->f->environment.n && alert_rule_counts(r) && r->each == ALERT_EACH_ENVIRONMENT)
		t->f->environment = t->s->subject;
	if (!t->f->api.n && alert_rule_counts(r) && r->each == ALERT_EACH_API)
		t->f->api = t->s->subject;
	if (!t->f->environment.n && t->f->api.n)
		TRY(store_api_find(t->store, t->a, t->f->api, false, &api, &found, err));
	if (found)
		t->f->environment = api.environment_id;
	return GH_RC_OK;
}

static gh_rc names(struct telling *t, struct gh_err *err)
{
	struct store_environment env;
	struct store_api api;
	bool found = false;

	t->environment = t->f->environment;
	t->api = t->f->api;
	if (t->api.n)
		TRY(store_api_find(t->store, t->a, t->api, false, &api, &found, err));
	if (found)
		t->api = named(t->a, api.name, api.id);
	found = false;
	if (t->environment.n)
		TRY(store_environment_find(t->store, t->a, t->environment, &env, &found, err));
	if (found)
		t->environment = named(t->a, env.name, env.id);
	return GH_RC_OK;
}

static struct str link_of(const struct telling *t)
{
	return t->site.dashboard.n ? arena_printf(t->a, "%.*salerts/%.*s", STR_ARG(t->site.dashboard), STR_ARG(t->rule->id)) : STR_NULL;
}

static struct str iso(struct arena *a, int64_t us)
{
	char when[CLOCK_ISO_MAX];

	return arena_dup(a, str_of(clock_iso(us, 0, when)));
}

static gh_rc add_mails(const struct telling *t, struct gh_err *err)
{
	const struct alert_rule *r = &t->rule->rule;
	json_t *data = jsn_keep(t->a, json_object());
	struct str rest = t->rule->mails, to;
	char number[ALERT_NUMBER_MAX];

	put(data, "event", str_of(store_alert_event_names[t->e->kind]));
	put(data, "rule", t->rule->name);
	put(data, "description", t->rule->description);
	put(data, "summary", t->f->summary);
	put(data, "environment", t->environment);
	put(data, "api", t->api);
	put(data, "subject", t->s->subject);
	put(data, "value", arena_printf(t->a, "%s %s", alert_number(t->f->value, number), alert_unit(r)));
	put(data, "threshold", arena_printf(t->a, "%s %s", alert_number(r->threshold, number), alert_unit(r)));
	if (alert_rule_counts(r))
		put(data, "period", r->periods > 1 ? arena_printf(t->a, "%lld × %.*s", (long long)r->periods, STR_ARG(span(t->a, r->period_s)))
						   : span(t->a, r->period_s));
	put(data, "since", iso(t->a, t->since_us));
	put(data, "at", iso(t->a, t->e->at_us));
	put(data, "request_id", t->f->request_id);
	put(data, "link", link_of(t));
	while (str_word(&rest, &to))
		TRY(store_mail_add(t->store, to, "alert", data, err));
	return GH_RC_OK;
}

static json_t *body_of(const struct telling *t)
{
	const struct alert_rule *r = &t->rule->rule;
	json_t *body = jsn_keep(t->a, json_object()), *data = json_object(), *rule = json_object();

	put(body, "type", arena_printf(t->a, "alert.%s", store_alert_event_names[t->e->kind]));
	put(body, "timestamp", iso(t->a, t->e->at_us));
	put(data, "id", t->e->id);
	put(rule, "id", t->rule->id);
	put(rule, "name", t->rule->name);
	put(rule, "kind", str_of(alert_kinds[r->kind]));
	json_object_set_new(data, "rule", rule);
	put(data, "state", t->e->kind == STORE_ALERT_RECOVERED ? STR("good") : STR("bad"));
	put(data, "summary", t->f->summary);
	put(data, "environment", t->f->environment);
	put(data, "api", t->f->api);
	put(data, "subject", t->s->subject);
	if (r->kind == ALERT_STATUS || r->kind == ALERT_BUDGET)
		put(data, "origin", str_of(alert_origins[r->origin]));
	put_number(data, "value", t->f->value);
	put_number(data, "threshold", r->threshold);
	put(data, "unit", str_of(alert_unit(r)));
	if (alert_rule_counts(r)) {
		json_object_set_new(data, "periodSeconds", json_integer(r->period_s));
		json_object_set_new(data, "periods", json_integer(r->periods));
	}
	put(data, "since", iso(t->a, t->since_us));
	put(data, "requestId", t->f->request_id);
	put(data, "link", link_of(t));
	json_object_set_new(body, "data", data);
	return body;
}

static gh_rc add_deliveries(const struct telling *t, struct gh_err *err)
{
	struct str rest = t->rule->webhooks, one, body = jsn_text(t->a, body_of(t), 0);
	int64_t now = clock_wall_us();

	if (!body.p)
		FAIL(err, NOMEM, "a webhook's message");
	while (str_word(&rest, &one)) {
		struct store_alert_delivery d = { .webhook_id = one, .event_id = t->e->id, .body = body, .created_us = now, .due_us = now,
						  .changed_us = now };
		struct store_alert_webhook hook;
		struct str id;
		bool found;

		TRY(store_alert_webhook_find(t->store, t->a, one, false, &hook, &found, err));
		if (!found)
			continue;
		TRY(crypto_random_hex(t->a, EVENT_ID_BYTES, &id, err));
		d.id = arena_printf(t->a, "msg_%.*s", STR_ARG(id));
		TRY(store_alert_delivery_add(t->store, &d, err));
	}
	return GH_RC_OK;
}

static int64_t words(struct str list)
{
	struct str one;
	int64_t n = 0;

	while (str_word(&list, &one))
		n++;
	return n;
}

static gh_rc is_silenced(const struct telling *t, bool *out, struct gh_err *err)
{
	struct store_alert_silence *v;
	size_t n;

	*out = false;
	TRY(store_alert_silences(t->store, t->a, &v, &n, err));
	for (size_t i = 0; i < n && !*out; i++)
		*out = store_alert_silence_holds(&v[i], t->rule, t->f->environment, t->f->api, clock_wall_us());
	return GH_RC_OK;
}

/* Whoever was told that it is bad is told that it is well, silence or not; of what nobody was told nothing is said. */
static gh_rc write(struct telling *t, struct store_alert_event *e, struct store_alert_state *state, struct gh_err *err)
{
	bool silenced, recovered = e->kind == STORE_ALERT_RECOVERED;

	TRY(is_silenced(t, &silenced, err));
	if (e->kind == STORE_ALERT_REMINDER && silenced) {
		t->e = NULL;                     /* not now, and nothing to write down */
		return GH_RC_OK;
	}
	TRY(names(t, err));
	if (recovered ? t->s->told_us > 0 : !silenced) {
		TRY(add_mails(t, err));
		TRY(add_deliveries(t, err));
		e->told = words(t->rule->mails) + words(t->rule->webhooks);
		state->told_us = clock_wall_us();
	}
	return store_alert_tell(t->store, e, recovered ? NULL : state, err);
}

static void follow(struct alerts *a, struct series *s, const struct store_alert_event *e, const struct store_alert_state *state)
{
	bool bad = e->kind != STORE_ALERT_RECOVERED;

	a->n_bad += bad && !s->bad;
	a->n_bad -= !bad && s->bad;
	s->bad = bad;
	s->since_us = bad ? state->since_us : 0;
	s->told_us = bad ? state->told_us : 0;
	if (e->kind == STORE_ALERT_FIRED) {
		snprintf(s->event_id, sizeof(s->event_id), "%.*s", STR_ARG(e->id));
		snprintf(s->fired_environment, sizeof(s->fired_environment), "%.*s", STR_ARG(e->environment_id));
		snprintf(s->fired_api, sizeof(s->fired_api), "%.*s", STR_ARG(e->api_id));
	}
	log_info("alert", KV_STR("rule", e->rule_id), KV_STR("subject", e->subject), KV_CSTR("event", store_alert_event_names[e->kind]),
		 KV_STR("summary", e->summary), KV_INT("told", (uint64_t)e->told));
}

static gh_rc tell(struct telling *t, struct series *s, int kind, struct gh_err *err)
{
	const struct store_alert_rule *r = t->rule;
	struct store_alert_event e = { .rule_id = r->id, .rule_name = r->name, .kind = kind, .subject = s->subject, .at_us = t->f->at_us,
				       .environment_id = t->f->environment, .api_id = t->f->api, .value = t->f->value,
				       .summary = t->f->summary, .request_id = t->f->request_id };
	struct store_alert_state state = { .rule_id = r->id, .subject = s->subject, .since_us = s->bad ? s->since_us : t->f->at_us,
					   .told_us = s->told_us };
	bool silenced = false;

	/* looked at before the transaction: while it is silenced this is asked at each turn, and others want to write too */
	if (kind == STORE_ALERT_REMINDER)
		TRY(is_silenced(t, &silenced, err));
	if (silenced)
		return GH_RC_OK;
	TRY(crypto_random_hex(t->a, EVENT_ID_BYTES, &e.id, err));
	state.event_id = kind == STORE_ALERT_FIRED ? e.id : arena_dup(t->a, str_of(s->event_id));
	t->e = &e;
	t->since_us = state.since_us;
	TRY(store_tx_begin(t->store, STR("keeper"), err));
	TRY(store_tx_end(t->store, write(t, &e, &state, err), err));
	if (t->e)
		follow(t->alerts, s, &e, &state);
	return GH_RC_OK;
}

gh_rc alerts_tell(struct alerts *a, struct store *store, struct series *s, int kind, const struct alert_finding *f, struct gh_err *err)
{
	struct arena *scratch = arena_new(TELL_MEMORY);
	struct alert_finding placed = *f;
	struct telling t = { .alerts = a, .store = store, .a = scratch, .rule = &s->rule->r, .s = s, .f = &placed };
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "an alert");
	t.site = store_site_of(scratch, a->config);
	rc = place(&t, kind, err);
	if (!rc.code)
		rc = tell(&t, s, kind, err);
	arena_free(scratch);
	return rc;
}

gh_rc alerts_found(struct alerts *a, struct store *store, struct series *s, bool bad, const struct alert_finding *f, struct gh_err *err)
{
	int64_t remind = s->rule->r.remind_s * INT64_C(1000000), now = clock_wall_us();

	if (bad != s->bad)
		return alerts_tell(a, store, s, bad ? STORE_ALERT_FIRED : STORE_ALERT_RECOVERED, f, err);
	if (bad && (!s->told_us || (remind && now - s->told_us >= remind)))
		return alerts_tell(a, store, s, STORE_ALERT_REMINDER, f, err);
	return GH_RC_OK;
}
