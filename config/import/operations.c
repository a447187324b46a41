#include "config/import/operations.h"

#include "core/uritemplate.h"

enum { ID_MAX = 80, NAME_MAX = 300 };

struct str import_slug(struct arena *a, struct str s)
{
	char *to = arena_alloc_text(a, ID_MAX + 1);
	size_t n = 0;

	if (!to)
		return STR_NULL;
	for (size_t i = 0; i < s.n && n < ID_MAX; i++) {
		char c = ascii_lower(s.p[i]);

		if (ascii_is_alpha(c) || ascii_is_digit(c))
			to[n++] = c;
		else if (n > 0 && to[n - 1] != '-')
			to[n++] = '-';
	}
	while (n > 0 && to[n - 1] == '-')
		n--;
	return (struct str){ to, n };
}

struct str import_cut(struct str s, size_t n)
{
	if (n >= s.n)
		return s;
	while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_first(s, n);
}

struct str import_name(struct arena *a, struct str s)
{
	struct buf b;
	struct str out;

	s = import_cut(str_trim(s), NAME_MAX);
	buf_init(&b, NAME_MAX + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool c1 = c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0;  /* U+0080 to U+009F in UTF-8 */

		buf_char(&b, c < ' ' || c == 0x7f || c1 ? ' ' : (char)c);
		i += c1;
	}
	out = arena_dup(a, str_trim(buf_view(&b)));
	buf_release(&b);
	return out;
}

static GH_RC unique_id(struct arena *a, struct map *taken, struct str wanted, struct str *out, struct gh_err *err)
{
	*out = wanted;
	for (unsigned i = 1; out->p && map_get(taken, *out); i++)
		*out = arena_printf(a, "%.*s-%u", STR_ARG(wanted), i);
	if (!out->p || !map_put(taken, *out, taken))
		FAIL(err, NOMEM, "operation ids");
	return GH_RC_OK;
}

static struct str operation_name(struct arena *a, const struct openapi_operation *op)
{
	struct str name = import_name(a, op->summary);

	if (!name.n)
		name = import_name(a, op->id);
	return name.n ? name : import_name(a, arena_printf(a, "%.*s %.*s", STR_ARG(op->method), STR_ARG(op->path)));
}

/* A warning of our own, behind those of the reader. */
static GH_RC add_warning(struct arena *a, struct openapi *doc, const struct openapi_operation *op, const char *text, struct gh_err *err)
{
	struct openapi_warning *v;
	struct buf pointer;

	if (doc->n_warnings == OPENAPI_MAX_WARNINGS) {
		doc->n_warnings_left_out++;
		return GH_RC_OK;
	}
	v = arena_alloc(a, doc->n_warnings + 1, sizeof(*v));
	if (!v)
		FAIL(err, NOMEM, "warnings");
	if (doc->n_warnings)
		memcpy(v, doc->warnings, doc->n_warnings * sizeof(*v));
	buf_init(&pointer, 65536);
	buf_cstr(&pointer, "/paths");
	jsn_pointer_add(&pointer, op->path);
	v[doc->n_warnings].pointer = arena_dup(a, buf_view(&pointer));
	v[doc->n_warnings].text = arena_dup(a, str_of(text));
	buf_release(&pointer);
	doc->warnings = v;
	doc->n_warnings++;
	return GH_RC_OK;
}

/* The template that the gateway routes by. With all required query parameters it may be too much; then the path alone
 * serves. *out STR_NULL: it cannot be routed, and a warning says so. */
static GH_RC route_of(struct arena *a, struct openapi *doc, const struct openapi_operation *op, struct str *out, struct gh_err *err)
{
	const struct uritemplate *t;
	struct gh_err why = { 0 };

	*out = openapi_url_template(a, op);
	if (out->p && !uritemplate_parse(a, *out, &t, &why).code)
		return GH_RC_OK;
	*out = str_first(*out, str_find_char(*out, '?'));
	if (out->p && !uritemplate_parse(a, *out, &t, &why).code)
		return GH_RC_OK;
	*out = STR_NULL;
	return add_warning(a, doc, op, why.message[0] ? why.message : "the path is too long to be routed; the operation is left out", err);
}

/* As a JSON array. One that is too long for a tag is left out, what is beyond the limit too. */
static GH_RC tags_of(struct arena *a, const struct openapi_operation *op, struct str *out, struct gh_err *err)
{
	struct buf b;
	size_t n = 0;

	buf_init(&b, STORE_TAGS_MAX * (6 * STORE_TAG_MAX + 8));
	buf_char(&b, '[');
	for (size_t i = 0; i < op->n_tags && n < STORE_TAGS_MAX; i++) {
		struct str tag = str_trim(op->tags[i]);

		if (!tag.n || tag.n > STORE_TAG_MAX)
			continue;
		buf_cstr(&b, n++ ? "," : "");
		buf_json(&b, tag);
	}
	buf_char(&b, ']');
	*out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	if (!out->p)
		FAIL(err, NOMEM, "tags");
	return GH_RC_OK;
}

GH_RC import_operations(struct arena *a, struct openapi *doc, struct store_operation **out, const struct openapi_operation ***from,
			size_t *n, struct gh_err *err)
{
	const struct openapi_operation **origins = arena_alloc(a, doc->n_operations + 1, sizeof(*origins));
	struct store_operation *v = arena_alloc(a, doc->n_operations + 1, sizeof(*v));
	struct map taken, routes;

	map_init(&taken, a, true);
	map_init(&routes, a, false);
	*n = 0;
	if (!v || !origins)
		FAIL(err, NOMEM, "operations");
	for (size_t i = 0; i < doc->n_operations; i++) {
		const struct openapi_operation *op = &doc->operations[i];
		struct store_operation *to = &v[*n];
		struct str route;

		TRY(route_of(a, doc, op, &to->uri_template, err));
		route = arena_printf(a, "%.*s %.*s", STR_ARG(op->method), STR_ARG(to->uri_template));
		if (!route.p)
			FAIL(err, NOMEM, "operations");
		if (!to->uri_template.p || openapi_find(doc, op->method, op->path) != op || map_get(&routes, route))
			continue;
		if (!map_put(&routes, route, to))
			FAIL(err, NOMEM, "operations");
		TRY(unique_id(a, &taken, openapi_operation_slug(a, op), &to->id, err));
		to->method = op->method;
		to->name = operation_name(a, op);
		to->description = op->description;
		TRY(tags_of(a, op, &to->tags, err));
		origins[*n] = op;
		to->position = (int64_t)(*n)++;
	}
	*out = v;
	if (from)
		*from = origins;
	return GH_RC_OK;
}
