/* rest_governance.c - GET /governance of the management API: the report on all APIs, on those of an environment, or on one with all
 * that was found. */
#include "portal/admin/rest_deed.h"

#include "core/str.h"
#include "portal/admin/governance.h"

gh_rc rest_governance(struct rest *r, struct gh_err *err)
{
	const struct governance_query q = { .api = web_param(&r->w->rq.query, "api"), .environment = web_param(&r->w->rq.query, "environment") };
	static const char *const known[] = { "api", "environment", NULL };
	struct governance_report report;
	struct gh_err why;
	json_t *v;
	bool ok;
	gh_rc rc;

	TRY(rest_known(r, known, &ok, err));
	if (!ok)
		return GH_RC_OK;
	rc = admin_governance_report(r->w, &r->who.rights, &q, &report, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	v = jsn_keep(r->w->a, governance_report_json(r->w->a, &report, q.api.n > 0));
	if (!v)
		FAIL(err, NOMEM, "report");
	return web_json(r->w, 200, "application/json", v, err);
}

static json_t *parameter(const char *name, const char *description)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", name, "in", "query", "description", description, "schema", "type", "string");
}

static json_t *of_type(const char *type, const char *description)
{
	return description ? json_pack("{s:s, s:s}", "type", type, "description", description) : json_pack("{s:s}", "type", type);
}

static json_t *list_of(json_t *item)
{
	return json_pack("{s:s, s:o}", "type", "array", "items", item);
}

static json_t *or_null(const char *type)
{
	return json_pack("{s:[s, s]}", "type", type, "null");
}

static json_t *counts(void)
{
	static const char *const names[] = { "errors", "warnings", "information", "excepted" };
	json_t *v = json_object();

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		json_object_set_new(v, names[i], of_type("integer", NULL));
	return v;
}

static json_t *finding(void)
{
	json_t *v = json_object();

	json_object_set_new(v, "rule", of_type("string", "Ruleset and rule: security/authentication"));
	json_object_set_new(v, "severity", json_pack("{s:s, s:[s, s, s]}", "type", "string", "enum", "error", "warning", "information"));
	json_object_set_new(v, "document", json_pack("{s:s, s:[s, s]}", "type", "string", "enum", "openapi", "configuration"));
	json_object_set_new(v, "place", of_type("string", "Where it stands, for people"));
	json_object_set_new(v, "pointer", of_type("string", "JSON Pointer in the document"));
	json_object_set_new(v, "line", or_null("integer"));
	json_object_set_new(v, "column", or_null("integer"));
	json_object_set_new(v, "message", of_type("string", NULL));
	json_object_set_new(v, "description", or_null("string"));
	json_object_set_new(v, "mend", json_pack("{s:[s, s], s:s}", "type", "string", "null", "description", "How to mend it"));
	json_object_set_new(v, "exception", json_pack("{s:[s, s], s:s}", "type", "string", "null", "description", "The exception that lets it pass"));
	return json_pack("{s:s, s:o}", "type", "object", "properties", v);
}

static json_t *schema(void)
{
	json_t *api = counts(), *summary = counts();

	json_object_set_new(summary, "apis", of_type("integer", NULL));
	json_object_set_new(summary, "clean", of_type("integer", "APIs that nothing counts against"));
	json_object_set_new(api, "id", of_type("string", NULL));
	json_object_set_new(api, "name", of_type("string", NULL));
	json_object_set_new(api, "environment", of_type("string", NULL));
	json_object_set_new(api, "complete", of_type("boolean", "false: more was counted than is listed"));
	json_object_set_new(api, "findings", list_of(finding()));
	return json_pack("{s:s, s:[s, s, s, s], s:{s:{s:s, s:o}, s:o, s:o, s:o}}", "type", "object", "required", "summary", "apis", "rulesets", "exceptions",
			 "properties", "summary", "type", "object", "properties", summary, "apis",
			 list_of(json_pack("{s:s, s:o}", "type", "object", "properties", api)), "rulesets", list_of(of_type("object", NULL)), "exceptions",
			 list_of(of_type("object", NULL)));
}

json_t *rest_describe_governance(const struct rest_route *route UNUSED, const struct resource_kind *kind UNUSED)
{
	static const char *const refusals[] = { "400", "401", "403", "404", "406" };
	json_t *answers = json_pack("{s:{s:s, s:{s:{s:o}}}}", "200", "description", "The report", "content", "application/json", "schema", schema());

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return json_pack("{s:s, s:s, s:s, s:[s], s:[o, o], s:o, s:[{s:[]}]}", "operationId", "getGovernance", "summary",
			 "How far the APIs hold to the rulesets", "description", "With `api` the findings are there, each with how to mend it.", "tags",
			 "about", "parameters", parameter("api", "Only this API, with its findings"), parameter("environment", "Only APIs of this environment"),
			 "responses", answers, "security", "token");
}
