#include "core/openapi_bundle.h"

#include "core/str.h"
#include "core/uri.h"
#include "core/yaml.h"

#include <stdio.h>

/* Two ways lead out of a reference. What has a place among the components is copied there once and named from then on, which
 * keeps cycles finite; a path item, and of Swagger 2.0 whatever has no section of its own, is copied to where it is named, at
 * most INLINE_DEPTH deep. Copies are deep because YAML shares values between aliases. */

enum { INLINE_DEPTH = 16, WALK_DEPTH = 512, NAME_MAX_BYTES = 80, COPIED_MAX = 4 << 20 /* values, over all copies */ };

struct file {
	struct str path;                 /* "" is the first document */
	json_t *root;                    /* NULL: cannot be read */
};

struct bundle {
	struct arena *a;
	const struct openapi_files *files;
	struct gh_err *err;
	json_t *root;                    /* ours to change */
	bool v2, failed, found;
	struct map by_path;              /* -> struct file */
	struct map names;                /* "path#pointer kind" -> struct str: the reference that stands for it */
	size_t n_files, n_refs, bytes, copied;
	struct openapi_warning *problems;
	size_t n_problems;
	unsigned inlined;
};

/* Where a thing of that kind stands; NULL: nowhere. */
static const struct kind {
	const char *v3, *v2;
} kinds[] = { { "schemas", "definitions" }, { "parameters", "parameters" }, { "responses", "responses" }, { "requestBodies", NULL },
	      { "headers", NULL }, { "examples", NULL }, { "links", NULL }, { "callbacks", NULL }, { "securitySchemes", "securityDefinitions" },
	      { NULL, NULL } };
enum { KIND_SCHEMA, KIND_PARAMETER, KIND_RESPONSE, KIND_BODY, KIND_HEADER, KIND_EXAMPLE, KIND_LINK, KIND_CALLBACK, KIND_SCHEME, KIND_PATH };

/* What a reference stands for, by the member that holds it (`in` the object around that). */
static unsigned kind_of(const char *in, const char *name, bool in_list)
{
	static const struct {
		const char *holder;
		unsigned kind;
	} maps[] = { { "parameters", KIND_PARAMETER }, { "responses", KIND_RESPONSE }, { "requestBodies", KIND_BODY }, { "headers", KIND_HEADER },
		     { "examples", KIND_EXAMPLE }, { "links", KIND_LINK }, { "callbacks", KIND_CALLBACK }, { "securitySchemes", KIND_SCHEME },
		     { "securityDefinitions", KIND_SCHEME }, { "paths", KIND_PATH }, { "webhooks", KIND_PATH }, { "pathItems", KIND_PATH } };

	if (strcmp(in, "properties") == 0 || strcmp(in, "patternProperties") == 0)
		return KIND_SCHEMA;
	if (strcmp(name, "requestBody") == 0)
		return KIND_BODY;
	if (name[0] == '{' && name[1] == '$')            /* of a callback: "{$request.body#/url}" */
		return KIND_PATH;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (strcmp(in_list ? name : in, maps[i].holder) == 0)
			return maps[i].kind;
	return KIND_SCHEMA;
}

static void problem(struct bundle *b, struct str ref, const char *why)
{
	struct openapi_warning *to;

	if (b->n_problems >= OPENAPI_MAX_WARNINGS)
		return;
	if (!b->problems)
		b->problems = arena_alloc(b->a, OPENAPI_MAX_WARNINGS, sizeof(*b->problems));
	if (!b->problems) {
		b->failed = true;
		return;
	}
	to = &b->problems[b->n_problems++];
	to->pointer = STR("");
	to->text = arena_printf(b->a, "'%.*s' is not followed: %s", STR_ARG(str_first(ref, 200)), why);
}

/* ---- paths ------------------------------------------------------------------------------------------------------------- */

/* "a/b.yaml" and "../c.yaml#/x" -> "c.yaml"; "." and what ".." takes back are gone. STR_NULL: no memory, or too long. */
static struct str join(struct arena *a, struct str base, struct str ref)
{
	size_t cut = base.n;
	struct str rest, part;
	struct buf out;

	while (cut && base.p[cut - 1] != '/')
		cut--;
	rest = arena_printf(a, "%.*s%.*s", STR_ARG(str_first(base, cut)), STR_ARG(ref));
	buf_init(&out, 4096);
	while (rest.n && str_split(&rest, '/', &part)) {
		size_t last = out.n;

		while (last && out.p[last - 1] != '/')
			last--;
		if (!part.n || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR("..")) && out.n && !str_eq(str_from(buf_view(&out), last), STR(".."))) {
			out.n = last ? last - 1 : 0;
			continue;
		}
		buf_fmt(&out, "%s%.*s", out.n ? "/" : "", STR_ARG(part));
	}
	rest = buf_ok(&out) && out.n ? arena_dup(a, buf_view(&out)) : STR_NULL;
	buf_release(&out);
	return rest;
}

static bool has_scheme(struct str ref)
{
	size_t n = 0;

	while (n < ref.n && (ascii_is_alpha(ref.p[n]) || ascii_is_digit(ref.p[n]) || strchr("+-.", ref.p[n])))
		n++;
	return n > 1 && n < ref.n && ref.p[n] == ':';
}

static struct file *open_file(struct bundle *b, struct str path, struct str ref)
{
	struct file *f = map_get(&b->by_path, path);
	struct text_where where;
	struct gh_err why = { 0 };
	struct str text;

	if (f)
		return f;
	f = arena_new_of(b->a, struct file);
	if (!f || !map_put(&b->by_path, path, f)) {
		b->failed = true;
		return NULL;
	}
	f->path = path;
	if (++b->n_files > OPENAPI_FILES_MAX) {
		problem(b, ref, "the description is made of too many files");
	} else if (b->files->read(b->files->ctx, b->a, path, &text, &why).code) {
		problem(b, ref, why.message);
	} else if ((b->bytes += text.n) > OPENAPI_MAX_BYTES) {
		problem(b, ref, "all files together are larger than a description may be");
	} else if (yaml_or_json_parse(text, OPENAPI_MAX_BYTES, &f->root, &where, &why).code) {
		f->root = NULL;
		problem(b, ref, arena_printf(b->a, "%.*s:%u:%u: %s", STR_ARG(path), where.line, where.column, why.message).p);
	} else {
		f->root = jsn_keep(b->a, f->root);
		b->failed |= !f->root;
	}
	return f;
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* The section of the first document for things of that kind, made when it is not there; NULL: there is none. */
static json_t *section(struct bundle *b, unsigned kind, const char **name)
{
	json_t *holder = b->root, *s;

	*name = b->v2 ? kinds[kind].v2 : kinds[kind].v3;
	if (!*name)
		return NULL;
	if (!b->v2) {
		holder = json_object_get(b->root, "components");
		if (!holder && json_object_set_new(b->root, "components", json_object()))
			b->failed = true;
		holder = json_object_get(b->root, "components");
	}
	s = json_object_get(holder, *name);
	if (!s && json_is_object(holder)) {
		b->failed |= json_object_set_new(holder, *name, json_object()) != 0;
		s = json_object_get(holder, *name);
	}
	return json_is_object(s) ? s : NULL;
}

/* A name for it that is free in the section: the last part of the pointer, else the file's without its ending. */
static struct str free_name(struct bundle *b, json_t *in, struct str path, struct str pointer)
{
	struct str from = pointer.n > 1 ? pointer : path;
	char name[NAME_MAX_BYTES + 16];
	size_t n = 0, cut = from.n, base;

	while (cut && from.p[cut - 1] != '/')
		cut--;
	from = str_from(from, cut);
	if (pointer.n <= 1 && (cut = str_find_char(from, '.')) != SIZE_MAX && cut)
		from = str_first(from, cut);
	for (size_t i = 0; i < from.n && n < NAME_MAX_BYTES; i++) {
		bool good = ascii_is_alpha(from.p[i]) || ascii_is_digit(from.p[i]) || from.p[i] == '-' || from.p[i] == '_' || from.p[i] == '.';

		name[n++] = good ? from.p[i] : '_';
	}
	if (!n)
		name[n++] = '_';
	name[base = n] = 0;
	for (unsigned i = 2; json_object_get(in, name) && i < OPENAPI_BUNDLE_MAX; i++)
		base = n + (size_t)snprintf(name + n, sizeof(name) - n, "_%u", i);
	return arena_dup(b->a, (struct str){ name, base });
}

/* ---- the walk ---------------------------------------------------------------------------------------------------------- */

static void walk(struct bundle *b, json_t *v, const struct file *in, const char *holder, const char *name, bool in_list, unsigned depth);

static void count(struct bundle *b, const json_t *v, unsigned depth)
{
	const char *key;
	json_t *child;
	size_t i;

	if (++b->copied > COPIED_MAX || depth > WALK_DEPTH) {
		b->failed = true;
		return;
	}
	json_array_foreach(v, i, child)
		if (!b->failed)
			count(b, child, depth + 1);
	json_object_foreach((json_t *)(uintptr_t)v, key, child)
		if (!b->failed)
			count(b, child, depth + 1);
}

/* A copy of what stands there, its own references taken along. NULL: nothing. */
static json_t *copy_of(struct bundle *b, const struct file *f, struct str pointer, unsigned kind, unsigned depth)
{
	static const char *const holders[] = { "schemas", "parameters", "responses", "requestBodies", "headers", "examples", "links", "callbacks",
					       "securitySchemes", "paths" };
	json_t *at = pointer.n ? jsn_pointer(f->root, pointer) : f->root, *copy, *wrap;

	if (at)
		count(b, at, depth);
	if (!at || b->failed)
		return NULL;
	copy = json_deep_copy(at);
	if (!copy) {
		b->failed = true;
		return NULL;
	}
	/* inside an object, so that a copy that is a reference itself can be replaced */
	wrap = json_pack("{s:o}", "x", copy);
	walk(b, wrap, f, "", holders[kind], false, depth + 1);
	copy = json_incref(json_object_get(wrap, "x"));
	json_decref(wrap);
	return copy;
}

/* The reference that stands for the thing in the one document; STR_NULL: it has no place there, or leads nowhere. */
static struct str named(struct bundle *b, const struct file *f, struct str pointer, unsigned kind, struct str ref, unsigned depth)
{
	const char *section_name;
	json_t *to = section(b, kind, &section_name), *copy;
	struct str key = arena_printf(b->a, "%.*s#%.*s %u", STR_ARG(f->path), STR_ARG(pointer), kind), name, *known;

	if (!to)
		return STR_NULL;
	if ((known = map_get(&b->names, key)))
		return *known;
	if (!(pointer.n ? jsn_pointer(f->root, pointer) : f->root)) {
		problem(b, ref, "nothing stands there");
		return STR_NULL;
	}
	name = free_name(b, to, f->path, pointer);
	known = arena_new_of(b->a, struct str);
	if (!known || !name.p || !map_put(&b->names, key, known) || json_object_setn_new(to, name.p, name.n, json_object())) {
		b->failed = true;
		return STR_NULL;
	}
	*known = arena_printf(b->a, "#/%s%s/%.*s", b->v2 ? "" : "components/", section_name, STR_ARG(name));
	copy = copy_of(b, f, pointer, kind, depth);
	if (copy && json_object_setn_new(to, name.p, name.n, copy))
		b->failed = true;
	return *known;
}

/* What "$ref" of an object leads to; *file NULL: not out of the first document, or told as a problem. */
static bool follow(struct bundle *b, struct str ref, const struct file *in, struct file **file, struct str *pointer)
{
	size_t hash = str_find_char(ref, '#');
	struct str path = str_first(ref, hash), fragment = hash == SIZE_MAX ? STR("") : str_from(ref, hash + 1);

	*file = NULL;
	if (!path.n && !in->path.n)
		return false;            /* the first document's own */
	b->found = true;
	if (++b->n_refs > OPENAPI_BUNDLE_MAX) {
		b->failed = true;
		return false;
	}
	if (has_scheme(path) || str_starts(path, STR("//"))) {
		problem(b, ref, "addresses of the network are not asked for; save the file beside the description and refer to it by its name");
		return false;
	}
	if (str_starts(path, STR("/")) || str_find_char(path, '\\') != SIZE_MAX) {
		problem(b, ref, "only files beside the description are read; refer to it by a relative path");
		return false;
	}
	if (fragment.n && fragment.p[0] != '/') {
		problem(b, ref, "the part behind # is no JSON Pointer");
		return false;
	}
	path = path.n ? join(b->a, in->path, uri_decode(b->a, path, false)) : in->path;
	*pointer = uri_decode(b->a, fragment, false);
	if (!path.p)
		return false;
	if (b->files->name.n && str_eq(path, b->files->name))
		path = STR("");
	*file = open_file(b, path, ref);
	return *file && (*file)->root;
}

static bool set_text(json_t *object, const char *name, struct str s)
{
	return json_object_set_new(object, name, json_stringn(s.p, s.n)) == 0;
}

/* Replaces the members of `object` by those of a copy of what it refers to; what stood beside "$ref" of a path item stays. */
static void put_here(struct bundle *b, json_t *object, const struct file *f, struct str pointer, unsigned kind, struct str ref, unsigned depth)
{
	json_t *copy;

	if (b->inlined >= INLINE_DEPTH) {
		problem(b, ref, "it stands in itself");
		return;
	}
	b->inlined++;
	copy = copy_of(b, f, pointer, kind, depth);
	b->inlined--;
	if (!json_is_object(copy)) {
		problem(b, ref, "no object stands there");
		json_decref(copy);
		return;
	}
	json_object_del(object, "$ref");
	if (kind == KIND_PATH)
		b->failed |= json_object_update_missing(object, copy) != 0;
	else
		b->failed |= json_object_clear(object) != 0 || json_object_update(object, copy) != 0;
	json_decref(copy);
}

static void resolve(struct bundle *b, json_t *object, const struct file *in, unsigned kind, unsigned depth)
{
	struct str ref = arena_dup(b->a, jsn_str(object, "$ref")), pointer, to;
	struct file *f;

	if (!follow(b, ref, in, &f, &pointer))
		return;
	if (!f->path.n) {                /* back into the first document */
		b->failed |= !set_text(object, "$ref", arena_printf(b->a, "#%.*s", STR_ARG(uri_encode(b->a, pointer, URI_KEEP_PATH))));
		return;
	}
	if (kind != KIND_PATH) {
		to = named(b, f, pointer, kind, ref, depth);
		if (to.p) {
			b->failed |= !set_text(object, "$ref", to);
			return;
		}
		if (b->v2 ? kinds[kind].v2 != NULL : true)
			return;
	}
	put_here(b, object, f, pointer, kind, ref, depth);
}

/* discriminator.mapping: names of components, or references. */
static void map_discriminator(struct bundle *b, json_t *mapping, const struct file *in, unsigned depth)
{
	const char *name;
	json_t *v;
	void *next;

	json_object_foreach_safe(mapping, next, name, v) {
		struct str ref = arena_dup(b->a, jsn_string(v)), pointer, to;
		struct file *f;

		if ((str_find_char(ref, '/') == SIZE_MAX && str_find_char(ref, '.') == SIZE_MAX && str_find_char(ref, '#') == SIZE_MAX)
		    || !follow(b, ref, in, &f, &pointer))
			continue;
		to = f->path.n ? named(b, f, pointer, KIND_SCHEMA, ref, depth) : arena_printf(b->a, "#%.*s", STR_ARG(pointer));
		if (to.p)
			b->failed |= !set_text(mapping, name, to);
	}
}

/* Examples and enumerated values are data: a "$ref" in them means nothing. */
static bool is_data(const char *holder, const char *name, bool in_list)
{
	static const char *const maps[] = { "properties", "patternProperties", "schemas", "definitions", "$defs", "parameters", "responses", "headers",
					    "requestBodies", "examples", "links", "callbacks", "securitySchemes", "paths", "webhooks" };

	for (size_t i = 0; i < ARRAY_LEN(maps); i++)     /* whose names are anybody's */
		if (strcmp(holder, maps[i]) == 0)
			return false;
	return (strcmp(name, "example") == 0 || strcmp(name, "default") == 0 || strcmp(name, "enum") == 0 || strcmp(name, "const") == 0
		|| strcmp(name, "value") == 0 || (in_list && strcmp(name, "examples") == 0));
}

static void walk_object(struct bundle *b, json_t *v, const struct file *in, const char *holder, const char *name, bool in_list, unsigned depth)
{
	const char *key;
	json_t *child;
	void *next;

	json_object_foreach_safe(v, next, key, child) {
		if (strcmp(name, "discriminator") == 0 && strcmp(key, "mapping") == 0)
			map_discriminator(b, child, in, depth);
		else
			walk(b, child, in, name, key, false, depth + 1);
	}
	/* last: what is put in its place has been walked */
	if (json_is_string(json_object_get(v, "$ref")) && strcmp(name, "properties") != 0)
		resolve(b, v, in, kind_of(holder, name, in_list), depth);
}

/* `holder` is the name of the member around the one called `name`, which holds v or (in_list) the list that holds v. */
static void walk(struct bundle *b, json_t *v, const struct file *in, const char *holder, const char *name, bool in_list, unsigned depth)
{
	json_t *child;
	size_t i;

	if (b->failed || is_data(holder, name, in_list))
		return;
	if (depth > WALK_DEPTH) {
		b->failed = true;
		return;
	}
	if (json_is_array(v)) {
		json_array_foreach(v, i, child)
			walk(b, child, in, holder, name, true, depth + 1);
	} else if (json_is_object(v)) {
		walk_object(b, v, in, holder, name, in_list, depth);
	}
}

/* Most descriptions are one file: whether there is such a reference at all is seen in the text. */
static bool may_refer(struct str text)
{
	size_t at;

	while ((at = str_find(text, STR("$ref"))) != SIZE_MAX) {
		text = str_from(text, at + 4);
		while (text.n && strchr("\"' \t:\r\n", text.p[0]))
			text = str_from(text, 1);
		if (text.n && text.p[0] != '#')
			return true;
	}
	return false;
}

GH_RC openapi_bundle(struct arena *a, struct str text, const struct openapi_files *files, struct str *out,
		     struct openapi_warning **problems, size_t *n_problems, struct gh_err *err)
{
	struct bundle b = { .a = a, .files = files, .err = err };
	struct file *first = arena_new_of(a, struct file);
	struct text_where where;
	struct buf json;

	*out = STR_NULL;
	*problems = NULL;
	*n_problems = 0;
	if (!may_refer(text))
		return GH_RC_OK;
	TRY(yaml_or_json_parse(text, OPENAPI_MAX_BYTES, &b.root, &where, err));
	if (!jsn_keep(a, b.root))
		FAIL(err, NOMEM, "API description");
	b.root = jsn_keep(a, json_deep_copy(b.root));    /* aliases share values, and here they change */
	map_init(&b.by_path, a, true);
	map_init(&b.names, a, true);
	b.v2 = jsn_get(b.root, "swagger") != NULL;
	if (!first || !b.root || !map_put(&b.by_path, STR(""), first))
		FAIL(err, NOMEM, "API description");
	first->path = STR("");
	first->root = b.root;
	walk(&b, b.root, first, "", "", false, 0);
	*problems = b.problems;
	*n_problems = b.n_problems;
	if (b.failed)
		FAIL(err, LIMIT, "the description and the files it refers to are too large or too deep to be put together");
	if (!b.found)
		return GH_RC_OK;
	buf_init(&json, 2 * OPENAPI_MAX_BYTES);
	jsn_write(&json, b.root, JSN_INDENT);
	*out = buf_ok(&json) ? arena_dup(a, buf_view(&json)) : STR_NULL;
	buf_release(&json);
	if (!out->p)
		FAIL(err, LIMIT, "the description and the files it refers to are larger than %zu MB", OPENAPI_MAX_BYTES >> 19);
	return GH_RC_OK;
}
