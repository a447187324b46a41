/* rest_promote.c - POST /promote: what `gatehouse promote` does. Whoever asks needs the right to change each kind that goes along, where it
 * goes; alert rules belong to all. */
#include "portal/admin/rest_deed.h"

#include "config/files/promote.h"
#include "core/str.h"

struct given {
	struct promotion p;
	json_t *with;
	struct plan plan;
};

/* *ok false: the answer stands. */
static GH_RC read_body(struct rest *r, struct given *x, bool *ok, struct gh_err *err)
{
	static const struct rest_member members[] = {
		{ "api", REST_TEXT, true, offsetof(struct given, p.api), 1 }, { "to", REST_TEXT, true, offsetof(struct given, p.to), 1 },
		{ "from", REST_TEXT, false, offsetof(struct given, p.from) }, { "backendUrl", REST_TEXT, false, offsetof(struct given, p.backend), 0, 2000 },
		{ "with", REST_TEXTS, false, offsetof(struct given, with), 0, 10 }, { NULL },
	};
	struct gh_err why;
	gh_rc rc = GH_RC_OK;
	size_t i;
	json_t *v;

	TRY(rest_take_body(r, members, x, ok, err));
	if (!*ok)
		return GH_RC_OK;
	json_array_foreach(x->with, i, v)
		if (!rc.code && !str_eq(jsn_string(v), STR("contracts")))
			rc = promotion_with(&x->p, jsn_string(v), &why);
	json_array_foreach(x->with, i, v)
		if (!rc.code)
			rc = promotion_with(&x->p, jsn_string(v), &why);
	*ok = !rc.code;
	if (rc.code == GH_E_INVALID)
		return rest_problem(r, 422, "invalid", str_of(why.message), json_pack("[{s:s, s:s}]", "pointer", "#/with", "detail", why.message), err);
	return rc.code ? rest_refused(r, rc, &why, NULL, err) : GH_RC_OK;
}

static GH_RC tell(struct rest *r, void *ctx, struct gh_err *err)
{
	const struct given *x = ctx;
	json_t *v = jsn_keep(r->w->a, plan_json(&x->plan)), *alerts = json_array();

	for (size_t i = 0; i < x->p.n_alerts; i++)
		json_array_append_new(alerts, json_stringn(x->p.alert_ids[i].p, x->p.alert_ids[i].n));
	if (!v)
		FAIL(err, NOMEM, "promotion");
	json_object_set_new(v, "alerts", alerts);
	json_object_set_new(v, "instance", json_stringn(x->p.instance.p, x->p.instance.n));
	return web_json(r->w, 200, "application/json", v, err);
}

gh_rc rest_promote(struct rest *r, struct gh_err *err)
{
	struct given *x = arena_new_of(r->w->a, struct given);
	struct rest_look look = { .r = r, .tell = tell, .ctx = x };
	struct plan_options o = { .actor = r->who.actor, .dry_run = r->dry_run, .impact = true, .theme = &r->w->site->theme,
				  .blind_to_alerts = rest_blind_to_alerts(r), .look = rest_look, .look_ctx = &look };
	struct files_set *set = arena_new_of(r->w->a, struct files_set);
	const struct resource_kind *not;
	struct store *s = r->w->site->store;
	struct gh_err why;
	bool ok;
	gh_rc rc;

	if (!set || !x)
		FAIL(err, NOMEM, "promotion");
	TRY(read_body(r, x, &ok, err));
	if (!ok)
		return GH_RC_OK;
	rc = promotion_set(s, r->w->a, &x->p, set, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	not = rest_forbidden(r, set, true);
	if (not || (x->p.n_alerts && !rights_everywhere(&r->who.rights, RIGHT_CHANGE_SETTINGS)))
		return rest_problem(r, 403, "forbidden", arena_printf(r->w->a, "You may not change %s.", not ? not->plural : "alert rules"), NULL, err);
	rc = plan_run(s, r->w->a, set, &o, &x->plan, &why);
	if (!rc.code || look.again)
		return GH_RC_OK;
	buf_clear(&r->w->rs.body);
	if (rc.code == GH_E_INVALID && set->total_problems)
		return rest_files_problems(r, set, "#/api", err);
	return rest_refused(r, rc, &why, NULL, err);
}

json_t *rest_promote_schema(void)
{
	return json_pack("{s:s, s:[s, s], s:{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:{s:s, s:[s, s, s, s]}}}}", "type", "object",
			 "required", "api", "to", "properties", "api", "type", "string", "description", "The API", "from", "type", "string",
			 "description", "Where it stands; checked when it is given", "to", "type", "string", "description", "Where it goes", "backendUrl",
			 "type", "string", "description", "In place of the address that the variables of the environment say", "with", "type", "array",
			 "description", "What goes along", "items", "type", "string", "enum", "policies", "tiers", "alerts", "contracts");
}
