#include "portal/portal/usage.h"

#include "core/refusal.h"
#include "core/str.h"

/* What the gateway wrote into the record of a call is English. Its own sentences are told in the reader's language; what
 * somebody wrote into a policy is told as it was written. */

enum { HOLES_MAX = 3 };

/* With {1}, {2}, … where the call's own words stand. Longer ones before those that they begin with. */
static const char *const sentences[] = {
	"Access denied due to missing subscription key. Make sure to include subscription key when making requests to this API.",
	"Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.",
	"Unable to match incoming request to an operation.",
	"The API has passed its sunset date or was retired.",
	"The request body is larger than the limit",
	"Rate limit is exceeded. Try again in {1} seconds.",
	"Rate limit is exceeded",
	"Out of call volume quota. Quota will be replenished in {1}.",
	"Out of call volume quota.",
	"Out of bandwidth quota. Quota will be replenished in {1}.",
	"Out of bandwidth quota.",
	"Failed to establish IP address for the caller. Access denied.",
	"Caller IP address {1} is not allowed. Access denied.",
	"Caller IP address is blocked. Access denied.",
	"The address {1} is not on the allow list of {2}.",
	"The address {1} is on the deny list of {2}.",
	"The call came over http; {1} takes https only.",
	"The rule of subscription {1} allows the methods {2}, not {3}.",
	"The rule of subscription {1} allows the operations {2}, not {3}.",
	"JWT token is missing the following claims: {1}. Access denied.",
	"JWT not present.",
	"JWT is not well formed. Access denied.",
	"JWT is larger than the limit. Access denied.",
	"JWT header is not acceptable. Access denied.",
	"JWT header has a critical extension that is not understood. Access denied.",
	"Signature algorithm is not allowed. Access denied.",
	"JWT must be signed. Access denied.",
	"Signature key was not found. Access denied.",
	"Signature validation failed. Access denied.",
	"Decryption failed. Access denied.",
	"JWT payload is not a JSON object. Access denied.",
	"JWT has no expiration time. Access denied.",
	"JWT has expired. Access denied.",
	"JWT is not valid yet. Access denied.",
	"Issuer is not allowed. Access denied.",
	"Audience is not allowed. Access denied.",
#define ACCESS_SENTENCE(name, word, status, message, fix) message,
	ACCESS_REFUSALS(ACCESS_SENTENCE)
#undef ACCESS_SENTENCE
};

/* Whether text is the sentence, and what stands in its holes. */
static bool fits(struct str sentence, struct str text, struct lang_value v[HOLES_MAX], size_t *n)
{
	size_t hole, end;

	*n = 0;
	for (;;) {
		struct str plain;

		hole = str_find_char(sentence, '{');
		plain = str_first(sentence, hole);
		if (hole == SIZE_MAX)
			return str_eq(plain, text);
		if (*n == HOLES_MAX || !str_starts(text, plain))
			return false;
		text = str_from(text, plain.n);
		sentence = str_from(sentence, hole + 3);         /* "{1}" */
		plain = str_first(sentence, str_find_char(sentence, '{'));
		end = str_find(text, plain);
		if (end == SIZE_MAX)
			return false;
		v[(*n)++] = LANG_STR(str_first(text, end));
		text = str_from(text, end);
	}
}

struct str portal_decision(struct web *w, struct str decision)
{
	struct lang_value v[HOLES_MAX];
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (fits(str_of(sentences[i]), decision, v, &n))
			return n ? web_text_values(w, sentences[i], v, n) : web_text(w, str_of(sentences[i]));
	return decision;
}
