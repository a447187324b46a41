/* What callers show: certificates in all forms of web servers and proxies, their names against what a policy names, lists of
 * revoked certificates and answers of OCSP responders, which nobody but the issuer can sign. Whatever comes out of the many forms is PEM and stays the same when it is read again.
 * Input: a distinguished name as a policy writes it, a line feed, a certificate or list. */
#include "core/certtext.h"
#include "core/str.h"
#include "policy/elements/cert_match.h"
#include "policy/elements/ocsp.h"
#include "policy/trust.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* An issuer whose key is made here and forgotten: no input can have its signature. */
static X509 *issuer_of_nothing(void)
{
	static X509 *x;
	EVP_PKEY *key;

	if (x)
		return x;
	key = EVP_EC_gen("P-256");
	x = X509_new();
	if (!key || !x || !X509_set_pubkey(x, key) || !X509_gmtime_adj(X509_getm_notBefore(x), 0)
	    || !X509_gmtime_adj(X509_getm_notAfter(x), 86400) || !X509_sign(x, key, EVP_sha256()))
		abort();
	EVP_PKEY_free(key);
	return x;
}

static void ocsp(struct str der)
{
	struct ocsp_answer answer;
	const char *why;

	if (ocsp_read(der, issuer_of_nothing(), issuer_of_nothing(), INT64_C(1750000000000000), &answer, &why))
		abort();
}

static void certificate(struct arena *a, struct str text, struct str name)
{
	STACK_OF(X509) *more = sk_X509_new_null(), *chain;
	const struct trust_rules rules = { .now_us = INT64_C(1750000000000000), .not_after = true, .revocation = true };
	X509 *c = trust_read_certificate(text, more);

	if (c) {
		static struct trust *nobody;

		if (!nobody && trust_new(&nobody, &(struct trust_options){ 0 }, NULL).code)
			abort();
		if (!trust_check(nobody, c, more, &rules, &chain))
			abort();         /* nobody is trusted, so no chain is good */
		sk_X509_pop_free(chain, X509_free);
		cert_name_is(a, X509_get_subject_name(c), name);
		cert_has_common_name(a, c, name);
		cert_has_dns_name(c, name);
		cert_has_serial(c, name);
		cert_has_thumbprint(c, name);
	}
	X509_free(c);
	sk_X509_pop_free(more, X509_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size }, name = str_first(all, str_find_char(all, '\n')), text = str_from(all, name.n + 1);
	struct arena *a = arena_new(1 << 22);
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	struct str pem = certtext_pem(a, text), again;

	if (pem.n && pem.p != str_trim(text).p) {
		again = certtext_pem(a, pem);
		if (!str_eq(str_trim(again), str_trim(pem)))
			abort();
	}
	certificate(a, pem.n ? pem : text, name);
	if (text.n)
		trust_read_lists(text, lists);
	ocsp(text);
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	arena_free(a);
	return 0;
}
