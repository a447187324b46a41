/* members.c - keywords that hand the items of a list or the properties of an object to other schemas. */
#include "core/schema/applicators.h"

#include "core/str.h"

/* ---- lists -------------------------------------------------------------------------------------------------------------------- */

SCHEMA_COMPILE(compile_prefix)
{
	(void)keep;
	return schema_list_of(c, n, value, "prefixItems", data, err);
}

static bool check_each(struct check *k, const struct node_list *list, const json_t *value)
{
	size_t most = json_array_size(value) < list->n ? json_array_size(value) : list->n;
	bool ok = true;

	for (size_t i = 0; i < most; i++)
		if (!check_member(k, list->v[i].node, json_array_get(value, i), NULL, i))
			ok = false;
	if (k->seen && k->seen->items < most)
		k->seen->items = most;
	return ok;
}

static bool check_rest(struct check *k, const struct node *to, const json_t *value, size_t from)
{
	bool ok = true;

	for (size_t i = from; i < json_array_size(value); i++)
		if (!check_member(k, to, json_array_get(value, i), NULL, i))
			ok = false;
	if (k->seen)
		k->seen->all_items = true;
	return ok;
}

SCHEMA_CHECK(check_prefix)
{
	(void)n;
	return check_each(k, r->data, value);
}

static bool items_are_a_list(const struct node *n)
{
	return n->dialect != JSONSCHEMA_2020_12 && n->dialect != JSONSCHEMA_OPENAPI_3_1 &&
	       json_is_array(jsn_get(n->schema, "items"));
}

SCHEMA_COMPILE(compile_items)
{
	if (items_are_a_list(n))
		return schema_list_of(c, n, value, "items", data, err);
	return compile_one(c, n, value, data, keep, err);
}

SCHEMA_CHECK(check_items)
{
	if (items_are_a_list(n))
		return check_each(k, r->data, value);
	return check_rest(k, r->data, value, json_array_size(jsn_arr(n->schema, "prefixItems")));
}

SCHEMA_COMPILE(compile_additional_items)
{
	if (!items_are_a_list(n)) {
		*keep = false;
		return GH_RC_OK;
	}
	return compile_one(c, n, value, data, keep, err);
}

SCHEMA_CHECK(check_additional_items)
{
	return check_rest(k, r->data, value, json_array_size(jsn_get(n->schema, "items")));
}

struct contains {
	struct node *node;
	double least, most;              /* most < 0: any number */
};

SCHEMA_COMPILE(compile_contains)
{
	struct contains *to = arena_new_of(c->a, struct contains);
	bool counted = n->dialect != JSONSCHEMA_DRAFT_6 && n->dialect != JSONSCHEMA_DRAFT_7;
	json_t *least = counted ? jsn_get(n->schema, "minContains") : NULL;
	json_t *most = counted ? jsn_get(n->schema, "maxContains") : NULL;

	(void)keep;
	if (!to)
		FAIL(err, NOMEM, "schema");
	to->least = json_is_number(least) ? json_number_value(least) : 1;
	to->most = json_is_number(most) ? json_number_value(most) : -1;
	TRY(sub_node(c, n, value, "contains", STR_NULL, &to->node, err));
	*data = to;
	return GH_RC_OK;
}

static void seen_item(struct check *k, const json_t *value, size_t index)
{
	struct seen *s = k->seen;

	if (!s)
		return;
	if (!s->more_items) {
		s->n_more = json_array_size(value);
		s->more_items = arena_alloc(k->scratch, s->n_more, 1);
		if (!s->more_items) {
			give_up(k);
			return;
		}
	}
	s->more_items[index] = 1;
}

SCHEMA_CHECK(check_contains)
{
	const struct contains *want = r->data;
	/* before 2020-12 contains did not evaluate anything */
	bool evaluates = n->dialect == JSONSCHEMA_2020_12 || n->dialect == JSONSCHEMA_OPENAPI_3_1;
	size_t found = 0;

	k->quiet++;
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!check_member(k, want->node, json_array_get(value, i), NULL, i))
			continue;
		found++;
		if (evaluates)
			seen_item(k, value, i);
	}
	k->quiet--;
	if ((double)found < want->least && want->least == 1)
		return wrong(k, n, r, "No items match contains.");
	if ((double)found < want->least)
		return wrong(k, n, r, "Contains match count %zu is less than minimum contains count of %.0f.", found, want->least);
	if (want->most >= 0 && (double)found > want->most)
		return wrong(k, n, r, "Contains match count %zu exceeds maximum contains count of %.0f.", found, want->most);
	return true;
}

/* ---- objects ------------------------------------------------------------------------------------------------------------------ */

SCHEMA_COMPILE(compile_properties)
{
	(void)keep;
	return map_of(c, n, value, "properties", data, err);
}

/* Every member that a property's name fits, spelled as it likes. */
static bool check_spellings(struct check *k, const struct node_list *list, const json_t *value)
{
	const char *name;
	json_t *member;
	bool ok = true;

	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		for (size_t i = 0; i < list->n; i++) {
			if (!spend(k, 1))
				return false;
			if (!str_eq_ci(list->v[i].name, str_of(name)))
				continue;
			seen_name(k, value, name);
			if (!check_member(k, list->v[i].node, member, name, 0))
				ok = false;
		}
	}
	return ok;
}

SCHEMA_CHECK(check_properties)
{
	const struct node_list *list = r->data;
	json_t *obj = (json_t *)(uintptr_t)value;
	bool ok = true;

	(void)n;
	if (k->seen)
		k->seen->described = true;
	if (!spend(k, list->n / 8))
		return false;
	if (k->s->options.ignore_case)
		return check_spellings(k, list, value);
	for (size_t i = 0; i < list->n; i++) {
		void *at = json_object_iter_at(obj, list->v[i].name.p);

		if (!at)
			continue;
		seen_name(k, value, json_object_iter_key(at));
		if (!check_member(k, list->v[i].node, json_object_iter_value(at), json_object_iter_key(at), 0))
			ok = false;
	}
	return ok;
}

SCHEMA_COMPILE(compile_pattern_properties)
{
	struct node_list *list;

	(void)keep;
	TRY(map_of(c, n, value, "patternProperties", data, err));
	list = *data;
	for (size_t i = 0; i < list->n; i++)
		TRY(pattern_of(c, n, list->v[i].name, &list->v[i].pattern, err));
	return GH_RC_OK;
}

SCHEMA_CHECK(check_pattern_properties)
{
	const struct node_list *list = r->data;
	const char *name;
	json_t *member;
	bool ok = true;

	(void)n;
	if (k->seen)
		k->seen->described = true;
	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		for (size_t i = 0; i < list->n && spend(k, 1); i++) {
			if (!pattern_matches(k, list->v[i].pattern, str_of(name)))
				continue;
			seen_name(k, value, name);
			if (!check_member(k, list->v[i].node, member, name, 0))
				ok = false;
		}
	}
	return ok && !k->result->gave_up;
}

struct additional {
	struct node *node;
	json_t *properties;
	struct node_list *patterns;
};

SCHEMA_COMPILE(compile_additional)
{
	struct additional *to = arena_new_of(c->a, struct additional);
	json_t *patterns = n->dialect == JSONSCHEMA_OPENAPI_3_0 ? NULL : jsn_obj(n->schema, "patternProperties");
	void *list = NULL;
	bool ignored;

	(void)keep;
	if (!to)
		FAIL(err, NOMEM, "schema");
	to->properties = jsn_obj(n->schema, "properties");
	TRY(sub_node(c, n, value, "additionalProperties", STR_NULL, &to->node, err));
	if (patterns) {
		TRY(compile_pattern_properties(c, n, patterns, &list, &ignored, err));
		to->patterns = list;
	}
	*data = to;
	return GH_RC_OK;
}

static bool is_additional(struct check *k, const struct additional *a, const char *name)
{
	if (a->properties && has_member(k, a->properties, str_of(name)))
		return false;
	for (size_t i = 0; a->patterns && i < a->patterns->n; i++)
		if (pattern_matches(k, a->patterns->v[i].pattern, str_of(name)))
			return false;
	return true;
}

SCHEMA_CHECK(check_additional)
{
	const struct additional *a = r->data;
	const char *name;
	json_t *member;
	bool ok = true;

	if (k->s->options.closed && a->node->always) {
		if (k->seen)
			k->seen->described = true;
		return true;
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		if (!spend(k, 1))
			return false;
		if (!is_additional(k, a, name))
			continue;
		seen_name(k, value, name);
		if (a->node->never && k->s->options.open)
			continue;
		if (a->node->never)
			ok = wrong_at(k, n, r, name, "Property '%.100s' has not been defined and the schema does not allow "
				      "additional properties.", name);
		else if (!check_member(k, a->node, member, name, 0))
			ok = false;
	}
	if (k->seen)
		k->seen->described = k->seen->all_names = true;
	return ok && !k->result->gave_up;
}

SCHEMA_CHECK(check_property_names)
{
	const char *name;
	json_t *member;
	bool ok = true;

	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		json_t *text = json_string_nocheck(name);
		struct seen *outer = k->seen;

		if (!text)
			return give_up(k);
		k->seen = NULL;
		if (!check_quietly(k, r->data, text))
			ok = wrong_at(k, n, r, name, "Property name '%.100s' does not match schema.", name);
		k->seen = outer;
		json_decref(text);
	}
	return ok;
}

SCHEMA_CHECK(check_dependent_schemas)
{
	const struct node_list *list = r->data;
	bool ok = true;

	(void)n;
	for (size_t i = 0; i < list->n; i++)
		if (has_member(k, value, list->v[i].name) && !check_node(k, list->v[i].node, value))
			ok = false;
	return ok;
}

SCHEMA_COMPILE(compile_dependencies)
{
	(void)keep;
	return map_of(c, n, value, "dependencies", data, err);
}

SCHEMA_CHECK(check_dependencies)
{
	const char *name;
	json_t *needed;
	bool ok = check_dependent_schemas(k, n, r, value);

	json_object_foreach(r->value, name, needed) {
		if (json_is_array(needed) && has_member(k, value, str_of(name)) && !check_dependent_names(k, n, r, value, name, needed))
			ok = false;
	}
	return ok;
}
