#include "core/arena_keep.h"

#include <stdalign.h>
#include <stdlib.h>

/* A chain of blocks; the newest is filled from the front. Blocks double up to a bound, so a request that needs 100 bytes
 * costs one block of 4 KiB and one that needs 50 MB costs few mallocs. A wish larger than half a block gets a block of its
 * own, placed *behind* the current one so that the rest of the current block stays usable. */

enum { FIRST_BLOCK = 4096, MAX_BLOCK = 256 * 1024 };

struct block {
	struct block *next;      /* older */
	size_t size, used;
	alignas(max_align_t) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *top;
	struct deferred *deferred;
	size_t used, max;
	size_t next_block;
	bool (*watch)(void *arg, unsigned char *block, size_t n);
	void *watch_arg;
};

static struct block *block_new(struct arena *a, size_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	if (a->watch && !a->watch(a->watch_arg, b->data, size)) {
		free(b);
		return NULL;
	}
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

void arena_watch(struct arena *a, bool (*fn)(void *arg, unsigned char *block, size_t n), void *arg)
{
	a->watch = fn;
	a->watch_arg = arg;
}

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->max = max_bytes;
	a->next_block = FIRST_BLOCK;
	return a;
}

static void run_deferred(struct arena *a)
{
	while (a->deferred) {
		struct deferred *d = a->deferred;

		a->deferred = d->next;
		d->fn(d->arg);
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	run_deferred(a);
	for (struct block *b = a->top, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void arena_reset(struct arena *a)
{
	struct block *keep = NULL;

	run_deferred(a);
	for (struct block *b = a->top, *next; b; b = next) {
		next = b->next;
		if (!keep && b->size <= 16 * FIRST_BLOCK)
			keep = b;
		else
			free(b);
	}
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
	a->top = keep;
	a->used = 0;
	a->next_block = FIRST_BLOCK;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

size_t arena_left(const struct arena *a)
{
	return a->max - a->used;
}

bool arena_keep_back(struct arena *a, size_t bytes)
{
	if (bytes > arena_left(a))
		return false;
	a->max -= bytes;
	return true;
}

void arena_give_back(struct arena *a, size_t bytes)
{
	a->max += bytes;
}

static void *take(struct arena *a, size_t size, size_t align)
{
	struct block *b = a->top;
	size_t at;

	if (size > a->max - a->used)
		return NULL;
	if (b) {
		at = (b->used + align - 1) & ~(align - 1);
		if (at <= b->size && size <= b->size - at) {
			a->used += size;
			b->used = at + size;
			return b->data + at;
		}
	}
	if (size > a->next_block / 2 && a->top) {
		b = block_new(a, size);
		if (!b)
			return NULL;
		b->used = size;
		b->next = a->top->next;
		a->top->next = b;
		a->used += size;
		return b->data;
	}
	b = block_new(a, size > a->next_block ? size : a->next_block);
	if (!b)
		return NULL;
	if (a->next_block < MAX_BLOCK)
		a->next_block *= 2;
	b->used = size;
	b->next = a->top;
	a->top = b;
	a->used += size;
	return b->data;
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
	return take(a, size ? size : 1, alignof(max_align_t));
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = arena_alloc_raw(a, bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

char *arena_alloc_text(struct arena *a, size_t n)
{
	return take(a, n ? n : 1, 1);
}

bool arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct deferred *d = arena_new_of(a, struct deferred);

	if (!d)
		return false;
	d->fn = fn;
	d->arg = arg;
	d->next = a->deferred;
	a->deferred = d;
	return true;
}

struct str arena_dup(struct arena *a, struct str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc_text(a, s.n + 1) : NULL;

	if (!p)
		return STR_NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

struct str arena_join(struct arena *a, const struct str *parts, size_t n)
{
	size_t total = 0, at = 0;
	char *to;

	for (size_t i = 0; i < n; i++)
		if (__builtin_add_overflow(total, parts[i].n, &total))
			return STR_NULL;
	to = total < SIZE_MAX ? arena_alloc_text(a, total + 1) : NULL;
	if (!to)
		return STR_NULL;
	for (size_t i = 0; i < n; at += parts[i++].n)
		if (parts[i].n)
			memcpy(to + at, parts[i].p, parts[i].n);
	to[total] = '\0';
	return (struct str){ to, total };
}

const char *arena_cstr(struct arena *a, struct str s)
{
	return arena_dup(a, s).p;
}
