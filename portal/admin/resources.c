/* resources.c - lists of resources of the configuration and the form of one: make, change, check, remove. Every kind of
 * config/resource.h that routes.c names has these pages; what can be said of it comes from its table. */
#include "portal/admin/resources.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"

enum { COLUMNS = 4, CELL_MAX = 80 };

/* The kind that the address names: "/named-values", "/edit/named-values". */
static GH_RC kind_here(struct web *w, const struct resource_kind **out, struct gh_err *err)
{
	struct str path = str_from(w->rq.path, 1);

	if (str_starts(path, STR("edit/")))
		path = str_from(path, 5);
	*out = resource_kind_find(path);
	if (!*out)
		FAIL(err, NOT_FOUND, "no such kind");
	return GH_RC_OK;
}

static struct str lower(struct web *w, const char *title)
{
	char *to = arena_alloc_text(w->a, strlen(title) + 1);

	if (!to)
		return STR("");
	memcpy(to, title, strlen(title));
	if (!(title[0] && title[1] >= 'A' && title[1] <= 'Z'))   /* "API" stays */
		to[0] = (char)(to[0] | 0x20);
	return (struct str){ to, strlen(title) };
}

/* "Cache rules", "Sign-in before APIs". */
static struct str many(struct web *w, const struct resource_kind *k, struct str title)
{
	const struct str one = STR(" an API");

	if (k->single)
		return title;
	if (str_ends(title, one))
		return arena_printf(w->a, "%.*s APIs", STR_ARG(str_first(title, title.n - one.n)));
	return arena_printf(w->a, "%.*ss", STR_ARG(title));
}

static bool may_change(struct web *w)
{
	const struct web_route *r = web_route_find(w->site->app->routes, STR("POST"),
						   str_starts(w->rq.path, STR("/edit/")) ? w->rq.path : arena_printf(w->a, "/edit%.*s", STR_ARG(w->rq.path)),
						   (struct str[4]){ STR_NULL }, NULL);

	return r && web_may(w, r->right);
}

static void put_kind(struct web *w, const struct resource_kind *k)
{
	liquid_set_text(w->page, "plural", str_of(k->plural));
	liquid_set_text(w->page, "kind_titles", many(w, k, str_of(k->title)));
	liquid_set_text(w->page, "kind_lower", lower(w, k->title));
	liquid_set_text(w->page, "kind_help", str_of(k->description ? k->description : ""));
	liquid_set_bool(w->page, "may_change", may_change(w));
}

/* The parts of an API have its tabs. `id` is that of the API, of whatever revision. */
static GH_RC put_api_tabs(struct web *w, struct str id, const char *tab, struct gh_err *err)
{
	struct store_api api;
	bool found = false;

	liquid_set(w->page, "api_tab", LIQUID_NIL_VALUE);
	if (id.n)
		TRY(store_api_find(w->site->store, w->a, id, 0, &api, &found, err));
	if (!found)
		return GH_RC_OK;
	admin_put_api_head(w, &api);
	liquid_set_bool(w->page, "see_policies", web_may_in(w, WEB_VIEW_POLICIES, api.environment_id));
	liquid_set_text(w->page, "api_tab", str_of(tab));
	return GH_RC_OK;
}

/* ---- the list ----------------------------------------------------------------------------------------------------------------- */

/* Of people the first column has the names. */
static bool is_of_name(const struct resource_field *f)
{
	return strcmp(f->name, "firstName") == 0 || strcmp(f->name, "lastName") == 0;
}

static bool is_column(const struct resource_field *f)
{
	return !is_of_name(f) && (f->flags & RESOURCE_DUE || (strcmp(f->name, "id") != 0 && !(f->flags & (RESOURCE_LINES | RESOURCE_FILE)) && strcmp(f->name, "name") != 0
	       && (f->type == RESOURCE_TEXT || f->type == RESOURCE_ENUM || f->type == RESOURCE_REF || f->type == RESOURCE_BOOL
		   || f->type == RESOURCE_INT || f->type == RESOURCE_TEXTS)));
}

static struct str cell(struct web *w, const json_t *v)
{
	struct str s = json_is_true(v) ? STR("Yes") : json_is_false(v) ? STR("No") : json_is_string(v) ? jsn_string(v)
		     : json_is_integer(v) ? web_number(w, json_integer_value(v)) : STR("");

	if (json_is_array(v))
		for (size_t i = 0; i < json_array_size(v) && s.n < CELL_MAX; i++)
			s = arena_printf(w->a, "%.*s%s%.*s", STR_ARG(s), i ? ", " : "", STR_ARG(jsn_string(json_array_get(v, i))));
	return s.n > CELL_MAX ? arena_printf(w->a, "%.*s…", STR_ARG(str_first(s, CELL_MAX - 3))) : s;
}

enum { DUE_SOON_DAYS = 30 };

void resource_due_put(struct web *w, struct liquid_record *r, int64_t us)
{
	const int64_t day = 86400LL * 1000000;
	int64_t left = us - clock_wall_us(), days = left / day;

	liquid_set_text(r, "due", left < 0 ? STR("over") : days ? arena_printf(w->a, "in %lld day%s", (long long)days, days == 1 ? "" : "s") : STR("today"));
	liquid_set_text(r, "due_level", left < 0 ? STR("over") : days < DUE_SOON_DAYS ? STR("soon") : STR("good"));
}

static void put_row(struct web *w, struct liquid_record *r, const struct resource_field *const columns[COLUMNS], const json_t *doc)
{
	struct str name = jsn_str(doc, "name"), id = jsn_str(doc, "id"), email = jsn_str(doc, "email");
	struct liquid_list *cells = liquid_set_list(r, "cells");
	int64_t us;

	liquid_set_text(r, "id", id);
	name = name.n ? name : str_trim(arena_printf(w->a, "%.*s %.*s", STR_ARG(jsn_str(doc, "firstName")), STR_ARG(jsn_str(doc, "lastName"))));
	liquid_set_text(r, "name", name.n ? name : email.n ? email : id);
	liquid_set_bool(r, "show_id", name.n && !email.n && !str_eq(name, id));
	for (size_t i = 0; i < COLUMNS && columns[i]; i++) {
		struct liquid_record *c = liquid_push_record(cells);

		liquid_set_text(c, "label", str_of(columns[i]->label));
		liquid_set_text(c, "text", cell(w, jsn_get(doc, columns[i]->name)));
		liquid_set_bool(c, "tag", columns[i]->type == RESOURCE_ENUM);
		liquid_set_text(c, "word", resource_word(w->a, cell(w, jsn_get(doc, columns[i]->name))));
		liquid_set(c, "due", LIQUID_NIL_VALUE);
		if (columns[i]->type == RESOURCE_TIME && clock_parse_iso(jsn_str(doc, columns[i]->name), &us)) {
			liquid_set_text(c, "text", web_day(w, us));
			resource_due_put(w, c, us);
		}
	}
}

static void put_words(struct web *w, struct liquid_record *r, const char *const *words, struct str value, bool *known)
{
	struct liquid_list *choices = liquid_set_list(r, "choices");

	for (size_t i = 0; words[i]; i++) {
		bool here = str_eq(value, str_of(words[i]));

		resource_choice_put(choices, str_of(words[i]), resource_word(w->a, str_of(words[i])), here);
		*known = *known || here;
	}
}

/* A filter that names another resource ("api", "owner") offers those that are there. */
static GH_RC put_filters(struct web *w, const struct resource_kind *k, struct resource_query *q, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "filters");
	bool narrowed = false;

	for (size_t i = 0; i < RESOURCE_FILTERS_MAX && k->filters[i].name; i++) {
		const struct resource_filter *filter = &k->filters[i];
		struct str value = web_param(&w->rq.query, filter->name);
		const struct resource_field *f = resource_field_find(k, filter->name);
		struct liquid_record *r;
		bool known = !filter->values;

		if (strcmp(filter->name, "email") == 0)
			continue;                            /* the search finds it */
		r = liquid_push_record(list);
		liquid_set_text(r, "name", str_of(filter->name));
		liquid_set_text(r, "label", resource_word(w->a, str_of(f && f->label ? f->label : filter->name)));
		if (filter->values)
			put_words(w, r, filter->values, value, &known);
		else
			TRY(resource_choices_put(w, r, resource_kind_find(str_of(f && f->ref ? f->ref : filter->ref ? filter->ref : filter->name)),
						 jsn_keep(w->a, json_stringn(value.p ? value.p : "", value.n)), err));
		q->values[i] = known ? value : STR_NULL;
		liquid_set_text(r, "value", q->values[i].n ? q->values[i] : STR(""));
		narrowed |= q->values[i].n > 0;
	}
	liquid_set_bool(w->page, "narrowed", narrowed);
	return GH_RC_OK;
}

gh_rc admin_resources(struct web *w, struct gh_err *err)
{
	const struct resource_field *columns[COLUMNS] = { NULL };
	struct resource_query q = { .limit = ADMIN_PAGE_ROWS, .search = str_trim(web_param(&w->rq.query, "q")), .after = web_param(&w->rq.query, "after") };
	struct liquid_list *rows = liquid_set_list(w->page, "rows"), *heads = liquid_set_list(w->page, "columns");
	const struct resource_kind *k;
	struct str next;
	json_t *docs, *doc;
	size_t i, n = 0;

	TRY(kind_here(w, &k, err));
	q.search = str_first(q.search.p ? q.search : STR(""), 200);
	for (const struct resource_field *f = k->fields; f->name && n < COLUMNS; f++)
		if (is_column(f)) {
			columns[n++] = f;
			liquid_set_text(liquid_push_record(heads), "label", str_of(f->label));
		}
	TRY(put_filters(w, k, &q, err));
	TRY(resource_list(w->site->store, w->a, k, &q, &docs, &next, err));
	json_array_foreach(docs, i, doc)
		put_row(w, liquid_push_record(rows), columns, doc);
	liquid_set_text(w->page, "search", q.search);
	liquid_set_text(w->page, "next_page", next.n ? admin_query(w, (const char *const[]){ "after", arena_cstr(w->a, next), NULL }) : STR(""));
	liquid_set_text(w->page, "previous_page", q.after.n ? admin_query(w, (const char *const[]){ "after", "", NULL }) : STR(""));
	put_kind(w, k);
	TRY(put_api_tabs(w, strcmp(k->name, "operation") == 0 ? web_param(&w->rq.query, "api") : STR_NULL, "operations", err));
	admin_put_bulk(w, k->plural);
	liquid_set_text(w->page, "title", many(w, k, str_of(k->title)));
	liquid_set_text(w->page, "title_lower", many(w, k, lower(w, k->title)));
	liquid_set_bool(w->page, "may_make", may_change(w) && !(k->single && json_array_size(docs)));
	return web_page(w, "resources", err);
}

/* ---- one of them ---------------------------------------------------------------------------------------------------------------- */

static GH_RC show(struct web *w, const struct resource_view *view, struct str id, struct str mark, int status, struct gh_err *err)
{
	web_form(w);
	put_kind(w, view->kind);
	TRY(resource_form_put(w, view, err));
	(void)liquid_set_list(w->page, "live");
	if (strcmp(view->kind->name, "backend") == 0 && id.n)
		TRY(admin_put_backend_state(w, id, err));
	(void)liquid_set_list(w->page, "now");
	if (strcmp(view->kind->name, "traffic-rule") == 0 && id.n)
		TRY(admin_put_traffic_state(w, id, err));
	TRY(put_api_tabs(w, strcmp(view->kind->name, "api") == 0 ? id : STR_NULL, "settings", err));
	liquid_set_text(w->page, "id", id.n ? id : STR(""));
	liquid_set_text(w->page, "mark", mark.n ? mark : STR(""));
	liquid_set_bool(w->page, "is_new", view->is_new);
	liquid_set_text(w->page, "title", view->is_new ? arena_printf(w->a, "New %.*s", STR_ARG(lower(w, view->kind->title)))
						      : jsn_str(view->doc, "name").n ? jsn_str(view->doc, "name") : id);
	w->rs.status = status;
	return web_page(w, "resource", err);
}

gh_rc admin_resource(struct web *w, struct gh_err *err)
{
	struct str id = web_param(&w->rq.query, "id"), mark = STR_NULL;
	struct resource_view view = { .is_new = !id.n, .may_change = may_change(w) };
	json_t *doc = NULL;

	TRY(kind_here(w, &view.kind, err));
	if (id.n) {
		TRY(resource_read(w->site->store, w->a, view.kind, id, &doc, err));
		if (!doc)
			FAIL(err, NOT_FOUND, "nothing has this id");
		mark = resource_etag(w->a, doc);
	} else {
		doc = jsn_keep(w->a, json_object());
		for (const struct resource_field *f = view.kind->fields; f->name; f++) {         /* what a link already knows */
			struct str given = web_param(&w->rq.query, strcmp(f->name, "id") == 0 ? "new" : f->name);

			if (given.n && (f->type == RESOURCE_REF || f->type == RESOURCE_TEXT || f->type == RESOURCE_ENUM))
				json_object_set_new(doc, f->name, json_stringn(given.p, given.n));
		}
		if (!json_object_size(doc))
			doc = NULL;
	}
	view.doc = doc;
	liquid_set(w->page, "clash", LIQUID_NIL_VALUE);
	return show(w, &view, id, mark, 200, err);
}

/* Keys that are told this once: shown at once, on the page that answers the form. */
static GH_RC show_issued(struct web *w, const struct resource_kind *k, struct str id, json_t *issued, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "issued");
	const char *name;
	json_t *v;

	json_object_foreach(issued, name, v) {
		const struct resource_field *f = resource_field_find(k, name);
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "label", str_of(f && f->label ? f->label : name));
		liquid_set_text(r, "value", jsn_string(v));
	}
	web_form(w);
	put_kind(w, k);
	liquid_set_text(w->page, "id", id);
	liquid_set_text(w->page, "title", arena_printf(w->a, "%s made", k->title));
	return web_page(w, "resource_issued", err);
}

struct deed {
	const struct resource_kind *kind;
	struct str id;
	json_t *before, *doc;
	bool remove, check, clash;
	struct resource_outcome outcome;
	struct resource_change *change;
};

static gh_rc run(struct web *w, struct deed *d, struct gh_err *err)
{
	struct str mark = web_param(&w->rq.form, "mark");
	json_t *now = NULL;

	if (d->id.n) {                   /* in the transaction: still what the form began with */
		TRY(resource_read(w->site->store, w->a, d->kind, d->id, &now, err));
		d->clash = !now || !str_eq(resource_etag(w->a, now), mark);
		if (d->clash)
			FAIL(err, CONFLICT, "changed meanwhile");
	}
	if (d->remove)
		return resource_remove(d->change, d->kind, d->id, NULL, err);
	return resource_write(d->change, d->kind, d->id.n ? d->id : STR_NULL, d->doc, d->id.n ? RESOURCE_REPLACE : RESOURCE_CREATE, &d->outcome, err);
}

static GH_RC refused(struct web *w, struct deed *d, struct gh_err *why, gh_rc rc, struct gh_err *err)
{
	struct resource_view view = { .kind = d->kind, .doc = d->remove ? d->before : d->doc, .is_new = !d->id.n, .may_change = true };
	size_t n;

	view.problems = resource_problems(d->change, &n);
	view.n_problems = n;
	if (!n && !d->clash && rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT && rc.code != GH_E_LIMIT && rc.code != GH_E_DENIED) {
		*err = *why;
		return rc;
	}
	liquid_set(w->page, "clash", LIQUID_NIL_VALUE);
	if (d->clash)
		liquid_set_text(w->page, "clash", STR("Somebody else changed this meanwhile. Your text stands below; open it again to see theirs."));
	else if (!n)
		liquid_set_text(w->page, "clash", arena_dup(w->a, str_of(why->message)));
	return show(w, &view, d->id, web_param(&w->rq.form, "mark"), d->clash ? 409 : rc.code == GH_E_DENIED ? 403 : 422, err);
}

gh_rc admin_resource_act(struct web *w, struct gh_err *err)
{
	struct str action = web_param(&w->rq.form, "action"), back;
	struct deed d = { .id = web_param(&w->rq.form, "id"), .remove = str_eq(action, STR("remove")), .check = str_eq(action, STR("check")) };
	struct gh_err why = { .code = GH_OK };
	gh_rc rc;

	TRY(kind_here(w, &d.kind, err));
	if (d.id.n)
		TRY(resource_read(w->site->store, w->a, d.kind, d.id, &d.before, err));
	if (d.id.n && !d.before)
		FAIL(err, NOT_FOUND, "nothing has this id");
	d.doc = resource_form_read(w, d.kind, d.before);
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &d.change, err));
	rc = run(w, &d, &why);
	rc = resource_end(d.change, rc, d.check, &why);
	if (rc.code)
		return refused(w, &d, &why, rc, err);
	if (d.check) {
		struct resource_view view = { .kind = d.kind, .doc = d.doc, .is_new = !d.id.n, .may_change = true };

		liquid_set(w->page, "clash", LIQUID_NIL_VALUE);
		liquid_set_bool(w->page, "checked", true);
		return show(w, &view, d.id, web_param(&w->rq.form, "mark"), 200, err);
	}
	if (d.outcome.issued && json_object_size(d.outcome.issued))
		return show_issued(w, d.kind, d.outcome.id, d.outcome.issued, err);
	TRY(web_flash(w, "good", d.remove ? STR("It is removed.") : d.outcome.result == RESOURCE_SAME ? STR("Nothing was changed.") : STR("It is saved."), err));
	back = d.remove ? str_of(d.kind->plural)
			: arena_printf(w->a, "edit/%s?id=%.*s", d.kind->plural, STR_ARG(uri_encode(w->a, d.outcome.id, URI_KEEP_UNRESERVED)));
	return web_redirect(w, strcmp(d.kind->plural, "apis") == 0 && d.remove ? STR("") : back, err);
}
