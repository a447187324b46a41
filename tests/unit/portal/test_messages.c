/* What became of messages, page by page: calls of webhooks, mails, and the history of alerts. */
#include "tests/unit/check.h"

#include "db/alerts.h"
#include "db/mail.h"
#include "db/subscriptions.h"
#include "portal/admin/admin.h"
#include "tests/unit/portal/client.h"

enum { MANY = 60, PAGE = 50 };

static char directory[64], share[PATHS_MAX];

static size_t times(const struct client *c, const char *text)
{
	struct str rest = buf_view(&c->w.rs.body);
	size_t n = 0, at;

	while ((at = str_find(rest, str_of(text))) != SIZE_MAX) {
		rest = str_from(rest, at + strlen(text));
		n++;
	}
	return n;
}

static int post(struct client *c, const char *uri, const char *page)
{
	char body[200];

	client_send(c, "GET", page, NULL);
	snprintf(body, sizeof(body), "csrf=%s", client_token(c));
	return client_send(c, "POST", uri, body);
}

/* Shows what waits for the next page: "It will be sent once more." */
static bool says(struct client *c, const char *page, const char *text)
{
	client_send(c, "GET", page, NULL);
	return client_shows(c, text);
}

static void fill_deliveries(struct store *s, struct arena *a)
{
	const struct store_alert_webhook hooks[] = {
		{ .id = STR_INIT("pager"), .url = STR_INIT("https://hooks.example/"), .enabled = true, .secret = STR_INIT("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=") },
		{ .id = STR_INIT("chat"), .url = STR_INIT("https://chat.example/"), .enabled = true, .secret = STR_INIT("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=") },
	};
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		must(store_alert_webhook_set(s, a, &hooks[i], &err), &err);
	for (int i = 0; i < MANY; i++) {
		const struct store_alert_delivery d = { .id = arena_printf(a, "msg_%02d", i), .webhook_id = i == 3 ? STR("chat") : STR("pager"),
							.event_id = STR("e"), .body = STR("{}"),
							.state = i == 1 || i == 3 ? STORE_ALERT_FAILED : i == 2 ? STORE_ALERT_WAITING : STORE_ALERT_DELIVERED,
							.tries = 4, .status = i == 1 ? 0 : i == 3 ? 500 : 204,
							.problem = i == 1 ? STR("<b>no such host</b>") : STR("") };

		must(store_alert_delivery_add(s, &d, &err), &err);
	}
	must(store_tx_commit(s, &err), &err);
}

static void calls_of_webhooks(void **state)
{
	struct client c = { .site = *state };
	struct arena *a = arena_new(4 << 20);

	client_session(&c, "administrator");
	CHECK_INT("before one was called", client_send(&c, "GET", "/admin/alert-messages", NULL), 200);
	CHECK("says so", client_shows(&c, "No webhook was called yet"));
	fill_deliveries(c.site->store, a);
	client_send(&c, "GET", "/admin/alert-messages", NULL);
	CHECK_INT("a page", times(&c, "<td class=\"main\"><code>msg_"), PAGE);
	CHECK("the newest first", client_shows(&c, "msg_59") && client_shows(&c, "msg_10") && !client_shows(&c, "msg_09"));
	CHECK("older ones", client_shows(&c, "before=11") && client_shows(&c, ">Older<") && !client_shows(&c, ">Newest<"));
	client_send(&c, "GET", "/admin/alert-messages?before=11", NULL);
	CHECK_INT("the rest", times(&c, "<td class=\"main\"><code>msg_"), MANY - PAGE);
	CHECK("back to the newest", client_shows(&c, ">Newest<") && !client_shows(&c, ">Older<"));
	CHECK("problem, escaped", client_shows(&c, "&lt;b&gt;no such host&lt;/b&gt;"));
	client_send(&c, "GET", "/admin/alert-messages?state=failed", NULL);
	CHECK_INT("failed", times(&c, "Send again"), 2);
	client_send(&c, "GET", "/admin/alert-messages?state=failed&webhook=chat", NULL);
	CHECK("of one webhook", client_shows(&c, "msg_03") && !client_shows(&c, "msg_01") && client_shows(&c, ">500<"));
	client_send(&c, "GET", "/admin/alert-messages?webhook=nobody", NULL);
	CHECK("none", client_shows(&c, "No call is like that"));

	CHECK_INT("once more", post(&c, "/admin/alert-messages/msg_01/again", "/admin/alert-messages?state=failed"), 303);
	CHECK("it is told", says(&c, "/admin/alert-messages?state=waiting", "It will be sent once more."));
	CHECK("waits", client_shows(&c, "msg_01") && client_shows(&c, "Next try"));
	CHECK_INT("twice", post(&c, "/admin/alert-messages/msg_01/again", "/admin/alert-messages?state=failed"), 303);
	CHECK("somebody was faster", says(&c, "/admin/alert-messages", "It is no longer one that was given up."));
	CHECK_INT("of nothing", post(&c, "/admin/alert-messages/msg_99/again", "/admin/alert-messages?state=failed"), 303);
	client_session(&c, "auditor");
	CHECK_INT("who may only look", client_send(&c, "GET", "/admin/alert-messages?state=failed", NULL), 200);
	CHECK_INT("has no button", times(&c, "Send again"), 0);
	CHECK_INT("nor a way", post(&c, "/admin/alert-messages/msg_03/again", "/admin/account"), 403);
	client_end(&c);
	arena_free(a);
	check_done();
}

static void mails(void **state)
{
	struct client c = { .site = *state };
	struct store *s = c.site->store;
	struct arena *a = arena_new(4 << 20);
	struct store_mail *v;
	struct gh_err err;
	char uri[100];
	size_t n;

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/mails", NULL);
	CHECK("none yet", client_shows(&c, "No mail yet"));
	must(store_tx_begin(s, STR("test"), &err), &err);
	for (int i = 0; i < MANY; i++)
		must(store_mail_add(s, arena_printf(a, "p%02d@example.com", i), i == 1 ? "reset" : "test", NULL, &err), &err);
	must(store_tx_commit(s, &err), &err);
	must(store_mails(s, a, &(struct store_mail_filter){ .state = -1, .search = STR("P01@") }, &v, &n, &err), &err);
	CHECK_INT("found by its address", n, 1);
	must(store_mail_settle(s, v[0].id, STORE_MAIL_FAILED, 0, STR("550 no such mailbox"), &err), &err);
	client_send(&c, "GET", "/admin/mails", NULL);
	CHECK_INT("a page", times(&c, "@example.com</span>"), PAGE);
	CHECK("older ones", client_shows(&c, "p59@") && !client_shows(&c, "p09@") && client_shows(&c, ">Older<"));
	client_send(&c, "GET", "/admin/mails?q=RESET", NULL);
	CHECK("found by its kind", client_shows(&c, "p01@") && !client_shows(&c, "p02@") && client_shows(&c, "550 no such mailbox"));
	client_send(&c, "GET", "/admin/mails?state=failed", NULL);
	CHECK_INT("failed", times(&c, "Send again"), 1);
	client_send(&c, "GET", "/admin/mails?state=sent", NULL);
	CHECK("none of that state", client_shows(&c, "No mail is like that"));
	snprintf(uri, sizeof(uri), "/admin/mails/%.*s/again", STR_ARG(v[0].id));
	client_session(&c, "auditor");
	CHECK_INT("not for everybody", post(&c, uri, "/admin/account"), 403);
	client_session(&c, "administrator");
	CHECK_INT("once more", post(&c, uri, "/admin/mails?state=failed"), 303);
	CHECK("it is told", says(&c, "/admin/mails?state=waiting&q=p01", "It will be sent once more."));
	CHECK("waits", client_shows(&c, "Next try"));
	CHECK_INT("twice", post(&c, uri, "/admin/mails"), 303);
	CHECK("somebody was faster", says(&c, "/admin/mails", "It is no longer one that was given up."));
	client_end(&c);
	arena_free(a);
	check_done();
}

static void history(void **state)
{
	struct client c = { .site = *state };
	struct store *s = c.site->store;
	struct arena *a = arena_new(4 << 20);
	struct store_api api;
	struct gh_err err;
	bool found;

	client_session(&c, "administrator");
	client_send(&c, "GET", "/admin/alert-history", NULL);
	CHECK("none yet", client_shows(&c, "Nothing has happened"));
	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_api_find(s, a, STR("orders"), 0, &api, &found, &err), &err);
	api.name = STR("Purchase orders");
	must(store_api_update(s, &api, &err), &err);
	for (int i = 0; i < MANY; i++) {
		const struct store_alert_event e = { .id = arena_printf(a, "e%02d", i), .rule_id = i == 2 ? STR("slow") : STR("errors"), .rule_name = STR("Errors"),
						     .kind = i % 2, .api_id = i == 4 ? STR("orders") : STR(""), .at_us = i + 1,
						     .summary = arena_printf(a, "Event number %02d", i) };

		must(store_alert_tell(s, &e, NULL, &err), &err);
	}
	must(store_tx_commit(s, &err), &err);
	client_send(&c, "GET", "/admin/alerts", NULL);
	CHECK_INT("the newest beside the rules", times(&c, "Event number"), 20);
	CHECK("leads to all", client_shows(&c, "alert-history"));
	client_send(&c, "GET", "/admin/alert-history", NULL);
	CHECK_INT("a page", times(&c, "Event number"), PAGE);
	CHECK("older ones", client_shows(&c, "Event number 10") && !client_shows(&c, "Event number 09") && client_shows(&c, "before=11"));
	client_send(&c, "GET", "/admin/alert-history?before=11", NULL);
	CHECK_INT("the rest", times(&c, "Event number"), MANY - PAGE);
	client_send(&c, "GET", "/admin/alert-history?rule=slow", NULL);
	CHECK("of a rule that is gone", client_shows(&c, "Event number 02") && times(&c, "Event number") == 1 && client_shows(&c, "<option value=\"slow\" selected>"));
	client_send(&c, "GET", "/admin/alert-history?api=orders", NULL);
	CHECK("of an API", client_shows(&c, "Event number 04") && times(&c, "Event number") == 1);
	CHECK("by its name", client_shows(&c, "apis/orders\">Purchase orders</a>"));
	client_send(&c, "GET", "/admin/alert-history?api=%3Cscript%3E&rule=%22%3E", NULL);
	CHECK("escaped", client_shows(&c, "Nothing like that has happened") && !client_shows(&c, "value=\"<script>") && !client_shows(&c, "\"\">\""));
	client_end(&c);
	arena_free(a);
	check_done();
}

/* The same lists by the management API; after the tests above. */
static void by_program(void **state)
{
	static const struct {
		const char *uri, *shows, *hides;
		int status;
	} rows[] = {
		{ "alert-deliveries?limit=1000", "msg_02", "zebra", 200 },
		{ "alert-deliveries?state=failed", "msg_03", "msg_02", 200 },
		{ "alert-deliveries?state=delivered&webhook=pager", "msg_59", "msg_03", 200 },
		{ "alert-deliveries?webhook=chat", "msg_03", "msg_59", 200 },
		{ "alert-deliveries?state=sent", "state is waiting, delivered or failed.", "msg_", 400 },
		{ "mails?limit=1000", "p01@", "zebra", 200 },
		{ "mails?search=P02@", "p02@", "p01@", 200 },
		{ "mails?state=waiting&search=reset", "p01@", "p02@", 200 },
		{ "mails?state=failed", "\"items\":[]", "p01@", 200 },
		{ "mails?state=lost", "state is waiting, sending, handed, sent, uncertain or failed.", "p01@", 400 },
	};
	struct client c = { .site = *state };
	char uri[120];

	client_session(&c, "administrator");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(uri, sizeof(uri), "/admin/api/v1/%s", rows[i].uri);
		CHECK_INT(rows[i].uri, client_send(&c, "GET", uri, NULL), rows[i].status);
		CHECK(rows[i].uri, client_shows(&c, rows[i].shows) && !client_shows(&c, rows[i].hides));
	}
	client_end(&c);
	check_done();
}

/* What is watched apart has the name that people know. */
static void names(void **state)
{
	static const struct {
		enum alert_each each;
		const char *subject, *shows;
	} rows[] = {
		{ ALERT_EACH_SUBSCRIPTION, "b1", "Planning at night" }, { ALERT_EACH_SUBSCRIPTION, "gone", "gone" },
		{ ALERT_EACH_PRODUCT, "starter", "starter" },           { ALERT_EACH_API, "orders", "Purchase orders" },
		{ ALERT_EACH_ENVIRONMENT, "default", "default" },       { ALERT_EACH_ALL, "", "The rule as a whole" },
	};
	const struct store_subscription sub = { .id = STR_INIT("b1"), .name = STR_INIT("Planning at night"), .scope = STORE_SCOPE_PRODUCT,
						.product_id = STR_INIT("starter"), .state = STORE_SUB_ACTIVE };
	struct client c = { .site = *state };
	struct store *s = c.site->store;
	struct arena *a = arena_new(4 << 20);
	struct gh_err err;
	char uri[80];

	client_session(&c, "administrator");
	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_subscription_create(s, a, &sub, NULL, NULL, NULL, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct store_alert_rule r = { .id = arena_printf(a, "each-%zu", i), .enabled = true,
						    .rule = { .kind = ALERT_REQUESTS, .each = rows[i].each, .period_s = 60, .status = STR_INIT(""), .reasons = STR_INIT("") } };
		const struct store_alert_event e = { .id = arena_printf(a, "each-e%zu", i), .rule_id = r.id, .rule_name = r.id, .subject = str_of(rows[i].subject),
						     .at_us = 1, .summary = STR("Event of one") };
		const struct store_alert_state bad = { .rule_id = r.id, .subject = e.subject, .since_us = 1, .event_id = e.id };

		must(store_alert_rule_set(s, a, &r, &err), &err);
		must(store_alert_tell(s, &e, &bad, &err), &err);
	}
	must(store_tx_commit(s, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		client_send(&c, "GET", "/admin/alerts", NULL);
		CHECK(rows[i].shows, client_shows(&c, rows[i].shows));
		snprintf(uri, sizeof(uri), "/admin/alert-history?rule=each-%zu", i);
		client_send(&c, "GET", uri, NULL);
		CHECK_INT("its event", times(&c, "Event of one"), 1);
		CHECK(rows[i].shows, rows[i].each == ALERT_EACH_ALL || client_shows(&c, rows[i].shows));
	}
	client_end(&c);
	arena_free(a);
	check_done();
}

static int up(void **state)
{
	static struct web_site site;

	fixture_make(directory);
	site_up(&site, &admin_app, directory, share);
	*state = &site;
	return 0;
}

static int down(void **state)
{
	site_down(*state);
	fixture_drop(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(calls_of_webhooks), cmocka_unit_test(mails), cmocka_unit_test(history), cmocka_unit_test(by_program),
					    cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, up, down);
}
