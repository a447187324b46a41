/* rule_form.c - an access rule (core/access_rule.h) as a form without script: any of the groups lets a caller in, all methods of a
 * group must pass. Beside the groups that are there stands an empty one, and in each group room for one more method; what is left
 * empty is left out. Parameters are lines of YAML ("issuer: https://login.example"), since a method has up to sixteen of them and
 * a rule rarely names more than three. What else a rule says (operations, identity, profile) is YAML as in its file.
 *
 * A text that is no YAML stays in the rule under the name of its field, so that the validation refuses it and the form shows it
 * again as it was typed. */
#include "portal/admin/resources.h"

#include "core/access_rule.h"
#include "core/str.h"

static const char *const PARAMETERS = "parameters", *const REST = "rest";

static struct str place(struct web *w, struct str at, size_t group, size_t method, const char *what)
{
	return arena_printf(w->a, "%.*s/%zu/%zu/%s", STR_ARG(at), group, method, what);
}

/* All members but those, as YAML; or the text that could not be read. */
static struct str others(struct web *w, const json_t *v, const char *without, const char *raw)
{
	json_t *copy = jsn_keep(w->a, json_object()), *member;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)v, name, member) {
		if (strcmp(name, raw) == 0 && json_is_string(member))
			return jsn_string(member);
		if (strcmp(name, without) != 0)
			json_object_set(copy, name, member);
	}
	return resource_yaml_put(w->a, copy);
}

static void put_method(struct web *w, struct liquid_list *list, const json_t *m, struct str at, size_t group, size_t method)
{
	struct liquid_record *r = liquid_push_record(list);
	struct liquid_list *choices = liquid_set_list(r, "choices");
	struct str name = jsn_str(m, "method");

	liquid_set_text(r, "name", place(w, at, group, method, "method"));
	liquid_set_text(r, "with", place(w, at, group, method, "with"));
	liquid_set_int(r, "number", (int64_t)method + 1);
	liquid_set_text(r, "parameters", others(w, m, "method", PARAMETERS));
	for (unsigned k = 0; k < ACCESS_KIND__COUNT; k++) {
		struct liquid_record *c = liquid_push_record(choices);

		liquid_set_text(c, "value", str_of(access_methods[k].name));
		liquid_set_text(c, "help", str_of(access_methods[k].help));
		liquid_set_bool(c, "here", str_eq(name, str_of(access_methods[k].name)));
	}
}

GH_RC rule_form_put(struct web *w, struct liquid_record *r, const json_t *rule, struct str at, bool may_change, struct gh_err *err UNUSED)
{
	const json_t *any = jsn_arr(rule, "anyOf");
	struct liquid_list *groups = liquid_set_list(r, "groups");
	size_t n = json_array_size(any), room = may_change && n < ACCESS_GROUPS_MAX;

	for (size_t g = 0; g < n + room; g++) {
		const json_t *group = g < n ? json_array_get(any, g) : NULL, *all = jsn_arr(group, "allOf");
		size_t methods = all ? json_array_size(all) : group != NULL;
		struct liquid_record *one = liquid_push_record(groups);
		struct liquid_list *list = liquid_set_list(one, "methods");

		liquid_set_int(one, "number", (int64_t)g + 1);
		liquid_set_bool(one, "blank", g == n);
		for (size_t m = 0; m < methods + (may_change && methods < ACCESS_METHODS_MAX); m++)
			put_method(w, list, m >= methods ? NULL : all ? json_array_get(all, m) : group, at, g, m);
	}
	liquid_set_text(r, "rest_name", arena_printf(w->a, "%.*s.rest", STR_ARG(at)));
	liquid_set_text(r, "rest", others(w, rule, "anyOf", REST));
	return GH_RC_OK;
}

static struct str field(struct web *w, struct str name)
{
	struct str s = web_param(&w->rq.form, arena_cstr(w->a, name));

	return admin_unix_lines(w, s.p ? s : STR(""));
}

/* The members of a text of YAML into `to`; the text itself under `raw` when it holds none. */
static void take(json_t *to, struct str text, const char *raw)
{
	json_t *v = resource_yaml_read(text);

	if (json_is_object(v))
		json_object_update(to, v);
	else if (v)
		json_object_set_new(to, raw, json_stringn(text.p, text.n));
	json_decref(v);
}

json_t *rule_form_read(struct web *w, struct str at)
{
	json_t *rule = json_object(), *any = json_array();

	for (size_t g = 0; g < ACCESS_GROUPS_MAX; g++) {
		json_t *all = json_array();

		for (size_t m = 0; m < ACCESS_METHODS_MAX; m++) {
			struct str name = field(w, place(w, at, g, m, "method")), with = field(w, place(w, at, g, m, "with"));
			json_t *method;

			if (!name.n && !str_trim(with).n)
				continue;
			method = json_pack("{s:s}", "method", "");
			take(method, with, PARAMETERS);
			json_object_set_new(method, "method", json_stringn(name.p, name.n));
			json_array_append_new(all, method);
		}
		if (json_array_size(all) == 1)
			json_array_append(any, json_array_get(all, 0));
		else if (json_array_size(all))
			json_array_append_new(any, json_pack("{s:O}", "allOf", all));
		json_decref(all);
	}
	if (json_array_size(any))
		json_object_set(rule, "anyOf", any);
	json_decref(any);
	take(rule, field(w, arena_printf(w->a, "%.*s.rest", STR_ARG(at))), REST);
	if (json_object_size(rule))
		return rule;
	json_decref(rule);
	return NULL;
}
