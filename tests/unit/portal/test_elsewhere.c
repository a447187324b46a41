/* How much there is elsewhere is nobody's business who has rights in one place only: lists look the same whatever stands out of sight. */
#include "tests/unit/portal/places.h"

enum { ELSEWHERE = 130 };                /* more than two pages of each list */

/* The name in place of each ~. */
static const char *named(const char *text, struct str name)
{
	struct str rest = str_of(text), part, out = STR_NULL;

	while (rest.n && str_split(&rest, '~', &part))
		out = arena_printf(world.a, "%.*s%.*s%.*s", STR_ARG(out), out.p ? (int)name.n : 0, name.p, STR_ARG(part));
	return text[strlen(text) - 1] == '~' ? arena_printf(world.a, "%.*s%.*s", STR_ARG(out), STR_ARG(name)).p : out.p;
}

/* Things of Production, around those of Sandbox in every order: "a-…" and "z-…". */
static void fill_elsewhere(struct store *s)
{
	static const char *const docs[][3] = {
		{ "api", "~", "{\"name\":\"Orders\",\"path\":\"~\",\"environment\":\"default\",\"tags\":[\"t-~\"]}" },
		{ "operation", "~/get", "{\"name\":\"Get\",\"method\":\"GET\",\"uriTemplate\":\"/get\"}" },
		{ "product", "~", "{\"name\":\"Try\",\"apis\":[\"~\"]}" },
		{ "product", "~-group", "{\"name\":\"Try\",\"kind\":\"api-group\",\"apis\":[\"~\"]}" },
		{ "tier", "~", "{\"name\":\"Try\",\"product\":\"~\"}" },
		{ "user", "~", "{\"email\":\"~@example.com\",\"role\":\"developer\"}" },
		{ "application", "~", "{\"name\":\"Try\"}" },
		{ "subscription", "~", "{\"name\":\"Try\",\"product\":\"~\",\"user\":\"sam\"}" },
		{ "consumer-rule", "~", "{\"methods\":[\"GET\"]}" },
		{ "credential", "default/~", "{\"kind\":\"api-key\",\"name\":\"x\",\"settings\":{\"header\":\"X-Key\"},\"secrets\":{\"value\":\"h\"}}" },
		{ "access-rule", "api:~", "{\"rule\":{\"anyOf\":[{\"method\":\"key\"}]}}" },
		{ "network-rule", "api:~", "{\"allow\":[\"192.0.2.0/24\"]}" },
		{ "traffic-rule", "api:~", "{\"faults\":[{\"percent\":1,\"delayMs\":1}]}" },
		{ "group", "~", "{\"name\":\"Try\"}" },
		{ "machine-token", "~", "{\"role\":\"operator\",\"scopes\":[\"read\"]}" },
	};
	struct resource_change *c;
	struct gh_err err;

	must(resource_begin(s, world.a, STR("test"), &c, &err), &err);
	for (size_t i = 0; i < ELSEWHERE; i++) {
		struct str name = arena_printf(world.a, "%c-%03zu", i % 2 ? 'a' : 'z', i);

		for (size_t k = 0; k < ARRAY_LEN(docs); k++)
			write_one(c, docs[k][0], named(docs[k][1], name), named(docs[k][2], name));
		write_one(c, "policy", named("api:~", name), arena_printf(world.a, policy, "there").p);
	}
	must(resource_end(c, GH_RC_OK, false, &err), &err);
	must(store_drain_begin(s, &err), &err);
	for (size_t i = 0; i < 3 * ELSEWHERE; i++) {
		const struct telemetry_call call = { .started_us = clock_wall_us() + (int64_t)i, .status = 200, .environment = STR_INIT("default"),
						     .api = STR_INIT("live"), .method = STR_INIT("GET"), .path = STR_INIT("/live"), .request_id = STR_INIT("r-2") };

		must(store_drain_call(s, &call, &err), &err);
	}
	must(store_drain_end(s, GH_RC_OK, &err), &err);
}

/* Without what is another one on each page: the token of forms, the link that begins a consent. */
static struct str without(struct str page, const char *begin, const char *end)
{
	size_t at, n = strlen(begin);

	while ((at = str_find(page, str_of(begin))) != SIZE_MAX) {
		struct str rest = str_from(page, at + n);

		page = arena_printf(world.a, "%.*s%.*s", STR_ARG(str_first(page, at)), STR_ARG(str_from(rest, str_find(rest, str_of(end)))));
	}
	return page;
}

static struct str shown(struct client *c, const char *uri)
{
	CHECK_INT(uri, client_send(c, "GET", uri, NULL), 200);
	return arena_dup(world.a, without(without(buf_view(&c->w.rs.body), "name=\"csrf\" value=\"", "\""), "connect?link=", "\""));
}

/* Every list as somebody with rights on Sandbox sees it, page by page and narrowed: the same to the last byte, whatever there is elsewhere. */
static void nothing_of_how_much(void **state UNUSED)
{
	static const char *const windows[] = { "", "?page=2", "?page=3", "?q=Try", "?q=Try&page=2", "?state=active", "?state=active&page=2", "?state=asking", "?status=200" };
	static const char *const rest[] = { "?limit=1", "?limit=50", "?search=Try", "?search=Try&limit=1" };
	enum { MOST = 1000 };
	struct client page = { .site = &world.site }, api = { .site = &world.site };
	static struct str before[MOST];
	struct telemetry_call own = { .started_us = clock_wall_us() - 2000000, .status = 200, .environment = STR_INIT("sandbox"),
				      .api = STR_INIT("sand-orders"), .method = STR_INIT("GET"), .path = STR_INIT("/own"), .request_id = STR_INIT("r-3") };
	struct gh_err err;
	size_t n, lists = 0;

	must(store_drain_begin(world.site.store, &err), &err);
	must(store_drain_call(world.site.store, &own, &err), &err);
	must(store_drain_end(world.site.store, GH_RC_OK, &err), &err);
	api.authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(world.token)).p;
	for (int after = 0; after < 2; after++) {
		if (after)
			fill_elsewhere(world.site.store);
		client_session(&page, "sam");
		n = lists = 0;
		for (const struct web_route *r = admin_app.routes; r->method; r++) {
			if (strcmp(r->method, "GET") != 0 || strchr(r->pattern, '{') || strstr(r->pattern, "/edit/") || strcmp(r->pattern, "/new-api") == 0
			    || (r->about != WEB_ABOUT_RESOURCES && r->about != WEB_ABOUT_ENVIRONMENT))
				continue;
			lists++;
			for (size_t i = 0; i < ARRAY_LEN(windows) && n < MOST; i++) {
				const char *uri = arena_printf(world.a, "/admin%s%s", r->pattern, windows[i]).p;
				struct str now = shown(&page, uri);

				if (after)
					CHECK(uri, str_eq(now, before[n]));
				before[n++] = now;
			}
		}
		for (size_t k = 0; resource_kinds[k]; k++)
			for (size_t i = 0; i < ARRAY_LEN(rest) && n < MOST; i++) {
				const char *uri = arena_printf(world.a, "/admin/api/v1/%s%s", resource_kinds[k]->plural, rest[i]).p;
				struct str now = shown(&api, uri);

				if (after)
					CHECK(uri, str_eq(now, before[n]));
				before[n++] = now;
			}
		client_send(&page, "GET", "/admin/calls", NULL);
		CHECK("the own call is found behind the others", client_shows(&page, "/own"));
	}
	CHECK("lists", lists > 20 && n < MOST);
	client_end(&page);
	client_end(&api);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_of_how_much) };

	return cmocka_run_group_tests(tests, places_up, places_down);
}
