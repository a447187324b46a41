/* Opening, statements, transactions, the generation, a first walk through the subjects. */
#include "tests/unit/db/fixture.h"

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
#include "db/users.h"

/* Opening prepares every statement of the tables against the schema, so a typo in one fails here. */
static void opens(void **state)
{
	struct fixture *f = *state;
	struct store *reader = NULL;

	CHECK_OK(f, store_open(&reader, f->dir, STORE_READ, &f->err));
	CHECK_INT("a reader may not write", store_tx_begin(reader, STR("x"), &f->err).code, GH_E_UNAVAILABLE);
	store_free(reader);
	check_done();
}

static void a_change_needs_a_transaction(void **state)
{
	struct fixture *f = *state;

	CHECK_INT("outside", store_setting_set(f->s, STR("a"), STR("b"), &f->err).code, GH_E_INTERNAL);
	check_done();
}

static void generation_rises(void **state)
{
	struct fixture *f = *state;
	uint64_t before[GENFILE__COUNT], after[GENFILE__COUNT];
	struct genfile *g = NULL;

	CHECK_OK(f, genfile_open(&g, f->dir, false, &f->err));
	CHECK_OK(f, store_generation(f->s, before, &f->err));
	CHECK_INT("published on opening", genfile_get(g, GENFILE_CONFIG), before[GENFILE_CONFIG]);
	CHANGE(f, store_setting_set(f->s, STR("a"), STR("b"), &f->err));
	CHECK_OK(f, store_generation(f->s, after, &f->err));
	CHECK_INT("configuration rises by one", after[GENFILE_CONFIG], before[GENFILE_CONFIG] + 1);
	CHECK_INT("access stays", after[GENFILE_ACCESS], before[GENFILE_ACCESS]);
	CHECK_INT("published on commit", genfile_get(g, GENFILE_CONFIG), after[GENFILE_CONFIG]);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_OK(f, store_setting_set(f->s, STR("a"), STR("c"), &f->err));
	store_tx_rollback(f->s);
	CHECK_OK(f, store_generation(f->s, before, &f->err));
	CHECK_INT("a rollback raises nothing", before[GENFILE_CONFIG], after[GENFILE_CONFIG]);
	genfile_free(g);
	check_done();
}

static void api_with_operations(void **state)
{
	struct fixture *f = *state;
	struct store_api api = { .id = STR("orders"), .environment_id = STR("default"), .path = STR("orders"),
				 .name = STR("Orders"), .subscription_required = true, .state = STORE_API_PUBLISHED,
				 .backend_url = STR("http://127.0.0.1:1/") };
	struct store_operation ops[] = {
		{ .id = STR("list"), .method = STR("GET"), .uri_template = STR("/orders"), .position = 0 },
		{ .id = STR("get"), .method = STR("GET"), .uri_template = STR("/orders/{id}"), .position = 1 },
	};
	struct store_policy_scope on_get = { .kind = STORE_POLICY_OPERATION, .api_id = STR("orders"), .operation_id = STR("get") };
	struct store_operation *got;
	struct store_api found_api;
	struct str bytes;
	int64_t revision = 0;
	bool found;
	size_t n;

	CHANGE(f, store_api_create(f->s, &api, &f->err));
	CHANGE(f, store_operations_replace(f->s, api.id, 0, ops, 2, &f->err));
	CHANGE(f, store_policy_set(f->s, &on_get, STR("<policies/>"), &f->err));
	CHANGE(f, store_operations_replace(f->s, api.id, 0, ops + 1, 1, &f->err));
	CHECK_OK(f, store_operations_of(f->s, f->a, api.id, 0, &got, &n, &f->err));
	CHECK_INT("one is left", n, 1);
	CHECK_OK(f, store_policy_find(f->s, f->a, &on_get, &bytes, &found, &f->err));
	CHECK("its policy stayed", found && str_eq(bytes, STR("<policies/>")));
	CHANGE(f, store_revision_create(f->s, api.id, 0, STR("second"), &revision, &f->err));
	CHECK_INT("next number", revision, 2);
	on_get.revision = 2;
	CHECK_OK(f, store_policy_find(f->s, f->a, &on_get, &bytes, &found, &f->err));
	CHECK("policies are copied", found);
	CHANGE(f, store_revision_make_current(f->s, api.id, 2, &f->err));
	CHECK_OK(f, store_api_find(f->s, f->a, api.id, 0, &found_api, &found, &f->err));
	CHECK_INT("current", found_api.revision, 2);
	CHECK_STR("backend is copied", found_api.backend_url, api.backend_url);
	CHANGE(f, store_api_delete(f->s, api.id, &f->err));
	CHECK_OK(f, store_api_find(f->s, f->a, api.id, 0, &found_api, &found, &f->err));
	CHECK("gone", !found);
	CHECK_OK(f, store_operations(f->s, f->a, &got, &n, &f->err));
	CHECK_INT("its operations too", n, 0);
	check_done();
}

static void key_finds_its_subscription(void **state)
{
	struct fixture *f = *state;
	struct store_product product = { .id = STR("gold"), .name = STR("Gold"), .subscription_required = true };
	struct store_user user = { .email = STR("ann@example.com"), .first_name = STR("Ann"), .state = STORE_USER_ACTIVE };
	struct store_subscription sub = { .name = STR("mine"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("gold"),
					  .state = STORE_SUB_ACTIVE };
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct store_keys keys, clear;
	struct store_access access;
	struct str id, key;
	bool found;

	CHANGE(f, store_product_create(f->s, &product, &f->err));
	CHANGE(f, store_user_create(f->s, f->a, &user, &sub.user_id, &f->err));
	CHANGE(f, store_subscription_create(f->s, f->a, &sub, NULL, &id, &keys, &f->err));
	crypto_sha256(keys.secondary, digest);
	CHECK_OK(f, store_access_find(f->s, f->a, digest, &access, &found, &f->err));
	CHECK("found", found);
	CHECK_STR("subscription", access.subscription.id, id);
	CHECK_STR("owner", access.user_email, user.email);
	CHECK_INT("slot", access.key_slot, STORE_KEY_SECONDARY);
	CHECK_OK(f, store_subscription_keys(f->s, f->a, id, &clear, &f->err));
	CHECK_STR("unsealed", clear.primary, keys.primary);
	CHANGE(f, store_key_replace(f->s, f->a, id, STORE_KEY_SECONDARY, STR_NULL, 3600, &key, &f->err));
	CHECK_OK(f, store_access_find(f->s, f->a, digest, &access, &found, &f->err));
	CHECK("the old key is good for a while", found && access.key_ends_us > 0);
	CHANGE(f, store_key_replace(f->s, f->a, id, STORE_KEY_PRIMARY, STR_NULL, 0, NULL, &f->err));
	crypto_sha256(keys.primary, digest);
	CHECK_OK(f, store_access_find(f->s, f->a, digest, &access, &found, &f->err));
	CHECK("the old key is gone", !found);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("in use", store_product_delete(f->s, product.id, &f->err).code, GH_E_CONFLICT);
	CHECK_STR("message", str_of(f->err.message), STR("product 'gold' is in use"));
	store_tx_rollback(f->s);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(opens), store_test(a_change_needs_a_transaction), store_test(generation_rises),
		store_test(api_with_operations), store_test(key_finds_its_subscription),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
