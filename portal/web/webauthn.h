/* webauthn.h - passkeys: what a browser answers when a key is made and when it signs (W3C Web Authentication Level 2, sections
 * 7.1 and 7.2). Bytes in, a verdict out; no web, no store. The formats of FIDO2 and the signatures are libfido2's.
 *
 * Attestation is not asked for: a key proves that it is the same one as before, not who made the device. The user must have
 * been verified by the device (PIN, finger, face), so a passkey is two factors by itself. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum { WEBAUTHN_ID_MAX = 1023, WEBAUTHN_DATA_MAX = 16 * 1024, WEBAUTHN_CHALLENGE_BYTES = 32 };

/* What must have been signed. */
struct webauthn_expect {
	struct str origin;               /* "https://apis.example.com" */
	struct str rp_id;                /* "apis.example.com" */
	struct str challenge;            /* as it was given out: base64url without padding */
};

struct webauthn_key {
	struct str id;                   /* bytes */
	struct str public_key;           /* as libfido2 keeps it */
	int64_t algorithm;               /* COSE: -7 ES256, -8 EdDSA, -35 ES384, -257 RS256 */
	int64_t sign_count;              /* 0: the device does not count */
};

extern const int webauthn_algorithms[];          /* best first; ends with 0 */

/* Once in a process, before the others. */
void webauthn_init(void);
/* A key was made: client_data is clientDataJSON, auth_data the authenticator data, as bytes. *out is in the arena. INVALID
 * says for the log what does not fit. */
GH_RC webauthn_register(struct arena *a, const struct webauthn_expect *e, struct str client_data, struct str auth_data,
			struct webauthn_key *out, struct gh_err *err);
/* A known key has signed. *count is the new counter; one that did not grow is refused: the key was copied. */
GH_RC webauthn_assert(struct arena *a, const struct webauthn_expect *e, struct str client_data, struct str auth_data,
		      struct str signature, const struct webauthn_key *key, int64_t *count, struct gh_err *err);
