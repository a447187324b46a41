/* map.h - a table from text to a pointer, for configuration: filled once, read often, never emptied.
 * Open addressing; keys and table live in the arena given at the start. Keys are borrowed: they must outlive the map. */
#pragma once

#include "core/arena.h"

struct map_slot {
	uint64_t hash;
	struct str key;
	void *value;             /* NULL marks a free slot */
};

struct map {
	struct arena *arena;
	struct map_slot *slots;
	size_t cap, n;           /* cap is 0 or a power of two, at most 70 % full */
	bool ci;                 /* keys compare without ASCII case */
};

void map_init(struct map *m, struct arena *a, bool ignore_case);
/* value must not be NULL. Replaces what stood under the key. False when out of memory. */
bool map_put(struct map *m, struct str key, void *value) MUST_USE;
void *map_get(const struct map *m, struct str key);      /* NULL when absent */
/* All pairs in no particular order: for (size_t i = 0; (slot = map_next(m, &i));) */
const struct map_slot *map_next(const struct map *m, size_t *i);
