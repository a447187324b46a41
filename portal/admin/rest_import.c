/* rest_import.c - POST /imports: what the page "New API" takes. A description of an API (OpenAPI, WSDL, a Postman collection, a recording) as a
 * text or at an address, an archive of an API, or what another gateway has: an export of API Gateway, a file of decK, a ZIP with the folder of
 * APIOps' extractor. What the text is, it says itself. The members of the body stand for the fields of the form, so that page and call are
 * read by the same lines. */
#include "portal/admin/rest_deed.h"

#include "core/crypto.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/machine_tokens.h"
#include "portal/admin/admin.h"
#include "portal/admin/api_zip.h"
#include "portal/admin/new_api.h"

static const struct web_json_member fields[] = {
	{ "name", "name" }, { "id", "id" }, { "path", "path" }, { "backendUrl", "backend" }, { "environment", "environment" }, { "product", "product" },
	{ "document", "description" }, { "address", "address" }, { "state", "state" }, { NULL, NULL },
};

struct import {
	struct str text[ARRAY_LEN(fields) - 1];  /* in the order of the fields */
	struct str archive;
	json_t *secrets;
	bool placeholders;
	struct new_api api;
};
#define FIELD(i, most) { fields[i].name, REST_TEXT, false, offsetof(struct import, text) + (i) * sizeof(struct str), 0, most }
enum { ARCHIVE_MOST = 64 << 20 };        /* admin.api_max_bytes is less */

/* What web_form_error has noted. */
static GH_RC refuse(struct rest *r, struct str detail, struct gh_err *err)
{
	json_t *errors = json_array(), *v;
	const char *name;

	json_object_foreach(r->w->fields, name, v)
		json_array_append_new(errors, json_pack("{s:s+, s:O}", "pointer", "#/", name, "detail", v));
	return rest_problem(r, 422, "invalid", detail.n ? detail : STR("Some values cannot be used; errors names them."), errors, err);
}

static GH_RC refuse_member(struct rest *r, const char *member, struct str why, struct gh_err *err)
{
	web_json_field(r->w, member, arena_cstr(r->w->a, why));
	return refuse(r, STR_NULL, err);
}

/* One answer for all that can be imported. */
static json_t *answer_json(json_t *apis, const struct import_report *report, json_t *plan)
{
	return json_pack("{s:o, s:o, s:I, s:o}", "apis", apis, "report", import_report_json(report), "leftOut", (json_int_t)report->left_out, "plan", plan);
}

/* ---- an archive, or what another gateway has ------------------------------------------------------------------------------------------ */

static GH_RC tell(struct rest *r, void *ctx, struct gh_err *err)
{
	const struct api_zip *zip = ctx;
	json_t *apis = json_array(), *v;

	for (size_t i = 0; i < zip->set->n; i++)
		if (strcmp(zip->set->docs[i].kind->name, "api") == 0)
			json_array_append_new(apis, rest_text(zip->set->docs[i].id));
	v = jsn_keep(r->w->a, answer_json(apis, &zip->report, plan_json(&zip->plan)));
	if (!v)
		FAIL(err, NOMEM, "import");
	return web_json(r->w, 200, "application/json", v, err);
}

static GH_RC take_archive(struct rest *r, const struct import *x, struct str bytes, const char *member, struct gh_err *err)
{
	struct api_zip *zip = arena_new_of(r->w->a, struct api_zip);
	struct rest_look look = { .r = r, .tell = tell, .ctx = zip };
	const struct resource_kind *not;
	struct gh_err why;
	gh_rc rc, out;

	if (!zip)
		FAIL(err, NOMEM, "import");
	rc = api_zip_read(r->w, zip, bytes, &why);
	if (rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT || rc.code == GH_E_SYNTAX)
		return refuse_member(r, member, str_of(why.message), err);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	not = rest_forbidden(r, zip->set, true);
	if (not)
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not change %s.", not->plural), NULL, err);
	zip->secrets = x->secrets;
	zip->random = x->placeholders;
	zip->blind_to_alerts = rest_blind_to_alerts(r);
	zip->look = rest_look;
	zip->look_ctx = &look;
	rc = api_zip_walk(zip, r->dry_run, &out, &why, err);
	if (rc.code == GH_E_DENIED)
		return rest_problem(r, 403, "forbidden", str_of(err->message), NULL, err);
	TRY(rc);
	if (look.again || !out.code)
		return GH_RC_OK;
	buf_clear(&r->w->rs.body);               /* it stood, and could not be committed */
	if (out.code == GH_E_INVALID && (zip->set->total_problems || zip->set->n_problems))
		return rest_files_problems(r, zip->set, arena_printf(r->w->a, "#/%s", member).p, err);
	return rest_refused(r, out, &why, NULL, err);
}

/* ---- a description ------------------------------------------------------------------------------------------------------------------- */

static GH_RC make(struct rest *r, struct resource_change *c, const json_t *body UNUSED, json_t **out, struct gh_err *err)
{
	struct import *x = r->ctx;
	gh_rc rc = new_api_write(r->w, c, &x->api, err);

	if (rc.code == GH_E_INVALID || rc.code == GH_E_CONFLICT || rc.code == GH_E_LIMIT) {
		struct str general = new_api_problems(r->w, c, err->message);

		return refuse(r, general, err);
	}
	TRY(rc);
	*out = answer_json(json_pack("[o]", rest_text(x->api.id)), &x->api.report, json_null());
	return GH_RC_OK;
}

/* A token that may change only some kinds imports none of the others. */
static const char *not_in_scope(const struct rest *r, const struct import *x)
{
	static const char *const kinds[] = { "apis", "operations", "api-descriptions", "products" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if ((i < 3 || x->api.product.n) && !store_scopes_allow(r->who.scopes, true, str_of(kinds[i])))
			return kinds[i];
	return NULL;
}

static GH_RC take_description(struct rest *r, struct import *x, struct gh_err *err)
{
	const char *not;

	TRY(new_api_read(r->w, &x->api, err));
	if (x->api.whole)
		return take_archive(r, x, x->api.text, x->api.address.n && x->api.file.n ? "address" : "document", err);
	if (!x->api.fine)
		return refuse(r, STR_NULL, err);
	not = not_in_scope(r, x);
	if (not)
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not change %s.", not), NULL, err);
	r->ctx = x;
	return rest_deed_with(r, NULL, make, err);
}

gh_rc rest_import(struct rest *r, struct gh_err *err)
{
	const struct rest_member members[] = {
		FIELD(0, 300), FIELD(1, 300), FIELD(2, 1000), FIELD(3, 2000), FIELD(4, 300), FIELD(5, 300), FIELD(6, STORE_DOCUMENT_MAX), FIELD(7, 2000),
		FIELD(8, 300), { "archive", REST_TEXT, false, offsetof(struct import, archive), 1, ARCHIVE_MOST },
		{ "secrets", REST_OBJECT, false, offsetof(struct import, secrets) },
		{ "placeholders", REST_BOOL, false, offsetof(struct import, placeholders) }, { NULL },
	};
	struct import *x = arena_new_of(r->w->a, struct import);
	struct str bytes;
	bool ok, again;

	if (!x)
		FAIL(err, NOMEM, "import");
	x->placeholders = true;
	TRY(rest_take_body(r, members, x, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(rest_again(r, &again, err));         /* an address is not asked once more for what was answered; the change looks again */
	if (again)
		return GH_RC_OK;
	r->w->members = fields;
	for (size_t i = 0; fields[i].name; i++)
		if (x->text[i].p)
			TRY(web_params_add(&r->w->rq.form, r->w->a, str_of(fields[i].field), x->text[i], err));
	if ((x->archive.p != NULL) + (x->text[6].n > 0) + (x->text[7].n > 0) > 1)
		return refuse_member(r, "document", STR("give one of document, address and archive"), err);
	if (!x->archive.p)
		return take_description(r, x, err);
	if (!crypto_base64_decode(r->w->a, x->archive, &bytes) || !admin_is_zip(bytes))
		return refuse_member(r, "archive", STR("is a ZIP in base64"), err);
	return take_archive(r, x, bytes, "archive", err);
}

/* ---- in the OpenAPI document ----------------------------------------------------------------------------------------------------------- */

static const struct rest_about about[] = {
	{ rest_import, "importApi", "Make an API from a description, or take over an archive or what another gateway has",
	  "document, address or archive: OpenAPI, WSDL, a Postman collection, a recording (HAR), an export of API Gateway, a file of decK; as a ZIP an API as "
	  "GET /apis/{api}/archive gives it, or the folder of the extractor of APIOps. A dry run tells what would be made and which secrets are missing.", "apis",
	  NULL,
	  "{'type': 'object', 'additionalProperties': false, 'properties': {'name': {'type': 'string', 'maxLength': 300, 'description': 'Of the API; left out: the "
	  "title of the description'}, 'id': {'type': 'string', 'maxLength': 300, 'description': 'Of the API; of a file of decK: how the gateway is called here'}, 'path': {'type': 'string', 'maxLength': 1000}, 'backendUrl': {'type': 'string', "
	  "'maxLength': 2000}, 'environment': {'type': 'string', 'maxLength': 300}, 'product': {'type': 'string', 'maxLength': 300, 'description': 'That it is put "
	  "into'}, 'document': {'type': 'string', 'description': 'The text'}, 'address': {'type': 'string', 'maxLength': 2000, 'description': 'Where the text "
	  "stands; the server fetches it'}, 'archive': {'type': 'string', 'contentEncoding': 'base64', 'contentMediaType': 'application/zip'}, 'secrets': {'type': "
	  "'object', 'description': 'Of an archive, those that are missing: named-value/erp-password/secret'}, 'placeholders': {'type': 'boolean', 'default': true, "
	  "'description': 'A secret that is missing becomes a random text'}, 'state': {'type': 'string', 'maxLength': 300, 'description': 'That of the plan of a dry "
	  "run: 409 when something else would be done now'}}}",
	  "{'type': 'object', 'required': ['apis', 'report', 'leftOut', 'plan'], 'properties': {'apis': {'type': 'array', 'items': {'type': 'string'}}, 'report': "
	  "{'type': 'array', 'description': 'What became of each part', 'items': {'type': 'object', 'properties': {'outcome': {'type': 'string', 'enum': ['taken "
	  "over', 'approximated', 'not possible']}, 'what': {'type': 'string'}, 'note': {'type': ['string', 'null']}, 'count': {'type': 'integer'}}}}, 'leftOut': "
	  "{'type': 'integer', 'description': 'Rows of the report that are not listed'}, 'plan': {'type': ['object', 'null'], 'description': 'As of POST /plan; of "
	  "an archive or another gateway', 'properties': {'changes': {'type': 'array', 'items': {'type': 'object'}}, 'missing': {'type': 'array', 'items': {'type': "
	  "'object'}}, 'state': {'type': 'string'}, 'summary': {'type': 'object'}}}}}", "404" },
	{ NULL },
};

json_t *rest_describe_import(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	return rest_operation(route, about);
}
