#include "core/json.h"

#include "core/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* jansson's own bound of 2,048 levels is fixed, so a smaller one is enforced by looking before parsing: brackets outside
 * of texts are counted. On broken JSON the count means nothing, but then the parser says so. */
static bool too_deep(struct str text, unsigned max_depth, struct text_where *where)
{
	unsigned depth = 0, line = 1;
	size_t line_start = 0;
	bool in_text = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n') {
			line++;
			line_start = i + 1;
		}
		if (in_text) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_text = false;
		} else if (c == '"') {
			in_text = true;
		} else if (c == '{' || c == '[') {
			if (++depth > max_depth) {
				*where = (struct text_where){ line, (unsigned)(i - line_start) + 1 };
				return true;
			}
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

/* After a parse that read all integers as reals: those that came through unrounded become integers again. */
static json_t *integers_back(json_t *v)
{
	const double exact = 9007199254740992.0;         /* 2^53 */

	if (json_is_real(v)) {
		double d = json_real_value(v);

		return fabs(d) <= exact && d == floor(d) ? json_integer((json_int_t)d) : NULL;
	}
	if (json_is_object(v)) {
		const char *name;
		json_t *member;

		json_object_foreach(v, name, member) {
			json_t *changed = integers_back(member);

			if (changed && json_object_set_new_nocheck(v, name, changed))
				return NULL;
		}
	} else if (json_is_array(v)) {
		size_t i;
		json_t *item;

		json_array_foreach(v, i, item) {
			json_t *changed = integers_back(item);

			if (changed && json_array_set_new(v, i, changed))
				return NULL;
		}
	}
	return NULL;
}

static json_t *load(struct str text, unsigned flags, json_error_t *je)
{
	size_t jansson = JSON_DECODE_ANY;
	json_t *v;

	if (flags & JSN_UNIQUE_KEYS)
		jansson |= JSON_REJECT_DUPLICATES;
	if (flags & JSN_NUL)
		jansson |= JSON_ALLOW_NUL;
	v = json_loadb(text.p ? text.p : "", text.n, jansson, je);
	if (!v && (flags & JSN_BIG_INTEGERS) && json_error_code(je) == json_error_numeric_overflow) {
		json_t *again = json_loadb(text.p, text.n, jansson | JSON_DECODE_INT_AS_REAL, je);

		if (again) {
			json_t *lone = integers_back(again);

			if (lone) {
				json_decref(again);
				again = lone;
			}
		}
		return again;
	}
	return v;
}

GH_RC jsn_parse(struct str text, const struct jsn_limits *limits, json_t **out, struct text_where *where,
		struct gh_err *err)
{
	static const struct jsn_limits none;
	const struct jsn_limits *l = limits ? limits : &none;
	size_t max_bytes = l->max_bytes ? l->max_bytes : JSN_MAX_BYTES;
	unsigned max_depth = l->max_depth ? l->max_depth : JSN_MAX_DEPTH;
	struct text_where at;
	json_error_t je;

	*out = NULL;
	if (!where)
		where = &at;
	*where = (struct text_where){ 0, 0 };
	if (text.n > max_bytes)
		FAIL(err, LIMIT, "the document has %zu bytes, more than the limit of %zu", text.n, max_bytes);
	if (too_deep(text, max_depth < 2048 ? max_depth : 2048, where))
		FAIL(err, LIMIT, "objects and arrays are nested more than %u levels deep", max_depth);
	*out = load(text, l->flags, &je);
	if (!*out) {
		*where = (struct text_where){ je.line > 0 ? (unsigned)je.line : 1, je.column > 0 ? (unsigned)je.column : 1 };
		if (json_error_code(&je) == json_error_out_of_memory)
			FAIL(err, NOMEM, "%s", je.text);
		FAIL(err, SYNTAX, "%s", je.text);
	}
	if (!(l->flags & JSN_ANY) && !json_is_object(*out) && !json_is_array(*out)) {
		json_decref(*out);
		*out = NULL;
		*where = (struct text_where){ 1, 1 };
		FAIL(err, SYNTAX, "the document is neither an object nor an array");
	}
	return GH_RC_OK;
}

static void give_back(void *v)
{
	json_decref(v);
}

json_t *jsn_keep(struct arena *a, json_t *v)
{
	if (v && !arena_defer(a, give_back, v)) {
		json_decref(v);
		return NULL;
	}
	return v;
}

GH_RC jsn_parse_in(struct arena *a, struct str text, const struct jsn_limits *limits, json_t **out,
		   struct text_where *where, struct gh_err *err)
{
	TRY(jsn_parse(text, limits, out, where, err));
	*out = jsn_keep(a, *out);
	if (!*out)
		FAIL(err, NOMEM, "JSON document");
	return GH_RC_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

size_t jsn_number(double d, char out[JSN_NUMBER_MAX])
{
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(out, JSN_NUMBER_MAX, "%.*g", digits, d);
		if (strtod(out, NULL) == d)
			break;
	}
	if (!strpbrk(out, ".eEn")) {
		out[n++] = '.';
		out[n++] = '0';
		out[n] = '\0';
	}
	return (size_t)n;
}

static void write_text(struct buf *b, struct str s, unsigned flags)
{
	if (!(flags & JSN_ASCII)) {
		buf_json(b, s);
		return;
	}
	buf_char(b, '"');
	for (size_t i = 0; i < s.n;) {
		uint32_t cp = 0xfffd;
		unsigned n = utf8_decode(str_from(s, i), &cp);

		if (n == 0)
			cp = 0xfffd;
		if (cp >= 0x10000)
			buf_fmt(b, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10), 0xdc00 + ((cp - 0x10000) & 0x3ff));
		else if (cp >= 0x7f || cp < 0x20)
			buf_fmt(b, "\\u%04x", cp);
		else if (cp == '"' || cp == '\\')
			buf_fmt(b, "\\%c", (char)cp);
		else
			buf_char(b, (char)cp);
		i += n ? n : 1;
	}
	buf_char(b, '"');
}

struct writer {
	struct buf *b;
	unsigned flags;
};

static void write_value(const struct writer *w, const json_t *v, unsigned depth);

static void write_break(const struct writer *w, unsigned depth)
{
	if (!(w->flags & JSN_INDENT))
		return;
	buf_char(w->b, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_add(w->b, "  ", 2);
}

static void write_member(const struct writer *w, struct str name, const json_t *v, bool first, unsigned depth)
{
	if (!first)
		buf_char(w->b, ',');
	write_break(w, depth + 1);
	write_text(w->b, name, w->flags);
	buf_cstr(w->b, w->flags & JSN_INDENT ? ": " : ":");
	write_value(w, v, depth + 1);
}

static int by_name(const void *l, const void *r)
{
	return strcmp(*(const char *const *)l, *(const char *const *)r);
}

static void write_sorted(const struct writer *w, json_t *obj, unsigned depth)
{
	size_t n = 0;
	const char **names = calloc(json_object_size(obj), sizeof(*names));
	const char *name;
	json_t *member;

	if (!names) {
		w->b->failed = true;
		return;
	}
	json_object_foreach(obj, name, member)
		names[n++] = name;
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		write_member(w, str_of(names[i]), json_object_get(obj, names[i]), i == 0, depth);
	free(names);
}

static void write_object(const struct writer *w, json_t *obj, unsigned depth)
{
	bool first = true;
	const char *name;
	json_t *member;

	if (json_object_size(obj) == 0) {
		buf_cstr(w->b, "{}");
		return;
	}
	buf_char(w->b, '{');
	if (w->flags & JSN_SORTED) {
		write_sorted(w, obj, depth);
	} else {
		json_object_foreach(obj, name, member) {
			write_member(w, str_of(name), member, first, depth);
			first = false;
		}
	}
	write_break(w, depth);
	buf_char(w->b, '}');
}

static void write_array(const struct writer *w, const json_t *arr, unsigned depth)
{
	size_t i;
	json_t *item;

	if (json_array_size(arr) == 0) {
		buf_cstr(w->b, "[]");
		return;
	}
	buf_char(w->b, '[');
	json_array_foreach(arr, i, item) {
		if (i > 0)
			buf_char(w->b, ',');
		write_break(w, depth + 1);
		write_value(w, item, depth + 1);
	}
	write_break(w, depth);
	buf_char(w->b, ']');
}

static void write_value(const struct writer *w, const json_t *v, unsigned depth)
{
	char number[JSN_NUMBER_MAX];

	if (!buf_ok(w->b))
		return;
	if (depth > 4096) {
		w->b->failed = true;
		return;
	}
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		write_object(w, (json_t *)(uintptr_t)v, depth);
		break;
	case JSON_ARRAY:
		write_array(w, v, depth);
		break;
	case JSON_STRING:
		write_text(w->b, jsn_string(v), w->flags);
		break;
	case JSON_INTEGER:
		buf_fmt(w->b, "%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		buf_add(w->b, number, jsn_number(json_real_value(v), number));
		break;
	case JSON_TRUE:
		buf_cstr(w->b, "true");
		break;
	case JSON_FALSE:
		buf_cstr(w->b, "false");
		break;
	default:
		buf_cstr(w->b, "null");
	}
}

void jsn_write(struct buf *b, const json_t *v, unsigned flags)
{
	write_value(&(struct writer){ b, flags }, v, 0);
}

struct str jsn_text(struct arena *a, const json_t *v, unsigned flags)
{
	struct str out = STR_NULL;
	struct buf b;

	buf_init(&b, arena_left(a));
	jsn_write(&b, v, flags);
	if (buf_ok(&b))
		out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

/* ---- looking things up ---------------------------------------------------------------------------------------------- */

json_t *jsn_get(const json_t *obj, const char *name)
{
	return json_is_object(obj) ? json_object_get(obj, name) : NULL;
}

json_t *jsn_get_n(const json_t *obj, struct str name)
{
	return json_object_getn(obj, name.p ? name.p : "", name.n);
}

struct str jsn_string(const json_t *v)
{
	if (!json_is_string(v))
		return STR_NULL;
	return (struct str){ json_string_value(v), json_string_length(v) };
}

struct str jsn_str(const json_t *obj, const char *name)
{
	return jsn_string(jsn_get(obj, name));
}

json_t *jsn_obj(const json_t *obj, const char *name)
{
	json_t *v = jsn_get(obj, name);

	return json_is_object(v) ? v : NULL;
}

json_t *jsn_arr(const json_t *obj, const char *name)
{
	json_t *v = jsn_get(obj, name);

	return json_is_array(v) ? v : NULL;
}

bool jsn_bool(const json_t *obj, const char *name, bool otherwise)
{
	json_t *v = jsn_get(obj, name);

	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

int64_t jsn_int(const json_t *obj, const char *name, int64_t otherwise)
{
	json_t *v = jsn_get(obj, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *jsn_type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object", [JSON_ARRAY] = "array",     [JSON_STRING] = "string", [JSON_INTEGER] = "integer",
		[JSON_REAL] = "number",   [JSON_TRUE] = "boolean",    [JSON_FALSE] = "boolean", [JSON_NULL] = "null",
	};

	return v ? names[json_typeof(v)] : "null";
}

/* ---- JSON Pointer --------------------------------------------------------------------------------------------------- */

static int hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t percent_unescape(char *s, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%') {
			int high = n - i > 2 ? hex(s[i + 1]) : -1, low = n - i > 2 ? hex(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return SIZE_MAX;
			s[to++] = (char)(high << 4 | low);
			i += 2;
		} else {
			s[to++] = s[i];
		}
	}
	return to;
}

size_t jsn_pointer_unescape(char *s, size_t n, bool fragment)
{
	size_t to = 0;

	if (fragment)
		n = percent_unescape(s, n);
	if (n == SIZE_MAX)
		return n;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '~') {
			if (n - i < 2 || (s[i + 1] != '0' && s[i + 1] != '1'))
				return SIZE_MAX;
			s[to++] = s[++i] == '0' ? '~' : '/';
		} else {
			s[to++] = s[i];
		}
	}
	return to;
}

static json_t *step_into(const json_t *at, struct str token)
{
	uint64_t index;

	if (!json_is_array(at))
		return jsn_get_n(at, token);
	if ((token.n > 1 && token.p[0] == '0') || !str_to_u64(token, SIZE_MAX, &index))
		return NULL;
	return json_array_get(at, (size_t)index);
}

static json_t *follow(const json_t *root, struct str pointer, bool fragment)
{
	const json_t *at = root;
	struct str token;
	char *copy;

	if (pointer.n == 0)
		return (json_t *)(uintptr_t)root;
	if (pointer.p[0] != '/')
		return NULL;
	copy = malloc(pointer.n);
	if (!copy)
		return NULL;
	pointer = str_from(pointer, 1);
	while (at && str_split(&pointer, '/', &token)) {
		size_t n;

		if (token.n)
			memcpy(copy, token.p, token.n);
		n = jsn_pointer_unescape(copy, token.n, fragment);
		at = n == SIZE_MAX ? NULL : step_into(at, (struct str){ copy, n });
	}
	free(copy);
	return (json_t *)(uintptr_t)at;
}

json_t *jsn_pointer(const json_t *root, struct str pointer)
{
	return follow(root, pointer, false);
}

json_t *jsn_fragment(const json_t *root, struct str fragment)
{
	return follow(root, fragment, true);
}

void jsn_pointer_add(struct buf *pointer, struct str name)
{
	buf_char(pointer, '/');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '~' || name.p[i] == '/')
			buf_cstr(pointer, name.p[i] == '~' ? "~0" : "~1");
		else
			buf_char(pointer, name.p[i]);
	}
}

json_t *jsn_merge_patch(const json_t *target, const json_t *patch)
{
	json_t *out, *v;
	const char *key;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	out = json_is_object(target) ? json_copy((json_t *)(uintptr_t)target) : json_object();
	json_object_foreach((json_t *)(uintptr_t)patch, key, v) {
		json_t *merged;

		if (json_is_null(v)) {
			json_object_del(out, key);
			continue;
		}
		merged = jsn_merge_patch(json_object_get(out, key), v);
		if (!merged || json_object_set_new(out, key, merged) != 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}
