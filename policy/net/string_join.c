/* string_join.c - System.String: Split, Join, Concat, Format. */
#include "core/str.h"
#include "policy/net/format.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/string_search.h"
#include "policy/net/unicode.h"

enum { REMOVE_EMPTY = 1, TRIM_ENTRIES = 2, NO_LIMIT = INT32_MAX };

enum { LONG_SEPARATOR = 64 };         /* bytes */

/* ---- splitting -------------------------------------------------------------------------------------------------------------- */

struct split {
	struct vm_call *c;
	const struct array *set;     /* separators: chars or strings; NULL or empty: white space */
	struct value one;            /* or a single one */
	int64_t max;
	int64_t options;
	struct str *parts;
	size_t n, cap;
};

static struct str trim_white(struct str s)
{
	size_t begin;

	for (size_t at = 0; s.n && unicode_is_white(utf8_next(s, &at)); at = 0)
		s = str_from(s, at);
	while (s.n && unicode_is_white(utf8_before(s, s.n, &begin)))
		s.n = begin;
	return s;
}

static bool keep_part(struct split *s, struct str part)
{
	if (s->options & TRIM_ENTRIES)
		part = trim_white(part);
	if (part.n == 0 && (s->options & REMOVE_EMPTY))
		return true;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;
		struct str *v = vm_alloc(s->c, cap, sizeof(*v));

		if (!v)
			return false;
		if (s->n)
			memcpy(v, s->parts, s->n * sizeof(*v));
		s->parts = v;
		s->cap = cap;
	}
	s->parts[s->n++] = (struct str){ part.n ? part.p : "", part.n };
	return true;
}

/* Length of the separator at byte `at`; 0: none stands there. */
/* A long one that nearly matches at many places would be looked at to its end at each: it is paid for. */
static bool separates(const struct split *s, struct str text, struct str separator)
{
	if (separator.n <= LONG_SEPARATOR)
		return str_starts(text, separator);
	return str_starts(text, str_first(separator, LONG_SEPARATOR)) && vm_charge(s->c->vm, separator.n / LONG_SEPARATOR) &&
	       str_starts(text, separator);
}

static size_t separator_at(const struct split *s, struct str text, size_t at)
{
	size_t next = at, n = s->set ? s->set->n : s->one.kind == VALUE_NULL ? 0 : 1;
	uint32_t cp = utf8_next(text, &next);

	for (size_t i = 0; i < n; i++) {
		struct value v = s->set ? array_get(s->set, i) : s->one;

		if (v.kind == VALUE_CHAR && v.u == cp)
			return next - at;
		if (v.kind == VALUE_STRING && v.text->n && separates(s, str_from(text, at), text_str(v.text)))
			return v.text->n;
	}
	if (n == 0)
		return unicode_is_white(cp) ? next - at : 0;
	return 0;
}

static bool split_text(struct split *s, struct str text)
{
	size_t begin = 0, at = 0;

	if (s->max == 1)
		return keep_part(s, text);
	while (at < text.n && (int64_t)s->n < s->max - 1) {
		size_t n = separator_at(s, text, at);

		if (n == 0) {
			utf8_next(text, &at);
			continue;
		}
		if (!keep_part(s, (struct str){ text.p + begin, at - begin }))
			return false;
		begin = at += n;
	}
	if (s->options & REMOVE_EMPTY)           /* the last part takes the rest, without separators before it */
		for (size_t n; begin < text.n && (n = separator_at(s, text, begin)) > 0;)
			begin += n;
	return keep_part(s, str_from(text, begin));
}

static bool split(struct vm_call *c)
{
	struct split s = { .c = c, .max = NO_LIMIT };
	struct array *out;

	s.set = value_array(c->args[0]);
	if (!s.set)
		s.one = c->args[0];
	for (size_t i = 1; i < c->n; i++) {
		if (c->args[i].kind == VALUE_INT)
			s.max = c->args[i].i;
		else
			s.options = enum_value(c->args[i]);
	}
	if (s.max < 0)
		return vm_throw_range(c, "count", "Count cannot be less than zero.");
	if (!charge_bytes(c, self_str(c).n * (1 + (s.set ? s.set->n : 0))))
		return false;
	if (s.max > 0 && !split_text(&s, self_str(c)))
		return false;
	out = vm_array(c, s.n);
	if (!out)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		out->v[i] = value_string(c->arena, s.parts[i], false);
		if (out->v[i].kind == VALUE_NULL)
			return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	return vm_return(c, value_object(out));
}

/* ---- joining ---------------------------------------------------------------------------------------------------------------- */

struct joiner {
	struct out o;
	struct str separator;
	size_t n;
};

static void join_value(struct vm_call *c, struct joiner *j, struct value v)
{
	if (j->n++)
		out_put(&j->o, j->separator);
	out_put(&j->o, v.kind == VALUE_STRING ? text_str(v.text) : value_to_text(c->arena, v));
}

static bool join_iterated(struct vm_call *c, struct joiner *j, struct value source)
{
	struct iterator *it = vm_iterate(c->vm, source);
	struct value v;

	if (!it)
		return false;
	while (vm_next(c->vm, it, &v))
		join_value(c, j, v);
	return !vm_failed(c->vm) && give_new(c, out_str(&j->o));
}

static struct str separator_of(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (c->args[0].kind != VALUE_CHAR)
		return arg_str(c, 0);
	out_code_point(&o, (uint32_t)c->args[0].u);
	return out_str(&o);
}

static bool join(struct vm_call *c)
{
	struct joiner j = { .o = out_in(c->arena), .separator = separator_of(c) };
	const struct array *set = value_array(c->args[1]);
	int64_t from = c->n > 2 ? arg_int(c, 2) : 0, count;

	if (arg_is_null(c, 1))
		return vm_throw_null(c, c->n > 2 ? "value" : "values");
	if (!set)
		return join_iterated(c, &j, c->args[1]);
	count = c->n > 3 ? arg_int(c, 3) : (int64_t)set->n;
	if (from < 0)
		return vm_throw_range(c, "startIndex", "StartIndex cannot be less than zero.");
	if (count < 0)
		return vm_throw_range(c, "count", "Count cannot be less than zero.");
	if (from > (int64_t)set->n - count)
		return vm_throw_range(c, "startIndex", "Index and count must refer to a location within the buffer.");
	for (int64_t i = from; i < from + count; i++)
		join_value(c, &j, array_get(set, (size_t)i));
	return give_new(c, out_str(&j.o));
}

static bool concat_list(struct vm_call *c)
{
	struct joiner j = { .o = out_in(c->arena), .separator = STR("") };

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "values");
	return join_iterated(c, &j, c->args[0]);
}

static bool concat(struct vm_call *c)
{
	struct joiner j = { .o = out_in(c->arena), .separator = STR("") };

	for (size_t i = 0; i < c->n; i++)
		join_value(c, &j, c->args[i]);
	return give_new(c, out_str(&j.o));
}

static bool format(struct vm_call *c)
{
	size_t at = c->args[0].kind == VALUE_STRING ? 0 : c->n - 2;
	const struct array *args = value_array(c->args[c->n - 1]);
	struct value *v = NULL;
	struct out o = out_in(c->arena);

	if (arg_is_null(c, at))
		return vm_throw_null(c, "format");
	if (!args)
		return vm_throw_null(c, "args");
	v = vm_alloc(c, args->n + 1, sizeof(*v));
	if (!v)
		return false;
	for (size_t i = 0; i < args->n; i++)
		v[i] = array_get(args, i);
	return format_composite(c, &o, arg_str(c, at), v, args->n) && give_new(c, out_str(&o));
}

static const struct class_member members[] = {
	{ "string[] Split(params char[] separator)", split },
	{ "string[] Split(char[] separator, int count)", split },
	{ "string[] Split(char[] separator, StringSplitOptions options)", split },
	{ "string[] Split(char[] separator, int count, StringSplitOptions options)", split },
	{ "string[] Split(string[] separator, StringSplitOptions options)", split },
	{ "string[] Split(string[] separator, int count, StringSplitOptions options)", split },
	{ "string[] Split(char separator, StringSplitOptions options = StringSplitOptions.None)", split },
	{ "string[] Split(char separator, int count, StringSplitOptions options = StringSplitOptions.None)", split },
	{ "string[] Split(string separator, StringSplitOptions options = StringSplitOptions.None)", split },
	{ "string[] Split(string separator, int count, StringSplitOptions options = StringSplitOptions.None)", split },
	{ "static string Join(string separator, params string[] value)", join },
	{ "static string Join(string separator, params object[] values)", join },
	{ "static string Join(string separator, IEnumerable<string> values)", join },
	{ "static string Join<T>(string separator, IEnumerable<T> values)", join },
	{ "static string Join(string separator, string[] value, int startIndex, int count)", join },
	{ "static string Join(char separator, params string[] value)", join },
	{ "static string Join(char separator, params object[] values)", join },
	{ "static string Join<T>(char separator, IEnumerable<T> values)", join },
	{ "static string Concat(object arg0)", concat },
	{ "static string Concat(object arg0, object arg1)", concat },
	{ "static string Concat(object arg0, object arg1, object arg2)", concat },
	{ "static string Concat(params object[] args)", concat_list },
	{ "static string Concat(string str0, string str1)", concat },
	{ "static string Concat(string str0, string str1, string str2)", concat },
	{ "static string Concat(string str0, string str1, string str2, string str3)", concat },
	{ "static string Concat(params string[] values)", concat_list },
	{ "static string Concat(IEnumerable<string> values)", concat_list },
	{ "static string Concat<T>(IEnumerable<T> values)", concat_list },
	{ "static string Format(string format, params object[] args)", format },
	{ "static string Format(IFormatProvider provider, string format, params object[] args)", format },
	{ 0 }
};
static const struct class_member split_options[] = {
	{ "None = 0" }, { "RemoveEmptyEntries = 1" }, { "TrimEntries = 2" },
	{ 0 }
};

static struct value_class class_split_options = {
	.name = "System.StringSplitOptions", .kind = CLASS_ENUM, .flags = true, .members = split_options
};
static struct value_class *const classes[] = { &class_split_options, NULL };
static const struct class_part parts[] = { { &class_string, members }, { NULL, NULL } };

const struct class_module net_string_join = { .classes = classes, .parts = parts };
