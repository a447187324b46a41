/* hash.c - System.Security.Cryptography: digests and keyed digests, on OpenSSL's EVP.
 *
 * An object keeps its bytes until they are asked for (TransformBlock collects), so there is nothing to free. */
#include "policy/net/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/crypto.h"
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/padding.h"

enum { KEY_BYTES = 64, SLOW = 4 };

struct hasher {
	struct object head;
	enum digest digest;
	bool keyed;
	struct str key, hash;
	struct out block;
};

static const struct {
	const char *name;            /* HashAlgorithmName */
	const char *evp;
	unsigned bytes, block;
} digests[] = {
	[DIGEST_MD5] = { "MD5", "MD5", 16, 64 },             [DIGEST_SHA1] = { "SHA1", "SHA1", 20, 64 },
	[DIGEST_SHA256] = { "SHA256", "SHA256", 32, 64 },    [DIGEST_SHA384] = { "SHA384", "SHA384", 48, 128 },
	[DIGEST_SHA512] = { "SHA512", "SHA512", 64, 128 },
};

const char *digest_evp_name(enum digest d)
{
	return digests[d].evp;
}

bool digest_of_name(struct str name, enum digest *out)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		struct str known = str_of(digests[i].name);
		bool dashed = name.n == known.n + 1 && known.n > 4 && str_eq_ci(str_first(name, 3), STR("SHA")) &&
			      name.p[3] == '-' && str_eq_ci(str_from(name, 4), str_from(known, 3));

		if (str_eq_ci(name, known) || dashed) {
			*out = (enum digest)i;
			return true;
		}
	}
	return false;
}

static bool compute(struct vm_call *c, struct hasher *h, struct str bytes)
{
	char *out = arena_alloc_text(c->arena, EVP_MAX_MD_SIZE);
	const EVP_MD *md = EVP_get_digestbyname(digests[h->digest].evp);
	unsigned n = 0;
	bool ok;

	if (!out || !vm_charge(c->vm, 20 + bytes.n * SLOW / 10))
		return out ? false : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (h->keyed)
		ok = HMAC(md, h->key.p ? h->key.p : "", (int)h->key.n, (const unsigned char *)bytes.p, bytes.n, (unsigned char *)out,
			  &n) != NULL;
	else
		ok = EVP_Digest(bytes.p, bytes.n, (unsigned char *)out, &n, md, NULL) == 1;
	if (!ok)
		return vm_throw(c, EX_CRYPTOGRAPHIC, NULL);
	h->hash = (struct str){ out, n };
	return true;
}

static struct hasher *self_of(const struct vm_call *c)
{
	return SELF(c, struct hasher);
}

/* (byte[] buffer, [int offset, int count]) */
static bool slice_arg(struct vm_call *c, struct str *out)
{
	*out = value_bytes(c->args[0]);
	if (!out->p)
		return vm_throw_null(c, "buffer");
	if (c->n < 3)
		return true;
	if (arg_int(c, 1) < 0)
		return vm_throw_range(c, "offset", "Non-negative number required.");
	if (arg_int(c, 2) < 0 || arg_int(c, 1) > (int64_t)out->n - arg_int(c, 2))
		return vm_throw(c, EX_ARGUMENT, "Value was invalid.");
	*out = (struct str){ out->p + arg_int(c, 1), (size_t)arg_int(c, 2) };
	return true;
}

/* A byte[] is C#'s to change: it gets a copy. */
static bool give_copy(struct vm_call *c, struct str bytes)
{
	struct str copy = arena_dup(c->arena, bytes);

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool compute_hash(struct vm_call *c)
{
	struct str bytes;

	if (!slice_arg(c, &bytes) || !compute(c, self_of(c), bytes))
		return false;
	return give_copy(c, self_of(c)->hash);
}

static bool transform_block(struct vm_call *c)
{
	struct str bytes;

	if (!slice_arg(c, &bytes))
		return false;
	self_of(c)->block.a = c->arena;
	out_put(&self_of(c)->block, bytes);
	return self_of(c)->block.failed ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : give_int(c, (int64_t)bytes.n);
}

static bool transform_final(struct vm_call *c)
{
	struct str bytes;

	if (!transform_block(c) || !slice_arg(c, &bytes) || !compute(c, self_of(c), out_str(&self_of(c)->block)))
		return false;
	self_of(c)->block = out_in(c->arena);
	return give_copy(c, bytes);
}

static bool get_hash(struct vm_call *c)
{
	return self_of(c)->hash.p ? give_copy(c, self_of(c)->hash) : vm_return(c, VALUE_NULL_INIT);
}

static bool get_hash_size(struct vm_call *c)
{
	return give_int(c, digests[self_of(c)->digest].bytes * 8);
}

static bool get_key(struct vm_call *c)
{
	return give_copy(c, self_of(c)->key);
}

static bool set_key(struct vm_call *c)
{
	struct str key = value_bytes(c->args[0]);

	if (!key.p)
		return vm_throw_null(c, "value");
	self_of(c)->key = arena_dup(c->arena, key);
	return self_of(c)->key.p ? vm_return(c, VALUE_NULL_INIT) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static bool make(struct vm_call *c, struct value_class *cls, enum digest digest, bool keyed)
{
	struct hasher *h = vm_new(c, cls, sizeof(*h));
	struct str key = c->n && value_array(c->args[0]) ? value_bytes(c->args[0]) : STR_NULL;
	char *random;

	if (!h)
		return false;
	h->digest = digest;
	h->keyed = keyed;
	if (keyed && c->n && !key.p)
		return vm_throw_null(c, "key");
	if (keyed && !c->n) {                    /* a key of its own */
		random = arena_alloc_text(c->arena, KEY_BYTES);
		if (!random || crypto_random(random, KEY_BYTES, NULL).code)
			return vm_throw(c, EX_CRYPTOGRAPHIC, NULL);
		key = (struct str){ random, KEY_BYTES };
	}
	if (keyed) {
		h->key = arena_dup(c->arena, key);
		if (!h->key.p)
			return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	return vm_return(c, value_object(h));
}

#define DIGEST_CLASSES(X)                                                                                  \
	X(MD5, MD5, HashAlgorithm) X(SHA1, SHA1, HashAlgorithm) X(SHA256, SHA256, HashAlgorithm)           \
	X(SHA384, SHA384, HashAlgorithm) X(SHA512, SHA512, HashAlgorithm)
#define DERIVED_CLASSES(X)                                                                                 \
	X(MD5CryptoServiceProvider, MD5, MD5) X(SHA1Managed, SHA1, SHA1) X(SHA1CryptoServiceProvider, SHA1, SHA1) \
	X(SHA256Managed, SHA256, SHA256) X(SHA256CryptoServiceProvider, SHA256, SHA256)                    \
	X(SHA384Managed, SHA384, SHA384) X(SHA512Managed, SHA512, SHA512)                                  \
	X(SHA512CryptoServiceProvider, SHA512, SHA512)
#define HMAC_CLASSES(X)                                                                                    \
	X(HMACMD5, MD5, HMAC) X(HMACSHA1, SHA1, HMAC) X(HMACSHA256, SHA256, HMAC) X(HMACSHA384, SHA384, HMAC) \
	X(HMACSHA512, SHA512, HMAC)

#define DECLARE(N, D, P) static struct value_class class_##N;
DIGEST_CLASSES(DECLARE)
DERIVED_CLASSES(DECLARE)
HMAC_CLASSES(DECLARE)

#define MAKER(N, D, P)                                                    \
	static bool new_##N(struct vm_call *c)                                    \
	{                                                                            \
		return make(c, &class_##N, DIGEST_##D, (#P)[1] == 'M');   \
	}
DIGEST_CLASSES(MAKER)
DERIVED_CLASSES(MAKER)
HMAC_CLASSES(MAKER)

#define DIGEST_TABLE(N, D, P)                                                             \
	static const struct class_member N##_members[] = {                                        \
		{ "static " #N " Create()", new_##N }, { "static " #N " Create(string name)", new_##N }, { 0 } \
	};                                                                                           \
	static struct value_class class_##N = {                                                   \
		.name = "System.Security.Cryptography." #N, .base = #P, .members = N##_members \
	};
DIGEST_CLASSES(DIGEST_TABLE)

#define DERIVED_TABLE(N, D, P)                                                            \
	static const struct class_member N##_members[] = { { #N "()", new_##N }, { 0 } };   \
	static struct value_class class_##N = {                                                   \
		.name = "System.Security.Cryptography." #N, .base = #P, .members = N##_members \
	};
DERIVED_CLASSES(DERIVED_TABLE)

#define HMAC_TABLE(N, D, P)                                                               \
	static const struct class_member N##_members[] = {                                        \
		{ #N "()", new_##N }, { #N "(byte[] key)", new_##N }, { 0 }              \
	};                                                                                           \
	static struct value_class class_##N = {                                                   \
		.name = "System.Security.Cryptography." #N, .base = #P, .members = N##_members \
	};
HMAC_CLASSES(HMAC_TABLE)

/* HashAlgorithm.Create("SHA256"), HMAC.Create("HMACSHA1"); an unknown name gives null. */
static bool create_named(struct vm_call *c)
{
	static struct value_class *const plain[] = {
		[DIGEST_MD5] = &class_MD5, [DIGEST_SHA1] = &class_SHA1, [DIGEST_SHA256] = &class_SHA256,
		[DIGEST_SHA384] = &class_SHA384, [DIGEST_SHA512] = &class_SHA512,
	};
	static struct value_class *const keyed[] = {
		[DIGEST_MD5] = &class_HMACMD5, [DIGEST_SHA1] = &class_HMACSHA1, [DIGEST_SHA256] = &class_HMACSHA256,
		[DIGEST_SHA384] = &class_HMACSHA384, [DIGEST_SHA512] = &class_HMACSHA512,
	};
	struct str name = arg_str(c, 0);
	bool hmac = name.p && str_starts_ci(name, STR("HMAC"));
	enum digest d;

	if (!name.p)
		return vm_throw_null(c, "hashName");
	if (str_starts(name, STR("System.Security.Cryptography.")))
		name = str_from(name, 29);
	if (!digest_of_name(hmac ? str_from(name, 4) : name, &d))
		return vm_return(c, VALUE_NULL_INIT);
	c->n = 0;
	return make(c, (hmac ? keyed : plain)[d], d, hmac);
}

static const struct class_member base_members[] = {
	{ "static HashAlgorithm Create(string hashName)", create_named },
	{ "byte[] ComputeHash(byte[] buffer)", compute_hash },
	{ "byte[] ComputeHash(byte[] buffer, int offset, int count)", compute_hash },
	{ "int TransformBlock(byte[] inputBuffer, int inputOffset, int inputCount, byte[] outputBuffer, int outputOffset)",
	  transform_block },
	{ "byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)", transform_final },
	{ "byte[] Hash { get; }", get_hash },
	{ "int HashSize { get; }", get_hash_size },
	{ "void Initialize()", nothing },
	{ "void Clear()", nothing },
	{ "void Dispose()", nothing },
	{ 0 }
};
static const struct class_member keyed_members[] = { { "byte[] Key { get; set; }", get_key, set_key }, { 0 } };
static const struct class_member hmac_members[] = { { "static HMAC Create(string algorithmName)", create_named }, { 0 } };

struct value_class class_hash_algorithm = {
	.name = "System.Security.Cryptography.HashAlgorithm", .interfaces = "IDisposable", .members = base_members
};
static struct value_class class_keyed = {
	.name = "System.Security.Cryptography.KeyedHashAlgorithm", .base = "HashAlgorithm", .members = keyed_members
};
struct value_class class_hmac = {
	.name = "System.Security.Cryptography.HMAC", .base = "KeyedHashAlgorithm", .members = hmac_members
};

/* ---- HashAlgorithmName ------------------------------------------------------------------------------------------------------------ */

struct hash_name {
	struct object head;
	struct str name;
};

static struct value_class class_hash_name;
static const struct hash_name no_name = { { &class_hash_name }, { NULL, 0 } };

static bool same_name(struct value l, struct value r)
{
	return str_eq(((struct hash_name *)(void *)l.object)->name, ((struct hash_name *)(void *)r.object)->name);
}

static uint64_t hash_of_name(struct value v)
{
	return str_hash(((struct hash_name *)(void *)v.object)->name);
}

static struct str name_text(struct arena *a UNUSED, struct value v)
{
	struct str name = ((struct hash_name *)(void *)v.object)->name;

	return name.p ? name : STR("");
}

bool give_hash_name(struct vm_call *c, struct str name)
{
	struct hash_name *h = vm_new(c, &class_hash_name, sizeof(*h));

	if (!h)
		return false;
	h->name = name;
	return vm_return(c, value_object(h));
}

static bool new_name(struct vm_call *c)
{
	return give_hash_name(c, c->n ? arg_str(c, 0) : STR_NULL);
}

#define NAMED(digest)                                   \
	static bool get_##digest(struct vm_call *c)     \
	{                                               \
		return give_hash_name(c, STR(#digest));      \
	}
NAMED(MD5)
NAMED(SHA1)
NAMED(SHA256)
NAMED(SHA384)
NAMED(SHA512)

static bool get_name(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct hash_name)->name);
}

static bool name_equal(struct vm_call *c)
{
	return give_bool(c, same_name(c->args[0], c->args[1]));
}

static bool name_unequal(struct vm_call *c)
{
	return give_bool(c, !same_name(c->args[0], c->args[1]));
}

bool digest_arg(struct vm_call *c, size_t i, enum digest *out)
{
	const struct hash_name *h = arg_object(c, i);

	if (!h || !h->name.n)
		return vm_throw(c, EX_ARGUMENT, "The hash algorithm name cannot be null or empty. (Parameter 'hashAlgorithm')");
	if (!digest_of_name(h->name, out))
		return vm_throw(c, EX_CRYPTOGRAPHIC, "'%.*s' is not a known hash algorithm.", STR_ARG(h->name));
	return true;
}

static const struct class_member name_members[] = {
	{ "HashAlgorithmName()", new_name },
	{ "HashAlgorithmName(string name)", new_name },
	{ "static HashAlgorithmName MD5 { get; }", get_MD5 },
	{ "static HashAlgorithmName SHA1 { get; }", get_SHA1 },
	{ "static HashAlgorithmName SHA256 { get; }", get_SHA256 },
	{ "static HashAlgorithmName SHA384 { get; }", get_SHA384 },
	{ "static HashAlgorithmName SHA512 { get; }", get_SHA512 },
	{ "string Name { get; }", get_name },
	{ "static bool operator ==(HashAlgorithmName left, HashAlgorithmName right)", name_equal },
	{ "static bool operator !=(HashAlgorithmName left, HashAlgorithmName right)", name_unequal },
	{ 0 }
};
static struct value_class class_hash_name = {
	.name = "System.Security.Cryptography.HashAlgorithmName", .kind = CLASS_STRUCT, .members = name_members,
	.equals = same_name, .hash = hash_of_name, .to_text = name_text, .zero = &no_name.head
};

#define LISTED(N, D, P) &class_##N,
static struct value_class *const classes[] = { &class_hash_algorithm, &class_keyed, &class_hmac, &class_hash_name,
					       DIGEST_CLASSES(LISTED) DERIVED_CLASSES(LISTED) HMAC_CLASSES(LISTED) NULL };

const struct class_module net_hash = { .classes = classes };
