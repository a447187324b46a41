/* What pages cost in a store with many APIs, people, subscriptions and calls, counted and not timed: the steps of SQLite's
 * machine (a missing index or a query for each row multiplies them) and the bytes that are sent. Every GET route of both apps
 * is asked for, so a new page is counted without being named. `make bench ONLY=pages` measures the time of the same pages. */
#include "tests/unit/check.h"

#include "db/scim.h"
#include "db/sql.h"
#include "portal/admin/admin.h"
#include "portal/portal/portal.h"
#include "tests/unit/portal/client.h"
#include "tests/unit/portal/crowd.h"

/* Large enough that looking at each row of a large table shows: 3,000 subscriptions, 5,000 totals of traffic. */
static const struct crowd_size size = { .apis = 300, .products = 60, .users = 600, .subscriptions = 3000, .own = 20, .calls = 20 };

enum { PAGE_BYTES = 100 * 1024, STEPS = 90000,
       TOTALS_STEPS = 600000 };           /* of pages that add up what thousands of subscriptions did in a day */

static int64_t steps(struct store *s)
{
	int64_t n = 0;

	for (size_t i = 0; i < SQL__COUNT; i++)
		if (s->stmt[i])
			n += sqlite3_stmt_status(s->stmt[i], SQLITE_STMTSTATUS_VM_STEP, 1);
	return n;
}

static void count(struct client *c, const char *app UNUSED, const char *who UNUSED, const char *uri)
{
	int64_t n;
	int status;

	steps(c->site->store);
	status = client_send(c, "GET", uri, NULL);
	n = steps(c->site->store);
	CHECK(uri, status < 500);
	CHECK(uri, n < (str_find(str_of(uri), STR("analytics")) != SIZE_MAX || str_find(str_of(uri), STR("/live")) != SIZE_MAX
			  || str_find(str_of(uri), STR("audit/export")) != SIZE_MAX ? TOTALS_STEPS : STEPS));
	if (str_starts(client_header(c, "Content-Type"), STR("text/html")))
		CHECK(uri, c->w.rs.body.n < PAGE_BYTES);
	if (getenv("SHOW_STEPS"))
		fprintf(stderr, "# %7lld steps, %6zu bytes: %s\n", (long long)n, c->w.rs.body.n, uri);
}

static void as_visitor(void **state)
{
	crowd_walk(*state, &portal_app, "portal", "", NULL, count);
	check_done();
}

static void as_developer(void **state)
{
	crowd_walk(*state, &portal_app, "portal", "", "developer", count);
	check_done();
}

/* Provisioning: a page of people, one of them by name, and a filter for which everybody is looked at, part by part. */
static void as_provisioner(void **state)
{
	static const struct {
		const char *uri;
		int64_t steps;
		const char *shows, *hides;
	} rows[] = {
		{ "/admin/scim/v2/Users?startIndex=101&count=50", STEPS, "\"totalResults\":605,\"startIndex\":101,\"itemsPerPage\":50", "user-00000" },
		{ "/admin/scim/v2/Users?startIndex=601&count=50", STEPS, "\"itemsPerPage\":5", NULL },
		{ "/admin/scim/v2/Users?startIndex=999", STEPS, "\"itemsPerPage\":0", NULL },
		{ "/admin/scim/v2/Users?count=0", STEPS, "\"totalResults\":605", "user-0" },
		{ "/admin/scim/v2/Users?filter=userName+eq+%22person.77@plant.example.com%22", STEPS, "\"totalResults\":1", NULL },
		{ "/admin/scim/v2/Users?filter=name.familyName+ew+%2299%22&count=2&startIndex=2", 10 * STEPS, "\"totalResults\":6,\"startIndex\":2,\"itemsPerPage\":2",
		  "\"Byron 99\"" },
	};
	char share[PATHS_MAX];
	struct web_site site;
	struct str token, id = STR("crowd");
	struct arena *a = arena_new(1 << 20);
	struct client c;
	struct gh_err err;

	site_up(&site, &admin_app, *state, share);
	must(store_tx_begin(site.store, STR("test"), &err), &err);
	must(store_scim_token_create(site.store, a, id, 0, &token, &err), &err);
	must(store_tx_commit(site.store, &err), &err);
	c = (struct client){ .site = &site, .authorization = arena_printf(a, "Bearer %.*s", STR_ARG(token)).p };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t n;

		steps(site.store);
		CHECK_INT(rows[i].uri, client_send(&c, "GET", rows[i].uri, NULL), 200);
		n = steps(site.store);
		CHECK(rows[i].uri, n < rows[i].steps);
		CHECK(rows[i].uri, client_shows(&c, rows[i].shows) && !(rows[i].hides && client_shows(&c, rows[i].hides)));
		if (getenv("SHOW_STEPS"))
			fprintf(stderr, "# %7lld steps, %6zu bytes: %s\n", (long long)n, c.w.rs.body.n, rows[i].uri);
	}
	client_end(&c);
	site_down(&site);
	arena_free(a);
	check_done();
}

static void as_administrator(void **state)
{
	crowd_walk(*state, &admin_app, "admin", "/admin", "administrator", count);
	check_done();
}

static int up(void **state)
{
	static char dir[64];
	struct store *s;
	struct gh_err err;

	fixture_make(dir);
	must(store_open(&s, dir, STORE_WRITE, &err), &err);
	crowd_fill(s, &size);
	store_free(s);
	*state = dir;
	return 0;
}

static int down(void **state)
{
	fixture_drop(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_visitor),
		cmocka_unit_test(as_developer),
		cmocka_unit_test(as_administrator),
		cmocka_unit_test(as_provisioner),
	};
	return cmocka_run_group_tests(tests, up, down);
}
