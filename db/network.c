#include "db/network.h"

#include "core/clock.h"
#include "core/ip.h"
#include "core/str.h"
#include "db/sql.h"

static const struct field rule_fields[] = {
	FIELD(store_network_rule, REF, product_id), FIELD(store_network_rule, REF, api_id),
	FIELD(store_network_rule, TEXT, allow),     FIELD(store_network_rule, TEXT, deny),
	FIELD(store_network_rule, BOOL, https_only), FIELD(store_network_rule, TIME, changed_us),
};
static const struct row_type rule_type = ROW_TYPE("network rule", store_network_rule, rule_fields);

/* In the audit trail and in messages. */
static struct str place_of(const struct store_network_rule *r)
{
	return r->product_id.n ? r->product_id : r->api_id.n ? r->api_id : STR("all calls");
}

static gh_rc check(struct str list, struct gh_err *err)
{
	size_t bytes = list.n * sizeof(struct ip_range) + 65536;    /* each network takes at least two characters */
	struct arena *scratch = arena_new(bytes);
	struct ip_set set;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "a list of networks");
	rc = ip_set_parse(scratch, list, &set, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_network_rule_set(struct store *s, const struct store_network_rule *r, struct gh_err *err)
{
	struct store_network_rule row = *r;

	if (r->allow.n > STORE_TEXT_MAX || r->deny.n > STORE_TEXT_MAX)
		FAIL(err, LIMIT, "a list of networks is larger than %d bytes", STORE_TEXT_MAX);
	TRY(check(r->allow, err));
	TRY(check(r->deny, err));
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_NETWORK_PUT, &rule_type, &row,
			  (struct change){ .action = "set", .id = place_of(r), .raises = RAISES_CONFIG }, err);
}

GH_RC store_network_rule_delete(struct store *s, struct str product_id, struct str api_id, struct gh_err *err)
{
	struct store_network_rule r = { .product_id = product_id, .api_id = api_id };
	struct change c = CHANGE_DROP("network rule");

	c.id = place_of(&r);
	return change_keys(s, SQL_NETWORK_DROP, product_id.p ? product_id : STR(""), api_id.p ? api_id : STR(""), c, err);
}

GH_RC store_network_rule_find(struct store *s, struct arena *a, struct str product_id, struct str api_id,
			      struct store_network_rule *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_NETWORK_GET);

	bind_str(st, 1, product_id);
	bind_str(st, 2, api_id);
	return find_row(s, st, &rule_type, a, out, found, err);
}

GH_RC store_network_rules(struct store *s, struct arena *a, struct store_network_rule **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_NETWORK_ALL), &rule_type, a, out, n, err);
}
