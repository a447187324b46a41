/* x509.c - X509Certificate2 and what it shows. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "core/str.h"
#include "policy/exchange.h"
#include "policy/net/key.h"
#include "policy/net/make.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"
#include "policy/net/world.h"
#include "policy/net/x509.h"
#include "policy/net/x509_name.h"
#include "policy/trust.h"

enum { VERIFY_COST = 200000 };

static struct value_class class_name_type;
static struct value_class class_name;
static struct value_class class_public_key;

/* ---- reading ------------------------------------------------------------------------------------------------------------------- */

static void certificate_free(void *arg)
{
	struct certificate *k = arg;

	X509_free(k->x);
	EVP_PKEY_free(k->key);
}

X509 *x509_read(struct str s)
{
	BIO *bio = BIO_new_mem_buf(s.p, (int)s.n);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL;

	BIO_free(bio);
	if (!x) {
		const unsigned char *p = (const unsigned char *)s.p;

		x = d2i_X509(NULL, &p, (long)s.n);
	}
	ERR_clear_error();
	return x;
}

static EVP_PKEY *read_key(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* Takes both references. */
static struct value keep(struct arena *a, X509 *x, EVP_PKEY *key)
{
	struct certificate *k = arena_new_of(a, struct certificate);

	if (k)
		*k = (struct certificate){ { &class_certificate2 }, x, key };
	if (k && arena_defer(a, certificate_free, k))
		return value_object(k);
	X509_free(x);
	EVP_PKEY_free(key);
	return VALUE_NULL_INIT;
}

GH_RC certificate_value_with_key(struct arena *a, struct str cert, struct str key, struct value *out, struct gh_err *err)
{
	X509 *x = cert.p && cert.n <= CERTIFICATE_MAX ? x509_read(cert) : NULL;

	*out = VALUE_NULL_INIT;
	if (!x)
		FAIL(err, INVALID, "Cannot find the requested object.");
	*out = keep(a, x, key.p ? read_key(key) : NULL);
	if (out->kind == VALUE_NULL)
		FAIL(err, NOMEM, "Insufficient memory to continue the execution of the program.");
	return GH_RC_OK;
}

GH_RC certificate_value(struct arena *a, struct str pem_or_der, struct value *out, struct gh_err *err)
{
	return certificate_value_with_key(a, pem_or_der, STR_NULL, out, err);
}

static bool read_pfx(struct str bytes, const char *password, X509 **x, EVP_PKEY **key)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	PKCS12 *pfx = d2i_PKCS12(NULL, &p, (long)bytes.n);
	bool ok = pfx && PKCS12_parse(pfx, password, key, x, NULL) == 1 && *x;

	PKCS12_free(pfx);
	ERR_clear_error();
	return ok;
}

/* (byte[] rawData, [string password, [X509KeyStorageFlags]]) */
static bool new_certificate(struct vm_call *c)
{
	struct str bytes = value_bytes(c->args[0]);
	X509 *x = NULL;
	EVP_PKEY *key = NULL;

	if (!bytes.p || bytes.n == 0)
		return vm_throw(c, EX_ARGUMENT, "Array may not be empty or null. (Parameter 'rawData')");
	if (bytes.n > CERTIFICATE_MAX || !vm_charge(c->vm, 2000))
		return throw_crypto(c, "Cannot find the requested object.\r\n");
	x = x509_read(bytes);
	if (!x) {
		const char *password = c->n > 1 ? arena_cstr(c->arena, arg_str(c, 1).p ? arg_str(c, 1) : STR("")) : "";

		if (!vm_charge(c->vm, 100000))
			return false;
		if (!read_pfx(bytes, password, &x, &key))
			return throw_crypto(c, c->n > 1 ? "The specified network password is not correct.\r\n"
							: "Cannot find the requested object.\r\n");
	}
	return give_made(c, keep(c->arena, x, key));
}

/* ---- what it shows ------------------------------------------------------------------------------------------------------------------ */

static const struct certificate *self_of(const struct vm_call *c)
{
	return SELF(c, const struct certificate);
}

static const struct certificate *cert_arg(const struct vm_call *c, size_t i)
{
	return arg_object(c, i);
}

static struct str hexadecimal(struct arena *a, struct str bytes)
{
	struct out o = out_in(a);

	for (size_t i = 0; i < bytes.n; i++)
		out_fmt(&o, "%02X", (uint8_t)bytes.p[i]);
	return out_str(&o);
}

static bool give_bytes(struct vm_call *c, const void *bytes, size_t n)
{
	struct str copy = arena_dup(c->arena, (struct str){ bytes, n });

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_subject(struct vm_call *c)
{
	return give_new(c, x509_name_text(c->arena, X509_get_subject_name(self_of(c)->x)));
}

static bool get_issuer(struct vm_call *c)
{
	return give_new(c, x509_name_text(c->arena, X509_get_issuer_name(self_of(c)->x)));
}

static struct str thumbprint(struct arena *a, const X509 *x, const char *digest)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	X509_digest(x, EVP_get_digestbyname(digest), hash, &n);
	return arena_dup(a, (struct str){ (const char *)hash, n });
}

static bool get_thumbprint(struct vm_call *c)
{
	return give_new(c, hexadecimal(c->arena, thumbprint(c->arena, self_of(c)->x, "SHA1")));
}

static const char *digest_name(struct vm_call *c)
{
	struct str name = c->n ? value_to_text(c->arena, c->args[0]) : STR("SHA1");

	return arena_cstr(c->arena, name);
}

static bool get_hash(struct vm_call *c)
{
	const char *digest = digest_name(c);

	if (!digest || !EVP_get_digestbyname(digest))
		return throw_crypto(c, "The hash algorithm is not known.");
	return give_made(c, vm_bytes(c, thumbprint(c->arena, self_of(c)->x, digest)));
}

static bool get_hash_string(struct vm_call *c)
{
	const char *digest = digest_name(c);

	if (!digest || !EVP_get_digestbyname(digest))
		return throw_crypto(c, "The hash algorithm is not known.");
	return give_new(c, hexadecimal(c->arena, thumbprint(c->arena, self_of(c)->x, digest)));
}

/* Content octets of the INTEGER, with the zero that keeps it positive. */
static struct str serial(struct arena *a, X509 *x)
{
	const ASN1_INTEGER *n = X509_get0_serialNumber(x);
	struct out o = out_in(a);

	if (n->length == 0 || n->data[0] >= 0x80)
		out_char(&o, '\0');
	out_add(&o, n->data, (size_t)n->length);
	return out_str(&o);
}

static bool get_serial(struct vm_call *c)
{
	return give_new(c, hexadecimal(c->arena, serial(c->arena, self_of(c)->x)));
}

static bool get_serial_bytes(struct vm_call *c)
{
	struct str bytes = serial(c->arena, self_of(c)->x);
	struct out o = out_in(c->arena);

	for (size_t i = bytes.n; i-- > 0;)       /* little end first */
		out_char(&o, bytes.p[i]);
	return give_made(c, vm_bytes(c, out_str(&o)));
}

static int64_t ticks_of(const ASN1_TIME *t)
{
	struct tm tm;
	struct civil v;
	int64_t ticks = 0;

	if (!t || !ASN1_TIME_to_tm(t, &tm))
		return 0;
	v = (struct civil){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0 };
	ticks_of_civil(&v, &ticks);
	return ticks;
}

static bool get_not_before(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, ticks_of(X509_get0_notBefore(self_of(c)->x)), DATE_LOCAL));
}

static bool get_not_after(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, ticks_of(X509_get0_notAfter(self_of(c)->x)), DATE_LOCAL));
}

static bool date_string(struct vm_call *c, const ASN1_TIME *t)
{
	return give_new(c, value_to_text(c->arena, date_time_value(c->arena, ticks_of(t), DATE_LOCAL)));
}

static bool get_effective(struct vm_call *c)
{
	return date_string(c, X509_get0_notBefore(self_of(c)->x));
}

static bool get_expiration(struct vm_call *c)
{
	return date_string(c, X509_get0_notAfter(self_of(c)->x));
}

static bool get_raw(struct vm_call *c)
{
	unsigned char *der = NULL;
	int n = i2d_X509(self_of(c)->x, &der);
	bool ok = n > 0 && give_bytes(c, der, (size_t)n);

	OPENSSL_free(der);
	return ok || throw_crypto(c, NULL);
}

static bool get_public_bytes(struct vm_call *c)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(self_of(c)->x);

	return give_bytes(c, key->data, (size_t)key->length);
}

static bool get_public_string(struct vm_call *c)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(self_of(c)->x);

	return give_new(c, hexadecimal(c->arena, (struct str){ (const char *)key->data, (size_t)key->length }));
}

static bool get_has_private(struct vm_call *c)
{
	return give_bool(c, self_of(c)->key != NULL);
}

static bool get_version(struct vm_call *c)
{
	return give_int(c, X509_get_version(self_of(c)->x) + 1);
}

static bool get_friendly_name(struct vm_call *c)
{
	return vm_return_str(c, STR(""));
}

static bool get_format(struct vm_call *c)
{
	return vm_return_str(c, STR("X509"));
}

static bool get_signature_algorithm(struct vm_call *c)
{
	const ASN1_OBJECT *o;
	const X509_ALGOR *algorithm;
	char text[80];

	X509_get0_signature(NULL, &algorithm, self_of(c)->x);
	X509_ALGOR_get0(&o, NULL, NULL, algorithm);
	OBJ_obj2txt(text, sizeof(text), o, 1);
	return give_oid(c, arena_dup(c->arena, str_of(text)));
}

static bool get_key_algorithm(struct vm_call *c)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(self_of(c)->x);
	ASN1_OBJECT *o;
	char text[80];

	X509_PUBKEY_get0_param(&o, NULL, NULL, NULL, key);
	OBJ_obj2txt(text, sizeof(text), o, 1);
	return vm_return_copy(c, str_of(text));
}

static bool to_string(struct vm_call *c)
{
	struct arena *a = c->arena;
	const X509 *x = self_of(c)->x;

	return give_new(c, arena_printf(a, "[Subject]\r\n  %.*s\r\n\r\n[Issuer]\r\n  %.*s\r\n\r\n[Serial Number]\r\n  %.*s\r\n\r\n"
					   "[Not Before]\r\n  %.*s\r\n\r\n[Not After]\r\n  %.*s\r\n\r\n[Thumbprint]\r\n  %.*s\r\n",
					STR_ARG(x509_name_text(a, X509_get_subject_name(x))),
					STR_ARG(x509_name_text(a, X509_get_issuer_name(x))),
					STR_ARG(hexadecimal(a, serial(a, self_of(c)->x))),
					STR_ARG(value_to_text(a, date_time_value(a, ticks_of(X509_get0_notBefore(x)), DATE_LOCAL))),
					STR_ARG(value_to_text(a, date_time_value(a, ticks_of(X509_get0_notAfter(x)), DATE_LOCAL))),
					STR_ARG(hexadecimal(a, thumbprint(a, x, "SHA1")))));
}

static bool same(struct value l, struct value r)
{
	return X509_cmp(((const struct certificate *)(void *)l.object)->x, ((const struct certificate *)(void *)r.object)->x) == 0;
}

static uint64_t hash(struct value v)
{
	return X509_subject_name_hash(((const struct certificate *)(void *)v.object)->x);
}

static bool equals(struct vm_call *c)
{
	return give_bool(c, value_class_of(c->args[0]) == &class_certificate2 && same(c->self, c->args[0]));
}

/* ---- names ---------------------------------------------------------------------------------------------------------------------------- */

struct name {
	struct object head;
	struct str text;
};

static struct str name_text(struct arena *a UNUSED, struct value v)
{
	return ((struct name *)(void *)v.object)->text;
}

static bool give_name(struct vm_call *c, X509_NAME *from)
{
	struct name *n = vm_new(c, &class_name, sizeof(*n));

	if (!n)
		return false;
	n->text = x509_name_text(c->arena, from);
	return n->text.p ? vm_return(c, value_object(n)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_subject_name(struct vm_call *c)
{
	return give_name(c, X509_get_subject_name(self_of(c)->x));
}

static bool get_issuer_name(struct vm_call *c)
{
	return give_name(c, X509_get_issuer_name(self_of(c)->x));
}

static bool get_name(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct name)->text);
}

enum { NAME_SIMPLE, NAME_EMAIL, NAME_UPN, NAME_DNS, NAME_DNS_ALTERNATIVE, NAME_URL };

static bool name_info(struct vm_call *c)
{
	X509 *x = self_of(c)->x;
	bool issuer = arg_bool(c, 1);
	X509_NAME *name = issuer ? X509_get_issuer_name(x) : X509_get_subject_name(x);
	int alternative = issuer ? NID_issuer_alt_name : NID_subject_alt_name;
	struct str found = STR("");

	switch (arg_enum(c, 0)) {
	case NAME_SIMPLE:
		found = x509_name_simple(c->arena, name);
		break;
	case NAME_EMAIL:
		found = x509_alternative(c->arena, x, alternative, GEN_EMAIL);
		if (!found.n)
			found = x509_name_part(c->arena, name, NID_pkcs9_emailAddress);
		break;
	case NAME_DNS:
	case NAME_DNS_ALTERNATIVE:
		found = x509_alternative(c->arena, x, alternative, GEN_DNS);
		if (!found.n)
			found = x509_name_part(c->arena, name, NID_commonName);
		break;
	case NAME_URL:
		found = x509_alternative(c->arena, x, alternative, GEN_URI);
		break;
	default:
		break;
	}
	return give_new(c, found.p ? found : STR(""));
}

/* ---- keys -------------------------------------------------------------------------------------------------------------------------------- */

static bool give_key(struct vm_call *c, EVP_PKEY *key, bool is_private)
{
	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || !EVP_PKEY_up_ref(key))
		return vm_return(c, VALUE_NULL_INIT);
	return give_rsa(c, key, is_private);
}

static bool private_key(struct vm_call *c)
{
	return give_key(c, self_of(c)->key, true);
}

static bool get_rsa_private(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "certificate");
	return give_key(c, cert_arg(c, 0)->key, true);
}

static bool get_rsa_public(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "certificate");
	return give_key(c, X509_get0_pubkey(cert_arg(c, 0)->x), false);
}

struct public_key {
	struct object head;
	EVP_PKEY *key;               /* borrowed from the certificate */
};

static bool get_public_key(struct vm_call *c)
{
	struct public_key *k = vm_new(c, &class_public_key, sizeof(*k));

	if (!k)
		return false;
	k->key = X509_get0_pubkey(self_of(c)->x);
	return vm_return(c, value_object(k));
}

static bool public_key_rsa(struct vm_call *c)
{
	return give_key(c, SELF(c, struct public_key)->key, false);
}

static bool public_key_oid(struct vm_call *c)
{
	EVP_PKEY *key = SELF(c, struct public_key)->key;
	char text[80] = "";

	if (key)
		OBJ_obj2txt(text, sizeof(text), OBJ_nid2obj(EVP_PKEY_get_base_id(key)), 1);
	return give_oid(c, arena_dup(c->arena, str_of(text)));
}

/* ---- verifying ------------------------------------------------------------------------------------------------------------------------------ */

/* A chain to an authority of the installation, valid at the time of the exchange. An expression cannot wait for a list of
 * revoked certificates: those that are at hand count. */
static bool chain_is_valid(struct vm_call *c, const struct certificate *k, bool revocation)
{
	const struct trust_rules rules = { .now_us = world_now_us(c), .not_before = true, .not_after = true,
					   .revocation = revocation, .unknown_is_good = true, .any_purpose = true };
	STACK_OF(X509) *chain;
	const char *why = trust_check(trust_of(c->x ? c->x->host : NULL, c->x), k->x, NULL, &rules, &chain);

	sk_X509_pop_free(chain, X509_free);
	return !why;
}

static bool verify(struct vm_call *c)
{
	return vm_charge(c->vm, VERIFY_COST) && give_bool(c, chain_is_valid(c, self_of(c), true));
}

static bool verify_no_revocation(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "certificate");
	return vm_charge(c->vm, VERIFY_COST) && give_bool(c, chain_is_valid(c, cert_arg(c, 0), false));
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member base_members[] = {
	{ "string Subject { get; }", get_subject },
	{ "string Issuer { get; }", get_issuer },
	{ "byte[] GetCertHash()", get_hash },
	{ "byte[] GetCertHash(HashAlgorithmName hashAlgorithm)", get_hash },
	{ "string GetCertHashString()", get_hash_string },
	{ "string GetCertHashString(HashAlgorithmName hashAlgorithm)", get_hash_string },
	{ "byte[] GetSerialNumber()", get_serial_bytes },
	{ "string GetSerialNumberString()", get_serial },
	{ "string GetKeyAlgorithm()", get_key_algorithm },
	{ "byte[] GetPublicKey()", get_public_bytes },
	{ "string GetPublicKeyString()", get_public_string },
	{ "byte[] GetRawCertData()", get_raw },
	{ "byte[] Export(X509ContentType contentType)", get_raw },
	{ "string GetEffectiveDateString()", get_effective },
	{ "string GetExpirationDateString()", get_expiration },
	{ "string GetFormat()", get_format },
	{ "bool Equals(X509Certificate other)", equals },
	{ "string ToString()", to_string },
	{ "string ToString(bool verbose)", to_string },
	{ "void Reset()", nothing },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member members[] = {
	{ "X509Certificate2(byte[] rawData)", new_certificate },
	{ "X509Certificate2(byte[] rawData, string password)", new_certificate },
	{ "X509Certificate2(byte[] rawData, string password, X509KeyStorageFlags keyStorageFlags)", new_certificate },
	{ "string Thumbprint { get; }", get_thumbprint },
	{ "string SerialNumber { get; }", get_serial },
	{ "DateTime NotBefore { get; }", get_not_before },
	{ "DateTime NotAfter { get; }", get_not_after },
	{ "X500DistinguishedName SubjectName { get; }", get_subject_name },
	{ "X500DistinguishedName IssuerName { get; }", get_issuer_name },
	{ "string GetNameInfo(X509NameType nameType, bool forIssuer)", name_info },
	{ "byte[] RawData { get; }", get_raw },
	{ "PublicKey PublicKey { get; }", get_public_key },
	{ "AsymmetricAlgorithm PrivateKey { get; }", private_key },
	{ "bool HasPrivateKey { get; }", get_has_private },
	{ "int Version { get; }", get_version },
	{ "string FriendlyName { get; }", get_friendly_name },
	{ "Oid SignatureAlgorithm { get; }", get_signature_algorithm },
	{ "bool Verify()", verify },
	{ 0 }
};
static const struct class_member name_members[] = { { "string Name { get; }", get_name }, { 0 } };
static const struct class_member public_key_members[] = {
	{ "AsymmetricAlgorithm Key { get; }", public_key_rsa },
	{ "RSA GetRSAPublicKey()", public_key_rsa },
	{ "Oid Oid { get; }", public_key_oid },
	{ 0 }
};
static const struct class_member extension_members[] = {
	{ "static RSA GetRSAPrivateKey(this X509Certificate2 certificate)", get_rsa_private },
	{ "static RSA GetRSAPublicKey(this X509Certificate2 certificate)", get_rsa_public },
	{ "static bool VerifyNoRevocation(this X509Certificate2 certificate)", verify_no_revocation },
	{ 0 }
};
static const struct class_member content_types[] = {
	{ "Unknown = 0" }, { "Cert = 1" }, { "SerializedCert = 2" }, { "Pfx = 3" }, { "SerializedStore = 4" }, { "Pkcs7 = 5" },
	{ "Authenticode = 6" },
	{ 0 }
};
static const struct class_member name_types[] = {
	{ "SimpleName = 0" }, { "EmailName = 1" }, { "UpnName = 2" }, { "DnsName = 3" }, { "DnsFromAlternativeName = 4" },
	{ "UrlName = 5" },
	{ 0 }
};
static const struct class_member storage_flags[] = {
	{ "DefaultKeySet = 0" }, { "UserKeySet = 1" }, { "MachineKeySet = 2" }, { "Exportable = 4" }, { "UserProtected = 8" },
	{ "PersistKeySet = 16" }, { "EphemeralKeySet = 32" },
	{ 0 }
};

#define NAMESPACE "System.Security.Cryptography.X509Certificates."
struct value_class class_certificate = {
	.name = NAMESPACE "X509Certificate", .interfaces = "IDisposable", .members = base_members, .equals = same, .hash = hash
};
struct value_class class_certificate2 = {
	.name = NAMESPACE "X509Certificate2", .base = "X509Certificate", .members = members, .equals = same, .hash = hash
};
static struct value_class class_name = {
	.name = NAMESPACE "X500DistinguishedName", .members = name_members, .to_text = name_text
};
static struct value_class class_public_key = { .name = NAMESPACE "PublicKey", .members = public_key_members };
static struct value_class class_extensions = {
	.name = NAMESPACE "RSACertificateExtensions", .kind = CLASS_STATIC, .members = extension_members, .extensions = true
};
struct value_class class_content_type = {
	.name = NAMESPACE "X509ContentType", .kind = CLASS_ENUM, .members = content_types
};
static struct value_class class_name_type = { .name = NAMESPACE "X509NameType", .kind = CLASS_ENUM, .members = name_types };
static struct value_class class_flags = {
	.name = NAMESPACE "X509KeyStorageFlags", .kind = CLASS_ENUM, .flags = true, .members = storage_flags
};
static struct value_class *const classes[] = { &class_certificate, &class_certificate2, &class_name,      &class_public_key,
					       &class_extensions,  &class_content_type, &class_name_type, &class_flags, NULL };

const struct class_module net_x509 = { .classes = classes };
