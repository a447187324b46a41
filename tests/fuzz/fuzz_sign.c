/* Structured fields and signatures of callers: nothing crashes, what was parsed and written is parsed and written the same
 * again, and no request that we did not sign is taken for signed. The first byte chooses what the rest is taken for. */
#include "core/sign.h"
#include "core/str.h"

#include <stdlib.h>

static void dictionary_property(struct arena *a, struct str text)
{
	struct sfv_list l, again;
	struct buf b, c;

	if (!sfv_parse_dictionary(a, text, &l))
		return;
	buf_init(&b, 1 << 20);
	buf_init(&c, 1 << 20);
	sfv_write_dictionary(&b, &l);
	if (!buf_ok(&b) || !sfv_parse_dictionary(a, buf_view(&b), &again))
		abort();
	sfv_write_dictionary(&c, &again);
	if (!str_eq(buf_view(&b), buf_view(&c)))
		abort();
	buf_release(&b);
	buf_release(&c);
}

static void request_property(struct arena *a, struct str text)
{
	struct sign_field f[] = { { STR("Authorization"), STR_NULL }, { STR("X-Amz-Date"), STR("20150830T123600Z") },
				  { STR("Signature-Input"), STR_NULL }, { STR("Signature"), STR_NULL }, { STR("X-Signature"), STR_NULL } };
	struct sign_request rq = { STR("GET"), STR("https"), STR("h.example"), STR("/"), STR_NULL, f, ARRAY_LEN(f) };
	const struct sigv4_rules rules = { .secret = STR("secret"), .payload = STR("00"), .flags = SIGV4_NORMALIZE };
	struct msgsig_message m = { .rq = rq };
	const struct hmac_scheme scheme = { 0 };
	struct jose_keys *keys = jose_keys_new();
	const struct msgsig_rules message_rules = { .keys = keys };
	struct sigv4_claim aws;
	struct msgsig_claim claim;
	struct hmac_claim mac;
	struct str part;

	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		if (i != 1 && str_split(&text, '\n', &part))
			f[i].value = part;
	rq.query = text;
	if (jose_keys_add_secret(keys, STR_NULL, STR("0123456789abcdef0123456789abcdef"), NULL).code)
		abort();
	if (sigv4_parse(a, &rq, &aws) == SIGN_OK && sigv4_verify(a, &rq, &aws, &rules) == SIGN_OK)
		abort();
	if (msgsig_parse(a, &m, STR_NULL, &claim) == SIGN_OK && msgsig_verify(a, &m, &claim, &message_rules) == SIGN_OK)
		abort();
	if (hmac_parse(a, &rq, &scheme, &mac) == SIGN_OK && hmac_verify(a, &rq, &scheme, &mac, STR("secret"), STR(""), 1, 0) == SIGN_OK)
		abort();
	jose_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 24);
	struct sfv_list l;

	if (size) {
		struct str text = { (const char *)data + 1, size - 1 };

		if (data[0] & 1) {
			dictionary_property(a, text);
			(void)sfv_parse_list(a, text, &l);
			(void)content_digest_check(a, text, STR("body"));
		} else {
			request_property(a, text);
		}
	}
	arena_free(a);
	return 0;
}
