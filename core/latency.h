/* latency.h - a histogram of durations whose percentiles are less than 1 % off, in a few bytes.
 *
 * Buckets are log-linear: 64 of equal width in each power of two, one for each µs below 128. Two histograms are added
 * bucket by bucket, so minutes make hours and days. The packed form (for the store) holds only buckets that are not
 * empty: gap and count as variable-length numbers, 7 bits a byte. */
#pragma once

#include "core/arena.h"

enum { LATENCY_BUCKETS = 1728 };             /* the last one: 2^32 µs (71 minutes) and more */

struct latency {
	uint32_t *count;             /* LATENCY_BUCKETS of them, or NULL: nothing counted yet */
	uint64_t n;
	uint16_t lo, hi;             /* the first and the last bucket that is not empty, once something was counted */
};

/* False when out of memory; nothing has been counted then. */
bool latency_add(struct latency *l, struct arena *a, uint64_t us) MUST_USE;
/* So many of the same duration. */
bool latency_add_many(struct latency *l, struct arena *a, uint64_t us, uint32_t n) MUST_USE;
bool latency_merge(struct latency *to, struct arena *a, const struct latency *from) MUST_USE;
/* The duration that the share q (0 to 1) of all stays at or below; 0 when nothing was counted. */
uint64_t latency_quantile(const struct latency *l, double q);

struct str latency_pack(const struct latency *l, struct arena *a);   /* .p NULL when out of memory; "" when empty */
/* The two added to each other and packed; .p NULL: `packed` is damaged, or no memory. */
struct str latency_pack_added(const struct latency *l, struct str packed, struct arena *a);
bool latency_unpack(struct latency *l, struct arena *a, struct str packed) MUST_USE;    /* adds; false: damaged or no memory */
