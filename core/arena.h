/* arena.h - memory that lives exactly as long as one request (or one snapshot, or one command).
 *
 * Invariant: the bytes handed out never exceed the cap given to arena_new. Nothing is freed singly; arena_free runs the
 * deferred calls, newest first, and returns everything. arena_reset does the same but keeps the first block, so that a
 * worker can serve request after request without going to malloc.
 * Not thread-safe: an arena belongs to the one request that made it. */
#pragma once

#include "core/base.h"

struct arena;

struct arena *arena_new(size_t max_bytes);             /* NULL when out of memory */
void arena_free(struct arena *a);                      /* NULL is fine */
void arena_reset(struct arena *a);                     /* as good as new; the cap stays */
size_t arena_used(const struct arena *a);              /* bytes handed out, with padding */
size_t arena_left(const struct arena *a);              /* bytes that may still be handed out */

/* Zeroed, aligned for any type. NULL past the cap, when out of memory, or when n * size overflows. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
/* Not zeroed, aligned for any type: for buffers that are written at once. */
void *arena_alloc_raw(struct arena *a, size_t size);
/* Not zeroed, byte-aligned: for text. */
char *arena_alloc_text(struct arena *a, size_t n);
/* For what is not memory: descriptors, handles. False when out of memory; then fn has not been registered. */
bool arena_defer(struct arena *a, void (*fn)(void *), void *arg);

#define arena_new_of(a, type) ((type *)arena_alloc((a), 1, sizeof(type)))

/* Text made in the arena, always followed by a zero byte that .n does not count. On failure .p is NULL. */
struct str arena_dup(struct arena *a, struct str s);
struct str arena_join(struct arena *a, const struct str *parts, size_t n);      /* one after the other */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *arena_cstr(struct arena *a, struct str s);  /* zero-terminated copy; NULL on failure */
