/* pki.h - certificates and lists of revoked ones, made while a test runs. Keys are P-256: quick to make. Everything ends
 * with the arena. */
#pragma once

#include "tests/unit/check.h"

#include "core/arena.h"
#include "core/str.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct pki {
	X509 *cert;
	EVP_PKEY *key;
	struct str pem;
};

struct pki_wish {
	const char *subject;             /* "CN=a/O=b": in the order of the certificate */
	const struct pki *issuer;        /* NULL: itself */
	long serial;
	int64_t from_s, to_s;
	bool ca;
	const char *alt, *usage, *crl_at, *ocsp_at;      /* extensions as OpenSSL's configuration writes them; NULL: none */
};

static void pki_free(void *arg)
{
	struct pki *p = arg;

	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

static struct str pki_text(struct arena *a, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	struct str out = arena_dup(a, (struct str){ p, (size_t)n });

	BIO_free(b);
	return out;
}

static void pki_extend(X509 *c, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	if (!value)
		return;
	X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	X509_add_ext(c, e, -1);
	X509_EXTENSION_free(e);
}

static X509_NAME *pki_name(struct arena *a, const char *text)
{
	X509_NAME *n = X509_NAME_new();
	struct str rest = str_of(text), part;

	while (str_split(&rest, '/', &part)) {
		size_t eq = str_find_char(part, '=');

		assert_true(X509_NAME_add_entry_by_txt(n, arena_cstr(a, str_first(part, eq)), MBSTRING_UTF8,
						       (const unsigned char *)part.p + eq + 1, (int)(part.n - eq - 1), -1, 0));
	}
	return n;
}

static struct pki *pki_make(struct arena *a, const struct pki_wish *w)
{
	struct pki *p = arena_new_of(a, struct pki);
	const struct pki *by = w->issuer ? w->issuer : p;
	X509_NAME *name = pki_name(a, w->subject);
	BIO *b = BIO_new(BIO_s_mem());

	assert_true(arena_defer(a, pki_free, p));
	p->key = EVP_EC_gen("P-256");
	p->cert = X509_new();
	X509_set_version(p->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p->cert), w->serial);
	ASN1_TIME_set(X509_getm_notBefore(p->cert), (time_t)w->from_s);
	ASN1_TIME_set(X509_getm_notAfter(p->cert), (time_t)w->to_s);
	X509_set_subject_name(p->cert, name);
	X509_set_issuer_name(p->cert, w->issuer ? X509_get_subject_name(w->issuer->cert) : name);
	X509_NAME_free(name);
	X509_set_pubkey(p->cert, p->key);
	pki_extend(p->cert, by->cert, NID_basic_constraints, w->ca ? "critical,CA:TRUE" : "CA:FALSE");
	pki_extend(p->cert, by->cert, NID_subject_key_identifier, "hash");
	pki_extend(p->cert, by->cert, NID_subject_alt_name, w->alt);
	pki_extend(p->cert, by->cert, NID_ext_key_usage, w->usage);
	pki_extend(p->cert, by->cert, NID_crl_distribution_points, w->crl_at);
	pki_extend(p->cert, by->cert, NID_info_access, w->ocsp_at);
	assert_true(X509_sign(p->cert, by->key, EVP_sha256()) > 0);
	PEM_write_bio_X509(b, p->cert);
	p->pem = pki_text(a, b);
	return p;
}

static UNUSED struct str pki_key(struct arena *a, const struct pki *p)
{
	BIO *b = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(b, p->key, NULL, NULL, 0, NULL, NULL);
	return pki_text(a, b);
}

/* A list with at most one certificate on it, in PEM or DER. */
static UNUSED struct str pki_list(struct arena *a, const struct pki *by, const struct pki *revoked, int64_t from_s, int64_t to_s, bool der)
{
	X509_CRL *l = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)from_s);
	BIO *b = BIO_new(BIO_s_mem());

	X509_CRL_set_version(l, 1);
	X509_CRL_set_issuer_name(l, X509_get_subject_name(by->cert));
	X509_CRL_set1_lastUpdate(l, t);
	if (revoked) {
		X509_REVOKED *r = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked->cert));
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(l, r);
	}
	ASN1_TIME_set(t, (time_t)to_s);
	X509_CRL_set1_nextUpdate(l, t);
	ASN1_TIME_free(t);
	X509_CRL_sort(l);
	assert_true(X509_CRL_sign(l, by->key, EVP_sha256()) > 0);
	if (der)
		i2d_X509_CRL_bio(b, l);
	else
		PEM_write_bio_X509_CRL(b, l);
	X509_CRL_free(l);
	return pki_text(a, b);
}

static UNUSED struct str pki_thumbprint(struct arena *a, const struct pki *p)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *out = arena_alloc_text(a, 64);
	unsigned n = 0;

	X509_digest(p->cert, EVP_sha1(), digest, &n);
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return (struct str){ out, 2 * (size_t)n };
}
