#include "config/governance/rulesets.h"

#include "core/str.h"

const struct governance_shipped governance_shipped[] = {
#include "rulesets.inc"
	{ NULL, NULL },
};

const struct governance_shipped *governance_shipped_find(struct str id)
{
	for (const struct governance_shipped *r = governance_shipped; r->id; r++)
		if (str_eq(id, str_of(r->id)))
			return r;
	return NULL;
}

static GH_RC texts(struct arena *a, struct str json, struct str **out, size_t *n, struct gh_err *err)
{
	json_t *list, *v;
	size_t i;

	*n = 0;
	TRY(jsn_parse_in(a, json, NULL, &list, NULL, err));
	*out = arena_alloc(a, json_array_size(list) + 1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "rulesets");
	json_array_foreach(list, i, v)
		(*out)[(*n)++] = jsn_string(v);
	return GH_RC_OK;
}

static GH_RC put_severities(struct arena *a, struct governance_ruleset *r, struct str json, struct gh_err *err)
{
	json_t *map;

	TRY(jsn_parse_in(a, json, NULL, &map, NULL, err));
	for (size_t i = 0; i < r->n; i++)
		(void)governance_severity_find(jsn_string(jsn_get_n(map, r->rules[i].id)), &r->rules[i].severity);
	return GH_RC_OK;
}

static GH_RC read_set(struct arena *a, const struct governance_shipped *shipped, const struct store_governance_ruleset *row,
		      struct governance_set *out, struct gh_err *err)
{
	struct str id = row ? row->id : str_of(shipped->id);
	struct text_where where;
	struct gh_err why;
	gh_rc rc;

	*out = (struct governance_set){ .built_in = shipped != NULL, .enabled = !row || row->enabled, .stored = row, .own_text = row && row->rules.n };
	rc = governance_ruleset_read(a, id, row && row->rules.n ? row->rules : shipped ? str_of(shipped->text) : STR(""), &out->ruleset, &where, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "ruleset %.*s", STR_ARG(id));
	if (rc.code) {
		out->ruleset.n = 0;
		out->problem = arena_printf(a, "line %u, column %u: %s", where.line, where.column, why.message);
	}
	if (!row)
		return GH_RC_OK;
	out->ruleset.name = row->name.n ? row->name : out->ruleset.name;
	out->ruleset.description = row->description.n ? row->description : out->ruleset.description;
	TRY(texts(a, row->environments, &out->environments, &out->n_environments, err));
	TRY(texts(a, row->tags, &out->tags, &out->n_tags, err));
	return put_severities(a, &out->ruleset, row->severities, err);
}

GH_RC governance_rulesets(struct arena *a, struct store *s, struct governance_set **out, size_t *n, struct gh_err *err)
{
	const struct governance_shipped *shipped = governance_shipped;
	struct store_governance_ruleset *rows;
	struct governance_set *v;
	size_t n_rows, i = 0;

	*n = 0;
	TRY(store_governance_rulesets(s, a, &rows, &n_rows, err));
	*out = v = arena_alloc(a, n_rows + 32, sizeof(*v));
	if (!v)
		FAIL(err, NOMEM, "rulesets");
	while (shipped->id || i < n_rows) {              /* both are in the order of their ids */
		int order = !shipped->id ? 1 : i == n_rows ? -1 : str_cmp(str_of(shipped->id), rows[i].id);

		TRY(read_set(a, order <= 0 ? shipped : NULL, order >= 0 ? &rows[i] : NULL, &v[(*n)++], err));
		shipped += order <= 0;
		i += order >= 0;
	}
	for (size_t k = 0; k < *n; k++)
		if (!v[k].ruleset.name.n)
			v[k].ruleset.name = v[k].ruleset.id;
	return GH_RC_OK;
}

static bool has(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

bool governance_set_holds(const struct governance_set *s, struct str environment, const struct str *tags, size_t n_tags)
{
	bool tagged = !s->n_tags;

	for (size_t i = 0; i < n_tags && !tagged; i++)
		tagged = has(s->tags, s->n_tags, tags[i]);
	return s->enabled && tagged && (!s->n_environments || has(s->environments, s->n_environments, environment));
}
