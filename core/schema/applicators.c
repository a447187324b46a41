/* applicators.c - keywords that hand the value to other schemas: references, allOf and its kin, unevaluated…
 * Those that hand members of the value on are in members.c. */
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

GH_RC schema_list_of(struct compiler *c, struct node *n, json_t *value, const char *keyword, void **data, struct gh_err *err)
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

GH_RC map_of(struct compiler *c, struct node *n, json_t *value, const char *keyword, void **data, struct gh_err *err)
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
	return schema_list_of(c, n, value, name_of(n, value), data, err);
}

SCHEMA_COMPILE(compile_schema_map)
{
	(void)keep;
	return map_of(c, n, value, name_of(n, value), data, err);
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
		if (to->never && k->s->options.open)
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
