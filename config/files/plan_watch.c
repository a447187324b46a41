/* plan_watch.c - alert rules that a plan switches off. */
#include "config/files/plan_walk.h"
#include "config/rights.h"
#include "core/str.h"
#include "db/alerts.h"

GH_RC plan_watch_begin(struct walk *w, struct plan_watch *out, struct gh_err *err)
{
	return store_alert_rules(w->store, w->arena, &out->rules, &out->n, err);
}

static const struct store_alert_rule *find(const struct plan_watch *watch, struct str id)
{
	for (size_t i = 0; i < watch->n; i++)
		if (str_eq(watch->rules[i].id, id))
			return &watch->rules[i];
	return NULL;
}

GH_RC plan_watch_end(struct walk *w, const struct plan_watch *before, struct gh_err *err)
{
	struct plan *p = w->plan;
	struct plan_watch now;
	size_t hidden = 0;
	bool seen;

	if (before->n == 0 || plan_count(p, PLAN_DELETE) == 0)
		return GH_RC_OK;
	TRY(plan_watch_begin(w, &now, err));
	p->warnings = arena_alloc(p->arena, now.n + 2, sizeof(*p->warnings));
	if (!p->warnings)
		FAIL(err, NOMEM, "plan");
	for (size_t i = 0; i < now.n; i++) {
		const struct store_alert_rule *is = &now.rules[i], *was = find(before, is->id);

		if (!was || !is->lost.n || str_eq(is->lost, was->lost))
			continue;
		TRY(resource_allowed(w->store, resource_kind_find(STR("alert-rule")), is->id, false, &seen, err));
		if (!seen || w->options->blind_to_alerts) {
			hidden++;
			continue;
		}
		p->warnings[p->n_warnings] = arena_printf(p->arena, "alert rule %.*s %s: what it watches is deleted (%.*s)", STR_ARG(is->id),
							  was->enabled ? "goes off" : "loses more", STR_ARG(is->lost));
		p->n_warnings += p->warnings[p->n_warnings].p != NULL;
	}
	if (hidden)                              /* neither which they are nor how many */
		p->warnings[p->n_warnings++] = STR("alert rules that you may not see lose what they watch; tell somebody who looks after alerts");
	return GH_RC_OK;
}
