/* lib_comparer.c - StringComparer: how dictionaries, sets and sorting treat strings. */
#include "core/str.h"
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

static const struct class_member members[] = {
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

static struct value_class *const classes[] = { &class_string_comparer, NULL };
const struct class_module comparer_module = { classes, NULL };
