/* What a browser sends about a passkey. First byte: a key that is made, or a signature with a known one; then two bytes for how
 * much of the rest is client data. Nothing made up may ever be taken for a signature, and what is taken for a new key must hold
 * an id and a key. */
#include "tests/unit/portal/webauthn_sample.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct webauthn_key known;
	static struct arena *kept;
	struct arena *a = arena_new(1 << 20);
	struct str rest = { (const char *)data, size }, client, auth;
	struct webauthn_key made;
	struct gh_err err;
	int64_t count;
	size_t cut;

	if (!kept) {
		EVP_PKEY *key = sample_key();

		webauthn_init();
		kept = arena_new(1 << 20);
		if (webauthn_register(kept, &sample_expect, sample_client(kept, "webauthn.create", SAMPLE_CHALLENGE, SAMPLE_ORIGIN, ""),
				      sample_auth(kept, "apis.example.com", 69, 0, key), &known, &err).code)
			abort();
		EVP_PKEY_free(key);
	}
	if (size < 3) {
		arena_free(a);
		return 0;
	}
	cut = (size_t)data[1] << 8 | data[2];
	rest = str_from(rest, 3);
	client = str_first(rest, cut);
	auth = str_from(rest, cut);
	/* half of the inputs get client data that passes, so that the bytes behind it are reached */
	if (data[0] & 2)
		client = sample_client(a, data[0] & 1 ? "webauthn.get" : "webauthn.create", SAMPLE_CHALLENGE, SAMPLE_ORIGIN, "");
	if (data[0] & 1) {
		if (!webauthn_assert(a, &sample_expect, client, str_first(auth, 37), str_from(auth, 37), &known, &count, &err).code)
			abort();
	} else if (!webauthn_register(a, &sample_expect, client, auth, &made, &err).code && (!made.id.n || !made.public_key.n)) {
		abort();
	}
	arena_free(a);
	return 0;
}
