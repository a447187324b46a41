/* mock.c - mock-response: an example of the API's description in place of the backend's answer. */
#include "policy/elements/model.h"

#include "core/http_status.h"
#include "core/str.h"

struct config {
	struct arg status, type, index;
};

static void free_model(void *m)
{
	api_model_free(m);
}

struct api_model *model_of(struct exchange *x)
{
	struct api_model *m;
	struct gh_err err;
	struct str text;

	if (x->host->api_model)
		return x->host->api_model(x);
	text = x->host->api_document ? x->host->api_document(x) : STR_NULL;
	if (str_is_null(text) || api_model_new(&m, text, &err).code)
		return NULL;
	if (arena_defer(x->arena, free_model, m))
		return m;
	api_model_free(m);
	return NULL;
}

const struct openapi_operation *model_operation(struct exchange *x, struct api_model **m)
{
	*m = model_of(x);
	return *m ? api_model_operation(*m, x->operation) : NULL;
}

bool compile_uses_model(struct compiler *c)
{
	c->uses.api_model = true;
	return true;
}

/* JSON types get JSON; in other types a text example is the body itself. */
static struct str example_text(struct exchange *x, const struct openapi *o, const struct openapi_media *media,
			       int64_t index)
{
	bool json = str_find(media->type, STR("json")) != SIZE_MAX;
	json_t *value = index >= 0 && (size_t)index < media->n_examples ? media->examples[index].value
		: openapi_media_example(o, x->arena, media);

	if (!value)
		return STR_NULL;
	return json_is_string(value) && !json ? jsn_string(value) : jsn_text(x->arena, value, 0);
}

static bool fill(struct exchange *x, const struct config *c, struct str *body, struct str *type)
{
	struct api_model *m;
	const struct openapi_operation *op = model_operation(x, &m);
	const struct openapi_response *r = op ? openapi_response(op, (unsigned)c->status.number) : NULL;
	const struct openapi_media *media = NULL;

	*body = STR_NULL;
	*type = c->type.given ? c->type.text : STR_NULL;
	if (!r || !r->n_media)
		return false;
	media = c->type.given ? openapi_media(r->media, r->n_media, c->type.text) : &r->media[0];
	if (!media)
		return false;
	*body = example_text(x, api_model_openapi(m), media, c->index.given ? c->index.number : -1);
	if (!c->type.given)
		*type = media->type;
	return !str_is_null(*body);
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct response *r = &x->response;
	struct str body, type;
	bool found = fill(x, c, &body, &type), ok = true;

	*r = (struct response){ .status = (int)c->status.number, .reason = http_reason((int)c->status.number) };
	fields_init(&r->headers, x->arena);
	if (found) {
		r->body = (struct body){ .kind = BODY_HELD, .bytes = body, .changed = true };
		ok = !type.n || fields_add(&r->headers, STR("Content-Type"), type);
	}
	ok = ok && fields_add(&r->headers, STR("Content-Length"), arena_printf(x->arena, "%zu", found ? body.n : 0));
	exchange_trace(x, "%d, %s", r->status,
		       found ? "an example of the description" : "no example in the description");
	return ok ? STEP_RESPOND : exchange_no_memory(x);
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	(void)n;
	(void)config;
	return compile_uses_model(c);
}

static const struct arg_schema args[] = {
	{ .name = "status-code",
	  .kind = ARG_INT,
	  .least = 100,
	  .most = 999,
	  .def = "200",
	  .offset = offsetof(struct config, status),
	  .help = "status of the answer; also chooses the example" },
	{ .name = "content-type",
	  .kind = ARG_TEXT,
	  .offset = offsetof(struct config, type),
	  .help = "Content-Type of the answer; also chooses the example" },
	{ .name = "index",
	  .kind = ARG_INT,
	  .least = 0,
	  .most = 1000,
	  .offset = offsetof(struct config, index),
	  .help = "which of several examples, from 0" },
};
static const struct element_schema schema = {
	.name = "mock-response",
	.help = "Answers with an example of the API's description, or one made from its schema.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.check = check,
};
const struct policy_type mock_response_type = { .schema = &schema,
						.sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR,
						.run = run };
