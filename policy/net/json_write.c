/* json_write.c - JSON text as Newtonsoft prints it: doubles always with a point, dates in ISO 8601, bytes in base 64. */
#include "core/str.h"
#include "policy/expr/decimal.h"
#include "policy/net/base64.h"
#include "policy/net/json.h"
#include "policy/net/number.h"
#include "policy/net/time.h"
#include "policy/net/types.h"
#include "policy/net/unicode.h"

void jt_write_string(struct out *o, struct str s)
{
	static const char escapes[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	size_t done = 0, at = 0;

	out_char(o, '"');
	while (at < s.n) {
		size_t begin = at;
		unsigned char ch = (unsigned char)s.p[at];
		const char *escape = NULL;
		uint32_t cp = ch;

		if (ch >= 0x20 && ch != '"' && ch != '\\' && ch < 0x80) {
			at++;
			continue;
		}
		cp = utf8_next(s, &at);
		if (cp >= 0x20 && cp != '"' && cp != '\\' && cp != 0x85 && cp != 0x2028 && cp != 0x2029)
			continue;
		out_add(o, s.p + done, begin - done);
		done = at;
		for (const char *e = escapes; cp && *e && !escape; e += 2)
			escape = (unsigned char)*e == cp ? e + 1 : NULL;
		if (escape) {
			out_char(o, '\\');
			out_char(o, *escape);
		} else {
			out_fmt(o, "\\u%04x", cp);
		}
	}
	out_add(o, s.p + done, s.n - done);
	out_char(o, '"');
}

static void write_real(struct out *o, struct value v)
{
	char text[64];
	struct out t = { .p = text, .cap = sizeof(text) };
	struct str s;

	number_text(&t, v);
	s = out_str(&t);
	if (str_eq(s, STR("NaN")) || str_ends(s, STR("Infinity"))) {
		out_char(o, '"');
		out_put(o, s);
		out_char(o, '"');
		return;
	}
	out_put(o, s);
	if (str_find_char(s, '.') == SIZE_MAX && str_find_char(s, 'E') == SIZE_MAX)
		out_add(o, ".0", 2);
}

static void write_date(struct out *o, struct value v)
{
	bool offset = value_class_of(v) == &class_date_offset;
	struct str format = STR("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK");

	out_char(o, '"');
	if (offset)
		offset_value_format(o, v, format);
	else
		date_value_format(o, v, format);
	out_char(o, '"');
}

static void write_quoted(struct out *o, struct value v)
{
	struct str s = value_to_text(o->a, v);

	if (s.p)
		jt_write_string(o, s);
	else
		o->failed = true;
}

static void write_leaf(struct out *o, const struct jtoken *t)
{
	switch (t->type) {
	case JT_INTEGER:
		if (t->raw.p)
			out_put(o, t->raw);
		else
			number_text(o, t->value);
		return;
	case JT_FLOAT:
		write_real(o, t->value);
		return;
	case JT_BOOLEAN:
		out_put(o, t->value.b ? STR("true") : STR("false"));
		return;
	case JT_NULL:
		out_put(o, STR("null"));
		return;
	case JT_UNDEFINED:
		out_put(o, STR("undefined"));
		return;
	case JT_DATE:
		write_date(o, t->value);
		return;
	case JT_RAW:
		out_put(o, t->raw.p ? t->raw : STR("null"));
		return;
	case JT_COMMENT:
		out_add(o, "/*", 2);
		out_put(o, t->raw);
		out_add(o, "*/", 2);
		return;
	case JT_BYTES:
		out_char(o, '"');
		out_put(o, base64_text(o->a, value_bytes(t->value)));
		out_char(o, '"');
		return;
	case JT_STRING:
		if (t->value.kind == VALUE_NULL)
			out_put(o, STR("null"));
		else
			jt_write_string(o, value_str(t->value));
		return;
	default:
		write_quoted(o, t->value);
		return;
	}
}

static void line(struct out *o, unsigned depth, bool indented)
{
	if (!indented)
		return;
	out_add(o, JT_NEW_LINE, sizeof(JT_NEW_LINE) - 1);
	out_fill(o, ' ', (size_t)depth * 2);
}

static void write_token(struct out *o, const struct jtoken *t, bool indented, unsigned depth)
{
	bool array = t->type != JT_OBJECT;

	if (depth >= JT_DEPTH_MAX || o->failed) {
		o->failed = true;
		return;
	}
	if (!jt_is_container(t)) {
		write_leaf(o, t);
		return;
	}
	if (t->type == JT_PROPERTY) {
		jt_write_string(o, t->name);
		out_add(o, ": ", indented ? 2 : 1);
		if (t->n)
			write_token(o, t->v[0], indented, depth);
		else
			out_put(o, STR("null"));
		return;
	}
	if (t->type == JT_CONSTRUCTOR) {
		out_add(o, "new ", 4);
		out_put(o, t->name);
		out_char(o, '(');
	} else {
		out_char(o, array ? '[' : '{');
	}
	for (size_t i = 0; i < t->n; i++) {
		if (i)
			out_char(o, ',');
		line(o, depth + 1, indented);
		write_token(o, t->v[i], indented, depth + 1);
	}
	if (t->n)
		line(o, depth, indented);
	out_char(o, t->type == JT_CONSTRUCTOR ? ')' : array ? ']' : '}');
}

void jt_write(struct out *o, const struct jtoken *t, bool indented)
{
	write_token(o, t, indented, 0);
}

void jt_text(struct arena *a, struct out *o, const struct jtoken *t)
{
	struct str s;

	if (jt_is_container(t)) {
		jt_write(o, t, true);
		return;
	}
	if (t->raw.p) {
		out_put(o, t->raw);
		return;
	}
	s = value_to_text(a, t->value);
	if (s.p)
		out_put(o, s);
	else
		o->failed = true;
}
