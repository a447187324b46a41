#include "config/certificate.h"

#include "core/str.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

static int64_t time_us(const ASN1_TIME *t)
{
	struct tm tm = { 0 };

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

static struct str thumbprint(struct arena *a, X509 *x)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *out = arena_alloc_text(a, 2 * EVP_MAX_MD_SIZE + 1);

	if (!out || !X509_digest(x, EVP_sha1(), digest, &n))
		return STR_NULL;
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return (struct str){ out, 2 * (size_t)n };
}

static gh_rc describe(struct arena *a, X509 *x, struct store_certificate *out, struct gh_err *err)
{
	char subject[512];

	X509_NAME_oneline(X509_get_subject_name(x), subject, sizeof(subject));
	out->subject = arena_dup(a, str_of(subject));
	out->thumbprint = thumbprint(a, x);
	out->not_before_us = time_us(X509_get0_notBefore(x));
	out->expires_us = time_us(X509_get0_notAfter(x));
	if (!out->subject.p || !out->thumbprint.p)
		FAIL(err, NOMEM, "reading a certificate");
	return GH_RC_OK;
}

/* An encrypted key must be refused and not asked a password for on the terminal. */
static int no_password(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
	return -1;
}

static gh_rc check_key(X509 *x, struct str pem, struct gh_err *err)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;
	bool read = key != NULL, fits = read && X509_check_private_key(x, key);

	EVP_PKEY_free(key);
	BIO_free(in);
	if (!read)
		FAIL(err, INVALID, "there is no private key in PEM, or it needs a password");
	if (!fits)
		FAIL(err, INVALID, "the key does not belong to the certificate");
	return GH_RC_OK;
}

GH_RC certificate_describe(struct arena *a, struct store_certificate *c, bool *of_key, struct gh_err *err)
{
	BIO *in = c->pem.n <= INT32_MAX ? BIO_new_mem_buf(c->pem.p, (int)c->pem.n) : NULL;
	X509 *x = in ? PEM_read_bio_X509(in, NULL, no_password, NULL) : NULL;
	gh_rc rc = GH_RC_OK;

	if (of_key)
		*of_key = false;
	if (!x)
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "there is no certificate in PEM");
	if (!rc.code)
		rc = describe(a, x, c, err);
	if (!rc.code && c->key_pem.n) {
		rc = check_key(x, c->key_pem, err);
		if (of_key)
			*of_key = rc.code != GH_OK;
	}
	X509_free(x);
	BIO_free(in);
	return rc;
}

/* ---- PKCS#12 ----------------------------------------------------------------------------------------------------------- */

static struct str text_of(struct arena *a, BIO *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(out, &p);

	return n > 0 ? arena_dup(a, (struct str){ p, (size_t)n }) : STR_NULL;
}

static gh_rc write_pem(struct arena *a, X509 *x, STACK_OF(X509) *chain, EVP_PKEY *key, struct str *pem, struct str *key_pem, struct gh_err *err)
{
	BIO *out = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
	bool good = out && secret && PEM_write_bio_X509(out, x);

	for (int i = 0; good && i < sk_X509_num(chain); i++)
		good = PEM_write_bio_X509(out, sk_X509_value(chain, i));
	if (good && key)
		good = PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
	*pem = good ? text_of(a, out) : STR_NULL;
	*key_pem = good && key ? text_of(a, secret) : STR_NULL;
	BIO_free(out);
	BIO_free(secret);
	if (!pem->p)
		FAIL(err, NOMEM, "unpacking a certificate");
	return GH_RC_OK;
}

GH_RC certificate_unpack(struct arena *a, struct str archive, struct str password, struct str *pem, struct str *key, struct gh_err *err)
{
	const unsigned char *at = (const unsigned char *)archive.p;
	PKCS12 *p = archive.n && archive.n <= INT32_MAX ? d2i_PKCS12(NULL, &at, (long)archive.n) : NULL;
	const char *word = password.n ? arena_cstr(a, password) : "";
	STACK_OF(X509) *chain = NULL;
	EVP_PKEY *pkey = NULL;
	X509 *x = NULL;
	bool read = p && PKCS12_verify_mac(p, word, (int)password.n), open = read && PKCS12_parse(p, word, &pkey, &x, &chain);
	gh_rc rc = GH_RC_OK;

	*pem = *key = STR_NULL;
	if (!p)
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "this is no PKCS#12 archive (.pfx, .p12)");
	else if (!open)
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, read ? "the archive is encrypted in a way that cannot be read; make it anew with AES"
									     : password.n ? "the password does not open it" : "it needs a password");
	else if (!x)
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "there is no certificate with a key in it");
	else
		rc = write_pem(a, x, chain, pkey, pem, key, err);
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(pkey);
	X509_free(x);
	PKCS12_free(p);
	return rc;
}
