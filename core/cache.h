/* cache.h - values that the workers of one machine share, with an expiry and a byte limit.
 *
 * LMDB in a folder of the state directory: readers take no lock and make no system call, writers take turns through a
 * robust lock, a process killed in the middle of a write loses that write and nothing else. Nothing is synced to disk, which
 * is for the opener to think of: cache_open_of_boot.
 *
 * The limit is the size of the map. Each value that is put takes two away that have expired; when it is full nevertheless, what has
 * expired goes first, then what would expire next. Marks of readers that were killed go when somebody opens it.
 * Keys are any bytes; two name spaces never meet. Times are wall clock, µs since 1970; the caller passes `now`.
 * A handle belongs to one thread of one process: open it after fork. */
#pragma once

#include "core/arena.h"
#include "core/error.h"
#include "core/paths.h"

struct cache;
struct config;

/* Where the settings put the cache: cache.dir, else `cache` in the state directory. */
GH_RC cache_path(const struct config *c, const char *state_dir, char out[PATHS_MAX], struct gh_err *err);

/* The same for answers that cache rules keep: cache.responses_dir, else `responses`. */
GH_RC cache_responses_path(const struct config *c, const char *state_dir, char out[PATHS_MAX], struct gh_err *err);

/* dir is made when missing. max_bytes is rounded up to whole pages; a file made with another limit keeps its content. Files that
 * are no cache or whose head is damaged are taken away, and it begins empty; a line in the log says so. */
GH_RC cache_open(struct cache **out, const char *dir, size_t max_bytes, struct gh_err *err);
/* The same for what must not outlive the machine: pages come to disk in any order, so after a power loss some may be older than
 * those that name them, which no look at opening would find. What an earlier start of the system has left is dropped. */
GH_RC cache_open_of_boot(struct cache **out, const char *dir, size_t max_bytes, struct gh_err *err);
void cache_close(struct cache *c);               /* NULL is fine */

/* What cache_get sees between the two is of one moment, and costs less. Nothing but cache_get may be called in between, and not for
 * long: old pages stay meanwhile. */
void cache_hold(struct cache *c);
void cache_let_go(struct cache *c);
/* The value in the arena, or STR_NULL when absent or expired. */
GH_RC cache_get(struct cache *c, char space, struct str key, int64_t now_us, struct arena *a, struct str *value,
		struct gh_err *err);
/* LIMIT when key and value together are more than a quarter of the cache. */
GH_RC cache_put(struct cache *c, char space, struct str key, struct str value, int64_t now_us, int64_t expires_us,
		struct gh_err *err);
/* Puts a line (without "\n") before the lines of a value and drops the oldest, so that at most `most` (from 1) are left; in
 * one step over all processes. Each line of the value ends in "\n". */
GH_RC cache_push(struct cache *c, char space, struct str key, struct str line, size_t most, int64_t now_us, int64_t expires_us,
		 struct gh_err *err);
/* What an entry becomes, in one step over all processes: nobody writes between the look at it and the change. `old` is STR_NULL when
 * there is none, and is gone when *value is written, so *value must not point into it. False: it stays as it is. May be called again. */
typedef bool cache_change_fn(void *arg, struct str old, struct str *value, int64_t *expires_us);
GH_RC cache_change(struct cache *c, char space, struct str key, int64_t now_us, cache_change_fn *change, void *arg, struct gh_err *err);
GH_RC cache_remove(struct cache *c, char space, struct str key, bool *was_there, struct gh_err *err);

struct cache_stats {
	size_t entries;
	uint64_t bytes, max_bytes;       /* that they take; the limit */
	uint64_t evicted;        /* by this handle: before their time, for want of room */
};
GH_RC cache_stats(struct cache *c, struct cache_stats *out, struct gh_err *err);

/* Looks at every entry of a name space that has not expired, in no order, a batch at a time: others read and write meanwhile,
 * and what comes then may be missed. Key and value are borrowed for the call. For people's commands: it reads everything. */
enum cache_verdict { CACHE_KEEP, CACHE_DROP, CACHE_STOP };
typedef enum cache_verdict cache_judge(void *arg, struct str key, struct str value, int64_t expires_us);
GH_RC cache_scan(struct cache *c, char space, int64_t now_us, cache_judge *judge, void *arg, size_t *dropped, struct gh_err *err);
