#include "core/latency.h"

#include "core/str.h"

/* Values below 128 have a bucket each; above, the top 7 bits (a leading one and 6 more) choose it: bucket b holds
 * [ (64 + b % 64) << (b / 64 - 1), one more ) and its middle is less than 0.8 % from each of them. */
enum { LINEAR = 128, STEPS = 64 };

static unsigned bucket_of(uint64_t us)
{
	unsigned shift;

	if (us > UINT32_MAX)
		return LATENCY_BUCKETS - 1;
	if (us < LINEAR)
		return (unsigned)us;
	shift = 57 - (unsigned)__builtin_clzll(us);      /* leaves 7 bits */
	return (shift + 1) * STEPS + (unsigned)(us >> shift) - STEPS;
}

static uint64_t middle_of(unsigned b)
{
	unsigned shift;

	if (b < LINEAR)
		return b;
	shift = b / STEPS - 1;
	return ((uint64_t)(STEPS + b % STEPS) << shift) + ((UINT64_C(1) << shift) >> 1);
}

static bool have_counts(struct latency *l, struct arena *a)
{
	if (!l->count)
		l->count = arena_alloc(a, LATENCY_BUCKETS, sizeof(*l->count));
	return l->count;
}

static void add_to(struct latency *l, unsigned bucket, uint32_t n)
{
	uint32_t *c = &l->count[bucket];

	if (!l->n || bucket < l->lo)
		l->lo = (uint16_t)bucket;
	if (!l->n || bucket > l->hi)
		l->hi = (uint16_t)bucket;
	*c = *c > UINT32_MAX - n ? UINT32_MAX : *c + n;
	l->n += n;
}

bool latency_add_many(struct latency *l, struct arena *a, uint64_t us, uint32_t n)
{
	if (!have_counts(l, a))
		return false;
	add_to(l, bucket_of(us), n);
	return true;
}

bool latency_add(struct latency *l, struct arena *a, uint64_t us)
{
	return latency_add_many(l, a, us, 1);
}

bool latency_merge(struct latency *to, struct arena *a, const struct latency *from)
{
	if (!from->count)
		return true;
	if (!have_counts(to, a))
		return false;
	for (unsigned i = from->lo; i <= from->hi; i++)
		if (from->count[i])
			add_to(to, i, from->count[i]);
	return true;
}

uint64_t latency_quantile(const struct latency *l, double q)
{
	uint64_t sum = 0, want;

	if (!l->count || !l->n)
		return 0;
	q = q < 0 ? 0 : q > 1 ? 1 : q;
	want = (uint64_t)(q * (double)l->n);
	want += (double)want < q * (double)l->n || !want;       /* rounded up, at least the first */
	for (unsigned i = l->lo; i < l->hi; i++) {
		sum += l->count[i];
		if (sum >= want)
			return middle_of(i);
	}
	return middle_of(l->hi);
}

static char *put_number(char *to, uint32_t v)
{
	for (; v > 127; v >>= 7)
		*to++ = (char)(v | 128);
	*to++ = (char)v;
	return to;
}

static bool get_number(struct str *s, uint32_t *v)
{
	uint64_t all = 0;

	for (unsigned shift = 0; s->n && shift < 35; shift += 7) {
		unsigned char c = (unsigned char)s->p[0];

		*s = str_from(*s, 1);
		all |= (uint64_t)(c & 127) << shift;
		if (c < 128) {
			*v = (uint32_t)all;
			return all <= UINT32_MAX;
		}
	}
	return false;
}

/* The next bucket that is not empty, from `at` on; LATENCY_BUCKETS: there is none. */
static unsigned filled_from(const struct latency *l, unsigned at)
{
	if (!l->count || !l->n)
		return LATENCY_BUCKETS;
	for (at = at < l->lo ? l->lo : at; at <= l->hi; at++)
		if (l->count[at])
			return at;
	return LATENCY_BUCKETS;
}

/* One bucket of what is packed. At its end *at is LATENCY_BUCKETS. */
static bool take_bucket(struct str *packed, unsigned *at, uint32_t *n)
{
	unsigned from = *at;
	uint32_t gap;

	*at = LATENCY_BUCKETS;
	if (!packed->n)
		return true;
	if (!get_number(packed, &gap) || !get_number(packed, n) || gap >= LATENCY_BUCKETS - from)
		return false;
	*at = from + gap;
	return true;
}

struct str latency_pack_added(const struct latency *l, struct str packed, struct arena *a)
{
	/* a bucket takes no more than two bytes for its gap and five for its count, and none of `packed` less than two */
	size_t most = ((l->n && l->count ? (size_t)(l->hi - l->lo) + 1 : 0) + packed.n / 2) * 7;
	unsigned mine = filled_from(l, 0), theirs = 0, last = 0;
	uint32_t n = 0;
	char *p, *to;

	if (!packed.n && mine == LATENCY_BUCKETS)
		return STR("");
	p = to = arena_alloc_text(a, most + 1);
	if (!p || !take_bucket(&packed, &theirs, &n))
		return STR_NULL;
	while (mine < LATENCY_BUCKETS || theirs < LATENCY_BUCKETS) {
		unsigned at = mine < theirs ? mine : theirs;
		uint64_t sum = (mine == at ? l->count[at] : 0) + (uint64_t)(theirs == at ? n : 0);

		to = put_number(put_number(to, at - last), sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum);
		last = at;
		if (mine == at)
			mine = filled_from(l, at + 1);
		if (theirs == at && !take_bucket(&packed, &theirs, &n))
			return STR_NULL;
	}
	return (struct str){ p, (size_t)(to - p) };
}

struct str latency_pack(const struct latency *l, struct arena *a)
{
	return latency_pack_added(l, STR(""), a);
}

bool latency_unpack(struct latency *l, struct arena *a, struct str packed)
{
	uint32_t at = 0, gap, n;

	if (!packed.n)
		return true;
	if (!have_counts(l, a))
		return false;
	while (packed.n) {
		if (!get_number(&packed, &gap) || !get_number(&packed, &n) || gap >= LATENCY_BUCKETS - at)
			return false;
		at += gap;
		add_to(l, at, n);
	}
	return true;
}
