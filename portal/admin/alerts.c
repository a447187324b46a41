#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "portal/admin/alerts.h"

/* Alerts: what is bad now, the rules, what happened, and for how long nobody is told. */

enum { NEWEST_ROWS = 20, HISTORY_ROWS = 50, SILENCE_HOURS_MAX = 24 * 31 };

static struct str scope_of(struct web *w, const struct alert_rule *r)
{
	const struct {
		const char *name;
		struct str id;
	} parts[] = { { "environment", r->environment }, { "API", r->api }, { "product", r->product }, { "subscription", r->subscription },
		      { "backend", r->backend } };
	struct str out = STR("");

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].id.n)
			out = arena_printf(w->a, "%.*s%s%s %.*s", STR_ARG(out), out.n ? ", " : "", parts[i].name, STR_ARG(parts[i].id));
	return out.n ? out : STR("All calls");
}

struct str admin_alert_span(struct arena *a, int64_t s)
{
	if (!s)
		return STR("0");
	if (s % 86400 == 0)
		return arena_printf(a, "%lldd", (long long)(s / 86400));
	if (s % 3600 == 0)
		return arena_printf(a, "%lldh", (long long)(s / 3600));
	if (s % 60 == 0)
		return arena_printf(a, "%lldm", (long long)(s / 60));
	return arena_printf(a, "%llds", (long long)s);
}

/* The same to be read: "10 min". */
static struct str span_words(struct arena *a, int64_t s)
{
	if (s % 86400 == 0)
		return arena_printf(a, "%lld day%s", (long long)(s / 86400), s == 86400 ? "" : "s");
	if (s % 3600 == 0)
		return arena_printf(a, "%lld h", (long long)(s / 3600));
	if (s % 60 == 0)
		return arena_printf(a, "%lld min", (long long)(s / 60));
	return arena_printf(a, "%lld s", (long long)s);
}

static struct str condition_of(struct web *w, const struct alert_rule *r)
{
	char limit[ALERT_NUMBER_MAX], target[ALERT_NUMBER_MAX];
	struct str period = span_words(w->a, r->period_s), in_a_row = STR("");
	const char *unit = alert_unit(r);

	alert_number(r->threshold, limit);
	if (!alert_rule_counts(r))
		return r->kind == ALERT_BACKEND ? STR("Not well") : arena_printf(w->a, "%s %s", limit, unit);
	if (r->periods > 1)
		in_a_row = arena_printf(w->a, ", %lld times in a row", (long long)r->periods);
	if (r->kind == ALERT_BUDGET)
		return arena_printf(w->a, "%.*s use up the budget of %s %% more than %s times too fast in %.*s%.*s", STR_ARG(r->status),
				    alert_number(r->target, target), limit, STR_ARG(period), STR_ARG(in_a_row));
	if (r->threshold == 1000 && strcmp(unit, "calls") == 0)
		unit = "call";
	return arena_printf(w->a, "%s %s %s%s%.*s in %.*s%.*s", r->comparison == ALERT_BELOW ? "Fewer than" : "More than", limit, unit,
			    r->kind == ALERT_STATUS ? " with " : "", STR_ARG(r->kind == ALERT_STATUS ? r->status : STR("")), STR_ARG(period),
			    STR_ARG(in_a_row));
}

static void put_rule(struct web *w, struct liquid_record *r, const struct store_alert_rule *v)
{
	liquid_set_text(r, "id", v->id);
	liquid_set_text(r, "name", v->name);
	liquid_set_text(r, "description", v->description.n ? v->description : STR(""));
	liquid_set_bool(r, "enabled", v->enabled);
	liquid_set_text(r, "lost", v->lost);
	liquid_set_text(r, "kind", str_of(alert_kinds[v->rule.kind]));
	liquid_set_text(r, "scope", scope_of(w, &v->rule));
	liquid_set_text(r, "each", str_of(alert_eachs[v->rule.each]));
	liquid_set_text(r, "condition", condition_of(w, &v->rule));
	liquid_set_text(r, "origin", v->rule.kind == ALERT_STATUS || v->rule.kind == ALERT_BUDGET ? str_of(alert_origins[v->rule.origin]) : STR(""));
	liquid_set_text(r, "mails", v->mails.n ? v->mails : STR(""));
	liquid_set_text(r, "webhooks", v->webhooks.n ? v->webhooks : STR(""));
	liquid_set_text(r, "remind", v->remind_s ? span_words(w->a, v->remind_s) : STR(""));
	liquid_set_text(r, "changed", web_date(w, v->changed_us));
}

static const struct store_alert_rule *find_rule(struct str id, const struct store_alert_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(rules[i].id, id))
			return &rules[i];
	return NULL;
}

static GH_RC api_name(struct web *w, struct str id, struct str *out, struct gh_err *err)
{
	struct store_api api;
	bool found = false;

	if (id.n && web_may(w, WEB_VIEW_APIS))
		TRY(store_api_find(w->site->store, w->a, id, 0, &api, &found, err));
	*out = found && api.name.n ? api.name : id.n ? id : STR("");
	return GH_RC_OK;
}

/* What people call that which is watched apart; its id when it is gone, or its name is not for who looks. `rule` may be NULL. */
static GH_RC subject_name(struct web *w, const struct store_alert_rule *rule, struct str subject, struct str *out, struct gh_err *err)
{
	int64_t each = subject.n && rule && alert_rule_counts(&rule->rule) ? rule->rule.each : ALERT_EACH_ALL;
	struct store_subscription sub;
	struct store_product product;
	bool found = false;

	*out = subject.n ? subject : STR("");
	if (each == ALERT_EACH_API)
		return api_name(w, subject, out, err);
	if (each == ALERT_EACH_SUBSCRIPTION && web_may(w, WEB_VIEW_SUBSCRIPTIONS)) {
		TRY(store_subscription_find(w->site->store, w->a, subject, &sub, &found, err));
		*out = found && sub.name.n ? sub.name : subject;
	} else if (each == ALERT_EACH_PRODUCT && web_may(w, WEB_VIEW_APIS)) {
		TRY(store_product_find(w->site->store, w->a, subject, &product, &found, err));
		*out = found && product.name.n ? product.name : subject;
	}
	return GH_RC_OK;
}

/* Of one rule, or of all (STR_NULL); names are those of `rules`. */
static gh_rc put_states(struct web *w, struct str rule_id, const struct store_alert_rule *rules, size_t n_rules, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "states");
	int64_t now = clock_wall_us();
	struct store_alert_state *v;
	size_t n;

	TRY(store_alert_states(w->site->store, w->a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		const struct store_alert_rule *rule = find_rule(v[i].rule_id, rules, n_rules);
		struct liquid_record *r;
		struct str subject;

		if (rule_id.p && !str_eq(rule_id, v[i].rule_id))
			continue;
		TRY(subject_name(w, rule, v[i].subject, &subject, err));
		r = liquid_push_record(list);
		liquid_set_text(r, "rule", v[i].rule_id);
		liquid_set_text(r, "name", rule ? rule->name : v[i].rule_id);
		liquid_set_text(r, "subject", subject);
		liquid_set_text(r, "since", web_date(w, v[i].since_us));
		liquid_set_text(r, "ago", web_ago(w, v[i].since_us, now));
		liquid_set_bool(r, "told", v[i].told_us > 0);
	}
	return GH_RC_OK;
}

gh_rc admin_put_alert_events(struct web *w, const struct store_alert_event_filter *f, int64_t *next, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "events");
	struct store_alert_event_filter one_more = *f;
	struct store_alert_rule *rules;
	struct store_alert_event *v;
	size_t n, n_rules;

	one_more.limit++;
	TRY(store_alert_rules(w->site->store, w->a, &rules, &n_rules, err));
	TRY(store_alert_events(w->site->store, w->a, &one_more, &v, &n, err));
	if (next)
		*next = n > f->limit ? v[f->limit - 1].number : 0;
	liquid_set_bool(w->page, "more_events", n > f->limit);
	for (size_t i = 0; i < n && i < f->limit; i++) {
		struct liquid_record *r = liquid_push_record(list);
		struct str api, subject;

		TRY(api_name(w, v[i].api_id, &api, err));
		TRY(subject_name(w, find_rule(v[i].rule_id, rules, n_rules), v[i].subject, &subject, err));
		liquid_set_text(r, "rule", v[i].rule_id);
		liquid_set_text(r, "name", v[i].rule_name);
		liquid_set_text(r, "kind", str_of(store_alert_event_names[v[i].kind]));
		liquid_set_text(r, "subject", subject);
		liquid_set_text(r, "api", v[i].api_id.n ? v[i].api_id : STR(""));
		liquid_set_text(r, "api_name", api);
		liquid_set_text(r, "environment", v[i].environment_id.n ? v[i].environment_id : STR(""));
		liquid_set_text(r, "at", web_date(w, v[i].at_us));
		liquid_set_text(r, "summary", v[i].summary);
		liquid_set_text(r, "request", v[i].request_id.n ? v[i].request_id : STR(""));
		liquid_set_text(r, "told", web_number(w, v[i].told));
	}
	return GH_RC_OK;
}

static gh_rc put_silences(struct web *w, struct str rule_id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "silences");
	struct store_alert_silence *v;
	size_t n;

	TRY(store_alert_silences(w->site->store, w->a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r;

		if (rule_id.p && v[i].rule_id.n && !str_eq(rule_id, v[i].rule_id))
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "rule", v[i].rule_id.n ? v[i].rule_id : STR(""));
		liquid_set_text(r, "environment", v[i].environment_id.n ? v[i].environment_id : STR(""));
		liquid_set_text(r, "api", v[i].api_id.n ? v[i].api_id : STR(""));
		liquid_set_text(r, "from", web_date(w, v[i].from_us));
		liquid_set_text(r, "to", web_date(w, v[i].to_us));
		liquid_set_text(r, "repeat", v[i].repeat_s ? span_words(w->a, v[i].repeat_s) : STR(""));
		liquid_set_text(r, "comment", v[i].comment.n ? v[i].comment : STR(""));
		liquid_set_text(r, "by", str_starts(v[i].created_by, STR("user:")) ? str_from(v[i].created_by, 5) : v[i].created_by);
	}
	return GH_RC_OK;
}

static void put_rights(struct web *w)
{
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_SETTINGS));
	liquid_set_bool(w->page, "may_settings", web_may(w, WEB_VIEW_SETTINGS));
}

gh_rc admin_alerts(struct web *w, struct gh_err *err)
{
	const struct store_alert_event_filter f = { .limit = NEWEST_ROWS };
	struct liquid_list *list = liquid_set_list(w->page, "rules");
	struct store_alert_rule *v;
	size_t n;

	TRY(store_alert_rules(w->site->store, w->a, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		put_rule(w, liquid_push_record(list), &v[i]);
	TRY(put_states(w, STR_NULL, v, n, err));
	TRY(put_silences(w, STR_NULL, err));
	liquid_set_text(liquid_set_record(w->page, "rule"), "id", STR(""));      /* a silence that is ended here leads back here */
	TRY(admin_put_alert_events(w, &f, NULL, err));
	put_rights(w);
	liquid_set_text(w->page, "title", STR("Alerts"));
	return web_page(w, "alerts", err);
}

static gh_rc show_rule(struct web *w, struct str id, int status, struct gh_err *err)
{
	const struct store_alert_event_filter f = { .rule_id = id, .limit = NEWEST_ROWS };
	struct store_alert_rule r;
	bool found;

	TRY(store_alert_rule_find(w->site->store, w->a, id, &r, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such alert rule");
	put_rule(w, liquid_set_record(w->page, "rule"), &r);
	TRY(put_states(w, id, &r, 1, err));
	TRY(put_silences(w, id, err));
	TRY(admin_put_alert_events(w, &f, NULL, err));
	put_rights(w);
	web_form(w);
	liquid_set_text(w->page, "title", r.name);
	w->rs.status = status;
	return web_page(w, "alert", err);
}

gh_rc admin_alert(struct web *w, struct gh_err *err)
{
	return show_rule(w, w->rq.args[0], 200, err);
}

/* ---- all that happened ------------------------------------------------------------------------------------------------------------- */

gh_rc admin_alert_history(struct web *w, struct gh_err *err)
{
	struct str rule = str_trim(web_param(&w->rq.query, "rule")), api = str_trim(web_param(&w->rq.query, "api"));
	const struct store_alert_event_filter f = { .rule_id = rule.n ? rule : STR_NULL, .api_id = api.n ? api : STR_NULL, .before = admin_before(w),
						    .limit = HISTORY_ROWS };
	struct liquid_list *list = liquid_set_list(w->page, "rules");
	struct store_alert_rule *v;
	bool listed = false;
	int64_t next;
	size_t n;

	TRY(store_alert_rules(w->site->store, w->a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name);
		liquid_set_bool(r, "here", str_eq(v[i].id, rule));
		listed = listed || str_eq(v[i].id, rule);
	}
	TRY(admin_put_alert_events(w, &f, &next, err));
	admin_put_older(w, f.before, next);
	liquid_set_text(w->page, "rule", rule.n ? rule : STR(""));
	liquid_set_bool(w->page, "rule_listed", listed);
	liquid_set_text(w->page, "api", api.n ? api : STR(""));
	liquid_set_bool(w->page, "narrowed", rule.n || api.n);
	liquid_set_text(w->page, "title", STR("History of alerts"));
	return web_page(w, "alert_history", err);
}

/* ---- silences: made on the page of a rule, ended there or in the list -------------------------------------------------------------- */

static gh_rc end_silence(struct web *w, struct str id, struct str back, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_alert_silence_delete(s, id, err), err));
	TRY(web_flash(w, "good", STR("The silence is over."), err));
	return web_redirect(w, back, err);
}

gh_rc admin_alert_silence(struct web *w, struct gh_err *err)
{
	struct str rule = web_param(&w->rq.form, "rule"), end = web_param(&w->rq.form, "end"), hours = str_trim(web_param(&w->rq.form, "hours"));
	struct str back = rule.n ? arena_printf(w->a, "alerts/%.*s", STR_ARG(uri_encode(w->a, rule, URI_KEEP_UNRESERVED))) : STR("alerts");
	struct store_alert_silence v = { .rule_id = rule, .from_us = clock_wall_us(), .created_by = web_actor(w),
					 .comment = str_trim(web_param(&w->rq.form, "comment")) };
	struct store *s = w->site->store;
	uint64_t h;

	if (end.n)
		return end_silence(w, end, back, err);
	if (!str_to_u64(hours, SILENCE_HOURS_MAX, &h) || !h) {
		web_form_value(w, "hours", hours);
		web_form_value(w, "comment", v.comment);
		web_form_error(w, "hours", STR("Enter whole hours, between 1 and 744"));
		return show_rule(w, rule, 422, err);
	}
	v.to_us = v.from_us + (int64_t)h * 3600 * 1000000;
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_alert_silence_create(s, w->a, &v, NULL, err), err));
	TRY(web_flash(w, "good", STR("Nobody is told for a while."), err));
	return web_redirect(w, back, err);
}
