/* Published vectors, round trips, and everything that a strict decoder must refuse. */
#include "tests/unit/check.h"

#include "core/crypto.h"

#include <stdlib.h>

static struct arena *a;

static struct str hex(const char *text)
{
	struct str out = STR_NULL;

	assert_true(crypto_hex_decode(a, str_of(text), &out));
	return out;
}

static struct str hexed(const uint8_t *p, size_t n)
{
	return crypto_hex(a, (struct str){ (const char *)p, n });
}

/* FIPS 180-4 examples */
static void sha256(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in, want;
	} rows[] = {
		{ "nothing", STR_INIT(""), STR_INIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") },
		{ "abc", STR_INIT("abc"), STR_INIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") },
		{ "two blocks", STR_INIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		  STR_INIT("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1") },
	};
	uint8_t out[CRYPTO_SHA256_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		crypto_sha256(rows[i].in, out);
		CHECK_STR(rows[i].label, hexed(out, sizeof(out)), rows[i].want);
	}
	crypto_sha256(STR_NULL, out);
	CHECK_STR("not given is nothing", hexed(out, sizeof(out)), rows[0].want);
	check_done();
}

/* RFC 4231 sections 4.2, 4.3 and 4.7 */
static void hmac(void **state UNUSED)
{
	static const struct {
		const char *label, *key;
		struct str in, want;
	} rows[] = {
		{ "case 1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", STR_INIT("Hi There"),
		  STR_INIT("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7") },
		{ "case 2", "4a656665", STR_INIT("what do ya want for nothing?"),
		  STR_INIT("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") },
		{ "key longer than a block",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  STR_INIT("Test Using Larger Than Block-Size Key - Hash Key First"),
		  STR_INIT("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54") },
	};
	uint8_t out[CRYPTO_SHA256_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		crypto_hmac_sha256(hex(rows[i].key), rows[i].in, out);
		CHECK_STR(rows[i].label, hexed(out, sizeof(out)), rows[i].want);
	}
	check_done();
}

/* Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega): AES-256 with associated data, laid out as sealed. */
static void opens_what_others_sealed(void **state UNUSED)
{
	struct str key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
	struct str ad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
	struct str sealed = hex("cafebabefacedbaddecaf888"
				"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
				"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
				"76fc6ece0f4e1768cddf8853bb2d551b");
	struct str want = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
			      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
	struct gh_err err = { 0 };
	struct str plain = STR_NULL;

	CHECK_INT("opens", crypto_open(a, (const uint8_t *)key.p, sealed, ad, &plain, &err).code, GH_OK);
	CHECK_STR("plain text", plain, want);
	check_done();
}

static void sealing(void **state UNUSED)
{
	static const uint8_t key[CRYPTO_KEY_BYTES] = { 1, 2, 3 }, other[CRYPTO_KEY_BYTES] = { 1, 2, 4 };
	struct str texts[] = { STR(""), STR("x"), STR("a secret of some length\0with a zero byte") };
	struct str ad = STR("named_value:a"), sealed = STR_NULL, again = STR_NULL, plain = STR_NULL;
	struct gh_err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(crypto_seal(a, key, texts[i], ad, &sealed, &err).code, GH_OK);
		assert_int_equal(crypto_seal(a, key, texts[i], ad, &again, &err).code, GH_OK);
		CHECK_INT("length", sealed.n, texts[i].n + CRYPTO_SEAL_BYTES);
		CHECK("a nonce is not used twice", !str_eq(sealed, again));
		CHECK_INT("opens", crypto_open(a, key, sealed, ad, &plain, &err).code, GH_OK);
		CHECK_STR("as it was", plain, texts[i]);
		CHECK_INT("another key", crypto_open(a, other, sealed, ad, &plain, &err).code, GH_E_DENIED);
		CHECK_INT("another place", crypto_open(a, key, sealed, STR("named_value:b"), &plain, &err).code, GH_E_DENIED);
		for (size_t bit = 0; bit < sealed.n * 8; bit++) {
			struct str broken = arena_dup(a, sealed);

			((char *)(uintptr_t)broken.p)[bit / 8] ^= (char)(1 << bit % 8);
			CHECK_INT("a changed bit", crypto_open(a, key, broken, ad, &plain, &err).code, GH_E_DENIED);
		}
		for (size_t n = 0; n < sealed.n; n++)
			CHECK_INT("cut short", crypto_open(a, key, str_first(sealed, n), ad, &plain, &err).code, GH_E_DENIED);
	}
	check_done();
}

/* RFC 4648 section 10, and what a strict decoder refuses */
static void base64(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str plain, text, url;
	} rows[] = {
		{ "nothing", STR_INIT(""), STR_INIT(""), STR_INIT("") },
		{ "f", STR_INIT("f"), STR_INIT("Zg=="), STR_INIT("Zg") },
		{ "fo", STR_INIT("fo"), STR_INIT("Zm8="), STR_INIT("Zm8") },
		{ "foo", STR_INIT("foo"), STR_INIT("Zm9v"), STR_INIT("Zm9v") },
		{ "foobar", STR_INIT("foobar"), STR_INIT("Zm9vYmFy"), STR_INIT("Zm9vYmFy") },
		{ "last two of the alphabet", STR_INIT("\xFB\xFF\xBF"), STR_INIT("+/+/"), STR_INIT("-_-_") },
	};
	static const struct {
		const char *label;
		struct str text;
		bool plain, url;         /* accepted? */
	} odd[] = {
		{ "no padding", STR_INIT("Zg"), false, true },
		{ "padded", STR_INIT("Zg=="), true, true },
		{ "half the padding", STR_INIT("Zg="), false, false },
		{ "too much padding", STR_INIT("Zm9v===="), false, false },
		{ "padding alone", STR_INIT("===="), false, false },
		{ "one character", STR_INIT("Z"), false, false },
		{ "five characters", STR_INIT("Zm9vY"), false, false },
		{ "left-over bits", STR_INIT("Zh=="), false, false },
		{ "left-over bits of two", STR_INIT("Zm9="), false, false },
		{ "white space", STR_INIT("Zm9v\n"), false, false },
		{ "blank inside", STR_INIT("Zm 9"), false, false },
		{ "padding inside", STR_INIT("Zg==Zg=="), false, false },
		{ "plain alphabet", STR_INIT("+/+/"), true, false },
		{ "url alphabet", STR_INIT("-_-_"), false, true },
		{ "a zero byte", STR_INIT("Zm9\0"), false, false },
		{ "a byte above 127", STR_INIT("Zm9\xC3"), false, false },
	};
	struct str out = STR_NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_STR(rows[i].label, crypto_base64(a, rows[i].plain), rows[i].text);
		CHECK_STR(rows[i].label, crypto_base64url(a, rows[i].plain), rows[i].url);
		CHECK(rows[i].label, crypto_base64_decode(a, rows[i].text, &out) && str_eq(out, rows[i].plain));
		CHECK(rows[i].label, crypto_base64url_decode(a, rows[i].url, &out) && str_eq(out, rows[i].plain));
	}
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		CHECK_INT(odd[i].label, crypto_base64_decode(a, odd[i].text, &out), odd[i].plain);
		CHECK_INT(odd[i].label, crypto_base64url_decode(a, odd[i].text, &out), odd[i].url);
	}
	check_done();
}

static void hexadecimal(void **state UNUSED)
{
	struct str out = STR_NULL;
	uint8_t two[2];

	CHECK_STR("lower case", crypto_hex(a, STR("\x00\xAB\xFF")), STR("00abff"));
	CHECK("both cases are read", crypto_hex_decode(a, STR("00aBFf"), &out) && str_eq(out, STR("\x00\xAB\xFF")));
	CHECK("odd length", !crypto_hex_decode(a, STR("abc"), &out));
	CHECK("no digit", !crypto_hex_decode(a, STR("0g"), &out));
	CHECK("one byte too few", !crypto_hex_decode_to(STR("00"), two, 2));
	CHECK("one byte too many", !crypto_hex_decode_to(STR("000000"), two, 2));
	check_done();
}

static void passwords(void **state UNUSED)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX], again[CRYPTO_PASSWORD_HASH_MAX];
	char *long_one = calloc(1, CRYPTO_PASSWORD_MAX + 1);
	struct gh_err err = { 0 };

	assert_non_null(long_one);
	assert_int_equal(crypto_password_hash(STR("correct horse"), hash, &err).code, GH_OK);
	assert_int_equal(crypto_password_hash(STR("correct horse"), again, &err).code, GH_OK);
	CHECK("Argon2id", str_starts(str_of(hash), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
	CHECK("salted", strcmp(hash, again) != 0);
	CHECK("right", crypto_password_verify(str_of(hash), STR("correct horse")));
	CHECK("wrong", !crypto_password_verify(str_of(hash), STR("correct horsf")));
	CHECK("empty", !crypto_password_verify(str_of(hash), STR("")));
	CHECK("no hash", !crypto_password_verify(STR_NULL, STR("")));
	CHECK("not a hash", !crypto_password_verify(STR("$argon2id$"), STR("x")));
	CHECK("fresh", !crypto_password_needs_rehash(str_of(hash)));
	CHECK("weaker parameters",
	      crypto_password_needs_rehash(STR("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
					       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
	CHECK_INT("too long", crypto_password_hash((struct str){ long_one, CRYPTO_PASSWORD_MAX + 1 }, hash, &err).code,
		  GH_E_LIMIT);
	free(long_one);
	check_done();
}

static void comparing_and_randomness(void **state UNUSED)
{
	struct gh_err err = { 0 };
	struct str one = STR_NULL, two = STR_NULL;

	CHECK("same", crypto_equal(STR("abc"), STR("abc")));
	CHECK("different", !crypto_equal(STR("abc"), STR("abd")));
	CHECK("prefix", !crypto_equal(STR("abc"), STR("ab")));
	CHECK("both empty", crypto_equal(STR(""), STR_NULL));
	CHECK_INT("random", crypto_random_hex(a, 16, &one, &err).code, GH_OK);
	CHECK_INT("random", crypto_random_hex(a, 16, &two, &err).code, GH_OK);
	CHECK_INT("length", one.n, 32);
	CHECK("never the same", !str_eq(one, two));
	check_done();
}

static void names(void **state UNUSED)
{
	static const struct str texts[] = { STR_INIT(""), STR_INIT("a"), STR_INIT("b"), STR_INIT("a\0"), STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaaa") };
	uint8_t out[ARRAY_LEN(texts)][CRYPTO_SHA256_BYTES], again[CRYPTO_SHA256_BYTES], sha[CRYPTO_SHA256_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		memset(again, 0xff, sizeof(again));
		crypto_name(texts[i], out[i]);
		crypto_name(texts[i], again);
		CHECK("the same name each time, all of it written", memcmp(out[i], again, sizeof(again)) == 0);
		for (size_t k = 0; k < i; k++)
			CHECK("another text, another name", memcmp(out[i], out[k], sizeof(again)) != 0);
		crypto_sha256(texts[i], sha);
		CHECK("no digest that others could compute", memcmp(out[i], sha, 8) != 0);
	}
	check_done();
}

static int setup(void **state UNUSED)
{
	a = arena_new(16 << 20);
	return a ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),   cmocka_unit_test(hmac),        cmocka_unit_test(opens_what_others_sealed),
		cmocka_unit_test(sealing),  cmocka_unit_test(base64),      cmocka_unit_test(hexadecimal),
		cmocka_unit_test(passwords), cmocka_unit_test(comparing_and_randomness), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
