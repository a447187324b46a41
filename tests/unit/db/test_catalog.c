/* The catalog of the portal: what the search makes of anything that is typed, what it finds after each kind of change, who sees
 * what, tags, what is new, and the life of an API with the mails about it. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "db/catalog.h"
#include "db/environments.h"
#include "db/lifecycle.h"
#include "db/mail.h"
#include "db/sql.h"
#include "db/subscriptions.h"
#include "db/users.h"

#include "schema.h"

static const int64_t day_us = (int64_t)86400 * 1000000;

static void add_api(struct fixture *f, const char *id, const char *name, const char *description, enum store_api_state state)
{
	const struct store_api api = { .id = str_of(id), .environment_id = STR_INIT("default"), .path = str_of(id), .name = str_of(name),
				       .description = str_of(description), .state = (int64_t)state,
				       .backend_url = STR_INIT("http://b.example/") };

	CHANGE(f, store_api_create(f->s, &api, &f->err));
}

static void set_operations(struct fixture *f, const char *api, int64_t revision, const char *id, const char *name, const char *tags)
{
	const struct store_operation op = { .id = str_of(id), .method = STR_INIT("GET"), .uri_template = arena_printf(f->a, "/%s/{id}", id),
					    .name = str_of(name), .description = STR_INIT("Of the shop floor."), .tags = str_of(tags) };

	CHANGE(f, store_operations_replace(f->s, str_of(api), revision, &op, 1, &f->err));
}

/* ---- what is typed ----------------------------------------------------------------------------------------------------- */

static void queries(void **state)
{
	static const struct {
		const char *label, *typed, *want;        /* want NULL: no word */
	} rows[] = {
		{ "nothing", "", NULL },
		{ "blanks", " \t ", NULL },
		{ "only signs", "\"'*()-^:+{}~", NULL },
		{ "a word", "orders", "\"order\" *" },
		{ "a short plural stays", "gas", "\"gas\" *" },
		{ "double s is no plural", "address", "\"address\" *" },
		{ "two words", "list  order", "\"list\" * \"order\" *" },
		{ "operators are words", "a AND b OR NOT c NEAR(d)", "\"a\" * \"AND\" * \"b\" * \"OR\" * \"NOT\" * \"c\" * \"NEAR\" * \"d\" *" },
		{ "quotes", "\"or\"\"der\"", "\"or\" * \"der\" *" },
		{ "a column filter", "name:order", "\"name\" * \"order\" *" },
		{ "a path", "/erp/v2/{id}?x=1", "\"erp\" * \"v2\" * \"id\" * \"x\" * \"1\" *" },
		{ "SQL", "'; DROP TABLE api; --", "\"DROP\" * \"TABLE\" * \"api\" *" },
		{ "beyond ASCII", "Größe", "\"Größe\" *" },
		{ "no UTF-8", "\xff\xfe order", "\"order\" *" },
	};
	char longest[600], one[STORE_SEARCH_TEXT_MAX + 1];
	struct fixture *f = *state;
	struct str q;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		q = store_catalog_query(f->a, str_of(rows[i].typed));
		CHECK(rows[i].label, (q.p != NULL) == (rows[i].want != NULL));
		CHECK_STR(rows[i].label, q, str_of(rows[i].want));
	}
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? ' ' : 'a';
	q = store_catalog_query(f->a, (struct str){ longest, sizeof(longest) });
	CHECK_INT("many words", q.n, STORE_SEARCH_WORDS_MAX * strlen("\"a\" * ") - 1);
	memset(longest, 'a', sizeof(longest));
	memset(one, 'a', sizeof(one));
	q = store_catalog_query(f->a, (struct str){ longest, sizeof(longest) });
	CHECK_INT("a long word", q.n, STORE_SEARCH_TEXT_MAX + 4);
	check_done();
}

static size_t count(struct fixture *f, const char *typed)
{
	const struct store_catalog_filter all = { .state = -1, .now_us = clock_wall_us() };
	struct str q = store_catalog_query(f->a, str_of(typed));
	struct store_catalog_operation *ops;
	struct store_catalog_product *products;
	struct store_catalog_row *apis;
	size_t n = 0, k = 0, m = 0;

	if (!q.p)
		return 0;
	CHECK_OK(f, store_catalog_find_apis(f->s, f->a, &all, q, 100, &apis, &n, &f->err));
	CHECK_OK(f, store_catalog_find_operations(f->s, f->a, &all, q, 100, &ops, &k, &f->err));
	CHECK_OK(f, store_catalog_find_products(f->s, f->a, &all, q, 100, &products, &m, &f->err));
	return n + 100 * k + 10000 * m;          /* APIs, operations and products told apart */
}

/* Whatever is typed, every byte of it and pairs with what means something to FTS5, is asked without an error. */
static void hostile(void **state)
{
	static const char *const parts[] = { "\"", "*", "(", ")", "NEAR", "AND", "OR", "NOT", "^", ":", "{", "}", "+", "-", "'", ";", "\\",
					     "–", "\xf0\x9f\x98\x80", "\xcc\x81", "\xe2\x80\x8b", "%", "_", "name", "rank" };
	struct fixture *f = *state;
	char text[40];

	add_api(f, "orders", "Orders", "AND OR NOT NEAR name rank", STORE_API_PUBLISHED);
	for (unsigned c = 1; c < 256; c++) {
		snprintf(text, sizeof(text), "order%c%c", (int)c, (int)c);
		count(f, text);
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			snprintf(text, sizeof(text), "%s%s order %s", parts[i], parts[k], parts[i]);
			count(f, text);
		}
	CHECK_INT("a word beside signs that are none", count(f, "– order"), 1);
	check_done();
}

/* ---- the index follows every change ------------------------------------------------------------------------------------ */

static void follows(void **state)
{
	const struct store_product gold = { .id = STR_INIT("gold"), .name = STR_INIT("Gold plate"), .state = STORE_PRODUCT_PUBLISHED };
	const struct str tags[] = { STR_INIT("warehouse") };
	struct fixture *f = *state;
	struct store_api api;
	int64_t revision;
	bool found;

	add_api(f, "orders", "Purchase orders", "Everything about **purchasing**.", STORE_API_PUBLISHED);
	CHECK_INT("name", count(f, "purchase"), 1);
	CHECK_INT("beginning of a word of the description", count(f, "purchasi"), 1);
	CHECK_INT("plural for singular", count(f, "orders"), 1);
	CHECK_INT("case and accents", count(f, "PÜRCHASE"), 1);
	CHECK_INT("not there", count(f, "inventory"), 0);
	set_operations(f, "orders", 0, "stockpile", "Read a pile", "[\"Logistics\"]");
	CHECK_INT("operation by name", count(f, "pile"), 100);
	CHECK_INT("by path", count(f, "/stockpile/{id}"), 100);
	CHECK_INT("by method and path", count(f, "get stockpile"), 100);
	CHECK_INT("by tag", count(f, "logistics"), 100);
	CHECK_INT("by its description", count(f, "shop floor"), 100);
	set_operations(f, "orders", 0, "stockpile", "Read a heap", "[]");
	CHECK_INT("old name of the operation", count(f, "pile read"), 0);
	CHECK_INT("its new name", count(f, "heap"), 100);
	CHECK_INT("its tag is gone", count(f, "logistics"), 0);
	CHANGE(f, store_revision_create(f->s, STR("orders"), 0, STR(""), &revision, &f->err));
	set_operations(f, "orders", revision, "mountain", "Climb", "[]");
	CHECK_INT("another revision is not found", count(f, "climb"), 0);
	CHANGE(f, store_revision_make_current(f->s, STR("orders"), revision, &f->err));
	CHECK_INT("until it is current", count(f, "climb"), 100);
	CHECK_INT("then the old one is not", count(f, "heap"), 0);
	CHANGE(f, store_api_tags_set(f->s, STR("orders"), tags, 1, &f->err));
	CHECK_INT("tag of the API", count(f, "warehouse"), 1);
	CHANGE(f, store_api_tags_set(f->s, STR("orders"), NULL, 0, &f->err));
	CHECK_INT("taken away", count(f, "warehouse"), 0);
	CHECK_OK(f, store_api_find(f->s, f->a, STR("orders"), 0, &api, &found, &f->err));
	api.name = STR("Sales");
	CHANGE(f, store_api_update(f->s, &api, &f->err));
	CHECK_INT("renamed", count(f, "sales"), 1);
	CHECK_INT("the old name", count(f, "purchase"), 0);
	CHANGE(f, store_product_create(f->s, &gold, &f->err));
	CHECK_INT("product", count(f, "plate"), 10000);
	CHANGE(f, store_product_delete(f->s, STR("gold"), &f->err));
	CHECK_INT("product deleted", count(f, "plate"), 0);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_OK(f, store_api_delete(f->s, STR("orders"), &f->err));
	store_tx_rollback(f->s);
	CHECK_INT("a change that was taken back", count(f, "sales"), 1);
	CHANGE(f, store_api_delete(f->s, STR("orders"), &f->err));
	CHECK_INT("deleted, with its operations", count(f, "sales climb") + count(f, "sales") + count(f, "climb"), 0);
	add_api(f, "orders", "Again", "", STORE_API_PUBLISHED);
	CHECK_INT("made again", count(f, "again"), 1);
	check_done();
}

/* ---- who sees what ----------------------------------------------------------------------------------------------------- */

static struct str see(struct fixture *f, const char *user, const char *tag, int64_t wanted)
{
	const struct store_catalog_filter filter = { .user_id = str_of(user), .tag = str_of(tag), .state = wanted, .now_us = clock_wall_us() };
	struct store_catalog_row *rows = NULL, *hits = NULL;
	struct str out = STR("");
	size_t n = 0, n_hits = 0;

	CHECK_OK(f, store_catalog_list(f->s, f->a, &filter, &rows, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		out = arena_printf(f->a, "%.*s%s%.*s", STR_ARG(out), i ? " " : "", STR_ARG(rows[i].id));
	/* the search shows the same, whatever the list is narrowed by */
	CHECK_OK(f, store_catalog_find_apis(f->s, f->a, &filter, store_catalog_query(f->a, STR("common")), 100, &hits, &n_hits, &f->err));
	CHECK_INT("search beside the list", n_hits, n);
	return out;
}

/* Whatever the state of what may be seen: names are for what is no list. */
static struct str named(struct fixture *f, const char *user)
{
	struct store_catalog_name *names = NULL;
	struct str out = STR("");
	size_t n = 0;

	CHECK_OK(f, store_catalog_names(f->s, f->a, str_of(user), &names, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		out = arena_printf(f->a, "%.*s%s%.*s", STR_ARG(out), i ? " " : "", STR_ARG(names[i].id));
	return out;
}

static void descriptions(void **state)
{
	const struct store_catalog_filter all = { .state = -1, .now_us = clock_wall_us() };
	struct fixture *f = *state;
	char text[2101] = { 0 };
	struct store_catalog_row *rows = NULL;
	size_t n = 0;

	memset(text, 'x', sizeof(text) - 1);
	add_api(f, "a", "A", "of the first", STORE_API_PUBLISHED);
	add_api(f, "b", "B", text, STORE_API_PUBLISHED);
	add_api(f, "c", "C", "of the third", STORE_API_PUBLISHED);
	CHECK_OK(f, store_catalog_list(f->s, f->a, &all, &rows, &n, &f->err));
	CHECK_INT("all", n, 3);
	CHECK_OK(f, store_catalog_describe(f->s, f->a, rows, 2, &f->err));
	CHECK_STR("described", rows[0].description, STR("of the first"));
	CHECK_INT("a long one is cut", rows[1].description.n, 2000);
	CHECK_STR("not asked for", rows[2].description, STR(""));
	CHANGE(f, store_api_delete(f->s, STR("c"), &f->err));
	CHECK_OK(f, store_catalog_describe(f->s, f->a, rows + 2, 1, &f->err));
	CHECK_STR("gone meanwhile", rows[2].description, STR(""));
	check_done();
}

static void visibility(void **state)
{
	static const struct {
		const char *id, *group;
		enum store_product_state state;
	} products[] = {
		{ "open", NULL, STORE_PRODUCT_PUBLISHED },        { "partners", "partners", STORE_PRODUCT_PUBLISHED },
		{ "guests", "guests", STORE_PRODUCT_PUBLISHED },  { "unpublished", NULL, STORE_PRODUCT_DRAFT },
		{ "members", "developers", STORE_PRODUCT_PUBLISHED },
	};
	const struct store_group partners = { .id = STR_INIT("partners"), .name = STR_INIT("Partners") };
	struct store_user pat = { .id = STR_INIT("pat"), .email = STR_INIT("pat@example.com"), .role = STR_INIT("developer"),
				  .state = STORE_USER_ACTIVE };
	struct fixture *f = *state;
	struct store_api api;
	bool found;

	CHANGE(f, store_group_create(f->s, &partners, &f->err));
	CHANGE(f, store_user_create(f->s, f->a, &pat, NULL, &f->err));
	add_api(f, "alone", "Alone", "common", STORE_API_PUBLISHED);
	add_api(f, "draft", "Draft", "common", STORE_API_DRAFT);
	for (size_t i = 0; i < ARRAY_LEN(products); i++) {
		const struct store_product p = { .id = str_of(products[i].id), .name = str_of(products[i].id), .state = (int64_t)products[i].state };

		add_api(f, products[i].id, products[i].id, "common", STORE_API_PUBLISHED);
		CHANGE(f, store_product_create(f->s, &p, &f->err));
		CHANGE(f, store_product_add_api(f->s, p.id, p.id, &f->err));
		if (products[i].group)
			CHANGE(f, store_product_add_group(f->s, p.id, str_of(products[i].group), &f->err));
	}
	CHECK_STR("a visitor", see(f, NULL, NULL, -1), STR("alone guests open"));
	CHECK_STR("names for a visitor", named(f, NULL), STR("alone guests open"));
	CHECK_STR("somebody unknown", see(f, "nobody", NULL, -1), STR("alone guests open"));
	CHECK_STR("SQL for a name", see(f, "x') OR 1=1 --", NULL, -1), STR("alone guests open"));
	CHECK_OK(f, store_catalog_api(f->s, f->a, STR_NULL, STR("partners"), &api, &found, &f->err));
	CHECK("by its id", !found);
	CHANGE(f, store_group_add(f->s, STR("partners"), pat.id, &f->err));
	CHECK("a member", str_find(see(f, "pat", NULL, -1), STR("partners")) != SIZE_MAX);
	CHECK("names for a member", str_find(named(f, "pat"), STR("partners")) != SIZE_MAX && str_find(named(f, "pat"), STR("draft")) == SIZE_MAX);
	CHECK_OK(f, store_catalog_api(f->s, f->a, pat.id, STR("partners"), &api, &found, &f->err));
	CHECK("by its id, for a member", found);
	CHECK_OK(f, store_catalog_api(f->s, f->a, pat.id, STR("draft"), &api, &found, &f->err));
	CHECK("a draft", !found);
	CHANGE(f, store_product_add_api(f->s, STR("open"), STR("partners"), &f->err));
	CHECK_STR("in an open product too", see(f, NULL, NULL, -1), STR("alone guests open partners"));
	check_done();
}

static void filters(void **state)
{
	const struct str tags[] = { STR_INIT("Erp"), STR_INIT("shop") };
	const struct str bad[] = { STR_INIT("a\nb") };
	const struct store_catalog_filter all = { .state = -1, .now_us = clock_wall_us() };
	struct store_catalog_tag *found_tags;
	struct fixture *f = *state;
	struct store_tag *own;
	struct store_api api;
	bool found;
	size_t n;

	add_api(f, "a", "A", "common", STORE_API_PUBLISHED);
	add_api(f, "b", "B", "common", STORE_API_PREVIEW);
	add_api(f, "c", "C", "common", STORE_API_DEPRECATED);
	add_api(f, "d", "D", "common", STORE_API_RETIRED);
	add_api(f, "e", "E", "common", STORE_API_DEPRECATED);
	CHECK_OK(f, store_api_find(f->s, f->a, STR("e"), 0, &api, &found, &f->err));
	api.sunset_us = clock_wall_us() - day_us;
	CHANGE(f, store_api_update(f->s, &api, &f->err));
	CHANGE(f, store_api_tags_set(f->s, STR("a"), tags, 2, &f->err));
	set_operations(f, "b", 0, "x", "X", "[\"shop\",\"shop\",\"other\"]");
	CHECK_STR("all", see(f, NULL, NULL, -1), STR("a b c"));
	CHECK_STR("preview", see(f, NULL, NULL, STORE_API_PREVIEW), STR("b"));
	CHECK_STR("deprecated", see(f, NULL, NULL, STORE_API_DEPRECATED), STR("c"));
	CHECK_STR("retired, by hand and by its date", see(f, NULL, NULL, STORE_API_RETIRED), STR("d e"));
	CHECK_STR("tag of the API and of an operation", see(f, NULL, "shop", -1), STR("a b"));
	CHECK_STR("tag and state", see(f, NULL, "shop", STORE_API_PREVIEW), STR("b"));
	CHECK_STR("unknown tag", see(f, NULL, "nope", -1), STR(""));
	CHECK_OK(f, store_catalog_tags(f->s, f->a, &all, 10, &found_tags, &n, &f->err));
	CHECK_INT("tags", n, 3);
	CHECK_STR("most used first", found_tags[0].tag, STR("shop"));
	CHECK_INT("of two APIs", found_tags[0].apis, 2);
	CHECK_OK(f, store_api_tags(f->s, f->a, STR("b"), &own, &n, &f->err));
	CHECK_INT("tags of the operations", n, 2);
	set_operations(f, "b", 0, "x", "X", NULL);
	CHECK_OK(f, store_api_tags(f->s, f->a, STR("b"), &own, &n, &f->err));
	CHECK_INT("gone with the operation's", n, 0);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("a line end in a tag", store_api_tags_set(f->s, STR("a"), bad, 1, &f->err).code, GH_E_INVALID);
	store_tx_rollback(f->s);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("of no API", store_api_tags_set(f->s, STR("zz"), tags, 1, &f->err).code, GH_E_NOT_FOUND);
	store_tx_rollback(f->s);
	check_done();
}

/* ---- what is new ------------------------------------------------------------------------------------------------------- */

static struct str news(struct fixture *f)
{
	static const char *const kinds[] = { "published", "preview", "revision", "deprecated", "retired" };
	struct store_api_event *v = NULL;
	struct str out = STR("");
	size_t n = 0;

	CHECK_OK(f, store_catalog_news(f->s, f->a, STR_NULL, 100, 0, &v, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		out = arena_printf(f->a, "%.*s%s%.*s %s%s", STR_ARG(out), i ? ", " : "", STR_ARG(v[i].api_id), kinds[v[i].kind],
				   v[i].is_new_version ? " version" : "");
	return out;
}

static void set_state(struct fixture *f, const char *id, enum store_api_state to)
{
	struct store_api api;
	bool found;

	CHECK_OK(f, store_api_find(f->s, f->a, str_of(id), 0, &api, &found, &f->err));
	api.state = (int64_t)to;
	CHANGE(f, store_api_update(f->s, &api, &f->err));
}

static void what_is_new(void **state)
{
	const struct store_version_set set = { .id = STR_INIT("s"), .name = STR_INIT("S"), .scheme = STR_INIT("segment") };
	struct store_api v1 = { .id = STR_INIT("v1"), .environment_id = STR_INIT("default"), .path = STR_INIT("s"), .name = STR_INIT("S"),
				.version_set_id = STR_INIT("s"), .version = STR_INIT("v1"), .state = STORE_API_PUBLISHED,
				.backend_url = STR_INIT("http://b.example/"), .created_us = 1000000 };
	struct store_api v2 = v1;
	struct fixture *f = *state;
	int64_t revision;

	v2.id = STR("v2"), v2.version = STR("v2"), v2.created_us = 2000000, v2.state = STORE_API_DRAFT;
	CHANGE(f, store_version_set_create(f->s, &set, &f->err));
	CHANGE(f, store_api_create(f->s, &v1, &f->err));
	CHANGE(f, store_api_create(f->s, &v2, &f->err));
	CHECK_STR("a draft is no news", news(f), STR("v1 published"));
	set_state(f, "v2", STORE_API_PREVIEW);
	set_state(f, "v2", STORE_API_PUBLISHED);
	CHECK_STR("a version", news(f), STR("v2 published version, v2 preview version, v1 published"));
	set_state(f, "v1", STORE_API_DEPRECATED);
	CHECK_STR("deprecated", news(f), STR("v1 deprecated, v2 published version, v2 preview version, v1 published"));
	set_state(f, "v1", STORE_API_PUBLISHED);
	CHECK_STR("taken back", news(f), STR("v2 published version, v2 preview version, v1 published"));
	CHANGE(f, store_revision_create(f->s, v1.id, 0, STR("faster"), &revision, &f->err));
	CHANGE(f, store_revision_make_current(f->s, v1.id, revision, &f->err));
	CHANGE(f, store_revision_make_current(f->s, v1.id, revision, &f->err));
	CHECK_STR("a revision, once", news(f), STR("v1 revision, v2 published version, v2 preview version, v1 published"));
	set_state(f, "v2", STORE_API_DRAFT);
	CHECK_STR("what may not be seen is not in it", news(f), STR("v1 revision, v1 published"));
	CHANGE(f, store_api_delete(f->s, v1.id, &f->err));
	CHECK_STR("deleted", news(f), STR(""));
	check_done();
}

/* ---- the life of an API ------------------------------------------------------------------------------------------------ */

static void dates(void **state)
{
	struct fixture *f = *state;
	struct store_api api;
	int64_t now = clock_wall_us();
	bool found;

	add_api(f, "a", "A", "", STORE_API_PUBLISHED);
	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	api.sunset_us = now + day_us;
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("a sunset of what is current", store_api_update(f->s, &api, &f->err).code, GH_E_INVALID);
	store_tx_rollback(f->s);
	api.state = STORE_API_DEPRECATED;
	CHANGE(f, store_api_update(f->s, &api, &f->err));
	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	CHECK("deprecated now", api.deprecated_us >= now && api.deprecated_us <= clock_wall_us());
	CHECK_INT("until its sunset", store_api_state_at(&api, api.sunset_us - 1), STORE_API_DEPRECATED);
	CHECK_INT("from it on", store_api_state_at(&api, api.sunset_us), STORE_API_RETIRED);
	api.deprecated_us = api.sunset_us + 1;
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("sunset before deprecation", store_api_update(f->s, &api, &f->err).code, GH_E_INVALID);
	store_tx_rollback(f->s);
	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	api.sunset_us = now - day_us;
	CHANGE(f, store_api_update(f->s, &api, &f->err));
	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	CHECK_INT("a date that nobody chose gives way", api.deprecated_us, api.sunset_us);
	api.state = STORE_API_PUBLISHED;
	CHANGE(f, store_api_update(f->s, &api, &f->err));
	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	CHECK("taken back, without dates", api.deprecated_us == 0 && api.sunset_us == 0);
	check_done();
}

static void add_person(struct fixture *f, const char *id, enum store_user_state state, const char *product, const char *api,
		       enum store_subscription_state sub_state)
{
	const struct store_user u = { .id = str_of(id), .email = arena_printf(f->a, "%.*s@example.com", STR_ARG(str_of(id))), .role = STR_INIT("developer"),
				      .state = (int64_t)state };
	struct store_subscription sub = { .name = str_of(id), .scope = product ? STORE_SCOPE_PRODUCT : STORE_SCOPE_API,
					  .product_id = str_of(product), .api_id = str_of(api), .user_id = u.id, .state = (int64_t)sub_state };

	CHANGE(f, store_user_create(f->s, f->a, &u, NULL, &f->err));
	CHANGE(f, store_subscription_create(f->s, f->a, &sub, NULL, NULL, NULL, &f->err));
}

static size_t tell(struct fixture *f, enum store_api_state state, int64_t sunset_us)
{
	struct store_api api;
	size_t told = 99;
	bool found;

	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	api.state = (int64_t)state;
	api.sunset_us = sunset_us;
	CHANGE(f, store_api_change(f->s, f->a, &api, STR("https://apis.example.com/"), &told, &f->err));
	return told;
}

static void mails(void **state)
{
	const struct store_product p = { .id = STR_INIT("p"), .name = STR_INIT("P"), .state = STORE_PRODUCT_PUBLISHED };
	int64_t later = clock_wall_us() + 100 * day_us;
	struct fixture *f = *state;
	struct store_mail *queue;
	bool takes;
	size_t n;

	add_api(f, "a", "A", "", STORE_API_PUBLISHED);
	CHANGE(f, store_product_create(f->s, &p, &f->err));
	CHECK_OK(f, store_product_takes_subscriptions(f->s, p.id, &takes, &f->err));
	CHECK("a product without APIs", takes);
	CHANGE(f, store_product_add_api(f->s, p.id, STR("a"), &f->err));
	add_person(f, "pat", STORE_USER_ACTIVE, "p", NULL, STORE_SUB_ACTIVE);
	add_person(f, "sue", STORE_USER_ACTIVE, NULL, "a", STORE_SUB_SUSPENDED);
	add_person(f, "gone", STORE_USER_ACTIVE, "p", NULL, STORE_SUB_CANCELLED);
	add_person(f, "blocked", STORE_USER_BLOCKED, "p", NULL, STORE_SUB_ACTIVE);
	CHECK_INT("nothing happened", tell(f, STORE_API_PUBLISHED, 0), 0);
	CHECK_INT("deprecated: each subscriber", tell(f, STORE_API_DEPRECATED, later), 2);
	CHECK_INT("the same again", tell(f, STORE_API_DEPRECATED, later), 0);
	CHECK_INT("another date", tell(f, STORE_API_DEPRECATED, later + day_us), 2);
	CHECK_OK(f, store_mails(f->s, f->a, &(struct store_mail_filter){ .state = -1 }, &queue, &n, &f->err));
	CHECK_INT("in the queue", n, 4);
	CHECK_STR("template", queue[0].template, STR("deprecated"));
	CHECK_OK(f, store_product_takes_subscriptions(f->s, p.id, &takes, &f->err));
	CHECK("all of its APIs go", !takes);
	add_api(f, "b", "B", "", STORE_API_PUBLISHED);
	CHANGE(f, store_product_add_api(f->s, p.id, STR("b"), &f->err));
	CHECK_OK(f, store_product_takes_subscriptions(f->s, p.id, &takes, &f->err));
	CHECK("one stays", takes);
	CHECK_INT("retired", tell(f, STORE_API_RETIRED, 0), 0);
	check_done();
}

/* The mail names the newest published version, and finds it among many APIs. */
static void successor(void **state)
{
	static const char many[] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO api (id,"
				   " environment_id, path, name, description, version, subscription_required, state, created_us, changed_us)"
				   " SELECT 'x' || i, 'default', 'x' || i, 'X', hex(zeroblob(500)), '', 0, 1, 0, 0 FROM n;"
				   "INSERT INTO api_revision (api_id, revision, is_current, description, created_us)"
				   " SELECT id, 1, 1, '', 0 FROM api WHERE name = 'X';"
				   "INSERT INTO version_set (id, name, description, scheme) VALUES ('s', 'S', '', 'segment');"
				   "UPDATE api SET version_set_id = 's', version = id, created_us = unicode(id) WHERE id IN ('a', 'b', 'c', 'd')";
	struct arena *small = arena_new(256 * 1024);
	struct fixture *f = *state;
	struct store_api api;
	struct store_mail mail;
	size_t told;
	bool found;

	add_api(f, "a", "A", "", STORE_API_PUBLISHED);
	add_api(f, "c", "C", "", STORE_API_PUBLISHED);
	add_api(f, "b", "B", "", STORE_API_PUBLISHED);
	add_api(f, "d", "D", "", STORE_API_PREVIEW);
	assert_int_equal(sqlite3_exec(f->s->db, many, NULL, NULL, NULL), SQLITE_OK);
	add_person(f, "pat", STORE_USER_ACTIVE, NULL, "a", STORE_SUB_ACTIVE);
	CHECK_OK(f, store_api_find(f->s, f->a, STR("a"), 0, &api, &found, &f->err));
	api.state = STORE_API_DEPRECATED;
	CHANGE(f, store_api_change(f->s, small, &api, STR(""), &told, &f->err));
	CHECK_OK(f, store_mail_take(f->s, f->a, clock_wall_us(), &mail, &found, &f->err));
	CHECK("a mail that leads to the newest", found && str_find(mail.data, STR("\"C c\"")) != SIZE_MAX);
	arena_free(small);
	check_done();
}

/* ---- a store of an older program ----------------------------------------------------------------------------------------- */

/* A folder with a configuration as it was before the catalog. */
static void older_store(struct fixture *f, const char *dir, const char *rows)
{
	char path[100];
	sqlite3 *db;
	size_t n = 0;

	while (n < ARRAY_LEN(migrations) && (strcmp(migrations[n].file, "config") != 0 || migrations[n].number < 13))
		n++;
	CHECK_OK(f, migrate_file(dir, "config", migrations, n, &f->err));
	snprintf(path, sizeof(path), "%s/config.db", dir);
	CHECK_INT("open", sqlite3_open(path, &db), SQLITE_OK);
	CHECK_INT("rows", sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void upgraded(void **state)
{
	static const char rows[] =
		"INSERT INTO api VALUES ('old', 'default', 'old', 'Ancient', 'From before', NULL, '', NULL, NULL, 1, 2, 1000000, 2000000);"
		"INSERT INTO api_revision VALUES ('old', 1, 0, NULL, NULL, '', 0), ('old', 2, 1, NULL, NULL, '', 0);"
		"INSERT INTO operation VALUES ('old', 1, 'x', 'GET', '/past', 'Buried', '', 0), ('old', 2, 'x', 'GET', '/x', 'Alive', '', 0);"
		"INSERT INTO product VALUES ('p', 'Relic', '', '', 'default', 1, 0, 1, 0, 0);";
	struct fixture *f = *state, older = { .a = f->a };
	struct store_api api;
	bool found;

	snprintf(older.dir, sizeof(older.dir), "/tmp/gatehouse-old-XXXXXX");
	assert_non_null(mkdtemp(older.dir));
	older_store(f, older.dir, rows);
	CHECK_OK(f, store_open(&older.s, older.dir, STORE_CREATE, &f->err));
	CHECK_INT("API", count(&older, "ancient"), 1);
	CHECK_INT("operation of the current revision", count(&older, "alive"), 100);
	CHECK_INT("of another one", count(&older, "buried"), 0);
	CHECK_INT("product", count(&older, "relic"), 10000);
	CHECK_STR("what is new", news(&older), STR("old deprecated, old published"));
	CHECK_OK(f, store_api_find(older.s, f->a, STR("old"), 0, &api, &found, &f->err));
	CHECK_INT("deprecated when it was changed last", api.deprecated_us, 2000000);
	set_operations(&older, "old", 2, "y", "Kicking", NULL);
	CHECK_INT("a change behind it", count(&older, "kicking"), 100);
	CHECK_INT("and what it replaced", count(&older, "alive"), 0);
	store_free(older.s);
	nftw(older.dir, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	check_done();
}

/* A word that more things have than are ranked: those that have it in their names come first, none is there twice, and what is rare
 * is ranked as ever. */
static void common(void **state)
{
	enum { MANY = STORE_SEARCH_RANKED + 200, NAMED = 3, LIMIT = 8 };
	struct store_operation *ops = arena_alloc(((struct fixture *)*state)->a, MANY, sizeof(*ops));
	const struct store_catalog_filter all = { .state = -1, .now_us = clock_wall_us() };
	struct store_catalog_operation *found;
	struct fixture *f = *state;
	size_t n, twice = 0;

	add_api(f, "orders", "Orders", "", STORE_API_PUBLISHED);
	for (size_t i = 0; i < MANY; i++)
		ops[i] = (struct store_operation){ .id = arena_printf(f->a, "op-%zu", i), .method = STR("GET"), .uri_template = arena_printf(f->a, "/%zu", i),
						   .name = i >= MANY - NAMED ? STR("Common thing") : STR("Thing"),
						   .description = i == 7 ? STR("common and singular") : STR("common") };
	CHANGE(f, store_operations_replace(f->s, STR("orders"), 1, ops, MANY, &f->err));
	CHECK_OK(f, store_catalog_find_operations(f->s, f->a, &all, store_catalog_query(f->a, STR("common")), LIMIT, &found, &n, &f->err));
	CHECK_INT("as many as asked for", n, LIMIT);
	for (size_t i = 0; i < n; i++) {
		bool named = str_find(found[i].name, STR("Common")) != SIZE_MAX;

		CHECK("names first", named == (i < NAMED));
		for (size_t k = 0; k < i; k++)
			twice += str_eq(found[i].id, found[k].id);
	}
	CHECK_INT("none twice", twice, 0);
	CHECK_OK(f, store_catalog_find_operations(f->s, f->a, &all, store_catalog_query(f->a, STR("common singular")), LIMIT, &found, &n, &f->err));
	CHECK("the rare one", n == 1 && str_eq(found[0].id, STR("op-7")));
	/* what is not ranked costs no look at all that match: the statement that ranks was not run for the common word */
	sqlite3_stmt_status(f->s->stmt[SQL_CATALOG_FIND_OPERATIONS], SQLITE_STMTSTATUS_RUN, 1);
	CHECK_OK(f, store_catalog_find_operations(f->s, f->a, &all, store_catalog_query(f->a, STR("thing")), LIMIT, &found, &n, &f->err));
	CHECK_INT("not ranked", sqlite3_stmt_status(f->s->stmt[SQL_CATALOG_FIND_OPERATIONS], SQLITE_STMTSTATUS_RUN, 0), 0);
	check_done();
}

/* What is found, in its order, as one text. */
static struct str order_of(struct fixture *f, const char *typed, size_t limit)
{
	const struct store_catalog_filter all = { .state = -1, .now_us = clock_wall_us() };
	struct store_catalog_operation *found;
	struct str out = STR("");
	size_t n;

	CHECK_OK(f, store_catalog_find_operations(f->s, f->a, &all, store_catalog_query(f->a, str_of(typed)), limit, &found, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		out = arena_printf(f->a, "%.*s %.*s", STR_ARG(out), STR_ARG(found[i].id));
	return out;
}

/* Neither which things are found nor in what order tells of things that may not be seen, however many there are. */
static void hidden(void **state)
{
	enum { MANY = STORE_SEARCH_RANKED + 200 };
	static const struct store_operation own[] = {
		{ .id = STR_INIT("described"), .method = STR_INIT("GET"), .uri_template = STR_INIT("/1"), .name = STR_INIT("One"), .description = STR_INIT("common seldom seldom") },
		{ .id = STR_INIT("often"), .method = STR_INIT("GET"), .uri_template = STR_INIT("/2"), .name = STR_INIT("Two"), .description = STR_INIT("common common common seldom") },
		{ .id = STR_INIT("named"), .method = STR_INIT("GET"), .uri_template = STR_INIT("/3"), .name = STR_INIT("Common and seldom"), .description = STR_INIT("x") },
	};
	struct fixture *f = *state;
	struct store_operation *ops = arena_alloc(f->a, MANY, sizeof(*ops));
	struct str both, one;

	add_api(f, "orders", "Orders", "", STORE_API_PUBLISHED);
	CHANGE(f, store_operations_replace(f->s, STR("orders"), 1, own, ARRAY_LEN(own), &f->err));
	both = order_of(f, "common seldom", 8);
	one = order_of(f, "common", 8);
	CHECK("names first", str_starts(both, STR(" named")) && str_starts(one, STR(" named")));
	add_api(f, "planned", "Planned", "", STORE_API_DRAFT);
	for (size_t i = 0; i < MANY; i++)
		ops[i] = (struct store_operation){ .id = arena_printf(f->a, "op-%zu", i), .method = STR("GET"), .uri_template = arena_printf(f->a, "/%zu", i),
						   .name = STR("Common"), .description = STR("common common common, and long, very long, much longer than all others") };
	CHANGE(f, store_operations_replace(f->s, STR("planned"), 1, ops, MANY, &f->err));
	CHECK_STR("two words", order_of(f, "common seldom", 8), both);
	sqlite3_stmt_status(f->s->stmt[SQL_CATALOG_FIND_OPERATIONS_PLAIN], SQLITE_STMTSTATUS_RUN, 1);
	CHECK_STR("one word", order_of(f, "common", 8), one);
	CHECK_INT("ranked as before", sqlite3_stmt_status(f->s->stmt[SQL_CATALOG_FIND_OPERATIONS_PLAIN], SQLITE_STMTSTATUS_RUN, 0), 0);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(queries), store_test(hidden), store_test(hostile),     store_test(follows), store_test(visibility),
					    store_test(filters), store_test(what_is_new), store_test(dates),   store_test(mails),
					    store_test(successor), store_test(upgraded), store_test(common),    store_test(descriptions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
