/* Credentials in the store: what is written over what, secrets sealed, references, consent, what may not go. */
#include "tests/unit/check.h"

#include "db/audit.h"
#include "db/backends.h"
#include "db/credentials.h"
#include "db/secrets.h"
#include "tests/unit/db/fixture.h"

/* One change that must be refused. */
#define REFUSED(f, label, call, want, text)                                                               \
	do {                                                                                              \
		CHECK_OK(f, store_tx_begin((f)->s, STR("test"), &(f)->err));                              \
		CHECK_INT(label, (call).code, want);                                                      \
		CHECK_STR(label, str_of((f)->err.message), STR(text));                                    \
		store_tx_rollback((f)->s);                                                                \
	} while (0)

static struct store_credential oauth(void)
{
	return (struct store_credential){
		.environment_id = STR("default"), .id = STR("erp"), .kind = STR("client-credentials"),
		.settings = STR("{\"token-url\":\"https://login.example/t\",\"client-id\":\"c\",\"resource\":\"urn:r\"}"),
		.secrets = STR("{\"client-secret\":\"s3cret-value\"}"),
	};
}

static struct store_credential found(struct fixture *f, bool in_clear)
{
	struct store_credential c = { .id = STR_NULL };
	bool there = false;

	CHECK_OK(f, store_credential_find(f->s, f->a, STR("default"), STR("erp"), in_clear, &c, &there, &f->err));
	CHECK("there", there);
	return c;
}

static void secrets_over_secrets(void **state)
{
	struct fixture *f = *state;
	struct store_credential c = oauth(), got;
	uint8_t before[CREDENTIAL_PRINT_BYTES];

	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	got = found(f, false);
	CHECK("not shown", !got.secrets.p);
	CHECK_STR("resource", got.resource, STR("urn:r"));
	got = found(f, true);
	CHECK_STR("in clear", got.secrets, STR("{\"client-secret\":\"s3cret-value\"}"));
	memcpy(before, got.print, sizeof(before));
	c.secrets = STR_NULL;
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	got = found(f, true);
	CHECK_STR("kept", got.secrets, STR("{\"client-secret\":\"s3cret-value\"}"));
	CHECK("the same state", memcmp(before, got.print, sizeof(before)) == 0);
	c.secrets = STR("{\"client-secret\":\"other\"}");
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	got = found(f, true);
	CHECK_STR("replaced", got.secrets, STR("{\"client-secret\":\"other\"}"));
	CHECK("another state", memcmp(before, got.print, sizeof(before)) != 0);
	c.secrets = STR("{\"client-secret\":null}");
	REFUSED(f, "taken away", store_credential_set(f->s, &c, &f->err), GH_E_INVALID,
		"credential 'erp': client-secret is missing: or choose another `auth`");
	c.kind = STR("basic");
	c.settings = STR("{\"username\":\"u\"}");
	c.secrets = STR("{\"password\":\"p\"}");
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	CHECK_STR("what the kind does not have goes", found(f, true).secrets, STR("{\"password\":\"p\"}"));
	check_done();
}

static void references(void **state)
{
	struct fixture *f = *state;
	struct store_credential c = oauth(), got;
	struct store_secret_use *uses;
	size_t n;

	c.secrets = STR("{\"client-secret\":{\"ref\":\"file:/run/erp\"}}");
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	CHECK_OK(f, store_secret_uses(f->s, f->a, &uses, &n, &f->err));
	CHECK_INT("one use", n, 1);
	CHECK_STR("holder", uses[0].holder_id, STR("default/erp"));
	got = found(f, true);
	CHECK_STR("no value yet", got.secrets, STR("{}"));
	CHECK("says which and why", str_find(got.problem, STR("client-secret (file:/run/erp)")) != SIZE_MAX);
	CHANGE(f, store_secret_resolved(f->s, STR("file:/run/erp"), STR("read"), STR("v1"), NULL, &f->err));
	got = found(f, true);
	CHECK_STR("read", got.secrets, STR("{\"client-secret\":\"read\"}"));
	CHECK_STR("reference", got.refs, STR("{\"client-secret\":\"file:/run/erp\"}"));
	CHECK("no problem", !got.problem.p);
	uint8_t before[CREDENTIAL_PRINT_BYTES];
	memcpy(before, got.print, sizeof(before));
	CHANGE(f, store_secret_resolved(f->s, STR("file:/run/erp"), STR("next"), STR("v2"), NULL, &f->err));
	got = found(f, true);
	CHECK_STR("the next value", got.secrets, STR("{\"client-secret\":\"next\"}"));
	CHECK("its tokens stay", memcmp(before, got.print, sizeof(before)) == 0);
	CHANGE(f, store_credential_delete(f->s, STR("default"), STR("erp"), &f->err));
	CHECK_OK(f, store_secret_uses(f->s, f->a, &uses, &n, &f->err));
	CHECK_INT("goes with its holder", n, 0);
	check_done();
}

static void consent(void **state)
{
	struct fixture *f = *state;
	struct store_credential c = oauth();
	struct store_credential_grant g = { .environment_id = STR("default"), .credential_id = STR("erp"), .refresh_token = STR("r1"),
					    .granted_by = STR("user:ann") }, *all;
	size_t n;
	bool fits;

	c.kind = STR("authorization-code");
	c.settings = STR("{\"token-url\":\"https://l/t\",\"authorize-url\":\"https://l/a\",\"client-id\":\"c\",\"scope\":\"a\"}");
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	REFUSED(f, "none to rotate", store_credential_grant_rotate(f->s, STR("default"), STR("erp"), STR("r1"), STR("r2"), &fits, &f->err), GH_E_NOT_FOUND,
		"there is no consent to credential 'default/erp'");
	CHANGE(f, store_credential_grant_set(f->s, &g, &f->err));
	CHANGE(f, store_credential_grant_rotate(f->s, STR("default"), STR("erp"), STR("r1"), STR("r2"), &fits, &f->err));
	CHECK("the token that it replaces stood there", fits);
	CHECK_OK(f, store_credential_grants(f->s, f->a, true, &all, &n, &f->err));
	CHECK("rotated, by whom stays", n == 1 && str_eq(all[0].refresh_token, STR("r2")) && str_eq(all[0].granted_by, STR("user:ann")));
	/* two workers: r2 gave r3, which gave r4, and the writer of r4 is first */
	CHANGE(f, store_credential_grant_rotate(f->s, STR("default"), STR("erp"), STR("r3"), STR("r4"), &fits, &f->err));
	CHECK("out of turn", !fits);
	CHANGE(f, store_credential_grant_rotate(f->s, STR("default"), STR("erp"), STR("r2"), STR("r3"), &fits, &f->err));
	CHECK("in turn", fits);
	CHANGE(f, store_credential_grant_rotate(f->s, STR("default"), STR("erp"), STR("r3"), STR("r4"), &fits, &f->err));
	CHECK("now it is its turn", fits);
	CHANGE(f, store_credential_grant_rotate(f->s, STR("default"), STR("erp"), STR("r2"), STR("r3"), &fits, &f->err));
	CHECK("an old one comes late", !fits);
	CHECK_OK(f, store_credential_grants(f->s, f->a, true, &all, &n, &f->err));
	CHECK_STR("the newest stays", all[0].refresh_token, STR("r4"));
	CHECK_OK(f, store_credential_grants(f->s, f->a, false, &all, &n, &f->err));
	CHECK("not shown", n == 1 && !all[0].refresh_token.p);
	c.secrets = STR("{\"client-secret\":\"another\"}");
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	CHECK_OK(f, store_credential_grants(f->s, f->a, false, &all, &n, &f->err));
	CHECK_INT("a new secret of the same client keeps it", n, 1);
	c.settings = STR("{\"token-url\":\"https://l/t\",\"authorize-url\":\"https://l/a\",\"client-id\":\"c\",\"scope\":\"a b\"}");
	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	CHECK_OK(f, store_credential_grants(f->s, f->a, false, &all, &n, &f->err));
	CHECK_INT("another scope withdraws it", n, 0);
	check_done();
}

static void refusals(void **state)
{
	static const struct {
		const char *label, *id, *kind, *settings, *secrets, *says;
	} rows[] = {
		{ "id", "a/b", "basic", "{}", "{}", "letters, digits" },
		{ "no id", "", "basic", "{}", "{}", "1 to 100 characters" },
		{ "kind", "x", "oauth", "{}", "{}", "no kind 'oauth'" },
		{ "no JSON", "x", "basic", "{", "{}", "settings are no JSON" },
		{ "field of another kind", "x", "basic", "{\"region\":\"r\"}", "{}", "has no 'region'" },
		{ "secret as a setting", "x", "basic", "{\"password\":\"p\"}", "{}", "is a secret" },
		{ "setting as a secret", "x", "basic", "{}", "{\"username\":\"u\"}", "is no secret" },
		{ "missing", "x", "basic", "{\"username\":\"u\"}", "{}", "needs password" },
		{ "not a text", "x", "basic", "{\"username\":1}", "{\"password\":\"p\"}", "not a text" },
		{ "line break", "x", "basic", "{\"username\":\"a\\nb\"}", "{\"password\":\"p\"}", "control character" },
		{ "choice", "x", "aws-sigv4", "{\"access-key-id\":\"k\",\"region\":\"r\",\"service\":\"s\",\"payload\":\"half\"}", "{\"secret-access-key\":\"s\"}", "none of signed|unsigned" },
		{ "no environment", "x", "basic", "{\"username\":\"u\"}", "{\"password\":\"p\"}", NULL },
		{ "both places", "x", "api-key", "{\"header\":\"h\",\"query\":\"q\"}", "{\"value\":\"v\"}", "not in both" },
		{ "reference", "x", "basic", "{\"username\":\"u\"}", "{\"password\":{\"ref\":\"nowhere\"}}", NULL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_credential c = { .environment_id = str_of(strcmp(rows[i].label, "no environment") ? "default" : "nowhere"),
					      .id = str_of(rows[i].id), .kind = str_of(rows[i].kind), .settings = str_of(rows[i].settings),
					      .secrets = str_of(rows[i].secrets) };
		gh_rc rc;

		CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
		rc = store_tx_end(f->s, store_credential_set(f->s, &c, &f->err), &f->err);
		CHECK(rows[i].label, rc.code != GH_OK);
		if (rows[i].says)
			CHECK(f->err.message, strstr(f->err.message, rows[i].says) != NULL);
		CHECK(f->err.message, !strstr(f->err.message, "s3cret"));
	}
	check_done();
}

static void while_in_use(void **state)
{
	struct fixture *f = *state;
	struct store_credential c = oauth();
	struct store_backend b = { .id = STR("erp"), .name = STR("erp"), .url = STR("https://erp.example"), .credential_id = STR("erp") };

	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	CHANGE(f, store_backend_create(f->s, &b, &f->err));
	REFUSED(f, "named by a backend", store_credential_delete(f->s, STR("default"), STR("erp"), &f->err), GH_E_CONFLICT,
		"credential 'erp' is named by 1 backend: take it from there first");
	b.credential_id = STR_NULL;
	CHANGE(f, store_backend_update(f->s, &b, &f->err));
	CHANGE(f, store_credential_delete(f->s, STR("default"), STR("erp"), &f->err));
	REFUSED(f, "gone", store_credential_delete(f->s, STR("default"), STR("erp"), &f->err), GH_E_NOT_FOUND,
		"there is no credential 'default/erp'");
	check_done();
}

static void audit_is_clean(void **state)
{
	struct fixture *f = *state;
	struct store_credential c = oauth();
	struct store_audit_entry *v;
	size_t n;

	CHANGE(f, store_credential_set(f->s, &c, &f->err));
	CHECK_OK(f, store_audit_list(f->s, f->a, NULL, &v, &n, &f->err));
	CHECK("noted", n > 0);
	for (size_t i = 0; i < n; i++)
		CHECK("no secret in the trail", str_find(v[i].detail, STR("s3cret-value")) == SIZE_MAX);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(secrets_over_secrets), store_test(references), store_test(consent), store_test(refusals), store_test(while_in_use),
		store_test(audit_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
