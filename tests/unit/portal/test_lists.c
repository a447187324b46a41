/* Lists of what happened, page by page, while more happens: what stood there when the first page was read comes once, in its order. */
#include "tests/unit/check.h"

#include "db/alerts.h"
#include "db/captures.h"
#include "db/mail.h"
#include "portal/admin/admin.h"
#include "tests/unit/portal/client.h"

enum { ENTRIES = 7, PAGE = 2 };

static struct world {
	struct web_site site;
	struct arena *a;
	char dir[100], share[PATHS_MAX];
	int64_t clock_us;
} world;

/* ---- one more of each ------------------------------------------------------------------------------------------------------- */

/* All of one time, as those of one drain are: nothing but the number tells them apart. */
static void add_event(size_t n)
{
	const struct store_alert_event e = { .id = arena_printf(world.a, "event-%02zu", (n * 37) % 100), .rule_id = STR("slow"), .rule_name = STR("Slow"),
					     .subject = STR(""), .environment_id = STR("default"), .api_id = STR("orders"), .at_us = world.clock_us,
					     .summary = arena_printf(world.a, "number %zu", n), .request_id = STR("") };
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_tx_end(s, store_alert_tell(s, &e, NULL, &err), &err), &err);
}

static void add_delivery(size_t n)
{
	const struct store_alert_delivery d = { .id = arena_printf(world.a, "msg_%02zu", (n * 37) % 100), .webhook_id = STR("hook"), .event_id = STR("e"),
						.body = STR("{}"), .state = STORE_ALERT_FAILED, .created_us = world.clock_us, .due_us = world.clock_us,
						.changed_us = world.clock_us, .problem = STR("") };
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_tx_end(s, store_alert_delivery_add(s, &d, &err), &err), &err);
}

static void add_mail(size_t n)
{
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_tx_end(s, store_mail_add(s, arena_printf(world.a, "person-%zu@example.com", n), "reset", NULL, &err), &err), &err);
}

static void add_capture(size_t n)
{
	struct store_capture c = { .address = arena_printf(world.a, "192.0.2.%zu", n), .marked = STR("") };
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_capture_start(s, world.a, STR("test"), 60, &c, &err), &err);
	must(store_capture_stop(s, world.a, STR("test"), c.id, &err), &err);
}

/* ---- reading on while they come --------------------------------------------------------------------------------------------- */

/* The ids of a page, behind those that are there; the cursor of the next one, or NULL. */
static const char *read_page(struct client *c, const char *list, const char *query, const char *cursor, json_t *ids)
{
	const char *uri = arena_printf(world.a, "/admin/api/v1/%s?%slimit=%d%s%s", list, query, PAGE, cursor ? "&cursor=" : "", cursor ? cursor : "").p;
	json_t *v = NULL, *item;
	const char *next;
	struct gh_err err;
	size_t i;

	CHECK_INT(uri, client_send(c, "GET", uri, NULL), 200);
	must(jsn_parse_in(world.a, buf_view(&c->w.rs.body), NULL, &v, NULL, &err), &err);
	json_array_foreach(jsn_arr(v, "items"), i, item)
		json_array_append(ids, json_object_get(item, "id"));
	next = json_string_value(json_object_get(v, "next"));
	return next ? arena_printf(world.a, "%s", next).p : NULL;
}

static void again(const char *list, const char *id)
{
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_tx_end(s, strcmp(list, "mails") == 0 ? store_mail_again(s, str_of(id), &err) : store_alert_delivery_again(s, str_of(id), &err), &err), &err);
}

static void fail_mails(const json_t *ids)
{
	const json_t *v;
	struct gh_err err;
	size_t i;

	json_array_foreach(ids, i, v)
		must(store_mail_settle(world.site.store, jsn_string(v), STORE_MAIL_FAILED, 0, STR("no"), &err), &err);
}

static void pages_hold_while_more_comes(void **state UNUSED)
{
	static const struct {
		const char *list, *query;
		void (*add)(size_t n);
		bool again;              /* the oldest is sent once more meanwhile */
	} rows[] = {
		{ "alert-events", "", add_event, false },
		{ "alert-events", "rule=slow&api=orders&", add_event, false },
		{ "alert-deliveries", "", add_delivery, true },
		{ "mails", "", add_mail, true },
		{ "captures", "", add_capture, false },
	};
	struct client c = { .site = &world.site };
	size_t made = 0;

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *list = rows[i].list, *query = rows[i].query, *cursor = NULL;
		json_t *before = jsn_keep(world.a, json_array()), *seen = jsn_keep(world.a, json_array());

		for (size_t k = 0; k < ENTRIES; k++)
			rows[i].add(++made);
		while ((cursor = read_page(&c, list, query, cursor, before)))
			;
		if (strcmp(list, "mails") == 0)
			fail_mails(before);
		do {
			cursor = read_page(&c, list, query, cursor, seen);
			rows[i].add(++made);
			if (rows[i].again && json_array_size(seen) == PAGE)
				again(list, json_string_value(json_array_get(before, json_array_size(before) - 1)));
		} while (cursor);
		CHECK(rows[i].list, json_array_size(before) >= ENTRIES && json_equal(before, seen));
	}
	CHECK_INT("a cursor that no list gave", client_send(&c, "GET", "/admin/api/v1/mails?cursor=page-2", NULL), 400);
	CHECK_INT("nor a page by its number", client_send(&c, "GET", "/admin/api/v1/mails?page=2", NULL), 400);
	client_end(&c);
	check_done();
}

/* The page Captures goes on in the same way. */
static void pages_of_the_dashboard(void **state UNUSED)
{
	struct client c = { .site = &world.site };
	struct store_capture *v;
	struct gh_err err;
	size_t n;

	for (size_t i = 0; i < ADMIN_PAGE_ROWS + 3; i++)
		add_capture(100 + i);
	must(store_captures(world.site.store, world.a, 0, 0, &v, &n, &err), &err);
	client_session(&c, "administrator");
	CHECK_INT("the first", client_send(&c, "GET", "/admin/captures", NULL), 200);
	CHECK("leads on", client_shows(&c, arena_printf(world.a, "before=%lld", (long long)v[ADMIN_PAGE_ROWS - 1].number).p));
	add_capture(200);
	client_send(&c, "GET", arena_printf(world.a, "/admin/captures?before=%lld", (long long)v[ADMIN_PAGE_ROWS - 1].number).p, NULL);
	CHECK("the next begins behind it", client_shows(&c, v[ADMIN_PAGE_ROWS].id.p) && !client_shows(&c, v[ADMIN_PAGE_ROWS - 1].id.p));
	client_end(&c);
	check_done();
}

/* ---- the world --------------------------------------------------------------------------------------------------------------- */

static int up(void **state UNUSED)
{
	const struct store_alert_webhook hook = { .id = STR("hook"), .url = STR("https://hooks.example.com/"), .enabled = true,
						  .secret = STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=") };
	struct gh_err err;

	world.a = arena_new(4 << 20);
	world.clock_us = INT64_C(1800000000000000);
	fixture_make(world.dir);
	site_up(&world.site, &admin_app, world.dir, world.share);
	must(store_tx_begin(world.site.store, STR("test"), &err), &err);
	must(store_tx_end(world.site.store, store_alert_webhook_set(world.site.store, world.a, &hook, &err), &err), &err);
	return 0;
}

static int down(void **state UNUSED)
{
	site_down(&world.site);
	fixture_drop(world.dir);
	arena_free(world.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pages_hold_while_more_comes), cmocka_unit_test(pages_of_the_dashboard) };

	return cmocka_run_group_tests(tests, up, down);
}
