/* resource_choice.c - what there is to choose from where a form or a filter names another resource. Few ones are all there; of
 * many those that are chosen, and www/choices.js finds others while one types. */
#include "portal/admin/resources.h"

#include "config/rights.h"
#include "core/str.h"
#include "portal/admin/rest.h"

enum { CHOICES_SHOWN = 60 };

void resource_choice_put(struct liquid_list *list, struct str value, struct str label, bool here)
{
	struct liquid_record *r = liquid_push_record(list);

	liquid_set_text(r, "value", value);
	liquid_set_text(r, "label", label);
	liquid_set_bool(r, "here", here);
}

bool resource_holds(const json_t *list, struct str id)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (str_eq(jsn_string(v), id))
			return true;
	return false;
}

/* What people know it by: ids that the store makes tell nobody anything. www/choices.js writes it in the same way. */
static struct str known_as(struct arena *a, const json_t *doc)
{
	struct str id = jsn_str(doc, "id"), name = jsn_str(doc, "email").n ? jsn_str(doc, "email") : jsn_str(doc, "name");

	return name.n && !str_eq(name, id) ? arena_printf(a, "%.*s (%.*s)", STR_ARG(name), STR_ARG(id)) : id;
}

static bool is_chosen(const json_t *value, struct str id)
{
	return json_is_array(value) ? resource_holds(value, id) : str_eq(id, jsn_string(value));
}

/* Names are told to those who may see the kind, for ids that nobody chose. */
static bool is_named(struct web *w, const struct resource_kind *k)
{
	return k->makes_id && web_may(w, admin_right_of(k, false));
}

static GH_RC label_of(struct web *w, const struct resource_kind *k, struct str id, struct str *out, struct gh_err *err)
{
	json_t *doc = NULL;

	*out = id;
	if (id.n && is_named(w, k))
		TRY(resource_read(w->site->store, w->a, k, id, &doc, err));
	if (doc)
		*out = known_as(w->a, doc);
	return GH_RC_OK;
}

/* Of many: those that are chosen. */
static GH_RC put_chosen(struct web *w, struct liquid_record *r, const struct resource_kind *k, const json_t *value, struct liquid_list *list, struct gh_err *err)
{
	struct str label;
	size_t i;
	json_t *v;

	if (!json_is_array(value)) {
		TRY(label_of(w, k, jsn_string(value), &label, err));
		liquid_set_text(r, "chosen", label.n ? label : STR(""));
		return GH_RC_OK;
	}
	json_array_foreach((json_t *)(uintptr_t)value, i, v) {
		label = jsn_string(v);
		if (i < CHOICES_SHOWN)
			TRY(label_of(w, k, jsn_string(v), &label, err));
		resource_choice_put(list, jsn_string(v), label, true);
	}
	return GH_RC_OK;
}

/* Roles that are always there are no resources. */
static void put_roles(struct liquid_list *list, const json_t *value)
{
	for (size_t i = 0; rights_roles[i].name; i++)
		resource_choice_put(list, str_of(rights_roles[i].name), str_of(rights_roles[i].name), is_chosen(value, str_of(rights_roles[i].name)));
}

GH_RC resource_choices_put(struct web *w, struct liquid_record *r, const struct resource_kind *k, const json_t *value, struct gh_err *err)
{
	const struct resource_query all = { .limit = CHOICES_SHOWN + 1 };
	struct liquid_list *list = liquid_set_list(r, "choices");
	struct str *ids, next;
	size_t n = 0, i;
	json_t *docs = NULL, *v;

	liquid_set_bool(r, "many", true);
	liquid_set_text(r, "source", k ? str_of(k->plural) : STR(""));
	liquid_set_text(r, "chosen", STR(""));
	if (!k)
		return GH_RC_OK;
	TRY(resource_ids(w->site->store, w->a, k, &all, &ids, &n, &next, err));
	liquid_set_bool(r, "many", n > CHOICES_SHOWN);
	if (n > CHOICES_SHOWN)
		return put_chosen(w, r, k, value, list, err);
	if (strcmp(k->name, "role") == 0)
		put_roles(list, value);
	if (n && is_named(w, k))                     /* none among very many took long enough to find out once */
		TRY(resource_list(w->site->store, w->a, k, &all, &docs, &next, err));
	if (json_array_size(docs) == n)
		json_array_foreach(docs, i, v)
			resource_choice_put(list, jsn_str(v, "id"), known_as(w->a, v), is_chosen(value, jsn_str(v, "id")));
	for (i = json_array_size(docs) == n ? n : 0; i < n; i++)
		resource_choice_put(list, ids[i], ids[i], is_chosen(value, ids[i]));
	return GH_RC_OK;
}
