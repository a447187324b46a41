/* The portal: what a visitor sees and what he does not, search, pages, static files. */
#include "tests/unit/check.h"

#include "portal/portal/portal.h"
#include "tests/unit/portal/client.h"

static void visitor_sees(void **state)
{
	static const struct {
		const char *label, *uri;
		int status;
		const char *shows, *hides;
	} rows[] = {
		{ "home", "/", 200, "/apis/orders", "partner-prices" },
		{ "home, draft", "/", 200, "/apis/stock-v2", "planned" },
		{ "only the newest version in lists", "/apis", 200, "/apis/stock-v2", "/apis/stock-v1" },
		{ "count", "/apis", 200, "2 APIs", "partner-prices" },
		{ "search, the best of the versions", "/apis?q=STOCK", 200, "/apis/stock-v2", "/apis/stock-v1" },
		{ "search finds nothing else", "/apis?q=STOCK", 200, "Best matches", "/apis/orders" },
		{ "search marks what it found", "/apis?q=ord", 200, "<mark>orders</mark>", "partner" },
		{ "an operation in the search", "/apis?q=cancel+shipped", 200, "/apis/orders/operations/cancel-order", "planned" },
		{ "an operation by method and path", "/apis?q=delete+%2Forders%2F%7Bid%7D", 200, "/apis/orders/operations/cancel-order", "create-order" },
		{ "a product in the search", "/apis?q=start", 200, "/products/starter", "partner" },
		{ "no product that is not for the visitor", "/apis?q=trying", 200, "/products/starter", "/products/partner\"" },
		{ "operators are words", "/apis?q=orders+OR+zebra", 200, "Nothing matches", "/apis/orders" },
		{ "only signs", "/apis?q=%22%27*%28", 200, "Nothing matches", "/apis/orders" },
		{ "by state", "/apis?state=deprecated", 200, "/apis/stock-v1", "/apis/stock-v2" },
		{ "by a state that is none", "/apis?state=xyz", 200, "2 APIs", "/apis/stock-v1" },
		{ "by a tag that is none", "/apis?tag=%3Cb%3E", 200, "with the tag “&lt;b&gt;”", "/apis/orders" },
		{ "what is new", "/new", 200, "/apis/stock-v1", "planned" },
		{ "what is new, for a visitor", "/new", 200, "New version", "partner-prices" },
		{ "the feed", "/new.atom", 200, "<title>stock-v2 v2: New version</title>", "partner-prices" },
		{ "the feed's own address", "/new.atom", 200, "http://gw.example/new.atom", "planned" },
		{ "search does not find what is hidden", "/apis?q=partner", 200, "Nothing matches", "/apis/partner-prices" },
		{ "search words are escaped", "/apis?q=%22%3E%3Cb%3E", 200, "&quot;&gt;&lt;b&gt;", "\"><b>" },
		{ "an API", "/apis/orders", 200, "/orders/{id}", "erp.example.com" },
		{ "its address", "/apis/orders", 200, "http://gw.example/api/orders<", "/api/orders/v" },
		{ "version in the address", "/apis/stock-v1", 200, "http://gw.example/api/stock/v1<", "zebra" },
		{ "deprecation", "/apis/stock-v1", 200, "This version is deprecated", "zebra" },
		{ "the way to the other version", "/apis/stock-v1", 200, "/apis/stock-v2", "zebra" },
		{ "a product", "/apis/orders", 200, "starter", "partner" },
		{ "an operation", "/apis/orders/operations/get-order", 200, "http://gw.example/api/orders/orders/{id}", "erp.example" },
		{ "a call to copy", "/apis/orders/operations/cancel-order", 200, "curl -X DELETE &#39;http://gw.example", "erp.example" },
		{ "the example in the call", "/apis/orders/operations/get-order", 200, "http://gw.example/api/orders/orders/a%2F7&#39;",
		  "zebra" },
		{ "its parameter", "/apis/orders/operations/get-order", 200, "For example <code>a/7</code>", "zebra" },
		{ "its answer", "/apis/orders/operations/get-order", 200, "<p>The <em>order</em>.</p>", "zebra" },
		{ "an example as JSON", "/apis/orders/operations/get-order", 200, "&quot;id&quot;: &quot;a/7&quot;", "zebra" },
		{ "not in the description", "/apis/orders/operations/create-order", 200, "curl -X POST", "Answers" },
		{ "unknown operation", "/apis/orders/operations/nothing", 404, "There is nothing here", "zebra" },
		{ "operation of a hidden API", "/apis/planned/operations/get-order", 404, "There is nothing here", "One order" },
		{ "HTML in a description", "/apis/orders/operations/list-orders", 200, "&lt;script&gt;alert(1)", "<script>" },
		{ "summary without markup", "/", 200, "Orders of the ERP: read them, place them, cancel them.", "Notes" },
		{ "summaries of the list", "/apis", 200, "Orders of the ERP: read them, place them, cancel them.", "Notes" },
		{ "summaries of the JSON list", "/portal/api/v1/apis", 200, "\"summary\":\"Orders of the ERP: read them, place them, cancel them.\"", "Notes" },
		{ "… with a search for nothing", "/portal/api/v1/apis?q=+", 200, "\"summary\":\"Orders of the ERP: read them, place them, cancel them.\"", "Notes" },
		{ "… of what was found", "/portal/api/v1/apis?q=orders", 200, "\"summary\":\"Orders of the ERP: read them", "zebra" },
		{ "a draft", "/apis/planned", 404, "There is nothing here", "planned" },
		{ "of another group's product", "/apis/partner-prices", 404, "There is nothing here", "partner" },
		{ "unknown", "/apis/nothing", 404, "There is nothing here", "zebra" },
		{ "unknown page", "/x", 404, "There is nothing here", "zebra" },
	};
	struct client c = { .site = *state };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, client_send(&c, "GET", rows[i].uri, NULL), rows[i].status);
		CHECK(rows[i].label, client_shows(&c, rows[i].shows));
		CHECK(rows[i].label, !client_shows(&c, rows[i].hides));
		CHECK(rows[i].label, c.w.rs.body.n < 100000);
	}
	client_end(&c);
	check_done();
}

/* A hidden API is answered exactly like one that does not exist. */
static void hidden_is_not_there(void **state)
{
	struct client c = { .site = *state }, d = { .site = *state };
	size_t n;

	client_send(&c, "GET", "/apis/partner-prices", NULL);
	client_send(&d, "GET", "/apis/partner-pricex", NULL);
	n = c.w.rs.body.n;
	CHECK_INT("size", d.w.rs.body.n, n);
	CHECK_INT("headers", d.w.rs.n_headers, c.w.rs.n_headers);
	client_end(&c);
	client_end(&d);
	check_done();
}

/* What is kept between requests is read again once it changed. */
static void changed_description(void **state)
{
	struct web_site *site = *state;
	struct client c = { .site = site };
	struct arena *a = arena_new(1 << 20);
	struct gh_err err;

	client_send(&c, "GET", "/apis/orders/operations/get-order", NULL);
	CHECK("before", client_shows(&c, "a/7"));
	must(store_tx_begin(site->store, STR("test"), &err), &err);
	fixture_document(site->store, a, "b8");
	must(store_tx_commit(site->store, &err), &err);
	client_send(&c, "GET", "/apis/orders/operations/get-order", NULL);
	CHECK("after", client_shows(&c, "b8") && !client_shows(&c, "a/7"));
	client_end(&c);
	arena_free(a);
	check_done();
}

static void settings(void **state)
{
	struct web_site *site = *state;
	struct client c = { .site = site };
	struct gh_err err;

	must(store_tx_begin(site->store, STR("test"), &err), &err);
	must(store_setting_set(site->store, STR("portal.title"), STR("Acme <APIs>"), &err), &err);
	must(store_tx_commit(site->store, &err), &err);
	client_send(&c, "GET", "/", NULL);
	CHECK("title", client_shows(&c, "<title>Acme &lt;APIs&gt;</title>"));
	client_end(&c);
	check_done();
}

static void static_files(void **state)
{
	static const struct {
		const char *label, *uri;
		int status;
		const char *type;
	} rows[] = {
		{ "style sheet", "/static/gatehouse.css", 200, "text/css; charset=utf-8" },
		{ "icons", "/static/icons.svg", 200, "image/svg+xml" },
		{ "unknown", "/static/none.css", 404, NULL },
		{ "out of the folder", "/static/../core/base.h", 404, NULL },
		{ "out of the folder, escaped", "/static/%2e%2e/Makefile.css", 404, NULL },
		{ "hidden file", "/static/.x.css", 404, NULL },
		{ "folder", "/static/a/", 404, NULL },
		{ "unknown type", "/static/gatehouse.c", 404, NULL },
	};
	struct client c = { .site = *state };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, client_send(&c, "GET", rows[i].uri, NULL), rows[i].status);
		if (rows[i].type) {
			CHECK_STR(rows[i].label, client_header(&c, "Content-Type"), str_of(rows[i].type));
			CHECK(rows[i].label, client_header(&c, "ETag").n == 34);
		}
	}
	client_end(&c);
	check_done();
}

static char directory[64], share[PATHS_MAX];

static int up(void **state)
{
	static struct web_site site;

	fixture_make(directory);
	site_up(&site, &portal_app, directory, share);
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(visitor_sees), cmocka_unit_test(hidden_is_not_there),
					    cmocka_unit_test(static_files), cmocka_unit_test(changed_description),
					    cmocka_unit_test(settings) };

	return cmocka_run_group_tests(tests, up, down);
}
