#include "portal/web/webauthn.h"

#include "core/crypto.h"
#include "core/json.h"
#include "core/str.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/es384.h>
#include <fido/rs256.h>

/* Section 6.1: SHA-256 of the RP id, flags, counter; then the key, when one was made. */
enum { AT_FLAGS = 32, AT_COUNT = 33, HEAD = 37, FLAG_UP = 1, FLAG_UV = 4, FLAG_AT = 64, FLAG_ED = 128, CBOR_DEPTH_MAX = 8 };

const int webauthn_algorithms[] = { COSE_ES256, COSE_EDDSA, COSE_ES384, COSE_RS256, 0 };

void webauthn_init(void)
{
	fido_init(0);
}

/* ---- what both answers have ------------------------------------------------------------------------------------------------- */

static GH_RC check_client_data(struct arena *a, const struct webauthn_expect *e, struct str text, const char *type, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = WEBAUTHN_DATA_MAX, .max_depth = 8, .flags = JSN_UNIQUE_KEYS };
	struct gh_err inner = { .message = "" };
	json_t *data;

	if (jsn_parse_in(a, text, &limits, &data, NULL, &inner).code)
		FAIL(err, INVALID, "the client data is no JSON: %s", inner.message);
	if (!str_eq(jsn_str(data, "type"), str_of(type)))
		FAIL(err, INVALID, "the answer is of another kind than %s", type);
	if (!e->challenge.n || !crypto_equal(jsn_str(data, "challenge").p ? jsn_str(data, "challenge") : STR(""), e->challenge))
		FAIL(err, INVALID, "the answer is for another challenge");
	if (!e->origin.n || !str_eq_ci(jsn_str(data, "origin"), e->origin))
		FAIL(err, INVALID, "the answer comes from %.*s", STR_ARG(str_first(jsn_str(data, "origin"), 200)));
	if (jsn_bool(data, "crossOrigin", false))
		FAIL(err, INVALID, "the answer comes from a frame in another site");
	return GH_RC_OK;
}

static GH_RC check_head(const struct webauthn_expect *e, struct str data, unsigned flags, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	if (data.n < HEAD || data.n > WEBAUTHN_DATA_MAX)
		FAIL(err, INVALID, "%zu bytes of authenticator data", data.n);
	crypto_sha256(e->rp_id, digest);
	if (memcmp(digest, data.p, sizeof(digest)) != 0)
		FAIL(err, INVALID, "the key belongs to another site");
	if (((uint8_t)data.p[AT_FLAGS] & flags) != flags)
		FAIL(err, INVALID, "the device did not verify its user (flags %02x)", (uint8_t)data.p[AT_FLAGS]);
	return GH_RC_OK;
}

/* Passes over one CBOR value (RFC 8949) whose lengths all fit into what is there: libfido2 would ask for as much memory as a
 * length claims. Lengths are definite, as CTAP2 has them. */
static bool cbor_skip(struct str *s, unsigned depth)
{
	unsigned major, info;
	uint64_t n;

	if (!s->n || depth > CBOR_DEPTH_MAX)
		return false;
	major = (uint8_t)s->p[0] >> 5;
	n = info = (uint8_t)s->p[0] & 31;
	*s = str_from(*s, 1);
	if (info > 27)
		return false;
	if (info >= 24) {
		size_t bytes = (size_t)1 << (info - 24);

		if (s->n < bytes)
			return false;
		n = 0;
		for (size_t i = 0; i < bytes; i++)
			n = n << 8 | (uint8_t)s->p[i];
		*s = str_from(*s, bytes);
	}
	if (major >= 2 && major <= 5 && n > s->n)
		return false;
	if (major == 2 || major == 3)
		*s = str_from(*s, (size_t)n);
	for (uint64_t i = 0; (major == 4 || major == 5) && i < n * (major - 3); i++)
		if (!cbor_skip(s, depth + 1))
			return false;
	return major != 6 || cbor_skip(s, depth + 1);
}

/* What stands behind the head: the key when one was made, extensions when the flags say so, and nothing else. */
static GH_RC check_rest(struct str data, bool made, struct gh_err *err)
{
	enum { AAGUID = 16, LENGTH = 2 };
	struct str rest = str_from(data, HEAD);
	bool fine = true;

	if (made) {
		size_t id = rest.n < AAGUID + LENGTH ? SIZE_MAX : (size_t)((uint8_t)rest.p[AAGUID] << 8 | (uint8_t)rest.p[AAGUID + 1]);

		fine = id <= WEBAUTHN_ID_MAX && rest.n >= AAGUID + LENGTH + id;
		rest = str_from(rest, fine ? AAGUID + LENGTH + id : 0);
		fine = fine && cbor_skip(&rest, 0);
	}
	if (fine && ((uint8_t)data.p[AT_FLAGS] & FLAG_ED))
		fine = cbor_skip(&rest, 0);
	if (!fine || rest.n)
		FAIL(err, INVALID, "the authenticator data is malformed");
	return GH_RC_OK;
}

/* ---- a key is made ---------------------------------------------------------------------------------------------------------- */

static GH_RC take_key(struct arena *a, fido_cred_t *cred, int algorithm, struct webauthn_key *out, struct gh_err *err)
{
	struct str id = { (const char *)fido_cred_id_ptr(cred), fido_cred_id_len(cred) };
	struct str key = { (const char *)fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred) };

	if (!id.p || !id.n || id.n > WEBAUTHN_ID_MAX || !key.p || !key.n)
		FAIL(err, INVALID, "the authenticator data holds no key");
	*out = (struct webauthn_key){ arena_dup(a, id), arena_dup(a, key), algorithm, fido_cred_sigcount(cred) };
	if (!out->id.p || !out->public_key.p)
		FAIL(err, NOMEM, "passkey");
	return GH_RC_OK;
}

gh_rc webauthn_register(struct arena *a, const struct webauthn_expect *e, struct str client_data, struct str auth_data,
			struct webauthn_key *out, struct gh_err *err)
{
	TRY(check_client_data(a, e, client_data, "webauthn.create", err));
	TRY(check_head(e, auth_data, FLAG_UP | FLAG_UV | FLAG_AT, err));
	TRY(check_rest(auth_data, true, err));
	for (size_t i = 0; webauthn_algorithms[i]; i++) {        /* libfido2 wants to be told which; the data says it as well */
		fido_cred_t *cred = fido_cred_new();
		gh_rc rc;

		if (!cred)
			FAIL(err, NOMEM, "passkey");
		if (fido_cred_set_type(cred, webauthn_algorithms[i]) != FIDO_OK
		    || fido_cred_set_authdata_raw(cred, (const unsigned char *)auth_data.p, auth_data.n) != FIDO_OK) {
			fido_cred_free(&cred);
			continue;
		}
		rc = take_key(a, cred, webauthn_algorithms[i], out, err);
		fido_cred_free(&cred);
		return rc;
	}
	FAIL(err, INVALID, "the authenticator data holds no key of a kind that was asked for");
}

/* ---- a key signs ------------------------------------------------------------------------------------------------------------ */

static int verify(const fido_assert_t *assert, const struct webauthn_key *key)
{
	union {
		es256_pk_t *es256;
		es384_pk_t *es384;
		eddsa_pk_t *eddsa;
		rs256_pk_t *rs256;
	} pk;
	int rc = FIDO_ERR_INVALID_ARGUMENT;

#define WITH(kind)                                                                                                          \
	do {                                                                                                                \
		pk.kind = kind##_pk_new();                                                                                  \
		if (pk.kind && kind##_pk_from_ptr(pk.kind, key->public_key.p, key->public_key.n) == FIDO_OK)                 \
			rc = fido_assert_verify(assert, 0, (int)key->algorithm, pk.kind);                                   \
		kind##_pk_free(&pk.kind);                                                                                   \
	} while (0)
	switch (key->algorithm) {
	case COSE_ES256:
		WITH(es256);
		break;
	case COSE_ES384:
		WITH(es384);
		break;
	case COSE_EDDSA:
		WITH(eddsa);
		break;
	case COSE_RS256:
		WITH(rs256);
		break;
	default:
		break;
	}
#undef WITH
	return rc;
}

static int check_signature(struct str rp_id, struct str client_data, struct str auth_data,
			   struct str signature, const struct webauthn_key *key)
{
	fido_assert_t *assert = fido_assert_new();
	uint8_t digest[CRYPTO_SHA256_BYTES];
	int rc = FIDO_ERR_INTERNAL;

	crypto_sha256(client_data, digest);
	if (assert && (rc = fido_assert_set_count(assert, 1)) == FIDO_OK && (rc = fido_assert_set_rp(assert, rp_id.p)) == FIDO_OK
	    && (rc = fido_assert_set_clientdata_hash(assert, digest, sizeof(digest))) == FIDO_OK
	    && (rc = fido_assert_set_authdata_raw(assert, 0, (const unsigned char *)auth_data.p, auth_data.n)) == FIDO_OK
	    && (rc = fido_assert_set_sig(assert, 0, (const unsigned char *)signature.p, signature.n)) == FIDO_OK
	    && (rc = fido_assert_set_up(assert, FIDO_OPT_TRUE)) == FIDO_OK && (rc = fido_assert_set_uv(assert, FIDO_OPT_TRUE)) == FIDO_OK)
		rc = verify(assert, key);
	fido_assert_free(&assert);
	return rc;
}

gh_rc webauthn_assert(struct arena *a, const struct webauthn_expect *e, struct str client_data, struct str auth_data,
		      struct str signature, const struct webauthn_key *key, int64_t *count, struct gh_err *err)
{
	const uint8_t *n;
	struct str rp_id;
	int rc;

	TRY(check_client_data(a, e, client_data, "webauthn.get", err));
	TRY(check_head(e, auth_data, FLAG_UP | FLAG_UV, err));
	TRY(check_rest(auth_data, false, err));
	rp_id = arena_dup(a, e->rp_id);          /* with its zero byte, for libfido2 */
	if (!rp_id.p)
		FAIL(err, NOMEM, "passkey");
	if (!signature.n || signature.n > WEBAUTHN_DATA_MAX)
		FAIL(err, INVALID, "%zu bytes of signature", signature.n);
	rc = check_signature(rp_id, client_data, auth_data, signature, key);
	if (rc != FIDO_OK)
		FAIL(err, INVALID, "the signature does not fit: %s", fido_strerr(rc));
	n = (const uint8_t *)auth_data.p + AT_COUNT;
	*count = (int64_t)n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3];
	/* section 6.1.1: a counter that does not grow tells of a copy */
	if ((*count || key->sign_count) && *count <= key->sign_count)
		FAIL(err, INVALID, "the counter went from %lld to %lld: the key may have been copied", (long long)key->sign_count,
		     (long long)*count);
	return GH_RC_OK;
}
