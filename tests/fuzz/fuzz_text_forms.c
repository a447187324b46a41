/* Hexadecimal, base64, base64url: what a decoder accepts has exactly one text, and that is the one it was given. Scopes of
 * policy documents: what is accepted names what its kind needs. */
#include "core/crypto.h"
#include "core/str.h"
#include "db/policies.h"

#include <stdlib.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void forms(struct arena *a, struct str text)
{
	struct str bytes = STR_NULL;

	if (crypto_hex_decode(a, text, &bytes))
		must(str_eq_ci(crypto_hex(a, bytes), text));
	if (crypto_base64_decode(a, text, &bytes))
		must(str_eq(crypto_base64(a, bytes), text));
	if (crypto_base64url_decode(a, text, &bytes)) {
		size_t n = text.n;

		while (n && text.p[n - 1] == '=')
			n--;
		must(str_eq(crypto_base64url(a, bytes), str_first(text, n)));
	}
}

static void round_trip(struct arena *a, struct str bytes)
{
	struct str back = STR_NULL;

	must(crypto_hex_decode(a, crypto_hex(a, bytes), &back) && str_eq(back, bytes));
	must(crypto_base64_decode(a, crypto_base64(a, bytes), &back) && str_eq(back, bytes));
	must(crypto_base64url_decode(a, crypto_base64url(a, bytes), &back) && str_eq(back, bytes));
}

static void scope(struct str text)
{
	struct store_policy_scope s;
	struct gh_err err;

	if (store_policy_scope_parse(text, &s, &err).code)
		return;
	must((s.business_group_id.n > 0) == (s.kind == STORE_POLICY_WORKSPACE));
	must((s.environment_id.n > 0) == (s.kind == STORE_POLICY_ENVIRONMENT));
	must((s.product_id.n > 0) == (s.kind == STORE_POLICY_PRODUCT));
	must((s.api_id.n > 0) == (s.kind == STORE_POLICY_API || s.kind == STORE_POLICY_OPERATION));
	must((s.operation_id.n > 0) == (s.kind == STORE_POLICY_OPERATION));
	must(s.revision >= 0 && (s.revision == 0 || s.api_id.n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = { (const char *)data, n };
	struct arena *a = arena_new(1 << 20);

	if (!a || n > 65536) {
		arena_free(a);
		return 0;
	}
	forms(a, in);
	round_trip(a, in);
	scope(in);
	arena_free(a);
	return 0;
}
