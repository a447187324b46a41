#include "policy/net/format.h"

#include "core/str.h"
#include "policy/expr/text.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/number.h"

static bool is_number(enum value_kind k)
{
	return k >= VALUE_SBYTE && k <= VALUE_DECIMAL;
}

/* "G" the name, "D" the number, "X" the number in hexadecimal. */
static bool enum_format(struct arena *a, struct out *o, struct value v, struct str format)
{
	char letter = format.n == 1 ? ascii_upper(format.p[0]) : '\0';

	switch (letter) {
	case 'G':
	case 'F':
		out_put(o, enum_text(a, value_class_of(v), enum_value(v)));
		return true;
	case 'D':
		return number_format(o, value_int(enum_value(v)), STR("D"));
	case 'X':
		return number_format(o, value_int(enum_value(v)), STR("X8"));
	default:
		return false;
	}
}

bool value_format(struct arena *a, struct out *o, struct value v, struct str format)
{
	const struct value_class *cls;

	if (v.kind == VALUE_NULL)
		return true;
	if (is_number(v.kind))
		return number_format(o, v, format);
	cls = value_class_of(v);
	for (const struct net_formatter *f = net_formatters; v.kind == VALUE_OBJECT && f->cls; f++)
		if (f->cls == cls)
			return f->format(o, v, format);
	if (cls->kind == CLASS_ENUM && format.n)
		return enum_format(a, o, v, format);
	out_put(o, value_to_text(a, v));
	return true;
}

static void put_aligned(struct out *o, struct str s, int64_t alignment)
{
	struct text t = { s.n, str_is_ascii(s), s.p };
	int64_t width = alignment < 0 ? -alignment : alignment, length = text_length(&t);
	size_t blanks = width > length ? (size_t)(width - length) : 0;

	if (alignment > 0)
		out_fill(o, ' ', blanks);
	out_put(o, s);
	if (alignment < 0)
		out_fill(o, ' ', blanks);
}

bool format_item(struct vm_call *c, struct out *o, struct value v, int64_t alignment, struct str format)
{
	struct out item = out_in(c->arena);

	if (alignment == 0)
		item = *o;
	if (!vm_charge(c->vm, format.n ? COST_EXACT_FORMAT + format.n * 2 : 5))
		return false;
	if (!value_format(c->arena, &item, v, format))
		return vm_throw(c, EX_FORMAT, "Input string was not in a correct format.");
	if (alignment == 0)
		*o = item;
	else if (item.failed)
		o->failed = true;
	else
		put_aligned(o, out_str(&item), alignment);
	return true;
}

static bool bad_format(struct vm_call *c)
{
	return vm_throw(c, EX_FORMAT, "Input string was not in a correct format.");
}

static void skip_blanks(struct str f, size_t *i)
{
	while (*i < f.n && f.p[*i] == ' ')
		++*i;
}

static bool read_number(struct str f, size_t *i, int64_t *out)
{
	if (*i >= f.n || !ascii_is_digit(f.p[*i]))
		return false;
	for (*out = 0; *i < f.n && ascii_is_digit(f.p[*i]); ++*i) {
		*out = *out * 10 + (f.p[*i] - '0');
		if (*out >= FORMAT_ALIGNMENT_MAX)
			return false;
	}
	return true;
}

struct hole {
	int64_t index, alignment;
	struct str format;
};

/* After "{": index [, alignment] [: format] "}". Braces in a format are doubled. */
static bool read_hole(struct arena *a, struct str f, size_t *i, struct hole *h)
{
	struct out format = out_in(a);
	bool minus;

	*h = (struct hole){ .format = STR("") };
	if (!read_number(f, i, &h->index))
		return false;
	skip_blanks(f, i);
	if (*i < f.n && f.p[*i] == ',') {
		++*i;
		skip_blanks(f, i);
		minus = *i < f.n && f.p[*i] == '-';
		*i += minus;
		if (!read_number(f, i, &h->alignment))
			return false;
		if (minus)
			h->alignment = -h->alignment;
		skip_blanks(f, i);
	}
	if (*i < f.n && f.p[*i] == ':') {
		for (++*i; *i < f.n; ++*i) {
			bool twice = *i + 1 < f.n && f.p[*i + 1] == f.p[*i];

			if (f.p[*i] == '}' && !twice)
				break;
			if (f.p[*i] == '{' && !twice)
				return false;
			*i += f.p[*i] == '{' || f.p[*i] == '}';
			out_char(&format, f.p[*i]);
		}
		h->format = out_str(&format);
	}
	return *i < f.n && f.p[(*i)++] == '}';
}

bool format_composite(struct vm_call *c, struct out *o, struct str f, const struct value *args, size_t n)
{
	for (size_t i = 0; i < f.n;) {
		char ch = f.p[i++];
		struct hole h;

		if ((ch == '{' || ch == '}') && i < f.n && f.p[i] == ch) {
			out_char(o, ch);
			i++;
			continue;
		}
		if (ch == '}')
			return bad_format(c);
		if (ch != '{') {
			out_char(o, ch);
			continue;
		}
		if (!read_hole(c->arena, f, &i, &h))
			return bad_format(c);
		if ((size_t)h.index >= n)
			return vm_throw(c, EX_FORMAT, "Index (zero based) must be greater than or equal to zero and less "
						      "than the size of the argument list.");
		if (!format_item(c, o, args[h.index], h.alignment, h.format))
			return false;
	}
	return true;
}
