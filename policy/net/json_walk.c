/* json_walk.c - members of JToken and JContainer that list other tokens: children, ancestors, descendants, JSONPath. */
#include "core/str.h"
#include "policy/net/json_net.h"
#include "policy/net/native.h"
#include "policy/net/value_list.h"

/* ---- lists of tokens ------------------------------------------------------------------------------------------------------------- */

static bool children(struct vm_call *c)
{
	struct jtoken *t = self_token(c);
	struct value_list l = { 0 };
	const struct type *wanted = c->types ? c->types[0] : NULL;

	for (size_t i = 0; jt_is_container(t) && i < t->n; i++)
		if (!wanted || type_accepts(c->vm, wanted, value_object(t->v[i])))
			if (!value_list_add(c, &l, value_object(t->v[i])))
				return false;
	return value_list_give(c, &l);
}

static bool ancestors_from(struct vm_call *c, struct jtoken *t)
{
	struct value_list l = { 0 };

	for (; t; t = t->parent)
		if (!value_list_add(c, &l, value_object(t)))
			return false;
	return value_list_give(c, &l);
}

static bool ancestors(struct vm_call *c)
{
	return ancestors_from(c, self_token(c)->parent);
}

static bool ancestors_and_self(struct vm_call *c)
{
	return ancestors_from(c, self_token(c));
}

static bool siblings(struct vm_call *c, bool after)
{
	struct jtoken *t = self_token(c);
	struct value_list l = { 0 };
	size_t at = t->parent ? jt_position(t) : 0;

	for (size_t i = after ? at + 1 : 0; t->parent && i < (after ? t->parent->n : at); i++)
		if (!value_list_add(c, &l, value_object(t->parent->v[i])))
			return false;
	return value_list_give(c, &l);
}

static bool after_self(struct vm_call *c)
{
	return siblings(c, true);
}

static bool before_self(struct vm_call *c)
{
	return siblings(c, false);
}

static bool descend(struct vm_call *c, bool with_self)
{
	struct jtoken *top = self_token(c), *t = top;
	struct value_list l = { 0 };

	while (t) {
		if ((t != top || with_self) && (!value_list_add(c, &l, value_object(t)) || !vm_charge(c->vm, 1)))
			return false;
		if (jt_is_container(t) && t->n) {
			t = t->v[0];
			continue;
		}
		while (t != top && jt_position(t) + 1 >= t->parent->n)
			t = t->parent;
		t = t == top ? NULL : t->parent->v[jt_position(t) + 1];
	}
	return value_list_give(c, &l);
}

static bool descendants(struct vm_call *c)
{
	return descend(c, false);
}

static bool descendants_and_self(struct vm_call *c)
{
	return descend(c, true);
}

/* ---- JSONPath -------------------------------------------------------------------------------------------------------------------- */

enum { PATH_STEPS_MAX = 1000000 };

static bool select_into(struct vm_call *c, struct jt_found *found)
{
	struct gh_err err = { 0 };
	uint64_t steps = PATH_STEPS_MAX;
	bool ok;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "path");
	ok = jt_select(c->arena, self_token(c), arg_str(c, 0), &steps, found, &err);
	if (!vm_charge(c->vm, (PATH_STEPS_MAX - steps) / 4))
		return false;
	return ok || vm_throw(c, EX_JSON, "%s", err.message);
}

static bool nothing_found(struct vm_call *c)
{
	struct str path = arg_str(c, 0);

	for (size_t i = 0; i < path.n; i++)
		if (strchr("$.[*", path.p[i]))
			return vm_throw(c, EX_JSON, "Path returned no tokens.");
	return vm_throw(c, EX_JSON, "Property '%.*s' does not exist on J%s.", STR_ARG(path), jt_type_name(self_token(c)->type));
}

static bool select_token(struct vm_call *c)
{
	struct jt_found found;

	if (!select_into(c, &found))
		return false;
	if (found.n > 1)
		return vm_throw(c, EX_JSON, "Path returned multiple tokens.");
	if (found.n == 0 && c->n > 1 && arg_bool(c, 1))
		return nothing_found(c);
	return give_token(c, found.n ? found.v[0] : NULL);
}

static bool select_tokens(struct vm_call *c)
{
	struct jt_found found;
	struct value_list l = { 0 };

	if (!select_into(c, &found))
		return false;
	if (found.n == 0 && c->n > 1 && arg_bool(c, 1))
		return nothing_found(c);
	for (size_t i = 0; i < found.n; i++)
		if (!value_list_add(c, &l, value_object(found.v[i])))
			return false;
	return value_list_give(c, &l);
}

const struct class_member jtoken_walk_members[] = {
	{ "IEnumerable<JToken> Children()", children },
	{ "IEnumerable<T> Children<T>()", children },
	{ "IEnumerable<JToken> Ancestors()", ancestors },
	{ "IEnumerable<JToken> AncestorsAndSelf()", ancestors_and_self },
	{ "IEnumerable<JToken> AfterSelf()", after_self },
	{ "IEnumerable<JToken> BeforeSelf()", before_self },
	{ "JToken SelectToken(string path)", select_token },
	{ "JToken SelectToken(string path, bool errorWhenNoMatch)", select_token },
	{ "IEnumerable<JToken> SelectTokens(string path)", select_tokens },
	{ "IEnumerable<JToken> SelectTokens(string path, bool errorWhenNoMatch)", select_tokens },
	{ 0 }
};
const struct class_member jcontainer_walk_members[] = {
	{ "IEnumerable<JToken> Descendants()", descendants },
	{ "IEnumerable<JToken> DescendantsAndSelf()", descendants_and_self },
	{ 0 }
};
