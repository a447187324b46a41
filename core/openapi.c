/* openapi.c - the frame of the reader (document, places, warnings, references) and the questions asked of a model.
 *
 * The model is a view: texts and schemas point into the jansson document, which the arena keeps. Only what Swagger 2.0
 * says in another form is built anew. Operations, parameters, bodies and responses are read in openapi_operation.c and
 * openapi_parts.c, Swagger's forms in openapi_v2.c. */
#include "core/openapi_read.h"

#include "core/str.h"
#include "core/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_REF_STEPS 64u
#define MAX_POINTER_BYTES 8192u

size_t at_enter(struct reader *r, struct str name)
{
	size_t before = r->at.n;

	jsn_pointer_add(&r->at, name);
	return before;
}

size_t at_enter_index(struct reader *r, size_t index)
{
	size_t before = r->at.n;

	buf_fmt(&r->at, "/%zu", index);
	return before;
}

void at_leave(struct reader *r, size_t before)
{
	r->at.n = before;
	r->at.failed = false;
}

void warn(struct reader *r, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	struct openapi_warning *w;

	if (!r->warnings)
		r->warnings = TAKE(r, OPENAPI_MAX_WARNINGS, struct openapi_warning);
	if (!r->warnings || r->n_warnings == OPENAPI_MAX_WARNINGS) {
		r->n_left_out++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w = &r->warnings[r->n_warnings++];
	w->pointer = arena_dup(r->a, buf_view(&r->at));
	w->text = arena_dup(r->a, str_of(text));
	if (!w->pointer.p || !w->text.p)
		r->failed = true;
}

void warn_unknown(struct reader *r, const json_t *obj, const char *const *known)
{
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)obj, name, member) {
		const char *const *k = known;

		if (name[0] == 'x' && name[1] == '-')
			continue;
		while (*k && strcmp(*k, name) != 0)
			k++;
		if (!*k)
			warn(r, "'%.100s' is not known here; it stays in the document and has no effect", name);
	}
}

void *take(struct reader *r, size_t n, size_t size)
{
	void *p = arena_alloc(r->a, n ? n : 1, size);

	if (!p)
		r->failed = true;
	return p;
}

json_t *openapi_resolve(const struct openapi *o, json_t *object)
{
	for (unsigned i = 0; object && i < MAX_REF_STEPS; i++) {
		struct str ref = jsn_str(object, "$ref");

		if (str_is_null(ref))
			return object;
		object = ref.n > 0 && ref.p[0] == '#' ? jsn_fragment(o->root, str_from(ref, 1)) : NULL;
	}
	return NULL;
}

json_t *deref(struct reader *r, json_t *v)
{
	json_t *target = openapi_resolve(r->o, v);

	if (!json_is_object(v)) {
		warn(r, "an object is expected here, not %s", jsn_type_name(v));
		return NULL;
	}
	if (!json_is_object(target)) {
		struct str ref = jsn_str(v, "$ref");

		warn(r, ref.n && ref.p[0] != '#' ? "'%.*s' is another document; it is not followed"
						 : "'%.*s' leads to no object", STR_ARG(str_first(ref, 200)));
		return NULL;
	}
	return target;
}

struct str read_text(struct reader *r, const json_t *obj, const char *name)
{
	json_t *v = jsn_get(obj, name);

	if (v && !json_is_string(v)) {
		/* `version: 1.0` without quotes is the commonest slip of all in YAML */
		if (json_is_number(v))
			return jsn_text(r->a, v, 0);
		warn(r, "'%s' is no text but %s", name, jsn_type_name(v));
	}
	return jsn_string(v);
}

const struct str *read_texts(struct reader *r, const json_t *arr, size_t *n)
{
	struct str *out;
	size_t i;
	json_t *item;

	*n = 0;
	if (!json_is_array(arr))
		return NULL;
	out = TAKE(r, json_array_size(arr), struct str);
	if (!out)
		return NULL;
	json_array_foreach(arr, i, item) {
		if (json_is_string(item))
			out[(*n)++] = jsn_string(item);
		else
			warn(r, "member %zu of the list is no text", i);
	}
	return out;
}

/* ---- references in schemas: checked once over the whole document ------------------------------------------------------ */

static bool holds_data(const char *name)
{
	static const char *const names[] = { "example", "value", "default", "enum", "const" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void check_refs(struct reader *r, json_t *v, bool names_are_free)
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_object(v)) {
		struct str ref = jsn_str(v, "$ref");

		if (!str_is_null(ref) && !names_are_free && (ref.n == 0 || ref.p[0] != '#'))
			warn(r, "reference to another document '%.*s' is not followed", STR_ARG(str_first(ref, 200)));
		else if (!str_is_null(ref) && !names_are_free && (ref.n == 1 || ref.p[1] == '/') &&
			 !jsn_fragment(r->o->root, str_from(ref, 1)))
			warn(r, "reference '%.*s' leads nowhere", STR_ARG(str_first(ref, 200)));
		json_object_foreach(v, name, member) {
			size_t before;

			if (!json_is_object(member) && !json_is_array(member))
				continue;
			if (!names_are_free && (holds_data(name) || (name[0] == 'x' && name[1] == '-')))
				continue;
			before = at_enter(r, str_of(name));
			check_refs(r, member, strcmp(name, "properties") == 0);
			at_leave(r, before);
		}
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, member) {
			size_t before = at_enter_index(r, i);

			if (json_is_object(member) || json_is_array(member))
				check_refs(r, member, false);
			at_leave(r, before);
		}
	}
}

/* ---- the document ------------------------------------------------------------------------------------------------------ */

static GH_RC find_dialect(struct openapi *o, struct gh_err *err)
{
	json_t *swagger = jsn_get(o->root, "swagger"), *openapi = jsn_get(o->root, "openapi");
	struct str v = jsn_string(openapi ? openapi : swagger);

	if (!openapi && !swagger)
		FAIL(err, INVALID, "this is no API description: neither 'openapi' nor 'swagger' names a version");
	if (swagger && !openapi) {
		if (!str_eq(v, STR("2.0")) && json_number_value(swagger) != 2.0)
			FAIL(err, INVALID, "Swagger version '%.*s' is not known; 2.0 is", STR_ARG(str_first(v, 20)));
		o->dialect = OPENAPI_2_0;
		o->spec_version = STR("2.0");
		return GH_RC_OK;
	}
	o->spec_version = v;
	if (str_starts(v, STR("3.0")))
		o->dialect = OPENAPI_3_0;
	else if (str_starts(v, STR("3.")))
		o->dialect = OPENAPI_3_1;
	else
		FAIL(err, INVALID, "OpenAPI version '%.*s' is not known; 3.0 and 3.1 are", STR_ARG(str_first(v, 20)));
	return GH_RC_OK;
}

static void read_info(struct reader *r)
{
	static const char *const known[] = { "title", "version", "summary", "description", "termsOfService", "contact",
					     "license", NULL };
	json_t *info = jsn_obj(r->o->root, "info");
	struct openapi *o = r->o;
	size_t before = at_enter(r, STR("info"));

	if (!info)
		warn(r, "the document has no 'info'");
	o->title = read_text(r, info, "title");
	o->version = read_text(r, info, "version");
	o->summary = read_text(r, info, "summary");
	o->description = read_text(r, info, "description");
	o->terms_url = read_text(r, info, "termsOfService");
	o->contact_name = jsn_str(jsn_get(info, "contact"), "name");
	o->contact_url = jsn_str(jsn_get(info, "contact"), "url");
	o->contact_email = jsn_str(jsn_get(info, "contact"), "email");
	o->license_name = jsn_str(jsn_get(info, "license"), "name");
	o->license_url = jsn_str(jsn_get(info, "license"), "url");
	if (info)
		warn_unknown(r, info, known);
	if (info && o->title.n == 0)
		warn(r, "the API has no title");
	at_leave(r, before);
	o->docs_url = jsn_str(jsn_get(o->root, "externalDocs"), "url");
	o->docs_description = jsn_str(jsn_get(o->root, "externalDocs"), "description");
}

static void read_tags(struct reader *r)
{
	json_t *tags = jsn_arr(r->o->root, "tags"), *tag;
	struct openapi_tag *out = TAKE(r, json_array_size(tags), struct openapi_tag);
	size_t i, n = 0;

	if (!out)
		return;
	json_array_foreach(tags, i, tag) {
		size_t before = at_enter(r, STR("tags")), inner = at_enter_index(r, i);

		out[n].name = read_text(r, tag, "name");
		out[n].description = read_text(r, tag, "description");
		if (out[n].name.n > 0)
			n++;
		else
			warn(r, "a tag without a name");
		at_leave(r, inner);
		at_leave(r, before);
	}
	r->o->tags = out;
	r->o->n_tags = n;
}

static void read_document(struct reader *r)
{
	static const char *const known_2[] = { "swagger", "info", "host", "basePath", "schemes", "consumes", "produces", "paths",
					       "definitions", "parameters", "responses", "securityDefinitions", "security",
					       "tags", "externalDocs", NULL };
	static const char *const known_3[] = { "openapi", "info", "servers", "paths", "components", "security", "tags",
					       "externalDocs", "webhooks", "jsonSchemaDialect", "$self", "$schema", NULL };
	struct openapi *o = r->o;
	bool v2 = o->dialect == OPENAPI_2_0;
	json_t *components = v2 ? o->root : jsn_obj(o->root, "components");
	json_t *paths = jsn_obj(o->root, "paths");
	size_t before;

	warn_unknown(r, o->root, v2 ? known_2 : known_3);
	if (o->dialect == OPENAPI_3_1 && !str_starts(o->spec_version, STR("3.1")))
		warn(r, "OpenAPI %.*s is read as 3.1", STR_ARG(o->spec_version));
	read_info(r);
	if (v2)
		v2_servers(r);
	else
		read_servers(r, o->root, &o->servers, &o->n_servers);
	read_tags(r);
	o->schemas = jsn_obj(components, v2 ? "definitions" : "schemas");
	o->schemas_pointer = v2 ? STR("/definitions") : STR("/components/schemas");
	read_schemes(r, jsn_obj(components, v2 ? "securityDefinitions" : "securitySchemes"));
	if (!paths && !jsn_obj(o->root, "webhooks") && !components)
		warn(r, "the document has no 'paths'");
	before = at_enter(r, STR("paths"));
	read_paths(r, paths);
	at_leave(r, before);
	check_refs(r, o->root, false);
}

GH_RC openapi_parse(struct arena *a, struct str text, struct openapi **out, struct text_where *where, struct gh_err *err)
{
	struct reader r = { .a = a, .o = arena_new_of(a, struct openapi) };
	struct text_where none;
	gh_rc rc;

	*out = NULL;
	if (!r.o)
		FAIL(err, NOMEM, "API description");
	TRY(yaml_or_json_parse(text, OPENAPI_MAX_BYTES, &r.o->root, where ? where : &none, err));
	r.o->root = jsn_keep(a, r.o->root);
	if (!r.o->root)
		FAIL(err, NOMEM, "API description");
	if (where)
		*where = (struct text_where){ 1, 1 };
	if (!json_is_object(r.o->root))
		FAIL(err, INVALID, "this is no API description: the document is %s, not an object", jsn_type_name(r.o->root));
	TRY(find_dialect(r.o, err));
	map_init(&r.o->by_route, a, false);
	map_init(&r.o->by_id, a, false);
	buf_init(&r.at, MAX_POINTER_BYTES);
	read_document(&r);
	buf_release(&r.at);
	r.o->warnings = r.warnings;
	r.o->n_warnings = r.n_warnings;
	r.o->n_warnings_left_out = r.n_left_out;
	rc = GH_RC_OK;
	if (r.failed)
		rc = gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "the API description needs more memory than allowed, or has "
				"more than %u operations", OPENAPI_MAX_OPERATIONS);
	else
		*out = r.o;
	return rc;
}

/* ---- questions --------------------------------------------------------------------------------------------------------- */

const struct openapi_operation *openapi_find(const struct openapi *o, struct str method, struct str path_template)
{
	struct buf key;
	const struct openapi_operation *found = NULL;
	bool inside = false;

	buf_init(&key, MAX_POINTER_BYTES);
	buf_str(&key, method);
	buf_char(&key, ' ');
	for (size_t i = 0; i < path_template.n; i++) {
		char c = path_template.p[i];

		if (c == '}')
			inside = false;
		if (!inside)
			buf_char(&key, c);
		if (c == '{')
			inside = true;
	}
	if (buf_ok(&key))
		found = map_get(&o->by_route, buf_view(&key));
	buf_release(&key);
	return found;
}

const struct openapi_operation *openapi_find_id(const struct openapi *o, struct str operation_id)
{
	return map_get(&o->by_id, operation_id);
}

const struct openapi_parameter *openapi_parameter(const struct openapi_operation *op, enum openapi_in in, struct str name)
{
	for (size_t i = 0; i < op->n_parameters; i++) {
		const struct openapi_parameter *p = &op->parameters[i];

		if (p->in == in && (in == OPENAPI_HEADER ? str_eq_ci(p->name, name) : str_eq(p->name, name)))
			return p;
	}
	return NULL;
}

const struct openapi_response *openapi_response(const struct openapi_operation *op, unsigned status)
{
	const struct openapi_response *of_class = NULL, *otherwise = NULL;
	char exact[16], wide[16];

	snprintf(exact, sizeof(exact), "%u", status);
	snprintf(wide, sizeof(wide), "%uXX", status / 100);
	for (size_t i = 0; i < op->n_responses; i++) {
		const struct openapi_response *r = &op->responses[i];

		if (str_eq(r->status, str_of(exact)))
			return r;
		if (str_eq_ci(r->status, str_of(wide)))
			of_class = r;
		else if (str_eq(r->status, STR("default")))
			otherwise = r;
	}
	return of_class ? of_class : otherwise;
}

/* How well an entry describes a type; 0: not at all. */
static unsigned media_fit(struct str entry, struct str full, struct str bare)
{
	struct str type = str_first(bare, str_find_char(bare, '/')), rest = str_from(bare, type.n + 1);
	struct str entry_bare = str_trim(str_first(entry, str_find_char(entry, ';')));
	size_t plus = str_rfind_char(rest, '+');

	if (str_eq_ci(entry, full))
		return 6;
	if (str_eq_ci(entry_bare, bare))
		return 5;
	if (plus != SIZE_MAX && entry_bare.n == type.n + 1 + rest.n - plus - 1 && str_starts_ci(entry_bare, type) &&
	    str_eq_ci(str_from(entry_bare, type.n + 1), str_from(rest, plus + 1)))
		return 4;
	if (rest.n > 0 && entry_bare.n == type.n + 2 && str_starts_ci(entry_bare, type) && str_ends(entry_bare, STR("/*")))
		return 3;
	if (str_eq(entry_bare, STR("*/*")) || str_eq(entry_bare, STR("*")))
		return 2;
	return 0;
}

const struct openapi_media *openapi_media(const struct openapi_media *media, size_t n, struct str content_type)
{
	struct str full = str_trim(content_type), bare = str_trim(str_first(full, str_find_char(full, ';')));
	const struct openapi_media *best = NULL;
	unsigned best_fit = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned fit = media_fit(str_trim(media[i].type), full, bare);

		if (fit > best_fit) {
			best_fit = fit;
			best = &media[i];
		}
	}
	return best;
}
