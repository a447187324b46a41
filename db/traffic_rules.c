#include "db/traffic_rules.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

const char *const store_canary_state_names[] = { "running", "paused", "rolled-back", NULL };

static const struct field rule_fields[] = {
	FIELD(store_traffic_rule, TEXT, api_id), FIELD(store_traffic_rule, TEXT, canary), FIELD(store_traffic_rule, TEXT, mirror),
	FIELD(store_traffic_rule, TEXT, faults), FIELD(store_traffic_rule, INT, canary_state), FIELD(store_traffic_rule, TIME, since_us),
	FIELD(store_traffic_rule, TIME, rolled_back_us), FIELD(store_traffic_rule, TEXT, rolled_back_why),
	FIELD(store_traffic_rule, TIME, changed_us),
};
static const struct row_type rule_type = ROW_TYPE("traffic rule", store_traffic_rule, rule_fields);

GH_RC store_traffic_rule_set(struct store *s, const struct store_traffic_rule *r, struct gh_err *err)
{
	struct store_traffic_rule row = *r;

	if (r->canary.n > STORE_TEXT_MAX || r->mirror.n > STORE_TEXT_MAX || r->faults.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "a part of the traffic rule is larger than %d bytes", STORE_TEXT_MAX);
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_TRAFFIC_RULE_PUT, &rule_type, &row,
			  (struct change){ .action = "set", .id = r->api_id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_canary_roll_back(struct store *s, struct str api_id, int64_t since_us, struct str why, bool *done, struct gh_err *err)
{
	struct arena *a = arena_new(STORE_TEXT_MAX * 8);
	struct store_traffic_rule r;
	gh_rc rc;

	*done = false;
	if (!a)
		FAIL(err, NOMEM, "canary");
	rc = store_tx_begin(s, STR("keeper"), err);
	if (!rc.code) {
		rc = store_traffic_rule_find(s, a, api_id, &r, done, err);
		*done = !rc.code && *done && r.since_us == since_us && r.canary_state == STORE_CANARY_RUNNING;
		if (*done) {
			r.canary_state = STORE_CANARY_ROLLED_BACK;
			r.rolled_back_us = r.changed_us = clock_wall_us();
			r.rolled_back_why = why;
			rc = change_row(s, SQL_TRAFFIC_RULE_PUT, &rule_type, &r,
					(struct change){ .action = "roll-back", .id = api_id, .raises = RAISES_CONFIG }, err);
		}
		rc = store_tx_end(s, rc, err);
	}
	arena_free(a);
	return rc;
}

GH_RC store_traffic_rule_delete(struct store *s, struct str api_id, struct gh_err *err)
{
	struct change c = CHANGE_DROP("traffic rule");

	c.id = api_id;
	return change_keys(s, SQL_TRAFFIC_RULE_DROP, api_id, STR_NULL, c, err);
}

GH_RC store_traffic_rule_find(struct store *s, struct arena *a, struct str api_id, struct store_traffic_rule *out, bool *found,
			      struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_TRAFFIC_RULE_GET);

	bind_str(st, 1, api_id);
	return find_row(s, st, &rule_type, a, out, found, err);
}

GH_RC store_traffic_rules(struct store *s, struct arena *a, struct store_traffic_rule **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_TRAFFIC_RULE_ALL), &rule_type, a, out, n, err);
}
