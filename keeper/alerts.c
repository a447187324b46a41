#include "keeper/alerts_impl.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

enum { RULES_MEMORY = 32 << 20, LOAD_MEMORY = 256 << 20, STEPS_MAX = 4 * ALERT_SLICES, PRUNE_EVERY_US = 60000000, TOLD_EVERY_US = 60000000,
       BACK_LEAST_US = 1000000 };                /* what is corrected by less does no harm */

/* ---- series ------------------------------------------------------------------------------------------------------------------ */

static size_t place_of(const struct watched *w, struct str subject)
{
	return (w->hash ^ str_hash(w->r.id) * 31 ^ str_hash(subject)) % ALERTS_TABLE;
}

static size_t bytes_of(const struct watched *w, struct str subject)
{
	return sizeof(struct series) + subject.n + (alert_rule_counts(&w->r.rule) ? alert_window_bytes(&w->r.rule) : 0);
}

void alerts_drop_series(struct alerts *a, struct series *s)
{
	struct series **at = &a->table[place_of(s->rule, s->subject)];

	while (*at && *at != s)
		at = &(*at)->chain;
	if (*at)
		*at = s->chain;
	if (s->rule->whole == s)
		s->rule->whole = NULL;
	a->n_series--;
	a->n_bad -= s->bad;
	a->bytes -= bytes_of(s->rule, s->subject);
	alert_window_release(&s->window);
	free((void *)(uintptr_t)s->subject.p);
	free(s);
}

static void no_room(struct alerts *a, const struct watched *w)
{
	int64_t now = clock_mono_us();

	a->no_room++;
	if (a->told_no_room_us && now - a->told_no_room_us < TOLD_EVERY_US)
		return;
	a->told_no_room_us = now;
	log_warn("alert windows have no room; raise alerts.memory_bytes or narrow the rule", KV_STR("rule", w->r.id));
}

struct series *alerts_series(struct alerts *a, struct watched *w, struct str subject)
{
	struct series *s;
	char *copy;
	size_t at;

	subject = str_first(subject, ALERTS_SUBJECT_MAX);
	at = place_of(w, subject);
	for (s = a->table[at]; s; s = s->chain)
		if (s->rule == w && str_eq(s->subject, subject))
			return s;
	if (a->bytes + bytes_of(w, subject) > (size_t)config_int(a->config, CONFIG_ALERTS_MEMORY_BYTES)) {
		no_room(a, w);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	copy = malloc(subject.n + 1);
	if (!s || !copy || (alert_rule_counts(&w->r.rule) && !alert_window_init(&s->window, &w->r.rule))) {
		free(s);
		free(copy);
		return NULL;
	}
	if (subject.n)
		memcpy(copy, subject.p, subject.n);
	s->subject = (struct str){ copy, subject.n };
	s->rule = w;
	s->first_touched = INT64_MAX;
	s->chain = a->table[at];
	a->table[at] = s;
	a->n_series++;
	a->bytes += bytes_of(w, subject);
	if (w->r.rule.each == ALERT_EACH_ALL && alert_rule_counts(&w->r.rule))
		w->whole = s;
	return s;
}

static void drop_all(struct alerts *a)
{
	for (size_t i = 0; i < ALERTS_TABLE; i++)
		while (a->table[i])
			alerts_drop_series(a, a->table[i]);
}

gh_rc alerts_new(const char *state_dir, const struct config *config, struct alerts **out, struct gh_err *err)
{
	struct alerts *a = calloc(1, sizeof(*a));

	if (!a)
		FAIL(err, NOMEM, "no memory for alerts");
	a->config = config;
	snprintf(a->state_dir, sizeof(a->state_dir), "%s", state_dir);
	*out = a;
	return GH_RC_OK;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	drop_all(a);
	backend_states_close(a->backends);
	counters_close(a->counters);
	quota_watch_close(a->quotas);
	arena_free(a->arena);
	free(a);
}

struct alerts_stats alerts_stats(const struct alerts *a)
{
	return (struct alerts_stats){ a->n_rules, a->n_series, a->n_bad, a->no_room };
}

/* ---- rules --------------------------------------------------------------------------------------------------------------------- */

/* Series whose rule is gone, disabled or counts something else go; the others get the rule as it is now. */
static void hand_over(struct alerts *a, struct watched *rules, size_t n)
{
	struct series *kept = NULL, *s;

	for (size_t i = 0; i < ALERTS_TABLE; i++)
		while ((s = a->table[i])) {
			struct watched *w = NULL;

			for (size_t k = 0; k < n && !w; k++)
				if (rules[k].hash == s->rule->hash && str_eq(rules[k].r.id, s->rule->r.id))
					w = &rules[k];
			if (!w) {
				alerts_drop_series(a, s);
				continue;
			}
			a->table[i] = s->chain;
			s->rule = w;
			w->loaded = true;
			if (w->r.rule.each == ALERT_EACH_ALL && s->window.ring)
				w->whole = s;
			s->chain = kept;
			kept = s;
		}
	while ((s = kept)) {
		size_t at = place_of(s->rule, s->subject);

		kept = s->chain;
		s->chain = a->table[at];
		a->table[at] = s;
	}
}

static gh_rc load_window(struct alerts *a, struct store *store, struct arena *scratch, struct watched *w, struct gh_err *err)
{
	struct store_alert_slice *v;
	size_t n;

	TRY(store_alert_slices(store, scratch, w->r.id, str_of(w->definition), &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct series *s = alerts_series(a, w, v[i].subject);
		bool to_come = s && v[i].number > a->seen_us / s->window.width_us + 1;   /* the clock was wrong then */
		struct alert_slice *slice = s && !to_come ? alert_window_at(&s->window, v[i].number, v[i].histogram.n > 0) : NULL;

		if (!slice)
			continue;                /* older than the window by now, or to come */
		slice->calls = (uint32_t)v[i].calls;
		slice->hits = (uint32_t)v[i].hits;
		slice->sum_us = (uint64_t)v[i].sum_us;
		if (v[i].histogram.n && !alert_histogram_unpack(v[i].histogram, slice->histogram))
			log_warn("a stored alert window is damaged", KV_STR("rule", w->r.id));
		/* the keeper before us judged what it had stored */
		s->judged_us = (v[i].number + 1) * s->window.width_us;
	}
	return GH_RC_OK;
}

static gh_rc load_states(struct alerts *a, struct store *store, struct arena *scratch, struct gh_err *err)
{
	struct store_alert_state *v;
	size_t n;

	TRY(store_alert_states(store, scratch, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct watched *w = NULL;
		struct series *s;

		for (size_t k = 0; k < a->n_rules && !w; k++)
			if (str_eq(a->rules[k].r.id, v[i].rule_id))
				w = &a->rules[k];
		s = w ? alerts_series(a, w, v[i].subject) : NULL;
		if (!s || s->bad)
			continue;
		s->bad = true;
		a->n_bad++;
		s->since_us = v[i].since_us;
		s->told_us = v[i].told_us;
		snprintf(s->event_id, sizeof(s->event_id), "%.*s", STR_ARG(v[i].event_id));
		snprintf(s->fired_environment, sizeof(s->fired_environment), "%.*s", STR_ARG(v[i].environment_id));
		snprintf(s->fired_api, sizeof(s->fired_api), "%.*s", STR_ARG(v[i].api_id));
	}
	return GH_RC_OK;
}

static gh_rc read_rules(struct alerts *a, struct store *store, struct arena *fresh, struct gh_err *err)
{
	struct store_alert_rule *v;
	struct watched *rules;
	size_t n, kept = 0;

	TRY(store_alert_rules(store, fresh, &v, &n, err));
	rules = arena_alloc(fresh, n + 1, sizeof(*rules));
	if (!rules)
		FAIL(err, NOMEM, "%zu alert rules", n);
	for (size_t i = 0; i < n; i++) {
		struct watched *w = &rules[kept];

		if (!v[i].enabled)
			continue;
		w->r = v[i];
		w->hash = alert_rule_hash(&v[i].rule);
		snprintf(w->definition, sizeof(w->definition), "%016llx", (unsigned long long)w->hash);
		kept++;
	}
	hand_over(a, rules, kept);
	arena_free(a->arena);
	a->arena = fresh;
	a->rules = rules;
	a->n_rules = kept;
	return GH_RC_OK;
}

static gh_rc load(struct alerts *a, struct store *store, struct arena *scratch, struct gh_err *err)
{
	struct arena *fresh = arena_new(RULES_MEMORY);
	gh_rc rc = fresh ? read_rules(a, store, fresh, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "alert rules");

	if (rc.code) {
		arena_free(fresh);
		return rc;
	}
	for (size_t i = 0; i < a->n_rules; i++) {
		struct watched *w = &a->rules[i];

		if (!w->loaded && alert_rule_counts(&w->r.rule))
			TRY(load_window(a, store, scratch, w, err));
		w->loaded = true;
		if (alert_rule_counts(&w->r.rule) && w->r.rule.each == ALERT_EACH_ALL && !w->whole)
			(void)alerts_series(a, w, STR(""));
	}
	return load_states(a, store, scratch, err);
}

/* The clock was set back: what was counted in a time that is still to come would keep all calls of now out of the windows. */
static void clock_went_back(struct alerts *a, int64_t now_us)
{
	log_warn("the clock was set back; alerts forget what they counted in the time to come");
	for (size_t i = 0; i < ALERTS_TABLE; i++)
		for (struct series *s = a->table[i]; s; s = s->chain) {
			if (s->window.ring)
				alert_window_cut(&s->window, now_us);
			s->first_touched = INT64_MAX;
			s->last_touched = 0;
			s->dirty_us = 0;
			s->judged_us = s->judged_us < now_us ? s->judged_us : now_us;
			s->told_us = s->told_us < now_us ? s->told_us : now_us;
		}
	a->pruned_us = 0;
}

gh_rc alerts_begin(struct alerts *a, struct store *store, struct gh_err *err)
{
	int64_t stamp, now = clock_wall_us();
	struct arena *scratch;
	gh_rc rc;

	if (now < a->seen_us - BACK_LEAST_US)
		clock_went_back(a, now);
	a->seen_us = now;
	TRY(store_alert_rules_stamp(store, &stamp, err));
	if (a->loaded && stamp == a->stamp)
		return GH_RC_OK;
	scratch = arena_new(LOAD_MEMORY);
	if (!scratch)
		FAIL(err, NOMEM, "alert rules");
	rc = load(a, store, scratch, err);
	arena_free(scratch);
	a->loaded = !rc.code;
	a->stamp = stamp;
	a->checked_us = 0;
	return rc;
}

/* ---- counting ------------------------------------------------------------------------------------------------------------------- */

static void remember(struct series *s, const struct telemetry_call *c)
{
	snprintf(s->request_id, sizeof(s->request_id), "%.*s", STR_ARG(c->request_id));
	snprintf(s->environment, sizeof(s->environment), "%.*s", STR_ARG(c->environment));
	snprintf(s->api, sizeof(s->api), "%.*s", STR_ARG(c->api));
}

bool alerts_count(struct alerts *a, const struct telemetry_call *call)
{
	int64_t at = call->started_us + call->total_us;
	bool hit;

	for (size_t i = 0; i < a->n_rules; i++) {
		struct watched *w = &a->rules[i];
		const struct alert_rule *r = &w->r.rule;
		struct alert_slice *slice;
		struct series *s;

		if (!alert_rule_counts(r) || !alert_rule_takes(r, call, &hit))
			continue;
		s = w->whole ? w->whole : alerts_series(a, w, alert_rule_subject(r, call));
		slice = s ? alert_window_add(&s->window, r, at, hit, alert_rule_us(r, call)) : NULL;
		if (!slice)
			continue;
		if (hit)
			remember(s, call);
		s->first_touched = slice->number < s->first_touched ? slice->number : s->first_touched;
		s->last_touched = slice->number > s->last_touched ? slice->number : s->last_touched;
		s->dirty_us = !s->dirty_us || at < s->dirty_us ? at : s->dirty_us;
	}
	return true;
}

static gh_rc store_series(struct series *s, struct store *store, struct arena *scratch, struct gh_err *err)
{
	const struct watched *w = s->rule;

	for (int64_t i = s->first_touched; i <= s->last_touched; i++) {
		struct alert_slice *slice = &s->window.ring[(uint64_t)i % s->window.n];
		struct store_alert_slice row = { .rule_id = w->r.id, .definition = str_of(w->definition), .subject = s->subject, .number = i };

		if (slice->number != i || !slice->touched)
			continue;
		row.calls = slice->calls;
		row.hits = slice->hits;
		row.sum_us = (int64_t)slice->sum_us;
		row.histogram = alert_histogram_pack(scratch, slice->histogram);
		row.until_us = (i + (int64_t)s->window.n + 1) * s->window.width_us;
		TRY(store_drain_alert_slice(store, &row, err));
		slice->touched = false;
	}
	s->first_touched = INT64_MAX;
	s->last_touched = 0;
	return GH_RC_OK;
}

/* What was stored while the clock was ahead would count as soon as it gets there in earnest. */
static gh_rc cut_to_come(struct alerts *a, struct store *store, int64_t now_us, struct gh_err *err)
{
	for (size_t i = 0; i < a->n_rules; i++) {
		const struct alert_rule *r = &a->rules[i].r.rule;
		int64_t width_us = r->period_s * INT64_C(1000000) / ALERT_SLICES;

		if (alert_rule_counts(r) && width_us > 0)
			TRY(store_drain_alert_cut(store, a->rules[i].r.id, now_us / width_us + 1, err));
	}
	return GH_RC_OK;
}

gh_rc alerts_store(struct alerts *a, struct store *store, struct gh_err *err)
{
	int64_t now = clock_wall_us();
	struct arena *scratch = arena_new(LOAD_MEMORY);
	gh_rc rc = GH_RC_OK;

	if (!scratch)
		FAIL(err, NOMEM, "alert windows");
	for (size_t i = 0; i < ALERTS_TABLE && !rc.code; i++)
		for (struct series *s = a->table[i]; s && !rc.code; s = s->chain)
			if (s->window.ring && s->first_touched <= s->last_touched)
				rc = store_series(s, store, scratch, err);
	if (!rc.code && (!a->pruned_us || now - a->pruned_us > PRUNE_EVERY_US)) {
		a->pruned_us = now;
		rc = store_drain_alert_prune(store, now, err);
		if (!rc.code)
			rc = cut_to_come(a, store, now, err);
	}
	arena_free(scratch);
	return rc;
}

void alerts_drained(struct alerts *a, bool stored)
{
	if (stored)
		return;
	drop_all(a);
	a->loaded = false;
}

/* ---- judging --------------------------------------------------------------------------------------------------------------------- */

static gh_rc judge_at(struct alerts *a, struct store *store, struct series *s, struct arena *scratch, int64_t at_us, struct gh_err *err)
{
	const struct store_alert_rule *r = &s->rule->r;
	struct alert_finding f = { .at_us = at_us, .request_id = str_of(s->request_id) };
	struct alert_verdict v;
	bool bad;

	alert_window_judge(&s->window, &r->rule, at_us, r->changed_us, &v);
	bad = s->bad ? v.newest_bad : v.bad;
	if (s->bad && !bad && at_us - r->changed_us < r->rule.period_s * INT64_C(1000000) && s->since_us < r->changed_us)
		bad = true;                      /* changed while it was bad: a whole period has to be good first */
	if (!bad && !s->bad)
		return GH_RC_OK;
	arena_reset(scratch);
	f.environment = r->rule.environment.n ? r->rule.environment : str_of(s->environment);
	f.api = r->rule.api.n ? r->rule.api : str_of(s->api);
	f.value = v.value;
	f.summary = alerts_summary(scratch, r, &v, bad);
	return alerts_found(a, store, s, bad, &f, err);
}

/* At each slice since the oldest call that came in, but not before it was judged last (what recovered is not told again), and now. */
static gh_rc judge(struct alerts *a, struct store *store, struct series *s, struct arena *scratch, int64_t now_us, struct gh_err *err)
{
	int64_t width = s->window.width_us;
	int64_t from = !s->dirty_us ? now_us : s->dirty_us > s->judged_us ? s->dirty_us : s->judged_us;
	int64_t oldest = now_us - STEPS_MAX * width;

	for (int64_t at = from > oldest ? from : oldest; at + width < now_us; at += width)
		TRY(judge_at(a, store, s, scratch, at, err));
	TRY(judge_at(a, store, s, scratch, now_us, err));
	s->dirty_us = 0;
	s->judged_us = now_us;
	return GH_RC_OK;
}

static bool is_idle(const struct series *s, int64_t now_us)
{
	return !s->bad && s->rule->whole != s && s->window.ring
	       && now_us / s->window.width_us - s->window.newest > (int64_t)s->window.n;
}

static gh_rc judge_all(struct alerts *a, struct store *store, struct arena *scratch, struct gh_err *err)
{
	int64_t now = clock_wall_us();
	gh_rc rc = GH_RC_OK;
	struct gh_err why;

	for (size_t i = 0; i < ALERTS_TABLE; i++)
		for (struct series *s = a->table[i], *next; s && rc.code != GH_E_BUSY; s = next) {
			next = s->chain;
			if (!s->window.ring)
				continue;
			alerts_keep_first(&rc, err, judge(a, store, s, scratch, now, &why), &why);
			if (!rc.code && is_idle(s, now))
				alerts_drop_series(a, s);
		}
	if (rc.code != GH_E_BUSY)
		alerts_keep_first(&rc, err, alerts_check(a, store, now, &why), &why);
	return rc;
}

gh_rc alerts_turn(struct alerts *a, struct store *store, struct gh_err *err)
{
	struct arena *scratch;
	gh_rc rc;

	if (!a->loaded || !a->n_rules)
		return a->loaded ? alerts_want_quotas(a, err) : GH_RC_OK;
	scratch = arena_new(LOAD_MEMORY);
	if (!scratch)
		FAIL(err, NOMEM, "alerts");
	rc = judge_all(a, store, scratch, err);
	arena_free(scratch);
	return rc;
}
