/* One-time codes: the vectors of RFC 6238, appendix B (the last six of their eight digits), drift, and what is no code. */
#include "tests/unit/check.h"

#include "core/crypto.h"
#include "core/str.h"
#include "portal/web/totp.h"

static const struct str secret = STR_INIT("12345678901234567890");

static void vectors(void **state UNUSED)
{
	static const struct {
		int64_t at;
		const char *code;
	} rows[] = { { 59, "287082" },		{ 1111111109, "081804" }, { 1111111111, "050471" },
		     { 1234567890, "005924" },	{ 2000000000, "279037" }, { 20000000000, "353130" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char code[TOTP_DIGITS + 1];
		int64_t step = 0;

		totp_code(secret, rows[i].at / TOTP_STEP_S, code);
		CHECK_STR(rows[i].code, str_of(code), str_of(rows[i].code));
		CHECK(rows[i].code, totp_check(secret, str_of(rows[i].code), rows[i].at, &step));
		CHECK_INT(rows[i].code, step, rows[i].at / TOTP_STEP_S);
	}
	check_done();
}

static void taking(void **state UNUSED)
{
	static const struct {
		const char *label, *code;
		int64_t at;
		bool fits;
	} rows[] = {
		{ "with a blank", "081 804", 1111111109, true },
		{ "one step late", "081804", 1111111109 + 30, true },
		{ "one step early", "081804", 1111111109 - 30, true },
		{ "two steps late", "081804", 1111111109 + 60, false },
		{ "two steps early", "081804", 1111111109 - 60, false },
		{ "another code", "081805", 1111111109, false },
		{ "too short", "08180", 1111111109, false },
		{ "too long", "0818040", 1111111109, false },
		{ "empty", "", 1111111109, false },
		{ "letters", "08180a", 1111111109, false },
	};
	int64_t step;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].label, totp_check(secret, str_of(rows[i].code), rows[i].at, &step), rows[i].fits);
	check_done();
}

/* RFC 4648 section 10 without padding. */
static void base32(void **state UNUSED)
{
	static const struct {
		const char *plain, *text;
	} rows[] = { { "", "" },	{ "f", "MY" },	      { "fo", "MZXQ" },	      { "foo", "MZXW6" },
		     { "foob", "MZXW6YQ" }, { "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" } };
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(rows[i].plain, crypto_base32(a, str_of(rows[i].plain)), str_of(rows[i].text));
	CHECK_STR("address", totp_address(a, STR("A & B"), STR("a@b.example"), STR("foobar")),
		  STR("otpauth://totp/A%20%26%20B:a%40b.example?secret=MZXW6YTBOI&issuer=A%20%26%20B&algorithm=SHA1&digits=6&period=30"));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vectors), cmocka_unit_test(taking), cmocka_unit_test(base32) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
