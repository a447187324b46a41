/* What pages cost in a store with many APIs, people, subscriptions and calls, counted and not timed: the steps of SQLite's
 * machine (a missing index or a query for each row multiplies them) and the bytes that are sent. Every GET route of both apps
 * is asked for, so a new page is counted without being named. `make bench ONLY=pages` measures the time of the same pages. */
#include "tests/unit/check.h"

#include "db/catalog.h"
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

	if (str_starts(str_of(uri), STR("/admin/governance")))   /* the report is made once after each change, then kept */
		client_send(c, "GET", uri, NULL);
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

static void count_list(struct client *c, const char *app UNUSED, const char *who, const char *uri)
{
	/* of what stands somewhere each row is asked where, which thousands of operations add up to */
	bool judged = strcmp(who, "developer") == 0, whole = str_find(str_of(uri), STR("limit=1000")) != SIZE_MAX;
	int64_t n;

	steps(c->site->store);
	CHECK(uri, client_send(c, "GET", uri, NULL) < 500);
	n = steps(c->site->store);
	CHECK(uri, n < (judged ? 3 * STEPS : whole ? 10 * STEPS : STEPS));
	if (getenv("SHOW_STEPS"))
		fprintf(stderr, "# %7lld steps, %6zu bytes, %d: %s\n", (long long)n, c->w.rs.body.n, c->w.rs.status, uri);
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

/* Lists cost what they show, however they are narrowed: what is searched without an index is looked at once. */
static void every_list(void **state)
{
	struct web_site site;
	struct client c = { .site = &site };
	char share[PATHS_MAX];

	site_up(&site, &admin_app, *state, share);
	client_session(&c, "administrator");
	crowd_lists(&c, "administrator", count_list);
	client_end(&c);
	crowd_elsewhere(site.store);             /* what is out of sight costs little, however much it is */
	client_session(&c, "developer");
	crowd_lists(&c, "developer", count_list);
	client_end(&c);
	site_down(&site);
	check_done();
}

/* Words that thousands of things have of which a visitor may see none: he is told nothing else than where there are none, and what
 * he may not see costs next to nothing. */
static void common_words(void **state)
{
	enum { APIS = 6, OPERATIONS = 1000, PASSED_STEPS = APIS * OPERATIONS * 15 };
	static const struct {
		const char *user, *uri;
		bool many;                       /* hidden things that match are passed over, once */
		const char *shows, *hides;
	} rows[] = {
		{ NULL, "/apis?q=gadget", true, "Nothing matches", "hidden-" },
		{ "administrator", "/apis?q=gadget", false, "hidden-0", "Nothing " },
		{ NULL, "/apis?q=gadget+sprocket", false, "Nothing matches", "hidden-" },
		{ NULL, "/apis?q=nosuchword", false, "Nothing matches", NULL },
		{ NULL, "/apis?q=thing", false, "More operations match", NULL },
	};
	struct store_operation *ops;
	struct arena *a = arena_new(32 << 20);
	char share[PATHS_MAX];
	struct web_site site;
	struct gh_err err;

	site_up(&site, &portal_app, *state, share);
	ops = arena_alloc(a, OPERATIONS, sizeof(*ops));
	must(store_tx_begin(site.store, STR("test"), &err), &err);
	crowd_product(site.store, a, STR("hidden"), 4);          /* for group-4 */
	must(store_group_add(site.store, STR("group-4"), STR("administrator"), &err), &err);
	for (size_t k = 0; k < OPERATIONS; k++)
		ops[k] = (struct store_operation){ .id = arena_printf(a, "op-%zu", k), .method = STR("GET"), .uri_template = arena_printf(a, "/g%zu", k),
						   .name = arena_printf(a, "Gadget %zu", k), .position = (int64_t)k };
	for (size_t i = 0; i < APIS; i++) {
		struct store_api api = { .id = arena_printf(a, "hidden-%zu", i), .environment_id = STR("default"), .path = arena_printf(a, "hidden-%zu", i),
					 .name = STR("Hidden"), .state = STORE_API_PUBLISHED, .backend_url = STR("https://erp.example.com") };

		must(store_api_create(site.store, &api, &err), &err);
		must(store_operations_replace(site.store, api.id, 1, ops, OPERATIONS, &err), &err);
		must(store_product_add_api(site.store, STR("hidden"), api.id, &err), &err);
	}
	must(store_tx_commit(site.store, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client c = { .site = &site };
		int64_t n;

		if (rows[i].user)
			client_session(&c, rows[i].user);
		steps(site.store);
		CHECK_INT(rows[i].uri, client_send(&c, "GET", rows[i].uri, NULL), 200);
		n = steps(site.store);
		if (getenv("SHOW_STEPS"))
			fprintf(stderr, "# %7lld steps, %6zu bytes: %s\n", (long long)n, c.w.rs.body.n, rows[i].uri);
		CHECK(rows[i].uri, n < (STEPS + (rows[i].many ? PASSED_STEPS : 0)));
		CHECK(rows[i].uri, !client_shows(&c, "could match"));
		CHECK(rows[i].uri, client_shows(&c, rows[i].shows) && !(rows[i].hides && client_shows(&c, rows[i].hides)));
		client_end(&c);
	}
	site_down(&site);
	arena_free(a);
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
		cmocka_unit_test(every_list),
		cmocka_unit_test(common_words),          /* the last: it makes the store larger */
	};
	return cmocka_run_group_tests(tests, up, down);
}
