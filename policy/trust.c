#include "policy/trust.h"

#include "core/str.h"
#include "policy/host.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

struct trust {
	X509_STORE *store;
	STACK_OF(X509_CRL) *lists;
	char *responder;             /* NULL: none is configured */
};

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static int no_password(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
	return -1;
}

X509 *trust_read_certificate(struct str text, STACK_OF(X509) *more)
{
	BIO *b = text.n && text.n <= TRUST_TEXT_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
	X509 *leaf = b ? PEM_read_bio_X509(b, NULL, no_password, NULL) : NULL, *next;

	for (int i = 1; leaf && more && i < TRUST_CHAIN_MAX && (next = PEM_read_bio_X509(b, NULL, no_password, NULL)); i++)
		if (!sk_X509_push(more, next))
			X509_free(next);
	if (b && !leaf) {
		const unsigned char *der = (const unsigned char *)text.p;

		leaf = d2i_X509(NULL, &der, (long)text.n);
	}
	BIO_free(b);
	ERR_clear_error();
	return leaf;
}

bool trust_read_lists(struct str text, STACK_OF(X509_CRL) *to)
{
	BIO *b = text.n && text.n <= INT32_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
	bool pem = str_find(str_first(text, 4096), STR("-----BEGIN ")) != SIZE_MAX;
	const unsigned char *der = (const unsigned char *)text.p;
	X509_CRL *list;
	int n = 0;

	while (b && (list = pem ? PEM_read_bio_X509_CRL(b, NULL, no_password, NULL) : d2i_X509_CRL(NULL, &der, (long)text.n))) {
		if (!sk_X509_CRL_push(to, list)) {
			X509_CRL_free(list);
			n = 0;
			break;
		}
		n++;
		if (!pem)
			break;
	}
	BIO_free(b);
	ERR_clear_error();
	return n > 0;
}

/* ---- building ------------------------------------------------------------------------------------------------------- */

static X509_STORE *system_store;

static void read_system(void)
{
	system_store = X509_STORE_new();
	if (system_store)
		X509_STORE_set_default_paths(system_store);
	ERR_clear_error();
}

static X509_STORE *system_authorities(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_system);
	return system_store;
}

static void add_system(X509_STORE *to)
{
	X509_STORE *from = system_authorities();
	const STACK_OF(X509_OBJECT) *all = from ? X509_STORE_get0_objects(from) : NULL;

	for (int i = 0; all && i < sk_X509_OBJECT_num(all); i++) {
		X509 *c = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (c)
			X509_STORE_add_cert(to, c);
	}
}

static GH_RC add_authority(struct trust *t, struct str pem, size_t which, struct gh_err *err)
{
	STACK_OF(X509) *more = sk_X509_new_null();
	X509 *first = more ? trust_read_certificate(pem, more) : NULL;
	bool ok = first && X509_STORE_add_cert(t->store, first);

	for (int i = 0; ok && i < sk_X509_num(more); i++)
		ok = X509_STORE_add_cert(t->store, sk_X509_value(more, i)) == 1;
	X509_free(first);
	sk_X509_pop_free(more, X509_free);
	if (!ok)
		FAIL(err, INVALID, "authority %zu is no certificate", which);
	return GH_RC_OK;
}

static GH_RC fill(struct trust *t, const struct trust_options *o, struct gh_err *err)
{
	for (size_t i = 0; i < o->n_authorities; i++)
		TRY(add_authority(t, o->authorities[i], i, err));
	for (size_t i = 0; i < o->n_lists; i++)
		if (!trust_read_lists(o->lists[i], t->lists))
			FAIL(err, INVALID, "list %zu is no list of revoked certificates (CRL)", i);
	for (int i = 0; i < sk_X509_CRL_num(t->lists); i++)
		if (!X509_STORE_add_crl(t->store, sk_X509_CRL_value(t->lists, i)))
			FAIL(err, NOMEM, "authorities");
	if (o->system)
		add_system(t->store);
	if (o->responder.n && !(t->responder = strndup(o->responder.p, o->responder.n)))
		FAIL(err, NOMEM, "authorities");
	return GH_RC_OK;
}

GH_RC trust_new(struct trust **out, const struct trust_options *o, struct gh_err *err)
{
	struct trust *t = calloc(1, sizeof(*t));
	gh_rc rc;

	*out = NULL;
	if (!t || !(t->store = X509_STORE_new()) || !(t->lists = sk_X509_CRL_new_null())) {
		trust_free(t);
		FAIL(err, NOMEM, "authorities");
	}
	rc = fill(t, o, err);
	ERR_clear_error();
	if (rc.code)
		trust_free(t);
	else
		*out = t;
	return rc;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
	sk_X509_CRL_pop_free(t->lists, X509_CRL_free);
	free(t->responder);
	free(t);
}

static struct trust *of_system;

static void make_of_system(void)
{
	struct gh_err err;

	if (trust_new(&of_system, &(struct trust_options){ .system = true }, &err).code)
		of_system = NULL;
}

const struct trust *trust_of(const struct policy_host *host, struct exchange *x)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct trust *t = host && host->trust ? host->trust(x) : NULL;

	if (t)
		return t;
	pthread_once(&once, make_of_system);
	return of_system;
}

/* ---- checking ------------------------------------------------------------------------------------------------------- */

struct finding {
	const struct trust_rules *rules;
	int error;                   /* the first that counts */
};

static bool is_of_lists(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_CERT_REVOKED:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		return true;
	default:
		return false;
	}
}

static bool is_among(const STACK_OF(X509) *list, const X509 *c)
{
	for (int i = 0; list && c && i < sk_X509_num(list); i++)
		if (!X509_cmp(sk_X509_value(list, i), c))
			return true;
	return false;
}

static bool counts(const struct trust_rules *r, X509_STORE_CTX *ctx, int error)
{
	/* nobody revokes the authority that is trusted */
	if (is_of_lists(error) && X509_STORE_CTX_get_error_depth(ctx) == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1)
		return false;
	if (is_of_lists(error) && error != X509_V_ERR_CERT_REVOKED && is_among(r->good, X509_STORE_CTX_get_current_cert(ctx)))
		return false;
	switch (error) {
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return r->not_before;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return r->not_after;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return !r->unknown_is_good;
	default:
		return true;
	}
}

/* Goes on in any case, so that the chain is there even when it is not good. */
static int note(int ok, X509_STORE_CTX *ctx)
{
	struct finding *f = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx);

	if (!ok && f->error == X509_V_OK && counts(f->rules, ctx, error))
		f->error = error;
	return 1;
}

static const char *text_of(int error)
{
	switch (error) {
	case X509_V_OK:
		return NULL;
	case X509_V_ERR_CERT_REVOKED:
		return TRUST_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return "whether it has been revoked is not known: no list of its issuer is at hand";
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return "whether it has been revoked is not known: the list of its issuer is out of date";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "it or a certificate above it has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "it or a certificate above it is not valid yet";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "its chain ends at no trusted authority";
	default:
		return X509_verify_cert_error_string(error);
	}
}

static void configure(X509_STORE_CTX *ctx, const struct trust_rules *r)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;

	if (r->revocation)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	X509_VERIFY_PARAM_set_flags(p, flags);
	X509_VERIFY_PARAM_set_time(p, (time_t)(r->now_us / 1000000));
	X509_VERIFY_PARAM_set_auth_level(p, TRUST_AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(p, TRUST_CHAIN_MAX);
	if (!r->any_purpose)
		X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
	if (r->lists)
		X509_STORE_CTX_set0_crls(ctx, r->lists);
	X509_STORE_CTX_set_verify_cb(ctx, note);
}

const char *trust_check(const struct trust *t, X509 *leaf, STACK_OF(X509) *more, const struct trust_rules *r,
			STACK_OF(X509) **chain)
{
	X509_STORE_CTX *ctx = t ? X509_STORE_CTX_new() : NULL;
	struct finding f = { .rules = r };
	int verdict = -1;

	*chain = NULL;
	if (ctx && X509_STORE_CTX_init(ctx, t->store, leaf, more)) {
		configure(ctx, r);
		X509_STORE_CTX_set_app_data(ctx, &f);
		verdict = X509_verify_cert(ctx);
		if (verdict <= 0 && f.error == X509_V_OK)
			f.error = X509_STORE_CTX_get_error(ctx) ? X509_STORE_CTX_get_error(ctx) : X509_V_ERR_UNSPECIFIED;
		*chain = X509_STORE_CTX_get1_chain(ctx);
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return *chain ? text_of(f.error) : "its chain could not be checked";
}

bool trust_issued(X509 *issuer, X509 *subject)
{
	bool yes = X509_check_issued(issuer, subject) == X509_V_OK && X509_verify(subject, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return yes;
}

struct str trust_responder(const struct trust *t)
{
	return t ? str_of(t->responder) : STR_NULL;
}

bool trust_has_list(const struct trust *t, const X509_NAME *issuer, int64_t now_us)
{
	time_t now = (time_t)(now_us / 1000000);

	for (int i = 0; t && i < sk_X509_CRL_num(t->lists); i++) {
		X509_CRL *list = sk_X509_CRL_value(t->lists, i);
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);

		if (!X509_NAME_cmp(X509_CRL_get_issuer(list), issuer) && (!next || X509_cmp_time(next, &now) > 0))
			return true;
	}
	return false;
}
