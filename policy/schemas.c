#include "policy/schemas.h"

#include "core/str.h"
#include "policy/schemas_impl.h"

#include <stdio.h>

static const struct str prefix = STR_INIT("/schemas/");

GH_RC schemas_new(struct schemas **out, const struct schema_text *texts, size_t n, struct gh_err *err)
{
	struct arena *a = arena_new((size_t)512 << 20);
	struct schemas *s = a ? arena_new_of(a, struct schemas) : NULL;

	*out = NULL;
	if (!s) {
		arena_free(a);
		FAIL(err, NOMEM, "schemas");
	}
	s->arena = a;
	map_init(&s->by_id, a, false);
	for (size_t i = 0; i < n; i++) {
		struct stored *st = arena_new_of(a, struct stored);

		if (st)
			*st = (struct stored){ .id = texts[i].id, .kind = texts[i].kind, .text = texts[i].text };
		if (!st || !map_put(&s->by_id, st->id, st)) {
			arena_free(a);
			FAIL(err, NOMEM, "schemas");
		}
	}
	pthread_mutex_init(&s->lock, NULL);
	schema_forms_init(&s->forms);
	*out = s;
	return GH_RC_OK;
}

void schemas_free(struct schemas *s)
{
	const struct map_slot *slot;

	if (!s)
		return;
	schema_forms_release(&s->forms);
	for (size_t i = 0; (slot = map_next(&s->by_id, &i));)
		xmlSchemaFree(((struct stored *)slot->value)->xml);
	pthread_mutex_destroy(&s->lock);
	arena_free(s->arena);
}

struct stored *schemas_named(const struct schemas *s, struct str uri)
{
	uri = str_first(uri, str_find_char(uri, '#'));
	return map_get(&s->by_id, str_starts(uri, prefix) ? str_from(uri, prefix.n) : uri);
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

static json_t *read_json(struct schemas *s, struct stored *st)
{
	struct text_where where = { 0 };
	struct gh_err err;

	pthread_mutex_lock(&s->lock);
	if (!st->tried) {
		st->tried = true;
		if (jsn_parse_in(s->arena, st->text, NULL, &st->json, &where, &err).code) {
			st->json = NULL;
			st->why = arena_printf(s->arena, "line %u, column %u: %s", where.line, where.column, err.message);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return st->json;
}

static json_t *find_json(void *self, struct str uri)
{
	struct schemas *s = self;
	struct stored *st = schemas_named(s, uri);

	return st && st->kind == SCHEMA_JSON ? read_json(s, st) : NULL;
}

struct place {
	struct schemas *set;
	struct stored *stored;
	struct str pointer;
};

static enum jsonschema_dialect dialect_of(const json_t *document)
{
	struct str version = jsn_str(document, "openapi");

	if (jsn_get(document, "swagger") || str_starts(version, STR("3.0")))
		return JSONSCHEMA_OPENAPI_3_0;
	return version.n ? JSONSCHEMA_OPENAPI_3_1 : JSONSCHEMA_2020_12;
}

static GH_RC make_json(void *ctx, json_t *schema UNUSED, const struct schema_choice *choice, struct jsonschema **out,
		       struct gh_err *err)
{
	const struct place *at = ctx;
	const struct jsonschema_source source = { find_json, at->set };
	char uri[300];
	struct jsonschema_options options = {
		.dialect = dialect_of(at->stored->json), .formats = true, .direction = choice->direction, .closed = choice->closed,
		.open = choice->open, .ignore_case = choice->ignore_case, .source = &source,
	};
	int n = snprintf(uri, sizeof(uri), "/schemas/%.*s", STR_ARG(str_first(at->stored->id, 256)));

	options.base_uri = (struct str){ uri, (size_t)n };
	return jsonschema_new(out, at->stored->json, at->pointer, &options, err);
}

#define refuse(err, ...) ((void)gh_err_set((err), GH_E_INVALID, __FILE__, __LINE__, __VA_ARGS__))

const struct jsonschema *schemas_json(struct schemas *s, struct str id, struct str pointer, const struct schema_choice *choice,
				      struct gh_err *err)
{
	struct stored *st = schemas_named(s, id);
	struct place at = { s, st, pointer };
	json_t *schema = st && st->kind == SCHEMA_JSON && read_json(s, st) ? jsn_pointer(st->json, pointer) : NULL;

	if (schema)
		return schema_forms_get(&s->forms, schema, choice, make_json, &at, err);
	if (!st)
		refuse(err, "there is no schema '%.*s'", STR_ARG(id));
	else if (st->kind != SCHEMA_JSON)
		refuse(err, "the schema '%.*s' is for XML, not for JSON", STR_ARG(id));
	else if (!st->json)
		refuse(err, "the schema '%.*s' is no JSON: %.*s", STR_ARG(id), STR_ARG(st->why));
	else
		refuse(err, "the schema '%.*s' has nothing at '%.*s'", STR_ARG(id), STR_ARG(pointer));
	return NULL;
}

GH_RC schemas_check(struct schemas *s, struct str id, struct gh_err *err)
{
	static const struct schema_choice as_written;
	struct stored *st = schemas_named(s, id);

	if (st && st->kind == SCHEMA_JSON) {
		/* a description such as OpenAPI is no schema itself; its parts are, and are compiled when they are named */
		if (read_json(s, st) && (jsn_get(st->json, "openapi") || jsn_get(st->json, "swagger")))
			return GH_RC_OK;
		return schemas_json(s, id, STR(""), &as_written, err) ? GH_RC_OK : (gh_rc){ err->code };
	}
	if (!st)
		FAIL(err, NOT_FOUND, "there is no schema '%.*s'", STR_ARG(id));
	pthread_mutex_lock(&s->lock);
	schemas_compile_xml(s, st);
	pthread_mutex_unlock(&s->lock);
	if (!st->xml)
		FAIL(err, INVALID, "the XML Schema '%.*s' is wrong: %.*s", STR_ARG(id), STR_ARG(st->why));
	return GH_RC_OK;
}
