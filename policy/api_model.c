#include "policy/api_model.h"

#include "core/str.h"
#include "policy/exchange.h"

#include <pthread.h>
#include <stdlib.h>

/* A schema that was compiled, found again by the address of its JSON. */
struct compiled {
	struct compiled *next;
	const json_t *schema;
	enum jsonschema_direction direction;
	bool closed;
	struct jsonschema *js;               /* NULL: it does not compile */
	char why[256];
};

enum { BUCKETS = 256 };

struct api_model {
	struct arena *arena;
	struct openapi *openapi;
	pthread_mutex_t lock;                /* of the buckets */
	struct compiled *buckets[BUCKETS];
	size_t n;
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
	pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return GH_RC_OK;
}

void api_model_free(struct api_model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct compiled *c = m->buckets[i], *next; c; c = next) {
			next = c->next;
			jsonschema_free(c->js);
			free(c);
		}
	pthread_mutex_destroy(&m->lock);
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
static void compile(struct api_model *m, json_t *schema, struct compiled *c)
{
	const struct jsonschema_options options = {
		.dialect = dialect_of(m->openapi), .formats = true, .direction = c->direction, .closed = c->closed
	};
	json_t *root = json_copy(m->openapi->root);
	struct gh_err err;

	if (!root || json_object_set(root, "x-gatehouse-schema", schema)) {
		memcpy(c->why, "out of memory", sizeof("out of memory"));
	} else if (jsonschema_new(&c->js, root, STR("/x-gatehouse-schema"), &options, &err).code) {
		struct str why = str_first(str_of(err.message), sizeof(c->why) - 1);

		c->js = NULL;
		memcpy(c->why, why.p, why.n);
	}
	json_decref(root);
}

static struct compiled *find(struct api_model *m, json_t *schema, enum jsonschema_direction direction, bool closed)
{
	struct compiled **bucket = &m->buckets[((uintptr_t)schema >> 4) % BUCKETS], *c;

	for (c = *bucket; c; c = c->next)
		if (c->schema == schema && c->direction == direction && c->closed == closed)
			return c;
	if (m->n == API_MODEL_SCHEMAS_MAX || !(c = calloc(1, sizeof(*c))))
		return NULL;
	m->n++;
	c->schema = schema;
	c->direction = direction;
	c->closed = closed;
	compile(m, schema, c);
	c->next = *bucket;
	*bucket = c;
	return c;
}

const struct jsonschema *api_model_schema(struct api_model *m, json_t *schema, enum jsonschema_direction direction,
					  bool closed, struct gh_err *err)
{
	struct compiled *c;

	pthread_mutex_lock(&m->lock);
	c = find(m, schema, direction, closed);
	pthread_mutex_unlock(&m->lock);
	if (c && c->js)
		return c->js;
	(void)gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%s", c ? c->why : "too many schemas");
	return NULL;
}
