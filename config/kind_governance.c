/* kind_governance.c - rulesets of governance, and exceptions from their rules. */
#include "config/kind.h"

#include "config/governance/rulesets.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/governance.h"

/* ---- rulesets ---------------------------------------------------------------------------------------------------------- */

static const struct resource_field ruleset_fields[] = {
	FIELD_ID("Names the ruleset; that of one in the program changes that one", store_governance_ruleset, id),
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 300, .description = "What people read; empty: the name in its text",
	  AT(store_governance_ruleset, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is about",
	  AT(store_governance_ruleset, description) },
	{ .name = "enabled", .type = RESOURCE_BOOL, .otherwise = "true", .label = "Enabled", .description = "Whether APIs are judged by it",
	  AT(store_governance_ruleset, enabled) },
	{ .name = "environments", .type = RESOURCE_REFS, .ref = "environment", .label = "Environments",
	  .description = "Only APIs of these; none: of all", .offset = RESOURCE_BY_HAND },
	{ .name = "tags", .type = RESOURCE_TEXTS, .label = "Tags", .most = 100, .description = "Only APIs with one of these; none: all",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "severities", .type = RESOURCE_OBJECT, .label = "Severities",
	  .description = "By the name of a rule: error, warning, information or off, in place of its own", .offset = RESOURCE_BY_HAND },
	{ .name = "rules", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES | RESOURCE_FILE, .label = "Rules", .most = GOVERNANCE_RULESET_BYTES,
	  .description = "The ruleset in YAML; empty: that of the ruleset of this id in the program", AT(store_governance_ruleset, rules) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_governance_ruleset, changed_us) },
	FIELD_END,
};

static bool is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !strchr("-_.", s.p[i]))
			return false;
	return s.n > 0 && s.n <= GOVERNANCE_ID_MAX;
}

static void check_ruleset_id(struct resource_change *c, struct str id)
{
	if (!is_id(id))
		resource_problem(c, &kind_governance_ruleset, id, STR("/id"), "has 1 to %d letters, digits, '-', '_' and '.'", GOVERNANCE_ID_MAX);
}

static void check_exception_id(struct resource_change *c, struct str id)
{
	if (!is_id(id))
		resource_problem(c, &kind_governance_exception, id, STR("/id"), "has 1 to %d letters, digits, '-', '_' and '.'", GOVERNANCE_ID_MAX);
}

static GH_RC ruleset_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_governance_ruleset_find(s, a, id, row, found, err);
}

static GH_RC ruleset_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_governance_ruleset *r = row;
	json_t *v;

	TRY(jsn_parse_in(a, r->environments, NULL, &v, NULL, err));
	json_object_set(doc, "environments", v);
	TRY(jsn_parse_in(a, r->tags, NULL, &v, NULL, err));
	json_object_set(doc, "tags", v);
	TRY(jsn_parse_in(a, r->severities, NULL, &v, NULL, err));
	if (json_object_size(v))
		json_object_set(doc, "severities", v);
	return GH_RC_OK;
}

static void check_severities(struct resource_put *p, const struct governance_ruleset *ruleset)
{
	enum governance_severity severity;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)jsn_get(p->doc, "severities"), name, v) {
		if (!governance_rule_find(ruleset, str_of(name)))
			put_problem(p, "/severities", "the ruleset has no rule '%.100s'", name);
		if (!governance_severity_find(jsn_string(v), &severity))
			put_problem(p, "/severities", "%.100s: must be one of error, warning, information, off", name);
	}
}

static GH_RC ruleset_check(struct resource_put *p, struct gh_err *err)
{
	const struct store_governance_ruleset *row = p->row;
	const struct governance_shipped *shipped = governance_shipped_find(p->id);
	struct governance_ruleset ruleset;
	struct text_where where;
	struct gh_err why;
	gh_rc rc;

	if (!row->rules.n && !shipped) {
		put_problem(p, "/rules", "is required: there is no ruleset '%.*s' in the program", STR_ARG(p->id));
		return GH_RC_OK;
	}
	rc = governance_ruleset_read(p->a, p->id, row->rules.n ? row->rules : str_of(shipped->text), &ruleset, &where, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "ruleset");
	if (rc.code)
		put_problem(p, "/rules", "line %u, column %u: %s", where.line, where.column, why.message);
	else
		check_severities(p, &ruleset);
	return GH_RC_OK;
}

static GH_RC ruleset_save(struct resource_put *p, struct gh_err *err)
{
	struct store_governance_ruleset row = *(const struct store_governance_ruleset *)p->row;
	const json_t *severities = jsn_obj(p->doc, "severities");

	row.environments = jsn_text(p->a, jsn_get(p->doc, "environments"), 0);
	row.tags = jsn_text(p->a, jsn_get(p->doc, "tags"), 0);
	row.severities = severities ? jsn_text(p->a, severities, JSN_SORTED) : STR_NULL;
	return store_governance_ruleset_set(p->s, &row, err);
}

static GH_RC ruleset_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_governance_ruleset_delete(s, id, err);
}

static const struct resource_ops ruleset_ops = {
	.row_size = sizeof(struct store_governance_ruleset), .store = STORE_RESOURCE_GOVERNANCE_RULESET, .check_id = check_ruleset_id,
	.find = ruleset_find, .show = ruleset_show, .check = ruleset_check, .save = ruleset_save, .drop = ruleset_drop,
};

const struct resource_kind kind_governance_ruleset = {
	.name = "governance-ruleset", .plural = "governance-rulesets", .title = "Governance ruleset",
	.description = "Rules that APIs are judged by: a ruleset of your own, or what is different about one in the program.",
	.area = RESOURCE_AREA_SETTINGS, .fields = ruleset_fields, .ops = &ruleset_ops, .filters = { { NULL } },
};

/* ---- exceptions -------------------------------------------------------------------------------------------------------- */

static const struct resource_field exception_fields[] = {
	FIELD_ID("Names the exception", store_governance_exception, id),
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .flags = RESOURCE_FIXED, .label = "API",
	  .description = "The API that it is for; null: all of them", AT(store_governance_exception, api_id) },
	{ .name = "rule", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Rule", .most = 2 * GOVERNANCE_ID_MAX + 1,
	  .description = "Ruleset and rule: security/authentication", AT(store_governance_exception, rule) },
	{ .name = "reason", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_LINES, .label = "Reason",
	  .description = "Why it is let pass", AT(store_governance_exception, reason) },
	{ .name = "owner", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Owner", .most = 300,
	  .description = "Who answers for it", AT(store_governance_exception, owner) },
	{ .name = "ends", .type = RESOURCE_TIME, .flags = RESOURCE_REQUIRED, .label = "Ends", .description = "From then on the finding counts again",
	  AT(store_governance_exception, ends_us) },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_governance_exception, created_us) },
	FIELD_END,
};

static GH_RC exception_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_governance_exception_find(s, a, id, row, found, err);
}

/* Only a rule that was named just now must be there: an exception outlives a ruleset that is taken back for a while. */
static GH_RC exception_check(struct resource_put *p, struct gh_err *err)
{
	const struct store_governance_exception *e = p->row;
	struct str set = str_first(e->rule, str_find_char(e->rule, '/')), rule = str_from(e->rule, set.n + 1);
	struct governance_set *v;
	bool known = false;
	size_t n;

	if (p->before && json_equal(jsn_get(p->before, "rule"), jsn_get(p->doc, "rule")))
		return GH_RC_OK;
	TRY(governance_rulesets(p->a, p->s, &v, &n, err));
	for (size_t i = 0; i < n && !known; i++)
		known = str_eq(v[i].ruleset.id, set) && governance_rule_find(&v[i].ruleset, rule);
	if (!known)
		put_problem(p, "/rule", "there is no rule '%.*s'; write RULESET/RULE as the report does", STR_ARG(str_first(e->rule, 200)));
	return GH_RC_OK;
}

static GH_RC exception_save(struct resource_put *p, struct gh_err *err)
{
	return store_governance_exception_set(p->s, p->row, err);
}

static GH_RC exception_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_governance_exception_delete(s, id, err);
}

static const struct resource_ops exception_ops = {
	.row_size = sizeof(struct store_governance_exception), .store = STORE_RESOURCE_GOVERNANCE_EXCEPTION, .check_id = check_exception_id,
	.find = exception_find, .check = exception_check, .save = exception_save, .drop = exception_drop,
};

const struct resource_kind kind_governance_exception = {
	.name = "governance-exception", .plural = "governance-exceptions", .title = "Governance exception",
	.description = "A finding that is let pass until a day, and who answers for it.", .area = RESOURCE_AREA_SETTINGS,
	.fields = exception_fields, .ops = &exception_ops,
	.filters = { { "api", "Only exceptions of this API", NULL }, { "rule", "Only exceptions from this rule", NULL } },
};
