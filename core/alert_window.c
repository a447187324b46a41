/* alert_window.c - a ring of slices, and what it says about a rule at a moment.
 *
 * The verdict on a percentile needs no histogram: "the 95th percentile is above T" is the same as "more than 5 % of the calls
 * took longer than T", and each slice counts those exactly. The histogram only tells people the number, and is kept coarse. */
#include "core/alert.h"

#include "core/buf.h"
#include "core/str.h"

#include <stdlib.h>

enum { BUCKET_FIRST_BIT = 7, BUCKET_STEPS_BITS = 3, PACKED_MAX = ALERT_BUCKETS * 5 + 2 };

bool alert_window_init(struct alert_window *w, const struct alert_rule *r)
{
	int64_t width = r->period_s * INT64_C(1000000) / ALERT_SLICES;

	*w = (struct alert_window){ .width_us = width, .n = (size_t)(ALERT_SLICES * r->periods + 1) };
	w->ring = calloc(w->n, sizeof(*w->ring));
	return w->ring;
}

void alert_window_release(struct alert_window *w)
{
	for (size_t i = 0; w->ring && i < w->n; i++)
		free(w->ring[i].histogram);
	free(w->ring);
	*w = (struct alert_window){ 0 };
}

size_t alert_window_bytes(const struct alert_rule *r)
{
	size_t slice = sizeof(struct alert_slice) + (r->kind == ALERT_LATENCY ? ALERT_BUCKETS * sizeof(uint32_t) : 0);

	return (size_t)(ALERT_SLICES * r->periods + 1) * slice;
}

struct alert_slice *alert_window_at(struct alert_window *w, int64_t number, bool histogram)
{
	struct alert_slice *s = &w->ring[(uint64_t)number % w->n];

	if (number <= w->newest - (int64_t)w->n || number < s->number)
		return NULL;
	if (s->number != number) {
		uint32_t *kept = s->histogram;

		if (kept)
			memset(kept, 0, ALERT_BUCKETS * sizeof(*kept));
		*s = (struct alert_slice){ .number = number, .histogram = kept };
	}
	if (histogram && !s->histogram && !(s->histogram = calloc(ALERT_BUCKETS, sizeof(*s->histogram))))
		return NULL;
	w->newest = number > w->newest ? number : w->newest;
	return s;
}

void alert_window_cut(struct alert_window *w, int64_t at_us)
{
	int64_t last = at_us / w->width_us, newest = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct alert_slice *s = &w->ring[i];

		if (s->number > last) {
			free(s->histogram);
			*s = (struct alert_slice){ 0 };
		}
		newest = s->number > newest ? s->number : newest;
	}
	w->newest = newest;
}

static size_t bucket_of(uint64_t us)
{
	unsigned bit = us ? 63 - (unsigned)__builtin_clzll(us) : 0;
	size_t b;

	if (bit < BUCKET_FIRST_BIT)
		return 0;
	b = ((size_t)(bit - BUCKET_FIRST_BIT) << BUCKET_STEPS_BITS) + (us >> (bit - BUCKET_STEPS_BITS) & ((1 << BUCKET_STEPS_BITS) - 1));
	return b < ALERT_BUCKETS ? b : ALERT_BUCKETS - 1;
}

static uint64_t bucket_top(size_t b)
{
	unsigned bit = BUCKET_FIRST_BIT + (unsigned)(b >> BUCKET_STEPS_BITS);

	return (UINT64_C(1) << bit) + (((b & ((1 << BUCKET_STEPS_BITS) - 1)) + 1) << (bit - BUCKET_STEPS_BITS));
}

struct alert_slice *alert_window_add(struct alert_window *w, const struct alert_rule *r, int64_t at_us, bool hit, uint64_t us)
{
	bool latency = r->kind == ALERT_LATENCY;
	struct alert_slice *s = alert_window_at(w, at_us / w->width_us, latency);

	if (!s)
		return NULL;
	s->touched = true;
	s->calls++;
	s->hits += hit;
	if (latency) {
		s->sum_us += us;
		s->histogram[bucket_of(us)]++;
	}
	return s;
}

/* ---- verdicts ------------------------------------------------------------------------------------------------------------- */

struct sums {
	uint64_t calls, hits, sum_us;
};

static const struct alert_slice *slice_of(const struct alert_window *w, int64_t number)
{
	const struct alert_slice *s = &w->ring[(uint64_t)number % w->n];

	return number > 0 && s->number == number ? s : NULL;
}

/* Slices first … last, both included. */
static struct sums sum(const struct alert_window *w, int64_t first, int64_t last)
{
	struct sums out = { 0 };

	for (int64_t i = first; i <= last; i++) {
		const struct alert_slice *s = slice_of(w, i);

		if (s) {
			out.calls += s->calls;
			out.hits += s->hits;
			out.sum_us += s->sum_us;
		}
	}
	return out;
}

static double quantile_of(const struct alert_rule *r)
{
	static const double q[] = { 0, 0.5, 0.75, 0.9, 0.95, 0.99 };

	return q[r->statistic];
}

/* The percentile as the coarse histogram tells it, on the side of the threshold where it exactly is. */
static int64_t percentile(const struct alert_window *w, const struct alert_rule *r, int64_t first, int64_t last, uint64_t calls, bool above)
{
	uint64_t need = (uint64_t)(quantile_of(r) * (double)calls + 0.999999), seen = 0;
	int64_t us = 0;

	for (size_t b = 0; b < ALERT_BUCKETS && seen < need; b++) {
		for (int64_t i = first; i <= last; i++) {
			const struct alert_slice *s = slice_of(w, i);

			seen += s && s->histogram ? s->histogram[b] : 0;
		}
		us = (int64_t)(bucket_top(b) + (b ? bucket_top(b - 1) : 0)) / 2;         /* its middle: 6 % off at most */
	}
	if (above == (us > r->threshold))
		return us;
	return above ? r->threshold + 1 : r->threshold;
}

static bool breach_latency(const struct alert_window *w, const struct alert_rule *r, int64_t first, int64_t last, const struct sums *s,
			   int64_t *value)
{
	bool above;

	if (r->statistic == ALERT_STATISTIC_AVERAGE) {
		*value = (int64_t)(s->sum_us / s->calls);
		return *value > r->threshold;
	}
	above = (double)(s->calls - s->hits) < quantile_of(r) * (double)s->calls - 1e-9;
	*value = percentile(w, r, first, last, s->calls, above);
	return above;
}

/* How many times faster than allowed: share of bad calls, by the share that may be bad. In thousandths. */
static int64_t burn(const struct alert_rule *r, const struct sums *s)
{
	return s->calls ? (int64_t)((double)s->hits / (double)s->calls * 1e8 / (double)(100000 - r->target)) : 0;
}

/* One period, which ends with the slice `last`. *value in thousandths of the rule's unit. */
static bool breached(const struct alert_window *w, const struct alert_rule *r, int64_t first, int64_t last, struct sums *s, int64_t *value,
		     bool *no_data)
{
	*s = sum(w, first, last);
	*value = (int64_t)s->hits * 1000;
	if (r->kind == ALERT_REQUESTS || (r->kind != ALERT_LATENCY && r->kind != ALERT_BUDGET && r->measure == ALERT_MEASURE_COUNT))
		return r->comparison == ALERT_BELOW ? *value < r->threshold : *value > r->threshold;
	*value = 0;
	if ((int64_t)s->calls < r->least_calls || !s->calls) {
		*no_data = true;
		return false;
	}
	if (r->kind == ALERT_LATENCY)
		return breach_latency(w, r, first, last, s, value);
	if (r->kind == ALERT_BUDGET) {
		struct sums late = sum(w, last - (ALERT_SLICES + ALERT_BURN_PART - 1) / ALERT_BURN_PART + 1, last);

		*value = burn(r, s);
		return *value >= r->threshold && burn(r, &late) >= r->threshold;
	}
	*value = (int64_t)(s->hits * UINT64_C(100000) / s->calls);
	return (int64_t)(s->hits * UINT64_C(100000)) > r->threshold * (int64_t)s->calls;        /* not by what is rounded for people */
}

void alert_window_judge(const struct alert_window *w, const struct alert_rule *r, int64_t now_us, int64_t begun_us, struct alert_verdict *out)
{
	int64_t now = now_us / w->width_us;
	bool no_data = false;
	struct sums s;
	int64_t value;

	*out = (struct alert_verdict){ 0 };
	out->newest_bad = breached(w, r, now - ALERT_SLICES, now, &s, &out->value, &out->no_data);
	out->calls = (int64_t)s.calls;
	out->hits = (int64_t)s.hits;
	out->bad = out->newest_bad;
	for (int64_t k = 1; k < r->periods && out->bad; k++)
		out->bad = breached(w, r, now - (k + 1) * ALERT_SLICES, now - k * ALERT_SLICES - 1, &s, &value, &no_data);
	if (r->comparison == ALERT_BELOW && now_us - begun_us < r->period_s * r->periods * INT64_C(1000000))
		out->bad = false;
}

/* ---- for the store: pairs of gap and count, 7 bits a byte ---------------------------------------------------------------------- */

static void put(struct buf *b, uint32_t v)
{
	while (v >= 128) {
		buf_char(b, (char)(v | 128));
		v >>= 7;
	}
	buf_char(b, (char)v);
}

struct str alert_histogram_pack(struct arena *a, const uint32_t *histogram)
{
	struct str out = STR("");
	uint32_t gap = 0;
	struct buf b;

	if (!histogram)
		return out;
	buf_init(&b, PACKED_MAX * 2);
	for (size_t i = 0; i < ALERT_BUCKETS; i++, gap++)
		if (histogram[i]) {
			put(&b, gap);
			put(&b, histogram[i]);
			gap = UINT32_MAX;        /* becomes 0 with the step */
		}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static bool get(struct str *s, uint32_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; s->n && shift < 35; shift += 7) {
		unsigned char c = (unsigned char)s->p[0];

		*s = str_from(*s, 1);
		v |= (uint64_t)(c & 127) << shift;
		if (c < 128) {
			*out = (uint32_t)v;
			return v <= UINT32_MAX;
		}
	}
	return false;
}

bool alert_histogram_unpack(struct str packed, uint32_t *histogram)
{
	uint32_t gap, count;
	uint64_t at = 0;

	while (packed.n) {
		if (!get(&packed, &gap) || !get(&packed, &count) || at + gap >= ALERT_BUCKETS)
			return false;
		histogram[at + gap] += count;
		at += gap + UINT64_C(1);
	}
	return true;
}
