/* The typed functions, subject by subject: what is written is read back, what may not be is refused with a message that a
 * person can act on. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "db/apis.h"
#include "db/audit.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/environments.h"
#include "db/named_values.h"
#include "db/policies.h"
#include "db/products.h"
#include "db/sessions.h"
#include "db/subscriptions.h"
#include "db/tiers.h"
#include "db/users.h"

/* One change that must be refused. */
#define REFUSED(f, label, call, want, text)                                                               \
	do {                                                                                              \
		CHECK_OK(f, store_tx_begin((f)->s, STR("test"), &(f)->err));                              \
		CHECK_INT(label, (call).code, want);                                                      \
		CHECK_STR(label, str_of((f)->err.message), STR(text));                                    \
		store_tx_rollback((f)->s);                                                                \
	} while (0)

static void environments(void **state)
{
	struct fixture *f = *state;
	struct store_environment e = { .id = STR("sandbox"), .name = STR("Sandbox"), .business_group_id = STR("default"),
				       .host = STR("sandbox.example.com"), .kind = STR("sandbox") }, *all, got;
	struct store_business_group team = { .id = STR("team"), .name = STR("Team"), .parent_id = STR("default") }, *groups;
	bool found;
	size_t n;

	CHANGE(f, store_environment_create(f->s, &e, &f->err));
	CHECK_OK(f, store_environments(f->s, f->a, &all, &n, &f->err));
	CHECK_INT("with the one that is always there", n, 2);
	CHECK("that one has neither host nor prefix", !all[0].host.p && !all[0].path_prefix.p);
	CHECK_OK(f, store_environment_find(f->s, f->a, e.id, &got, &found, &f->err));
	CHECK_STR("host", got.host, e.host);
	e.id = STR("other");
	REFUSED(f, "same host", store_environment_create(f->s, &e, &f->err), GH_E_CONFLICT,
		"environment 'other': another one has the same host and path prefix");
	e.host = STR("UPPER.example.com");
	REFUSED(f, "upper case", store_environment_create(f->s, &e, &f->err), GH_E_INVALID,
		"environment 'other': host 'UPPER.example.com' must be a lower-case host name");
	e.id = STR("sandbox"), e.host = STR("b.example.com");
	REFUSED(f, "same id", store_environment_create(f->s, &e, &f->err), GH_E_CONFLICT,
		"environment 'sandbox' is there already");
	e.id = STR("other"), e.host = STR_NULL;
	e.path_prefix = STR("/x");
	REFUSED(f, "slash", store_environment_create(f->s, &e, &f->err), GH_E_INVALID,
		"environment 'other': path prefix '/x' must have no slash at its ends");
	REFUSED(f, "not there", store_environment_delete(f->s, STR("nope"), &f->err), GH_E_NOT_FOUND,
		"there is no environment 'nope'");
	CHANGE(f, store_business_group_create(f->s, &team, &f->err));
	CHECK_OK(f, store_business_groups(f->s, f->a, &groups, &n, &f->err));
	CHECK_INT("groups", n, 2);
	CHECK_STR("parent", groups[1].parent_id, STR("default"));
	REFUSED(f, "in use", store_business_group_delete(f->s, STR("default"), &f->err), GH_E_CONFLICT,
		"business group 'default' is in use");
	check_done();
}

static struct store_api api(struct str id, struct str path)
{
	return (struct store_api){ .id = id, .environment_id = STR("default"), .path = path, .name = id,
				   .state = STORE_API_PUBLISHED, .backend_url = STR("http://b.example/") };
}

static void apis_and_versions(void **state)
{
	struct fixture *f = *state;
	struct store_version_set set = { .id = STR("orders"), .name = STR("Orders"), .scheme = STR("header"),
					 .parameter = STR("Api-Version") }, *sets;
	struct store_api v1 = api(STR("orders-v1"), STR("orders")), v2 = api(STR("orders-v2"), STR("orders")), got, *all;
	struct store_page page = { .search = STR("V2") };
	bool found;
	size_t n;

	v1.version_set_id = v2.version_set_id = set.id;
	v1.version = STR("v1"), v2.version = STR("v2");
	v2.key_header = STR("X-Key");
	CHANGE(f, store_version_set_create(f->s, &set, &f->err));
	CHANGE(f, store_api_create(f->s, &v1, &f->err));
	CHANGE(f, store_api_create(f->s, &v2, &f->err));
	CHECK_OK(f, store_version_sets(f->s, f->a, &sets, &n, &f->err));
	CHECK_INT("sets", n, 1);
	CHECK_OK(f, store_api_find_path(f->s, f->a, STR("default"), STR("orders"), STR("v2"), &got, &found, &f->err));
	CHECK("by path and version", found);
	CHECK_STR("key header", got.key_header, STR("X-Key"));
	CHECK("a name that is not given", !got.key_query.p);
	CHECK("dates", got.created_us > 0 && got.changed_us == got.created_us);
	CHECK_OK(f, store_apis(f->s, f->a, &page, &all, &n, &f->err));
	CHECK_INT("searched without case", n, 1);
	page = (struct store_page){ .offset = 1, .limit = 5 };
	CHECK_OK(f, store_apis(f->s, f->a, &page, &all, &n, &f->err));
	CHECK_INT("second page", n, 1);
	CHECK_STR("second page", all[0].id, STR("orders-v2"));
	page = (struct store_page){ .search = STR("%") };
	CHECK_OK(f, store_apis(f->s, f->a, &page, &all, &n, &f->err));
	CHECK_INT("% is no wildcard", n, 0);
	v2.id = STR("other");
	REFUSED(f, "same place", store_api_create(f->s, &v2, &f->err), GH_E_CONFLICT,
		"API 'other': another one has the same environment_id, path, version");
	v2 = api(STR("a/b"), STR("x"));
	REFUSED(f, "id", store_api_create(f->s, &v2, &f->err), GH_E_INVALID,
		"API 'a/b': an id is not empty and holds neither ';' nor '/'");
	v2 = api(STR("x"), STR("/x"));
	REFUSED(f, "path", store_api_create(f->s, &v2, &f->err), GH_E_INVALID, "API 'x': path '/x' must have no slash at its ends");
	v2 = api(STR("x"), STR("x"));
	v2.backend_id = STR("b");
	REFUSED(f, "two backends", store_api_create(f->s, &v2, &f->err), GH_E_INVALID,
		"API 'x' names a backend by URL and by id; give one");
	v2.backend_url = STR_NULL;
	REFUSED(f, "no such backend", store_api_create(f->s, &v2, &f->err), GH_E_CONFLICT,
		"API 'x' refers to something that is not there");
	set.parameter = STR_NULL;
	REFUSED(f, "constraint", store_version_set_update(f->s, &set, &f->err), GH_E_INVALID,
		"version set 'orders': a header or query scheme names its parameter");
	check_done();
}

static void revisions(void **state)
{
	struct fixture *f = *state;
	struct store_api one = api(STR("a"), STR("a")), got, *all;
	struct store_api_document doc = { .api_id = STR("a"), .media_type = STR("application/json"),
					  .bytes = STR("{\"a\":\0 1}") }, read;
	int64_t number = 0;
	bool found;
	size_t n;

	CHANGE(f, store_api_create(f->s, &one, &f->err));
	CHANGE(f, store_api_document_set(f->s, &doc, &f->err));
	CHANGE(f, store_revision_create(f->s, one.id, 0, STR("try"), &number, &f->err));
	one.revision = 2;
	one.backend_url = STR("http://new.example/");
	CHANGE(f, store_api_update(f->s, &one, &f->err));
	CHECK_OK(f, store_api_find(f->s, f->a, one.id, 1, &got, &found, &f->err));
	CHECK_STR("the first keeps its backend", got.backend_url, STR("http://b.example/"));
	CHECK_OK(f, store_api_find(f->s, f->a, one.id, 2, &got, &found, &f->err));
	CHECK_STR("the second has its own", got.backend_url, STR("http://new.example/"));
	CHECK_OK(f, store_api_document_find(f->s, f->a, one.id, 2, &read, &found, &f->err));
	CHECK_STR("description, byte for byte", read.bytes, doc.bytes);
	CHECK_OK(f, store_api_revisions(f->s, f->a, &all, &n, &f->err));
	CHECK_INT("both", n, 2);
	CHECK_OK(f, store_apis(f->s, f->a, NULL, &all, &n, &f->err));
	CHECK_INT("one API", n, 1);
	REFUSED(f, "current", store_revision_delete(f->s, one.id, 1, &f->err), GH_E_CONFLICT,
		"revision 1 of API 'a' is current; make another one current first");
	REFUSED(f, "no such number", store_revision_make_current(f->s, one.id, 7, &f->err), GH_E_NOT_FOUND,
		"there is no revision 'a;rev=7'");
	CHANGE(f, store_revision_make_current(f->s, one.id, 2, &f->err));
	CHANGE(f, store_revision_delete(f->s, one.id, 1, &f->err));
	CHANGE(f, store_revision_create(f->s, one.id, 2, STR(""), &number, &f->err));
	CHECK_INT("a number is not used again while a later one stands", number, 3);
	check_done();
}

static void products_and_tiers(void **state)
{
	struct fixture *f = *state;
	struct store_product p = { .id = STR("gold"), .name = STR("Gold"), .approval = STORE_APPROVAL_MANUAL,
				   .subscription_required = true, .state = STORE_PRODUCT_PUBLISHED }, *all, got;
	struct store_tier t = { .id = STR("gold-1"), .product_id = STR("gold"), .name = STR("One") }, *tiers;
	struct store_api one = api(STR("a"), STR("a")), *apis;
	struct store_product_api *links;
	struct str *groups;
	bool found;
	size_t n;

	CHANGE(f, store_product_create(f->s, &p, &f->err));
	CHANGE(f, store_api_create(f->s, &one, &f->err));
	CHANGE(f, store_product_add_api(f->s, p.id, one.id, &f->err));
	CHANGE(f, store_product_add_api(f->s, p.id, one.id, &f->err));
	CHECK_OK(f, store_product_apis(f->s, f->a, &links, &n, &f->err));
	CHECK_INT("again is fine", n, 1);
	CHECK_OK(f, store_apis_of_product(f->s, f->a, p.id, NULL, &apis, &n, &f->err));
	CHECK_INT("APIs of the product", n, 1);
	CHECK_OK(f, store_products_of_api(f->s, f->a, one.id, &all, &n, &f->err));
	CHECK_INT("products of the API", n, 1);
	CHANGE(f, store_product_remove_api(f->s, p.id, one.id, &f->err));
	CHECK_OK(f, store_product_apis(f->s, f->a, &links, &n, &f->err));
	CHECK_INT("taken out", n, 0);
	CHANGE(f, store_product_add_group(f->s, p.id, STR("developers"), &f->err));
	CHECK_OK(f, store_product_groups(f->s, f->a, p.id, &groups, &n, &f->err));
	CHECK_INT("groups", n, 1);
	CHECK_STR("groups", groups[0], STR("developers"));
	CHANGE(f, store_tier_create(f->s, &t, &f->err));
	t.deprecated = true;
	CHANGE(f, store_tier_update(f->s, &t, &f->err));
	CHECK_OK(f, store_tiers(f->s, f->a, STR_NULL, &tiers, &n, &f->err));
	CHECK("tier", n == 1 && tiers[0].deprecated);
	p.name = STR("Golden");
	CHANGE(f, store_product_update(f->s, &p, &f->err));
	CHECK_OK(f, store_product_find(f->s, f->a, p.id, &got, &found, &f->err));
	CHECK_STR("renamed", got.name, STR("Golden"));
	CHECK_INT("manual", got.approval, STORE_APPROVAL_MANUAL);
	CHANGE(f, store_product_delete(f->s, p.id, &f->err));
	CHECK_OK(f, store_tiers(f->s, f->a, STR_NULL, &tiers, &n, &f->err));
	CHECK_INT("its tiers went with it", n, 0);
	p.id = STR("a b");
	REFUSED(f, "blank", store_product_create(f->s, &p, &f->err), GH_E_INVALID,
		"product 'a b': an id holds no blank, '/' or ';'");
	check_done();
}

static void users_groups_applications(void **state)
{
	struct fixture *f = *state;
	struct store_user u = { .email = STR("Ann@Example.com"), .first_name = STR("Ann"), .state = STORE_USER_ACTIVE,
				.password_hash = STR("$argon2id$x") }, got, *members;
	struct store_application app = { .name = STR("Planner") }, *apps;
	struct store_group *groups;
	struct str id, app_id;
	bool found;
	size_t n;

	CHANGE(f, store_user_create(f->s, f->a, &u, &id, &f->err));
	CHECK_OK(f, store_user_find_email(f->s, f->a, STR("ann@example.COM"), &got, &found, &f->err));
	CHECK("found without case", found && str_eq(got.id, id));
	CHECK_STR("role", got.role, STR("developer"));
	u.email = STR("ANN@example.com");
	REFUSED(f, "taken", store_user_create(f->s, f->a, &u, NULL, &f->err), GH_E_CONFLICT,
		"user 'ANN@example.com': another one has the same e-mail address");
	u.email = STR("ann");
	REFUSED(f, "no address", store_user_create(f->s, f->a, &u, NULL, &f->err), GH_E_INVALID, "'ann' is no e-mail address");
	CHANGE(f, store_group_add(f->s, STR("developers"), id, &f->err));
	CHANGE(f, store_group_add(f->s, STR("developers"), id, &f->err));
	CHECK_OK(f, store_groups_of_user(f->s, f->a, id, &groups, &n, &f->err));
	CHECK_INT("member once", n, 1);
	CHECK_OK(f, store_users_of_group(f->s, f->a, STR("developers"), &members, &n, &f->err));
	CHECK_INT("members", n, 1);
	REFUSED(f, "built in", store_group_delete(f->s, STR("developers"), &f->err), GH_E_NOT_FOUND,
		"there is no group 'developers' that may be deleted");
	CHANGE(f, store_application_create(f->s, f->a, &app, id, &app_id, &f->err));
	CHECK_OK(f, store_applications_of_user(f->s, f->a, id, &apps, &n, &f->err));
	CHECK("owner", n == 1 && str_eq(apps[0].id, app_id));
	got.role = STR("king");
	got.id = id;
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("role", store_user_update(f->s, &got, &f->err).code, GH_E_INVALID);
	CHECK("the message is a sentence", strstr(f->err.message, ": a role is administrator, operator") != NULL);
	store_tx_rollback(f->s);
	CHANGE(f, store_user_set_password(f->s, id, STR("$argon2id$y"), &f->err));
	CHECK_OK(f, store_user_find(f->s, f->a, id, &got, &found, &f->err));
	CHECK_STR("new hash", got.password_hash, STR("$argon2id$y"));
	CHANGE(f, store_user_signed_in(f->s, id, 123, &f->err));
	CHANGE(f, store_user_delete(f->s, id, &f->err));
	CHECK_OK(f, store_applications_of_user(f->s, f->a, id, &apps, &n, &f->err));
	CHECK_INT("no longer owner", n, 0);
	check_done();
}

static void subscriptions_by_filter(void **state)
{
	struct fixture *f = *state;
	struct store_product p = { .id = STR("gold"), .name = STR("Gold") };
	struct store_api one = api(STR("a"), STR("a"));
	struct store_subscription subs[] = {
		{ .id = STR("s1"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("gold"), .state = STORE_SUB_ACTIVE },
		{ .id = STR("s2"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("gold"), .state = STORE_SUB_SUBMITTED },
		{ .id = STR("s3"), .scope = STORE_SCOPE_API, .api_id = STR("a"), .state = STORE_SUB_ACTIVE },
		{ .id = STR("s4"), .scope = STORE_SCOPE_ALL_APIS, .state = STORE_SUB_ACTIVE },
	}, *got;
	static const struct {
		const char *label;
		struct store_subscription_filter filter;
		int64_t want;
	} rows[] = {
		{ "all", { .state = -1 }, 4 },
		{ "of the product", { .product_id = STR_INIT("gold"), .state = -1 }, 2 },
		{ "waiting", { .product_id = STR_INIT("gold"), .state = STORE_SUB_SUBMITTED }, 1 },
		{ "of the API", { .api_id = STR_INIT("a"), .state = -1 }, 1 },
		{ "of nobody's", { .user_id = STR_INIT("nobody"), .state = -1 }, 0 },
		{ "of no application", { .application_id = STR_INIT("none"), .state = -1 }, 0 },
		{ "two conditions", { .product_id = STR_INIT("gold"), .api_id = STR_INIT("a"), .state = -1 }, 0 },
	};
	struct store_subscription wrong = { .id = STR("s5"), .scope = STORE_SCOPE_PRODUCT, .api_id = STR("a") };
	struct store_keys known = { .primary = STR("0123456789abcdef"), .secondary = STR("fedcba9876543210") }, prefixes;
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct store_access access;
	int64_t count;
	bool found;
	size_t n;

	CHANGE(f, store_product_create(f->s, &p, &f->err));
	CHANGE(f, store_api_create(f->s, &one, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(subs); i++)
		CHANGE(f, store_subscription_create(f->s, f->a, &subs[i], i ? NULL : &known, NULL, NULL, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_OK(f, store_subscriptions(f->s, f->a, &rows[i].filter, NULL, &got, &n, &f->err));
		CHECK_INT(rows[i].label, n, rows[i].want);
		CHECK_OK(f, store_subscriptions_count(f->s, &rows[i].filter, &count, &f->err));
		CHECK_INT(rows[i].label, count, rows[i].want);
	}
	CHECK_OK(f, store_subscription_prefixes(f->s, f->a, STR("s1"), &prefixes, &f->err));
	CHECK_STR("prefix", prefixes.secondary, STR("fedcba"));
	CHECK_OK(f, store_subscription_keys(f->s, f->a, STR("s1"), &prefixes, &f->err));
	CHECK_STR("kept", prefixes.primary, known.primary);
	CHANGE(f, store_keys_forget(f->s, STR("s1"), &f->err));
	CHECK_OK(f, store_subscription_keys(f->s, f->a, STR("s1"), &prefixes, &f->err));
	CHECK("forgotten", !prefixes.primary.n && !prefixes.secondary.n);
	crypto_sha256(known.primary, digest);
	CHECK_OK(f, store_access_find(f->s, f->a, digest, &access, &found, &f->err));
	CHECK("found as before", found);
	REFUSED(f, "scope", store_subscription_create(f->s, f->a, &wrong, NULL, NULL, NULL, &f->err), GH_E_INVALID,
		"subscription 's5': a subscription names what its scope says");
	wrong.scope = STORE_SCOPE_API;
	REFUSED(f, "key in use", store_subscription_create(f->s, f->a, &wrong, &known, NULL, NULL, &f->err), GH_E_CONFLICT,
		"the key is in use by another subscription, or there is no subscription 's5'");
	known.primary = STR("short");
	REFUSED(f, "short key", store_subscription_create(f->s, f->a, &wrong, &known, NULL, NULL, &f->err), GH_E_INVALID,
		"a subscription key has 16 to 256 characters");
	CHANGE(f, store_subscription_set_state(f->s, STR("s2"), STORE_SUB_REJECTED, STR("no"), &f->err));
	CHANGE(f, store_subscription_delete(f->s, STR("s3"), &f->err));
	CHANGE(f, store_api_delete(f->s, STR("a"), &f->err));
	check_done();
}

static void key_of(size_t i, char out[STORE_KEY_MAX + 1], void *arg UNUSED)
{
	snprintf(out, STORE_KEY_MAX + 1, "bulk-key-%08zu", i);
}

static void subscriptions_in_bulk(void **state)
{
	struct fixture *f = *state;
	struct store_product p = { .id = STR("gold"), .name = STR("Gold") };
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct store_access access;
	struct store_keys keys;
	bool found;

	CHANGE(f, store_product_create(f->s, &p, &f->err));
	CHECK_OK(f, store_subscriptions_bulk(f->s, STR("test"), p.id, 2000, "b", key_of, NULL, &f->err));
	crypto_sha256(STR("bulk-key-00001234"), digest);
	CHECK_OK(f, store_access_find(f->s, f->a, digest, &access, &found, &f->err));
	CHECK("found", found);
	CHECK_STR("the right one", access.subscription.id, STR("b0001234"));
	CHECK_OK(f, store_subscription_keys(f->s, f->a, access.subscription.id, &keys, &f->err));
	CHECK_STR("sealed as others are", keys.primary, STR("bulk-key-00001234"));
	CHECK_INT("a second time", store_subscriptions_bulk(f->s, STR("test"), p.id, 10, "b", key_of, NULL, &f->err).code,
		  GH_E_CONFLICT);
	CHECK_OK(f, store_access_find(f->s, f->a, digest, &access, &found, &f->err));
	CHECK("a failure changes nothing", found);
	check_done();
}

static void policies_and_fragments(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t kind, revision;
		struct str api, operation;
	} rows[] = {
		{ "global", true, STORE_POLICY_GLOBAL, 0, { NULL, 0 }, { NULL, 0 } },
		{ "workspace:team", true, STORE_POLICY_WORKSPACE, 0, { NULL, 0 }, { NULL, 0 } },
		{ "environment:live", true, STORE_POLICY_ENVIRONMENT, 0, { NULL, 0 }, { NULL, 0 } },
		{ "environment:", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "product:gold", true, STORE_POLICY_PRODUCT, 0, { NULL, 0 }, { NULL, 0 } },
		{ "api:a", true, STORE_POLICY_API, 0, STR_INIT("a"), { NULL, 0 } },
		{ "api:a;rev=2", true, STORE_POLICY_API, 2, STR_INIT("a"), { NULL, 0 } },
		{ "operation:a/get", true, STORE_POLICY_OPERATION, 0, STR_INIT("a"), STR_INIT("get") },
		{ "operation:a;rev=3/get", true, STORE_POLICY_OPERATION, 3, STR_INIT("a"), STR_INIT("get") },
		{ "", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "global:", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "product:", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "product", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "api:;rev=1", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "api:a;rev=0", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "api:a;rev=x", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "operation:a", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "operation:a/", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
		{ "operation:/get", false, 0, 0, { NULL, 0 }, { NULL, 0 } },
	};
	struct fixture *f = *state;
	struct store_policy_scope scope, global = { .kind = STORE_POLICY_GLOBAL };
	struct store_fragment fragment = { .id = STR("auth"), .bytes = STR("<fragment/>") }, got;
	struct store_policy *all;
	struct str bytes;
	bool found;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].text, store_policy_scope_parse(str_of(rows[i].text), &scope, &f->err).code,
			  rows[i].ok ? GH_OK : GH_E_SYNTAX);
		if (!rows[i].ok)
			continue;
		CHECK_INT(rows[i].text, scope.kind, rows[i].kind);
		CHECK_INT(rows[i].text, scope.revision, rows[i].revision);
		CHECK_STR(rows[i].text, scope.api_id, rows[i].api);
		CHECK_STR(rows[i].text, scope.operation_id, rows[i].operation);
	}
	CHANGE(f, store_policy_set(f->s, &global, STR("<policies>1</policies>"), &f->err));
	CHANGE(f, store_policy_set(f->s, &global, STR("<policies>2</policies>"), &f->err));
	CHECK_OK(f, store_policies(f->s, f->a, &all, &n, &f->err));
	CHECK_INT("one document a place", n, 1);
	CHECK_STR("the newer one", all[0].bytes, STR("<policies>2</policies>"));
	CHECK_OK(f, store_policy_scope_parse(STR("product:nope"), &scope, &f->err));
	REFUSED(f, "no such product", store_policy_set(f->s, &scope, STR("x"), &f->err), GH_E_NOT_FOUND,
		"scope product:nope: there is no such environment, product, API, revision or operation");
	CHECK_OK(f, store_policy_scope_parse(STR("api:nope"), &scope, &f->err));
	REFUSED(f, "no such API", store_policy_set(f->s, &scope, STR("x"), &f->err), GH_E_NOT_FOUND, "there is no API 'nope'");
	CHECK_OK(f, store_policy_find(f->s, f->a, &scope, &bytes, &found, &f->err));
	CHECK("not there is an answer", !found);
	CHANGE(f, store_policy_unset(f->s, &global, &f->err));
	CHECK_OK(f, store_policy_find(f->s, f->a, &global, &bytes, &found, &f->err));
	CHECK("removed", !found);
	CHANGE(f, store_fragment_set(f->s, &fragment, &f->err));
	fragment.bytes = STR("<fragment>2</fragment>");
	CHANGE(f, store_fragment_set(f->s, &fragment, &f->err));
	CHECK_OK(f, store_fragment_find(f->s, f->a, fragment.id, &got, &found, &f->err));
	CHECK_STR("replaced", got.bytes, fragment.bytes);
	CHANGE(f, store_fragment_delete(f->s, fragment.id, &f->err));
	check_done();
}

static void backends_and_certificates(void **state)
{
	struct fixture *f = *state;
	struct store_backend b = { .id = STR("erp"), .name = STR("ERP"), .url = STR("https://erp.example/"), .verify_tls = true,
				   .credentials = STR("{\"header\":{\"X\":\"s3cret\"}}") }, got, *all;
	struct store_backend pool = { .id = STR("pool"), .name = STR("Pool"), .is_pool = true };
	struct store_pool_member members[] = { { .backend_id = STR("erp"), .weight = 3, .priority = 1 } }, *read;
	struct store_certificate c = { .id = STR("client"), .thumbprint = STR("AB"), .pem = STR("PEM"), .key_pem = STR("KEY") },
				 *certificates;
	bool found;
	size_t n;

	CHANGE(f, store_backend_create(f->s, &b, &f->err));
	CHANGE(f, store_backend_create(f->s, &pool, &f->err));
	CHANGE(f, store_pool_set(f->s, pool.id, members, 1, &f->err));
	CHECK_OK(f, store_pool_members(f->s, f->a, &read, &n, &f->err));
	CHECK("members", n == 1 && read[0].weight == 3);
	CHECK_OK(f, store_backend_find(f->s, f->a, b.id, false, &got, &found, &f->err));
	CHECK("credentials are not shown", found && !got.credentials.p);
	CHECK_OK(f, store_backends(f->s, f->a, true, &all, &n, &f->err));
	CHECK_STR("in clear", all[0].credentials, b.credentials);
	REFUSED(f, "in a pool", store_backend_delete(f->s, b.id, &f->err), GH_E_CONFLICT, "backend 'erp' is in use");
	pool.affinity_cookie = STR("gh_iap_okta");
	REFUSED(f, "a cookie of our own", store_backend_update(f->s, &pool, &f->err), GH_E_INVALID,
		"cookies whose names begin with gh_ are sessions of the gateway and the portal; a pool takes another name");
	pool.affinity_cookie = STR_NULL;
	pool.hash_on = STR("cookie:gh_iap_okta");
	REFUSED(f, "one to hash on", store_backend_update(f->s, &pool, &f->err), GH_E_INVALID,
		"cookies whose names begin with gh_ are sessions of the gateway and the portal; a pool takes another name");
	pool.hash_on = STR_NULL;
	pool.url = STR("http://x/");
	REFUSED(f, "a pool with a URL", store_backend_update(f->s, &pool, &f->err), GH_E_INVALID,
		"backend 'pool': a backend has a URL, a pool has none");
	CHANGE(f, store_certificate_set(f->s, &c, &f->err));
	CHECK_OK(f, store_certificates(f->s, f->a, false, &certificates, &n, &f->err));
	CHECK("key is not shown", n == 1 && !certificates[0].key_pem.p);
	CHECK_OK(f, store_certificates(f->s, f->a, true, &certificates, &n, &f->err));
	CHECK_STR("in clear", certificates[0].key_pem, c.key_pem);
	check_done();
}

static void values_and_settings(void **state)
{
	struct fixture *f = *state;
	struct store_named_value plain = { .id = STR("a.b-c_1"), .value = STR("") }, secret = { .id = STR("s"), .secret = true,
				.value = STR("hidden") }, *all;
	struct str value;
	bool found;
	size_t n;

	CHANGE(f, store_named_value_set(f->s, &plain, &f->err));
	CHANGE(f, store_named_value_set(f->s, &secret, &f->err));
	CHECK_OK(f, store_named_values(f->s, f->a, true, &all, &n, &f->err));
	CHECK("an empty value is a value", n == 2 && all[0].value.p && all[0].value.n == 0 && !all[0].secret);
	CHECK_STR("secret in clear", all[1].value, secret.value);
	secret.secret = false;
	CHANGE(f, store_named_value_set(f->s, &secret, &f->err));
	CHECK_OK(f, store_named_values(f->s, f->a, false, &all, &n, &f->err));
	CHECK_STR("no longer secret", all[1].value, secret.value);
	secret.id = STR("a b");
	REFUSED(f, "name", store_named_value_set(f->s, &secret, &f->err), GH_E_INVALID,
		"named value 'a b': a name consists of letters, digits, '.', '_' and '-'");
	CHANGE(f, store_setting_set(f->s, STR("portal.title"), STR("One"), &f->err));
	CHANGE(f, store_setting_set(f->s, STR("portal.title"), STR("Two"), &f->err));
	CHECK_OK(f, store_setting_get(f->s, f->a, STR("portal.title"), &value, &found, &f->err));
	CHECK_STR("setting", value, STR("Two"));
	CHANGE(f, store_setting_unset(f->s, STR("portal.title"), &f->err));
	check_done();
}

static void sessions_leave_no_trace(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_wall_us();
	struct store_session x = { .id = STR("abc"), .csrf = STR("t"), .created_us = now, .seen_us = now,
				   .ends_us = now + 3600 * 1000000LL }, old = { .id = STR("old"), .csrf = STR("t"), .ends_us = now - 1 },
			     got;
	uint64_t before[GENFILE__COUNT], after[GENFILE__COUNT];
	struct store_audit_entry *entries;
	bool found;
	size_t n;

	CHECK_OK(f, store_generation(f->s, before, &f->err));
	CHANGE(f, store_session_create(f->s, &x, &f->err));
	CHANGE(f, store_session_create(f->s, &old, &f->err));
	x.data = STR("note");
	CHANGE(f, store_session_update(f->s, &x, &f->err));
	CHECK_OK(f, store_session_find(f->s, f->a, x.id, &got, &found, &f->err));
	CHECK("found", found && str_eq(got.data, x.data));
	CHECK_OK(f, store_session_find(f->s, f->a, old.id, &got, &found, &f->err));
	CHECK("one that has ended is not there", !found);
	CHANGE(f, store_sessions_prune(f->s, &f->err));
	CHANGE(f, store_session_delete(f->s, x.id, &f->err));
	CHECK_OK(f, store_session_find(f->s, f->a, x.id, &got, &found, &f->err));
	CHECK("deleted", !found);
	CHECK_OK(f, store_generation(f->s, after, &f->err));
	CHECK("generation stays", memcmp(before, after, sizeof(before)) == 0);
	CHECK_OK(f, store_audit_list(f->s, f->a, NULL, &entries, &n, &f->err));
	CHECK_INT("no audit entry", n, 0);
	check_done();
}

static void the_state_is_that_of_the_configuration(void **state)
{
	static const struct {
		const char *action;
		bool differs;
	} rows[] = { { "sign-in-refused", false }, { "code-refused", false }, { "read", false }, { "update", true } };
	struct fixture *f = *state;
	struct str was, is;

	CHECK_OK(f, store_state(f->s, f->a, &was, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHANGE(f, store_audit_note(f->s, str_of(rows[i].action), STR("user"), STR("ann"), STR_NULL, &f->err));
		CHECK_OK(f, store_state(f->s, f->a, &is, &f->err));
		CHECK_INT(rows[i].action, !str_eq(was, is), rows[i].differs);
	}
	check_done();
}

static void the_trail_tells_what_was_written(void **state)
{
	struct fixture *f = *state;
	struct store_user u = { .email = STR("ann@example.com"), .password_hash = STR("$argon2id$secret") };
	struct store_named_value v = { .id = STR("erp"), .value = STR("s3cret"), .secret = true };
	struct store_page page = { .search = STR("user") };
	struct store_audit_entry *entries;
	size_t n;

	CHANGE(f, store_user_create(f->s, f->a, &u, NULL, &f->err));
	CHANGE(f, store_named_value_set(f->s, &v, &f->err));
	CHANGE(f, store_audit_note(f->s, STR("export"), STR("configuration"), STR("all"), STR("{\"files\":3}"), &f->err));
	CHECK_OK(f, store_audit_list(f->s, f->a, NULL, &entries, &n, &f->err));
	CHECK_INT("three entries", n, 3);
	CHECK_STR("newest first", entries[0].action, STR("export"));
	CHECK_STR("its detail", entries[0].detail, STR("{\"files\":3}"));
	CHECK_STR("actor", entries[2].actor, STR("test"));
	CHECK_INT("hash in hexadecimal", entries[0].hash.n, 64);
	CHECK("what was written", str_find(entries[2].detail, STR("\"email\":\"ann@example.com\"")) != SIZE_MAX);
	for (size_t i = 0; i < n; i++)
		CHECK("no secret", str_find(entries[i].detail, STR("s3cret")) == SIZE_MAX
					   && str_find(entries[i].detail, STR("argon2id")) == SIZE_MAX);
	CHECK_OK(f, store_audit_list(f->s, f->a, &page, &entries, &n, &f->err));
	CHECK_INT("searched", n, 1);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(environments),
		store_test(apis_and_versions),
		store_test(revisions),
		store_test(products_and_tiers),
		store_test(users_groups_applications),
		store_test(subscriptions_by_filter),
		store_test(subscriptions_in_bulk),
		store_test(policies_and_fragments),
		store_test(backends_and_certificates),
		store_test(values_and_settings),
		store_test(sessions_leave_no_trace),
		store_test(the_trail_tells_what_was_written),
		store_test(the_state_is_that_of_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
