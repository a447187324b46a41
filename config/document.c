/* document.c - a document against the table of its kind, and rows as documents. What is found wrong is collected, so that whoever
 * writes sees all of it at once. */
#include "config/document.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/secret_ref.h"
#include "core/str.h"
#include "core/suggest.h"

#include <stdio.h>

enum { NAMES_MAX = 64, LIST_MAX = 10000 };

const struct resource_field *resource_field_find(const struct resource_kind *k, const char *name)
{
	for (const struct resource_field *f = k->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

json_t *resource_text_or_null(struct str s)
{
	return s.p ? json_stringn(s.p, s.n) : json_null();
}

/* ---- rows as documents ------------------------------------------------------------------------------------------------- */

static json_t *time_json(int64_t us)
{
	char text[CLOCK_ISO_MAX];

	return us ? json_string(clock_iso(us, us % 1000000 ? 6 : 0, text)) : json_null();
}

static json_t *member_json(const struct resource_field *f, const void *p)
{
	struct str s;
	int64_t v;

	switch (f->type) {
	case RESOURCE_BOOL:
		return json_boolean(*(const bool *)p);
	case RESOURCE_INT:
		return json_integer(*(const int64_t *)p);
	case RESOURCE_TIME:
		return time_json(*(const int64_t *)p);
	case RESOURCE_ENUM:
		if (f->flags & RESOURCE_AS_TEXT)
			break;
		v = *(const int64_t *)p;
		for (int64_t i = 0; f->values[i]; i++)
			if (i == v)
				return json_string(f->values[i]);
		return json_null();
	default:
		break;
	}
	s = *(const struct str *)p;
	if (!s.n && (f->type == RESOURCE_REF || f->flags & RESOURCE_NULL))
		return json_null();
	return json_stringn_nocheck(s.p ? s.p : "", s.n);
}

GH_RC resource_show(struct store *s, struct arena *a, const struct resource_kind *k, const void *row, json_t **out,
		    struct gh_err *err)
{
	json_t *doc = jsn_keep(a, json_object());
	bool ok = doc != NULL;

	for (const struct resource_field *f = k->fields; ok && f->name; f++)
		ok = json_object_set_new(doc, f->name, f->offset == RESOURCE_BY_HAND ? json_null()
					 : member_json(f, (const char *)row + f->offset)) == 0;
	if (!ok)
		FAIL(err, NOMEM, "%s", k->name);
	*out = doc;
	return k->ops->show ? k->ops->show(s, a, row, doc, err) : GH_RC_OK;
}

json_t *resource_id_list(const struct str *ids, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_stringn(ids[i].p, ids[i].n));
	return list;
}

GH_RC resource_texts(struct arena *a, const json_t *list, struct str **out, size_t *n, struct gh_err *err)
{
	*n = json_array_size(list);
	*out = arena_alloc(a, *n + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "list");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = jsn_string(json_array_get(list, i));
	return GH_RC_OK;
}

/* ---- secrets ----------------------------------------------------------------------------------------------------------- */

enum secret_given resource_secret(const json_t *doc, const char *name, struct str *text)
{
	const json_t *v = jsn_get(doc, name);

	*text = STR_NULL;
	if (!v || jsn_bool(v, "sealed", false))
		return SECRET_STAYS;
	if (json_is_string(v)) {
		*text = jsn_string(v);
		return SECRET_TEXT;
	}
	*text = jsn_str(v, "ref");
	return text->p ? SECRET_REF : SECRET_NONE;
}

json_t *resource_secret_shown(bool sealed, struct str ref)
{
	if (ref.n)
		return json_pack("{s:s%}", "ref", ref.p, ref.n);
	return sealed ? json_pack("{s:b}", "sealed", 1) : json_null();
}

/* Where the walk through a document stands. */
struct walk {
	struct resource_change *c;
	struct arena *a;
	struct buf pointer;
};

static void PRINTF_LIKE(2, 3) wrong(struct walk *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	resource_add_problem(w->c, w->c->kind, w->c->id, buf_view(&w->pointer), fmt, args);
	va_end(args);
}

static size_t enter(struct walk *w, struct str name)
{
	size_t before = w->pointer.n;

	jsn_pointer_add(&w->pointer, name);
	return before;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static json_t *object(struct walk *w, const struct resource_field *fields, const json_t *v, bool top);

bool resource_has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f || (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0))     /* U+0080 to U+009F in UTF-8 */
			return true;
	}
	return false;
}

/* The shortest text that is this number and no other: 99.95 and not 99.950000000000003. */
static json_t *number_text(const json_t *v)
{
	char s[40];

	if (json_is_integer(v))
		return json_sprintf("%lld", (long long)json_integer_value(v));
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, json_real_value(v));
		if (strtod(s, NULL) == json_real_value(v))
			break;
	}
	return json_string(s);
}

static json_t *text(struct walk *w, const struct resource_field *f, const json_t *v)
{
	struct str s = jsn_string(v);
	size_t most = f->most ? (size_t)f->most : f->flags & RESOURCE_FILE ? STORE_DOCUMENT_MAX : STORE_TEXT_MAX;

	if (json_is_number(v) && f->flags & RESOURCE_NUMBER)
		return number_text(v);
	if (!s.p) {
		wrong(w, "must be a %stext, not %s", f->flags & RESOURCE_NUMBER ? "number or a " : "", jsn_type_name(v));
		return NULL;
	}
	if (!s.n && f->flags & RESOURCE_REQUIRED && !(f->flags & RESOURCE_EMPTY))
		wrong(w, "must not be empty");
	if (s.n > most)
		wrong(w, "is longer than %zu bytes", most);
	if (!(f->flags & (RESOURCE_LINES | RESOURCE_FILE)) && resource_has_control(s))
		wrong(w, "must be one line without control characters");
	return json_incref((json_t *)(uintptr_t)v);
}

static json_t *one_of(struct walk *w, const struct resource_field *f, const json_t *v)
{
	struct str s = jsn_string(v);
	char all[512] = "";
	size_t n = 0;
	const char *near;

	for (size_t i = 0; f->values[i]; i++) {
		if (s.p && str_eq(s, str_of(f->values[i])))
			return json_incref((json_t *)(uintptr_t)v);
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i ? ", " : "", f->values[i]);
		n = n < sizeof(all) ? n : sizeof(all) - 1;
	}
	near = s.p ? suggest(s, f->values) : NULL;
	if (near)
		wrong(w, "knows no '%.*s'; did you mean '%s'?", STR_ARG(str_first(s, 80)), near);
	else
		wrong(w, "must be one of %s", all);
	return NULL;
}

static json_t *integer(struct walk *w, const struct resource_field *f, const json_t *v)
{
	json_int_t i = json_integer_value(v);

	if (!json_is_integer(v)) {
		wrong(w, "must be a whole number, not %s", jsn_type_name(v));
		return NULL;
	}
	if ((f->least || f->most) && (i < f->least || i > f->most)) {
		wrong(w, "must be from %lld to %lld", (long long)f->least, (long long)f->most);
		return NULL;
	}
	return json_integer(i);
}

static json_t *moment(struct walk *w, const json_t *v)
{
	int64_t us;

	if (!json_is_string(v) || !clock_parse_date(jsn_string(v), &us)) {
		wrong(w, "must be a date and time like 2027-01-31T12:00:00Z (RFC 3339), or null");
		return NULL;
	}
	return time_json(us);
}

static json_t *reference(struct walk *w, const struct resource_field *f, const json_t *v)
{
	const struct resource_kind *k = f->ref ? resource_kind_find(str_of(f->ref)) : NULL;
	struct str id = jsn_string(v);
	struct gh_err why;
	bool there = true;

	if (!id.n) {
		wrong(w, "must be the id of %s %s%s", f->ref && strchr("aeiou", f->ref[0]) ? "an" : "a", f->ref,
		      json_is_string(v) ? "; it is empty" : "");
		return NULL;
	}
	if (k && resource_exists(w->c->store, k, id, &there, &why).code)
		wrong(w, "could not be looked up: %s", why.message);
	else if (!there)
		wrong(w, "there is no %s '%.*s'%.*s", f->ref, STR_ARG(str_first(id, 200)), STR_ARG(resource_meant(w->c, k, id)));
	return json_incref((json_t *)(uintptr_t)v);
}

static json_t *secret(struct walk *w, const json_t *v)
{
	struct str ref = jsn_str(v, "ref");
	struct secret_ref parsed;
	struct gh_err why;

	if (json_is_string(v) || (json_is_object(v) && json_object_size(v) == 1 && json_is_true(jsn_get(v, "sealed"))))
		return json_incref((json_t *)(uintptr_t)v);
	if (!json_is_object(v) || json_object_size(v) != 1 || !ref.p) {
		wrong(w, "must be a text, {\"ref\": \"vault:...\"}, {\"sealed\": true} for what is there, or null");
		return NULL;
	}
	if (secret_ref_parse(ref, &parsed, &why).code)
		wrong(w, "%s", why.message);
	return json_incref((json_t *)(uintptr_t)v);
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Ids in byte order, none twice: two orders of one set are one document. */
static json_t *sorted(struct walk *w, json_t *list)
{
	struct str *v;
	json_t *out = json_array();
	size_t n;

	if (resource_texts(w->a, list, &v, &n, NULL).code)
		return list;
	qsort(v, n, sizeof(*v), by_text);
	for (size_t i = 0; i < n; i++)
		if (!i || !str_eq(v[i], v[i - 1]))
			json_array_append_new(out, json_stringn(v[i].p, v[i].n));
	json_decref(list);
	return out;
}

static json_t *list(struct walk *w, const struct resource_field *f, const json_t *v)
{
	struct resource_field one = *f;
	json_t *out, *item;
	char number[24];

	if (!json_is_array(v)) {
		wrong(w, "must be a list, not %s", jsn_type_name(v));
		return NULL;
	}
	if (json_array_size(v) > LIST_MAX) {
		wrong(w, "has more than %d entries", LIST_MAX);
		return NULL;
	}
	one.flags = f->type == RESOURCE_TEXTS ? f->flags | RESOURCE_REQUIRED : f->flags;
	one.most = f->type == RESOURCE_TEXTS ? f->most : 0;
	out = json_array();
	for (size_t i = 0; i < json_array_size(v); i++) {
		size_t before = enter(w, (struct str){ number, (size_t)snprintf(number, sizeof(number), "%zu", i) });
		const json_t *entry = json_array_get(v, i);

		item = f->type == RESOURCE_TEXTS ? text(w, &one, entry) : f->type == RESOURCE_REFS ? reference(w, &one, entry)
		       : object(w, f->fields, entry, false);
		if (item)
			json_array_append_new(out, item);
		w->pointer.n = before;
	}
	return f->type == RESOURCE_REFS ? sorted(w, out) : out;
}

static bool may_be_null(const struct resource_field *f)
{
	if (f->flags & RESOURCE_REQUIRED)
		return false;
	return f->type == RESOURCE_TIME || f->type == RESOURCE_REF || f->type == RESOURCE_SECRET || f->type == RESOURCE_OBJECT
	       || f->flags & RESOURCE_NULL;
}

/* The value in its normal form, a new reference; NULL after a problem. */
static json_t *value(struct walk *w, const struct resource_field *f, const json_t *v)
{
	if (json_is_null(v) && may_be_null(f))
		return json_null();
	switch (f->type) {
	case RESOURCE_TEXT:
		return text(w, f, v);
	case RESOURCE_BOOL:
		if (!json_is_boolean(v))
			wrong(w, "must be true or false, not %s", jsn_type_name(v));
		return json_is_boolean(v) ? json_incref((json_t *)(uintptr_t)v) : NULL;
	case RESOURCE_INT:
		return integer(w, f, v);
	case RESOURCE_TIME:
		return moment(w, v);
	case RESOURCE_ENUM:
		return one_of(w, f, v);
	case RESOURCE_REF:
		return reference(w, f, v);
	case RESOURCE_TEXTS:
	case RESOURCE_REFS:
	case RESOURCE_OBJECTS:
		return list(w, f, v);
	case RESOURCE_SECRET:
		return secret(w, v);
	case RESOURCE_OBJECT:
		if (f->fields)
			return object(w, f->fields, v, false);
		if (!json_is_object(v))
			wrong(w, "must be an object, not %s", jsn_type_name(v));
		return json_is_object(v) ? json_incref((json_t *)(uintptr_t)v) : NULL;
	}
	return NULL;
}

json_t *resource_default(const struct resource_field *f)
{
	json_t *v;

	if (f->otherwise)
		return json_loads(f->otherwise, JSON_DECODE_ANY, NULL);
	if (f->type == RESOURCE_TEXTS || f->type == RESOURCE_REFS || f->type == RESOURCE_OBJECTS)
		return json_array();
	if (f->flags & RESOURCE_NULL)
		return json_null();
	if (f->type == RESOURCE_TEXT)
		return json_string("");
	v = f->type == RESOURCE_BOOL ? json_false() : f->type == RESOURCE_INT ? json_integer(0) : json_null();
	return v;
}

/* ---- objects ----------------------------------------------------------------------------------------------------------- */

static void unknown_fields(struct walk *w, const struct resource_field *fields, const json_t *v)
{
	const char *names[NAMES_MAX + 1], *key;
	size_t n = 0;
	json_t *member;

	for (const struct resource_field *f = fields; f->name && n < NAMES_MAX; f++)
		names[n++] = f->name;
	names[n] = NULL;
	json_object_foreach((json_t *)(uintptr_t)v, key, member) {
		const char *near;
		size_t before;

		for (n = 0; names[n] && strcmp(names[n], key) != 0;)
			n++;
		if (names[n])
			continue;
		near = suggest(str_of(key), names);
		before = enter(w, str_of(key));
		wrong(w, near ? "there is no such field; did you mean '%s'?" : "there is no such field%s", near ? near : "");
		w->pointer.n = before;
	}
}

static json_t *object(struct walk *w, const struct resource_field *fields, const json_t *v, bool top)
{
	json_t *out;

	if (!json_is_object(v)) {
		wrong(w, "must be an object, not %s", jsn_type_name(v));
		return NULL;
	}
	unknown_fields(w, fields, v);
	out = json_object();
	for (const struct resource_field *f = fields; f->name; f++) {
		const json_t *given = jsn_get(v, f->name);
		json_t *normal;
		size_t before;

		if (f->flags & RESOURCE_READ_ONLY || (top && f == fields))
			continue;
		if (!given && (f->type == RESOURCE_SECRET || f->flags & RESOURCE_STAYS))
			continue;
		before = enter(w, str_of(f->name));
		if (!given && f->flags & RESOURCE_REQUIRED)
			wrong(w, "is required: %s", f->description);
		normal = given ? value(w, f, given) : resource_default(f);
		if (normal)
			json_object_set_new(out, f->name, normal);
		w->pointer.n = before;
	}
	return out;
}

json_t *resource_normal(struct resource_change *c, struct arena *a, const json_t *document)
{
	struct walk w = { .c = c, .a = a };
	json_t *out;

	buf_init(&w.pointer, 4096);
	out = object(&w, c->kind->fields, document, true);
	buf_release(&w.pointer);
	return out ? jsn_keep(a, out) : NULL;
}

/* ---- into the row ------------------------------------------------------------------------------------------------------ */

static void put_member(const struct resource_field *f, const json_t *v, void *p)
{
	struct str s = jsn_string(v);

	switch (f->type) {
	case RESOURCE_BOOL:
		*(bool *)p = json_is_true(v);
		break;
	case RESOURCE_INT:
		*(int64_t *)p = json_integer_value(v);
		break;
	case RESOURCE_TIME:
		if (!s.p || !clock_parse_iso(s, (int64_t *)p))
			*(int64_t *)p = 0;
		break;
	case RESOURCE_ENUM:
		if (f->flags & RESOURCE_AS_TEXT)
			*(struct str *)p = s;
		for (int64_t i = 0; s.p && f->values[i] && !(f->flags & RESOURCE_AS_TEXT); i++)
			if (str_eq(s, str_of(f->values[i])))
				*(int64_t *)p = i;
		break;
	default:
		*(struct str *)p = s;
		break;
	}
}

void resource_fill(const struct resource_kind *k, const json_t *normal, struct str id, void *row)
{
	for (const struct resource_field *f = k->fields; f->name; f++) {
		void *p = f->offset == RESOURCE_BY_HAND ? NULL : (char *)row + f->offset;

		const json_t *v = jsn_get(normal, f->name);

		if (!p || (!v && f != k->fields))
			continue;
		if (f == k->fields)
			*(struct str *)p = id;
		else if (!(f->flags & RESOURCE_READ_ONLY))
			put_member(f, v, p);
	}
}

/* ---- what a document says ---------------------------------------------------------------------------------------------- */

struct str resource_etag(struct arena *a, const json_t *document)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct buf b;
	struct str tag = STR_NULL;

	buf_init(&b, JSN_MAX_BYTES * 2);
	jsn_write(&b, document, JSN_SORTED);
	if (buf_ok(&b)) {
		crypto_sha256(buf_view(&b), digest);
		tag = arena_printf(a, "\"%.32s\"", crypto_hex(a, (struct str){ (const char *)digest, 16 }).p);
	}
	buf_release(&b);
	return tag;
}

static json_t *shorter(const struct resource_field *fields, const json_t *v, unsigned flags, bool top)
{
	json_t *out = json_object();

	for (const struct resource_field *f = fields; f->name; f++) {
		json_t *have = jsn_get(v, f->name), *otherwise, *copy = NULL;
		bool same, stays;

		if (!have || (flags & RESOURCE_WRITABLE && f->flags & RESOURCE_READ_ONLY)
		    || (top && f == fields && flags & RESOURCE_WITHOUT_ID))
			continue;
		/* left out, an address would be that of the copied revision; a date stays away by itself */
		stays = f->flags & RESOURCE_STAYS && f->type != RESOURCE_TIME;
		otherwise = flags & RESOURCE_SHORT && !(f->flags & RESOURCE_REQUIRED) && !stays ? resource_default(f) : NULL;
		same = otherwise && json_equal(otherwise, have);
		json_decref(otherwise);
		if (same)
			continue;
		if (f->fields && json_is_object(have))
			copy = shorter(f->fields, have, flags, false);
		if (f->fields && json_is_array(have)) {
			copy = json_array();
			for (size_t i = 0; i < json_array_size(have); i++)
				json_array_append_new(copy, shorter(f->fields, json_array_get(have, i), flags, false));
		}
		json_object_set_new(out, f->name, copy ? copy : json_incref(have));
	}
	return out;
}

json_t *resource_document(struct arena *a, const struct resource_kind *k, const json_t *document, unsigned flags)
{
	return jsn_keep(a, shorter(k->fields, document, flags, true));
}
