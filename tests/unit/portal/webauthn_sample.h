/* webauthn_sample.h - an authenticator for tests: makes a key and signs as a device does, with every part open to change. */
#pragma once

#include "core/crypto.h"
#include "core/str.h"
#include "portal/web/webauthn.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>

#define SAMPLE_ORIGIN "https://apis.example.com"
#define SAMPLE_CHALLENGE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static const struct webauthn_expect sample_expect = { STR_INIT(SAMPLE_ORIGIN), STR_INIT("apis.example.com"), STR_INIT(SAMPLE_CHALLENGE) };
static const char sample_id[] = "sixteen-bytes-id";

static struct str UNUSED sample_client(struct arena *a, const char *type, const char *challenge, const char *origin, const char *more)
{
	return arena_printf(a, "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\"%s}", type, challenge, origin, more);
}

static EVP_PKEY *UNUSED sample_key(void)
{
	return EVP_EC_gen("P-256");
}

/* RP hash, flags, counter; with FLAG_AT the key in COSE form behind it. */
static struct str UNUSED sample_auth(struct arena *a, const char *rp, unsigned flags, uint32_t count, EVP_PKEY *key)
{
	uint8_t *p = arena_alloc(a, 1, 512), xy[65];
	size_t n = 0, len;

	crypto_sha256(str_of(rp), p);
	n = 32;
	p[n++] = (uint8_t)flags;
	for (int i = 3; i >= 0; i--)
		p[n++] = (uint8_t)(count >> (8 * i));
	if (flags & 64) {
		n += 16;                                 /* AAGUID of nobody */
		p[n++] = 0;
		p[n++] = sizeof(sample_id) - 1;
		memcpy(p + n, sample_id, sizeof(sample_id) - 1);
		n += sizeof(sample_id) - 1;
		EVP_PKEY_get_octet_string_param(key, "pub", xy, sizeof(xy), &len);
		memcpy(p + n, "\xA5\x01\x02\x03\x26\x20\x01\x21\x58\x20", 10);
		memcpy(p + n + 10, xy + 1, 32);
		memcpy(p + n + 42, "\x22\x58\x20", 3);
		memcpy(p + n + 45, xy + 33, 32);
		n += 77;
	}
	return (struct str){ (const char *)p, n };
}

static struct str UNUSED sample_sign(struct arena *a, EVP_PKEY *key, struct str auth, struct str client)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *sig = arena_alloc(a, 1, 128), digest[CRYPTO_SHA256_BYTES];
	size_t n = 128;

	crypto_sha256(client, digest);
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
	EVP_DigestSignUpdate(ctx, auth.p, auth.n);
	EVP_DigestSignUpdate(ctx, digest, sizeof(digest));
	EVP_DigestSignFinal(ctx, sig, &n);
	EVP_MD_CTX_free(ctx);
	return (struct str){ (const char *)sig, n };
}
