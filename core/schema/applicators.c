/* applicators.c - keywords that hand the value, or parts of it, to other schemas. */
#include "core/schema/applicators.h"

#include "core/str.h"

#include <stdio.h>

static GH_RC shape_error(struct node *n, const char *keyword, const char *what, struct gh_err *err)
{
	FAIL(err, INVALID, "#%.*s/%s: must be %s", STR_ARG(str_first(n->pointer, 200)), keyword, what);
}

static bool keyword_is(const struct node *n, const json_t *value, const char *name)
{
	return jsn_get(n->schema, name) == value;
}

/* ---- references --------------------------------------------------------------------------------------------------------------- */

static GH_RC target_of(struct compiler *c, struct node *n, const json_t *value, struct node **out, struct gh_err *err)
{
	struct place at;
	gh_rc rc;

	if (!json_is_string(value))
		return shape_error(n, "$ref", "a text", err);
	rc = resolve_ref(c, jsn_string(value), n->resource, &at, err);
	if (rc.code) {
		gh_err_prefix(err, "#%.*s", STR_ARG(str_first(n->pointer, 200)));
		return rc;
	}
	return node_of(c, &at, out, err);
}

SCHEMA_COMPILE(compile_ref)
{
	struct node *to;

	(void)keep;
	TRY(target_of(c, n, value, &to, err));
	*data = to;
	return GH_RC_OK;
}

SCHEMA_CHECK(check_ref)
{
	(void)n;
	return check_node(k, r->data, value);
}

struct dynamic {
	struct node *initial;
	struct str anchor;               /* STR_NULL: an ordinary reference */
};

SCHEMA_COMPILE(compile_dynamic_ref)
{
	struct dynamic *d = arena_new_of(c->a, struct dynamic);
	struct str ref = jsn_string(value), name = str_from(ref, str_find_char(ref, '#') == SIZE_MAX ? ref.n : str_find_char(ref, '#') + 1);
	const struct anchor_entry *e;

	(void)keep;
	if (!d)
		FAIL(err, NOMEM, "schema");
	c->dynamic = true;
	TRY(target_of(c, n, value, &d->initial, err));
	resource_scan(c, d->initial->resource);
	e = name.n > 0 && name.p[0] != '/' ? map_get(&d->initial->resource->anchors, name) : NULL;
	if (e && e->dynamic)
		d->anchor = name;
	*data = d;
	return GH_RC_OK;
}

SCHEMA_CHECK(check_dynamic_ref)
{
	const struct dynamic *d = r->data;
	const struct node *to = d->initial;

	(void)n;
	if (d->anchor.p) {
		/* the outermost resource that has such an anchor wins, so the walk goes on to the end */
		for (const struct scope *s = k->scope; s; s = s->outer) {
			const struct anchor_entry *e = map_get(&s->resource->anchors, d->anchor);

			if (e && e->dynamic && e->node)
				to = e->node;
		}
	}
	return check_node(k, to, value);
}

SCHEMA_COMPILE(compile_recursive_ref)
{
	struct node *to;

	(void)keep;
	c->dynamic = true;
	TRY(target_of(c, n, value, &to, err));
	resource_scan(c, to->resource);
	*data = to;
	return GH_RC_OK;
}

SCHEMA_CHECK(check_recursive_ref)
{
	const struct node *to = r->data;

	(void)n;
	if (to->resource->recursive_anchor) {
		for (const struct scope *s = k->scope; s; s = s->outer) {
			if (!s->resource->recursive_anchor)
				break;
			if (s->resource->recursive_node)
				to = s->resource->recursive_node;
		}
	}
	return check_node(k, to, value);
}

/* ---- one schema, lists and maps of schemas ------------------------------------------------------------------------------------ */

static const char *name_of(const struct node *n, const json_t *value)
{
	static const char *const names[] = { "propertyNames", "not", "if", "then", "else", "contains", "items", "additionalItems",
					     "additionalProperties", "unevaluatedItems", "unevaluatedProperties", "allOf",
					     "anyOf", "oneOf", "prefixItems", "properties", "dependentSchemas" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (keyword_is(n, value, names[i]))
			return names[i];
	return "";
}

SCHEMA_COMPILE(compile_one)
{
	struct node *to;

	(void)keep;
	TRY(sub_node(c, n, value, name_of(n, value), STR_NULL, &to, err));
	*data = to;
	return GH_RC_OK;
}

static GH_RC list_of(struct compiler *c, struct node *n, json_t *value, const char *keyword, void **data, struct gh_err *err)
{
	struct node_list *list = arena_new_of(c->a, struct node_list);
	size_t i;
	json_t *v;

	if (!json_is_array(value))
		return shape_error(n, keyword, "a list of schemas", err);
	if (!list || !(list->v = arena_alloc(c->a, json_array_size(value) + 1, sizeof(*list->v))))
		FAIL(err, NOMEM, "schema");
	json_array_foreach(value, i, v) {
		char index[24];

		snprintf(index, sizeof(index), "%zu", i);
		TRY(sub_node(c, n, v, keyword, str_of(index), &list->v[list->n++].node, err));
	}
	*data = list;
	return GH_RC_OK;
}

static GH_RC map_of(struct compiler *c, struct node *n, json_t *value, const char *keyword, void **data, struct gh_err *err)
{
	struct node_list *list = arena_new_of(c->a, struct node_list);
	const char *name;
	json_t *v;

	if (!json_is_object(value))
		return shape_error(n, keyword, "an object of schemas", err);
	if (!list || !(list->v = arena_alloc(c->a, json_object_size(value) + 1, sizeof(*list->v))))
		FAIL(err, NOMEM, "schema");
	json_object_foreach(value, name, v) {
		struct named_node *to = &list->v[list->n];

		if (json_is_array(v) && strcmp(keyword, "dependencies") == 0)
			continue;
		to->name = str_of(name);
		TRY(sub_node(c, n, v, keyword, to->name, &to->node, err));
		list->n++;
	}
	*data = list;
	return GH_RC_OK;
}

SCHEMA_COMPILE(compile_schema_list)
{
	(void)keep;
	return list_of(c, n, value, name_of(n, value), data, err);
}

SCHEMA_COMPILE(compile_schema_map)
{
	(void)keep;
	return map_of(c, n, value, name_of(n, value), data, err);
}

/* ---- lists -------------------------------------------------------------------------------------------------------------------- */

SCHEMA_COMPILE(compile_prefix)
{
	(void)keep;
	return list_of(c, n, value, "prefixItems", data, err);
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
		return list_of(c, n, value, "items", data, err);
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
	if (json_object_get(a->properties, name))
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

	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		if (!spend(k, 1))
			return false;
		if (!is_additional(k, a, name))
			continue;
		seen_name(k, value, name);
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
		if (jsn_get_n(value, list->v[i].name) && !check_node(k, list->v[i].node, value))
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
		if (json_is_array(needed) && json_object_get(value, name) && !check_dependent_names(k, n, r, value, name, needed))
			ok = false;
	}
	return ok;
}

/* ---- the same value, several schemas -------------------------------------------------------------------------------------------- */

SCHEMA_CHECK(check_all_of)
{
	const struct node_list *list = r->data;
	bool ok = true;

	(void)n;
	for (size_t i = 0; i < list->n; i++)
		if (!check_node(k, list->v[i].node, value))
			ok = false;
	return ok;
}

SCHEMA_CHECK(check_any_of)
{
	const struct node_list *list = r->data;
	bool ok = false;

	/* when somebody asks what was evaluated, every branch that fits counts */
	for (size_t i = 0; i < list->n && (!ok || k->seen); i++)
		if (check_quietly(k, list->v[i].node, value))
			ok = true;
	return ok || wrong(k, n, r, "JSON does not match any schemas from 'anyOf'.");
}

SCHEMA_CHECK(check_one_of)
{
	const struct node_list *list = r->data;
	size_t found = 0;
	struct buf which;
	bool ok;

	buf_init(&which, 200);
	for (size_t i = 0; i < list->n; i++) {
		if (check_quietly(k, list->v[i].node, value)) {
			buf_fmt(&which, "%s%zu", found > 0 ? ", " : "", i);
			found++;
		}
	}
	ok = found == 1 || (found == 0 ? wrong(k, n, r, "JSON is valid against no schemas from 'oneOf'.")
				       : wrong(k, n, r, "JSON is valid against more than one schema from 'oneOf'. Valid schema "
					       "indexes: %.*s.", STR_ARG(buf_view(&which))));
	buf_release(&which);
	return ok;
}

SCHEMA_CHECK(check_not)
{
	struct seen *outer = k->seen, inner = { 0 };
	bool fits;

	/* annotations inside `not` reach nobody outside, but are needed inside */
	k->seen = outer ? &inner : NULL;
	fits = check_quietly(k, r->data, value);
	k->seen = outer;
	if (k->result->gave_up)
		return false;
	return !fits || wrong(k, n, r, "JSON is valid against schema from 'not'.");
}

struct conditional {
	struct node *test, *then, *otherwise;
};

SCHEMA_COMPILE(compile_if)
{
	struct conditional *to = arena_new_of(c->a, struct conditional);
	json_t *then = jsn_get(n->schema, "then"), *otherwise = jsn_get(n->schema, "else");

	(void)keep;
	if (!to)
		FAIL(err, NOMEM, "schema");
	TRY(sub_node(c, n, value, "if", STR_NULL, &to->test, err));
	if (then)
		TRY(sub_node(c, n, then, "then", STR_NULL, &to->then, err));
	if (otherwise)
		TRY(sub_node(c, n, otherwise, "else", STR_NULL, &to->otherwise, err));
	*data = to;
	return GH_RC_OK;
}

SCHEMA_CHECK(check_if)
{
	const struct conditional *c = r->data;
	const struct node *next = check_quietly(k, c->test, value) ? c->then : c->otherwise;

	(void)n;
	if (k->result->gave_up)
		return false;
	return !next || check_node(k, next, value);
}

/* ---- what nobody has looked at ---------------------------------------------------------------------------------------------------- */

SCHEMA_COMPILE(compile_unevaluated)
{
	c->s->tracks = true;
	return compile_one(c, n, value, data, keep, err);
}

SCHEMA_CHECK(check_unevaluated_items)
{
	struct seen *s = k->seen;
	const struct node *to = r->data;
	bool ok = true;

	if (!s || s->all_items)
		return true;
	for (size_t i = s->items; i < json_array_size(value); i++) {
		if (s->more_items && i < s->n_more && s->more_items[i])
			continue;
		if (to->never)
			ok = wrong(k, n, r, "Item at index %zu has not been evaluated and the schema does not allow unevaluated "
				   "items.", i);
		else if (!check_member(k, to, json_array_get(value, i), NULL, i))
			ok = false;
	}
	s->all_items = true;
	return ok;
}

SCHEMA_CHECK(check_unevaluated_properties)
{
	struct seen *s = k->seen;
	const struct node *to = r->data;
	const char *name;
	json_t *member;
	bool ok = true;

	if (!s || s->all_names)
		return true;
	seen_sort(s);
	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		if (!spend(k, 1))
			return false;
		if (seen_has(s, name))
			continue;
		if (to->never)
			ok = wrong_at(k, n, r, name, "Property '%.100s' has not been defined and the schema does not allow "
				      "unevaluated properties.", name);
		else if (!check_member(k, to, member, name, 0))
			ok = false;
	}
	s->described = s->all_names = true;
	return ok;
}
