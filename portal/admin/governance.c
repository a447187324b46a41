/* governance.c - how far the APIs hold to the rulesets: all of them with what counts against each, and one API with each finding, why it
 * counts and how to mend it. The report on all is kept in the process until something changes (config/governance/memory.h). */
#include "portal/admin/governance.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"

#include <stdlib.h>

/* Of this process, which answers one request at a time. */
static struct governance_memory memory;

/* What of it is about APIs that `rights` may see, in one environment (empty: in all). */
static GH_RC seen(struct web *w, const struct rights *rights, struct str environment, const struct governance_report *all,
		  struct governance_report *out, struct gh_err *err)
{
	*out = *all;
	memset(out->counts, 0, sizeof(out->counts));
	out->excepted = out->clean = out->n_apis = out->n_exceptions = 0;
	out->apis = arena_alloc(w->a, all->n_apis + 1, sizeof(*out->apis));
	out->exceptions = arena_alloc(w->a, all->n_exceptions + 1, sizeof(*out->exceptions));
	if (!out->apis || !out->exceptions)
		FAIL(err, NOMEM, "report");
	for (size_t i = 0; i < all->n_apis; i++) {
		const struct governance_api *api = &all->apis[i];

		if (!rights_in(rights, RIGHT_VIEW_APIS, api->environment) || (environment.n && !str_eq(environment, api->environment)))
			continue;
		out->apis[out->n_apis++] = *api;
		out->excepted += api->excepted;
		out->clean += !api->counts[GOVERNANCE_ERROR] && !api->counts[GOVERNANCE_WARNING] && !api->counts[GOVERNANCE_INFORMATION];
		for (size_t k = 0; k < ARRAY_LEN(out->counts); k++)
			out->counts[k] += api->counts[k];
	}
	for (size_t i = 0; i < all->n_exceptions; i++) {
		bool shown = !all->exceptions[i].row.api_id.n;

		for (size_t k = 0; k < out->n_apis && !shown; k++)
			shown = str_eq(out->apis[k].id, all->exceptions[i].row.api_id);
		if (shown)
			out->exceptions[out->n_exceptions++] = all->exceptions[i];
	}
	return GH_RC_OK;
}

GH_RC admin_governance_report(struct web *w, const struct rights *rights, const struct governance_query *q, struct governance_report *out,
			      struct gh_err *err)
{
	struct store *s = w->site->store;
	const struct governance_report *all;
	struct governance_report one;

	if (q->api.n)
		TRY(governance_report(s, w->a, q, &one, err));
	else
		TRY(governance_remembered(&memory, s, &all, err));
	TRY(seen(w, rights, q->environment, q->api.n ? &one : all, out, err));
	if (q->api.n && !out->n_apis)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(q->api));
	return GH_RC_OK;
}

static struct str text_or(struct str s, struct str other)
{
	return s.n ? s : other;
}

static struct str encoded(struct web *w, struct str s)
{
	return uri_encode(w->a, s, URI_KEEP_UNRESERVED);
}

/* "error", "warning", "information", "clean": the worst that counts. */
static const char *level_of(const size_t counts[GOVERNANCE_SEVERITY__COUNT])
{
	for (enum governance_severity s = GOVERNANCE_ERROR; s > GOVERNANCE_OFF; s--)
		if (counts[s])
			return governance_severity_names[s];
	return "clean";
}

static void put_counts(struct liquid_record *r, const size_t counts[GOVERNANCE_SEVERITY__COUNT], size_t excepted)
{
	liquid_set_int(r, "errors", (int64_t)counts[GOVERNANCE_ERROR]);
	liquid_set_int(r, "warnings", (int64_t)counts[GOVERNANCE_WARNING]);
	liquid_set_int(r, "information", (int64_t)counts[GOVERNANCE_INFORMATION]);
	liquid_set_int(r, "excepted", (int64_t)excepted);
	liquid_set_text(r, "level", str_of(level_of(counts)));
}

/* ---- all APIs ------------------------------------------------------------------------------------------------------------------ */

static int worst_first(const void *a, const void *b)
{
	const struct governance_api *x = *(const struct governance_api *const *)a, *y = *(const struct governance_api *const *)b;

	for (enum governance_severity s = GOVERNANCE_ERROR; s > GOVERNANCE_OFF; s--)
		if (x->counts[s] != y->counts[s])
			return x->counts[s] > y->counts[s] ? -1 : 1;
	return str_cmp(x->id, y->id);
}

static bool contains(struct str s, struct str part)
{
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (bytes_eq_ci(s.p + i, part.p, part.n))
			return true;
	return false;
}

static const char *const levels[] = { "error", "warning", "information", "clean", NULL };

/* "error": with errors; "clean": without anything; else those that have at least one of that severity. */
static bool is_wanted(const struct governance_api *api, struct str search, struct str environment, struct str level)
{
	enum governance_severity severity;

	if (search.n && !contains(api->id, search) && !contains(api->name, search))
		return false;
	if (environment.n && !str_eq(environment, api->environment))
		return false;
	if (str_eq(level, STR("clean")))
		return strcmp(level_of(api->counts), "clean") == 0;
	return !governance_severity_find(level, &severity) || api->counts[severity] > 0;
}

static void put_choice(struct liquid_list *list, struct str value, struct str label, struct str wanted)
{
	struct liquid_record *r = liquid_push_record(list);

	liquid_set_text(r, "value", value);
	liquid_set_text(r, "label", label);
	liquid_set_bool(r, "here", str_eq(value, wanted));
}

static void put_filters(struct web *w, const struct governance_report *r, struct str environment, struct str level)
{
	static const char *const labels[] = { "Errors", "Warnings", "Information", "Nothing" };
	struct liquid_list *list = liquid_set_list(w->page, "environments");

	for (size_t i = 0; i < r->n_apis; i++) {
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = str_eq(r->apis[k].environment, r->apis[i].environment);
		if (!seen)
			put_choice(list, r->apis[i].environment, r->apis[i].environment, environment);
	}
	list = liquid_set_list(w->page, "levels");
	for (size_t i = 0; levels[i]; i++)
		put_choice(list, str_of(levels[i]), str_of(labels[i]), level);
}

static GH_RC put_apis(struct web *w, const struct governance_report *r, struct gh_err *err)
{
	struct str environment = web_param(&w->rq.query, "environment"), level = web_param(&w->rq.query, "found");
	struct liquid_list *list = liquid_set_list(w->page, "apis");
	struct store_page window = admin_window(w);
	const struct governance_api **v = arena_alloc(w->a, r->n_apis + 1, sizeof(*v));
	size_t n = 0, rows;

	if (!v)
		FAIL(err, NOMEM, "report");
	for (size_t i = 0; i < r->n_apis; i++)
		if (is_wanted(&r->apis[i], window.search, environment, level))
			v[n++] = &r->apis[i];
	qsort(v, n, sizeof(*v), worst_first);
	put_filters(w, r, environment, level);
	liquid_set_bool(w->page, "filtered", window.search.n || environment.n || level.n);
	rows = n > window.offset ? n - window.offset : 0;
	rows = admin_pages(w, rows < window.limit ? rows : window.limit);
	for (size_t i = 0; i < rows; i++) {
		const struct governance_api *api = v[window.offset + i];
		struct liquid_record *row = liquid_push_record(list);

		liquid_set_text(row, "id", api->id);
		liquid_set_text(row, "name", text_or(api->name, api->id));
		liquid_set_text(row, "environment", api->environment);
		put_counts(row, api->counts, api->excepted);
	}
	return GH_RC_OK;
}

static void put_sets(struct web *w, const struct governance_report *r)
{
	struct liquid_list *list = liquid_set_list(w->page, "sets");

	for (size_t i = 0; i < r->n_sets; i++) {
		const struct governance_set *s = &r->sets[i];
		struct liquid_record *row = liquid_push_record(list);
		size_t on = 0;

		for (size_t k = 0; k < s->ruleset.n; k++)
			on += s->ruleset.rules[k].severity != GOVERNANCE_OFF;
		liquid_set_text(row, "id", s->ruleset.id);
		liquid_set_text(row, "name", s->ruleset.name);
		liquid_set_text(row, "description", text_or(s->ruleset.description, STR("")));
		liquid_set_int(row, "rules", (int64_t)on);
		liquid_set_bool(row, "enabled", s->enabled);
		liquid_set_bool(row, "built_in", s->built_in);
		liquid_set_bool(row, "stored", s->stored);
		liquid_set_bool(row, "narrowed", s->n_environments || s->n_tags);
		liquid_set_text(row, "problem", text_or(s->problem, STR("")));
	}
}

static void put_exceptions(struct web *w, const struct governance_report *r)
{
	struct liquid_list *list = liquid_set_list(w->page, "exceptions");

	for (size_t i = 0; i < r->n_exceptions && i < ADMIN_PAGE_ROWS; i++) {
		const struct governance_exception *e = &r->exceptions[i];
		struct liquid_record *row = liquid_push_record(list);

		liquid_set_text(row, "id", e->row.id);
		liquid_set_text(row, "api", text_or(e->row.api_id, STR("")));
		liquid_set_text(row, "rule", e->row.rule);
		liquid_set_text(row, "owner", e->row.owner);
		liquid_set_text(row, "reason", e->row.reason);
		liquid_set_text(row, "ends", web_date(w, e->row.ends_us));
		liquid_set_bool(row, "over", e->over);
		liquid_set_int(row, "findings", (int64_t)e->findings);
	}
	liquid_set_bool(w->page, "more_exceptions", r->n_exceptions > ADMIN_PAGE_ROWS);
}

gh_rc admin_governance(struct web *w, struct gh_err *err)
{
	const struct governance_query all = { .now_us = 0 };
	struct governance_report seen_of, *r = &seen_of;

	TRY(admin_governance_report(w, &w->rights, &all, r, err));
	TRY(put_apis(w, r, err));
	put_sets(w, r);
	put_exceptions(w, r);
	put_counts(liquid_set_record(w->page, "totals"), r->counts, r->excepted);
	liquid_set_int(w->page, "clean", (int64_t)r->clean);
	liquid_set_int(w->page, "total", (int64_t)r->n_apis);
	liquid_set_bool(w->page, "see_settings", web_may_everywhere(w, WEB_VIEW_SETTINGS));
	liquid_set_bool(w->page, "may_change", web_may_everywhere(w, WEB_CHANGE_SETTINGS));
	liquid_set_text(w->page, "title", STR("Governance"));
	return web_page(w, "governance", err);
}

/* ---- one API --------------------------------------------------------------------------------------------------------------------- */

/* Text with `code` in it, in pieces. */
static void put_pieces(struct liquid_record *r, const char *name, struct str text)
{
	struct liquid_list *list = liquid_set_list(r, name);
	struct str piece;
	bool code = false;

	for (; str_split(&text, '`', &piece); code = !code) {
		struct liquid_record *p = piece.n ? liquid_push_record(list) : NULL;

		if (p) {
			liquid_set_text(p, "text", piece);
			liquid_set_bool(p, "code", code);
		}
	}
}

static void put_finding(struct web *w, struct liquid_list *list, const struct governance_finding *f, size_t number)
{
	struct liquid_record *r = liquid_push_record(list);
	struct str rule = governance_finding_rule(w->a, f);
	struct str id = arena_printf(w->a, "%.*s-%.*s", STR_ARG(f->api_id), STR_ARG(f->rule ? f->rule->id : STR("")));

	liquid_set_int(r, "number", (int64_t)number);
	liquid_set_text(r, "rule", rule);
	liquid_set_text(r, "title", f->rule && f->rule->description.n ? f->rule->description : rule);
	liquid_set_text(r, "severity", str_of(governance_severity_names[f->severity]));
	liquid_set_text(r, "place", f->place);
	liquid_set_bool(r, "in_description", f->document == GOVERNANCE_OPENAPI);
	liquid_set_int(r, "line", f->at.line);
	liquid_set_text(r, "message", f->message);
	put_pieces(r, "mend", governance_finding_mend(w->a, f));
	liquid_set_text(r, "url", f->rule ? text_or(f->rule->url, STR("")) : STR(""));
	liquid_set(r, "exception", LIQUID_NIL_VALUE);
	liquid_set_text(r, "except", f->rule ? arena_printf(w->a, "edit/governance-exceptions?new=%.*s&api=%.*s&rule=%.*s", STR_ARG(encoded(w, id)),
							    STR_ARG(encoded(w, f->api_id)), STR_ARG(encoded(w, rule))) : STR(""));
	if (f->exception) {
		struct liquid_record *e = liquid_set_record(r, "exception");

		liquid_set_text(e, "id", f->exception->row.id);
		liquid_set_text(e, "owner", f->exception->row.owner);
		liquid_set_text(e, "reason", f->exception->row.reason);
		liquid_set_text(e, "ends", web_date(w, f->exception->row.ends_us));
	}
}

gh_rc admin_api_governance(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "findings");
	const struct governance_query one = { .api = w->rq.args[0] };
	struct governance_report seen_of, *r = &seen_of;
	struct store_api api;
	bool found;

	TRY(store_api_find(w->site->store, w->a, w->rq.args[0], 0, &api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	TRY(admin_governance_report(w, &w->rights, &one, r, err));
	admin_put_api_head(w, &api);
	for (size_t i = 0; i < r->n_findings; i++)
		put_finding(w, list, &r->findings[i], i + 1);
	put_counts(liquid_set_record(w->page, "totals"), r->counts, r->excepted);
	liquid_set_bool(w->page, "more_findings", r->n_apis && r->apis[0].more);
	liquid_set_bool(w->page, "see_policies", web_may_in(w, WEB_VIEW_POLICIES, api.environment_id));
	liquid_set_bool(w->page, "see_settings", web_may_everywhere(w, WEB_VIEW_SETTINGS));
	liquid_set_bool(w->page, "may_except", web_may_everywhere(w, WEB_CHANGE_SETTINGS));
	liquid_set_text(w->page, "title", arena_printf(w->a, "Governance of %.*s", STR_ARG(text_or(api.name, api.id))));
	return web_page(w, "api_governance", err);
}
