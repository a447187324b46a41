/* rsa.c - RSA, RSACng, paddings, RSAParameters. Everything runs on OpenSSL's EVP. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "core/str.h"
#include "policy/net/base64.h"
#include "policy/net/hash.h"
#include "policy/net/key.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/padding.h"
#include "policy/net/xml.h"

enum { KEY_BITS = 2048, KEY_BITS_MIN = 512, KEY_BITS_MAX = 8192, KEY_COST = 4500000, SIGN_COST = 100000, VERIFY_COST = 5000 };

static struct value_class class_parameters;

bool throw_crypto(struct vm_call *c, const char *message)
{
	ERR_clear_error();
	return message ? vm_throw(c, EX_CRYPTOGRAPHIC, "%s", message) : vm_throw(c, EX_CRYPTOGRAPHIC, NULL);
}

static void key_free(void *key)
{
	EVP_PKEY_free(key);
}

bool give_rsa(struct vm_call *c, EVP_PKEY *key, bool is_private)
{
	struct rsa *r = vm_new(c, &class_rsa_cng, sizeof(*r));

	if (!r || !arena_defer(c->arena, key_free, key)) {
		EVP_PKEY_free(key);
		return r ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : false;
	}
	r->key = key;
	r->is_private = is_private;
	return vm_return(c, value_object(r));
}

static struct rsa *self_of(const struct vm_call *c)
{
	return SELF(c, struct rsa);
}

static bool set_key(struct vm_call *c, EVP_PKEY *key, bool is_private)
{
	if (!key)
		return throw_crypto(c, "The specified RSA parameters are not valid; both Exponent and Modulus are required fields.");
	if (!arena_defer(c->arena, key_free, key)) {
		EVP_PKEY_free(key);
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	self_of(c)->key = key;
	self_of(c)->is_private = is_private;
	return true;
}

static bool need_key(struct vm_call *c)
{
	if (self_of(c)->key)
		return true;
	return vm_charge(c->vm, KEY_COST) && set_key(c, EVP_RSA_gen(KEY_BITS), true);
}

static bool create(struct vm_call *c)
{
	struct rsa *r = vm_new(c, &class_rsa_cng, sizeof(*r));

	return r && vm_return(c, value_object(r));
}

/* ---- paddings ------------------------------------------------------------------------------------------------------------------ */

static const struct pad signature_paddings[] = {
	{ { &class_signature_padding }, PADDING_PKCS1 }, { { &class_signature_padding }, PADDING_PSS },
};
static const struct pad encryption_paddings[] = {
	[PADDING_PKCS1] = { { &class_encryption_padding }, PADDING_PKCS1 },
	[PADDING_OAEP_SHA1] = { { &class_encryption_padding }, PADDING_OAEP_SHA1 },
	[PADDING_OAEP_SHA256] = { { &class_encryption_padding }, PADDING_OAEP_SHA256 },
	[PADDING_OAEP_SHA384] = { { &class_encryption_padding }, PADDING_OAEP_SHA384 },
	[PADDING_OAEP_SHA512] = { { &class_encryption_padding }, PADDING_OAEP_SHA512 },
};

#define SHARED(name, object)                                    \
	static bool name(struct vm_call *c)                     \
	{                                                       \
		return vm_return(c, value_object(&(object)));   \
	}
SHARED(get_pkcs1, signature_paddings[0])
SHARED(get_pss, signature_paddings[1])
SHARED(get_encryption_pkcs1, encryption_paddings[PADDING_PKCS1])
SHARED(get_oaep_sha1, encryption_paddings[PADDING_OAEP_SHA1])
SHARED(get_oaep_sha256, encryption_paddings[PADDING_OAEP_SHA256])
SHARED(get_oaep_sha384, encryption_paddings[PADDING_OAEP_SHA384])
SHARED(get_oaep_sha512, encryption_paddings[PADDING_OAEP_SHA512])

struct value encryption_padding(enum padding p)
{
	return value_object(&encryption_paddings[p]);
}

static struct str pad_text(struct arena *a UNUSED, struct value v)
{
	static const struct str names[] = {
		[PADDING_PKCS1] = STR_INIT("Pkcs1"), [PADDING_PSS] = STR_INIT("Pss"), [PADDING_OAEP_SHA1] = STR_INIT("OaepSHA1"),
		[PADDING_OAEP_SHA256] = STR_INIT("OaepSHA256"), [PADDING_OAEP_SHA384] = STR_INIT("OaepSHA384"),
		[PADDING_OAEP_SHA512] = STR_INIT("OaepSHA512"),
	};

	return names[((struct pad *)(void *)v.object)->padding];
}

static bool padding_arg(struct vm_call *c, size_t i, enum padding *out)
{
	const struct pad *p = arg_object(c, i);

	if (!p)
		return vm_throw_null(c, "padding");
	*out = p->padding;
	return true;
}

/* ---- signing ---------------------------------------------------------------------------------------------------------------------- */

static bool set_padding(EVP_PKEY_CTX *ctx, enum padding padding)
{
	if (padding == PADDING_PSS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
}

static bool digest_of(struct vm_call *c, enum digest d, struct str data, uint8_t *hash, unsigned *n)
{
	return charge_bytes(c, data.n * 4) &&
	       EVP_Digest(data.p, data.n, hash, n, EVP_get_digestbyname(digest_evp_name(d)), NULL) == 1;
}

/* data: a digest already when `hashed`. */
static bool sign(struct vm_call *c, struct str data, enum digest d, enum padding padding, bool hashed)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_PKEY_CTX *ctx;
	char *out;
	size_t size;
	bool ok;

	if (!need_key(c) || !vm_charge(c->vm, SIGN_COST))
		return false;
	if (!self_of(c)->is_private)
		return throw_crypto(c, "Key does not exist.");
	if (!hashed && !digest_of(c, d, data, hash, &n))
		return throw_crypto(c, NULL);
	size = (size_t)EVP_PKEY_get_size(self_of(c)->key);
	out = arena_alloc_text(c->arena, size);
	ctx = out ? EVP_PKEY_CTX_new(self_of(c)->key, NULL) : NULL;
	ok = ctx && EVP_PKEY_sign_init(ctx) > 0 && set_padding(ctx, padding) &&
	     EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(digest_evp_name(d))) > 0 &&
	     EVP_PKEY_sign(ctx, (uint8_t *)out, &size, hashed ? (const uint8_t *)data.p : hash, hashed ? data.n : n) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok ? give_made(c, vm_bytes(c, (struct str){ out, size })) : throw_crypto(c, NULL);
}

static bool verify(struct vm_call *c, struct str data, struct str signature, enum digest d, enum padding padding, bool hashed)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (!need_key(c) || !vm_charge(c->vm, VERIFY_COST))
		return false;
	if (!hashed && !digest_of(c, d, data, hash, &n))
		return throw_crypto(c, NULL);
	ctx = EVP_PKEY_CTX_new(self_of(c)->key, NULL);
	ok = ctx && EVP_PKEY_verify_init(ctx) > 0 && set_padding(ctx, padding) &&
	     EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(digest_evp_name(d))) > 0 &&
	     EVP_PKEY_verify(ctx, (const uint8_t *)signature.p, signature.n, hashed ? (const uint8_t *)data.p : hash,
			     hashed ? data.n : n) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return give_bool(c, ok);
}

/* (byte[] data, [int offset, int count,] HashAlgorithmName, RSASignaturePadding) */
static bool sign_any(struct vm_call *c, bool hashed)
{
	struct str data = value_bytes(c->args[0]);
	enum padding padding = PADDING_PKCS1;
	enum digest d = DIGEST_SHA256;

	if (!data.p)
		return vm_throw_null(c, hashed ? "hash" : "data");
	if (c->n > 4) {
		if (arg_int(c, 1) < 0 || arg_int(c, 2) < 0 || arg_int(c, 1) > (int64_t)data.n - arg_int(c, 2))
			return vm_throw_range(c, "offset", NULL);
		data = (struct str){ data.p + arg_int(c, 1), (size_t)arg_int(c, 2) };
	}
	return digest_arg(c, c->n - 2, &d) && padding_arg(c, c->n - 1, &padding) && sign(c, data, d, padding, hashed);
}

static bool sign_data(struct vm_call *c)
{
	return sign_any(c, false);
}

static bool sign_hash(struct vm_call *c)
{
	return sign_any(c, true);
}

static bool verify_any(struct vm_call *c, bool hashed)
{
	struct str data = value_bytes(c->args[0]), signature = value_bytes(c->args[1]);
	enum padding padding = PADDING_PKCS1;
	enum digest d = DIGEST_SHA256;

	if (!data.p || !signature.p)
		return vm_throw_null(c, !data.p ? (hashed ? "hash" : "data") : "signature");
	return digest_arg(c, 2, &d) && padding_arg(c, 3, &padding) && verify(c, data, signature, d, padding, hashed);
}

static bool verify_data(struct vm_call *c)
{
	return verify_any(c, false);
}

static bool verify_hash(struct vm_call *c)
{
	return verify_any(c, true);
}

/* ---- encrypting ---------------------------------------------------------------------------------------------------------------------- */

static bool set_encryption_padding(EVP_PKEY_CTX *ctx, enum padding padding)
{
	static const char *const digests[] = { [PADDING_OAEP_SHA1] = "SHA1", [PADDING_OAEP_SHA256] = "SHA256",
					       [PADDING_OAEP_SHA384] = "SHA384", [PADDING_OAEP_SHA512] = "SHA512" };

	if (padding == PADDING_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_get_digestbyname(digests[padding])) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbyname(digests[padding])) > 0;
}

static bool crypt(struct vm_call *c, bool decrypts)
{
	struct str data = value_bytes(c->args[0]);
	EVP_PKEY_CTX *ctx;
	enum padding padding = PADDING_PKCS1;
	size_t size;
	char *out;
	bool ok;

	if (!data.p)
		return vm_throw_null(c, "data");
	if (!padding_arg(c, 1, &padding) || !need_key(c) || !vm_charge(c->vm, decrypts ? SIGN_COST : VERIFY_COST))
		return false;
	if (decrypts && !self_of(c)->is_private)
		return throw_crypto(c, "Key does not exist.");
	size = (size_t)EVP_PKEY_get_size(self_of(c)->key);
	out = arena_alloc_text(c->arena, size);
	ctx = out ? EVP_PKEY_CTX_new(self_of(c)->key, NULL) : NULL;
	ok = ctx && (decrypts ? EVP_PKEY_decrypt_init(ctx) : EVP_PKEY_encrypt_init(ctx)) > 0 &&
	     set_encryption_padding(ctx, padding) &&
	     (decrypts ? EVP_PKEY_decrypt(ctx, (uint8_t *)out, &size, (const uint8_t *)data.p, data.n)
		       : EVP_PKEY_encrypt(ctx, (uint8_t *)out, &size, (const uint8_t *)data.p, data.n)) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok ? give_made(c, vm_bytes(c, (struct str){ out, size })) : throw_crypto(c, "The parameter is incorrect.\r\n");
}

static bool encrypt_data(struct vm_call *c)
{
	return crypt(c, false);
}

static bool decrypt_data(struct vm_call *c)
{
	return crypt(c, true);
}

/* ---- RSAParameters ---------------------------------------------------------------------------------------------------------------------- */

enum { PART_MODULUS, PART_EXPONENT, PART_D, PART_P, PART_Q, PART_DP, PART_DQ, PART_INVERSE_Q, PART__COUNT };

struct parameters {
	struct object head;
	struct value part[PART__COUNT];      /* byte[] */
};

static const char *const part_names[PART__COUNT] = {
	OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
	OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static bool new_parameters(struct vm_call *c)
{
	struct parameters *p = vm_new(c, &class_parameters, sizeof(*p));

	return p && vm_return(c, value_object(p));
}

#define PART(name, at)                                                          \
	static bool get_##name(struct vm_call *c)                               \
	{                                                                       \
		return vm_return(c, SELF(c, struct parameters)->part[at]);      \
	}                                                                       \
	static bool set_##name(struct vm_call *c)                               \
	{                                                                       \
		SELF(c, struct parameters)->part[at] = c->args[0];              \
		return vm_return(c, VALUE_NULL_INIT);                           \
	}
PART(modulus, PART_MODULUS)
PART(exponent, PART_EXPONENT)
PART(d, PART_D)
PART(p, PART_P)
PART(q, PART_Q)
PART(dp, PART_DP)
PART(dq, PART_DQ)
PART(inverse_q, PART_INVERSE_Q)

static EVP_PKEY *key_of_parts(const struct parameters *p, bool is_private)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *numbers[PART__COUNT] = { NULL };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	bool ok = builder && ctx;

	for (int i = 0; ok && i < (is_private ? PART__COUNT : PART_D); i++) {
		struct str bytes = value_bytes(p->part[i]);

		if (!bytes.p)
			continue;
		numbers[i] = BN_bin2bn((const uint8_t *)bytes.p, (int)bytes.n, NULL);
		ok = numbers[i] && OSSL_PARAM_BLD_push_BN(builder, part_names[i], numbers[i]);
	}
	if (ok && numbers[PART_MODULUS] && BN_num_bits(numbers[PART_MODULUS]) >= KEY_BITS_MIN &&
	    BN_num_bits(numbers[PART_MODULUS]) <= KEY_BITS_MAX)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (params && EVP_PKEY_fromdata_init(ctx) > 0)
		EVP_PKEY_fromdata(ctx, &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	for (int i = 0; i < PART__COUNT; i++)
		BN_clear_free(numbers[i]);
	ERR_clear_error();
	return key;
}

static bool import_parameters(struct vm_call *c)
{
	const struct parameters *p = arg_object(c, 0);
	bool is_private = p && value_bytes(p->part[PART_D]).p;

	return set_key(c, p ? key_of_parts(p, is_private) : NULL, is_private) && vm_return(c, VALUE_NULL_INIT);
}

static bool export_parameters(struct vm_call *c)
{
	struct parameters *p = vm_new(c, &class_parameters, sizeof(*p));

	if (!p || !need_key(c))
		return false;
	if (arg_bool(c, 0) && !self_of(c)->is_private)
		return throw_crypto(c, "Key does not exist.");
	for (int i = 0; i < (arg_bool(c, 0) ? PART__COUNT : PART_D); i++) {
		BIGNUM *n = NULL;
		char *out;

		if (!EVP_PKEY_get_bn_param(self_of(c)->key, part_names[i], &n))
			continue;
		out = arena_alloc_text(c->arena, (size_t)BN_num_bytes(n) + 1);
		if (out)
			p->part[i] = vm_bytes(c, (struct str){ out, (size_t)BN_bn2bin(n, (uint8_t *)out) });
		BN_clear_free(n);
		if (p->part[i].kind == VALUE_NULL)
			return false;
	}
	return vm_return(c, value_object(p));
}

/* <RSAKeyValue>: the parts as elements of that name, in Base64. */
static const char *const xml_names[PART__COUNT] = {
	[PART_MODULUS] = "Modulus", [PART_EXPONENT] = "Exponent", [PART_P] = "P", [PART_Q] = "Q", [PART_DP] = "DP", [PART_DQ] = "DQ",
	[PART_INVERSE_Q] = "InverseQ", [PART_D] = "D",
};

static bool to_xml(struct vm_call *c)
{
	static const int order[] = { PART_MODULUS, PART_EXPONENT, PART_P, PART_Q, PART_DP, PART_DQ, PART_INVERSE_Q, PART_D };
	struct out o = out_in(c->arena);
	const struct parameters *p;

	if (!export_parameters(c))
		return false;
	p = (const struct parameters *)(const void *)c->result.object;
	out_put(&o, STR("<RSAKeyValue>"));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct str bytes = value_bytes(p->part[order[i]]);

		if (!bytes.p)
			continue;
		out_fmt(&o, "<%s>", xml_names[order[i]]);
		out_put(&o, base64_text(c->arena, bytes));
		out_fmt(&o, "</%s>", xml_names[order[i]]);
	}
	out_put(&o, STR("</RSAKeyValue>"));
	return give_new(c, out_str(&o));
}

static bool from_xml(struct vm_call *c)
{
	struct parameters *p = vm_new(c, &class_parameters, sizeof(*p));
	struct gh_err err = { 0 };
	struct xnode *d;

	if (!p || arg_is_null(c, 0))
		return p ? vm_throw_null(c, "xmlString") : false;
	if (!charge_bytes(c, arg_str(c, 0).n))
		return false;
	if (x_read(c->arena, arg_str(c, 0), false, &d, &err).code)
		return x_throw(c, &err);
	for (int i = 0; i < PART__COUNT; i++)
		for (struct xnode *n = d->first ? d->first->first : NULL; n; n = n->after) {
			struct str text, bytes;

			if (n->kind != X_ELEMENT || !str_eq(n->local, str_of(xml_names[i])))
				continue;
			text = x_value(c->arena, n);
			if (!text.p || !base64_bytes(c->arena, str_trim(text), &bytes))
				return vm_throw(c, EX_FORMAT, "The input is not a valid Base-64 string.");
			p->part[i] = vm_bytes(c, bytes);
		}
	c->args[0] = value_object(p);
	return import_parameters(c);
}

static bool get_key_size(struct vm_call *c)
{
	return give_int(c, self_of(c)->key ? EVP_PKEY_get_bits(self_of(c)->key) : KEY_BITS);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static bool get_algorithm(struct vm_call *c)
{
	return vm_return_str(c, STR("RSA"));
}

static const struct class_member algorithm_members[] = {
	{ "int KeySize { get; }", get_key_size },
	{ "void Clear()", nothing },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member rsa_members[] = {
	{ "static RSA Create()", create },
	{ "void ImportParameters(RSAParameters parameters)", import_parameters },
	{ "RSAParameters ExportParameters(bool includePrivateParameters)", export_parameters },
	{ "byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)", sign_data },
	{ "byte[] SignData(byte[] data, int offset, int count, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)",
	  sign_data },
	{ "byte[] SignHash(byte[] hash, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)", sign_hash },
	{ "bool VerifyData(byte[] data, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)",
	  verify_data },
	{ "bool VerifyHash(byte[] hash, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)",
	  verify_hash },
	{ "byte[] Encrypt(byte[] data, RSAEncryptionPadding padding)", encrypt_data },
	{ "byte[] Decrypt(byte[] data, RSAEncryptionPadding padding)", decrypt_data },
	{ "string ToXmlString(bool includePrivateParameters)", to_xml },
	{ "void FromXmlString(string xmlString)", from_xml },
	{ "string SignatureAlgorithm { get; }", get_algorithm },
	{ "string KeyExchangeAlgorithm { get; }", get_algorithm },
	{ 0 }
};
static const struct class_member cng_members[] = { { "RSACng()", create }, { 0 } };
static const struct class_member parameters_members[] = {
	{ "RSAParameters()", new_parameters },
	{ "byte[] Modulus { get; set; }", get_modulus, set_modulus },
	{ "byte[] Exponent { get; set; }", get_exponent, set_exponent },
	{ "byte[] D { get; set; }", get_d, set_d },
	{ "byte[] P { get; set; }", get_p, set_p },
	{ "byte[] Q { get; set; }", get_q, set_q },
	{ "byte[] DP { get; set; }", get_dp, set_dp },
	{ "byte[] DQ { get; set; }", get_dq, set_dq },
	{ "byte[] InverseQ { get; set; }", get_inverse_q, set_inverse_q },
	{ 0 }
};
static const struct class_member signature_members[] = {
	{ "static RSASignaturePadding Pkcs1 { get; }", get_pkcs1 }, { "static RSASignaturePadding Pss { get; }", get_pss }, { 0 }
};
static const struct class_member encryption_members[] = {
	{ "static RSAEncryptionPadding Pkcs1 { get; }", get_encryption_pkcs1 },
	{ "static RSAEncryptionPadding OaepSHA1 { get; }", get_oaep_sha1 },
	{ "static RSAEncryptionPadding OaepSHA256 { get; }", get_oaep_sha256 },
	{ "static RSAEncryptionPadding OaepSHA384 { get; }", get_oaep_sha384 },
	{ "static RSAEncryptionPadding OaepSHA512 { get; }", get_oaep_sha512 },
	{ 0 }
};

#define NAMESPACE "System.Security.Cryptography."
struct value_class class_asymmetric = {
	.name = NAMESPACE "AsymmetricAlgorithm", .interfaces = "IDisposable", .members = algorithm_members
};
struct value_class class_rsa = { .name = NAMESPACE "RSA", .base = "AsymmetricAlgorithm", .members = rsa_members };
struct value_class class_rsa_cng = { .name = NAMESPACE "RSACng", .base = "RSA", .members = cng_members };
static struct value_class class_parameters = {
	/* a struct in .NET; its properties can be set, and default(T) is one object for all, so it is a class here */
	.name = NAMESPACE "RSAParameters", .members = parameters_members
};
struct value_class class_signature_padding = {
	.name = NAMESPACE "RSASignaturePadding", .members = signature_members, .to_text = pad_text
};
struct value_class class_encryption_padding = {
	.name = NAMESPACE "RSAEncryptionPadding", .members = encryption_members, .to_text = pad_text
};
static struct value_class *const classes[] = { &class_asymmetric,        &class_rsa, &class_rsa_cng, &class_parameters,
					       &class_signature_padding, &class_encryption_padding, NULL };

const struct class_module net_rsa = { .classes = classes };
