/* uritemplate.c - reading a template, and one template against one path. Finding one among many is uritemplate_set.c.
 *
 * Everything is compared segment by segment in its raw form (uri_eq_decoded_ci), so a path is never decoded as a whole:
 * an escaped character cannot move a segment's border. */
#include "core/uritemplate.h"

#include "core/uri.h"
#include "core/uritemplate_impl.h"

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

struct reader {
	struct arena *arena;
	struct uritemplate *t;
	struct gh_err *err;
};

static gh_rc no_memory(struct reader *r)
{
	FAIL(r->err, NOMEM, "URL template: no memory");
}

/* Text that borrows from the template tells its own place. */
static int place(const struct reader *r, struct str part)
{
	return (int)(part.p - r->t->text.p) + 1;
}

static gh_rc add_name(struct reader *r, struct str name)
{
	struct uritemplate *t = r->t;

	if (!name.n)
		FAIL(r->err, INVALID, "URL template \"%.*s\": the parameter at character %d has no name; write {name}",
		     STR_ARG(t->text), place(r, name));
	for (size_t i = 0; i < t->n_names; i++)
		if (str_eq_ci(t->names[i], name))
			FAIL(r->err, INVALID, "URL template \"%.*s\": the parameter {%.*s} stands there twice", STR_ARG(t->text),
			     STR_ARG(name));
	if (t->n_names == URITEMPLATE_PARAMS_MAX)
		FAIL(r->err, INVALID, "URL template \"%.*s\": more than %d parameters", STR_ARG(t->text), URITEMPLATE_PARAMS_MAX);
	t->names[t->n_names++] = name;
	return GH_RC_OK;
}

static gh_rc literal_text(struct reader *r, struct str raw, struct str *out)
{
	char *p = arena_alloc_text(r->arena, raw.n);

	if (!p)
		return no_memory(r);
	out->n = uri_decode_to(p, raw, false);
	for (size_t i = 0; i < out->n; i++)
		p[i] = ascii_lower(p[i]);
	out->p = p;
	return GH_RC_OK;
}

/* Cuts "{...}" off the front of *s: what is between the braces. */
static gh_rc braces(struct reader *r, struct str *s, struct str *inside)
{
	size_t end = str_find_char(*s, '}');

	if (end == SIZE_MAX)
		FAIL(r->err, INVALID, "URL template \"%.*s\": the brace at character %d is not closed", STR_ARG(r->t->text),
		     place(r, *s));
	*inside = (struct str){ s->p + 1, end - 1 };
	if (str_find_char(*inside, '{') != SIZE_MAX)
		FAIL(r->err, INVALID, "URL template \"%.*s\": a brace inside the parameter at character %d",
		     STR_ARG(r->t->text), place(r, *s));
	*s = str_from(*s, end + 1);
	return GH_RC_OK;
}

static gh_rc whole_param(struct reader *r, struct str inside, struct segment *out)
{
	size_t eq = str_find_char(inside, '=');

	if (inside.n && inside.p[0] == '*') {
		out->kind = SEGMENT_WILD;
		out->name = str_from(inside, 1);
		return add_name(r, out->name);
	}
	out->kind = SEGMENT_PARAM;
	out->name = str_first(inside, eq);
	if (eq != SIZE_MAX)
		out->fallback = str_from(inside, eq + 1);
	return add_name(r, out->name);
}

static gh_rc mixed_segment(struct reader *r, struct str raw, struct segment *out)
{
	char *shape = arena_alloc_text(r->arena, raw.n);
	bool after_param = false;
	struct str inside;

	out->kind = SEGMENT_MIXED;
	out->pieces = arena_alloc(r->arena, raw.n, sizeof(*out->pieces));
	if (!shape || !out->pieces)
		return no_memory(r);
	out->literal.p = shape;
	while (raw.n) {
		size_t n = raw.p[0] == '{' ? 0 : str_find_char(raw, '{');
		struct piece *piece = &out->pieces[out->n_pieces++];

		if (n) {
			TRY(literal_text(r, str_first(raw, n), &piece->literal));
			memcpy(shape + out->literal.n, piece->literal.p, piece->literal.n);
			out->literal.n += piece->literal.n;
			raw = str_from(raw, n);
			after_param = false;
			continue;
		}
		if (after_param)
			FAIL(r->err, INVALID, "URL template \"%.*s\": two parameters without a text between them at character %d",
			     STR_ARG(r->t->text), place(r, raw));
		TRY(braces(r, &raw, &inside));
		if (inside.n && inside.p[0] == '*')
			FAIL(r->err, INVALID, "URL template \"%.*s\": {%.*s} takes the rest of the path and must stand alone",
			     STR_ARG(r->t->text), STR_ARG(inside));
		TRY(add_name(r, inside));
		memcpy(shape + out->literal.n, "{}", 2);
		out->literal.n += 2;
		after_param = true;
	}
	return GH_RC_OK;
}

static gh_rc read_segment(struct reader *r, struct str raw, struct segment *out)
{
	size_t open = str_find_char(raw, '{');
	struct str rest = raw, inside;

	if (open == SIZE_MAX && str_find_char(raw, '}') != SIZE_MAX)
		FAIL(r->err, INVALID, "URL template \"%.*s\": a closing brace without an opening one", STR_ARG(r->t->text));
	if (str_eq(raw, STR("*"))) {
		out->kind = SEGMENT_WILD;
		return GH_RC_OK;
	}
	if (open == SIZE_MAX) {
		out->kind = SEGMENT_LITERAL;
		return literal_text(r, raw, &out->literal);
	}
	if (open == 0) {
		TRY(braces(r, &rest, &inside));
		if (!rest.n)
			return whole_param(r, inside, out);
	}
	return mixed_segment(r, raw, out);
}

/* Cuts at slashes that are outside braces, so that a default may hold one. */
static struct str cut_segment(struct str *rest)
{
	bool inside = false;
	struct str part;
	size_t i = 0;

	for (; i < rest->n && (inside || rest->p[i] != '/'); i++)
		inside = rest->p[i] == '{' || (inside && rest->p[i] != '}');
	part = str_first(*rest, i);
	*rest = i < rest->n ? str_from(*rest, i + 1) : STR_NULL;
	return part;
}

static gh_rc read_path(struct reader *r, struct str path)
{
	struct uritemplate *t = r->t;
	size_t most = 1;

	if (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	if (path.n && path.p[path.n - 1] == '/') {
		t->slash = true;
		path.n--;
	}
	for (size_t i = 0; i < path.n; i++)
		most += path.p[i] == '/';
	if (most > URITEMPLATE_SEGMENTS_MAX)
		FAIL(r->err, INVALID, "URL template \"%.*s\": more than %d segments", STR_ARG(t->text), URITEMPLATE_SEGMENTS_MAX);
	t->segments = arena_alloc(r->arena, most, sizeof(*t->segments));
	if (!t->segments)
		return no_memory(r);
	while (path.p && (path.n || t->n_segments)) {
		struct segment *s = &t->segments[t->n_segments++];

		if (t->n_segments > 1 && s[-1].kind == SEGMENT_WILD)
			FAIL(r->err, INVALID, "URL template \"%.*s\": a wildcard must be the last segment", STR_ARG(t->text));
		TRY(read_segment(r, cut_segment(&path), s));
	}
	t->least_segments = t->n_segments;
	while (t->least_segments) {
		const struct segment *s = &t->segments[t->least_segments - 1];

		if (s->kind != SEGMENT_WILD && !s->fallback.p)
			break;
		t->least_segments--;
	}
	return GH_RC_OK;
}

static gh_rc read_query(struct reader *r, struct str query)
{
	struct str key, value, inside;
	size_t most = 1;

	for (size_t i = 0; i < query.n; i++)
		most += query.p[i] == '&';
	r->t->query = arena_alloc(r->arena, most, sizeof(*r->t->query));
	if (!r->t->query)
		return no_memory(r);
	while (uri_query_next(&query, &key, &value)) {
		struct query_item *q = &r->t->query[r->t->n_query++];
		size_t eq;

		q->key = uri_decode(r->arena, key, false);
		if (!q->key.p)
			return no_memory(r);
		if (!value.n || value.p[0] != '{') {
			if (str_find_char(key, '{') != SIZE_MAX || str_find_char(value, '{') != SIZE_MAX)
				FAIL(r->err, INVALID, "URL template \"%.*s\": a query parameter must be written name={parameter}",
				     STR_ARG(r->t->text));
			q->literal = value.p ? uri_decode(r->arena, value, true) : STR_NULL;
			if (value.p && !q->literal.p)
				return no_memory(r);
			continue;
		}
		TRY(braces(r, &value, &inside));
		eq = str_find_char(inside, '=');
		q->name = str_first(inside, eq);
		q->fallback = eq == SIZE_MAX ? STR_NULL : str_from(inside, eq + 1);
		if (value.n || (q->name.n && q->name.p[0] == '*'))
			FAIL(r->err, INVALID, "URL template \"%.*s\": a query parameter must be written name={parameter}",
			     STR_ARG(r->t->text));
		TRY(add_name(r, q->name));
	}
	return GH_RC_OK;
}

gh_rc uritemplate_parse(struct arena *a, struct str text, const struct uritemplate **out, struct gh_err *err)
{
	struct reader r = { .arena = a, .err = err, .t = arena_new_of(a, struct uritemplate) };
	size_t question = str_find_char(text, '?'), names = 0;

	if (!r.t)
		return no_memory(&r);
	r.t->text = text;
	if (text.n > URITEMPLATE_BYTES_MAX)
		FAIL(err, INVALID, "URL template: longer than %d bytes", URITEMPLATE_BYTES_MAX);
	for (size_t i = 0; i < text.n; i++)
		names += text.p[i] == '{';
	r.t->names = arena_alloc(a, names < URITEMPLATE_PARAMS_MAX ? names : URITEMPLATE_PARAMS_MAX, sizeof(struct str));
	if (!r.t->names)
		return no_memory(&r);
	TRY(read_path(&r, str_first(text, question)));
	if (question != SIZE_MAX)
		TRY(read_query(&r, str_from(text, question + 1)));
	*out = r.t;
	return GH_RC_OK;
}

size_t uritemplate_params(const struct uritemplate *t)
{
	return t->n_names;
}

struct str uritemplate_param(const struct uritemplate *t, size_t i)
{
	return i < t->n_names ? t->names[i] : STR_NULL;
}

struct str uritemplate_text(const struct uritemplate *t)
{
	return t->text;
}

/* ---- matching --------------------------------------------------------------------------------------------------------- */

void path_cut(struct str path, struct path_cut *out)
{
	struct str rest = path.n && path.p[0] == '/' ? str_from(path, 1) : path;

	out->n = 0;
	out->more = false;
	out->path = rest;
	out->slash = rest.n && rest.p[rest.n - 1] == '/';
	if (out->slash)
		rest.n--;
	if (!rest.n && !out->slash)
		return;
	for (struct str part; str_split(&rest, '/', &part);) {
		if (out->n == URITEMPLATE_SEGMENTS_MAX) {
			out->more = true;
			return;
		}
		out->v[out->n++] = part;
	}
}

static bool same_ci(const char *p, struct str lower)
{
	for (size_t i = 0; i < lower.n; i++)
		if (ascii_lower(p[i]) != lower.p[i])
			return false;
	return true;
}

/* Literals at both ends are fixed; those between are placed from the right, each as far right as it goes. That finds a
 * match whenever there is one, and gives "archive.tar" and "gz" for {name}.{ext}. values (one for each parameter of the
 * segment, in order) may be NULL. */
static bool mixed_fits(const struct segment *s, struct str text, struct str *values)
{
	size_t from = 0, to = text.n, lo = 0, hi = s->n_pieces, params = 0;

	for (size_t i = 0; i < s->n_pieces; i++)
		params += !s->pieces[i].literal.p;
	if (s->pieces[0].literal.p) {
		from = s->pieces[lo++].literal.n;
		if (from > text.n || !same_ci(text.p, s->pieces[0].literal))
			return false;
	}
	if (hi > lo && s->pieces[hi - 1].literal.p) {
		struct str last = s->pieces[--hi].literal;

		if (last.n > to - from || !same_ci(text.p + to - last.n, last))
			return false;
		to -= last.n;
	}
	for (; hi > lo + 1; hi -= 2) {               /* ... parameter, literal, parameter */
		struct str literal = s->pieces[hi - 2].literal;
		size_t at = to;

		do {
			if (at <= from + literal.n + 1)
				return false;
			at--;
		} while (!same_ci(text.p + at - literal.n, literal));
		if (values)
			values[--params] = (struct str){ text.p + at, to - at };
		to = at - literal.n;
	}
	if (values)
		values[0] = (struct str){ text.p + from, to - from };
	return to > from;
}

bool uritemplate_segment_fits(const struct segment *s, struct arena *a, struct str raw, struct str *values)
{
	struct str text;

	switch (s->kind) {
	case SEGMENT_LITERAL:
		return uri_eq_decoded_ci(raw, s->literal);
	case SEGMENT_MIXED:
		text = uri_decode(a, raw, false);
		return text.p && mixed_fits(s, text, values);
	case SEGMENT_PARAM:
		if (values)
			*values = uri_decode(a, raw, false);
		return raw.n && (!values || values->p);
	case SEGMENT_WILD:
		return true;
	}
	return false;
}

bool uritemplate_query_fits(const struct uritemplate *t, struct str query)
{
	for (size_t i = 0; i < t->n_query; i++) {
		const struct query_item *q = &t->query[i];
		struct str value;

		if (!uri_query_find(query, q->key, &value)) {
			if (!q->fallback.p)
				return false;
			continue;
		}
		if (q->literal.p && !uri_eq_decoded_ci(value, q->literal))
			return false;
	}
	return true;
}

static bool put(struct uritemplate_values *values, struct str name, struct str value)
{
	if (!value.p)
		return false;
	if (!name.p)
		return true;
	values->v[values->n++] = (struct uritemplate_value){ name, value };
	return true;
}

bool uritemplate_values_of(const struct uritemplate *t, struct arena *a, const struct path_cut *cut, struct str query,
			   struct uritemplate_values *values)
{
	values->n = 0;
	for (size_t i = 0; i < t->n_segments; i++) {
		const struct segment *s = &t->segments[i];
		struct str got[URITEMPLATE_PARAMS_MAX], rest = STR("");
		size_t first = values->n;

		if (s->kind == SEGMENT_WILD) {
			if (i < cut->n)
				rest = (struct str){ cut->v[i].p, (size_t)(cut->path.p + cut->path.n - cut->v[i].p) };
			if (!put(values, s->name, uri_decode(a, rest, false)))
				return false;
		} else if (i >= cut->n) {
			if (!put(values, s->name, s->fallback))
				return false;
		} else if (!uritemplate_segment_fits(s, a, cut->v[i], got)) {
			return false;
		} else if (s->kind == SEGMENT_PARAM) {
			put(values, s->name, got[0]);
		} else if (s->kind == SEGMENT_MIXED) {
			for (size_t p = 0, k = 0; p < s->n_pieces; p++)
				if (!s->pieces[p].literal.p && put(values, t->names[first + k], got[k]))
					k++;
		}
	}
	for (size_t i = 0; i < t->n_query; i++) {
		const struct query_item *q = &t->query[i];
		struct str value;

		if (!q->name.p)
			continue;
		value = uri_query_find(query, q->key, &value) ? uri_decode(a, value, true) : q->fallback;
		if (!put(values, q->name, value))
			return false;
	}
	return true;
}

bool uritemplate_match(const struct uritemplate *t, struct arena *a, struct str path, struct str query,
		       struct uritemplate_values *values)
{
	bool wild = t->n_segments && t->segments[t->n_segments - 1].kind == SEGMENT_WILD;
	struct uritemplate_values none;
	struct path_cut cut;

	path_cut(path, &cut);
	if (cut.n < t->least_segments || (!wild && (cut.more || cut.n > t->n_segments)))
		return false;
	return uritemplate_query_fits(t, query) && uritemplate_values_of(t, a, &cut, query, values ? values : &none);
}
