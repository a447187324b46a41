/* tokens_share.c - a token on its way to other machines and back. Not sealed with the key of the file: what is copied from one to
 * the other must not open. */
#include "core/tokens_impl.h"

#include "core/str.h"

#include <stdio.h>

enum { TIMES_BYTES = 64 };

static void outside_key(const struct tokens *t, uint8_t out[CRYPTO_SHA256_BYTES])
{
	crypto_hmac_sha256((struct str){ (const char *)t->key, sizeof(t->key) }, STR("on other machines"), out);
}

static struct str name_under_key(const struct tokens *t, struct arena *a, const char *what, struct str text)
{
	struct str parts[] = { str_of(what), text }, whole = arena_join(a, parts, ARRAY_LEN(parts));
	uint8_t key[CRYPTO_SHA256_BYTES], mac[CRYPTO_SHA256_BYTES];

	if (!whole.p)
		return STR_NULL;
	outside_key(t, key);
	crypto_hmac_sha256((struct str){ (const char *)key, sizeof(key) }, whole, mac);
	crypto_wipe(key, sizeof(key));
	return crypto_hex(a, (struct str){ (const char *)mac, sizeof(mac) / 2 });
}

static struct str digest_of(const struct tokens_id *id)
{
	return (struct str){ (const char *)id->digest, sizeof(id->digest) };
}

struct str tokens_outside_name(const struct tokens *t, struct arena *a, const struct tokens_id *id)
{
	return name_under_key(t, a, "name:", digest_of(id));
}

struct str tokens_mark(const struct tokens *t, struct arena *a, struct str value)
{
	return value.n ? name_under_key(t, a, "mark:", value) : STR("");
}

GH_RC tokens_wrap(const struct tokens *t, struct arena *a, const struct tokens_id *id, const struct tokens_outside *v, struct str *out,
		  struct gh_err *err)
{
	char times[TIMES_BYTES];
	struct str parts[] = { { times, 0 }, v->value }, plain;
	uint8_t key[CRYPTO_SHA256_BYTES];
	gh_rc rc;

	parts[0].n = (size_t)snprintf(times, sizeof(times), "%lld %lld\n", (long long)v->life_us, (long long)v->due_us);
	plain = arena_join(a, parts, ARRAY_LEN(parts));
	if (!plain.p)
		FAIL(err, NOMEM, "token");
	outside_key(t, key);
	rc = crypto_seal(a, key, plain, digest_of(id), out, err);
	crypto_wipe(key, sizeof(key));
	crypto_wipe((char *)(uintptr_t)plain.p, plain.n);
	return rc;
}

bool tokens_unwrap(const struct tokens *t, struct arena *a, const struct tokens_id *id, struct str sealed, struct tokens_outside *out)
{
	uint8_t key[CRYPTO_SHA256_BYTES];
	struct str plain, life, due;
	uint64_t life_us, due_us;
	gh_rc rc;

	outside_key(t, key);
	rc = crypto_open(a, key, sealed, digest_of(id), &plain, NULL);
	crypto_wipe(key, sizeof(key));
	if (rc.code || !str_split(&plain, ' ', &life) || !str_split(&plain, '\n', &due) || !str_to_u64(life, INT64_MAX, &life_us)
	    || !str_to_u64(due, life_us, &due_us) || !plain.n)
		return false;
	*out = (struct tokens_outside){ plain, (int64_t)life_us, (int64_t)due_us };
	return true;
}

int64_t tokens_purged_us(const struct tokens *t)
{
	return atomic_load_explicit(&t->header->purged_us, memory_order_relaxed);
}
