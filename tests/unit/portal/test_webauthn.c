/* Passkeys: a key that is made and signs, and everything that must not pass. */
#include "tests/unit/check.h"

#include "tests/unit/portal/webauthn_sample.h"

#define UP 1u
#define UV 4u
#define AT 64u

static const char make[] = "webauthn.create", get[] = "webauthn.get";

static void registered(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	EVP_PKEY *key = sample_key();
	static const struct {
		const char *label, *type, *challenge, *origin, *more, *rp;
		unsigned flags;
		const char *want;                /* NULL: taken */
	} rows[] = {
		{ "as it should be", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "", "apis.example.com", UP | UV | AT, NULL },
		{ "members that we do not know", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, ",\"x\":[1]", "apis.example.com", UP | UV | AT, NULL },
		{ "not from a frame", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, ",\"crossOrigin\":false", "apis.example.com", UP | UV | AT, NULL },
		{ "a signature's type", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "", "apis.example.com", UP | UV | AT, "another kind" },
		{ "another challenge", make, "AAAA", SAMPLE_ORIGIN, "", "apis.example.com", UP | UV | AT, "another challenge" },
		{ "no challenge", make, "", SAMPLE_ORIGIN, "", "apis.example.com", UP | UV | AT, "another challenge" },
		{ "another site", make, SAMPLE_CHALLENGE, "https://evil.example", "", "apis.example.com", UP | UV | AT, "comes from https://evil" },
		{ "a name that begins alike", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN ".evil.example", "", "apis.example.com", UP | UV | AT, "comes from" },
		{ "another port", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN ":8443", "", "apis.example.com", UP | UV | AT, "comes from" },
		{ "without TLS", make, SAMPLE_CHALLENGE, "http://apis.example.com", "", "apis.example.com", UP | UV | AT, "comes from" },
		{ "from a frame", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, ",\"crossOrigin\":true", "apis.example.com", UP | UV | AT, "a frame" },
		{ "a name twice", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, ",\"origin\":\"https://evil.example\"", "apis.example.com", UP | UV | AT, "no JSON" },
		{ "a key of another site", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "", "evil.example", UP | UV | AT, "another site" },
		{ "nobody was there", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "", "apis.example.com", UV | AT, "did not verify" },
		{ "nobody was verified", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "", "apis.example.com", UP | AT, "did not verify" },
		{ "no key", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "", "apis.example.com", UP | UV, "did not verify" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { .message = "" };
		struct webauthn_key out;
		gh_rc rc = webauthn_register(a, &sample_expect, sample_client(a, rows[i].type, rows[i].challenge, rows[i].origin, rows[i].more),
					     sample_auth(a, rows[i].rp, rows[i].flags, 7, key), &out, &err);

		CHECK_INT(rows[i].label, rc.code, rows[i].want ? GH_E_INVALID : GH_OK);
		if (rows[i].want && !strstr(err.message, rows[i].want))
			CHECK_STR(rows[i].label, str_of(err.message), str_of(rows[i].want));
		if (!rc.code) {
			CHECK_STR(rows[i].label, out.id, STR(sample_id));
			CHECK_INT(rows[i].label, out.algorithm, -7);
			CHECK_INT(rows[i].label, out.sign_count, 7);
		}
	}
	EVP_PKEY_free(key);
	arena_free(a);
	check_done();
}

/* Each cut and each single changed byte of the authenticator data is refused or gives another key, and never does harm. */
static void damaged(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 24);
	EVP_PKEY *key = sample_key();
	struct str client = sample_client(a, make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "");
	struct str auth = sample_auth(a, "apis.example.com", UP | UV | AT, 7, key);
	struct webauthn_key out;
	struct gh_err err;

	for (size_t n = 0; n < auth.n; n++)
		CHECK("cut short", webauthn_register(a, &sample_expect, client, str_first(auth, n), &out, &err).code != GH_OK);
	for (size_t n = 0; n < client.n; n++)
		CHECK("client data cut short", webauthn_register(a, &sample_expect, str_first(client, n), auth, &out, &err).code != GH_OK);
	for (size_t n = 0; n < 32; n++) {
		struct str changed = arena_dup(a, auth);

		((char *)changed.p)[n] ^= 1;
		CHECK("the site's hash", webauthn_register(a, &sample_expect, client, changed, &out, &err).code != GH_OK);
	}
	EVP_PKEY_free(key);
	arena_free(a);
	check_done();
}

static void signed_in(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	EVP_PKEY *key = sample_key(), *other = sample_key();
	static const struct {
		const char *label, *type, *challenge, *origin, *rp;
		unsigned flags;
		uint32_t count;
		int64_t before;
		bool stranger;                   /* signs with a key of his own */
		const char *want;
	} rows[] = {
		{ "as it should be", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 8, 7, false, NULL },
		{ "a device that does not count", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 0, 0, false, NULL },
		{ "the counter stands still", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 7, 7, false, "counter went" },
		{ "the counter goes back", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 6, 7, false, "counter went" },
		{ "the counter goes back to nothing", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 0, 7, false, "counter went" },
		{ "the highest counter", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 0xFFFFFFFF, 7, false, NULL },
		{ "another key", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 8, 7, true, "signature" },
		{ "made, not signed", make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP | UV, 8, 7, false, "another kind" },
		{ "another challenge", get, "AAAA", SAMPLE_ORIGIN, "apis.example.com", UP | UV, 8, 7, false, "another challenge" },
		{ "another site", get, SAMPLE_CHALLENGE, "https://evil.example", "apis.example.com", UP | UV, 8, 7, false, "comes from" },
		{ "a key of another site", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "evil.example", UP | UV, 8, 7, false, "another site" },
		{ "nobody was verified", get, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "apis.example.com", UP, 8, 7, false, "did not verify" },
	};
	struct webauthn_key known;
	struct gh_err err = { .message = "" };
	int64_t count;

	assert_int_equal(webauthn_register(a, &sample_expect, sample_client(a, make, SAMPLE_CHALLENGE, SAMPLE_ORIGIN, ""),
					   sample_auth(a, "apis.example.com", UP | UV | AT, 7, key), &known, &err).code, GH_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str client = sample_client(a, rows[i].type, rows[i].challenge, rows[i].origin, "");
		struct str auth = sample_auth(a, rows[i].rp, rows[i].flags, rows[i].count, key);
		struct str sig = sample_sign(a, rows[i].stranger ? other : key, auth, client);
		gh_rc rc;

		err = (struct gh_err){ .message = "" };
		known.sign_count = rows[i].before;
		rc = webauthn_assert(a, &sample_expect, client, auth, sig, &known, &count, &err);
		CHECK_INT(rows[i].label, rc.code, rows[i].want ? GH_E_INVALID : GH_OK);
		if (rows[i].want && !strstr(err.message, rows[i].want))
			CHECK_STR(rows[i].label, str_of(err.message), str_of(rows[i].want));
		if (!rc.code)
			CHECK_INT(rows[i].label, count, rows[i].count);
		for (size_t n = 0; n < sig.n && !rows[i].want; n++)
			CHECK("signature cut short", webauthn_assert(a, &sample_expect, client, auth, str_first(sig, n), &known, &count, &err).code != GH_OK);
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(registered), cmocka_unit_test(damaged), cmocka_unit_test(signed_in) };

	webauthn_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
