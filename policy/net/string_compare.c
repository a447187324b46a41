/* string_compare.c - System.String: equality and order; StringComparison. */
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/string_search.h"

#define OUT_OF_RANGE "Index was out of range. Must be non-negative and less than the size of the collection."

static size_t shorter(struct str l, struct str r)
{
	return l.n < r.n ? l.n : r.n;
}

/* What is not ASCII is taken apart to code points. */
static bool charge_order(struct vm_call *c, const struct text *l, const struct text *r)
{
	if (!l || !r)
		return true;
	return (l->ascii && r->ascii ? charge_work : charge_each)(c, l->n < r->n ? l->n : r->n);
}

static bool equals(struct vm_call *c)
{
	bool ignore_case = c->n > 1 && comparison_ci(arg_enum(c, 1));

	return (ignore_case ? charge_work : charge_bytes)(c, shorter(self_str(c), arg_str(c, 0))) &&
	       give_bool(c, !arg_is_null(c, 0) && same_text(self_str(c), arg_str(c, 0), ignore_case));
}

static bool static_equals(struct vm_call *c)
{
	bool ignore_case = c->n > 2 && comparison_ci(arg_enum(c, 2));

	if (arg_is_null(c, 0) || arg_is_null(c, 1))
		return give_bool(c, arg_is_null(c, 0) && arg_is_null(c, 1));
	return (ignore_case ? charge_work : charge_bytes)(c, shorter(arg_str(c, 0), arg_str(c, 1))) &&
	       give_bool(c, same_text(arg_str(c, 0), arg_str(c, 1), ignore_case));
}

static int64_t comparison_of(const struct vm_call *c, size_t i)
{
	if (c->n <= i)
		return CURRENT_CULTURE;
	if (c->args[i].kind == VALUE_BOOL)
		return c->args[i].b ? CURRENT_CULTURE_CI : CURRENT_CULTURE;
	return arg_enum(c, i);
}

static bool compare(struct vm_call *c)
{
	return charge_order(c, arg_text(c, 0), arg_text(c, 1)) &&
	       give_int(c, compare_texts(arg_text(c, 0), arg_text(c, 1), comparison_of(c, 2)));
}

/* Compare(strA, indexA, strB, indexB, length, [how]): cuts both, then compares. */
static bool cut(struct vm_call *c, size_t at, const struct text **out)
{
	const struct text *t = arg_text(c, at);
	int64_t from = arg_int(c, at + 1), count = arg_int(c, 4), length = t ? text_length(t) : 0;

	*out = NULL;
	if (!t)
		return true;
	if (count < 0)
		return vm_throw_range(c, "length", "Length cannot be less than zero.");
	if (from < 0 || from > length)
		return vm_throw_range(c, at ? "indexB" : "indexA", OUT_OF_RANGE);
	*out = text_slice(c->arena, t, from, count < length - from ? count : length - from);
	return *out || vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool compare_parts(struct vm_call *c)
{
	const struct text *l, *r;

	if (!cut(c, 0, &l) || !cut(c, 2, &r))
		return false;
	return give_int(c, compare_texts(l, r, comparison_of(c, 5)));
}

/* CompareOrdinal tells the distance of the first units that differ. */
static bool ordinal_distance(struct vm_call *c, const struct text *l, const struct text *r)
{
	size_t nl, nr, i = 0;
	uint16_t *ul, *ur;

	if (!l || !r)
		return give_int(c, l ? 1 : r ? -1 : 0);
	if (!charge_work(c, l->n + r->n))
		return false;
	ul = text_units(c->arena, l, &nl);
	ur = text_units(c->arena, r, &nr);
	if (!ul || !ur)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	while (i < nl && i < nr && ul[i] == ur[i])
		i++;
	return give_int(c, i < nl && i < nr ? (int64_t)ul[i] - ur[i] : (int64_t)nl - (int64_t)nr);
}

static bool compare_ordinal(struct vm_call *c)
{
	return ordinal_distance(c, arg_text(c, 0), arg_text(c, 1));
}

static bool compare_ordinal_parts(struct vm_call *c)
{
	const struct text *l, *r;

	return cut(c, 0, &l) && cut(c, 2, &r) && ordinal_distance(c, l, r);
}

static bool compare_to(struct vm_call *c)
{
	if (!arg_is_null(c, 0) && c->args[0].kind != VALUE_STRING)
		return vm_throw(c, EX_ARGUMENT, "Object must be of type String.");
	return charge_order(c, c->self.text, arg_text(c, 0)) &&
	       give_int(c, compare_texts(c->self.text, arg_text(c, 0), CURRENT_CULTURE));
}

static const struct class_member members[] = {
	{ "bool Equals(string value)", equals },
	{ "bool Equals(string value, StringComparison comparisonType)", equals },
	{ "static bool Equals(string a, string b)", static_equals },
	{ "static bool Equals(string a, string b, StringComparison comparisonType)", static_equals },
	{ "static int Compare(string strA, string strB)", compare },
	{ "static int Compare(string strA, string strB, bool ignoreCase)", compare },
	{ "static int Compare(string strA, string strB, StringComparison comparisonType)", compare },
	{ "static int Compare(string strA, string strB, bool ignoreCase, CultureInfo culture)", compare },
	{ "static int Compare(string strA, int indexA, string strB, int indexB, int length)", compare_parts },
	{ "static int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase)", compare_parts },
	{ "static int Compare(string strA, int indexA, string strB, int indexB, int length, StringComparison comparisonType)",
	  compare_parts },
	{ "static int CompareOrdinal(string strA, string strB)", compare_ordinal },
	{ "static int CompareOrdinal(string strA, int indexA, string strB, int indexB, int length)", compare_ordinal_parts },
	{ "int CompareTo(string strB)", compare_to },
	{ "int CompareTo(object value)", compare_to },
	{ 0 }
};
static const struct class_member comparisons[] = {
	{ "CurrentCulture = 0" }, { "CurrentCultureIgnoreCase = 1" }, { "InvariantCulture = 2" },
	{ "InvariantCultureIgnoreCase = 3" }, { "Ordinal = 4" }, { "OrdinalIgnoreCase = 5" },
	{ 0 }
};

struct value_class class_string_comparison = {
	.name = "System.StringComparison", .kind = CLASS_ENUM, .members = comparisons
};
static struct value_class *const classes[] = { &class_string_comparison, NULL };
static const struct class_part parts[] = { { &class_string, members }, { NULL, NULL } };

const struct class_module net_string_compare = { .classes = classes, .parts = parts };
