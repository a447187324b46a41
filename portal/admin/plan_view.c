#include "portal/admin/plan_view.h"

#include "core/str.h"
#include "portal/admin/diff.h"

static struct str text_of(struct arena *a, const json_t *v)
{
	if (!v || json_is_null(v))
		return STR("");
	return json_is_string(v) ? jsn_string(v) : jsn_text(a, v, JSN_INDENT);
}

static void put_change(struct web *w, struct liquid_list *list, const struct plan_change *c)
{
	struct liquid_record *r = liquid_push_record(list);
	struct liquid_list *fields = liquid_set_list(r, "fields");
	size_t i;
	json_t *f;

	liquid_set_text(r, "action", str_of(plan_action_names[c->action]));
	liquid_set_text(r, "kind", str_of(c->kind->name));
	liquid_set_text(r, "id", c->id);
	liquid_set_text(r, "touches", c->everything ? STR("All calls go through it.")
				      : c->subscriptions || c->calls ? arena_printf(w->a, "%.*s live subscriptions, %.*s calls in 7 days.",
				      STR_ARG(web_number(w->a, c->subscriptions).n ? web_number(w->a, c->subscriptions) : STR("0")),
				      STR_ARG(web_number(w->a, c->calls).n ? web_number(w->a, c->calls) : STR("0"))) : STR(""));
	json_array_foreach(c->fields, i, f) {
		struct liquid_record *one = liquid_push_record(fields);

		liquid_set_text(one, "name", jsn_str(f, "field"));
		admin_put_diff(w, one, "diff", text_of(w->a, jsn_get(f, "before")), text_of(w->a, jsn_get(f, "after")));
	}
}

void admin_put_changes(struct web *w, struct liquid_record *r, const struct plan *p)
{
	struct liquid_list *list = liquid_set_list(r, "changes");

	for (size_t i = 0; i < p->n; i++)
		put_change(w, list, &p->changes[i]);
}
