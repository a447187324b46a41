#include "portal/web/totp.h"

#include "core/crypto.h"
#include "core/str.h"
#include "core/uri.h"

#include <stdio.h>

void totp_code(struct str secret, int64_t step, char out[TOTP_DIGITS + 1])
{
	uint8_t counter[8], mac[CRYPTO_SHA1_BYTES];
	uint32_t value;
	size_t at;

	for (size_t i = 0; i < sizeof(counter); i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	crypto_hmac_sha1(secret, (struct str){ (const char *)counter, sizeof(counter) }, mac);
	at = mac[CRYPTO_SHA1_BYTES - 1] & 15;            /* RFC 4226 section 5.3 */
	value = (uint32_t)(mac[at] & 0x7F) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	snprintf(out, TOTP_DIGITS + 1, "%06u", (unsigned)(value % 1000000));
}

bool totp_check(struct str secret, struct str code, int64_t now_s, int64_t *step)
{
	char given[TOTP_DIGITS], want[TOTP_DIGITS + 1];
	int64_t now = now_s / TOTP_STEP_S;
	bool fits = false;
	size_t n = 0;

	for (size_t i = 0; i < code.n; i++) {
		if (code.p[i] == ' ')
			continue;
		if (!ascii_is_digit(code.p[i]) || n == TOTP_DIGITS)
			return false;
		given[n++] = code.p[i];
	}
	for (int64_t s = now - TOTP_DRIFT_STEPS; n == TOTP_DIGITS && s <= now + TOTP_DRIFT_STEPS; s++) {
		totp_code(secret, s, want);
		if (crypto_equal((struct str){ given, n }, (struct str){ want, n })) {
			*step = s;
			fits = true;
		}
	}
	return fits;
}

struct str totp_address(struct arena *a, struct str issuer, struct str account, struct str secret)
{
	struct str name = uri_encode(a, issuer, URI_KEEP_UNRESERVED), who = uri_encode(a, account, URI_KEEP_UNRESERVED);

	return arena_printf(a, "otpauth://totp/%.*s:%.*s?secret=%.*s&issuer=%.*s&algorithm=SHA1&digits=%d&period=%d", STR_ARG(name),
			    STR_ARG(who), STR_ARG(crypto_base32(a, secret)), STR_ARG(name), TOTP_DIGITS, TOTP_STEP_S);
}
