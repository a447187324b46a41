/* audit.c - who changed what and when, with what it was before; filters, and the same as CSV or JSON. */
#include "portal/admin/admin.h"

#include "config/resource.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"
#include "core/table.h"
#include "db/audit.h"

enum { ROWS = 50, EXPORT_ROWS = 10000, VALUE_MAX = 2000 };
static const char *const names[] = { "actor", "kind", "action", "object", "from", "to" };

static struct str param(struct web *w, const char *name)
{
	struct str v = str_trim(web_param(&w->rq.query, name));

	return v.p ? str_first(v, 200) : STR("");
}

/* A day counts as a whole: "to" is the day that still belongs to it. */
static int64_t day_of(struct web *w, const char *name, int64_t more_us)
{
	int64_t us;

	return clock_parse_date(param(w, name), &us) ? us + more_us : 0;
}

struct store_audit_filter admin_audit_filter(struct web *w)
{
	return (struct store_audit_filter){ .actor = param(w, "actor"), .id = param(w, "object"), .kind = param(w, "kind"), .action = param(w, "action"),
					    .from_us = day_of(w, "from", 0), .to_us = day_of(w, "to", INT64_C(86400000000)) };
}

static struct store_audit_filter filter_of(struct web *w)
{
	struct store_audit_filter f = admin_audit_filter(w);
	bool narrowed = false;

	f.limit = ROWS + 1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		liquid_set_text(w->page, names[i], param(w, names[i]));
		narrowed = narrowed || param(w, names[i]).n;
	}
	liquid_set_bool(w->page, "narrowed", narrowed);
	f.before_seq = admin_before(w);
	return f;
}

static struct str shown(struct web *w, const json_t *v)
{
	struct str s = !v ? STR("") : json_is_string(v) ? jsn_string(v) : jsn_text(w->a, v, JSON_ENCODE_ANY);

	return s.n > VALUE_MAX ? arena_printf(w->a, "%.*s…", STR_ARG(str_first(s, VALUE_MAX))) : s;
}

/* {"before": {…}, "after": {…}} as rows of fields; anything else is what was written. */
static void put_detail(struct web *w, struct liquid_record *r, struct str detail)
{
	struct liquid_list *list = liquid_set_list(r, "fields");
	json_t *all = NULL, *before, *after, *v;
	struct gh_err why;
	const char *name;

	if (!detail.n || jsn_parse_in(w->a, detail, NULL, &all, NULL, &why).code)
		return;
	before = jsn_obj(all, "before");
	after = jsn_obj(all, "after");
	if (!before && !after)
		after = all;
	json_object_foreach(after, name, v) {
		struct liquid_record *f = liquid_push_record(list);

		liquid_set_text(f, "name", str_of(name));
		liquid_set_text(f, "before", shown(w, jsn_get(before, name)));
		liquid_set_text(f, "after", shown(w, v));
	}
	json_object_foreach(before, name, v)
		if (!jsn_get(after, name)) {
			struct liquid_record *f = liquid_push_record(list);

			liquid_set_text(f, "name", str_of(name));
			liquid_set_text(f, "before", shown(w, v));
			liquid_set_text(f, "after", STR(""));
		}
}

/* "user:ann@example.com" is a person in a browser or program, "cli:root" a command. */
static void put_actor(struct liquid_record *r, struct str actor)
{
	size_t colon = str_find_char(actor, ':');

	liquid_set_text(r, "by", colon == SIZE_MAX ? actor : str_from(actor, colon + 1));
	liquid_set_text(r, "through", str_starts(actor, STR("user:")) ? STR("Dashboard or API") : str_starts(actor, STR("cli:")) ? STR("Command line")
				      : str_first(actor, colon == SIZE_MAX ? 0 : colon));
}

gh_rc admin_audit(struct web *w, struct gh_err *err)
{
	struct store_audit_filter f = filter_of(w);
	struct liquid_list *list = liquid_set_list(w->page, "entries");
	struct liquid_list *kinds = liquid_set_list(w->page, "kinds");
	struct store_audit_entry *v;
	size_t n;

	for (size_t i = 0; resource_kinds[i]; i++)
		liquid_set_text(liquid_push_record(kinds), "name", str_of(resource_kinds[i]->name));
	liquid_set_bool(w->page, "see_people", web_may(w, WEB_VIEW_PEOPLE));
	TRY(store_audit_find(w->site->store, w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < ROWS; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_int(r, "seq", v[i].seq);
		liquid_set_text(r, "at", web_date(w, v[i].at_us));
		put_actor(r, v[i].actor);
		liquid_set_text(r, "action", v[i].action);
		liquid_set_text(r, "kind", v[i].kind);
		liquid_set_text(r, "object", v[i].id);
		put_detail(w, r, v[i].detail);
	}
	admin_put_older(w, f.before_seq, n > ROWS ? v[ROWS - 1].seq : 0);
	liquid_set_text(w->page, "csv", arena_printf(w->a, "%.*saudit/export%.*s", STR_ARG(w->site->base),
			STR_ARG(admin_query(w, (const char *const[]){ "before", "", "format", "csv", NULL }))));
	liquid_set_text(w->page, "json", arena_printf(w->a, "%.*saudit/export%.*s", STR_ARG(w->site->base),
			STR_ARG(admin_query(w, (const char *const[]){ "before", "", "format", "json", NULL }))));
	liquid_set_text(w->page, "title", STR("Audit"));
	return web_page(w, "audit", err);
}

/* ---- export --------------------------------------------------------------------------------------------------------------------- */

static void put_csv(struct web *w, const struct store_audit_entry *v, size_t n)
{
	static const char *const texts[] = { "actor", "action", "kind", "object", "detail", "hash" };
	struct table t;

	table_init(&t, w->a);
	table_column(&t, "number", "Number", TABLE_COUNT);
	table_column(&t, "at", "At", TABLE_TIME);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		table_column(&t, texts[i], texts[i], TABLE_TEXT);
	for (size_t i = 0; i < n; i++) {
		const struct str cells[] = { v[i].actor, v[i].action, v[i].kind, v[i].id, v[i].detail.p ? v[i].detail : STR(""), v[i].hash };
		struct table_value *row = table_row(&t);

		for (size_t k = 0; row && k < ARRAY_LEN(cells); k++)
			row[2 + k] = table_text(cells[k]);
		if (row) {
			row[0] = table_count(v[i].seq);
			row[1] = table_count(v[i].at_us);
		}
	}
	table_csv(&w->rs.body, &t);
}

json_t *admin_audit_json(struct web *w, const struct store_audit_entry *v)
{
	char iso[CLOCK_ISO_MAX];
	json_t *detail = NULL;
	struct gh_err why;

	if (v->detail.n && jsn_parse_in(w->a, v->detail, NULL, &detail, NULL, &why).code)
		detail = NULL;
	return json_pack("{s:I,s:s,s:s%,s:s%,s:s%,s:s%,s:O?,s:s%}", "number", (json_int_t)v->seq, "at", clock_iso(v->at_us, 3, iso), "actor",
			 v->actor.p, v->actor.n, "action", v->action.p, v->action.n, "kind", v->kind.p, v->kind.n, "object", v->id.p, v->id.n,
			 "detail", detail, "hash", v->hash.p, v->hash.n);
}

gh_rc admin_audit_export(struct web *w, struct gh_err *err)
{
	struct store_audit_filter f = admin_audit_filter(w);
	bool csv = !str_eq(param(w, "format"), STR("json"));
	struct store_audit_entry *v;
	json_t *all;
	size_t n;

	f.limit = EXPORT_ROWS;
	TRY(store_audit_find(w->site->store, w->a, &f, &v, &n, err));
	web_header(w, "Content-Disposition", csv ? STR("attachment; filename=\"audit.csv\"") : STR("attachment; filename=\"audit.json\""));
	if (csv) {
		put_csv(w, v, n);
		if (!buf_ok(&w->rs.body))
			FAIL(err, LIMIT, "the export is larger than a page may be; narrow it by a date");
		web_header(w, "Content-Type", STR("text/csv; charset=utf-8"));
		web_header(w, "Cache-Control", STR("no-store"));
		return GH_RC_OK;
	}
	all = jsn_keep(w->a, json_array());
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, admin_audit_json(w, &v[i]));
	return web_json(w, 200, "application/json", all, err);
}
