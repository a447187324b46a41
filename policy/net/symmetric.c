/* symmetric.c - SymmetricAlgorithm and its kinds, byte[].Encrypt and Decrypt, random numbers for keys.
 *
 * OpenSSL runs the cipher without padding; padding is ours, because .NET knows five kinds. */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "core/crypto.h"
#include "core/str.h"
#include "policy/net/key.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/padding.h"
#include "policy/net/out.h"

enum { MODE_CBC = 1, MODE_ECB, MODE_OFB, MODE_CFB, MODE_CTS };
enum { PAD_NONE = 1, PAD_PKCS7, PAD_ZEROS, PAD_ANSI, PAD_ISO };
enum kind { KIND_AES, KIND_3DES };

struct symmetric {
	struct object head;
	enum kind kind;
	int64_t mode, padding, key_bits;
	struct str key, iv;          /* STR_NULL: made when first needed */
};
struct transform {
	struct object head;
	struct symmetric with;
	bool encrypts;
};

static struct value_class class_aes;
static struct value_class class_3des;
static struct value_class class_transform;
static struct value_class class_cipher_mode;
static struct value_class class_padding_mode;

static size_t block_of(const struct symmetric *s)
{
	return s->kind == KIND_AES ? 16 : 8;
}

/* ---- the cipher ------------------------------------------------------------------------------------------------------------------ */

static const EVP_CIPHER *cipher_of(const struct symmetric *s)
{
	static const char *const modes[] = { [MODE_CBC] = "cbc", [MODE_ECB] = "ecb", [MODE_CFB] = "cfb8" };
	char name[32];
	struct out o = { .p = name, .cap = sizeof(name) };

	if (s->mode < MODE_CBC || s->mode > MODE_CFB || !modes[s->mode])
		return NULL;
	if (s->kind == KIND_AES)
		out_fmt(&o, "aes-%zu-%s", s->key.n * 8, modes[s->mode]);
	else if (s->mode == MODE_ECB)
		out_fmt(&o, "des-ede3");
	else
		out_fmt(&o, "des-ede3-%s", modes[s->mode]);
	out_char(&o, '\0');
	return EVP_get_cipherbyname(name);
}

static bool run(struct vm_call *c, const struct symmetric *s, bool encrypts, struct str in, char *out)
{
	const EVP_CIPHER *cipher = cipher_of(s);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, tail = 0;
	bool ok;

	if (!cipher) {
		EVP_CIPHER_CTX_free(ctx);
		return throw_crypto(c, "Specified cipher mode is not valid for this algorithm.");
	}
	ok = ctx && in.n < INT32_MAX &&
	     EVP_CipherInit_ex(ctx, cipher, NULL, (const uint8_t *)s->key.p, s->mode == MODE_ECB ? NULL : (const uint8_t *)s->iv.p,
			       encrypts) &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) && EVP_CipherUpdate(ctx, (uint8_t *)out, &n, (const uint8_t *)in.p, (int)in.n) &&
	     EVP_CipherFinal_ex(ctx, (uint8_t *)out + n, &tail);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return ok || throw_crypto(c, "Length of the data to decrypt is invalid.");
}

static bool pad(struct vm_call *c, const struct symmetric *s, struct str in, struct str *out)
{
	size_t block = s->mode == MODE_CFB ? 1 : block_of(s), rest = in.n % block;
	size_t n = s->padding == PAD_NONE || (s->padding == PAD_ZEROS && rest == 0) ? 0 : block - rest;
	char *to = arena_alloc_text(c->arena, in.n + n);

	if (s->padding == PAD_NONE && rest)
		return throw_crypto(c, "Length of the data to encrypt is invalid.");
	if (!to)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	memcpy(to, in.p, in.n);
	if (s->padding == PAD_ISO && n > 1 && crypto_random(to + in.n, n - 1, NULL).code)
		return throw_crypto(c, NULL);
	if (s->padding != PAD_ISO)
		memset(to + in.n, s->padding == PAD_PKCS7 ? (int)n : 0, n);
	if (n && (s->padding == PAD_ISO || s->padding == PAD_ANSI))
		to[in.n + n - 1] = (char)n;
	*out = (struct str){ to, in.n + n };
	return true;
}

static bool unpad(struct vm_call *c, const struct symmetric *s, struct str *data)
{
	size_t block = s->mode == MODE_CFB ? 1 : block_of(s), n;
	bool bad;

	if (s->padding == PAD_NONE || s->padding == PAD_ZEROS)
		return true;
	n = data->n ? (uint8_t)data->p[data->n - 1] : 0;
	bad = n == 0 || n > block || n > data->n;
	for (size_t i = 1; !bad && i < n && s->padding != PAD_ISO; i++)
		bad |= (uint8_t)data->p[data->n - 1 - i] != (s->padding == PAD_PKCS7 ? n : 0);
	if (bad)
		return throw_crypto(c, "Padding is invalid and cannot be removed.");
	data->n -= n;
	return true;
}

static bool check(struct vm_call *c, const struct symmetric *s)
{
	bool key_ok = s->kind == KIND_AES ? s->key.n == 16 || s->key.n == 24 || s->key.n == 32 : s->key.n == 24;

	if (!key_ok)
		return throw_crypto(c, "Specified key is not a valid size for this algorithm.");
	if (s->mode != MODE_ECB && s->iv.n != block_of(s))
		return throw_crypto(c, "Specified initialization vector (IV) does not match the block size for this algorithm.");
	return true;
}

static bool transform(struct vm_call *c, const struct symmetric *s, bool encrypts, struct str in)
{
	struct str data = in;
	char *out;

	if (!check(c, s) || !vm_charge(c->vm, 100 + in.n / 8))
		return false;
	if (encrypts && !pad(c, s, in, &data))
		return false;
	if (!encrypts && s->mode != MODE_CFB && data.n % block_of(s))
		return throw_crypto(c, "Length of the data to decrypt is invalid.");
	out = arena_alloc_text(c->arena, data.n + 32);
	if (!out)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (!run(c, s, encrypts, data, out))
		return false;
	data = (struct str){ out, data.n };
	return (encrypts || unpad(c, s, &data)) && give_made(c, vm_bytes(c, data));
}

/* ---- SymmetricAlgorithm ------------------------------------------------------------------------------------------------------------ */

static struct symmetric *self_of(const struct vm_call *c)
{
	return SELF(c, struct symmetric);
}

static bool make(struct vm_call *c, enum kind kind)
{
	struct symmetric *s = vm_new(c, kind == KIND_AES ? &class_aes : &class_3des, sizeof(*s));

	if (!s)
		return false;
	s->kind = kind;
	s->mode = MODE_CBC;
	s->padding = PAD_PKCS7;
	s->key_bits = kind == KIND_AES ? 256 : 192;
	return vm_return(c, value_object(s));
}

static bool new_aes(struct vm_call *c)
{
	return make(c, KIND_AES);
}

static bool new_3des(struct vm_call *c)
{
	return make(c, KIND_3DES);
}

static bool kind_of(struct str name, enum kind *out)
{
	static const struct {
		const char *name;
		enum kind kind;
	} names[] = {
		{ "AES", KIND_AES },           { "AesManaged", KIND_AES },     { "AesCryptoServiceProvider", KIND_AES },
		{ "Rijndael", KIND_AES },      { "RijndaelManaged", KIND_AES }, { "AesCng", KIND_AES },
		{ "TripleDES", KIND_3DES },    { "3DES", KIND_3DES },          { "Triple DES", KIND_3DES },
		{ "TripleDESCryptoServiceProvider", KIND_3DES },
	};

	if (str_starts(name, STR("System.Security.Cryptography.")))
		name = str_from(name, 29);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_ci(name, str_of(names[i].name))) {
			*out = names[i].kind;
			return true;
		}
	return false;
}

static bool create_named(struct vm_call *c)
{
	enum kind kind;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "algName");
	return kind_of(arg_str(c, 0), &kind) ? make(c, kind) : vm_return(c, VALUE_NULL_INIT);
}

static struct str random_bytes(struct vm_call *c, size_t n)
{
	char *p = arena_alloc_text(c->arena, n);

	if (!p || crypto_random(p, n, NULL).code)
		return STR_NULL;
	return (struct str){ p, n };
}

static bool need(struct vm_call *c, struct symmetric *s)
{
	if (!s->key.p)
		s->key = random_bytes(c, (size_t)s->key_bits / 8);
	if (!s->iv.p)
		s->iv = random_bytes(c, block_of(s));
	return (s->key.p && s->iv.p) || throw_crypto(c, NULL);
}

static bool give_copy(struct vm_call *c, struct str bytes)
{
	struct str copy = arena_dup(c->arena, bytes);

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static bool get_key(struct vm_call *c)
{
	return need(c, self_of(c)) && give_copy(c, self_of(c)->key);
}

static bool get_iv(struct vm_call *c)
{
	return need(c, self_of(c)) && give_copy(c, self_of(c)->iv);
}

static bool set_key(struct vm_call *c)
{
	struct symmetric *s = self_of(c);
	struct str key = value_bytes(c->args[0]), old = s->key;

	if (!key.p)
		return vm_throw_null(c, "value");
	s->key = arena_dup(c->arena, key);
	s->key_bits = (int64_t)key.n * 8;
	if (s->kind == KIND_AES ? key.n == 16 || key.n == 24 || key.n == 32 : key.n == 24)
		return nothing(c);
	s->key = old;
	return throw_crypto(c, "Specified key is not a valid size for this algorithm.");
}

static bool set_iv(struct vm_call *c)
{
	struct str iv = value_bytes(c->args[0]);

	if (!iv.p)
		return vm_throw_null(c, "value");
	if (iv.n != block_of(self_of(c)))
		return throw_crypto(c, "Specified initialization vector (IV) does not match the block size for this algorithm.");
	self_of(c)->iv = arena_dup(c->arena, iv);
	return nothing(c);
}

static bool generate_key(struct vm_call *c)
{
	self_of(c)->key = STR_NULL;
	return need(c, self_of(c)) && nothing(c);
}

static bool generate_iv(struct vm_call *c)
{
	self_of(c)->iv = STR_NULL;
	return need(c, self_of(c)) && nothing(c);
}

static bool get_mode(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_cipher_mode, self_of(c)->mode));
}

static bool set_mode(struct vm_call *c)
{
	if (arg_enum(c, 0) < MODE_CBC || arg_enum(c, 0) > MODE_CTS || arg_enum(c, 0) == MODE_OFB || arg_enum(c, 0) == MODE_CTS)
		return throw_crypto(c, "Specified cipher mode is not valid for this algorithm.");
	self_of(c)->mode = arg_enum(c, 0);
	return nothing(c);
}

static bool get_padding(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_padding_mode, self_of(c)->padding));
}

static bool set_padding(struct vm_call *c)
{
	if (arg_enum(c, 0) < PAD_NONE || arg_enum(c, 0) > PAD_ISO)
		return throw_crypto(c, "Specified padding mode is not valid for this algorithm.");
	self_of(c)->padding = arg_enum(c, 0);
	return nothing(c);
}

static bool get_key_size(struct vm_call *c)
{
	return give_int(c, self_of(c)->key_bits);
}

static bool set_key_size(struct vm_call *c)
{
	int64_t bits = arg_int(c, 0);

	if (self_of(c)->kind == KIND_AES ? bits != 128 && bits != 192 && bits != 256 : bits != 192)
		return throw_crypto(c, "Specified key is not a valid size for this algorithm.");
	self_of(c)->key_bits = bits;
	self_of(c)->key = STR_NULL;
	return nothing(c);
}

static bool get_block_size(struct vm_call *c)
{
	return give_int(c, (int64_t)block_of(self_of(c)) * 8);
}

/* (), (byte[] rgbKey, byte[] rgbIV) */
static bool create_transform(struct vm_call *c, bool encrypts)
{
	struct transform *t = vm_new(c, &class_transform, sizeof(*t));

	if (!t || (c->n == 0 && !need(c, self_of(c))))
		return false;
	t->with = *self_of(c);
	t->encrypts = encrypts;
	if (c->n) {
		t->with.key = value_bytes(c->args[0]);
		t->with.iv = value_bytes(c->args[1]);
	}
	return check(c, &t->with) && vm_return(c, value_object(t));
}

static bool create_encryptor(struct vm_call *c)
{
	return create_transform(c, true);
}

static bool create_decryptor(struct vm_call *c)
{
	return create_transform(c, false);
}

static bool transform_final(struct vm_call *c)
{
	const struct transform *t = SELF(c, const struct transform);
	struct str in = value_bytes(c->args[0]);

	if (!in.p)
		return vm_throw_null(c, "inputBuffer");
	if (arg_int(c, 1) < 0 || arg_int(c, 2) < 0 || arg_int(c, 1) > (int64_t)in.n - arg_int(c, 2))
		return vm_throw_range(c, "inputOffset", NULL);
	return transform(c, &t->with, t->encrypts, (struct str){ in.p + arg_int(c, 1), (size_t)arg_int(c, 2) });
}

/* ---- byte[].Encrypt, byte[].Decrypt ---------------------------------------------------------------------------------------------------- */

/* (this byte[] input, string alg | SymmetricAlgorithm alg, [byte[] key, byte[] iv]) */
static bool extension(struct vm_call *c, bool encrypts)
{
	struct str in = value_bytes(c->args[0]);
	struct symmetric s = { .mode = MODE_CBC, .padding = PAD_PKCS7 };

	if (!in.p || arg_is_null(c, 1))
		return vm_throw_null(c, !in.p ? "input" : "alg");
	if (c->args[1].kind == VALUE_STRING) {
		if (!kind_of(arg_str(c, 1), &s.kind))
			return throw_crypto(c, "The symmetric algorithm is not known.");
	} else {
		if (c->n == 2 && !need(c, arg_object(c, 1)))
			return false;
		s = *(struct symmetric *)arg_object(c, 1);
	}
	if (c->n > 2) {
		s.key = value_bytes(c->args[2]);
		s.iv = value_bytes(c->args[3]);
	}
	return transform(c, &s, encrypts, in);
}

static bool encrypt_bytes(struct vm_call *c)
{
	return extension(c, true);
}

static bool decrypt_bytes(struct vm_call *c)
{
	return extension(c, false);
}

/* ---- random numbers ------------------------------------------------------------------------------------------------------------------------ */

static struct value_class class_rng;
static const struct object rng = { &class_rng };

static bool get_rng(struct vm_call *c)
{
	return vm_return(c, value_object(&rng));
}

static bool fill(struct vm_call *c, bool zeros)
{
	struct array *a = value_array(c->args[0]);

	if (!a)
		return vm_throw_null(c, "data");
	if (!vm_charge(c->vm, a->n / 8))
		return false;
	if (crypto_random(a->bytes, a->n, NULL).code)
		return throw_crypto(c, NULL);
	for (size_t i = 0; !zeros && i < a->n; i++)
		while (a->bytes[i] == 0)
			if (crypto_random(&a->bytes[i], 1, NULL).code)
				return throw_crypto(c, NULL);
	return nothing(c);
}

static bool fill_bytes(struct vm_call *c)
{
	return fill(c, true);
}

static bool fill_non_zero(struct vm_call *c)
{
	return fill(c, false);
}

static const struct class_member members[] = {
	{ "static SymmetricAlgorithm Create(string algName)", create_named },
	{ "byte[] Key { get; set; }", get_key, set_key },
	{ "byte[] IV { get; set; }", get_iv, set_iv },
	{ "CipherMode Mode { get; set; }", get_mode, set_mode },
	{ "PaddingMode Padding { get; set; }", get_padding, set_padding },
	{ "int KeySize { get; set; }", get_key_size, set_key_size },
	{ "int BlockSize { get; }", get_block_size },
	{ "void GenerateKey()", generate_key },
	{ "void GenerateIV()", generate_iv },
	{ "ICryptoTransform CreateEncryptor()", create_encryptor },
	{ "ICryptoTransform CreateEncryptor(byte[] rgbKey, byte[] rgbIV)", create_encryptor },
	{ "ICryptoTransform CreateDecryptor()", create_decryptor },
	{ "ICryptoTransform CreateDecryptor(byte[] rgbKey, byte[] rgbIV)", create_decryptor },
	{ "void Clear()", nothing },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member aes_members[] = { { "static Aes Create()", new_aes }, { 0 } };
static const struct class_member managed_members[] = { { "AesManaged()", new_aes }, { 0 } };
static const struct class_member provider_members[] = { { "AesCryptoServiceProvider()", new_aes }, { 0 } };
static const struct class_member rijndael_members[] = { { "RijndaelManaged()", new_aes }, { 0 } };
static const struct class_member des_members[] = { { "static TripleDES Create()", new_3des }, { 0 } };
static const struct class_member transform_members[] = {
	{ "byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)", transform_final },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member extension_members[] = {
	{ "static byte[] Encrypt(this byte[] input, string alg, byte[] key, byte[] iv)", encrypt_bytes },
	{ "static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg)", encrypt_bytes },
	{ "static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)", encrypt_bytes },
	{ "static byte[] Decrypt(this byte[] input, string alg, byte[] key, byte[] iv)", decrypt_bytes },
	{ "static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg)", decrypt_bytes },
	{ "static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)", decrypt_bytes },
	{ 0 }
};
static const struct class_member rng_base_members[] = {
	{ "static RandomNumberGenerator Create()", get_rng },
	{ "void GetBytes(byte[] data)", fill_bytes },
	{ "void GetNonZeroBytes(byte[] data)", fill_non_zero },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member rng_members[] = { { "RNGCryptoServiceProvider()", get_rng }, { 0 } };
static const struct class_member cipher_modes[] = { { "CBC = 1" }, { "ECB = 2" }, { "OFB = 3" }, { "CFB = 4" }, { "CTS = 5" }, { 0 } };
static const struct class_member padding_modes[] = {
	{ "None = 1" }, { "PKCS7 = 2" }, { "Zeros = 3" }, { "ANSIX923 = 4" }, { "ISO10126 = 5" }, { 0 }
};

#define NAMESPACE "System.Security.Cryptography."
struct value_class class_symmetric = {
	.name = NAMESPACE "SymmetricAlgorithm", .interfaces = "IDisposable", .members = members
};
static struct value_class class_aes = { .name = NAMESPACE "Aes", .base = "SymmetricAlgorithm", .members = aes_members };
static struct value_class class_3des = { .name = NAMESPACE "TripleDES", .base = "SymmetricAlgorithm", .members = des_members };
static struct value_class class_managed = { .name = NAMESPACE "AesManaged", .base = "Aes", .members = managed_members };
static struct value_class class_provider = {
	.name = NAMESPACE "AesCryptoServiceProvider", .base = "Aes", .members = provider_members
};
static struct value_class class_rijndael = {
	.name = NAMESPACE "RijndaelManaged", .base = "SymmetricAlgorithm", .members = rijndael_members
};
static struct value_class class_transform = {
	.name = NAMESPACE "ICryptoTransform", .interfaces = "IDisposable", .members = transform_members
};
static struct value_class class_extensions = {
	.name = "EncryptionExtensions", .kind = CLASS_STATIC, .members = extension_members, .extensions = true
};
static struct value_class class_rng_base = {
	.name = NAMESPACE "RandomNumberGenerator", .interfaces = "IDisposable", .members = rng_base_members
};
static struct value_class class_rng = {
	.name = NAMESPACE "RNGCryptoServiceProvider", .base = "RandomNumberGenerator", .members = rng_members
};
static struct value_class class_cipher_mode = { .name = NAMESPACE "CipherMode", .kind = CLASS_ENUM, .members = cipher_modes };
static struct value_class class_padding_mode = { .name = NAMESPACE "PaddingMode", .kind = CLASS_ENUM, .members = padding_modes };
static struct value_class *const classes[] = {
	&class_symmetric, &class_aes,        &class_3des, &class_managed, &class_provider,    &class_rijndael,    &class_transform,
	&class_extensions, &class_rng_base, &class_rng,  &class_cipher_mode, &class_padding_mode, NULL
};

const struct class_module net_symmetric = { .classes = classes };
