#include "fcgi/held.h"

#include "core/str.h"

enum { PARTS = 8, SECOND_US = 1000000 };         /* a new value moves the mean by an eighth of the distance */

void held_note(struct held *h, struct str key, int64_t us)
{
	uint64_t hash = str_hash(key);
	int64_t most = (int64_t)HELD_MOST_S * SECOND_US, *mean = &h->v[hash % HELD_KEYS].mean_us;

	us = us < 0 ? 0 : us < most ? us : most;
	if (h->v[hash % HELD_KEYS].hash == hash && *mean)
		us = *mean + (us - *mean) / PARTS;
	h->v[hash % HELD_KEYS].hash = hash;
	*mean = us;
}

uint32_t held_wait_s(const struct held *h, struct str key)
{
	uint64_t hash = str_hash(key);
	int64_t us = h->v[hash % HELD_KEYS].hash == hash ? h->v[hash % HELD_KEYS].mean_us : 0;

	return us <= SECOND_US ? 1 : (uint32_t)((us + SECOND_US - 1) / SECOND_US);
}
