/* x509_parts.c - what of a certificate is rarely asked: parameters of its key, the older names, the kind of its bytes. */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"
#include "policy/net/x509.h"
#include "policy/net/x509_name.h"

static struct str hexadecimal(struct arena *a, const unsigned char *bytes, size_t n)
{
	struct out o = out_in(a);

	for (size_t i = 0; i < n; i++)
		out_fmt(&o, "%02X", bytes[i]);
	return n ? out_str(&o) : STR("");
}

static bool give_bytes(struct vm_call *c, const unsigned char *bytes, size_t n)
{
	struct str copy = arena_dup(c->arena, (struct str){ n ? (const char *)bytes : "", n });

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_subject(struct vm_call *c)
{
	return give_new(c, x509_name_text(c->arena, X509_get_subject_name(SELF(c, const struct certificate)->x)));
}

static bool get_issuer(struct vm_call *c)
{
	return give_new(c, x509_name_text(c->arena, X509_get_issuer_name(SELF(c, const struct certificate)->x)));
}

static bool key_parameters(struct vm_call *c, bool as_text)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(SELF(c, const struct certificate)->x);
	X509_ALGOR *algorithm;
	unsigned char *der = NULL;
	int n = 0;
	bool ok;

	X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, key);
	if (algorithm->parameter)
		n = i2d_ASN1_TYPE(algorithm->parameter, &der);
	ok = as_text ? give_new(c, hexadecimal(c->arena, der, n > 0 ? (size_t)n : 0))
		     : give_bytes(c, der, n > 0 ? (size_t)n : 0);
	OPENSSL_free(der);
	return ok;
}

static bool get_parameters(struct vm_call *c)
{
	return key_parameters(c, false);
}

static bool get_parameters_text(struct vm_call *c)
{
	return key_parameters(c, true);
}

static bool get_archived(struct vm_call *c)
{
	return give_bool(c, false);
}

/* Cert for one in DER or PEM, Pfx for PKCS #12, Pkcs7 */
static bool content_type(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]);
	const unsigned char *p = (const unsigned char *)bytes.p;
	X509 *x;
	PKCS12 *pfx;
	PKCS7 *p7;
	int type = 0;

	if (!bytes.p || bytes.n == 0)
		return vm_throw(c, EX_ARGUMENT, "Array may not be empty or null. (Parameter 'rawData')");
	if (bytes.n > CERTIFICATE_MAX || !vm_charge(c->vm, 2000))
		return throw_crypto(c, "Cannot find the requested object.\r\n");
	if ((x = x509_read(bytes)) != NULL)
		type = 1;
	else if ((pfx = d2i_PKCS12(NULL, &p, (long)bytes.n)) != NULL)
		type = 3;
	else if ((p = (const unsigned char *)bytes.p) && (p7 = d2i_PKCS7(NULL, &p, (long)bytes.n)) != NULL)
		type = 5;
	if (type == 1)
		X509_free(x);
	else if (type == 3)
		PKCS12_free(pfx);
	else if (type == 5)
		PKCS7_free(p7);
	ERR_clear_error();
	return type ? vm_return(c, enum_of(c, &class_content_type, type)) : throw_crypto(c, "Cannot find the requested object.\r\n");
}

static const struct class_member base_members[] = {
	{ "string GetName()", get_subject },
	{ "string GetIssuerName()", get_issuer },
	{ "byte[] GetKeyAlgorithmParameters()", get_parameters },
	{ "string GetKeyAlgorithmParametersString()", get_parameters_text },
	{ 0 }
};
static const struct class_member members[] = {
	{ "bool Archived { get; }", get_archived },
	{ "static X509ContentType GetCertContentType(byte[] rawData)", content_type },
	{ 0 }
};
static const struct class_part parts[] = {
	{ &class_certificate, base_members }, { &class_certificate2, members }, { NULL, NULL }
};

const struct class_module net_x509_parts = { .parts = parts };
