/* Who is told that keys expire, and when: each warning once, whatever the clock does, to everybody who looks after them. */
#include "tests/unit/db/fixture.h"

#include "core/str.h"
#include "db/mail.h"
#include "db/notices.h"
#include "db/sql.h"
#include "db/teams.h"

static const int64_t DAY = INT64_C(86400000000), START = INT64_C(1800000000000000);

static int by_recipient(const void *x, const void *y)
{
	return str_cmp(((const struct store_mail *)x)->recipient, ((const struct store_mail *)y)->recipient);
}

/* Whom the newest mails are for, in order of their addresses. */
static struct str mails_since(struct fixture *f, size_t *seen)
{
	const struct store_mail_filter all = { .state = -1, .limit = 1000 };
	struct str out = STR("");
	struct store_mail *v;
	size_t n;

	CHECK_OK(f, store_mails(f->s, f->a, &all, &v, &n, &f->err));
	qsort(v, n - *seen, sizeof(*v), by_recipient);
	for (size_t i = 0; i < n - *seen; i++)
		out = arena_printf(f->a, "%.*s%s%.*s", STR_ARG(out), out.n ? " " : "", STR_ARG(v[i].recipient));
	*seen = n;
	return out;
}

static struct str add_user(struct fixture *f, const char *email)
{
	struct store_user u = { .email = str_of(email), .first_name = STR(""), .last_name = STR(""), .note = STR(""),
				.state = STORE_USER_ACTIVE };
	struct str id = STR_NULL;

	CHANGE(f, store_user_create(f->s, f->a, &u, &id, &f->err));
	return id;
}

static void add_subscription(struct fixture *f, const char *id, struct str user, struct str application, int64_t created, int64_t ends)
{
	struct store_subscription s = { .id = str_of(id), .name = STR(""), .scope = STORE_SCOPE_ALL_APIS, .user_id = user,
					.application_id = application, .state = STORE_SUB_ACTIVE, .created_us = created, .ends_us = ends };

	CHANGE(f, store_subscription_create(f->s, f->a, &s, NULL, NULL, NULL, &f->err));
}

/* The clock goes as the rows say: forward, in jumps, back. One subscription that ends on day 100 and began on day 0. */
static void warnings_are_sent_once(void **state)
{
	static const struct {
		const char *label;
		int64_t hours;                   /* before the end; negative: behind it */
		int mails;
	} rows[] = {
		{ "long before", 24 * 60, 0 },
		{ "a moment before the first", 24 * 30 + 1, 0 },
		{ "30 days before", 24 * 30, 1 },
		{ "again at once", 24 * 30, 0 },
		{ "later the same month", 24 * 20, 0 },
		{ "the clock goes back and forth", 24 * 31, 0 },
		{ "", 24 * 29, 0 },
		{ "10 days before", 24 * 10, 1 },
		{ "back to where the first was due", 24 * 25, 0 },
		{ "forward again", 24 * 9, 0 },
		{ "the last day", 24, 1 },
		{ "an hour before", 1, 0 },
		{ "back by a month", 24 * 30, 0 },
		{ "ended", -1, 0 },
	};
	struct fixture *f = *state;
	int64_t end = START + 100 * DAY;
	size_t seen = 0;
	bool more;

	add_subscription(f, "s", add_user(f, "pat@example.com"), STR_NULL, START, end);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t before = seen;

		CHECK_OK(f, store_warn_of_ends(f->s, f->a, end - rows[i].hours * DAY / 24, NULL, &more, &f->err));
		mails_since(f, &seen);
		CHECK_INT(rows[i].label, seen - before, rows[i].mails);
	}
	check_done();
}

static void missed_stages_and_new_ends(void **state)
{
	struct fixture *f = *state;
	struct str pat = add_user(f, "pat@example.com"), ola = add_user(f, "ola@example.com"), app = STR_NULL;
	struct store_application a = { .name = STR("App"), .description = STR(""), .redirect_url = STR("") };
	struct store_subscription s;
	size_t seen = 0;
	bool more, found;

	add_user(f, "eve@example.com");
	CHANGE(f, store_application_create(f->s, f->a, &a, pat, &app, &f->err));
	CHANGE(f, store_application_add_owner(f->s, app, ola, &f->err));
	add_subscription(f, "team", STR_NULL, app, START, START + 40 * DAY);
	add_subscription(f, "short", pat, STR_NULL, START + 34 * DAY, START + 39 * DAY);       /* lives for five days */
	add_subscription(f, "nobody", STR_NULL, STR_NULL, START, START + 40 * DAY);
	CHECK_OK(f, store_warn_of_ends(f->s, f->a, START + 35 * DAY, NULL, &more, &f->err));
	CHECK_STR("two stages are due, one mail each; none for what is young", mails_since(f, &seen), STR("ola@example.com pat@example.com"));
	CHECK_OK(f, store_warn_of_ends(f->s, f->a, START + 38 * DAY, NULL, &more, &f->err));
	CHECK_STR("the last day of the short one", mails_since(f, &seen), STR("pat@example.com"));
	CHECK_OK(f, store_subscription_find(f->s, f->a, STR("team"), &s, &found, &f->err));
	s.ends_us = START + 60 * DAY;
	CHANGE(f, store_subscription_update(f->s, &s, &f->err));
	CHECK_OK(f, store_warn_of_ends(f->s, f->a, START + 39 * DAY, NULL, &more, &f->err));
	CHECK_STR("a new end begins anew", mails_since(f, &seen), STR("ola@example.com pat@example.com"));
	CHANGE(f, store_subscription_set_state(f->s, STR("team"), STORE_SUB_CANCELLED, STR(""), &f->err));
	CHECK_OK(f, store_warn_of_ends(f->s, f->a, START + 59 * DAY, NULL, &more, &f->err));
	CHECK_STR("what is cancelled is warned of no more", mails_since(f, &seen), STR(""));
	check_done();
}

static void many_at_once(void **state)
{
	struct fixture *f = *state;
	struct str pat = add_user(f, "pat@example.com");
	char id[16];
	size_t seen = 0;
	bool more;

	for (int i = 0; i < NOTICE_EXPIRIES_MAX + 1; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		add_subscription(f, arena_cstr(f->a, str_of(id)), pat, STR_NULL, START, START + 100 * DAY);
	}
	CHECK_OK(f, store_warn_of_ends(f->s, f->a, START + 80 * DAY, NULL, &more, &f->err));
	CHECK("there is more", more);
	mails_since(f, &seen);
	CHECK_INT("as many as one turn takes", seen, NOTICE_EXPIRIES_MAX);
	CHECK_OK(f, store_warn_of_ends(f->s, f->a, START + 80 * DAY, NULL, &more, &f->err));
	mails_since(f, &seen);
	CHECK("the rest, and that is all", !more && seen == NOTICE_EXPIRIES_MAX + 1);
	check_done();
}

/* ---- teams ------------------------------------------------------------------------------------------------------------------- */

static void teams(void **state)
{
	struct fixture *f = *state;
	struct store_application a = { .name = STR("App"), .description = STR(""), .redirect_url = STR("") };
	struct str pat = add_user(f, "pat@example.com"), ola = add_user(f, "ola@example.com"), app = STR_NULL;
	struct store_invitation v = { .email = STR("Ola@Example.com"), .invited_by = STR("pat@example.com"), .ends_us = INT64_MAX }, *got;
	struct store_subscription *own;
	struct store_user user;
	bool yes, found;
	size_t n;

	CHANGE(f, store_application_create(f->s, f->a, &a, pat, &app, &f->err));
	add_subscription(f, "of-app", STR_NULL, app, START, 0);
	add_subscription(f, "of-pat", pat, app, START, 0);
	CHECK_OK(f, store_own_subscriptions(f->s, f->a, pat, &own, &n, &f->err));
	CHECK_INT("each once", n, 2);
	CHECK_OK(f, store_own_subscriptions(f->s, f->a, ola, &own, &n, &f->err));
	CHECK_INT("nothing of others", n, 0);
	v.application_id = app;
	CHANGE(f, store_invitation_create(f->s, f->a, &v, &f->err));
	CHANGE(f, store_invitation_create(f->s, f->a, &v, &f->err));
	CHECK_OK(f, store_invitations_for(f->s, f->a, STR("ola@example.com"), &got, &n, &f->err));
	CHECK_INT("an address is invited once, whatever its case", n, 1);
	CHECK_OK(f, store_user_find(f->s, f->a, pat, &user, &found, &f->err));
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("not by somebody else", store_invitation_accept(f->s, f->a, got[0].id, &user, &f->err).code, GH_E_NOT_FOUND);
	store_tx_rollback(f->s);
	CHECK_OK(f, store_user_find(f->s, f->a, ola, &user, &found, &f->err));
	CHANGE(f, store_invitation_accept(f->s, f->a, got[0].id, &user, &f->err));
	CHECK_OK(f, store_own_subscriptions(f->s, f->a, ola, &own, &n, &f->err));
	CHECK_INT("the application's are hers now, and of others' only those", n, 2);
	CHANGE(f, store_application_leave(f->s, app, pat, &f->err));
	CHECK_OK(f, store_application_owned_by(f->s, app, pat, &yes, &f->err));
	CHECK("left", !yes);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("the last one stays", store_application_leave(f->s, app, ola, &f->err).code, GH_E_CONFLICT);
	CHECK_INT("who is not in it cannot leave", store_application_leave(f->s, app, pat, &f->err).code, GH_E_NOT_FOUND);
	for (int i = 0; i < STORE_TEAM_MAX - 1; i++) {
		v.email = arena_printf(f->a, "p%d@example.com", i);
		CHECK_OK(f, store_invitation_create(f->s, f->a, &v, &f->err));
	}
	v.email = STR("one@example.com");
	CHECK_INT("a team is bounded", store_invitation_create(f->s, f->a, &v, &f->err).code, GH_E_LIMIT);
	v.email = STR("p0@example.com");
	CHECK_OK(f, store_invitation_create(f->s, f->a, &v, &f->err));
	store_tx_rollback(f->s);
	check_done();
}

/* ---- tiers ------------------------------------------------------------------------------------------------------------------- */

static void limits_of_tiers(void **state)
{
	static const struct {
		const char *label;
		struct store_limit limit;
		enum gh_code want;
	} rows[] = {
		{ "one call", { STORE_LIMIT_RATE, 1, 1 }, GH_OK },
		{ "no call", { STORE_LIMIT_RATE, 1, 0 }, GH_E_INVALID },
		{ "most calls", { STORE_LIMIT_RATE, 300, 1000000000 }, GH_OK },
		{ "more", { STORE_LIMIT_RATE, 300, 1000000001 }, GH_E_INVALID },
		{ "no window", { STORE_LIMIT_RATE, 0, 1 }, GH_E_INVALID },
		{ "a rate for too long", { STORE_LIMIT_RATE, 301, 1 }, GH_E_INVALID },
		{ "a quota for ever", { STORE_LIMIT_QUOTA, 0, 1 }, GH_OK },
		{ "a quota that ends before it begins", { STORE_LIMIT_QUOTA, -1, 1 }, GH_E_INVALID },
		{ "most bytes", { STORE_LIMIT_BANDWIDTH, 60, STORE_LIMIT_BYTES_MAX }, GH_OK },
		{ "more bytes", { STORE_LIMIT_BANDWIDTH, 60, STORE_LIMIT_BYTES_MAX + 1 }, GH_E_INVALID },
		{ "bytes in a window that slides", { STORE_LIMIT_BANDWIDTH, 60, 1, STORE_ALGORITHM_SLIDING }, GH_E_INVALID },
		{ "most calls at once", { STORE_LIMIT_CONCURRENCY, 0, STORE_CONCURRENCY_MAX }, GH_OK },
		{ "more at once", { STORE_LIMIT_CONCURRENCY, 0, STORE_CONCURRENCY_MAX + 1 }, GH_E_INVALID },
		{ "calls at once in a time", { STORE_LIMIT_CONCURRENCY, 1, 5 }, GH_E_INVALID },
		{ "no kind", { STORE_LIMIT__COUNT, 1, 1 }, GH_E_INVALID },
		{ "a leaky bucket", { STORE_LIMIT_RATE, 1, 1, STORE_ALGORITHM_LEAKY }, GH_OK },
		{ "a quota that leaks", { STORE_LIMIT_QUOTA, 1, 1, STORE_ALGORITHM_LEAKY }, GH_E_INVALID },
		{ "the longest queue", { STORE_LIMIT_RATE, 1, 1, 0, STORE_QUEUE_MAX, STORE_DELAY_MS_MAX }, GH_OK },
		{ "a longer one", { STORE_LIMIT_RATE, 1, 1, 0, STORE_QUEUE_MAX + 1, 1 }, GH_E_INVALID },
		{ "a longer wait", { STORE_LIMIT_RATE, 1, 1, 0, 1, STORE_DELAY_MS_MAX + 1 }, GH_E_INVALID },
		{ "a queue without a wait", { STORE_LIMIT_RATE, 1, 1, 0, 1, 0 }, GH_E_INVALID },
		{ "a wait without a queue", { STORE_LIMIT_RATE, 1, 1, 0, 0, 1 }, GH_E_INVALID },
		{ "a queue of a quota", { STORE_LIMIT_QUOTA, 60, 1, 0, 1, 1 }, GH_E_INVALID },
	};
	struct fixture *f = *state;
	struct store_product p = { .id = STR("p"), .name = STR("P"), .state = STORE_PRODUCT_PUBLISHED };
	struct store_tier t = { .id = STR("t"), .product_id = STR("p"), .name = STR("T") };
	struct store_limit many[STORE_TIER_LIMITS_MAX + 1], twice[2] = { { STORE_LIMIT_RATE, 1, 1 }, { STORE_LIMIT_RATE, 1, 2 } }, *got;
	size_t n;

	CHANGE(f, store_product_create(f->s, &p, &f->err));
	CHANGE(f, store_tier_create(f->s, &t, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
		CHECK_INT(rows[i].label, store_tier_set_limits(f->s, t.id, &rows[i].limit, 1, &f->err).code, rows[i].want);
		store_tx_rollback(f->s);
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct store_limit){ STORE_LIMIT_QUOTA, (int64_t)i + 1, 5 };
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("too many", store_tier_set_limits(f->s, t.id, many, ARRAY_LEN(many), &f->err).code, GH_E_INVALID);
	CHECK_INT("two for the same time", store_tier_set_limits(f->s, t.id, twice, 2, &f->err).code, GH_E_CONFLICT);
	store_tx_rollback(f->s);
	CHANGE(f, store_tier_set_limits(f->s, t.id, many, STORE_TIER_LIMITS_MAX, &f->err));
	CHANGE(f, store_tier_set_limits(f->s, t.id, twice, 1, &f->err));
	CHECK_OK(f, store_tier_limits(f->s, f->a, t.id, &got, &n, &f->err));
	CHECK("in place of all before", n == 1 && got[0].calls == 1 && got[0].seconds == 1);
	check_done();
}

/* A request for a subscription where many people have an account: those with a role are found without looking at each. */
static void many_people(void **state)
{
	static const char people[] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO"
				     " user_account (id, email, first_name, last_name, role, state, created_us, signed_in_us, note)"
				     " SELECT 'u' || i, 'u' || i || '@example.com', 'U', 'U', CASE WHEN i = 4000 THEN 'publisher'"
				     " WHEN i = 4001 THEN 'administrator' WHEN i = 4002 THEN 'auditor' ELSE 'developer' END, 1, 0, 0, '' FROM n";
	struct fixture *f = *state;
	struct arena *small = arena_new(256 * 1024);
	struct store_ask ask = { .request = { .subscription_id = STR("s"), .message = STR("please") }, .asker_email = STR("pat@example.com") };
	struct store_user *users;
	size_t seen = 0;

	add_subscription(f, "s", add_user(f, "pat@example.com"), STR_NULL, START, 0);
	assert_int_equal(sqlite3_exec(f->s->db, people, NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(f, store_users_with_roles(f->s, small, 10, &users, &ask.n_approvers, &f->err));
	ask.approvers = users;
	CHANGE(f, store_ask(f->s, small, &ask, &f->err));
	CHECK_STR("who is told", mails_since(f, &seen), STR("pat@example.com u4000@example.com u4001@example.com u4002@example.com"));
	arena_free(small);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(warnings_are_sent_once), store_test(missed_stages_and_new_ends), store_test(many_at_once),
		store_test(teams), store_test(limits_of_tiers), store_test(many_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
