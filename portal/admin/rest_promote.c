/* rest_promote.c - POST /promote: what `gatehouse promote` does. Whoever asks needs the right to change each kind that goes along, where it
 * goes; alert rules belong to all. */
#include "portal/admin/rest.h"

#include "config/files/promote.h"
#include "core/str.h"

static GH_RC read_body(const json_t *body, struct promotion *p, struct gh_err *err)
{
	size_t i;
	json_t *v;

	*p = (struct promotion){ .api = jsn_str(body, "api"), .from = jsn_str(body, "from"), .to = jsn_str(body, "to"),
				 .backend = jsn_str(body, "backendUrl") };
	if (!p->api.n || !p->to.n)
		FAIL(err, INVALID, "give \"api\", and \"to\", the environment that it goes to");
	json_array_foreach(jsn_arr(body, "with"), i, v)
		if (!str_eq(jsn_string(v), STR("contracts")))
			TRY(promotion_with(p, jsn_string(v), err));
	json_array_foreach(jsn_arr(body, "with"), i, v)
		TRY(promotion_with(p, jsn_string(v), err));
	return GH_RC_OK;
}

static GH_RC answer(struct rest *r, const struct promotion *p, const struct plan *plan, bool dry_run, struct gh_err *err)
{
	json_t *v = jsn_keep(r->w->a, plan_json(plan)), *alerts = json_array();

	for (size_t i = 0; i < p->n_alerts; i++)
		json_array_append_new(alerts, json_stringn(p->alert_ids[i].p, p->alert_ids[i].n));
	if (!v)
		FAIL(err, NOMEM, "promotion");
	json_object_set_new(v, "alerts", alerts);
	json_object_set_new(v, "instance", json_stringn(p->instance.p, p->instance.n));
	if (dry_run)
		web_header(r->w, "Dry-Run", STR("true"));
	return web_json(r->w, 200, "application/json", v, err);
}

gh_rc rest_promote(struct rest *r, struct gh_err *err)
{
	struct plan_options o = { .actor = r->who.actor, .dry_run = r->dry_run, .impact = true, .theme = &r->w->site->theme,
				  .blind_to_alerts = rest_blind_to_alerts(r) };
	struct files_set *set = arena_new_of(r->w->a, struct files_set);
	const struct resource_kind *not;
	struct store *s = r->w->site->store;
	struct promotion p;
	struct gh_err why;
	struct plan plan;
	json_t *body;
	gh_rc rc;

	if (!set)
		FAIL(err, NOMEM, "promotion");
	TRY(rest_body(r, false, &body, err));
	if (!body)
		return GH_RC_OK;
	rc = read_body(body, &p, &why);
	if (!rc.code)
		rc = promotion_set(s, r->w->a, &p, set, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	not = rest_forbidden(r, set, true);
	if (not || (p.n_alerts && !rights_everywhere(&r->who.rights, RIGHT_CHANGE_SETTINGS)))
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not change %s.", not ? not->plural : "alert rules"), NULL, err);
	rc = plan_run(s, r->w->a, set, &o, &plan, &why);
	if (rc.code == GH_E_INVALID && set->total_problems)
		return rest_files_problems(r, set, "#/api", err);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	return answer(r, &p, &plan, o.dry_run, err);
}

json_t *rest_promote_schema(void)
{
	return json_pack("{s:s, s:[s, s], s:{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:{s:s, s:[s, s, s, s]}}}}", "type", "object",
			 "required", "api", "to", "properties", "api", "type", "string", "description", "The API", "from", "type", "string",
			 "description", "Where it stands; checked when it is given", "to", "type", "string", "description", "Where it goes", "backendUrl",
			 "type", "string", "description", "In place of the address that the variables of the environment say", "with", "type", "array",
			 "description", "What goes along", "items", "type", "string", "enum", "policies", "tiers", "alerts", "contracts");
}
