/* lib_comparer.c - StringComparer: how dictionaries, sets and sorting treat strings. */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/library.h"
#include "policy/expr/text.h"
#include "policy/expr/vm.h"

struct comparer {
	struct object head;
	bool ordinal, ignore_case;
};

static struct value_class class_string_comparer;

#define COMPARER(name, ordinal_, ignore_case_)                                                    \
	static const struct comparer name = { { &class_string_comparer }, ordinal_, ignore_case_ }; \
	static bool get_##name(struct vm_call *c)                                                 \
	{                                                                                         \
		return vm_return(c, value_object(&name));                                         \
	}
COMPARER(ordinal, true, false)
COMPARER(ordinal_ignore_case, true, true)
COMPARER(culture, false, false)
COMPARER(culture_ignore_case, false, true)

static const struct comparer *self_of(const struct vm_call *c)
{
	return (const struct comparer *)(const void *)c->self.object;
}

/* Letters of ASCII lose their case; others are compared as they are. */
static struct value folded(struct vm_call *c, struct value v, bool upper)
{
	struct str s = value_str(v);
	char *to = s.p ? arena_alloc_text(c->arena, s.n + 1) : NULL;

	if (!to)
		return v;
	for (size_t i = 0; i < s.n; i++)
		to[i] = upper ? ascii_upper(s.p[i]) : ascii_lower(s.p[i]);
	return value_string(c->arena, (struct str){ to, s.n }, false);
}

static int order(struct vm_call *c, struct value l, struct value r)
{
	bool comparable;

	if (self_of(c)->ignore_case) {
		l = folded(c, l, self_of(c)->ordinal);
		r = folded(c, r, self_of(c)->ordinal);
	}
	if (self_of(c)->ordinal && l.kind == VALUE_STRING && r.kind == VALUE_STRING)
		return text_compare_ordinal(l.text, r.text);
	return value_compare(l, r, &comparable);
}

static bool compare(struct vm_call *c)
{
	return vm_charge(c->vm, value_str(c->args[0]).n / 32) && vm_return(c, value_int(order(c, c->args[0], c->args[1])));
}

static bool equals(struct vm_call *c)
{
	bool same = self_of(c)->ignore_case ? order(c, c->args[0], c->args[1]) == 0 : value_equals(c->args[0], c->args[1]);

	return vm_charge(c->vm, value_str(c->args[0]).n / 32) && vm_return(c, value_bool(same));
}

static bool hash(struct vm_call *c)
{
	struct str s = value_str(c->args[0]);
	uint64_t h = self_of(c)->ignore_case ? str_hash_ci(s) : str_hash(s);

	if (!s.p)
		return vm_throw_null(c, "obj");
	return vm_return(c, value_int((int32_t)(uint32_t)h));
}

/* (culture, ignoreCase): there is one culture */
static bool create(struct vm_call *c)
{
	if (c->args[0].kind == VALUE_NULL)
		return vm_throw_null(c, "culture");
	return vm_return(c, value_object(c->args[1].b ? &culture_ignore_case : &culture));
}

/* ---- what a dictionary or set compares with ------------------------------------------------------------------------------- */

static struct value_class class_default_comparer, class_set_comparer;

struct typed_comparer {
	struct generic_object g;
};

static bool default_equals(struct vm_call *c)
{
	return vm_return(c, value_bool(value_equals(c->args[0], c->args[1])));
}

static bool default_hash(struct vm_call *c)
{
	return vm_return(c, value_int((int32_t)(uint32_t)value_hash(c->args[0])));
}

/* Sets are equal when they have the same elements. */
static bool sets_equal(struct vm_call *c)
{
	const struct dictionary *l = dictionary_of(c->args[0]), *r = dictionary_of(c->args[1]);

	if (!l || !r)
		return vm_return(c, value_bool(!l && !r));
	if (!vm_charge(c->vm, l->used) || l->n != r->n)
		return !vm_failed(c->vm) && vm_return(c, value_bool(false));
	for (size_t i = 0; i < l->used; i++)
		if (!l->entries[i].gone && !dictionary_find(r, l->entries[i].key))
			return vm_return(c, value_bool(false));
	return vm_return(c, value_bool(true));
}

static bool set_hash(struct vm_call *c)
{
	const struct dictionary *d = dictionary_of(c->args[0]);
	uint64_t hash = 0;

	for (size_t i = 0; d && i < d->used; i++)
		hash ^= d->entries[i].gone ? 0 : value_hash(d->entries[i].key);
	return vm_charge(c->vm, d ? d->used : 1) && vm_return(c, value_int((int32_t)(uint32_t)hash));
}

static struct value typed(struct vm_call *c, const struct value_class *cls, const struct type *t)
{
	struct typed_comparer *k = vm_new(c, cls, sizeof(*k));

	if (k)
		k->g.type = type_make1(c->arena, cls, t);
	return k ? value_object(k) : VALUE_NULL_INIT;
}

struct value comparer_of(struct vm_call *c, const struct type *t, bool ignore_case)
{
	return ignore_case ? value_object(&ordinal_ignore_case) : typed(c, &class_default_comparer, t);
}

struct value comparer_of_sets(struct vm_call *c, const struct type *set)
{
	return typed(c, &class_set_comparer, set);
}

bool comparer_ignores_case(struct vm *vm, struct value comparer)
{
	if (comparer.kind == VALUE_NULL || value_is(comparer, &class_default_comparer))
		return false;
	if (value_is(comparer, &class_string_comparer))
		return ((const struct comparer *)(const void *)comparer.object)->ignore_case;
	vm_throw(vm_scratch(vm), EX_NOT_SUPPORTED, "A dictionary or set compares by StringComparer or by the equality of its keys only.");
	return false;
}

#define TYPED(id, full, equal, hash)                                                                              \
	static const struct class_member id##_members[] = {                                                       \
		{ "bool Equals(T x, T y)", equal }, { "int GetHashCode(T obj)", hash }, { 0 }                     \
	};                                                                                                        \
	static struct value_class class_##id = {                                                                  \
		.name = full, .parameters = "T", .members = id##_members, .interfaces = "IEqualityComparer<T>"    \
	}
TYPED(default_comparer, "System.Collections.Generic.ObjectEqualityComparer", default_equals, default_hash);
TYPED(set_comparer, "System.Collections.Generic.HashSetEqualityComparer", sets_equal, set_hash);

static const struct class_member members[] = {
	{ "static StringComparer Create(CultureInfo culture, bool ignoreCase)", create },
	{ "static StringComparer Ordinal { get; }", get_ordinal },
	{ "static StringComparer OrdinalIgnoreCase { get; }", get_ordinal_ignore_case },
	{ "static StringComparer InvariantCulture { get; }", get_culture },
	{ "static StringComparer InvariantCultureIgnoreCase { get; }", get_culture_ignore_case },
	{ "static StringComparer CurrentCulture { get; }", get_culture },
	{ "static StringComparer CurrentCultureIgnoreCase { get; }", get_culture_ignore_case },
	{ "int Compare(string x, string y)", compare },
	{ "bool Equals(string x, string y)", equals },
	{ "int GetHashCode(string obj)", hash },
	{ 0 }
};
static struct value_class class_string_comparer = {
	.name = "System.StringComparer", .members = members, .interfaces = "IComparer<string>, IEqualityComparer<string>",
};

static struct value_class *const classes[] = { &class_string_comparer, &class_default_comparer, &class_set_comparer, NULL };
const struct class_module comparer_module = { classes, NULL };
