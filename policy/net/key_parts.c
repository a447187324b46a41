/* key_parts.c - facts about keys, hashes and paddings: sizes that are allowed, names, modes. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/hash.h"
#include "policy/net/padding.h"

/* ---- KeySizes ------------------------------------------------------------------------------------------------------------- */

struct key_sizes {
	struct object head;
	int min, max, skip;
};
static struct value_class class_key_sizes;

#define FIELD(name, field)                                                       \
	static bool name(struct vm_call *c)                                      \
	{                                                                        \
		return give_int(c, SELF(c, struct key_sizes)->field);            \
	}
FIELD(get_min, min)
FIELD(get_max, max)
FIELD(get_skip, skip)

static bool new_sizes(struct vm_call *c)
{
	struct key_sizes *k = vm_new(c, &class_key_sizes, sizeof(*k));

	if (!k)
		return false;
	k->min = (int)arg_int(c, 0);
	k->max = (int)arg_int(c, 1);
	k->skip = (int)arg_int(c, 2);
	return vm_return(c, value_object(k));
}

static const struct class_member size_members[] = {
	{ "KeySizes(int minSize, int maxSize, int skipSize)", new_sizes },
	{ "int MinSize { get; }", get_min },
	{ "int MaxSize { get; }", get_max },
	{ "int SkipSize { get; }", get_skip },
	{ 0 }
};
static struct value_class class_key_sizes = { .name = "System.Security.Cryptography.KeySizes", .members = size_members };

static bool give_sizes(struct vm_call *c, int min, int max, int skip)
{
	struct array *a = vm_array(c, 1);
	struct key_sizes *k = a ? vm_new(c, &class_key_sizes, sizeof(*k)) : NULL;

	if (!k)
		return false;
	k->min = min;
	k->max = max;
	k->skip = skip;
	a->v[0] = value_object(k);
	return vm_return(c, value_object(a));
}

/* ---- symmetric ciphers ---------------------------------------------------------------------------------------------------- */

static bool is_triple_des(const struct vm_call *c)
{
	return strcmp(c->self.object->cls->name, "System.Security.Cryptography.TripleDES") == 0;
}

static bool legal_blocks(struct vm_call *c)
{
	return is_triple_des(c) ? give_sizes(c, 64, 64, 0) : give_sizes(c, 128, 128, 0);
}

static bool legal_keys(struct vm_call *c)
{
	return is_triple_des(c) ? give_sizes(c, 128, 192, 64) : give_sizes(c, 128, 256, 64);
}

static bool valid_key(struct vm_call *c)
{
	int64_t bits = arg_int(c, 0);

	return give_bool(c, bits == 128 || bits == 192 || (bits == 256 && !is_triple_des(c)));
}

static bool feedback(struct vm_call *c)
{
	return give_int(c, is_triple_des(c) ? 64 : 128);
}

static const struct class_member symmetric_members[] = {
	{ "KeySizes[] LegalBlockSizes { get; }", legal_blocks },
	{ "KeySizes[] LegalKeySizes { get; }", legal_keys },
	{ "bool ValidKeySize(int bitLength)", valid_key },
	{ "int FeedbackSize { get; }", feedback },
	{ 0 }
};

/* ---- RSA ------------------------------------------------------------------------------------------------------------------ */

static bool rsa_keys(struct vm_call *c)
{
	return give_sizes(c, 512, 16384, 64);
}

/* .NET throws too: RSACng has never had them. */
static bool no_raw(struct vm_call *c)
{
	return vm_throw(c, EX_NOT_SUPPORTED, "Method is not supported.");
}

static const struct class_member rsa_members[] = {
	{ "byte[] EncryptValue(byte[] rgb)", no_raw }, { "byte[] DecryptValue(byte[] rgb)", no_raw }, { 0 }
};
static const struct class_member asymmetric_members[] = { { "KeySizes[] LegalKeySizes { get; }", rsa_keys }, { 0 } };

/* ---- paddings ------------------------------------------------------------------------------------------------------------- */

static const struct class_member signature_modes[] = { { "Pkcs1 = 0" }, { "Pss = 1" }, { 0 } };
static const struct class_member encryption_modes[] = { { "Pkcs1 = 0" }, { "Oaep = 1" }, { 0 } };
static struct value_class class_signature_mode = {
	.name = "System.Security.Cryptography.RSASignaturePaddingMode", .kind = CLASS_ENUM, .members = signature_modes
};
static struct value_class class_encryption_mode = {
	.name = "System.Security.Cryptography.RSAEncryptionPaddingMode", .kind = CLASS_ENUM, .members = encryption_modes
};

static bool signature_mode(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_signature_mode, SELF(c, struct pad)->padding == PADDING_PSS));
}

static bool encryption_mode(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_encryption_mode, SELF(c, struct pad)->padding != PADDING_PKCS1));
}

static const struct class_member signature_members[] = { { "RSASignaturePaddingMode Mode { get; }", signature_mode }, { 0 } };
static bool create_oaep(struct vm_call *c)
{
	enum digest d;

	if (!digest_arg(c, 0, &d))
		return false;
	if (d == DIGEST_MD5)
		return vm_throw(c, EX_CRYPTOGRAPHIC, "'MD5' is not a known hash algorithm.");
	return vm_return(c, encryption_padding(d == DIGEST_SHA1 ? PADDING_OAEP_SHA1 : d == DIGEST_SHA256 ? PADDING_OAEP_SHA256 :
					       d == DIGEST_SHA384 ? PADDING_OAEP_SHA384 : PADDING_OAEP_SHA512));
}

static bool oaep_hash(struct vm_call *c)
{
	static const char *const names[] = { [PADDING_OAEP_SHA1] = "SHA1", [PADDING_OAEP_SHA256] = "SHA256",
					     [PADDING_OAEP_SHA384] = "SHA384", [PADDING_OAEP_SHA512] = "SHA512" };
	enum padding p = SELF(c, struct pad)->padding;

	return give_hash_name(c, p < PADDING_OAEP_SHA1 ? STR_NULL : str_of(names[p]));
}

static const struct class_member encryption_members[] = {
	{ "static RSAEncryptionPadding CreateOaep(HashAlgorithmName hashAlgorithm)", create_oaep },
	{ "HashAlgorithmName OaepHashAlgorithm { get; }", oaep_hash },
	{ "RSAEncryptionPaddingMode Mode { get; }", encryption_mode }, { 0 }
};

/* ---- hashes --------------------------------------------------------------------------------------------------------------- */

static bool one(struct vm_call *c)
{
	return give_int(c, 1);
}

static bool yes(struct vm_call *c)
{
	return give_bool(c, true);
}

/* "SHA256" of an HMACSHA256 */
static bool hash_name(struct vm_call *c)
{
	const char *name = strrchr(c->self.object->cls->name, '.') + 1;

	return vm_return_str(c, str_of(name + strlen("HMAC")));
}

static const struct class_member hash_members[] = {
	{ "bool CanReuseTransform { get; }", yes },
	{ "bool CanTransformMultipleBlocks { get; }", yes },
	{ "int InputBlockSize { get; }", one },
	{ "int OutputBlockSize { get; }", one },
	{ 0 }
};
static const struct class_member hmac_members[] = { { "string HashName { get; }", hash_name }, { 0 } };

static const struct class_part parts[] = {
	{ &class_symmetric, symmetric_members },          { &class_asymmetric, asymmetric_members },
	{ &class_signature_padding, signature_members },  { &class_encryption_padding, encryption_members },
	{ &class_rsa, rsa_members },                      { &class_hash_algorithm, hash_members },          { &class_hmac, hmac_members },
	{ NULL, NULL },
};
static struct value_class *const classes[] = { &class_key_sizes, &class_signature_mode, &class_encryption_mode, NULL };

const struct class_module net_key_parts = { .classes = classes, .parts = parts };
