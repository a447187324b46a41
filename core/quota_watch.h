/* quota_watch.h - which quotas are used up how far: workers note it as they count, the keeper looks when alert rules ask. The
 * counters themselves (core/counter.h) know digests only; here stand names.
 *
 *   keeper  quota_watch_want(40 %)                               workers  take a call ── 40 % and more? ── quota_watch_note
 *           quota_watch_read ── what is bad ── alert             (below, and with no rule at all, that is one comparison)
 *
 * A mapped file, DIR/quotas. Finding an entry takes no lock; numbers are atomic, texts are written once. Bounded: what finds no
 * room is counted. An entry is free again some time after its window has ended. Keys of counters are masked before they are
 * written. Any number of processes may have it open; a handle is of one thread. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum { QUOTA_WATCH_ENTRIES = 4096, QUOTA_WATCH_TEXT = 96 };

/* A quota by what it belongs to. Texts are cut at QUOTA_WATCH_TEXT - 1 bytes. */
#define QUOTA_TEXTS(X)                                                                                                \
	X(policy)            /* "quota", "quota-by-key", "tier", "consumer-rule" */                            \
	X(scope)             /* "global", "product", "api" … of the policy document */                          \
	X(environment)       /* of the API; empty: of none alone */                                             \
	X(api)               /* the one it is a quota of; empty: of several */                                  \
	X(operation)                                                                                          \
	X(product)                                                                                            \
	X(subscription)      /* whose it is; empty: of a counter key */                                         \
	X(key)               /* noting: the counter key in clear; reading: masked */
struct quota_name {
#define X(name) struct str name;
	QUOTA_TEXTS(X)
#undef X
};

struct quota_use {
	uint64_t used, limit;
	uint32_t window_s, reset_s;          /* window_s 0: for ever */
	bool bytes;                          /* else calls */
};

struct quota_watch;

GH_RC quota_watch_open(const char *path, struct quota_watch **out, struct gh_err *err);
void quota_watch_close(struct quota_watch *w);           /* NULL is fine */

/* From which share (thousandths of the limit) on quotas are noted; 0: none. */
void quota_watch_want(struct quota_watch *w, uint32_t permille);
/* Is anything noted at all? For those who count, before they put names together. w may be NULL. */
bool quota_watch_on(const struct quota_watch *w);
/* What was used after a call. Below the share only an entry that is there already is brought up to date. */
void quota_watch_note(struct quota_watch *w, const struct quota_name *name, const struct quota_use *use, int64_t now_us);

struct quota_entry {
	struct quota_name name;
	uint64_t used, limit;
	int64_t end_us;                      /* of the window, wall clock; INT64_MAX: it never ends */
	bool bytes;
};
/* Those whose window lasts; texts in the arena. Frees what has ended. For one process at a time, the keeper. */
GH_RC quota_watch_read(struct quota_watch *w, struct arena *a, int64_t now_us, struct quota_entry **out, size_t *n, struct gh_err *err);
uint64_t quota_watch_overflow(const struct quota_watch *w);          /* notes that found no room */

/* "par…#1f09a2c4" of a counter key: its beginning, and a number by which two are told apart. Never more than a third of it. */
enum { QUOTA_KEY_SHOWN = 4, QUOTA_KEY_MASKED = 24 };
