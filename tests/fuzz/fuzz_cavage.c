/* The fields Authorization and Signature of draft-cavage-http-signatures: nothing crashes, what was read is a part of what came,
 * what was read and written again is read the same, and no request that we did not sign is taken for signed. The first line is
 * Authorization, the second Signature, then Date, X-Date, Digest and Host; what is left is the query. */
#include "core/crypto.h"
#include "core/sign.h"
#include "core/str.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 24, NOW_S = 1000000000, WINDOW_S = 1 << 30, BODY_AT = 4 };

static bool writable(struct str s)
{
	return str_find_char(s, '"') == SIZE_MAX && str_find_char(s, '\0') == SIZE_MAX;
}

/* What holds no quotation mark and no end of a C string can be written between two of them. */
static void same_again(struct arena *a, const struct sign_request *rq, const struct cavage_claim *c)
{
	struct sign_field *f = arena_alloc(a, rq->n_fields, sizeof(*f));
	struct sign_request again = *rq;
	struct cavage_claim second;

	if (!f)
		return;
	for (size_t i = 0; i < rq->n_fields; i++)
		f[i] = rq->fields[i];
	f[0].value = arena_printf(a, "Signature keyId=\"%.*s\",algorithm=\"%.*s\",headers=\"%.*s\",signature=\"%.*s\"%s%.*s%s%s%.*s%s",
				  STR_ARG(c->key_id), STR_ARG(c->algorithm), STR_ARG(c->headers),
				  STR_ARG(crypto_base64(a, c->signature)), c->created.p ? ",created=\"" : "", STR_ARG(c->created),
				  c->created.p ? "\"" : "", c->expires.p ? ",expires=\"" : "", STR_ARG(c->expires), c->expires.p ? "\"" : "");
	again.fields = f;
	if (cavage_parse(a, &again, &second) != SIGN_OK || !str_eq(second.key_id, c->key_id) || !str_eq(second.headers, c->headers)
	    || !str_eq(second.algorithm, c->algorithm) || !str_eq(second.signature, c->signature) || second.created_s != c->created_s
	    || second.expires_s != c->expires_s || second.at_s != c->at_s)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sign_field f[] = { { STR("Authorization"), STR_NULL }, { STR("Signature"), STR_NULL }, { STR("Date"), STR_NULL },
				  { STR("X-Date"), STR_NULL }, { STR("Digest"), STR_NULL }, { STR("Host"), STR_NULL } };
	struct sign_request rq = { STR("POST"), STR("https"), STR("h.example"), STR("/"), STR_NULL, f, ARRAY_LEN(f) };
	struct str text = { (const char *)data, size };
	struct arena *a = arena_new(ARENA_BYTES);
	struct cavage_claim c;

	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		if (!str_split(&text, '\n', &f[i].value))
			f[i].value = STR_NULL;
	rq.query = text;
	if (cavage_parse(a, &rq, &c) == SIGN_OK) {
		if (!c.key_id.n || !c.headers.n)
			abort();
		if (c.signature.n && writable(c.key_id) && writable(c.algorithm) && writable(c.headers) && writable(c.expires))
			same_again(a, &rq, &c);
		(void)cavage_covers(&c, STR("digest"));
		(void)cavage_text(a, &rq, &c);
		if (cavage_verify(a, &rq, &c, STR("secret that nobody knows"), f[BODY_AT].value, NOW_S, WINDOW_S) == SIGN_OK)
			abort();
	}
	arena_free(a);
	return 0;
}
