/* api_life.c - the form on an API's page that moves it through its life: stage, dates, tags. Subscribers are told in the same
 * transaction (db/lifecycle.h). */
#include "portal/admin/admin.h"

#include "config/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/lifecycle.h"
#include "db/notices.h"

static const struct {
	struct str value, label;
	int64_t state;
} stages[] = {
	{ STR_INIT("draft"), STR_INIT("Draft"), STORE_API_DRAFT },
	{ STR_INIT("preview"), STR_INIT("Preview"), STORE_API_PREVIEW },
	{ STR_INIT("published"), STR_INIT("Published (current)"), STORE_API_PUBLISHED },
	{ STR_INIT("deprecated"), STR_INIT("Deprecated"), STORE_API_DEPRECATED },
	{ STR_INIT("retired"), STR_INIT("Retired"), STORE_API_RETIRED },
};

static struct str day_of(struct arena *a, int64_t us)
{
	char iso[CLOCK_ISO_MAX];

	return us ? arena_dup(a, str_first(str_of(clock_iso(us, 0, iso)), 10)) : STR("");
}

static GH_RC put_tags(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct store_tag *tags;
	struct str line = STR("");
	size_t n;

	TRY(store_api_tags(w->site->store, w->a, api->id, &tags, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!tags[i].of_operations)
			line = arena_printf(w->a, "%.*s%s%.*s", STR_ARG(line), line.n ? ", " : "", STR_ARG(tags[i].tag));
	web_form_value(w, "tags", line);
	return GH_RC_OK;
}

gh_rc admin_put_life(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "stages");
	bool posted = str_eq(w->rq.method, STR("POST")), may = web_may(w, WEB_CHANGE_APIS);
	struct str wanted = posted ? web_param(&w->rq.form, "stage") : STR_NULL;
	struct liquid_record *r = liquid_set_record(w->page, "life");

	liquid_set_text(r, "deprecated", api->deprecated_us ? web_date(w, api->deprecated_us) : STR(""));
	liquid_set_text(r, "sunset", api->sunset_us ? web_date(w, api->sunset_us) : STR(""));
	liquid_set_bool(w->page, "may_change", may);
	if (!may)
		return GH_RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		r = liquid_push_record(list);
		liquid_set_text(r, "value", stages[i].value);
		liquid_set_text(r, "label", stages[i].label);
		liquid_set_bool(r, "here", posted ? str_eq(stages[i].value, wanted) : stages[i].state == api->state);
	}
	web_form(w);
	if (posted) {                    /* refused: what was typed stays */
		static const char *const fields[] = { "deprecated", "sunset", "tags" };

		for (size_t i = 0; i < ARRAY_LEN(fields); i++)
			web_form_value(w, fields[i], web_param(&w->rq.form, fields[i]));
		return GH_RC_OK;
	}
	web_form_value(w, "deprecated", day_of(w->a, api->deprecated_us));
	web_form_value(w, "sunset", day_of(w->a, api->sunset_us));
	return put_tags(w, api, err);
}

/* ---- the change ------------------------------------------------------------------------------------------------------- */

/* A day that was not changed keeps its hour. */
static bool take_day(struct web *w, const char *field, int64_t *us)
{
	struct str text = str_trim(web_param(&w->rq.form, field));
	int64_t day;

	if (!text.n) {
		*us = 0;
		return true;
	}
	if (!clock_parse_date(text, &day)) {
		web_form_error(w, field, STR("This is no date: 2027-01-31."));
		return false;
	}
	if (!str_eq(day_of(w->a, *us), text))
		*us = day;
	return true;
}

static GH_RC take_tags(struct web *w, struct str *tags, size_t *n, bool *fine, struct gh_err *err UNUSED)
{
	struct str rest = web_param(&w->rq.form, "tags"), part;

	*n = 0;
	while (rest.n && str_split(&rest, ',', &part)) {
		part = str_trim(part);
		if (!part.n)
			continue;
		if (*n == STORE_TAGS_MAX || part.n > STORE_TAG_MAX) {
			web_form_error(w, "tags", arena_printf(w->a, "An API has at most %d tags of %d characters.", STORE_TAGS_MAX,
							       STORE_TAG_MAX));
			*fine = false;
			return GH_RC_OK;
		}
		tags[(*n)++] = part;
	}
	return GH_RC_OK;
}

static json_t *time_json(int64_t us)
{
	char iso[CLOCK_ISO_MAX];

	return us ? json_string(clock_iso(us, us % 1000000 ? 6 : 0, iso)) : json_null();
}

/* What a PATCH of the resource would say. *out NULL: the form says why not. */
static GH_RC read_form(struct web *w, json_t **out, struct gh_err *err)
{
	struct str stage = web_param(&w->rq.form, "stage"), tags[STORE_TAGS_MAX];
	struct store_api api;
	bool found, fine = false;
	json_t *list;
	size_t n;

	*out = NULL;
	TRY(store_api_find(w->site->store, w->a, w->rq.args[0], 0, &api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		fine |= str_eq(stage, stages[i].value);
	if (!fine)
		web_form_error(w, "stage", STR("Choose one of the stages."));
	fine &= take_day(w, "deprecated", &api.deprecated_us);
	fine &= take_day(w, "sunset", &api.sunset_us);
	TRY(take_tags(w, tags, &n, &fine, err));
	if (!fine)
		return GH_RC_OK;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_stringn(tags[i].p, tags[i].n));
	*out = jsn_keep(w->a, json_pack("{s:s%, s:o, s:o, s:o}", "state", stage.p, stage.n, "deprecated", time_json(api.deprecated_us), "sunset",
					time_json(api.sunset_us), "tags", list));
	if (!*out)
		FAIL(err, NOMEM, "API");
	return GH_RC_OK;
}

/* What is refused stands beside its field; the dates are judged together. */
static void put_problems(struct web *w, const struct resource_change *c, const char *otherwise)
{
	static const char *const places[][2] = { { "/state", "stage" }, { "/deprecated", "deprecated" }, { "/tags", "tags" } };
	const struct resource_problem *v;
	size_t n;

	v = resource_problems(c, &n);
	for (size_t i = 0; i < n; i++) {
		const char *field = "sunset";

		for (size_t k = 0; k < ARRAY_LEN(places); k++)
			if (str_starts(v[i].pointer, str_of(places[k][0])))
				field = places[k][1];
		web_form_error(w, field, v[i].message);
	}
	if (!n)
		web_form_error(w, "sunset", arena_dup(w->a, str_of(otherwise)));
}

/* Looks and changes in one transaction. *fine false: the form says why not. */
static GH_RC change(struct web *w, struct resource_change *c, size_t *told, bool *fine, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("api"));
	struct resource_outcome out = { .told = 0 };
	json_t *patch, *doc;
	struct gh_err why;
	gh_rc rc;

	*fine = false;
	TRY(read_form(w, &patch, err));
	if (!patch)
		return GH_RC_OK;
	TRY(resource_merge(w->site->store, w->a, k, w->rq.args[0], patch, &doc, err));
	rc = resource_write(c, k, w->rq.args[0], doc, RESOURCE_REPLACE, &out, &why);
	*told = out.told;
	*fine = !rc.code;
	if (rc.code == GH_E_INVALID) {
		put_problems(w, c, why.message);
		return GH_RC_OK;
	}
	if (rc.code)
		*err = why;
	return rc;
}

gh_rc admin_api_life(struct web *w, struct gh_err *err)
{
	struct str text = STR("The API is changed.");
	struct resource_change *c;
	struct store_site site;
	bool fine = false;
	size_t told = 0;
	gh_rc rc;

	web_store_site(w, &site);
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	resource_portal(c, site.portal);
	rc = change(w, c, &told, &fine, err);
	if (!rc.code && !fine) {
		(void)resource_end(c, (gh_rc){ GH_E_INVALID }, true, NULL).code;
		return admin_api_page(w, 422, err);
	}
	TRY(resource_end(c, rc, false, err));
	if (told)
		text = arena_printf(w->a, "The API is changed. %zu subscriber%s told by mail.", told, told == 1 ? " is" : "s are");
	TRY(web_flash(w, "good", text, err));
	return web_redirect(w, arena_printf(w->a, "apis/%.*s", STR_ARG(w->rq.args[0])), err);
}
