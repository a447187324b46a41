/* snapshot_traffic.c - traffic rules with the snapshot. */
#include "core/log.h"
#include "core/str.h"
#include "db/traffic_rules.h"
#include "fcgi/snapshot_impl.h"
#include "fcgi/traffic.h"

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for the traffic rules");
}

static gh_rc read_rule(struct build *b, const struct store_traffic_rule *row, struct snap_traffic *t)
{
	struct canary_rule *canary = arena_new_of(b->a, struct canary_rule);
	struct mirror_rule *mirror = arena_new_of(b->a, struct mirror_rule);
	struct fault_rule *faults;

	t->live = arena_new_of(b->a, struct traffic_live);
	if (!canary || !mirror || !t->live)
		return no_memory(b);
	TRY(build_text(b, row->api_id, &t->api));
	t->live->canary.key = canary_key(row->api_id, true);
	t->live->stable.key = canary_key(row->api_id, false);
	t->live->mirror.key = mirror_key(row->api_id);
	if ((row->canary.n && !canary_rule_read(b->a, row->canary, row->since_us, canary))
	    || (row->mirror.n && !mirror_rule_read(b->a, row->mirror, mirror))
	    || (row->faults.n && !fault_rules_read(b->a, row->faults, &faults, &t->n_faults)))
		return no_memory(b);
	t->canary = row->canary.n ? canary : NULL;
	t->canary_off = row->canary_state != STORE_CANARY_RUNNING;
	t->mirror = row->mirror.n ? mirror : NULL;
	t->faults = row->faults.n ? faults : NULL;
	return GH_RC_OK;
}

gh_rc build_traffic_rules(struct build *b)
{
	struct store_traffic_rule *rows;
	size_t n;

	TRY(store_traffic_rules(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_traffic *t = arena_new_of(b->a, struct snap_traffic);

		if (!t)
			return no_memory(b);
		TRY(read_rule(b, &rows[i], t));
		if (!map_put(&b->traffic_rules, t->api, t))
			return no_memory(b);
	}
	return GH_RC_OK;
}
