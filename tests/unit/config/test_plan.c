/* What a plan says besides its changes, and that nothing but what was agreed to is done. */
#include "tests/unit/config/files.h"

#include "db/environments.h"
#include "db/products.h"

/* A line that is taken out of a file takes its value out of the store: a date is no exception. */
static void dates(void **state)
{
	static const char api[] = "$kind: api\nid: a\nname: A\npath: a\nstate: deprecated\n";
	struct fixture *f = *state;
	struct tree both = tree_of(f, (const char *[]){ "x.yaml", arena_printf(f->a, "%sdeprecated: 2031-01-01\nsunset: 2031-06-01\n", api).p, NULL });
	struct tree later = tree_of(f, (const char *[]){ "x.yaml", arena_printf(f->a, "%sdeprecated: 2031-01-01\n", api).p, NULL });
	struct tree none = tree_of(f, (const char *[]){ "x.yaml", api, NULL });
	const struct plan_options dry = { .dry_run = true }, wet = { .dry_run = false };
	struct str said;

	SAYS(told(work(f, f->s, &both, wet), "+ api a"), "made");
	SAYS(told(work(f, f->s, &later, wet), "    sunset: \"2031-06-01T00:00:00Z\" -> null\n"), "no sunset any more");
	said = work(f, f->s, &none, dry);
	SAYS(told(said, "    deprecated: \"2031-01-01T00:00:00Z\" -> \"20") && told(said, "1 to change"), "a day that is to come is taken back");
	work(f, f->s, &none, wet);
	SAYS(told(work(f, f->s, &none, dry), "nothing to do"), "from then on nothing is to do");
	SAYS(told(work(f, f->s, &both, dry), "-> \"2031-01-01T00:00:00Z\""), "and it may be chosen again");
	check_done();
}

/* An alert rule whose target goes is switched off, and a plan says so; it remembers all that it has lost. */
static void switched_off(void **state)
{
	static const char head[] = "$kind: configuration\nkinds: [apis, products]\n---\n$kind: product\nid: q\nname: Q\n";
	static const char rest[] = "---\n$kind: api\nid: a\nname: A\npath: a\n---\n$kind: product\nid: p\nname: P\napis: [a]\n";
	static const char rule[] = "---\n$kind: alert-rule\nid: errors\nkind: status\nstatus: [5xx]\nmeasure: percent\nthreshold: '2'\napi: a\nproduct: p\n"
		"mails: [ops@example.com]\n";
	struct fixture *f = *state;
	struct tree all = tree_of(f, (const char *[]){ "x.yaml", arena_printf(f->a, "%s%s%s", head, rest, rule).p, NULL });
	struct tree none = tree_of(f, (const char *[]){ "x.yaml", head, NULL });
	const struct plan_options dry = { .dry_run = true }, wet = { .dry_run = false };
	struct resource_change *c;
	struct str said;
	json_t *doc;

	SAYS(told(work(f, f->s, &all, wet), "4 to create"), "a rule of an API and a product");
	SAYS(told(work(f, f->s, &none, dry), "! alert rule errors goes off: what it watches is deleted ("), "a plan warns");
	said = work(f, f->s, &none, (struct plan_options){ .dry_run = true, .blind_to_alerts = true });
	SAYS(told(said, "! alert rules that you may not see lose what they watch") && str_find(said, STR("errors")) == SIZE_MAX,
	     "and names no rule to who may see none");
	SAYS(str_find(work(f, f->s, &all, dry), STR("! ")) == SIZE_MAX, "only then");
	SAYS(told(work(f, f->s, &none, wet), "2 to delete"), "both go");
	CHECK_OK(f, resource_read(f->s, f->a, resource_kind_find(STR("alert-rule")), STR("errors"), &doc, &f->err));
	SAYS(json_is_false(jsn_get(doc, "enabled")) && str_find(jsn_str(doc, "lost"), STR("api a")) != SIZE_MAX &&
	     str_find(jsn_str(doc, "lost"), STR("product p")) != SIZE_MAX, "it remembers both: %.*s", STR_ARG(jsn_str(doc, "lost")));
	for (int i = 0; i < 2; i++) {
		json_t *patch = jsn_keep(f->a, json_pack("{s:b, s:s}", "enabled", 1, "product", "q")), *to;
		gh_rc rc;

		if (i)
			json_object_set_new(patch, "api", json_string("b"));
		CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
		CHECK_OK(f, resource_write(c, resource_kind_find(STR("api")), STR("b"), jsn_keep(f->a, json_pack("{s:s, s:s}", "name", "B", "path", "b")), RESOURCE_PUT, NULL,
					   &f->err));
		CHECK_OK(f, resource_merge(f->s, f->a, resource_kind_find(STR("alert-rule")), STR("errors"), patch, &to, &f->err));
		rc = resource_end(c, resource_write(c, resource_kind_find(STR("alert-rule")), STR("errors"), to, RESOURCE_REPLACE, NULL, &f->err), false, &f->err);
		SAYS(i ? !rc.code : rc.code == GH_E_INVALID, "on again %s", i ? "with another of each" : "with another product alone");
	}
	check_done();
}

/* What was agreed to is done, and nothing when somebody has changed what it is about: something that it changes, or something that it
 * deletes. What it does not touch may change. */
static void agreed(void **state)
{
	struct fixture *f = *state;
	struct tree first = tree_of(f, (const char *[]){ "x.yaml", "$kind: product\nid: a\nname: A\n---\n$kind: product\nid: gone\nname: G\n", NULL });
	struct tree second = tree_of(f, (const char *[]){ "x.yaml", "$kind: configuration\nkinds: [products]\n---\n$kind: product\nid: a\nname: B\n---\n"
					   "$kind: product\nid: b\nname: B\n", NULL });
	struct plan_options dry = { .actor = STR("test"), .dry_run = true }, wet = { .actor = STR("test") };
	struct plan p, done;

	SAYS(told(work(f, f->s, &first, (struct plan_options){ .dry_run = false }), "2 to create"), "the beginning");
	for (int changed = 2; changed >= 0; changed--) {
		struct files_set *set = arena_new_of(f->a, struct files_set);
		struct store_product row = { .id = changed == 2 ? STR("a") : STR("gone"), .name = STR("meanwhile"), .kind = STORE_KIND_PRODUCT };

		CHECK_OK(f, files_set_read(set, f->a, &second, &f->err));
		CHECK_OK(f, plan_run(f->s, f->a, set, &dry, &p, &f->err));
		SAYS(p.n == 3, "three things to do, not %zu", p.n);
		CHANGE(f, store_setting_set(f->s, STR("portal.title"), changed ? STR("meanwhile") : STR("again"), &f->err));
		if (changed)
			CHANGE(f, store_product_update(f->s, &row, &f->err));
		wet.agreed = &p;
		SAYS(plan_run(f->s, f->a, set, &wet, &done, &f->err).code == (changed ? GH_E_CONFLICT : GH_OK), "changed: %d", changed);
	}
	SAYS(done.n == 3, "the same is done");
	SAYS(told(work(f, f->s, &second, (struct plan_options){ .dry_run = true }), "nothing to do"), "and nothing is left");
	check_done();
}

/* What another machine says of its plan is printed, and no terminal obeys it. */
static void plain(void **state)
{
	struct fixture *f = *state;
	json_t *plan;
	struct buf b;

	CHECK_OK(f, jsn_parse_in(f->a, STR("{\"changes\":[{\"action\":\"change\",\"kind\":\"product\\u001b]0;x\\u0007\",\"id\":\"a\\nb\",\"fields\":[{\"field\":\"n\\u009b\","
		"\"before\":\"\\u202egnp\",\"after\":\"\\u007f\\u001b[2J\"}]}],\"missing\":[{\"kind\":\"k\\r\",\"id\":\"i\",\"field\":\"/f\"}],\"warnings\":[\"w\\u001b[1m ärger\"],"
		"\"summary\":{}}"), NULL, &plan, NULL, &f->err));
	buf_init(&b, 1 << 16);
	plan_text_of(plan, &b);
	for (size_t i = 0; i < b.n; i++)
		SAYS(b.p[i] == '\n' || ((unsigned char)b.p[i] >= ' ' && b.p[i] != 0x7f), "byte %d at %zu", b.p[i], i);
	SAYS(told(buf_view(&b), "~ product\\u001b]0;x\\u0007 a\\u000ab\n"), "%.*s", STR_ARG(buf_view(&b)));
	SAYS(told(buf_view(&b), "    n\\u009b: \"\\u202egnp\" -> \"\\u007f\\u001b[2J\"\n") || told(buf_view(&b), "\\u001B[2J"), "%.*s", STR_ARG(buf_view(&b)));
	SAYS(told(buf_view(&b), "! w\\u001b[1m \xc3\xa4rger\n"), "%.*s", STR_ARG(buf_view(&b)));
	buf_release(&b);
	check_done();
}

/* Operations that take over each other's routes: each meets one that is still taken, and all is well in the end. */
static void routes_change_hands(void **state)
{
	static const struct {
		const char *label, *routes[3];   /* of a, b, c; NULL: it goes */
		const char *says;
	} rows[] = {
		{ "the beginning", { "GET /1", "GET /2", "POST /3" }, "4 to create" },
		{ "two swap", { "GET /2", "GET /1", "POST /3" }, "2 to change" },
		{ "back", { "GET /1", "GET /2", "POST /3" }, "2 to change" },
		{ "three in a ring", { "GET /2", "POST /3", "GET /1" }, "3 to change" },
		{ "the other way round", { "GET /1", "GET /2", "POST /3" }, "3 to change" },
		{ "in a row", { "GET /2", "POST /3", "GET /4" }, "3 to change" },
		{ "one that goes leaves its route", { "POST /3", NULL, "GET /4" }, "1 to change, 1 to delete" },
		{ "one that comes takes a route", { "GET /4", "POST /3", "GET /1" }, "1 to create, 2 to change" },
		{ "two of one route", { "GET /4", "GET /1", "GET /1" }, "x.yaml:19:1: error: operation o/b: the operation 'c' has this method and URI template already" },
		{ "and nothing of it was done", { "GET /4", "POST /3", "GET /1" }, "nothing to do" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = STR("$kind: configuration\nkinds: [apis, operations]\n---\n$kind: api\nid: o\nname: O\npath: o\n");

		for (size_t k = 0; k < 3; k++) {
			const char *route = rows[i].routes[k];
			size_t method = route ? strcspn(route, " ") : 0;

			if (route)
				text = arena_printf(f->a, "%.*s---\n$kind: operation\nid: o/%c\nname: %c\nmethod: %.*s\nuriTemplate: %s\n", STR_ARG(text), (char)('a' + (int)k),
						    (char)('A' + (int)k), (int)method, route, route + method + 1);
		}
		for (int dry = 1; dry >= 0; dry--) {
			struct tree tree = tree_of(f, (const char *[]){ "x.yaml", text.p, NULL });
			struct str said = work(f, f->s, &tree, (struct plan_options){ .dry_run = dry == 1 });

			SAYS(told(said, rows[i].says), "%s%s: %.*s", rows[i].label, dry ? " (plan)" : "", STR_ARG(said));
		}
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(switched_off, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(agreed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(dates, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(routes_change_hands, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("config/plan", tests, NULL, NULL);
}
