/* Tokens and key sets from outside: nothing crashes, what is accepted was signed with our secret, and a key set that was
 * read is written so that it reads back with as many keys. */
#include "core/crypto.h"
#include "core/jose.h"
#include "core/str.h"

#include <stdlib.h>

static const char secret[] = "0123456789abcdef0123456789abcdef";

static void token_property(struct arena *a, struct str text)
{
	struct jose_keys *keys = jose_keys_new();
	const struct jose_rules rules = { .keys = keys, .decryption_keys = keys };
	struct jose_token t;
	uint8_t mac[32];

	if (jose_keys_add_secret(keys, STR_NULL, STR(secret), NULL).code)
		abort();
	if (jose_verify(a, text, &rules, &t) == JOSE_OK && t.alg == JOSE_HS256) {
		size_t dot = str_rfind_char(t.raw, '.');
		struct str signature;

		crypto_hmac_sha256(STR(secret), str_first(t.raw, dot), mac);
		if (!crypto_base64url_decode(a, str_from(t.raw, dot + 1), &signature) ||
		    !crypto_equal(signature, (struct str){ (char *)mac, 32 }))
			abort();
	}
	(void)jose_decode(a, text, &t);
	jose_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena *a = arena_new(1 << 22);
	struct jose_keys *k = jose_keys_new(), *again = jose_keys_new();

	token_property(a, text);
	if (!jose_keys_add_jwks(k, text, NULL, NULL).code && jose_keys_count(k) > 0) {
		json_t *set = jose_keys_private(k);

		if (!set || jose_keys_add_jwks(again, jsn_text(a, set, 0), NULL, NULL).code ||
		    jose_keys_count(again) != jose_keys_count(k))
			abort();
		json_decref(set);
	}
	(void)jose_keys_add_pem(k, STR_NULL, text, NULL);
	jose_keys_free(k);
	jose_keys_free(again);
	arena_free(a);
	return 0;
}
