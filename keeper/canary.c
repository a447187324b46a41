#include "keeper/canary.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "core/traffic_rule.h"
#include "db/traffic_rules.h"

#include <stdlib.h>

enum { RULES_MEMORY = 64 << 20 };

struct canaries {
	char path[PATHS_MAX];
	struct backend_states *states;
};

gh_rc canaries_new(const char *state_dir, struct canaries **out, struct gh_err *err)
{
	struct canaries *c = calloc(1, sizeof(*c));
	gh_rc rc;

	if (!c)
		FAIL(err, NOMEM, "no memory for canaries");
	rc = paths_join(c->path, state_dir, "backends", err);
	if (rc.code)
		free(c);
	else
		*out = c;
	return rc;
}

void canaries_free(struct canaries *c)
{
	if (!c)
		return;
	backend_states_close(c->states);
	free(c);
}

static gh_rc look(struct canaries *c, struct store *s, struct arena *a, const struct store_traffic_rule *r, struct gh_err *err)
{
	struct backend_slot *canary = backend_slot_find(c->states, canary_key(r->api_id, true));
	struct backend_slot *stable = backend_slot_find(c->states, canary_key(r->api_id, false));
	struct canary_rule rule;
	struct canary_view v;
	struct str why;
	bool done;

	if (!canary_rule_read(a, r->canary, r->since_us, &rule) || !canary_is_back(canary, &rule))
		return GH_RC_OK;
	canary_look(canary, stable, &rule, clock_mono_us(), &v);
	why = arena_printf(a, "%llu errors in %llu calls of the canary %.*s, %llu in %llu of the others", (unsigned long long)v.failed[1],
			   (unsigned long long)v.calls[1], STR_ARG(rule.backend), (unsigned long long)v.failed[0],
			   (unsigned long long)v.calls[0]);
	TRY(store_canary_roll_back(s, r->api_id, r->since_us, why, &done, err));
	if (done)
		log_warn("canary rolled back", KV_STR("api", r->api_id), KV_STR("why", why));
	return GH_RC_OK;
}

gh_rc canaries_turn(struct canaries *c, struct store *s, struct gh_err *err)
{
	struct arena *a = arena_new(RULES_MEMORY);
	struct store_traffic_rule *rules;
	struct gh_err ignored;
	gh_rc rc;
	size_t n;

	if (!a)
		FAIL(err, NOMEM, "no memory for canaries");
	rc = store_traffic_rules(s, a, &rules, &n, err);
	for (size_t i = 0; !rc.code && i < n; i++) {
		if (!rules[i].canary.n || rules[i].canary_state != STORE_CANARY_RUNNING)
			continue;
		if (!c->states && backend_states_open(c->path, false, &c->states, &ignored).code)
			break;                           /* no worker has called any yet */
		rc = look(c, s, a, &rules[i], err);
	}
	arena_free(a);
	return rc;
}
