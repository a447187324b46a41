/* report_json.c - a report for programs: as JSON of our own, and as SARIF. */
#include "config/governance/report.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/version.h"

static json_t *text(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *text_or_null(struct str s)
{
	return s.n ? text(s) : json_null();
}

static json_t *counts_json(const size_t counts[GOVERNANCE_SEVERITY__COUNT], size_t excepted)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "errors", (json_int_t)counts[GOVERNANCE_ERROR], "warnings", (json_int_t)counts[GOVERNANCE_WARNING],
			 "information", (json_int_t)counts[GOVERNANCE_INFORMATION], "excepted", (json_int_t)excepted);
}

static json_t *finding_json(struct arena *a, const struct governance_finding *f)
{
	json_t *v = json_object();

	json_object_set_new(v, "rule", text(governance_finding_rule(a, f)));
	json_object_set_new(v, "severity", json_string(governance_severity_names[f->severity]));
	json_object_set_new(v, "document", json_string(f->document == GOVERNANCE_OPENAPI ? "openapi" : "configuration"));
	json_object_set_new(v, "place", text(f->place));
	json_object_set_new(v, "pointer", text(f->pointer));
	json_object_set_new(v, "line", f->at.line ? json_integer(f->at.line) : json_null());
	json_object_set_new(v, "column", f->at.line ? json_integer(f->at.column) : json_null());
	json_object_set_new(v, "message", text(f->message));
	json_object_set_new(v, "description", text_or_null(f->rule ? f->rule->description : STR_NULL));
	json_object_set_new(v, "mend", text_or_null(governance_finding_mend(a, f)));
	json_object_set_new(v, "exception", text_or_null(f->exception ? f->exception->row.id : STR_NULL));
	return v;
}

static json_t *api_json(struct arena *a, const struct governance_report *r, const struct governance_api *api, bool findings)
{
	json_t *v = json_object(), *list = findings ? json_array() : NULL;

	json_object_set_new(v, "id", text(api->id));
	json_object_set_new(v, "name", text(api->name));
	json_object_set_new(v, "environment", text(api->environment));
	json_object_update_new(v, counts_json(api->counts, api->excepted));
	json_object_set_new(v, "complete", json_boolean(!api->more));
	for (size_t i = 0; list && i < api->n; i++)
		json_array_append_new(list, finding_json(a, &r->findings[api->first + i]));
	if (list)
		json_object_set_new(v, "findings", list);
	return v;
}

static json_t *exception_json(const struct governance_exception *e)
{
	char when[CLOCK_ISO_MAX];
	json_t *v = json_object();

	json_object_set_new(v, "id", text(e->row.id));
	json_object_set_new(v, "api", text_or_null(e->row.api_id));
	json_object_set_new(v, "rule", text(e->row.rule));
	json_object_set_new(v, "owner", text(e->row.owner));
	json_object_set_new(v, "reason", text(e->row.reason));
	json_object_set_new(v, "ends", json_string(clock_iso(e->row.ends_us, 0, when)));
	json_object_set_new(v, "over", json_boolean(e->over));
	json_object_set_new(v, "findings", json_integer((json_int_t)e->findings));
	return v;
}

json_t *governance_report_json(struct arena *a, const struct governance_report *r, bool findings)
{
	json_t *summary = counts_json(r->counts, r->excepted), *apis = json_array(), *sets = json_array(), *exceptions = json_array();

	json_object_set_new(summary, "apis", json_integer((json_int_t)r->n_apis));
	json_object_set_new(summary, "clean", json_integer((json_int_t)r->clean));
	for (size_t i = 0; i < r->n_apis; i++)
		json_array_append_new(apis, api_json(a, r, &r->apis[i], findings));
	for (size_t i = 0; i < r->n_sets; i++) {
		const struct governance_set *s = &r->sets[i];

		json_array_append_new(sets, json_pack("{s:o, s:o, s:b, s:b, s:I, s:o}", "id", text(s->ruleset.id), "name", text(s->ruleset.name), "builtIn",
						      s->built_in, "enabled", s->enabled, "rules", (json_int_t)s->ruleset.n, "problem",
						      text_or_null(s->problem)));
	}
	for (size_t i = 0; i < r->n_exceptions; i++)
		json_array_append_new(exceptions, exception_json(&r->exceptions[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "summary", summary, "apis", apis, "rulesets", sets, "exceptions", exceptions);
}

/* ---- SARIF --------------------------------------------------------------------------------------------------------------------- */

static json_t *sarif_rules(struct arena *a, const struct governance_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_sets; i++)
		for (size_t k = 0; k < r->sets[i].ruleset.n; k++) {
			const struct governance_rule *rule = &r->sets[i].ruleset.rules[k];
			struct governance_finding f = { .set = &r->sets[i], .rule = rule };
			json_t *v = json_pack("{s:o, s:{s:o}}", "id", text(governance_finding_rule(a, &f)), "shortDescription", "text",
					      text(rule->description.n ? rule->description : rule->id));

			if (rule->mend.n)
				json_object_set_new(v, "help", json_pack("{s:o}", "text", text(rule->mend)));
			if (rule->url.n)
				json_object_set_new(v, "helpUri", text(rule->url));
			json_array_append_new(list, v);
		}
	return list;
}

static json_t *sarif_result(struct arena *a, const struct governance_finding *f)
{
	static const char *const levels[] = { "none", "note", "warning", "error" };
	struct str name = f->place.n ? arena_printf(a, "%.*s: %.*s", STR_ARG(f->api_id), STR_ARG(f->place)) : f->api_id;
	json_t *v = json_pack("{s:o, s:s, s:{s:o}, s:[{s:[{s:o, s:s}]}], s:{s:o}}", "ruleId", text(governance_finding_rule(a, f)), "level",
			      levels[f->severity], "message", "text", text(f->message), "locations", "logicalLocations", "fullyQualifiedName",
			      text(name), "kind", "resource", "partialFingerprints", "place/v1",
			      text(arena_printf(a, "%.*s %.*s", STR_ARG(f->api_id), STR_ARG(f->pointer))));

	if (f->exception)
		json_object_set_new(v, "suppressions", json_pack("[{s:s, s:o}]", "kind", "external", "justification", text(f->exception->row.reason)));
	return v;
}

json_t *governance_report_sarif(struct arena *a, const struct governance_report *r)
{
	json_t *results = json_array();

	for (size_t i = 0; i < r->n_findings; i++)
		json_array_append_new(results, sarif_result(a, &r->findings[i]));
	return json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0",
			 "runs", "tool", "driver", "name", "gatehouse", "version", GATEHOUSE_VERSION, "rules", sarif_rules(a, r), "results", results);
}
