/* backend_state.c - how a backend is at this moment, and the members of a pool, on its page: what all processes of this machine know of breakers,
 * ejected members and health checks (core/backend_state.h). Looking makes no file: before a gateway ran nothing is known. */
#include "portal/admin/resources.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/backends.h"

/* The worst thing that is known of it: what calls meet. */
static void put_live(struct web *w, struct liquid_record *r, const struct store_backend *b, struct backend_states *states)
{
	struct breaker_rule rule;
	struct backend_view v;
	struct gh_err ignored;
	bool has = b->breaker.n && !breaker_rule_parse(b->breaker, &rule, &ignored).code;
	struct str text = STR("No data"), level = STR("none");

	backend_look(backend_slot_find(states, backend_state_key(b->id)), has ? &rule : NULL, clock_mono_us(), &v);
	if (v.breaker == BACKEND_SHUT) {
		text = arena_printf(w->a, "Breaker open, %lld s left", (long long)(v.breaker_left_us + 999999) / 1000000);
		level = STR("bad");
	} else if (v.health == BACKEND_DOWN) {
		text = v.health_status ? arena_printf(w->a, "Down, answered %d", v.health_status) : STR("Down, no answer");
		level = STR("bad");
	} else if (v.ejection == BACKEND_SHUT) {
		text = arena_printf(w->a, "Left out of pools, %lld s left", (long long)(v.ejected_left_us + 999999) / 1000000);
		level = STR("warn");
	} else if (v.breaker == BACKEND_PROBE || v.ejection == BACKEND_PROBE) {
		text = STR("Being tried again");
		level = STR("warn");
	} else if (v.health == BACKEND_UP || has) {
		text = v.health == BACKEND_UP ? STR("Up") : STR("Breaker closed");
		level = STR("good");
	}
	liquid_set_text(r, "id", b->id);
	liquid_set_text(r, "text", text);
	liquid_set_text(r, "level", level);
	liquid_set_text(r, "trips", v.trips ? web_number(w, (int64_t)v.trips) : STR(""));
}

GH_RC admin_put_backend_state(struct web *w, struct str id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "live");
	struct backend_states *states = NULL;
	struct store_pool_member *members;
	struct store_backend b;
	struct gh_err none_yet;
	char path[PATHS_MAX];
	size_t n;
	bool found;

	TRY(store_backend_find(w->site->store, w->a, id, false, &b, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(store_pool_members(w->site->store, w->a, &members, &n, err));
	TRY(paths_join(path, w->site->state_dir, "backends", err));
	if (backend_states_open(path, false, &states, &none_yet).code)
		states = NULL;
	put_live(w, liquid_push_record(list), &b, states);
	for (size_t i = 0; i < n; i++) {
		gh_rc rc = { GH_OK };

		if (!str_eq(members[i].pool_id, id))
			continue;
		rc = store_backend_find(w->site->store, w->a, members[i].backend_id, false, &b, &found, err);
		if (!rc.code && found)
			put_live(w, liquid_push_record(list), &b, states);
		if (rc.code) {
			backend_states_close(states);
			return rc;
		}
	}
	backend_states_close(states);
	return GH_RC_OK;
}
