#include "portal/admin/scim_path.h"

#include "core/str.h"

/* PATCH: each operation changes the resource as JSON; what it means for the store is found out afterwards, as for PUT. A
 * path is an attribute, one of its parts, or elements of a list by a filter: emails[type eq "work"].value */

enum { OPERATIONS_MAX = 1000 };
enum verb { ADD, REPLACE, REMOVE };

struct target {
	struct str extension;            /* schema name of the object that holds the attribute; STR_NULL: the resource itself */
	struct str name, sub;
	const struct scim_filter *filter;
};

const char *scim_fault_type(enum scim_fault f)
{
	static const char *const types[] = { NULL, "invalidSyntax", "invalidPath", "noTarget", "invalidValue", "mutability", NULL };

	return types[f];
}

static enum scim_fault fault(enum scim_fault f, struct gh_err *err, const char *text)
{
	gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%s", text);
	return f;
}

static enum scim_fault parse_path(struct arena *a, struct str path, struct target *out, struct gh_err *err)
{
	static const struct str core[] = { STR_INIT("urn:ietf:params:scim:schemas:core:2.0:User:"),
					   STR_INIT("urn:ietf:params:scim:schemas:core:2.0:Group:") };
	size_t open, close, colon, dot;

	*out = (struct target){ .extension = STR_NULL };
	for (size_t i = 0; i < ARRAY_LEN(core); i++)
		if (str_starts_ci(path, core[i]))
			path = str_from(path, core[i].n);
	open = str_find_char(path, '[');
	colon = str_rfind_char(str_first(path, open), ':');
	if (str_starts_ci(path, STR("urn:")) && colon != SIZE_MAX) {
		out->extension = str_first(path, colon);
		path = str_from(path, colon + 1);
		open = str_find_char(path, '[');
	}
	if (open != SIZE_MAX) {
		close = str_rfind_char(path, ']');
		if (close == SIZE_MAX || close < open
		    || scim_filter_parse(a, str_first(str_from(path, open + 1), close - open - 1), &out->filter, err).code)
			return fault(SCIM_BAD_PATH, err, "the filter in a path cannot be read");
		out->sub = str_from(path, close + 1);
		if (out->sub.n && out->sub.p[0] != '.')
			return fault(SCIM_BAD_PATH, err, "a path goes on with '.' behind ']'");
		out->sub = str_from(out->sub, 1);
		out->name = str_first(path, open);
	} else {
		dot = str_find_char(path, '.');
		out->name = str_first(path, dot);
		out->sub = dot == SIZE_MAX ? STR_NULL : str_from(path, dot + 1);
	}
	return out->name.n && str_find_char(out->sub.p ? out->sub : STR(""), '.') == SIZE_MAX
		       ? SCIM_OK : fault(SCIM_BAD_PATH, err, "a path is ATTRIBUTE, ATTRIBUTE.PART or ATTRIBUTE[FILTER].PART");
}

/* Two elements are one when their "value" is, else when all of them is. */
static bool same(const json_t *a, const json_t *b)
{
	const json_t *x = scim_get(a, STR("value")), *y = scim_get(b, STR("value"));

	return x && y ? json_equal(x, y) : json_equal(a, b);
}

static bool add_one(json_t *list, json_t *v)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (same(json_array_get(list, i), v))
			return json_array_set(list, i, v) == 0;
	return json_array_append(list, v) == 0;
}

static bool add_all(json_t *list, json_t *v)
{
	bool ok = true;

	if (!json_is_array(v))
		return add_one(list, v);
	for (size_t i = 0; i < json_array_size(v); i++)
		ok = ok && add_one(list, json_array_get(v, i));
	return ok;
}

static bool merge(json_t *into, const json_t *v)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		if (!scim_set(into, str_of(key), json_incref(member)))
			return false;
	return true;
}

/* A whole attribute. */
static enum scim_fault put(json_t *holder, struct str name, enum verb verb, json_t *v)
{
	json_t *have = scim_get(holder, name);

	if (json_is_array(have) && verb == ADD)
		return add_all(have, v) ? SCIM_OK : SCIM_NOMEM;
	if (json_is_array(have) && !json_is_array(v)) {
		json_t *list = json_array();

		return list && json_array_append(list, v) == 0 && scim_set(holder, name, list) ? SCIM_OK : SCIM_NOMEM;
	}
	if (json_is_object(have) && json_is_object(v))
		return merge(have, v) ? SCIM_OK : SCIM_NOMEM;
	return scim_set(holder, name, json_incref(v)) ? SCIM_OK : SCIM_NOMEM;
}

static void drop(json_t *holder, struct str name)
{
	const char *key;
	json_t *v;

	json_object_foreach(holder, key, v)
		if (str_eq_ci(str_of(key), name)) {
			json_object_del(holder, key);
			return;
		}
}

/* Elements that the filter selects. An add or replace of "emails[type eq …].value" where none is makes one. */
static enum scim_fault selected(json_t *holder, const struct target *t, enum verb verb, json_t *v, struct gh_err *err)
{
	json_t *list = scim_get(holder, t->name), *made;
	struct str name, value;
	size_t found = 0;

	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *one = json_array_get(list, i);
		bool ok = true;

		if (!scim_filter_matches(t->filter, one))
			continue;
		found++;
		if (verb == REMOVE && !t->sub.n)
			ok = json_array_remove(list, i) == 0;
		else if (verb == REMOVE)
			drop(one, t->sub);
		else
			ok = t->sub.n ? scim_set(one, t->sub, json_incref(v)) : merge(one, v);
		if (!ok)
			return SCIM_NOMEM;
	}
	if (found || verb == REMOVE)
		return found ? SCIM_OK : fault(SCIM_NO_TARGET, err, "nothing fits the path");
	if (!t->sub.n || !scim_filter_is_eq(t->filter, &name, &value))
		return fault(SCIM_NO_TARGET, err, "nothing fits the path");
	made = json_object();
	if (!made || !scim_set(made, name, json_stringn(value.p, value.n)) || !scim_set(made, t->sub, json_incref(v))) {
		json_decref(made);
		return SCIM_NOMEM;
	}
	if (!json_is_array(list) && !scim_set(holder, t->name, list = json_array()))
		return SCIM_NOMEM;
	return json_array_append_new(list, made) == 0 ? SCIM_OK : SCIM_NOMEM;
}

/* Some providers remove members by a list in the value instead of a filter in the path. */
static enum scim_fault remove_listed(json_t *holder, struct str name, const json_t *v)
{
	json_t *list = scim_get(holder, name);

	for (size_t k = 0; k < json_array_size(v); k++)
		for (size_t i = json_array_size(list); i-- > 0;)
			if (same(json_array_get(list, i), json_array_get(v, k)))
				json_array_remove(list, i);
	return SCIM_OK;
}

static bool is_fixed(struct str name)
{
	return str_eq_ci(name, STR("id")) || str_eq_ci(name, STR("meta")) || str_eq_ci(name, STR("schemas")) || str_eq_ci(name, STR("groups"));
}

static enum scim_fault at_path(struct arena *a, json_t *resource, struct str path, enum verb verb, json_t *v, struct gh_err *err)
{
	json_t *holder = resource, *inner;
	struct target t;
	enum scim_fault f = parse_path(a, path, &t, err);

	if (f != SCIM_OK)
		return f;
	if (!t.extension.p && is_fixed(t.name))
		return fault(SCIM_FIXED, err, "id, meta, schemas and groups cannot be changed");
	if (t.extension.p) {
		holder = scim_get(resource, t.extension);
		if (!json_is_object(holder) && verb == REMOVE)
			return SCIM_OK;
		if (!json_is_object(holder) && !scim_set(resource, t.extension, holder = json_object()))
			return SCIM_NOMEM;
	}
	if (t.filter)
		return selected(holder, &t, verb, v, err);
	if (t.sub.n) {
		inner = scim_get(holder, t.name);
		if (!json_is_object(inner) && verb == REMOVE)
			return SCIM_OK;
		if (!json_is_object(inner) && !scim_set(holder, t.name, inner = json_object()))
			return SCIM_NOMEM;
		holder = inner;
		t.name = t.sub;
	}
	if (verb == REMOVE && json_is_array(v))
		return remove_listed(holder, t.name, v);
	if (verb == REMOVE) {
		drop(holder, t.name);
		return SCIM_OK;
	}
	return put(holder, t.name, verb, v);
}

/* Without a path the value is a resource's part; its names may be paths themselves. */
static enum scim_fault without_path(struct arena *a, json_t *resource, enum verb verb, json_t *v, struct gh_err *err)
{
	const char *key;
	json_t *member;

	if (verb == REMOVE)
		return fault(SCIM_NO_TARGET, err, "remove needs a path");
	if (!json_is_object(v))
		return fault(SCIM_BAD_VALUE, err, "without a path the value is an object");
	json_object_foreach(v, key, member) {
		enum scim_fault f;

		if (is_fixed(str_of(key)))
			continue;                        /* providers send them along */
		if (str_starts_ci(str_of(key), STR("urn:")) && json_is_object(member))
			f = put(resource, str_of(key), verb, member);
		else
			f = at_path(a, resource, str_of(key), verb, member, err);
		if (f != SCIM_OK)
			return f;
	}
	return SCIM_OK;
}

static enum scim_fault one(struct arena *a, json_t *resource, const json_t *operation, struct gh_err *err)
{
	struct str op = jsn_string(scim_get(operation, STR("op")));
	json_t *path = scim_get(operation, STR("path")), *v = scim_get(operation, STR("value"));
	enum verb verb = str_eq_ci(op, STR("add")) ? ADD : str_eq_ci(op, STR("replace")) ? REPLACE : REMOVE;

	if (verb == REMOVE && !str_eq_ci(op, STR("remove")))
		return fault(SCIM_BAD_SYNTAX, err, "op is add, replace or remove");
	if (verb != REMOVE && !v)
		return fault(SCIM_BAD_VALUE, err, "add and replace need a value");
	if (path && !json_is_string(path))
		return fault(SCIM_BAD_PATH, err, "a path is a text");
	v = jsn_keep(a, v ? json_deep_copy(v) : json_null());
	if (!v)
		return SCIM_NOMEM;
	return path ? at_path(a, resource, jsn_string(path), verb, v, err) : without_path(a, resource, verb, v, err);
}

enum scim_fault scim_patch(struct arena *a, json_t *resource, const json_t *patch, struct gh_err *err)
{
	const json_t *operations = scim_get(patch, STR("Operations"));

	if (!json_is_array(operations) || !json_array_size(operations) || json_array_size(operations) > OPERATIONS_MAX)
		return fault(SCIM_BAD_SYNTAX, err, "Operations is a list of 1 to 1000 operations");
	for (size_t i = 0; i < json_array_size(operations); i++) {
		enum scim_fault f = one(a, resource, json_array_get(operations, i), err);

		if (f != SCIM_OK)
			return f;
	}
	return SCIM_OK;
}
