/* resources.c - which schema an address names.
 *
 * A document is one resource; every schema in it with an $id of its own begins another. Documents are scanned for ids and
 * anchors only when a reference asks for one, because most descriptions use plain "#/components/…" pointers and some have
 * ten thousand schemas. */
#include "core/schema/schema.h"

#include "core/str.h"

#include <stdio.h>

/* ---- addresses (RFC 3986) ----------------------------------------------------------------------------------------------- */

struct parts {
	struct str scheme, authority, path, query;       /* scheme with ':', authority with '//', query with '?' */
};

static struct parts split(struct str s)
{
	struct parts p = { { s.p, 0 }, { s.p, 0 }, { s.p, 0 }, { s.p, 0 } };
	size_t i = 0;

	while (i < s.n && (ascii_is_alpha(s.p[i]) || (i > 0 && (ascii_is_digit(s.p[i]) || strchr("+-.", s.p[i])))))
		i++;
	if (i > 0 && i < s.n && s.p[i] == ':') {
		p.scheme = str_first(s, i + 1);
		s = str_from(s, i + 1);
	}
	if (str_starts(s, STR("//"))) {
		for (i = 2; i < s.n && s.p[i] != '/' && s.p[i] != '?'; i++)
			;
		p.authority = str_first(s, i);
		s = str_from(s, i);
	}
	p.path = str_first(s, str_find_char(s, '?'));
	p.query = str_from(s, p.path.n);
	return p;
}

/* RFC 3986 section 5.2.4, in place. */
static size_t remove_dots(char *s, size_t n)
{
	size_t to = 0, i = 0;

	while (i < n) {
		struct str rest = { s + i, n - i };

		if (str_starts(rest, STR("../"))) {
			i += 3;
		} else if (str_starts(rest, STR("./")) || str_starts(rest, STR("/./"))) {
			i += 2;
		} else if (str_eq(rest, STR("/."))) {
			s[to++] = '/';
			i = n;
		} else if (str_starts(rest, STR("/../")) || str_eq(rest, STR("/.."))) {
			while (to > 0 && s[--to] != '/')
				;
			if (rest.n == 3)
				s[to++] = '/';
			i += 3;
		} else {
			do
				s[to++] = s[i++];
			while (i < n && s[i] != '/');
		}
	}
	return to;
}

struct str uri_join(struct arena *a, struct str base, struct str ref)
{
	struct parts b = split(base), r = split(ref);
	struct str out, dir = STR("");
	size_t path_at, n;
	char *p;

	if (r.scheme.n > 0)
		return arena_dup(a, ref);
	if (r.authority.n == 0 && r.path.n == 0)
		return arena_printf(a, "%.*s%.*s%.*s%.*s", STR_ARG(b.scheme), STR_ARG(b.authority), STR_ARG(b.path),
				    STR_ARG(r.query.n ? r.query : b.query));
	if (r.authority.n == 0 && r.path.p[0] != '/') {
		size_t slash = str_rfind_char(b.path, '/');

		dir = slash == SIZE_MAX ? (b.authority.n ? STR("/") : STR("")) : str_first(b.path, slash + 1);
	}
	if (r.authority.n > 0)
		b.authority = r.authority;
	out = arena_printf(a, "%.*s%.*s%.*s%.*s", STR_ARG(b.scheme), STR_ARG(b.authority), STR_ARG(dir), STR_ARG(r.path));
	if (!out.p)
		return out;
	path_at = b.scheme.n + b.authority.n;
	p = (char *)(uintptr_t)out.p;
	n = path_at + remove_dots(p + path_at, out.n - path_at);
	return arena_printf(a, "%.*s%.*s", (int)n, p, STR_ARG(r.query));
}

/* ---- resources ------------------------------------------------------------------------------------------------------------ */

enum jsonschema_dialect dialect_of(const json_t *schema, enum jsonschema_dialect otherwise)
{
	static const struct {
		struct str uri;
		enum jsonschema_dialect dialect;
	} known[] = {
		{ STR_INIT("json-schema.org/draft/2020-12/schema"), JSONSCHEMA_2020_12 },
		{ STR_INIT("json-schema.org/draft/2019-09/schema"), JSONSCHEMA_2019_09 },
		{ STR_INIT("json-schema.org/draft-07/schema"), JSONSCHEMA_DRAFT_7 },
		{ STR_INIT("json-schema.org/draft-06/schema"), JSONSCHEMA_DRAFT_6 },
		{ STR_INIT("json-schema.org/draft-04/schema"), JSONSCHEMA_DRAFT_4 },
		{ STR_INIT("spec.openapis.org/oas/3.1/dialect/base"), JSONSCHEMA_OPENAPI_3_1 },
	};
	struct str uri = jsn_str(schema, "$schema");

	if (str_starts(uri, STR("http://")))
		uri = str_from(uri, 7);
	else if (str_starts(uri, STR("https://")))
		uri = str_from(uri, 8);
	if (str_ends(uri, STR("#")))
		uri.n--;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(known[i].uri, uri))
			return known[i].dialect;
	return otherwise;
}

struct resource *resource_add(struct compiler *c, struct str uri, json_t *root, struct str pointer,
			      enum jsonschema_dialect dialect)
{
	struct resource *r = arena_new_of(c->a, struct resource);

	if (!r || !map_put(&c->by_uri, uri, r)) {
		c->failed = true;
		return NULL;
	}
	r->uri = uri;
	r->root = root;
	r->pointer = pointer;
	r->dialect = dialect;
	map_init(&r->anchors, c->a, false);
	r->next = c->s->resources;
	c->s->resources = r;
	return r;
}

static bool has_ids(enum jsonschema_dialect d)
{
	return d != JSONSCHEMA_OPENAPI_3_0;
}

/* The $id as an address without fragment; STR_NULL when the schema has none. Up to draft 7 an id that is only a fragment is
 * an anchor, and one beside "$ref" is ignored. */
static struct str id_of(const json_t *schema, enum jsonschema_dialect d)
{
	struct str id;

	if (!has_ids(d) || !json_is_object(schema))
		return STR_NULL;
	id = jsn_str(schema, d == JSONSCHEMA_DRAFT_4 ? "id" : "$id");
	if (str_is_null(id) || id.n == 0 || id.p[0] == '#')
		return STR_NULL;
	if ((d == JSONSCHEMA_DRAFT_4 || d == JSONSCHEMA_DRAFT_6 || d == JSONSCHEMA_DRAFT_7) && jsn_get(schema, "$ref"))
		return STR_NULL;
	return str_first(id, str_find_char(id, '#'));
}

struct resource *resource_of(struct compiler *c, json_t *schema, struct resource *outer, struct str pointer)
{
	enum jsonschema_dialect d = dialect_of(schema, outer->dialect);
	struct str id = id_of(schema, d), uri;
	struct resource *r;

	if (str_is_null(id) || schema == outer->root)
		return outer;
	uri = uri_join(c->a, outer->uri, id);
	if (!uri.p) {
		c->failed = true;
		return NULL;
	}
	r = map_get(&c->by_uri, uri);
	if (r && r->root == schema)
		return r;
	return resource_add(c, uri, schema, pointer, d);
}

/* ---- scanning ------------------------------------------------------------------------------------------------------------- */

static void add_anchor(struct compiler *c, struct resource *r, struct str name, json_t *schema, struct str pointer, bool dynamic)
{
	struct anchor_entry *e = arena_new_of(c->a, struct anchor_entry);

	if (!e || !map_put(&r->anchors, name, e)) {
		c->failed = true;
		return;
	}
	*e = (struct anchor_entry){ .schema = schema, .pointer = pointer, .dynamic = dynamic, .next = r->first_anchor };
	r->first_anchor = e;
}

static void scan_anchors(struct compiler *c, struct resource *r, json_t *schema, struct str pointer)
{
	enum jsonschema_dialect d = r->dialect;
	struct str name;

	if (d == JSONSCHEMA_2019_09 || d == JSONSCHEMA_2020_12 || d == JSONSCHEMA_OPENAPI_3_1) {
		name = jsn_str(schema, "$anchor");
		if (name.p)
			add_anchor(c, r, name, schema, pointer, false);
		name = jsn_str(schema, "$dynamicAnchor");
		if (name.p && d != JSONSCHEMA_2019_09)
			add_anchor(c, r, name, schema, pointer, true);
		if (d == JSONSCHEMA_2019_09 && schema == r->root)
			r->recursive_anchor = jsn_bool(schema, "$recursiveAnchor", false);
		return;
	}
	name = jsn_str(schema, d == JSONSCHEMA_DRAFT_4 ? "id" : "$id");
	if (has_ids(d) && name.n > 0 && !jsn_get(schema, "$ref")) {
		size_t hash = str_find_char(name, '#');

		if (hash != SIZE_MAX && hash + 1 < name.n)
			add_anchor(c, r, str_from(name, hash + 1), schema, pointer, false);
	}
}

static void scan(struct compiler *c, struct resource *r, json_t *schema, struct str pointer, unsigned depth);

static struct str pointer_with(struct compiler *c, struct str pointer, const char *step1, struct str step2)
{
	struct str out = STR_NULL;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_str(&b, pointer);
	if (step1)
		jsn_pointer_add(&b, str_of(step1));
	if (step2.p)
		jsn_pointer_add(&b, step2);
	if (buf_ok(&b))
		out = arena_dup(c->a, buf_view(&b));
	buf_release(&b);
	if (!out.p)
		c->failed = true;
	return out;
}

static void scan_keyword(struct compiler *c, struct resource *r, const struct keyword *k, json_t *v, struct str pointer,
			 unsigned depth)
{
	char index[24];
	const char *name;
	json_t *sub;
	size_t i;

	if (k->shape == SHAPE_MAP) {
		json_object_foreach(v, name, sub)
			scan(c, r, sub, pointer_with(c, pointer, k->name, str_of(name)), depth);
	} else if (json_is_array(v) && (k->shape == SHAPE_LIST || k->shape == SHAPE_SCHEMA_OR_LIST)) {
		json_array_foreach(v, i, sub) {
			snprintf(index, sizeof(index), "%zu", i);
			scan(c, r, sub, pointer_with(c, pointer, k->name, str_of(index)), depth);
		}
	} else if (k->shape == SHAPE_SCHEMA || k->shape == SHAPE_SCHEMA_OR_LIST) {
		scan(c, r, v, pointer_with(c, pointer, k->name, STR_NULL), depth);
	}
}

static void scan(struct compiler *c, struct resource *r, json_t *schema, struct str pointer, unsigned depth)
{
	const struct keyword *k;

	if (!json_is_object(schema) || c->failed || depth == 0)
		return;
	r = resource_of(c, schema, r, pointer);
	if (!r)
		return;
	r->scanned = true;
	scan_anchors(c, r, schema, pointer);
	for (k = schema_keywords; k->name; k++) {
		json_t *v = k->shape != SHAPE_NONE && k->dialects & 1u << r->dialect ? jsn_get(schema, k->name) : NULL;

		if (v)
			scan_keyword(c, r, k, v, pointer, depth - 1);
	}
}

/* A description is no schema: its named schemas are what may carry ids. */
static void scan_components(struct compiler *c, struct resource *r)
{
	json_t *named = jsn_obj(jsn_obj(r->root, "components"), "schemas"), *v;
	const char *name;

	json_object_foreach(named, name, v)
		scan(c, r, v, pointer_with(c, STR("/components/schemas"), NULL, str_of(name)), JSN_MAX_DEPTH);
}

void resource_scan(struct compiler *c, struct resource *r)
{
	if (r->scanned)
		return;
	r->scanned = true;
	if (jsn_get(r->root, "openapi"))
		scan_components(c, r);
	else
		scan(c, r, r->root, r->pointer, JSN_MAX_DEPTH);
}

/* ---- following references --------------------------------------------------------------------------------------------------- */

static struct resource *find_resource(struct compiler *c, struct str uri)
{
	struct resource *r = map_get(&c->by_uri, uri);
	json_t *root;

	if (r)
		return r;
	for (struct resource *each = c->s->resources; each; each = each->next)
		resource_scan(c, each);
	r = map_get(&c->by_uri, uri);
	if (r || !c->s->options.source)
		return r;
	root = c->s->options.source->find(c->s->options.source->self, uri);
	if (!root)
		return NULL;
	return resource_add(c, uri, root, STR(""), dialect_of(root, c->s->options.dialect));
}

/* Walks a pointer from a resource's root; schemas with an id on the way change the resource. */
static GH_RC walk_pointer(struct compiler *c, struct resource *r, struct str fragment, struct place *out, struct gh_err *err)
{
	struct str rest = str_from(fragment, 1), token;
	struct str pointer = r->pointer;
	json_t *at = r->root;

	while (str_split(&rest, '/', &token)) {
		char *copy = arena_alloc_text(c->a, token.n + 1);
		uint64_t index;
		size_t n;

		if (!copy)
			FAIL(err, NOMEM, "schema");
		if (token.n)
			memcpy(copy, token.p, token.n);
		n = jsn_pointer_unescape(copy, token.n, true);
		if (n == SIZE_MAX)
			FAIL(err, INVALID, "the pointer '#%.*s' is malformed", STR_ARG(fragment));
		pointer = pointer_with(c, pointer, NULL, (struct str){ copy, n });
		if (json_is_array(at))
			at = str_to_u64((struct str){ copy, n }, 1u << 30, &index) ? json_array_get(at, (size_t)index) : NULL;
		else
			at = jsn_get_n(at, (struct str){ copy, n });
		if (!at)
			FAIL(err, INVALID, "the reference '#%.*s' leads nowhere", STR_ARG(str_first(fragment, 200)));
		if (json_is_object(at) && rest.p)
			r = resource_of(c, at, r, pointer);
		if (!r || c->failed)
			FAIL(err, NOMEM, "schema");
	}
	*out = (struct place){ at, r, pointer };
	return GH_RC_OK;
}

GH_RC resolve_ref(struct compiler *c, struct str ref, struct resource *base, struct place *out, struct gh_err *err)
{
	struct str uri = str_first(ref, str_find_char(ref, '#')), fragment = str_from(ref, uri.n + 1);
	struct resource *r = base;
	struct anchor_entry *e;

	if (uri.n > 0) {
		struct str full = uri_join(c->a, base->uri, uri);

		r = full.p ? find_resource(c, full) : NULL;
		if (!r)
			FAIL(err, INVALID, "the reference '%.*s' leads to a document that is not here", STR_ARG(str_first(ref, 200)));
	}
	if (fragment.n == 0) {
		*out = (struct place){ r->root, r, r->pointer };
		return GH_RC_OK;
	}
	if (fragment.p[0] == '/')
		return walk_pointer(c, r, fragment, out, err);
	resource_scan(c, r);
	e = map_get(&r->anchors, fragment);
	if (!e)
		FAIL(err, INVALID, "the reference '%.*s' names an anchor that is not here", STR_ARG(str_first(ref, 200)));
	*out = (struct place){ e->schema, r, e->pointer };
	return GH_RC_OK;
}
