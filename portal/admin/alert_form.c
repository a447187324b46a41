#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/str.h"
#include "portal/admin/alerts.h"

/* The form of an alert rule. What is wrong stands beside its field: the store's message begins with the field's name. */

static const struct choice {
	const char *field, *label, *const *words;
} choices[] = {
	{ "kind", "What is watched", alert_kinds },          { "each", "Apart for each", alert_eachs },
	{ "origin", "Answered by", alert_origins },          { "statistic", "Statistic", alert_statistics },
	{ "time", "Time of", alert_times },                  { "measure", "Measured as", alert_measures },
	{ "comparison", "Breached when", alert_comparisons },
};

static struct str number(struct web *w, int64_t thousandths)
{
	char text[ALERT_NUMBER_MAX];

	return arena_dup(w->a, str_of(alert_number(thousandths, text)));
}

static int64_t *word_of(struct alert_rule *r, size_t i)
{
	int64_t *const at[] = { &r->kind, &r->each, &r->origin, &r->statistic, &r->time, &r->measure, &r->comparison };

	return at[i];
}

static const struct text {
	const char *field;
	size_t offset;
} texts[] = {
	{ "name", offsetof(struct store_alert_rule, name) },
	{ "description", offsetof(struct store_alert_rule, description) },
	{ "environment", offsetof(struct store_alert_rule, rule.environment) },
	{ "api", offsetof(struct store_alert_rule, rule.api) },
	{ "product", offsetof(struct store_alert_rule, rule.product) },
	{ "subscription", offsetof(struct store_alert_rule, rule.subscription) },
	{ "backend", offsetof(struct store_alert_rule, rule.backend) },
	{ "status", offsetof(struct store_alert_rule, rule.status) },
	{ "reasons", offsetof(struct store_alert_rule, rule.reasons) },
	{ "mails", offsetof(struct store_alert_rule, mails) },
	{ "webhooks", offsetof(struct store_alert_rule, webhooks) },
};

static struct str *text_of(struct store_alert_rule *r, size_t i)
{
	return (struct str *)(void *)((char *)r + texts[i].offset);
}

/* Numbers stand in the form as they were typed. */
static struct str typed(struct web *w, const char *field, struct str otherwise)
{
	const struct web_param *p = web_param_find(&w->rq.form, field);

	return p ? p->value : otherwise;
}

static void put_values(struct web *w, struct store_alert_rule *r)
{
	web_form_value(w, "id", r->id);
	web_form_value(w, "enabled", r->enabled ? STR("yes") : STR(""));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		web_form_value(w, texts[i].field, text_of(r, i)->n ? *text_of(r, i) : STR(""));
	web_form_value(w, "threshold", typed(w, "threshold", number(w, r->rule.threshold)));
	web_form_value(w, "target", typed(w, "target", r->rule.target ? number(w, r->rule.target) : STR("")));
	web_form_value(w, "period", typed(w, "period", admin_alert_span(w->a, r->rule.period_s)));
	web_form_value(w, "remind", typed(w, "remind", admin_alert_span(w->a, r->remind_s)));
	web_form_value(w, "periods", typed(w, "periods", arena_printf(w->a, "%lld", (long long)r->rule.periods)));
	web_form_value(w, "least_calls", typed(w, "least_calls", arena_printf(w->a, "%lld", (long long)r->rule.least_calls)));
	web_form_value(w, "changed", arena_printf(w->a, "%lld", (long long)r->changed_us));
}

static void put_choices(struct web *w, struct store_alert_rule *r)
{
	struct liquid_list *list = liquid_set_list(w->page, "choices");

	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		struct liquid_record *c = liquid_push_record(list);
		struct liquid_list *words = liquid_set_list(c, "words");

		liquid_set_text(c, "field", str_of(choices[i].field));
		liquid_set_text(c, "label", str_of(choices[i].label));
		for (int k = 0; choices[i].words[k]; k++) {
			struct liquid_record *one = liquid_push_record(words);

			liquid_set_text(one, "value", str_of(choices[i].words[k]));
			liquid_set_bool(one, "here", *word_of(&r->rule, i) == k);
		}
	}
}

static gh_rc show(struct web *w, struct store_alert_rule *r, bool is_new, int status, struct gh_err *err)
{
	web_form(w);
	put_values(w, r);
	put_choices(w, r);
	liquid_set_bool(w->page, "is_new", is_new);
	liquid_set_text(w->page, "title", is_new ? STR("New alert rule") : r->name);
	w->rs.status = status;
	return web_page(w, "alert_form", err);
}

gh_rc admin_alert_form(struct web *w, struct gh_err *err)
{
	struct str id = web_param(&w->rq.query, "id"), api = web_param(&w->rq.query, "api");
	struct store_alert_rule r = { .id = STR(""), .name = STR(""), .enabled = true, .rule = { .kind = ALERT_STATUS, .status = STR("5xx"), .api = api,
				      .threshold = 5000, .period_s = 600, .periods = 1, .least_calls = 1 } };
	bool found;

	if (!id.n)
		return show(w, &r, true, 200, err);
	TRY(store_alert_rule_find(w->site->store, w->a, id, &r, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such alert rule");
	return show(w, &r, false, 200, err);
}

/* ---- what was sent ------------------------------------------------------------------------------------------------------------------ */

static bool read_numbers(struct web *w, struct store_alert_rule *r)
{
	const struct {
		const char *field, *message;
		int64_t *to;
		bool time, optional;
	} rows[] = {
		{ "threshold", "Enter a number such as 5 or 99.95", &r->rule.threshold, false, false },
		{ "target", "Enter a number such as 99.9", &r->rule.target, false, true },
		{ "period", "Enter a time such as 60s, 10m or 1h", &r->rule.period_s, true, false },
		{ "remind", "Enter a time such as 4h, or 0", &r->remind_s, true, true },
	};
	struct str periods = str_trim(web_param(&w->rq.form, "periods")), least = str_trim(web_param(&w->rq.form, "least_calls"));
	bool good = true;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str v = str_trim(web_param(&w->rq.form, rows[i].field));

		if ((!v.n && rows[i].optional) || (rows[i].time ? clock_parse_duration(v, rows[i].to) : alert_number_parse(v, rows[i].to)))
			continue;
		web_form_error(w, rows[i].field, str_of(rows[i].message));
		good = false;
	}
	if (!str_to_i64(periods, 1, ALERT_PERIODS_MAX, &r->rule.periods)) {
		web_form_error(w, "periods", STR("Enter a whole number between 1 and 60"));
		good = false;
	}
	if (least.n && !str_to_i64(least, 0, INT32_MAX, &r->rule.least_calls)) {
		web_form_error(w, "least_calls", STR("Enter a whole number"));
		good = false;
	}
	return good;
}

static bool read_form(struct web *w, struct store_alert_rule *r)
{
	bool good;

	*r = (struct store_alert_rule){ .id = str_trim(web_param(&w->rq.form, "id")), .enabled = web_param(&w->rq.form, "enabled").n > 0 };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*text_of(r, i) = str_trim(web_param(&w->rq.form, texts[i].field));
	good = read_numbers(w, r);
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		int at = alert_word(choices[i].words, web_param(&w->rq.form, choices[i].field));

		if (at >= 0)
			*word_of(&r->rule, i) = at;
		else if (i == 0) {
			web_form_error(w, "kind", STR("Choose what is watched"));
			good = false;
		}
	}
	return good;
}

/* "status: say which …" stands beside the field `status`; a message without such a name above the form. */
static void put_problem(struct web *w, const char *message)
{
	static const char *const fields[] = { "id", "name", "description", "kind", "each", "origin", "status", "reasons", "statistic", "time", "measure",
					      "comparison", "threshold", "target", "period", "periods", "remind", "mails", "webhooks" };
	struct str text = arena_dup(w->a, str_of(message)), name = str_first(text, str_find_char(text, ':'));

	for (size_t i = 0; name.n < text.n && i < ARRAY_LEN(fields); i++)
		if (str_eq(name, str_of(fields[i]))) {
			web_form_error(w, fields[i], str_trim(str_from(text, name.n + 1)));
			return;
		}
	liquid_set_text(web_form(w), "error", text);
}

static gh_rc save(struct web *w, const struct store_alert_rule *r, bool is_new, bool *clash, struct gh_err *err)
{
	struct store_alert_rule old;
	int64_t seen = 0;
	bool found;

	TRY(store_alert_rule_find(w->site->store, w->a, r->id, &old, &found, err));
	if (!str_to_i64(web_param(&w->rq.form, "changed"), 0, INT64_MAX, &seen))
		seen = 0;
	*clash = is_new ? found : !found || old.changed_us != seen;
	return *clash ? GH_RC_OK : store_alert_rule_set(w->site->store, w->a, r, err);
}

static gh_rc keep(struct web *w, struct store_alert_rule *r, bool is_new, struct gh_err *err)
{
	struct gh_err why;
	bool clash = false;
	gh_rc rc;

	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	rc = store_tx_end(w->site->store, save(w, r, is_new, &clash, &why), &why);
	if (!rc.code && !clash) {
		TRY(web_flash(w, "good", STR("The rule is saved. It watches from now on."), err));
		return web_redirect(w, arena_printf(w->a, "alerts/%.*s", STR_ARG(r->id)), err);
	}
	if (rc.code && rc.code != GH_E_INVALID && rc.code != GH_E_LIMIT && rc.code != GH_E_CONFLICT && rc.code != GH_E_NOT_FOUND) {
		*err = why;
		return rc;
	}
	put_problem(w, rc.code ? why.message : is_new ? "id: there is a rule of this name already"
						      : "Somebody else changed this rule meanwhile. Open it again.");
	return show(w, r, is_new, rc.code ? 422 : 409, err);
}

gh_rc admin_alert_save(struct web *w, struct gh_err *err)
{
	bool is_new = web_param(&w->rq.form, "is_new").n > 0;
	struct store *s = w->site->store;
	struct store_alert_rule r;

	if (str_eq(web_param(&w->rq.form, "action"), STR("delete"))) {
		TRY(store_tx_begin(s, web_actor(w), err));
		TRY(store_tx_end(s, store_alert_rule_delete(s, web_param(&w->rq.form, "id"), err), err));
		TRY(web_flash(w, "good", STR("The rule is deleted. Its history stays."), err));
		return web_redirect(w, STR("alerts"), err);
	}
	return read_form(w, &r) ? keep(w, &r, is_new, err) : show(w, &r, is_new, 422, err);
}
