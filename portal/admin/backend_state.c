/* backend_state.c - how a backend is at this moment, and the members of a pool, on its page: what all processes of this machine know of breakers,
 * ejected members and health checks (core/backend_state.h). Looking makes no file: before a gateway ran nothing is known. */
#include "portal/admin/resources.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/backends.h"

static const char *const gates[] = { [BACKEND_PASS] = "closed", [BACKEND_PROBE] = "half-open", [BACKEND_SHUT] = "open" };
static const char *const healths[] = { [BACKEND_UNKNOWN] = "unknown", [BACKEND_UP] = "up", [BACKEND_DOWN] = "down" };

static json_t *seconds(int64_t us)
{
	return us > 0 ? json_integer((json_int_t)(us + 999999) / 1000000) : json_null();
}

/* In `text` and `level` the worst thing that is known of it: what calls meet. */
static json_t *live(struct web *w, const struct store_backend *b, struct backend_states *states)
{
	struct breaker_rule rule;
	struct backend_view v;
	struct gh_err ignored;
	bool has = b->breaker.n && !breaker_rule_parse(b->breaker, &rule, &ignored).code;
	struct str text = STR("No data");
	const char *level = "none";

	backend_look(backend_slot_find(states, backend_state_key(b->id)), has ? &rule : NULL, clock_mono_us(), &v);
	if (v.breaker == BACKEND_SHUT) {
		text = arena_printf(w->a, "Breaker open, %lld s left", (long long)(v.breaker_left_us + 999999) / 1000000);
		level = "bad";
	} else if (v.health == BACKEND_DOWN) {
		text = v.health_status ? arena_printf(w->a, "Down, answered %d", v.health_status) : STR("Down, no answer");
		level = "bad";
	} else if (v.ejection == BACKEND_SHUT) {
		text = arena_printf(w->a, "Left out of pools, %lld s left", (long long)(v.ejected_left_us + 999999) / 1000000);
		level = "warn";
	} else if (v.breaker == BACKEND_PROBE || v.ejection == BACKEND_PROBE) {
		text = STR("Being tried again");
		level = "warn";
	} else if (v.health == BACKEND_UP || has) {
		text = v.health == BACKEND_UP ? STR("Up") : STR("Breaker closed");
		level = "good";
	}
	return json_pack("{s:s%, s:s%, s:s, s:o, s:o, s:s, s:o, s:s, s:o, s:I}", "id", b->id.p, b->id.n, "text", text.p, text.n, "level", level,
			 "breaker", has ? json_string(gates[v.breaker]) : json_null(), "breakerLeftSeconds", seconds(v.breaker_left_us), "health",
			 healths[v.health], "healthStatus", v.health_status ? json_integer(v.health_status) : json_null(), "ejection",
			 gates[v.ejection], "ejectedLeftSeconds", seconds(v.ejected_left_us), "trips", (json_int_t)v.trips);
}

static GH_RC add_members(struct web *w, struct str id, struct backend_states *states, json_t *list, struct gh_err *err)
{
	struct store_pool_member *members;
	struct store_backend b;
	size_t n;
	bool found;

	TRY(store_pool_members(w->site->store, w->a, &members, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(members[i].pool_id, id))
			continue;
		TRY(store_backend_find(w->site->store, w->a, members[i].backend_id, false, &b, &found, err));
		if (found)
			json_array_append_new(list, live(w, &b, states));
	}
	return GH_RC_OK;
}

gh_rc admin_backend_state(struct web *w, struct str id, json_t **out, struct gh_err *err)
{
	struct backend_states *states = NULL;
	struct store_backend b;
	struct gh_err none_yet;
	char path[PATHS_MAX];
	bool found;
	gh_rc rc;

	*out = NULL;
	TRY(store_backend_find(w->site->store, w->a, id, false, &b, &found, err));
	if (!found)
		return GH_RC_OK;
	*out = jsn_keep(w->a, json_array());
	if (!*out)
		FAIL(err, NOMEM, "state of a backend");
	TRY(paths_join(path, w->site->state_dir, "backends", err));
	if (backend_states_open(path, false, &states, &none_yet).code)
		states = NULL;
	json_array_append_new(*out, live(w, &b, states));
	rc = add_members(w, id, states, *out, err);
	backend_states_close(states);
	return rc;
}

GH_RC admin_put_backend_state(struct web *w, struct str id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "live");
	json_t *all, *v;
	size_t i;

	TRY(admin_backend_state(w, id, &all, err));
	json_array_foreach(all, i, v) {
		struct liquid_record *r = liquid_push_record(list);
		int64_t trips = jsn_int(v, "trips", 0);

		for (const char *const *name = (const char *const[]){ "id", "text", "level", NULL }; *name; name++)
			liquid_set_text(r, *name, jsn_str(v, *name));
		liquid_set_text(r, "trips", trips ? web_number(w, trips) : STR(""));
	}
	return GH_RC_OK;
}
