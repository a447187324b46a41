/* json_tree.c - building and changing the tree. An object with more than INDEX_FROM properties gets a hash table, made
 * when it is first searched and thrown away when positions move. */
#include "policy/net/json.h"

#include "core/str.h"
#include "policy/expr/class.h"
#include "policy/net/time.h"
#include "policy/net/types.h"

enum { INDEX_FROM = 12, COPY_COST = 8 };     /* of a token, in instructions */

static const struct value_class *const classes[JT__COUNT] = {
	[JT_OBJECT] = &class_jobject, [JT_ARRAY] = &class_jarray, [JT_CONSTRUCTOR] = &class_jconstructor,
	[JT_PROPERTY] = &class_jproperty, [JT_RAW] = &class_jraw,
};

struct jtoken *value_token(struct value v)
{
	const struct jtoken *t = v.kind == VALUE_OBJECT ? (const struct jtoken *)(const void *)v.object : NULL;
	const struct value_class *cls = t ? t->head.cls : NULL;

	if (cls != &class_jvalue && cls != &class_jobject && cls != &class_jarray && cls != &class_jproperty &&
	    cls != &class_jconstructor && cls != &class_jraw)
		return NULL;
	return (struct jtoken *)(void *)v.object;
}

struct value jt_unwrap(struct value v)
{
	struct jtoken *t = value_token(v);

	if (t && t->type == JT_PROPERTY && t->n)
		t = t->v[0];
	return t && !jt_is_container(t) ? t->value : v;
}

const char *jt_type_name(enum jt_type type)
{
	static const char *const names[JT__COUNT] = { "None",    "Object",  "Array",     "Constructor", "Property", "Comment",
							"Integer", "Float",   "String",    "Boolean",     "Null",     "Undefined",
							"Date",    "Raw",     "Bytes",     "Guid",        "Uri",      "TimeSpan" };

	return names[type];
}

/* Leaves, which are most of a tree, get no room for what only containers have. */
static struct jtoken *make(struct arena *a, enum jt_type type)
{
	bool container = type >= JT_OBJECT && type <= JT_PROPERTY;
	struct jtoken *t = arena_alloc(a, 1, container ? sizeof(*t) : offsetof(struct jtoken, raw) + sizeof(struct str));

	if (t) {
		t->head.cls = classes[type] ? classes[type] : &class_jvalue;
		t->type = type;
	}
	return t;
}

struct jtoken *jt_container(struct arena *a, enum jt_type type)
{
	return make(a, type);
}

struct jtoken *jt_leaf(struct arena *a, enum jt_type type, struct value v)
{
	struct jtoken *t = make(a, type);

	if (t)
		t->value = v;
	return t;
}

struct jtoken *jt_string(struct arena *a, struct str s)
{
	struct value v = value_string(a, s, false);

	return v.kind == VALUE_NULL ? NULL : jt_leaf(a, JT_STRING, v);
}

struct jtoken *jt_property(struct arena *a, struct str name, struct jtoken *value)
{
	struct jtoken *t = make(a, JT_PROPERTY);

	if (!t || !value)
		return NULL;
	t->name = name;
	return jt_insert(a, t, 0, value, NULL) ? t : NULL;
}

struct jtoken *jt_of_simple(struct arena *a, struct value v)
{
	const struct value_class *cls;
	struct str text;

	switch (v.kind) {
	case VALUE_NULL:
		return jt_leaf(a, JT_NULL, v);
	case VALUE_BOOL:
		return jt_leaf(a, JT_BOOLEAN, v);
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
	case VALUE_DECIMAL:
		return jt_leaf(a, JT_FLOAT, v);
	case VALUE_STRING:
		return jt_leaf(a, JT_STRING, v);
	case VALUE_CHAR:
		text = value_to_text(a, v);
		return text.p ? jt_string(a, text) : NULL;
	case VALUE_OBJECT:
		break;
	default:
		return jt_leaf(a, JT_INTEGER, v);
	}
	cls = value_class_of(v);
	if (cls == &class_date_time || cls == &class_date_offset)
		return jt_leaf(a, JT_DATE, v);
	if (cls == &class_guid)
		return jt_leaf(a, JT_GUID, v);
	if (cls == &class_time_span)
		return jt_leaf(a, JT_TIMESPAN, v);
	if (cls == &class_uri)
		return jt_leaf(a, JT_URI, v);
	if (value_bytes(v).p)
		return jt_leaf(a, JT_BYTES, v);
	return cls->kind == CLASS_ENUM ? jt_leaf(a, JT_INTEGER, value_long(enum_value(v))) : NULL;
}

static struct jtoken *clone(struct arena *a, const struct jtoken *t, unsigned depth)
{
	struct jtoken *copy = depth < JT_DEPTH_MAX && vm_charge_here(COPY_COST) ? make(a, t->type) : NULL;

	if (!copy || !jt_is_container(t)) {
		if (copy) {
			copy->value = t->value;
			copy->raw = t->raw;
		}
		return copy;
	}
	copy->name = t->name;
	copy->v = t->n ? arena_alloc(a, t->n, sizeof(*copy->v)) : NULL;
	if (t->n && !copy->v)
		return NULL;
	copy->cap = t->n;
	for (size_t i = 0; i < t->n; i++) {
		struct jtoken *child = clone(a, t->v[i], depth + 1);

		if (!child)
			return NULL;
		child->parent = copy;
		child->place = copy->n;
		copy->v[copy->n++] = child;
	}
	return copy;
}

struct jtoken *jt_clone(struct arena *a, const struct jtoken *t)
{
	return clone(a, t, 0);
}

/* ---- positions ---------------------------------------------------------------------------------------------------------- */

static void index_add(struct jtoken *o, size_t at)
{
	uint64_t h = str_hash(o->v[at]->name);

	while (o->index[h & (o->index_cap - 1)])
		h++;
	o->index[h & (o->index_cap - 1)] = (uint32_t)at + 1;
}

/* Needs memory that a look-up has no arena for: the table is made when a property is added. */
static void index_grow(struct arena *a, struct jtoken *o)
{
	uint32_t cap = 32;

	while (cap < o->n * 2)
		cap *= 2;
	o->index = arena_alloc(a, cap, sizeof(*o->index));
	o->index_cap = o->index ? cap : 0;
	for (size_t i = 0; o->index && i < o->n; i++)
		index_add(o, i);
}

static bool room_for(struct arena *a, struct jtoken *t)
{
	size_t cap = t->cap ? t->cap * 2 : t->type == JT_PROPERTY ? 1 : 4;
	struct jtoken **v;

	if (t->n < t->cap)
		return true;
	v = arena_alloc(a, cap, sizeof(*v));
	if (!v)
		return false;
	if (t->n)
		memcpy(v, t->v, t->n * sizeof(*v));
	t->v = v;
	t->cap = cap;
	return true;
}

static bool holds(const struct jtoken *t, const struct jtoken *inner)
{
	for (; inner; inner = inner->parent)
		if (inner == t)
			return true;
	return false;
}

bool jt_insert(struct arena *a, struct jtoken *to, size_t at, struct jtoken *t, struct jtoken **added)
{
	if (t->parent || (jt_is_container(t) && t->n && holds(t, to)) || t == to)
		t = jt_clone(a, t);
	if (!t || !room_for(a, to))
		return false;
	memmove(to->v + at + 1, to->v + at, (to->n - at) * sizeof(*to->v));
	to->v[at] = t;
	t->parent = to;
	t->place = at;
	to->n++;
	if (added)
		*added = t;
	if (to->type != JT_OBJECT)
		return true;
	if (at + 1 < to->n || to->n * 4 > (size_t)to->index_cap * 3)
		to->index = NULL;
	if (to->index)
		index_add(to, at);
	else if (to->n > INDEX_FROM)
		index_grow(a, to);
	return true;
}

void jt_remove_at(struct jtoken *from, size_t at)
{
	from->v[at]->parent = NULL;
	memmove(from->v + at, from->v + at + 1, (from->n - at - 1) * sizeof(*from->v));
	from->n--;
	if (from->type == JT_OBJECT) {
		from->index = NULL;
		from->index_cap = 0;
	}
}

/* Looks from the last known place outwards: positions move by what was put in or taken out before. */
size_t jt_position(const struct jtoken *t)
{
	struct jtoken *const *v = t->parent->v;
	size_t n = t->parent->n, low = t->place < n ? t->place : n - 1, high = low, at;

	while (v[low] != t && v[high] != t) {
		low -= low > 0;
		high += high + 1 < n;
	}
	at = v[low] == t ? low : high;
	v[at]->place = at;
	return at;
}

bool jt_set(struct arena *a, struct jtoken *object, struct str name, struct jtoken *value)
{
	struct jtoken *p = jt_find(object, name);

	if (!p) {
		p = jt_property(a, name, value);
		return p && jt_insert(a, object, object->n, p, NULL);
	}
	if (p->n && p->v[0] == value)
		return true;
	if (value->parent || holds(value, object))
		value = jt_clone(a, value);
	if (!value)
		return false;
	if (p->n)
		jt_remove_at(p, 0);
	return jt_insert(a, p, 0, value, NULL);
}

bool jt_replace(struct arena *a, struct jtoken *old, struct jtoken *with)
{
	struct jtoken *parent = old->parent;
	size_t at = jt_position(old);

	if (with == old)
		return true;
	if (with->parent || holds(with, parent))
		with = jt_clone(a, with);
	if (!with)
		return false;
	jt_remove_at(parent, at);
	return jt_insert(a, parent, at, with, NULL);
}

/* ---- questions ------------------------------------------------------------------------------------------------------------- */

struct jtoken *jt_find(struct jtoken *o, struct str name)
{
	if (o->index) {
		for (uint64_t h = str_hash(name);; h++) {
			uint32_t at = o->index[h & (o->index_cap - 1)];

			if (at == 0)
				return NULL;
			if (str_eq(o->v[at - 1]->name, name))
				return o->v[at - 1];
		}
	}
	for (size_t i = 0; i < o->n; i++)
		if (str_eq(o->v[i]->name, name))
			return o->v[i];
	return NULL;
}

struct jtoken *jt_get(struct jtoken *o, struct str name)
{
	struct jtoken *p = jt_find(o, name);

	return p && p->n ? p->v[0] : NULL;
}

static bool leaves_equal(const struct jtoken *l, const struct jtoken *r)
{
	struct value a = l->value, b = r->value;
	bool comparable = true;

	if (l->type != r->type)
		return false;
	if (l->raw.p || r->raw.p)
		return str_eq(l->raw, r->raw);
	if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
		return a.kind == b.kind;
	if (l->type == JT_FLOAT && a.kind != VALUE_DECIMAL && b.kind != VALUE_DECIMAL)
		return a.d == b.d;
	if (l->type == JT_INTEGER)
		return a.kind == VALUE_ULONG || b.kind == VALUE_ULONG ? a.u == b.u && a.kind == b.kind : a.i == b.i;
	return a.kind == b.kind && (value_equals(a, b) || (a.kind == VALUE_DECIMAL && value_compare(a, b, &comparable) == 0));
}

static bool equal(const struct jtoken *l, const struct jtoken *r, unsigned depth)
{
	if (!jt_is_container(l) || !jt_is_container(r))
		return !jt_is_container(l) && !jt_is_container(r) && leaves_equal(l, r);
	if (l->type != r->type || l->n != r->n || depth >= JT_DEPTH_MAX)
		return false;
	if (l->type >= JT_CONSTRUCTOR && !str_eq(l->name, r->name))
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct jtoken *other = r->v[i];

		if (l->type == JT_OBJECT)
			other = jt_find((struct jtoken *)(uintptr_t)r, l->v[i]->name);
		if (!other || !equal(l->v[i], other, depth + 1))
			return false;
	}
	return true;
}

static uint64_t count(const struct jtoken *t, unsigned depth)
{
	uint64_t n = 1;

	for (size_t i = 0; depth < JT_DEPTH_MAX && jt_is_container(t) && i < t->n; i++)
		n += jt_is_container(t->v[i]) ? count(t->v[i], depth + 1) : 1;
	return n;
}

uint64_t jt_count(const struct jtoken *t)
{
	return count(t, 0);
}

bool jt_equal(const struct jtoken *l, const struct jtoken *r)
{
	return equal(l, r, 0);
}

uint64_t jt_hash(const struct jtoken *t)
{
	uint64_t h = (uint64_t)t->type * 31 + (jt_is_container(t) ? t->n : 0);

	return jt_is_container(t) || t->value.kind == VALUE_NULL ? h : h ^ value_hash(t->value);
}

static bool plain_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (strchr(" .'/\"[]()\t\n\r\f\b\\", name.p[i]))
			return false;
	return true;
}

struct str jt_path(struct arena *a, const struct jtoken *t)
{
	const struct jtoken *steps[JT_DEPTH_MAX * 2];
	struct out o = out_in(a);
	size_t n = 0;

	for (; t && t->parent && n < ARRAY_LEN(steps); t = t->parent)
		steps[n++] = t;
	while (n-- > 0) {
		t = steps[n];
		if (t->type == JT_PROPERTY && plain_name(t->name)) {
			if (o.n)
				out_char(&o, '.');
			out_put(&o, t->name);
		} else if (t->type == JT_PROPERTY) {
			out_add(&o, "['", 2);
			out_put(&o, t->name);
			out_add(&o, "']", 2);
		} else if (t->parent->type == JT_ARRAY || t->parent->type == JT_CONSTRUCTOR) {
			out_fmt(&o, "[%zu]", jt_position(t));
		}
	}
	return out_str(&o);
}
