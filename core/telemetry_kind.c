#include "core/telemetry_kind.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A client chooses some of the texts (host, method): nobody can make a look-up take more than PROBES steps. */
enum { SLOTS = 4 * TELEMETRY_KINDS_MAX, SLOT_BITS = 12, PROBES = 16, PARTS = 4, BYTES_MAX = 2 << 20 };
_Static_assert(SLOTS == 1 << SLOT_BITS, "a slot is chosen by the top bits of a hash");

#define ONE(name) +1
enum { TEXTS = 0 TELEMETRY_SHARED_TEXTS(ONE), NUMBERS = 0 TELEMETRY_SHARED_NUMBERS(ONE) };

/* The fields as they are compared: numbers and lengths, and the texts in as few parts as they lie in a record. */
struct fields {
	uint16_t numbers[NUMBERS], lengths[TEXTS];
	struct str parts[PARTS];
};

struct kind {
	uint64_t hash;
	uint16_t numbers[NUMBERS], lengths[TEXTS];
	const char *bytes;                           /* of all parts */
};

struct telemetry_kinds {
	struct arena *arena;                         /* of bytes */
	unsigned n;
	uint16_t slots[SLOTS];                       /* 0: free; else the number of a kind */
	struct kind kinds[TELEMETRY_KINDS_MAX];
};

struct telemetry_kinds *telemetry_kinds_new(void)
{
	struct telemetry_kinds *k = malloc(sizeof(*k));

	if (!k)
		return NULL;
	k->arena = arena_new(BYTES_MAX);
	k->n = 0;
	memset(k->slots, 0, sizeof(k->slots));
	if (!k->arena) {
		free(k);
		return NULL;
	}
	return k;
}

void telemetry_kinds_free(struct telemetry_kinds *k)
{
	if (!k)
		return;
	arena_free(k->arena);
	free(k);
}

/* From the first to the end of the last text, which follow each other in a record. */
static struct str part(struct str first, struct str last)
{
	return (struct str){ first.p, (size_t)(last.p + last.n - first.p) };
}

static void fields_of(const struct telemetry_call *call, struct fields *out)
{
	unsigned at = 0;

#define X(name) out->numbers[at++] = call->name;
	TELEMETRY_SHARED_NUMBERS(X)
#undef X
	at = 0;
#define X(name) out->lengths[at++] = (uint16_t)call->name.n;
	TELEMETRY_SHARED_TEXTS(X)
#undef X
	out->parts[0] = part(call->environment, call->host);
	out->parts[1] = part(call->reason, call->client_ip);
	out->parts[2] = call->key_prefix;
	out->parts[3] = call->credential;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t h, const void *p, size_t n)
{
	const char *at = p;
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	if (n)
		memcpy(&word, at, n);
	return mix(h, word);
}

static uint64_t hash_of(const struct fields *f)
{
	uint64_t h = mix_bytes(0, f->numbers, sizeof(f->numbers));

	h = mix_bytes(h, f->lengths, sizeof(f->lengths));
	for (int i = 0; i < PARTS; i++)
		if (f->parts[i].n)
			h = mix_bytes(h, f->parts[i].p, f->parts[i].n);
	return h * UINT64_C(0xC2B2AE3D27D4EB4F);
}

static bool is(const struct kind *k, uint64_t hash, const struct fields *f)
{
	const char *at = k->bytes;

	if (k->hash != hash || memcmp(k->numbers, f->numbers, sizeof(k->numbers)) != 0 || memcmp(k->lengths, f->lengths, sizeof(k->lengths)) != 0)
		return false;
	for (int i = 0; i < PARTS; at += f->parts[i].n, i++)
		if (f->parts[i].n && memcmp(at, f->parts[i].p, f->parts[i].n) != 0)
			return false;
	return true;
}

static unsigned add(struct telemetry_kinds *k, size_t slot, uint64_t hash, const struct fields *f)
{
	struct kind *now = &k->kinds[k->n];
	size_t n = 0;
	char *to;

	if (k->n == TELEMETRY_KINDS_MAX)
		return 0;
	for (int i = 0; i < PARTS; i++)
		n += f->parts[i].n;
	now->bytes = to = arena_alloc_text(k->arena, n + 1);
	if (!to)
		return 0;
	for (int i = 0; i < PARTS; i++)
		if (f->parts[i].n) {
			memcpy(to, f->parts[i].p, f->parts[i].n);
			to += f->parts[i].n;
		}
	now->hash = hash;
	memcpy(now->numbers, f->numbers, sizeof(now->numbers));
	memcpy(now->lengths, f->lengths, sizeof(now->lengths));
	k->slots[slot] = (uint16_t)++k->n;
	return k->n;
}

unsigned telemetry_kind(struct telemetry_kinds *k, const struct telemetry_call *call)
{
	struct fields f;
	uint64_t hash;
	size_t slot;

	fields_of(call, &f);
	hash = hash_of(&f);
	slot = hash >> (64 - SLOT_BITS);
	for (int i = 0; i < PROBES; i++, slot = (slot + 1) % SLOTS) {
		if (!k->slots[slot])
			return add(k, slot, hash, &f);
		if (is(&k->kinds[k->slots[slot] - 1], hash, &f))
			return k->slots[slot];
	}
	return 0;
}
