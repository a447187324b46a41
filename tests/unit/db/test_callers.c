/* Callers, access rules, signing keys and tokens that were taken back. */
#include "tests/unit/db/fixture.h"

#include "core/jose.h"
#include "db/access_rules.h"
#include "db/callers.h"
#include "db/products.h"
#include "db/users.h"

static void add_application(struct fixture *f, const char *id)
{
	struct store_application app = { .id = str_of(id), .name = STR("App"), .description = STR(""), .redirect_url = STR("") };

	CHANGE(f, store_application_create(f->s, f->a, &app, STR_NULL, NULL, &f->err));
}

static struct store_caller found(struct fixture *f, const char *kind, const char *id, bool in_clear)
{
	struct store_caller c = { 0 };
	bool there = false;

	CHECK_OK(f, store_caller_find(f->s, f->a, str_of(kind), str_of(id), in_clear, &c, &there, &f->err));
	CHECK(id, there);
	return c;
}

static bool fits(struct str digest, struct str secret)
{
	uint8_t d[CRYPTO_SHA256_BYTES];

	crypto_sha256(secret, d);
	return crypto_equal(digest, (struct str){ (char *)d, sizeof(d) });
}

static void secrets(void **state)
{
	struct fixture *f = *state;
	struct store_caller c = { .kind = STR("client"), .id = STR("mes"), .application_id = STR("app"), .name = STR("MES") };
	struct str first = STR_NULL, second = STR_NULL, key = STR_NULL;

	add_application(f, "app");
	CHANGE(f, store_caller_create(f->s, f->a, &c, &first, &f->err));
	CHECK_INT("a secret is made", first.n, 64);
	CHECK("and kept as a digest", fits(found(f, "client", "mes", true).digest, first));
	CHANGE(f, store_caller_rotate(f->s, f->a, c.kind, c.id, STR_NULL, 3600, &second, &f->err));
	c = found(f, "client", "mes", true);
	CHECK("the new one", fits(c.digest, second));
	CHECK("the old one for a while", fits(c.old_digest, first) && c.old_ends_us > c.changed_us);
	c = (struct store_caller){ .kind = STR("signing"), .id = STR("AK1"), .name = STR("") };
	CHANGE(f, store_caller_create(f->s, f->a, &c, &key, &f->err));
	CHECK("sealed", str_is_null(found(f, "signing", "AK1", false).secret));
	CHECK_STR("in clear", found(f, "signing", "AK1", true).secret, key);
	check_done();
}

static void refused(void **state)
{
	static const struct {
		const char *label, *kind, *id, *secret, *application;
		enum gh_code code;
	} rows[] = {
		{ "unknown kind", "cookie", "x", NULL, NULL, GH_E_INVALID },
		{ "no id", "client", "", NULL, NULL, GH_E_INVALID },
		{ "control character", "client", "a\nb", NULL, NULL, GH_E_INVALID },
		{ "short secret", "client", "a", "fifteen-chars-x", NULL, GH_E_INVALID },
		{ "blank in the secret", "client", "a", "sixteen chars long", NULL, GH_E_INVALID },
		{ "no password", "basic", "ann", NULL, NULL, GH_E_INVALID },
		{ "no such application", "token", "iss sub", NULL, "nobody", GH_E_CONFLICT },
		{ "good", "token", "iss sub", NULL, NULL, GH_OK },
		{ "twice", "token", "iss sub", NULL, NULL, GH_E_CONFLICT },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_caller c = { .kind = str_of(rows[i].kind), .id = str_of(rows[i].id), .name = STR(""),
					  .secret = str_of(rows[i].secret), .application_id = str_of(rows[i].application) };
		gh_rc rc;

		CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
		rc = store_caller_create(f->s, f->a, &c, NULL, &f->err);
		CHECK_INT(rows[i].label, store_tx_end(f->s, rc, &f->err).code, rows[i].code);
	}
	check_done();
}

static void changed(void **state)
{
	struct fixture *f = *state;
	struct store_caller c = { .kind = STR("certificate"), .id = STR("CN=erp"), .name = STR(""), .application_id = STR("app") };
	struct store_caller *rows;
	uint64_t before[GENFILE__COUNT], after[GENFILE__COUNT];
	bool there;
	size_t n;

	add_application(f, "app");
	CHANGE(f, store_caller_create(f->s, f->a, &c, NULL, &f->err));
	CHECK_OK(f, store_generation(f->s, before, &f->err));
	c.state = STORE_CALLER_SUSPENDED;
	c.groups = STR("night shift");
	CHANGE(f, store_caller_update(f->s, &c, &f->err));
	CHECK_OK(f, store_generation(f->s, after, &f->err));
	CHECK("workers are told", after[GENFILE_ACCESS] > before[GENFILE_ACCESS]);
	CHECK_INT("no new snapshot for it", after[GENFILE_CONFIG], before[GENFILE_CONFIG]);
	CHECK_INT("state", found(f, "certificate", "CN=erp", false).state, STORE_CALLER_SUSPENDED);
	CHECK_OK(f, store_callers(f->s, f->a, STR_NULL, STR("app"), NULL, &rows, &n, &f->err));
	CHECK_INT("of the application", n, 1);
	CHANGE(f, store_application_delete(f->s, STR("app"), &f->err));
	CHECK_OK(f, store_caller_find(f->s, f->a, c.kind, c.id, false, &c, &there, &f->err));
	CHECK("gone with its application", !there);
	check_done();
}

static size_t count_keys(struct fixture *f, struct store_auth_key **rows)
{
	size_t n = 0;

	CHECK_OK(f, store_auth_keys(f->s, f->a, true, rows, &n, &f->err));
	return n;
}

static void keys(void **state)
{
	struct fixture *f = *state;
	struct store_auth_key *rows;
	struct jose_keys *set = jose_keys_new();
	struct store_auth_key next = { .id = STR("next"), .purpose = STR("token"), .alg = STR("RS256") };
	gh_rc rc;

	CHANGE(f, store_auth_key_ensure(f->s, f->a, STR("token"), &f->err));
	CHANGE(f, store_auth_key_ensure(f->s, f->a, STR("token"), &f->err));
	CHECK_INT("one is made once", count_keys(f, &rows), 1);
	CHECK_OK(f, jose_keys_add_jwks(set, rows[0].jwks, NULL, &f->err));
	CHECK_INT("a key that can be used", jose_keys_count(set), 1);
	next.signs_us = rows[0].created_us + 1000000;
	CHANGE(f, store_auth_keys_end(f->s, next.purpose, next.signs_us + 60000000, &f->err));
	CHANGE(f, store_auth_key_add(f->s, f->a, &next, &f->err));
	CHECK_INT("both", count_keys(f, &rows), 2);
	CHECK("the old one ends", rows[0].ends_us == next.signs_us + 60000000 && !rows[1].ends_us);
	next.ends_us = next.signs_us + 5;
	CHANGE(f, store_auth_key_times(f->s, &next, &f->err));
	CHECK_INT("still both", count_keys(f, &rows), 2);
	CHECK("its end", rows[1].ends_us == next.ends_us);
	CHECK_STR("the new one", rows[1].alg, STR("RS256"));
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	next.alg = STR("HS256");
	rc = store_auth_key_add(f->s, f->a, &next, &f->err);
	CHECK_INT("no secret can be published", store_tx_end(f->s, rc, &f->err).code, GH_E_INVALID);
	jose_keys_free(set);
	check_done();
}

static void revocations(void **state)
{
	struct fixture *f = *state;
	bool revoked = true;

	CHECK_OK(f, store_token_revoked(f->s, STR("j1"), &revoked, &f->err));
	CHECK("not yet", !revoked);
	CHANGE(f, store_token_revoke(f->s, STR("j1"), INT64_MAX, &f->err));
	CHANGE(f, store_token_revoke(f->s, STR("j1"), INT64_MAX, &f->err));
	CHANGE(f, store_token_revoke(f->s, STR("j2"), 1, &f->err));
	CHANGE(f, store_token_revoke(f->s, STR("j3"), INT64_MAX, &f->err));
	CHECK_OK(f, store_token_revoked(f->s, STR("j1"), &revoked, &f->err));
	CHECK("taken back", revoked);
	CHECK_OK(f, store_token_revoked(f->s, STR("j2"), &revoked, &f->err));
	CHECK("forgotten after its end", !revoked);
	check_done();
}

static void rules(void **state)
{
	struct fixture *f = *state;
	struct store_access_rule r = { .product_id = STR("gold"), .rule = STR("{\"anyOf\":[{\"method\":\"key\"}]}") }, *rows;
	struct store_product p = { .id = STR("gold"), .name = STR("Gold"), .description = STR(""), .terms = STR("") };
	bool there;
	size_t n;
	gh_rc rc;

	CHANGE(f, store_product_create(f->s, &p, &f->err));
	CHANGE(f, store_access_rule_set(f->s, &r, &f->err));
	r.rule = STR("{\"anyOf\":[{\"method\":\"anonymous\"}]}");
	CHANGE(f, store_access_rule_set(f->s, &r, &f->err));
	CHECK_OK(f, store_access_rules(f->s, f->a, &rows, &n, &f->err));
	CHECK_INT("one for each place", n, 1);
	CHECK_STR("the last one", rows[0].rule, r.rule);
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	rc = store_access_rule_delete(f->s, STR("gold"), STR_NULL, &f->err);
	CHECK_INT("of the API of that name there is none", store_tx_end(f->s, rc, &f->err).code, GH_E_NOT_FOUND);
	CHANGE(f, store_product_delete(f->s, STR("gold"), &f->err));
	CHECK_OK(f, store_access_rule_find(f->s, f->a, STR_NULL, STR("gold"), &r, &there, &f->err));
	CHECK("gone with its product", !there);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(secrets), store_test(refused), store_test(changed), store_test(keys), store_test(revocations),
		store_test(rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
