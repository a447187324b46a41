#include "db/consumer_rules.h"

#include "core/str.h"
#include "db/apis.h"
#include "db/limit_rows.h"

static const char KIND[] = "consumer rule";

static const struct field rule_fields[] = {
	FIELD(store_consumer_rule, TEXT, subscription_id), FIELD(store_consumer_rule, REF, api_id),
	FIELD(store_consumer_rule, TEXT, methods),         FIELD(store_consumer_rule, TEXT, operations),
};
static const struct row_type rule_type = ROW_TYPE(KIND, store_consumer_rule, rule_fields);

/* ---- what may be ------------------------------------------------------------------------------------------------------- */

static bool is_method(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'A' && s.p[i] <= 'Z') && s.p[i] != '-')
			return false;
	return s.n > 0 && s.n <= 32;
}

static gh_rc check_methods(struct str list, struct gh_err *err)
{
	struct str method;

	while (list.n && str_split(&list, ',', &method))
		if (!is_method(method))
			FAIL(err, INVALID, "'%.*s' is no method: capital letters, such as GET,HEAD", STR_ARG(str_first(method, 80)));
	return GH_RC_OK;
}

static bool has_operation(const struct store_operation *v, size_t n, struct str id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].id, id))
			return true;
	return false;
}

static gh_rc check_operations(struct store *s, struct arena *a, const struct store_consumer_rule *r, struct gh_err *err)
{
	struct str list = r->operations, id;
	struct store_operation *v;
	size_t n;

	if (!list.n)
		return GH_RC_OK;
	if (!r->api_id.n)
		FAIL(err, INVALID, "operations belong to an API: say which");
	TRY(store_operations_of(s, a, r->api_id, 0, &v, &n, err));
	while (list.n && str_split(&list, ',', &id))
		if (!has_operation(v, n, id))
			FAIL(err, INVALID, "API '%.*s' has no operation '%.*s'", STR_ARG(str_first(r->api_id, 200)), STR_ARG(str_first(id, 200)));
	return GH_RC_OK;
}

/* One more is no harm when it takes the place of another: those who are at the most may still change. */
static gh_rc check_room(struct store *s, struct arena *a, const struct store_consumer_rule *r, struct gh_err *err)
{
	struct store_consumer_rule *v;
	size_t n;

	TRY(store_consumer_rules(s, a, r->subscription_id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].api_id, r->api_id))
			return GH_RC_OK;
	if (n >= STORE_RULES_MAX)
		FAIL(err, LIMIT, "a subscription has at most %d rules", STORE_RULES_MAX);
	return GH_RC_OK;
}

static gh_rc check(struct store *s, struct arena *a, const struct store_consumer_rule *r, size_t n_limits, struct gh_err *err)
{
	if (r->methods.n > STORE_RULE_TEXT_MAX || r->operations.n > STORE_RULE_TEXT_MAX)
		FAIL(err, LIMIT, "methods and operations of a rule have at most %d bytes each", STORE_RULE_TEXT_MAX);
	if (n_limits > STORE_TIER_LIMITS_MAX)
		FAIL(err, INVALID, "a rule has at most %d limits", STORE_TIER_LIMITS_MAX);
	TRY(check_methods(r->methods, err));
	TRY(check_operations(s, a, r, err));
	return check_room(s, a, r, err);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static struct change rule_change(const char *action, struct str subscription)
{
	return (struct change){ .action = action, .kind = KIND, .id = subscription, .raises = RAISES_ACCESS };
}

static sqlite3_stmt *place(struct store *s, enum sql which, struct str subscription, struct str api)
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_str(st, 1, subscription);
	bind_str(st, 2, api);
	return st;
}

static gh_rc add_limit(struct store *s, const struct store_consumer_rule *r, const struct store_limit *l, struct gh_err *err)
{
	sqlite3_stmt *st;
	gh_rc rc;

	TRY(limit_check(l, err));
	st = place(s, SQL_RULE_LIMIT_ADD, r->subscription_id, r->api_id);
	limit_bind(st, 3, l);
	rc = change_run(s, st, &(struct change){ .kind = "limit", .id = r->subscription_id }, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, CONFLICT, "the rule has two limits of a kind for the same time");
	return rc;
}

static void detail_of(struct buf *b, const struct store_consumer_rule *r, const struct store_limit *v, size_t n)
{
	buf_cstr(b, "{\"rule\":");
	row_json(b, &rule_type, r);
	buf_cstr(b, ",\"limits\":");
	limits_json(b, v, n);
	buf_cstr(b, "}");
}

gh_rc store_consumer_rule_set(struct store *s, struct arena *a, const struct store_consumer_rule *r, const struct store_limit *v,
			      size_t n, struct gh_err *err)
{
	struct change change = rule_change("set", r->subscription_id);
	struct buf detail;
	sqlite3_stmt *st;
	gh_rc rc;

	TRY(change_begin(s, err));
	TRY(check(s, a, r, n, err));
	st = sql_use(s, SQL_RULE_SET);
	bind_row(st, &rule_type, r);
	rc = change_run(s, st, &(struct change){ .kind = KIND, .id = r->subscription_id }, err);
	if (rc.code == GH_E_CONFLICT)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s', or no API '%.*s'", STR_ARG(str_first(r->subscription_id, 200)),
		     STR_ARG(str_first(r->api_id, 200)));
	if (rc.code)
		return rc;
	TRY(sql_done(s, place(s, SQL_RULE_LIMIT_DROP, r->subscription_id, r->api_id), err));
	for (size_t i = 0; i < n; i++)
		TRY(add_limit(s, r, &v[i], err));
	buf_init(&detail, 4 * STORE_RULE_TEXT_MAX);
	detail_of(&detail, r, v, n);
	change.detail = buf_view(&detail);
	rc = change_note(s, &change, err);
	buf_release(&detail);
	return rc;
}

gh_rc store_consumer_rule_delete(struct store *s, struct str subscription_id, struct str api_id, struct gh_err *err)
{
	struct change change = rule_change("delete", subscription_id);

	TRY(change_begin(s, err));
	change.must_exist = true;
	return change_run(s, place(s, SQL_RULE_DROP, subscription_id, api_id), &change, err);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

gh_rc store_consumer_rules(struct store *s, struct arena *a, struct str subscription_id, struct store_consumer_rule **out, size_t *n,
			   struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_RULE_LIST);

	bind_str(st, 1, subscription_id);
	return list_rows(s, st, &rule_type, a, out, n, err);
}

gh_rc store_consumer_rule_limits(struct store *s, struct arena *a, struct str subscription_id, struct str api_id,
				 struct store_limit **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, place(s, SQL_RULE_LIMITS, subscription_id, api_id), &limit_type, a, out, n, err);
}
