/* traffic_state.c - how the canary and the mirror of an API do at this moment, on the page of its traffic rule: what all processes of
 * this machine know of them (core/backend_state.h). */
#include "portal/admin/resources.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/paths.h"
#include "core/str.h"
#include "core/traffic_rule.h"
#include "db/traffic_rules.h"

static void put_line(json_t *list, const char *part, struct str backend, struct str text, const char *level)
{
	json_array_append_new(list, json_pack("{s:s, s:s%, s:s%, s:s}", "part", part, "id", backend.p, backend.n, "text", text.p, text.n, "level", level));
}

static void put_canary(struct web *w, json_t *list, const struct store_traffic_rule *r, struct backend_states *states)
{
	struct canary_rule rule;
	struct canary_view v;
	struct str counts;

	if (!r->canary.n || !canary_rule_read(w->a, r->canary, r->since_us, &rule))
		return;
	canary_look(backend_slot_find(states, canary_key(r->api_id, true)),
		    backend_slot_find(states, canary_key(r->api_id, false)), &rule, clock_mono_us(), &v);
	counts = arena_printf(w->a, "%llu errors in %llu calls of the last %lld s, %llu in %llu of the others", (unsigned long long)v.failed[1],
			      (unsigned long long)v.calls[1], (long long)(rule.watch.interval_us / 1000000), (unsigned long long)v.failed[0],
			      (unsigned long long)v.calls[0]);
	if (r->canary_state == STORE_CANARY_ROLLED_BACK || v.back)
		put_line(list, "Canary", rule.backend, arena_printf(w->a, "Rolled back: %.*s", STR_ARG(r->rolled_back_why.n ? r->rolled_back_why : counts)), "bad");
	else if (r->canary_state == STORE_CANARY_PAUSED)
		put_line(list, "Canary", rule.backend, STR("Paused"), "none");
	else
		put_line(list, "Canary", rule.backend, arena_printf(w->a, "Running: %.*s", STR_ARG(counts)), v.failed[1] ? "warn" : "good");
}

static void put_mirror(struct web *w, json_t *list, const struct store_traffic_rule *r, struct backend_states *states)
{
	uint64_t n[MIRROR__COUNT];
	struct mirror_rule rule;

	if (!r->mirror.n || !mirror_rule_read(w->a, r->mirror, &rule))
		return;
	mirror_look(backend_slot_find(states, mirror_key(r->api_id)), n);
	put_line(list, "Mirror", rule.backend,
		 arena_printf(w->a, "%llu copies sent, %llu failed, %llu left out since the machine was booted", (unsigned long long)n[MIRROR_SENT],
			      (unsigned long long)n[MIRROR_FAILED], (unsigned long long)n[MIRROR_SKIPPED]),
		 n[MIRROR_FAILED] + n[MIRROR_SKIPPED] ? "warn" : "good");
}

gh_rc admin_traffic_state(struct web *w, struct str id, json_t **out, struct gh_err *err)
{
	struct backend_states *states = NULL;
	struct store_traffic_rule r;
	struct gh_err none_yet;
	char path[PATHS_MAX];
	bool found = false;

	*out = NULL;
	if (str_starts(id, STR("api:")))
		TRY(store_traffic_rule_find(w->site->store, w->a, str_from(id, sizeof("api:") - 1), &r, &found, err));
	if (!found)
		return GH_RC_OK;
	*out = jsn_keep(w->a, json_array());
	if (!*out)
		FAIL(err, NOMEM, "state of a traffic rule");
	TRY(paths_join(path, w->site->state_dir, "backends", err));
	if (backend_states_open(path, false, &states, &none_yet).code)
		states = NULL;
	put_canary(w, *out, &r, states);
	put_mirror(w, *out, &r, states);
	backend_states_close(states);
	return GH_RC_OK;
}

GH_RC admin_put_traffic_state(struct web *w, struct str id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "now");
	json_t *all, *v;
	size_t i;

	TRY(admin_traffic_state(w, id, &all, err));
	json_array_foreach(all, i, v) {
		struct liquid_record *r = liquid_push_record(list);

		for (const char *const *name = (const char *const[]){ "part", "id", "text", "level", NULL }; *name; name++)
			liquid_set_text(r, *name, jsn_str(v, *name));
	}
	return GH_RC_OK;
}
