#include "policy/elements/ocsp.h"

#include "core/crypto.h"
#include "core/str.h"
#include "policy/elements/revocation.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>

struct kept {                            /* immutable but for its count */
	_Atomic unsigned refs;
	bool revoked;
};

static void *hold(void *thing)
{
	struct kept *k = thing;

	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

static void release(void *thing)
{
	struct kept *k = thing;

	if (k && atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1)
		free(k);
}

static struct shelf_place places[OCSP_ANSWERS_MAX];
static struct shelf shelf = SHELF_INIT(places, hold, release);

void ocsp_forget(void)
{
	shelf_clear(&shelf);
}

bool ocsp_revoked(const struct ocsp_state *s)
{
	return ((const struct kept *)s->fetched.thing)->revoked;
}

/* ---- the question --------------------------------------------------------------------------------------------------- */

/* The first address that can be asked; STR_NULL when there is none. */
static struct str responder_of(struct arena *a, const X509 *c)
{
	AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(c, NID_info_access, NULL, NULL);
	struct str found = STR_NULL;

	for (int i = 0; all && !found.n && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(all, i);

		if (OBJ_obj2nid(d->method) == NID_ad_OCSP)
			found = revocation_address(a, d->location);
	}
	AUTHORITY_INFO_ACCESS_free(all);
	return found;
}

/* DER of the question; STR_NULL: out of memory. */
static struct str question(struct arena *a, X509 *cert, X509 *issuer)
{
	OCSP_REQUEST *rq = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, issuer);     /* the digest that all responders know */
	struct str out = STR_NULL;
	unsigned char *der = NULL;
	int n = 0;

	if (rq && id && OCSP_request_add0_id(rq, id)) {
		id = NULL;
		n = i2d_OCSP_REQUEST(rq, &der);
	}
	if (n > 0)
		out = arena_dup(a, (struct str){ (char *)der, (size_t)n });
	OPENSSL_free(der);
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(rq);
	ERR_clear_error();
	return out;
}

bool ocsp_ask(struct exchange *x, X509 *cert, X509 *issuer, struct str responder, struct ocsp_state *s)
{
	struct str hex;

	*s = (struct ocsp_state){ .cert = cert, .issuer = issuer };
	s->fetched.url = responder.n ? responder : responder_of(x->arena, cert);
	if (!s->fetched.url.n)
		return true;
	s->fetched.post = question(x->arena, cert, issuer);
	hex = str_is_null(s->fetched.post) ? STR_NULL : crypto_hex(x->arena, s->fetched.post);
	s->fetched.key = arena_printf(x->arena, "%.*s#%.*s", STR_ARG(s->fetched.url), STR_ARG(hex));
	return hex.p && s->fetched.key.p;
}

/* ---- the answer ----------------------------------------------------------------------------------------------------- */

/* Signed by the issuer or by whom it has sent: nobody else is in the store. */
static bool is_signed(OCSP_BASICRESP *answer, X509 *issuer, int64_t now_us)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *known = sk_X509_new_null();
	bool yes = false;

	if (store && known && sk_X509_push(known, issuer) && X509_STORE_add_cert(store, issuer)) {
		X509_VERIFY_PARAM *p = X509_STORE_get0_param(store);

		X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_time(p, (time_t)(now_us / 1000000));
		X509_VERIFY_PARAM_set_auth_level(p, TRUST_AUTH_LEVEL);
		yes = OCSP_basic_verify(answer, known, store, OCSP_PARTIAL_CHAIN) == 1;
	}
	sk_X509_free(known);
	X509_STORE_free(store);
	return yes;
}

static const char *read_times(const ASN1_TIME *from, const ASN1_TIME *to, int64_t now_us, struct ocsp_answer *out)
{
	int64_t since = from ? -revocation_seconds_until(from, now_us) : -1;
	int64_t left = to ? revocation_seconds_until(to, now_us) : OCSP_AGE_S - since;

	if (!from || since < -OCSP_SKEW_S)
		return "the responder's answer is not valid yet";
	if (left < 0)
		return "the responder's answer is out of date";
	out->stale_s = to ? left : OCSP_LEAST_S;         /* without an end there may be a newer one at any time */
	out->fresh_s = left > OCSP_FRESH_S ? OCSP_FRESH_S : left;
	if (!to || out->fresh_s < OCSP_LEAST_S)
		out->fresh_s = OCSP_LEAST_S;
	return NULL;
}

static const char *read_single(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer, int64_t now_us, struct ocsp_answer *out)
{
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, issuer);
	ASN1_GENERALIZEDTIME *from = NULL, *to = NULL;
	int status = -1;
	bool there = id && OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &to) == 1;

	OCSP_CERTID_free(id);
	if (!there)
		return "the responder's answer is about another certificate";
	if (status != V_OCSP_CERTSTATUS_GOOD && status != V_OCSP_CERTSTATUS_REVOKED)
		return "the responder does not know the certificate";
	out->revoked = status == V_OCSP_CERTSTATUS_REVOKED;
	return read_times(from, to, now_us, out);
}

bool ocsp_read(struct str der, X509 *cert, X509 *issuer, int64_t now_us, struct ocsp_answer *out, const char **why)
{
	const unsigned char *p = (const unsigned char *)der.p;
	OCSP_RESPONSE *response = der.n <= OCSP_BYTES_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)der.n) : NULL;
	int status = response ? OCSP_response_status(response) : -1;
	OCSP_BASICRESP *basic = status == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(response) : NULL;

	*out = (struct ocsp_answer){ 0 };
	if (!response)
		*why = "the responder's answer cannot be read";
	else if (!basic)
		*why = "the responder gives no answer";
	else if (!is_signed(basic, issuer, now_us))
		*why = "the responder's answer is not signed by the issuer";
	else
		*why = read_single(basic, cert, issuer, now_us, out);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return !*why;
}

static enum fetched_take take(struct exchange *x, struct fetched *f, struct str bytes, void **thing)
{
	const struct ocsp_state *s = CONTAINER_OF(f, struct ocsp_state, fetched);
	struct ocsp_answer answer;
	struct kept *k;
	const char *why;

	if (!ocsp_read(bytes, s->cert, s->issuer, x->host->now_us(x), &answer, &why)) {
		f->why = arena_printf(x->arena, "%s (%.*s)", why, STR_ARG(str_first(f->url, 200)));
		return FETCHED_BAD;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		f->why = STR("out of memory");
		return FETCHED_BAD;
	}
	k->refs = 1;
	k->revoked = answer.revoked;
	f->fresh_s = answer.fresh_s;
	f->stale_s = answer.stale_s;
	*thing = k;
	return FETCHED_THING;
}

static void let_go(void *cert)
{
	X509_free(cert);
}

/* The certificates of the caller go with him. */
static bool brief(struct arena *a, const struct fetched *from, struct fetched *to)
{
	const struct ocsp_state *s = CONTAINER_OF(from, const struct ocsp_state, fetched);
	struct ocsp_state *own = CONTAINER_OF(to, struct ocsp_state, fetched);
	X509 *const all[] = { s->cert, s->issuer };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		X509_up_ref(all[i]);
		if (!arena_defer(a, let_go, all[i])) {
			X509_free(all[i]);
			return false;
		}
	}
	own->cert = s->cert;
	own->issuer = s->issuer;
	return true;
}

static const struct fetched_kind kind = {
	.shelf = &shelf, .pace = { OCSP_FRESH_S, OCSP_RETRY_S }, .name = "status of a certificate",
	.accept = "application/ocsp-response", .post_type = "application/ocsp-request", .timeout_ms = OCSP_TIMEOUT_MS,
	.max_bytes = OCSP_BYTES_MAX, .state_bytes = sizeof(struct ocsp_state), .take = take, .brief = brief,
};

enum step ocsp_step(struct exchange *x, struct ocsp_state *s)
{
	return fetched_step(x, &kind, &s->fetched);
}
