/* string.c - System.String: questions, parts, case. Comparing, joining, splitting stand in files of their own. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/string_search.h"
#include "policy/net/unicode.h"

#define OUT_OF_RANGE "Index was out of range. Must be non-negative and less than the size of the collection."
#define COUNT_RANGE "Count must be positive and count must refer to a location within the string/array/collection."

static bool get_length(struct vm_call *c)
{
	return charge_text(c, c->self.text) && give_int(c, text_length(c->self.text));
}

static bool get_char(struct vm_call *c)
{
	int64_t i = arg_int(c, 0);

	if (!charge_text(c, c->self.text))
		return false;
	if (i < 0 || i >= text_length(c->self.text))
		return vm_throw(c, EX_INDEX_RANGE, NULL);
	return vm_return(c, value_char(text_unit(c->self.text, i)));
}

static bool get_empty(struct vm_call *c)
{
	return vm_return_str(c, STR(""));
}

static bool is_null_or_empty(struct vm_call *c)
{
	return give_bool(c, arg_str(c, 0).n == 0);
}

static bool is_null_or_white(struct vm_call *c)
{
	struct str s = arg_str(c, 0);
	size_t at = 0;

	while (at < s.n)
		if (!unicode_is_white(utf8_next(s, &at)))
			return give_bool(c, false);
	return give_bool(c, true);
}

/* ---- searching ---------------------------------------------------------------------------------------------------------- */

/* Overloads differ by the kinds of their arguments: (char|string value, [int from, [int count]], [StringComparison]). */
struct search {
	char unit[4];
	struct str part;
	int64_t numbers[2];
	unsigned n_numbers;
	bool ignore_case;
};

static bool read_search(struct vm_call *c, struct search *s)
{
	*s = (struct search){ .part = STR_NULL };
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "value");
	if (c->args[0].kind == VALUE_CHAR) {
		struct out o = { .p = s->unit, .cap = sizeof(s->unit) };

		out_code_point(&o, (uint32_t)c->args[0].u);
		s->part = out_str(&o);
	} else {
		s->part = arg_str(c, 0);
	}
	for (size_t i = 1; i < c->n; i++) {
		if (c->args[i].kind == VALUE_INT && s->n_numbers < 2)
			s->numbers[s->n_numbers++] = c->args[i].i;
		else if (c->args[i].kind == VALUE_BOOL)
			s->ignore_case = c->args[i].b;
		else if (value_is(c->args[i], &class_string_comparison))
			s->ignore_case = comparison_ci(enum_value(c->args[i]));
	}
	return charge_bytes(c, self_str(c).n * (s->ignore_case ? 8 : 1));
}

static bool index_of(struct vm_call *c)
{
	const struct text *t = c->self.text;
	int64_t length = text_length(t), from, count;
	size_t begin, end, found;
	struct search s;

	if (!read_search(c, &s))
		return false;
	from = s.n_numbers > 0 ? s.numbers[0] : 0;
	if (from < 0 || from > length)
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	count = s.n_numbers > 1 ? s.numbers[1] : length - from;
	if (count < 0 || count > length - from)
		return vm_throw_range(c, "count", COUNT_RANGE);
	begin = text_offset(t, from);
	end = text_offset(t, from + count);
	if (!charge_work(c, end - begin))
		return false;
	found = find_first((struct str){ t->p + begin, end - begin }, s.part, s.ignore_case, NULL);
	return give_int(c, found == SIZE_MAX ? -1 : text_index(t, begin + found));
}

static bool last_index_of(struct vm_call *c)
{
	const struct text *t = c->self.text;
	int64_t length = text_length(t), from, count;
	size_t begin, end, found;
	struct search s;

	if (!read_search(c, &s))
		return false;
	if (length == 0)
		return give_int(c, s.part.n ? -1 : 0);
	from = s.n_numbers > 0 ? s.numbers[0] : length - 1;
	if (from < 0 || from > length)
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	if (from == length)
		from--;
	count = s.n_numbers > 1 ? s.numbers[1] : from + 1;
	if (count < 0 || from - count + 1 < 0)
		return vm_throw_range(c, "count", COUNT_RANGE);
	begin = text_offset(t, from - count + 1);
	end = text_offset(t, from + 1);
	if (s.part.n == 0)
		return give_int(c, from);
	if (!charge_work(c, end - begin))
		return false;
	found = find_last((struct str){ t->p + begin, end - begin }, s.part, s.ignore_case, NULL);
	return give_int(c, found == SIZE_MAX ? -1 : text_index(t, begin + found));
}

static bool any_of(const struct array *set, uint16_t unit)
{
	for (size_t i = 0; i < set->n; i++)
		if (array_get(set, i).u == unit)
			return true;
	return !vm_charge_here(1 + set->n / 2);
}

static bool find_any(struct vm_call *c, bool last)
{
	const struct array *set = value_array(c->args[0]);
	size_t length;
	uint16_t *units;
	int64_t from, count, i, end;

	if (!set)
		return vm_throw_null(c, "anyOf");
	units = text_units(c->arena, c->self.text, &length);
	if (!units || !charge_bytes(c, length))
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	from = c->n > 1 ? arg_int(c, 1) : last ? (int64_t)length - 1 : 0;
	if (length == 0)
		return give_int(c, -1);
	if (from < 0 || from > (int64_t)length)
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	count = c->n > 2 ? arg_int(c, 2) : last ? from + 1 : (int64_t)length - from;
	if (count < 0 || (last ? from - count + 1 < 0 : count > (int64_t)length - from))
		return vm_throw_range(c, "count", COUNT_RANGE);
	end = last ? from - count : from + count;
	for (i = from; i != end; i += last ? -1 : 1)
		if (i < (int64_t)length && any_of(set, units[i]))
			return give_int(c, i);
	return give_int(c, -1);
}

static bool index_of_any(struct vm_call *c)
{
	return find_any(c, false);
}

static bool last_index_of_any(struct vm_call *c)
{
	return find_any(c, true);
}

static bool contains(struct vm_call *c)
{
	struct search s;

	if (!read_search(c, &s))
		return false;
	return charge_work(c, self_str(c).n) && give_bool(c, find_first(self_str(c), s.part, s.ignore_case, NULL) != SIZE_MAX);
}

static bool starts_with(struct vm_call *c)
{
	struct search s;

	if (!read_search(c, &s))
		return false;
	return give_bool(c, match_at(self_str(c), s.part, s.ignore_case) != SIZE_MAX);
}

static bool ends_with(struct vm_call *c)
{
	struct search s;

	if (!read_search(c, &s))
		return false;
	return give_bool(c, (s.ignore_case ? ends_ignoring_case : str_ends)(self_str(c), s.part));
}

/* ---- parts ---------------------------------------------------------------------------------------------------------------- */

static bool substring(struct vm_call *c)
{
	const struct text *t = c->self.text;
	int64_t length = text_length(t), from = arg_int(c, 0), count = c->n > 1 ? arg_int(c, 1) : length - from;

	if (!charge_text(c, t))
		return false;
	if (from < 0)
		return vm_throw_range(c, "startIndex", "StartIndex cannot be less than zero.");
	if (from > length)
		return vm_throw_range(c, "startIndex", "startIndex cannot be larger than length of string.");
	if (count < 0)
		return vm_throw_range(c, "length", "Length cannot be less than zero.");
	if (count > length - from)
		return vm_throw_range(c, "length", "Index and length must refer to a location within the string.");
	return give_text(c, text_slice(c->arena, t, from, count));
}

static bool concat3(struct vm_call *c, const struct text *l, const struct text *m, const struct text *r)
{
	const struct text *head = l && m ? text_concat(c->arena, l, m) : NULL;

	return give_text(c, head && r ? text_concat(c->arena, head, r) : NULL);
}

static bool remove_part(struct vm_call *c)
{
	const struct text *t = c->self.text;
	int64_t length = text_length(t), from = arg_int(c, 0), count = c->n > 1 ? arg_int(c, 1) : length - from;

	if (!charge_text(c, t))
		return false;
	if (from < 0)
		return vm_throw_range(c, "startIndex", "StartIndex cannot be less than zero.");
	if (c->n == 1 && from >= length)
		return vm_throw_range(c, "startIndex", "startIndex must be less than length of string.");
	if (count < 0)
		return vm_throw_range(c, "count", "Count cannot be less than zero.");
	if (count > length - from)
		return vm_throw_range(c, "count", "Index and count must refer to a location within the string.");
	return concat3(c, text_slice(c->arena, t, 0, from), &text_empty,
		       text_slice(c->arena, t, from + count, length - from - count));
}

static bool insert(struct vm_call *c)
{
	const struct text *t = c->self.text;
	int64_t length = text_length(t), at = arg_int(c, 0);

	if (!charge_text(c, t))
		return false;
	if (arg_is_null(c, 1))
		return vm_throw_null(c, "value");
	if (at < 0 || at > length)
		return vm_throw_range(c, "startIndex", NULL);
	return concat3(c, text_slice(c->arena, t, 0, at), arg_text(c, 1), text_slice(c->arena, t, at, length - at));
}

static bool pad(struct vm_call *c, bool left)
{
	int64_t missing = arg_int(c, 0) - text_length(c->self.text);
	struct out o = out_in(c->arena);

	if (!charge_text(c, c->self.text))
		return false;
	if (arg_int(c, 0) < 0)
		return vm_throw_range(c, "totalWidth", "Non-negative number required.");
	if (missing <= 0)
		return vm_return(c, c->self);
	if (!vm_charge(c->vm, (uint64_t)missing / 16))
		return false;
	if (!left)
		out_put(&o, self_str(c));
	for (int64_t i = 0; i < missing && !o.failed; i++)
		out_code_point(&o, c->n > 1 ? (uint32_t)c->args[1].u : ' ');
	if (left)
		out_put(&o, self_str(c));
	return give_new(c, out_str(&o));
}

static bool pad_left(struct vm_call *c)
{
	return pad(c, true);
}

static bool pad_right(struct vm_call *c)
{
	return pad(c, false);
}

enum { TRIM_START = 1, TRIM_END = 2 };

static bool trimmed(const struct vm_call *c, uint32_t cp)
{
	const struct array *set = c->n ? value_array(c->args[0]) : NULL;

	if (!vm_charge(c->vm, 1))
		return false;
	if (c->n && c->args[0].kind == VALUE_CHAR)
		return cp == c->args[0].u;
	if (!set || set->n == 0)
		return unicode_is_white(cp);
	return cp <= 0xFFFF && any_of(set, (uint16_t)cp) && vm_charge(c->vm, 0);
}

static bool trim_ends(struct vm_call *c, unsigned ends)
{
	struct str s = self_str(c);
	size_t at, all = s.n;

	for (at = 0; (ends & TRIM_START) && at < s.n;) {
		size_t begin = at;

		if (!trimmed(c, utf8_next(s, &at))) {
			at = begin;
			break;
		}
	}
	s = str_from(s, at);
	while ((ends & TRIM_END) && s.n) {
		size_t begin;

		if (!trimmed(c, utf8_before(s, s.n, &begin)))
			break;
		s.n = begin;
	}
	if (s.n == all)
		return vm_return(c, c->self);
	return give_new(c, s.n ? s : STR(""));
}

static bool trim(struct vm_call *c)
{
	return trim_ends(c, TRIM_START | TRIM_END);
}

static bool trim_start(struct vm_call *c)
{
	return trim_ends(c, TRIM_START);
}

static bool trim_end(struct vm_call *c)
{
	return trim_ends(c, TRIM_END);
}

static bool to_lower(struct vm_call *c)
{
	return charge_each(c, self_str(c).n) && give_new(c, str_to_lower(c->arena, self_str(c)));
}

static bool to_upper(struct vm_call *c)
{
	return charge_each(c, self_str(c).n) && give_new(c, str_to_upper(c->arena, self_str(c)));
}

static bool replace_all(struct vm_call *c, struct str old, struct str with, bool ignore_case)
{
	struct str s = self_str(c);
	struct out o = out_in(c->arena);
	size_t n, found;

	if (!(ignore_case ? charge_each : charge_bytes)(c, s.n))
		return false;
	found = find_first(s, old, ignore_case, &n);
	if (found == SIZE_MAX)
		return vm_return(c, c->self);
	for (; found != SIZE_MAX; found = find_first(s, old, ignore_case, &n)) {
		out_add(&o, s.p, found);
		out_put(&o, with);
		s = str_from(s, found + n);
	}
	out_put(&o, s);
	return give_new(c, out_str(&o));
}

static bool replace(struct vm_call *c)
{
	bool ignore_case = c->n > 2 && (c->args[2].kind == VALUE_BOOL ? c->args[2].b : comparison_ci(arg_enum(c, 2)));

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "oldValue");
	if (arg_str(c, 0).n == 0)
		return vm_throw(c, EX_ARGUMENT, "String cannot be of zero length. (Parameter 'oldValue')");
	return replace_all(c, arg_str(c, 0), arg_str(c, 1), ignore_case);
}

static bool replace_char(struct vm_call *c)
{
	char from[4], to[4];
	struct out f = { .p = from, .cap = 4 }, t = { .p = to, .cap = 4 };

	out_code_point(&f, (uint32_t)c->args[0].u);
	out_code_point(&t, (uint32_t)c->args[1].u);
	return replace_all(c, out_str(&f), out_str(&t), false);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------------- */

static bool itself(struct vm_call *c)
{
	return vm_return(c, c->self);
}

static bool copy(struct vm_call *c)
{
	return arg_is_null(c, 0) ? vm_throw_null(c, "str") : vm_return(c, c->args[0]);
}

static bool to_char_array(struct vm_call *c)
{
	size_t length;
	uint16_t *units = text_units(c->arena, c->self.text, &length);
	int64_t from = c->n ? arg_int(c, 0) : 0, count = c->n ? arg_int(c, 1) : (int64_t)length;
	struct array *out;

	if (!units || !charge_bytes(c, length))
		return units ? false : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (from < 0 || from > (int64_t)length || count < 0 || count > (int64_t)length - from)
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	out = vm_array(c, (size_t)count);
	if (!out)
		return false;
	for (int64_t i = 0; i < count; i++)
		out->v[i] = value_char(units[from + i]);
	return vm_return(c, value_object(out));
}

/* CopyTo(sourceIndex, destination, destinationIndex, count) */
static bool copy_to(struct vm_call *c)
{
	struct array *to = value_array(c->args[1]);
	int64_t from = arg_int(c, 0), at = arg_int(c, 2), count = arg_int(c, 3);
	size_t length;
	uint16_t *units = text_units(c->arena, c->self.text, &length);

	if (!units || !charge_bytes(c, length))
		return units ? false : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (!to)
		return vm_throw_null(c, "destination");
	if (count < 0)
		return vm_throw_range(c, "count", NULL);
	if (from < 0 || count > (int64_t)length - from)
		return vm_throw_range(c, "sourceIndex", NULL);
	if (at < 0 || at > (int64_t)to->n || count > (int64_t)to->n - at)
		return vm_throw_range(c, "destinationIndex", NULL);
	for (int64_t i = 0; i < count; i++)
		to->v[at + i] = value_char(units[from + i]);
	return true;
}

static bool new_of_chars(struct vm_call *c)
{
	const struct array *set = value_array(c->args[0]);
	size_t length = set ? set->n : 0;
	int64_t from = c->n > 1 ? arg_int(c, 1) : 0, count = c->n > 1 ? arg_int(c, 2) : (int64_t)length;
	uint16_t *units;

	if (!set && c->n > 1)
		return vm_throw_null(c, "value");
	if (from < 0 || count < 0 || from > (int64_t)length || count > (int64_t)length - from)
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	units = vm_alloc(c, (size_t)count + 1, sizeof(*units));
	if (!units)
		return false;
	for (int64_t i = 0; i < count; i++)
		units[i] = (uint16_t)array_get(set, (size_t)(from + i)).u;
	return give_text(c, text_of_units(c->arena, units, (size_t)count));
}

static bool new_repeated(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (arg_int(c, 1) < 0)
		return vm_throw_range(c, "count", "'count' must be non-negative.");
	if (!vm_charge(c->vm, (uint64_t)arg_int(c, 1) / 16))
		return false;
	if (c->args[0].u < 0x80)
		out_fill(&o, (char)c->args[0].u, (size_t)arg_int(c, 1));
	for (int64_t i = 0; c->args[0].u >= 0x80 && i < arg_int(c, 1) && !o.failed; i++)
		out_code_point(&o, (uint32_t)c->args[0].u);
	return give_new(c, out_str(&o));
}

static const struct class_member members[] = {
	{ "static string Empty { get; }", get_empty },
	{ "String(char c, int count)", new_repeated },
	{ "String(char[] value)", new_of_chars },
	{ "String(char[] value, int startIndex, int length)", new_of_chars },
	{ "int Length { get; }", get_length },
	{ "char this[int index] { get; }", get_char },
	{ "static bool IsNullOrEmpty(string value)", is_null_or_empty },
	{ "static bool IsNullOrWhiteSpace(string value)", is_null_or_white },
	{ "int IndexOf(char value)", index_of },
	{ "int IndexOf(char value, int startIndex)", index_of },
	{ "int IndexOf(char value, int startIndex, int count)", index_of },
	{ "int IndexOf(char value, StringComparison comparisonType)", index_of },
	{ "int IndexOf(string value)", index_of },
	{ "int IndexOf(string value, int startIndex)", index_of },
	{ "int IndexOf(string value, int startIndex, int count)", index_of },
	{ "int IndexOf(string value, StringComparison comparisonType)", index_of },
	{ "int IndexOf(string value, int startIndex, StringComparison comparisonType)", index_of },
	{ "int IndexOf(string value, int startIndex, int count, StringComparison comparisonType)", index_of },
	{ "int LastIndexOf(char value)", last_index_of },
	{ "int LastIndexOf(char value, int startIndex)", last_index_of },
	{ "int LastIndexOf(char value, int startIndex, int count)", last_index_of },
	{ "int LastIndexOf(string value)", last_index_of },
	{ "int LastIndexOf(string value, int startIndex)", last_index_of },
	{ "int LastIndexOf(string value, int startIndex, int count)", last_index_of },
	{ "int LastIndexOf(string value, StringComparison comparisonType)", last_index_of },
	{ "int LastIndexOf(string value, int startIndex, StringComparison comparisonType)", last_index_of },
	{ "int LastIndexOf(string value, int startIndex, int count, StringComparison comparisonType)", last_index_of },
	{ "int IndexOfAny(char[] anyOf)", index_of_any },
	{ "int IndexOfAny(char[] anyOf, int startIndex)", index_of_any },
	{ "int IndexOfAny(char[] anyOf, int startIndex, int count)", index_of_any },
	{ "int LastIndexOfAny(char[] anyOf)", last_index_of_any },
	{ "int LastIndexOfAny(char[] anyOf, int startIndex)", last_index_of_any },
	{ "int LastIndexOfAny(char[] anyOf, int startIndex, int count)", last_index_of_any },
	{ "bool Contains(string value)", contains },
	{ "bool Contains(char value)", contains },
	{ "bool Contains(string value, StringComparison comparisonType)", contains },
	{ "bool Contains(char value, StringComparison comparisonType)", contains },
	{ "bool StartsWith(string value)", starts_with },
	{ "bool StartsWith(char value)", starts_with },
	{ "bool StartsWith(string value, StringComparison comparisonType)", starts_with },
	{ "bool StartsWith(string value, bool ignoreCase, CultureInfo culture)", starts_with },
	{ "bool EndsWith(string value)", ends_with },
	{ "bool EndsWith(char value)", ends_with },
	{ "bool EndsWith(string value, StringComparison comparisonType)", ends_with },
	{ "bool EndsWith(string value, bool ignoreCase, CultureInfo culture)", ends_with },
	{ "string Substring(int startIndex)", substring },
	{ "string Substring(int startIndex, int length)", substring },
	{ "string Remove(int startIndex)", remove_part },
	{ "string Remove(int startIndex, int count)", remove_part },
	{ "string Insert(int startIndex, string value)", insert },
	{ "string PadLeft(int totalWidth)", pad_left },
	{ "string PadLeft(int totalWidth, char paddingChar)", pad_left },
	{ "string PadRight(int totalWidth)", pad_right },
	{ "string PadRight(int totalWidth, char paddingChar)", pad_right },
	{ "string Trim()", trim },
	{ "string Trim(char trimChar)", trim },
	{ "string Trim(params char[] trimChars)", trim },
	{ "string TrimStart()", trim_start },
	{ "string TrimStart(char trimChar)", trim_start },
	{ "string TrimStart(params char[] trimChars)", trim_start },
	{ "string TrimEnd()", trim_end },
	{ "string TrimEnd(char trimChar)", trim_end },
	{ "string TrimEnd(params char[] trimChars)", trim_end },
	{ "string ToLower()", to_lower },
	{ "string ToLower(CultureInfo culture)", to_lower },
	{ "string ToLowerInvariant()", to_lower },
	{ "string ToUpper()", to_upper },
	{ "string ToUpper(CultureInfo culture)", to_upper },
	{ "string ToUpperInvariant()", to_upper },
	{ "string Replace(char oldChar, char newChar)", replace_char },
	{ "string Replace(string oldValue, string newValue)", replace },
	{ "string Replace(string oldValue, string newValue, StringComparison comparisonType)", replace },
	{ "string Replace(string oldValue, string newValue, bool ignoreCase, CultureInfo culture)", replace },
	{ "object Clone()", itself },
	{ "string ToString()", itself },
	{ "string ToString(IFormatProvider provider)", itself },
	{ "static string Copy(string str)", copy },
	{ "static string Intern(string str)", copy },
	{ "void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)", copy_to },
	{ "char[] ToCharArray()", to_char_array },
	{ "char[] ToCharArray(int startIndex, int length)", to_char_array },
	{ 0 }
};
static const struct class_part parts[] = { { &class_string, members }, { NULL, NULL } };

const struct class_module net_string = { .parts = parts };
