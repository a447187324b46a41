/* arena_keep.h - memory of a request that is held back from what runs now, for what must still run after it. */
#pragma once

#include "core/arena.h"

/* Lowers the cap by so many bytes. False: there are not that many left, and nothing happens. */
bool arena_keep_back(struct arena *a, size_t bytes);
void arena_give_back(struct arena *a, size_t bytes);           /* raises it again */
