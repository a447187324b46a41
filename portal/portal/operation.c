#include "portal/portal/docs.h"

#include "core/json.h"
#include "core/str.h"
#include "portal/web/markdown.h"

/* One operation: parameters, body and answers out of the imported description, and a call that can be copied. An API
 * without a description, or with one too large to be read for a page, is shown by what the store knows of it. */

enum { EXAMPLE_MAX = 16 << 10 };

struct reader {
	struct web *w;
	const struct store_api *api;
	const struct openapi *o;                 /* NULL: no description at hand */
	const struct openapi_operation *op;      /* NULL: not in it */
	size_t fields_left;                      /* that the page may still show */
};

/* An example as people read it: JSON in lines, text as it is. nil when there is none or it is too large to help. */
static struct liquid_value example_text(struct reader *r, json_t *value, bool lines)
{
	struct str text;

	if (!value)
		return LIQUID_NIL_VALUE;
	text = json_is_string(value) && !lines ? str_of(json_string_value(value)) : jsn_text(r->w->a, value, lines ? JSN_INDENT : 0);
	return text.n && text.n <= EXAMPLE_MAX ? liquid_of_text(text) : LIQUID_NIL_VALUE;
}

/* ---- parts of the page --------------------------------------------------------------------------------------------- */

static GH_RC put_markdown(struct reader *r, struct liquid_record *to, struct str text, struct gh_err *err)
{
	struct liquid_value nodes;

	TRY(web_markdown(r->w->a, str_first(text, WEB_MARKDOWN_MAX), &nodes, err));
	liquid_set(to, "description", nodes);
	return GH_RC_OK;
}

static GH_RC put_parameters(struct reader *r, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(r->w->page, "parameters");

	for (size_t i = 0; r->op && i < r->op->n_parameters; i++) {
		const struct openapi_parameter *p = &r->op->parameters[i];
		struct liquid_record *row = liquid_push_record(l);

		liquid_set_text(row, "name", p->name);
		liquid_set_text(row, "in", str_of(openapi_in_name(p->in)));
		liquid_set_bool(row, "required", p->required);
		liquid_set_text(row, "type", portal_schema_words(r->w, r->o, p->schema));
		liquid_set(row, "example", p->n_examples ? example_text(r, p->examples[0].value, false) : LIQUID_NIL_VALUE);
		portal_put_choices(r->w, r->o, p->schema, row);
		portal_put_field(r->w, r->o, p, row);
		TRY(put_markdown(r, row, p->description, err));
	}
	return GH_RC_OK;
}

static GH_RC put_media(struct reader *r, struct liquid_record *to, const struct openapi_media *media, size_t n, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(to, "media");

	for (size_t i = 0; i < n; i++) {
		struct liquid_record *row = liquid_push_record(l);

		liquid_set_text(row, "type", media[i].type);
		liquid_set_text(row, "schema", portal_schema_words(r->w, r->o, media[i].schema));
		/* what is put together from a schema is JSON, which helps nobody who has to write XML */
		if (media[i].n_examples || str_find(media[i].type, STR("xml")) == SIZE_MAX)
			liquid_set(row, "example", example_text(r, openapi_media_example(r->o, r->w->a, &media[i]), true));
		/* application/json and application/xml often share one: shown once */
		if (!i || !json_equal(media[i].schema, media[i - 1].schema))
			TRY(portal_put_schema(r->w, r->o, media[i].schema, &r->fields_left, row, err));
	}
	return GH_RC_OK;
}

static GH_RC put_body(struct reader *r, struct gh_err *err)
{
	struct liquid_record *row;

	liquid_set(r->w->page, "body", LIQUID_NIL_VALUE);
	if (!r->op || !r->op->body)
		return GH_RC_OK;
	row = liquid_set_record(r->w->page, "body");
	liquid_set_bool(row, "required", r->op->body->required);
	TRY(put_media(r, row, r->op->body->media, r->op->body->n_media, err));
	return put_markdown(r, row, r->op->body->description, err);
}

static GH_RC put_responses(struct reader *r, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(r->w->page, "responses");

	for (size_t i = 0; r->op && i < r->op->n_responses; i++) {
		const struct openapi_response *answer = &r->op->responses[i];
		struct liquid_record *row = liquid_push_record(l);
		char class = answer->status.n ? answer->status.p[0] : 'd';

		liquid_set_text(row, "status", answer->status);
		liquid_set_text(row, "level", class == '2' ? STR("good") : class == '4' || class == '5' ? STR("bad") : STR("other"));
		TRY(put_media(r, row, answer->media, answer->n_media, err));
		TRY(put_markdown(r, row, answer->description, err));
	}
	return GH_RC_OK;
}

/* ---- the page ------------------------------------------------------------------------------------------------------ */

gh_rc portal_operation(struct web *w, struct gh_err *err)
{
	const struct store_operation *op = NULL;
	struct store_operation *ops;
	struct store_api api;
	struct reader r = { .w = w, .api = &api, .fields_left = PORTAL_FIELDS_MAX };
	struct portal_way_in way;
	struct str address, policy;
	size_t n;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	TRY(store_operations_of(w->site->store, w->a, r.api->id, 0, &ops, &n, err));
	for (size_t i = 0; i < n && !op; i++)
		if (str_eq(ops[i].id, w->rq.args[1]))
			op = &ops[i];
	if (!op)
		FAIL(err, NOT_FOUND, "no such operation");
	TRY(portal_description(w, r.api, &r.o, err));
	if (r.o)
		r.op = openapi_find(r.o, op->method, str_first(op->uri_template, str_find_char(op->uri_template, '?')));
	TRY(portal_base_address(w, r.api, &address, err));
	portal_put_api(w, liquid_set_record(w->page, "api"), r.api);
	portal_put_operation(liquid_set_record(w->page, "op"), op);
	liquid_set_text(w->page, "address", address);
	liquid_set_bool(w->page, "deprecated", r.op && r.op->deprecated);
	TRY(put_markdown(&r, w->page, op->description, err));
	TRY(put_parameters(&r, err));
	TRY(put_body(&r, err));
	TRY(put_responses(&r, err));
	TRY(portal_way_in(w, r.api, r.o, r.op, &way, err));
	TRY(portal_put_samples(w, r.api, r.o, r.op, op, &way, err));
	TRY(portal_put_console(w, r.api, r.o, r.op, op, &way, &policy, err));
	liquid_set_text(w->page, "title", op->name.n ? op->name : op->id);
	TRY(web_page(w, "operation", err));
	if (policy.p)
		web_content_policy(w, policy);
	return GH_RC_OK;
}
