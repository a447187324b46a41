/* value_store.c - a tag byte, then the value: numbers in eight bytes, texts as they are.
 *
 *   n                     null
 *   b 0|1                 bool
 *   i kind i64            an integer of that value_kind
 *   d kind f64            float, double
 *   s bytes               string
 *   y bytes               byte[]
 *   j text                JToken
 *   x text                XElement
 *   r status …            response: i32, reason, count, name, value …, has body, body; texts with a u32 length in front
 */
#include "policy/value_store.h"

#include "core/str.h"
#include "policy/context.h"
#include "policy/expr/class.h"
#include "policy/net/make.h"

enum { FIELDS_MAX = 1000, FIELDS_MORE = 4 };     /* more: a cache tells the age, and where an answer comes from */

struct writer {
	char *p;
	size_t n;
};

static void put(struct writer *w, const void *bytes, size_t n)
{
	if (w->p && n)
		memcpy(w->p + w->n, bytes, n);
	w->n += n;
}

static void put_text(struct writer *w, struct str s)
{
	uint32_t n = (uint32_t)s.n;

	put(w, &n, sizeof(n));
	put(w, s.p, s.n);
}

static struct str tagged(struct arena *a, char tag, struct str bytes)
{
	char *p = arena_alloc_text(a, bytes.n + 1);

	if (!p)
		return STR_NULL;
	p[0] = tag;
	if (bytes.n)
		memcpy(p + 1, bytes.p, bytes.n);
	return (struct str){ p, bytes.n + 1 };
}

static struct str number(struct arena *a, char tag, struct value v)
{
	char bytes[1 + sizeof(v.i)];

	bytes[0] = (char)v.kind;
	memcpy(bytes + 1, &v.i, sizeof(v.i));
	return tagged(a, tag, (struct str){ bytes, sizeof(bytes) });
}

static struct str store_object(struct exchange *x, struct value v)
{
	const struct value_class *cls = value_class_of(v);
	struct str name = cls ? str_of(cls->name) : STR(""), bytes = value_bytes(v);
	struct response *r = context_response_of(x, v);

	if (r)
		return response_store(x->arena, r);
	if (!str_is_null(bytes))
		return tagged(x->arena, 'y', bytes);
	if (str_starts(name, STR("Newtonsoft.")))
		return tagged(x->arena, 'j', value_to_text(x->arena, v));
	if (str_eq(name, STR("System.Xml.Linq.XElement")))
		return tagged(x->arena, 'x', value_to_text(x->arena, v));
	return tagged(x->arena, 's', value_to_text(x->arena, v));
}

struct str value_store(struct exchange *x, struct value v)
{
	switch (v.kind) {
	case VALUE_NULL:
		return STR("n");
	case VALUE_BOOL:
		return v.b ? STR("b1") : STR("b0");
	case VALUE_STRING:
		return tagged(x->arena, 's', value_str(v));
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		return number(x->arena, 'd', v);
	case VALUE_DECIMAL:
	case VALUE_CHAR:
		return tagged(x->arena, 's', value_to_text(x->arena, v));
	case VALUE_OBJECT:
		return store_object(x, v);
	default:
		return number(x->arena, 'i', v);
	}
}

static struct value bytes_value(struct arena *a, struct str bytes)
{
	struct array *v = arena_new_of(a, struct array);

	if (!v)
		return VALUE_NULL_INIT;
	v->g.head.cls = &class_array;
	v->g.type = type_named("byte[]");
	v->packed = true;
	v->n = bytes.n;
	v->bytes = (uint8_t *)(uintptr_t)bytes.p;
	return value_object(v);
}

static bool restore_number(struct str s, struct value *out)
{
	if (s.n != 1 + sizeof(out->i) || s.p[0] <= VALUE_BOOL || s.p[0] > VALUE_DOUBLE)
		return false;
	out->kind = (enum value_kind)s.p[0];
	memcpy(&out->i, s.p + 1, sizeof(out->i));
	return true;
}

static bool restore_response(struct exchange *x, struct str bytes, struct value *out)
{
	struct response *r = arena_new_of(x->arena, struct response);

	if (!r || !response_restore(x->arena, bytes, r))
		return false;
	*out = context_response(x->arena, r);
	return out->kind != VALUE_NULL;
}

bool value_restore(struct exchange *x, struct str bytes, struct value *out)
{
	struct str rest = str_from(bytes, 1);
	struct gh_err err;

	*out = VALUE_NULL_INIT;
	if (!bytes.n)
		return false;
	switch (bytes.p[0]) {
	case 'n':
		return true;
	case 'b':
		*out = value_bool(rest.n && *rest.p == '1');
		return true;
	case 'i':
	case 'd':
		return restore_number(rest, out);
	case 's':
		*out = value_string(x->arena, rest, true);
		return out->kind != VALUE_NULL;
	case 'y':
		*out = bytes_value(x->arena, arena_dup(x->arena, rest));
		return out->kind != VALUE_NULL;
	case 'j':
		return !json_value(x->arena, rest, out, &err).code;
	case 'x':
		return !xml_element_value(x->arena, rest, out, &err).code;
	case 'r':
		return restore_response(x, bytes, out);
	default:
		return false;
	}
}

/* ---- responses --------------------------------------------------------------------------------------------------- */

static void write_response(struct writer *w, const struct response *r)
{
	int32_t status = r->status;
	uint32_t n = (uint32_t)r->headers.n;
	char held = r->body.kind == BODY_HELD;

	put(w, "r", 1);
	put(w, &status, sizeof(status));
	put_text(w, r->reason);
	put(w, &n, sizeof(n));
	for (size_t i = 0; i < r->headers.n; i++) {
		put_text(w, r->headers.v[i].name);
		put_text(w, r->headers.v[i].value);
	}
	put(w, &held, 1);
	if (held)
		put_text(w, r->body.bytes);
}

struct str response_store(struct arena *a, const struct response *r)
{
	struct writer w = { 0 };

	write_response(&w, r);
	w.p = arena_alloc_text(a, w.n);
	if (!w.p)
		return STR_NULL;
	w.n = 0;
	write_response(&w, r);
	return (struct str){ w.p, w.n };
}

static bool get(struct str *s, void *out, size_t n)
{
	if (s->n < n)
		return false;
	memcpy(out, s->p, n);
	*s = str_from(*s, n);
	return true;
}

/* Inline: of an answer from the cache it is called twenty times. */
static inline bool get_text(struct str *s, struct str *out)
{
	uint32_t n;

	if (s->n < sizeof(n))
		return false;
	memcpy(&n, s->p, sizeof(n));
	if (s->n - sizeof(n) < n)
		return false;
	*out = (struct str){ s->p + sizeof(n), n };
	*s = (struct str){ s->p + sizeof(n) + n, s->n - sizeof(n) - n };
	return true;
}

bool response_restore(struct arena *a, struct str bytes, struct response *out)
{
	struct str s = arena_dup(a, bytes);

	*out = (struct response){ 0 };
	return s.p && response_view(a, s, out);
}

bool response_view(struct arena *a, struct str bytes, struct response *out)
{
	struct str s = str_from(bytes, 1);
	struct field *f;
	uint32_t n;
	int32_t status;
	char held;

	*out = (struct response){ 0 };
	fields_init(&out->headers, a);
	if (!bytes.n || bytes.p[0] != 'r' || !get(&s, &status, sizeof(status))
	    || !get_text(&s, &out->reason) || !get(&s, &n, sizeof(n)) || n > FIELDS_MAX)
		return false;
	out->status = status;
	if (!fields_reserve(&out->headers, n + FIELDS_MORE))
		return false;
	for (f = out->headers.v; out->headers.n < n; f++, out->headers.n++)      /* there is room for all */
		if (!get_text(&s, &f->name) || !get_text(&s, &f->value))
			return false;
	if (!get(&s, &held, 1))
		return false;
	out->body.kind = held ? BODY_HELD : BODY_NONE;
	return !held || get_text(&s, &out->body.bytes);
}
