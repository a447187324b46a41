/* rest_states.c - how backends, and canaries and mirrors, do at this moment: what their pages show. It is the state of this machine. */
#include "portal/admin/rest_deed.h"

#include "core/str.h"
#include "portal/admin/resources.h"

static GH_RC answer(struct rest *r, json_t *items, struct gh_err *err)
{
	json_t *v;

	if (!items)
		return rest_problem(r, 404, "not-found", arena_printf(r->w->a, "There is no %s '%.*s'.", r->route->thing, STR_ARG(str_first(r->args[0], 200))),
				    NULL, err);
	v = jsn_keep(r->w->a, json_pack("{s:O}", "items", items));
	if (!v)
		FAIL(err, NOMEM, "state");
	return web_json(r->w, 200, "application/json", v, err);
}

gh_rc rest_backend_state(struct rest *r, struct gh_err *err)
{
	json_t *items;

	TRY(admin_backend_state(r->w, r->args[0], &items, err));
	return answer(r, items, err);
}

gh_rc rest_traffic_state(struct rest *r, struct gh_err *err)
{
	json_t *items;

	TRY(admin_traffic_state(r->w, r->args[0], &items, err));
	return answer(r, items, err);
}

#define TEXT_AND_LEVEL "'id': {'type': 'string', 'description': 'Backend'}, 'text': {'type': 'string', 'description': 'For people'},"  \
	"'level': {'type': 'string', 'enum': ['none', 'good', 'warn', 'bad']}"
#define ITEMS(required, properties) "{'type': 'object', 'required': ['items'], 'properties': {'items': {'type': 'array', 'items': {"   \
	"'type': 'object', 'required': [" required "], 'properties': {" properties "}}}}}"

json_t *rest_describe_states(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_backend_state, .operation = "getBackendState", .summary = "How a backend is now, and the members of a pool",
		  .description = "What all processes of this machine know of its breaker, its health checks, and whether pools leave it out.",
		  .tag = "backends", .answer = ITEMS("'id', 'text', 'level', 'breaker', 'health', 'ejection', 'trips'", TEXT_AND_LEVEL ","
		  "'breaker': {'type': ['string', 'null'], 'enum': ['closed', 'half-open', 'open', null], 'description': 'null: it has none'},"
		  "'breakerLeftSeconds': {'type': ['integer', 'null']}, 'health': {'type': 'string', 'enum': ['unknown', 'up', 'down']},"
		  "'healthStatus': {'type': ['integer', 'null']}, 'ejection': {'type': 'string', 'enum': ['closed', 'half-open', 'open'], 'description': "
		  "'open: pools leave it out'}, 'ejectedLeftSeconds': {'type': ['integer', 'null']},"
		  "'trips': {'type': 'integer', 'description': 'How often the breaker opened since the boot'}"), .refusals = "404" },
		{ .run = rest_traffic_state, .operation = "getTrafficRuleState", .summary = "How the canary and the mirror of an API do", .tag = "traffic-rules",
		  .answer = ITEMS("'part', 'id', 'text', 'level'", "'part': {'type': 'string', 'enum': ['Canary', 'Mirror']}," TEXT_AND_LEVEL),
		  .refusals = "404" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
