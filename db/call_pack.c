#include "db/call_pack.h"

#include "core/str.h"
#include "core/telemetry_kind.h"

#include <stdlib.h>

/* What each has for itself; new ones come last. The request id stands apart. */
#define OWN_NUMBERS(X)                                                                                                     \
	X(bytes_in) X(bytes_out) X(backend_bytes_out) X(backend_bytes_in) X(total_us) X(gateway_us) X(backend_us) X(dns_us)     \
	X(connect_us) X(tls_us) X(first_byte_us)
#define OWN_TEXTS(X)                                                                                                       \
	X(path) X(tries) X(limits) X(decision) X(detail) X(trace_id) X(parent_span) X(correlation) X(place) X(steps)

#define ONE(name) +1
#define NAME_TEXT(name) OWN_TEXT_##name,
#define NAME_NUMBER(name) OWN_NUMBER_##name,
enum { OWN_TEXTS(NAME_TEXT) OWN_TEXT_END };
enum { OWN_NUMBERS(NAME_NUMBER) OWN_NUMBER_END };
#define ONE_TEXT(name, max) +1
#define ONE_NUMBER(type, name) +1
enum { SHARED_TEXT_COUNT = TELEMETRY_SHARED_TEXTS(ONE), SHARED_COUNT = SHARED_TEXT_COUNT TELEMETRY_SHARED_NUMBERS(ONE), OWN_NUMBER_COUNT = OWN_NUMBERS(ONE),
       OWN_TEXT_COUNT = OWN_TEXTS(ONE) };
_Static_assert(SHARED_TEXT_COUNT + OWN_TEXT_COUNT + 1 == 0 TELEMETRY_TEXTS(ONE_TEXT), "each text of a call has its place here");
_Static_assert(SHARED_COUNT - SHARED_TEXT_COUNT + OWN_NUMBER_COUNT == 0 TELEMETRY_NUMBERS(ONE_NUMBER), "and each number");
_Static_assert(OWN_NUMBER_COUNT <= 32 && OWN_TEXT_COUNT <= 32, "masks");

enum { NEW_SECTION = 1, NEW_SHARED = 2, UUID = 4, SAME_TRACE = 8, VERSION = 1, UUID_BYTES = 16, UUID_TEXT = 36, BARE_TEXT = 32, NUMBER_MAX = 10,
       SLOTS = 1024, SHARED_MAX = 256 /* in a section; more begin another */, CAP_FIRST = 64 << 10 };

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

struct shared {
	uint64_t hash;
	uint32_t at[SHARED_TEXT_COUNT];              /* of the texts, in what is packed */
	uint16_t n[SHARED_TEXT_COUNT];
	uint64_t numbers[SHARED_COUNT - SHARED_TEXT_COUNT];
};

struct call_packer {
	unsigned char *p;
	size_t n, cap;
	struct shared shared[SHARED_MAX];
	uint16_t slots[SLOTS];                       /* 0: free; else the number of a shared one, plus 1 */
	uint16_t of_kind[TELEMETRY_KINDS_MAX + 1];   /* the same, by the kind of the call */
	unsigned n_shared;
	bool section;                                /* the next record begins one */
	int64_t last_us;
};

struct call_packer *call_packer_new(void)
{
	return calloc(1, sizeof(struct call_packer));
}

void call_packer_free(struct call_packer *p)
{
	if (!p)
		return;
	free(p->p);
	free(p);
}

struct str call_packer_bytes(const struct call_packer *p)
{
	return (struct str){ (const char *)p->p, p->n };
}

static bool have_room(struct call_packer *p, size_t more)
{
	size_t cap = p->cap ? p->cap : CAP_FIRST;
	unsigned char *now;

	if (p->cap - p->n >= more)
		return true;
	while (cap - p->n < more)
		cap *= 2;
	now = realloc(p->p, cap);
	if (!now)
		return false;
	p->p = now;
	p->cap = cap;
	return true;
}

static void begin_section(struct call_packer *p)
{
	memset(p->slots, 0, sizeof(p->slots));
	memset(p->of_kind, 0, sizeof(p->of_kind));
	p->n_shared = 0;
	p->section = true;
	p->last_us = 0;
}

bool call_packer_begin(struct call_packer *p, struct str before)
{
	p->n = 0;
	begin_section(p);
	if (!have_room(p, before.n))
		return false;
	if (before.n)
		memcpy(p->p, before.p, before.n);
	p->n = before.n;
	return true;
}

static unsigned char *put_number(unsigned char *to, uint64_t v)
{
	for (; v > 127; v >>= 7)
		*to++ = (unsigned char)(v | 128);
	*to++ = (unsigned char)v;
	return to;
}

static unsigned char *put_bytes(unsigned char *to, struct str s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

/* The ends of a text tell most texts apart. */
static uint64_t mix(uint64_t h, struct str s)
{
	uint64_t first = 0, last = 0;

	if (s.n >= 8) {
		memcpy(&first, s.p, 8);
		memcpy(&last, s.p + s.n - 8, 8);
	} else if (s.n) {
		memcpy(&first, s.p, s.n);
	}
	return ((h ^ first) * UINT64_C(0x9E3779B97F4A7C15) ^ last ^ s.n) * UINT64_C(0xC2B2AE3D27D4EB4F);
}

static bool same(const struct call_packer *p, const struct shared *have, uint64_t hash, const struct str texts[], const uint64_t numbers[])
{
	if (have->hash != hash || memcmp(have->numbers, numbers, sizeof(have->numbers)) != 0)
		return false;
	for (int i = 0; i < SHARED_TEXT_COUNT; i++)
		if (have->n[i] != texts[i].n || (texts[i].n && memcmp(p->p + have->at[i], texts[i].p, texts[i].n) != 0))
			return false;
	return true;
}

/* A text that is the same as in the shared fields before is written as 0, else as its length plus 1 and itself. */
static unsigned char *put_shared(struct call_packer *p, unsigned char *to, const struct str texts[], const uint64_t numbers[], uint64_t hash)
{
	const struct shared *before = p->n_shared ? &p->shared[p->n_shared - 1] : NULL;
	struct shared *now = &p->shared[p->n_shared++];

	now->hash = hash;
	memcpy(now->numbers, numbers, sizeof(now->numbers));
	for (int i = 0; i < SHARED_TEXT_COUNT; i++) {
		size_t n = texts[i].n;

		now->n[i] = (uint16_t)n;
		now->at[i] = before ? before->at[i] : 0;
		if (before ? before->n[i] == n && (!n || memcmp(p->p + before->at[i], texts[i].p, n) == 0) : !n) {
			*to++ = 0;
			continue;
		}
		to = put_number(to, (uint64_t)n + 1);
		now->at[i] = (uint32_t)(to - p->p);
		to = put_bytes(to, texts[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(now->numbers); i++)
		to = put_number(to, numbers[i]);
	return to;
}

/* Which of the shared fields of this section these are; SHARED_MAX: none yet, *slot is where they belong. */
static unsigned find_shared(const struct call_packer *p, uint64_t hash, const struct str texts[], const uint64_t numbers[], size_t *slot)
{
	size_t i = hash >> 54;                       /* 10 bits: SLOTS */

	for (; p->slots[i]; i = (i + 1) % SLOTS)
		if (same(p, &p->shared[p->slots[i] - 1], hash, texts, numbers))
			return p->slots[i] - 1u;
	*slot = i;
	return SHARED_MAX;
}

/* Value plus 1; 0: no digit. Capitals are none: an id is given back as it came. */
static const uint8_t hex_digits[256] = { ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
					 ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16 };

static int hex_digit(char c)
{
	return hex_digits[(unsigned char)c] - 1;
}

/* Where the pairs of digits of an id stand; dashes stand between them. */
static const uint8_t uuid_pairs[UUID_BYTES] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };

static bool uuid_dashes(const char *id)
{
	return id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-';
}

static bool uuid_pack(struct str id, unsigned char to[UUID_BYTES])
{
	bool good = true;

	if (id.n != UUID_TEXT || !uuid_dashes(id.p))
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		unsigned high = hex_digits[(unsigned char)id.p[uuid_pairs[i]]], low = hex_digits[(unsigned char)id.p[uuid_pairs[i] + 1]];

		good &= high && low;
		to[i] = (unsigned char)((high - 1) << 4 | (low - 1));
	}
	return good;
}

static void uuid_text(const unsigned char from[UUID_BYTES], char to[UUID_TEXT])
{
	static const char hex[] = "0123456789abcdef";

	to[8] = to[13] = to[18] = to[23] = '-';
	for (size_t i = 0; i < UUID_BYTES; i++) {
		to[uuid_pairs[i]] = hex[from[i] >> 4];
		to[uuid_pairs[i] + 1] = hex[from[i] & 15];
	}
}

/* The id without its dashes. */
static void bare_text(const char uuid[UUID_TEXT], char to[BARE_TEXT])
{
	memcpy(to, uuid, 8);
	memcpy(to + 8, uuid + 9, 4);
	memcpy(to + 12, uuid + 14, 4);
	memcpy(to + 16, uuid + 19, 4);
	memcpy(to + 20, uuid + 24, 12);
}

/* A trace that the gateway began has the id of its call. */
static bool names_trace(struct str uuid, struct str trace)
{
	char bare[BARE_TEXT];

	if (trace.n != BARE_TEXT)
		return false;
	bare_text(uuid.p, bare);
	return memcmp(bare, trace.p, BARE_TEXT) == 0;
}

/* Of version 7, whose first 48 bits are a time. */
static bool uuid_time(const unsigned char id[UUID_BYTES], int64_t *ms)
{
	uint64_t v = 0;

	if (id[6] >> 4 != 7)
		return false;
	for (int i = 0; i < 6; i++)
		v = v << 8 | id[i];
	*ms = (int64_t)v;
	return true;
}

static unsigned char *put_id(unsigned char *to, const struct telemetry_call *call, unsigned char *head, struct call_packed *packed)
{
	struct str id = call->request_id;
	int64_t ms;

	if (uuid_pack(id, to)) {
		packed->id_tells_time = uuid_time(to, &ms) && ms == call->started_us / 1000;
		packed->trace_is_id = names_trace(id, call->trace_id);
		*head |= (unsigned char)(UUID | (packed->trace_is_id ? SAME_TRACE : 0));
		return to + UUID_BYTES;
	}
	return put_bytes(put_number(to, id.n), id);
}

static unsigned char *put_own(unsigned char *to, const struct telemetry_call *call, unsigned char head)
{
	uint64_t number_mask = 0, text_mask = 0;

#define X(name) number_mask |= (uint64_t)(call->name != 0) << OWN_NUMBER_##name;
	OWN_NUMBERS(X)
#undef X
#define X(name) text_mask |= (uint64_t)(call->name.n != 0) << OWN_TEXT_##name;
	OWN_TEXTS(X)
#undef X
	if (head & SAME_TRACE)
		text_mask &= ~(UINT64_C(1) << OWN_TEXT_trace_id);
	to = put_number(to, number_mask);
#define X(name)                                                                         \
	if (call->name)                                                                 \
		to = put_number(to, call->name);
	OWN_NUMBERS(X)
#undef X
	to = put_number(to, text_mask);
#define X(name)                                                                         \
	if (text_mask >> OWN_TEXT_##name & 1)                                           \
		to = put_bytes(put_number(to, call->name.n), call->name);
	OWN_TEXTS(X)
#undef X
	return to;
}

/* All that a record may take. */
static size_t most_bytes(const struct telemetry_call *call)
{
	enum { NUMBERS = SHARED_COUNT + OWN_NUMBER_COUNT + OWN_TEXT_COUNT + 8 };
	size_t n = NUMBERS * NUMBER_MAX + UUID_BYTES;

#define X(name, max) n += call->name.n;
	TELEMETRY_TEXTS(X)
#undef X
	return n;
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

/* Looks all shared fields through. *fresh: they are the first of this section. */
static unsigned char *put_looked_up(struct call_packer *p, unsigned char *to, const struct telemetry_call *call, bool *fresh)
{
	const struct str texts[] = {
#define X(name) call->name,
		TELEMETRY_SHARED_TEXTS(X)
#undef X
	};
	const uint64_t numbers[] = {
#define X(name) call->name,
		TELEMETRY_SHARED_NUMBERS(X)
#undef X
	};
	uint64_t hash = 0;
	unsigned which;
	size_t slot = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hash = mix(hash, texts[i]);
	which = find_shared(p, hash, texts, numbers, &slot);
	*fresh = which == SHARED_MAX;
	if (*fresh) {
		to = put_shared(p, to, texts, numbers, hash);
		p->slots[slot] = (uint16_t)p->n_shared;
		which = p->n_shared - 1;
	} else {
		to = put_number(to, which);
	}
	if (call->kind)
		p->of_kind[call->kind] = (uint16_t)(which + 1);
	return to;
}

bool call_packer_add(struct call_packer *p, const struct telemetry_call *call, struct call_packed *packed)
{
	unsigned char *to, head = 0;

	*packed = (struct call_packed){ 0 };
	if (!have_room(p, most_bytes(call)))
		return false;
	if (p->n_shared == SHARED_MAX)
		begin_section(p);
	to = p->p + p->n + 1;                        /* the head is written at last */
	if (p->section) {
		head |= NEW_SECTION;
		*to++ = VERSION;
	}
	if (p->of_kind[call->kind])
		to = put_number(to, p->of_kind[call->kind] - 1u);
	else
		to = put_looked_up(p, to, call, &packed->fresh);
	if (packed->fresh)
		head |= NEW_SHARED;
	to = put_number(to, zigzag((int64_t)((uint64_t)call->started_us - (uint64_t)p->last_us)));
	to = put_id(to, call, &head, packed);
	to = put_own(to, call, head);
	p->p[p->n] = head;
	p->n = (size_t)(to - p->p);
	p->last_us = call->started_us;
	p->section = false;
	return true;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

struct call_unpacker {
	struct str left;
	bool damaged;
	struct telemetry_call shared[SHARED_MAX];    /* only their shared fields */
	unsigned n_shared;
	int64_t last_us;
	char id[UUID_TEXT], trace[BARE_TEXT];
};

/* Nothing of it is read that a page did not set: to clear all of it costs more than many a page. */
struct call_unpacker *call_unpacker_new(void)
{
	struct call_unpacker *u = malloc(sizeof(*u));

	if (u)
		call_unpacker_begin(u, STR(""));
	return u;
}

void call_unpacker_free(struct call_unpacker *u)
{
	free(u);
}

void call_unpacker_begin(struct call_unpacker *u, struct str packed)
{
	u->left = packed;
	u->damaged = false;
	u->n_shared = 0;
	u->last_us = 0;
}

static uint64_t get_number(struct call_unpacker *u)
{
	uint64_t v = 0;

	for (unsigned shift = 0; u->left.n && shift < 64; shift += 7) {
		unsigned char c = (unsigned char)u->left.p[0];

		u->left = str_from(u->left, 1);
		v |= (uint64_t)(c & 127) << shift;
		if (c < 128)
			return v;
	}
	u->damaged = true;
	return 0;
}

static struct str get_bytes(struct call_unpacker *u, uint64_t n)
{
	struct str s = u->left;

	if (n > u->left.n) {
		u->damaged = true;
		return STR("");
	}
	u->left = str_from(u->left, (size_t)n);
	return str_first(s, (size_t)n);
}

static void get_shared(struct call_unpacker *u)
{
	static const struct telemetry_call none;
	const struct telemetry_call *before = u->n_shared ? &u->shared[u->n_shared - 1] : &none;
	struct telemetry_call now = { 0 };
	uint64_t n;

	if (u->n_shared == SHARED_MAX) {
		u->damaged = true;
		return;
	}
#define X(name)                                                                         \
	n = get_number(u);                                                              \
	now.name = n ? get_bytes(u, n - 1) : before->name.p ? before->name : STR("");
	TELEMETRY_SHARED_TEXTS(X)
#undef X
#define X(name) now.name = (__typeof__(now.name))get_number(u);
	TELEMETRY_SHARED_NUMBERS(X)
#undef X
	u->shared[u->n_shared++] = now;
}

static void get_own(struct call_unpacker *u, struct telemetry_call *out)
{
	uint64_t mask = get_number(u);
	unsigned at = 0;

#define X(name) out->name = mask >> at++ & 1 ? (__typeof__(out->name))get_number(u) : 0;
	OWN_NUMBERS(X)
#undef X
	mask = get_number(u);
	at = 0;
#define X(name) out->name = mask >> at++ & 1 ? get_bytes(u, get_number(u)) : STR("");
	OWN_TEXTS(X)
#undef X
}

bool call_unpacker_next(struct call_unpacker *u, struct telemetry_call *out, bool *damaged)
{
	uint64_t head, which;
	struct str id;

	*damaged = u->damaged;
	if (u->damaged || !u->left.n)
		return false;
	head = get_number(u);
	if (head & NEW_SECTION) {
		u->n_shared = 0;
		u->last_us = 0;
		u->damaged |= get_number(u) != VERSION;
	}
	if (head & NEW_SHARED)
		get_shared(u);
	which = head & NEW_SHARED ? u->n_shared - 1 : get_number(u);
	u->damaged |= which >= u->n_shared;
	if (!u->damaged) {
		uint64_t delta = get_number(u);

		*out = u->shared[which];
		u->last_us = (int64_t)((uint64_t)u->last_us + (delta >> 1 ^ -(delta & 1)));
		out->started_us = u->last_us;
		id = get_bytes(u, head & UUID ? UUID_BYTES : get_number(u));
		if (head & UUID && !u->damaged) {
			uuid_text((const unsigned char *)id.p, u->id);
			id = (struct str){ u->id, UUID_TEXT };
		}
		out->request_id = id;
		get_own(u, out);
		if (head & SAME_TRACE) {
			u->damaged |= !(head & UUID);
			bare_text(u->id, u->trace);
			out->trace_id = (struct str){ u->trace, BARE_TEXT };
		}
	}
	*damaged = u->damaged;
	return !u->damaged;
}

bool call_id_time(struct str id, int64_t *ms)
{
	enum { TIME_DIGITS = 12, DASH = 8 };
	bool dashes = id.n == UUID_TEXT && id.p[DASH] == '-' && id.p[13] == '-';
	size_t digits = TIME_DIGITS + dashes;
	int64_t v = 0;

	if ((!dashes && id.n != BARE_TEXT) || id.p[digits + dashes] != '7')
		return false;
	for (size_t i = 0; i < digits; i++) {
		int digit = hex_digit(id.p[i]);

		if (dashes && i == DASH)
			continue;
		if (digit < 0)
			return false;
		v = v << 4 | digit;
	}
	*ms = v;
	return true;
}
