#include "core/liquid/internal.h"

#include "core/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Lists and records that the host fills, and values as text. */

struct liquid_list *liquid_list_new(struct arena *a)
{
	/* handed out when the arena is full: it remembers the failure for the renderer and takes no items */
	static struct liquid_list none = { .failed = true };
	struct liquid_list *l = a ? arena_new_of(a, struct liquid_list) : NULL;

	if (!l)
		return &none;
	l->a = a;
	return l;
}

struct liquid_record *liquid_record_new(struct arena *a)
{
	static struct liquid_record none = { .failed = true };
	struct liquid_record *r = a ? arena_new_of(a, struct liquid_record) : NULL;

	if (!r)
		return &none;
	r->a = a;
	return r;
}

/* Room for one more of `size` bytes each; false when the arena is full. */
static bool grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 8;
	void **v = items, *bigger;

	if (n < *cap)
		return true;
	bigger = arena_alloc(a, want, size);
	if (!bigger)
		return false;
	if (n)
		memcpy(bigger, *v, n * size);
	*v = bigger;
	*cap = want;
	return true;
}

void liquid_push(struct liquid_list *l, struct liquid_value v)
{
	if (l->failed)
		return;
	if (value_failed(v) || !grow(l->a, &l->v, l->n, &l->cap, sizeof(*l->v)))
		l->failed = true;
	else
		l->v[l->n++] = v;
}

void liquid_set(struct liquid_record *r, const char *name, struct liquid_value v)
{
	if (r->failed)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].name, str_of(name))) {
			r->v[i].value = v;
			return;
		}
	if (value_failed(v) || !grow(r->a, &r->v, r->n, &r->cap, sizeof(*r->v))) {
		r->failed = true;
		return;
	}
	r->v[r->n].name = str_of(name);
	r->v[r->n++].value = v;
}

void liquid_set_text(struct liquid_record *r, const char *name, struct str s)
{
	liquid_set(r, name, liquid_of_text(s));
}

void liquid_set_int(struct liquid_record *r, const char *name, int64_t i)
{
	liquid_set(r, name, liquid_of_int(i));
}

void liquid_set_bool(struct liquid_record *r, const char *name, bool b)
{
	liquid_set(r, name, liquid_of_bool(b));
}

struct liquid_record *liquid_push_record(struct liquid_list *l)
{
	struct liquid_record *r = liquid_record_new(l->a);

	liquid_push(l, liquid_of_record(r));
	return r;
}

struct liquid_record *liquid_set_record(struct liquid_record *r, const char *name)
{
	struct liquid_record *inner = liquid_record_new(r->a);

	liquid_set(r, name, liquid_of_record(inner));
	return inner;
}

struct liquid_list *liquid_set_list(struct liquid_record *r, const char *name)
{
	struct liquid_list *l = liquid_list_new(r->a);

	liquid_set(r, name, liquid_of_list(l));
	return l;
}

struct liquid_record *liquid_record_of(struct liquid_record *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].name, str_of(name)) && r->v[i].value.kind == LIQUID_RECORD)
			return (struct liquid_record *)r->v[i].value.record;
	return liquid_record_new(NULL);
}

/* ---- text ---------------------------------------------------------------------------------------------------------- */

static const char *shortest(double v, char out[32])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, 32, "%.*g", digits, v);
		if (strtod(out, NULL) == v)
			break;
	}
	return out;
}

/* Standard: 5.0, 1.0e+20 as Ruby prints. DotLiquid: 5, 1E+20 as .NET does. */
struct str float_text(struct arena *a, enum liquid_dialect d, double v)
{
	char digits[32], *e;
	bool net = d == LIQUID_DOTLIQUID;

	if (isnan(v))
		return STR("NaN");
	if (isinf(v))
		return v > 0 ? STR("Infinity") : STR("-Infinity");
	if (fabs(v) < 1e15 && v == trunc(v)) {
		snprintf(digits, sizeof(digits), net ? "%.0f" : "%.1f", v);
		return arena_dup(a, str_of(digits));
	}
	shortest(v, digits);
	e = strchr(digits, 'e');
	if (!e && (strchr(digits, '.') || net))
		return arena_dup(a, str_of(digits));
	if (!e)
		return arena_printf(a, "%s.0", digits);
	*e++ = '\0';
	if (net)
		return arena_printf(a, "%sE%s", digits, e);
	return arena_printf(a, "%s%se%s", digits, strchr(digits, '.') ? "" : ".0", e);
}

struct text_out {
	struct arena *a;
	enum liquid_dialect dialect;
	struct buf buf;
	bool failed;
};

static void text_add(struct text_out *t, struct liquid_value v, unsigned depth, bool quote);

static void text_record(struct text_out *t, struct liquid_value v, unsigned depth)
{
	buf_char(&t->buf, '{');
	for (size_t i = 0; i < v.record->n; i++) {
		buf_cstr(&t->buf, i ? "," : "");
		buf_json(&t->buf, v.record->v[i].name);
		buf_char(&t->buf, ':');
		text_add(t, v.record->v[i].value, depth + 1, true);
	}
	buf_char(&t->buf, '}');
}

static void text_add(struct text_out *t, struct liquid_value v, unsigned depth, bool quote)
{
	struct seq s;
	struct str one;

	if (depth > LIQUID_MAX_TEXT_DEPTH)
		return;
	if (v.kind == LIQUID_RECORD) {
		text_record(t, v, depth);
	} else if (v.kind == LIQUID_JSON && json_is_object(v.json)) {
		jsn_write(&t->buf, v.json, 0);
	} else if (v.kind == LIQUID_LIST || v.kind == LIQUID_JSON) {
		value_seq(v, t->a, &s);
		for (size_t i = 0; i < s.n && !t->buf.failed; i++)
			text_add(t, seq_at(&s, i), depth + 1, false);
	} else if (v.kind == LIQUID_TEXT && quote) {
		buf_json(&t->buf, v.text);
	} else if (liquid_value_text(t->a, t->dialect, v, &one)) {
		buf_str(&t->buf, quote && !one.n ? STR("null") : one);
	} else {
		t->failed = true;
	}
}

static bool compound_text(struct arena *a, enum liquid_dialect d, struct liquid_value v, struct str *out)
{
	struct text_out t = { .a = a, .dialect = d };
	bool ok;

	buf_init(&t.buf, arena_left(a));
	text_add(&t, v, 0, false);
	*out = arena_dup(a, buf_view(&t.buf));
	ok = buf_ok(&t.buf) && !t.failed && !str_is_null(*out);
	buf_release(&t.buf);
	return ok;
}

bool liquid_value_text(struct arena *a, enum liquid_dialect d, struct liquid_value v, struct str *out)
{
	switch (v.kind) {
	case LIQUID_NIL:
	case LIQUID_EMPTY:
	case LIQUID_BLANK:
		*out = STR("");
		return true;
	case LIQUID_BOOL:
		*out = v.b ? STR("true") : STR("false");
		return true;
	case LIQUID_INT:
		*out = arena_printf(a, "%lld", (long long)v.i);
		break;
	case LIQUID_FLOAT:
		*out = float_text(a, d, v.d);
		break;
	case LIQUID_TEXT:
	case LIQUID_MARKUP:
		*out = v.text;
		return true;
	case LIQUID_RANGE:
		*out = arena_printf(a, "%lld..%lld", (long long)v.range.from, (long long)v.range.to);
		break;
	case LIQUID_OBJECT:
		*out = v.object.cls->text ? v.object.cls->text(v.object.self, a) : STR("");
		break;
	default:
		return compound_text(a, d, v, out);
	}
	return !str_is_null(*out);
}

struct str liquid_to_text(struct arena *a, struct liquid_value v)
{
	struct str out;

	return liquid_value_text(a, LIQUID_STANDARD, v, &out) ? out : STR_NULL;
}

void liquid_escape_html(struct buf *out, struct str s)
{
	static const char *const entity[256] = { ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;",
						 ['\''] = "&#39;" };

	while (s.n) {
		size_t plain = 0;

		while (plain < s.n && !entity[(unsigned char)s.p[plain]])
			plain++;
		buf_add(out, s.p, plain);
		s = str_from(s, plain);
		if (s.n) {
			buf_cstr(out, entity[(unsigned char)s.p[0]]);
			s = str_from(s, 1);
		}
	}
}
