/* arena_keep.h - for who runs what others wrote in a request's arena: memory that is held back from it for what must still
 * run afterwards, and a look at each new block. */
#pragma once

#include "core/arena.h"

/* Lowers the cap by so many bytes. False: there are not that many left, and nothing happens. */
bool arena_keep_back(struct arena *a, size_t bytes);
void arena_give_back(struct arena *a, size_t bytes);           /* raises it again */

/* fn sees each block that the arena takes from the system from now on, before anybody uses it; false: it is given back, and
 * whoever asked for memory gets none. fn NULL: no more. */
void arena_watch(struct arena *a, bool (*fn)(void *arg, unsigned char *block, size_t n), void *arg);
