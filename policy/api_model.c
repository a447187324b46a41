#include "policy/api_model.h"

#include "core/str.h"
#include "policy/exchange.h"

struct api_model {
	struct arena *arena;
	struct openapi *openapi;
	struct schema_forms forms;
};

GH_RC api_model_new(struct api_model **out, struct str document, struct gh_err *err)
{
	struct arena *a = arena_new(API_MODEL_MEMORY_MAX);
	struct api_model *m = a ? arena_new_of(a, struct api_model) : NULL;
	struct text_where where = { 0 };
	gh_rc rc;

	*out = NULL;
	if (!m) {
		arena_free(a);
		FAIL(err, NOMEM, "API description");
	}
	m->arena = a;
	rc = openapi_parse(a, document, &m->openapi, &where, err);
	if (rc.code) {
		arena_free(a);
		return rc;
	}
	schema_forms_init(&m->forms);
	*out = m;
	return GH_RC_OK;
}

void api_model_free(struct api_model *m)
{
	if (!m)
		return;
	schema_forms_release(&m->forms);
	arena_free(m->arena);
}

const struct openapi *api_model_openapi(const struct api_model *m)
{
	return m->openapi;
}

const struct openapi_operation *api_model_operation(const struct api_model *m, const struct ctx_operation *op)
{
	const struct openapi_operation *found = NULL;
	struct str path;

	if (!op)
		return NULL;
	path = str_first(op->url_template, str_find_char(op->url_template, '?'));
	if (path.n)
		found = openapi_find(m->openapi, op->method, path);
	return found ? found : openapi_find_id(m->openapi, op->id);
}

/* ---- schemas ----------------------------------------------------------------------------------------------------- */

static enum jsonschema_dialect dialect_of(const struct openapi *o)
{
	return o->dialect == OPENAPI_3_1 ? JSONSCHEMA_OPENAPI_3_1 : JSONSCHEMA_OPENAPI_3_0;
}

/* The schema stands under a name of its own in a shallow copy of the document, so that its references are found. */
static GH_RC compile(void *ctx, json_t *schema, const struct schema_choice *choice, struct jsonschema **out, struct gh_err *err)
{
	const struct api_model *m = ctx;
	const struct jsonschema_options options = {
		.dialect = dialect_of(m->openapi), .formats = true, .direction = choice->direction, .closed = choice->closed,
		.open = choice->open, .ignore_case = choice->ignore_case,
	};
	json_t *root = json_copy(m->openapi->root);
	gh_rc rc;

	if (root && !json_object_set(root, "x-gatehouse-schema", schema))
		rc = jsonschema_new(out, root, STR("/x-gatehouse-schema"), &options, err);
	else
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "out of memory");
	json_decref(root);
	return rc;
}

const struct jsonschema *api_model_schema(struct api_model *m, json_t *schema, const struct schema_choice *choice,
					  struct gh_err *err)
{
	return schema_forms_get(&m->forms, schema, choice, compile, m, err);
}
