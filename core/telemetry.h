/* telemetry.h - one record per exchange, from the worker to the keeper without a system call.
 *
 *   worker ── append ──> DIR/telemetry/<start>-<pid>-<n>.seg (mapped) ── read ──> keeper ──> telemetry.db
 *                                                             └────────────────> gatehouse log -f
 *
 * A segment is a file of fixed size that one process writes and any process may read. Records follow each other; the
 * header's `committed` length is stored after the record's bytes (release), so a reader never sees half a record and a
 * writer that is killed loses nothing that it had appended. The writer keeps the next segment ready (a thread of its own
 * makes the file and its blocks), so appending never waits for the disk. When the segments of all workers together
 * exceed the configured total because nobody drains them, records are dropped and counted.
 *
 * A segment whose records are all stored is used again under another name, or removed when its writer is gone.
 *
 * The reader's place is not kept here: the keeper stores it in the same transaction as the rows (db/telemetry.h), which
 * is what makes each record count exactly once. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum telemetry_origin {              /* who made the status that the client saw */
	TELEMETRY_BY_GATEWAY,        /* refused or answered by the gateway: key, limit, policy, route */
	TELEMETRY_BY_BACKEND,
	TELEMETRY_BY_CACHE,
	TELEMETRY_BACKEND_FAILED,    /* the gateway's answer because the backend could not be used (502, 504) */
	TELEMETRY_CLIENT_GONE,       /* the client went away before the end */
	TELEMETRY_ORIGIN__COUNT
};
const char *telemetry_origin_name(enum telemetry_origin o);      /* "gateway", "backend", "cache", ... */

enum telemetry_cache { TELEMETRY_CACHE_NONE, TELEMETRY_CACHE_HIT, TELEMETRY_CACHE_MISS, TELEMETRY_CACHE__COUNT };
const char *telemetry_cache_name(enum telemetry_cache c);        /* "none", "hit", "miss" */

/* Texts of a record, each cut at its maximum. Ids are the ones of the store; empty when not known. */
#define TELEMETRY_TEXTS(X)                                                                                     \
	X(request_id, 64)            /* as the client sees it in X-Request-Id */                               \
	X(environment, 80)                                                                                     \
	X(api, 80)                                                                                             \
	X(version, 40)                                                                                         \
	X(revision, 16)                                                                                        \
	X(operation, 80)                                                                                       \
	X(product, 80)                                                                                         \
	X(subscription, 80)                                                                                    \
	X(user, 80)                                                                                            \
	X(application, 80)                                                                                     \
	X(backend, 120)              /* id, or scheme://host:port */                                           \
	X(method, 16)                                                                                          \
	X(host, 120)                                                                                           \
	X(path, 512)                 /* without the query */                                                   \
	X(reason, 48)                /* machine word: why the gateway answered, "key_missing"; else empty */   \
	X(client_ip, 46)                                                                                       \
	X(trace_id, 32)              /* of traceparent */                                                      \
	X(key_prefix, 16)            /* visible prefix of the key that was shown, when it was found */         \
	X(decision, 256)             /* a sentence for people: what was decided and where; no secrets */   \
	X(detail, 512)               /* what was compared when the caller was refused: check=… expected=… got=… */ \
	X(correlation, 128)          /* the backend's own id of the call */                                    \
	X(place, 160)                /* where the policies ended in an error: section, scope, path of the policy */ \
	X(credential, 80)            /* id of what the backend was shown */                                    \
	X(limits, 96)                /* the tightest limit that counted the call: "rate: 17 of 20 left in 60 s" */ \
	X(steps, 2048)               /* what each policy did, a line each; of failures and of some others, without secrets */ \
	X(parent_span, 16)           /* of the caller's traceparent */                                         \
	X(tries, 640)                /* at the backend, see struct telemetry_try; whole lines */

/* Of a record while it is on its way, and not of what is kept: for exports. Empty unless one asks for it. */
#define TELEMETRY_PASSING_TEXTS(X)                                                                             \
	X(web, 3072)                 /* lines, see struct telemetry_web; without secrets */

/* What many calls have in common (core/telemetry_kind.h); the rest each has for itself. */
#define TELEMETRY_SHARED_TEXTS(X)                                                                                      \
	X(environment) X(api) X(version) X(revision) X(operation) X(product) X(subscription) X(user) X(application)    \
	X(backend) X(method) X(host) X(reason) X(client_ip) X(key_prefix) X(credential)
#define TELEMETRY_SHARED_NUMBERS(X) X(status) X(backend_status) X(attempts) X(origin) X(cache) X(trace_flags)

enum telemetry_text {
#define X(name, max) TELEMETRY_TEXT_##name,
	TELEMETRY_TEXTS(X)
	TELEMETRY_TEXT__COUNT, TELEMETRY_TEXT__LAST = TELEMETRY_TEXT__COUNT - 1,
	TELEMETRY_PASSING_TEXTS(X)
#undef X
	TELEMETRY_TEXT__ALL
};

/* Numbers of a record. Times in µs; 0 when it did not happen. */
#define TELEMETRY_NUMBERS(X)                                                                                   \
	X(uint64_t, bytes_in)        /* body from the client */                                                \
	X(uint64_t, bytes_out)       /* body to the client */                                                  \
	X(uint64_t, backend_bytes_out)   /* body to the backend */                                             \
	X(uint64_t, backend_bytes_in)    /* body from the backend */                                           \
	X(uint32_t, total_us)        /* first byte of the request to last byte of the response */              \
	X(uint32_t, gateway_us)      /* total less the wait for backends */                                    \
	X(uint32_t, backend_us)      /* sent until the backend's response was complete, all tries together */  \
	X(uint32_t, dns_us)          /* these four: of the last try */                                         \
	X(uint32_t, connect_us)                                                                                \
	X(uint32_t, tls_us)                                                                                    \
	X(uint32_t, first_byte_us)                                                                             \
	X(uint16_t, status)          /* that the client saw; 0: none */                                        \
	X(uint16_t, backend_status)  /* of the last try; 0: none */                                            \
	X(uint16_t, attempts)        /* tries at the backend */                                                \
	X(uint8_t, origin)           /* enum telemetry_origin */                                               \
	X(uint8_t, cache)            /* enum telemetry_cache */                                                \
	X(uint8_t, trace_flags)      /* of traceparent: 1 is sampled */

struct telemetry_call {
	int64_t started_us;          /* wall clock */
	unsigned kind;               /* core/telemetry_kind.h; 0: not looked up */
#define X(type, name) type name;
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) struct str name;
	TELEMETRY_TEXTS(X)
	TELEMETRY_PASSING_TEXTS(X)
#undef X
};

/* ---- writing (one struct telemetry per process; calls from one thread) ---------------------------------------------- */
struct telemetry;

struct telemetry_options {
	size_t segment_bytes;        /* config telemetry.segment_bytes */
	uint64_t total_bytes;        /* config telemetry.spool_bytes: all segments together; at least two */
};

/* Makes `dir` when it is not there, and the first segment. LIMIT when the segments that are there fill total_bytes. */
GH_RC telemetry_open(const char *dir, const struct telemetry_options *o, struct telemetry **out, struct gh_err *err);
/* No system call. False: there was no room and the record was dropped (and counted). */
bool telemetry_put(struct telemetry *t, const struct telemetry_call *call);
uint64_t telemetry_dropped(const struct telemetry *t);
void telemetry_close(struct telemetry *t);           /* marks the segment as finished; NULL is fine */

/* ---- reading ------------------------------------------------------------------------------------------------------- */
struct segment;                                      /* a segment that is mapped for reading */

#define SEGMENT_NAME_MAX 64
/* The names of the segments in `dir`, oldest first, in the arena. No directory is no error: there are none. */
GH_RC segments_list(struct arena *a, const char *dir, struct str **names, size_t *n, struct gh_err *err);

/* NOT_FOUND also when its writer has used the file again meanwhile. */
GH_RC segment_open(const char *dir, struct str name, struct segment **out, struct gh_err *err);
void segment_close(struct segment *s);
/* Bytes of records that may be read now. */
uint64_t segment_committed(const struct segment *s);
/* Nothing will be added: the writer finished it or is dead. Ask before segment_committed. */
bool segment_finished(struct segment *s);
uint64_t segment_dropped(const struct segment *s);   /* records that were dropped while this one was being written */
/* The record at *offset (0 is the first), whose texts borrow from the mapping, where they follow each other in the order of
 * TELEMETRY_TEXTS; moves *offset behind it. False at the end.
 * *damaged: what stands there is no record (a power cut): nothing behind it can be read. */
bool segment_next(const struct segment *s, uint64_t *offset, struct telemetry_call *call, bool *damaged);
/* The keeper has stored all of it: a writer that is still at work may use the file again, under another name; else it is removed. */
GH_RC segment_release(const char *dir, struct str name, struct gh_err *err);
bool segment_released(const struct segment *s);      /* it was when it was opened: nothing of it is to be read */
bool segment_left(const struct segment *s);          /* its writer has closed it or is dead */
GH_RC segment_remove(const char *dir, struct str name, struct gh_err *err);
/* As long as the descriptor is open no segment is used again, so who follows behind the keeper misses nothing. -1 with errno set: not
 * possible, for instance without the right to write there; then a reader that stands still for seconds may miss some. */
int segments_follow(const char *dir);

/* One try at the backend, as `tries` has it: "SPAN AT TOOK STATUS DNS CONNECT TLS FIRST-BYTE HOST", times in µs, of a call that
 * needed one try only "SPAN AT", for the rest stands in the record. */
struct telemetry_try {
	struct str span, host;               /* span: id that the backend saw as its parent */
	uint32_t at_us;                      /* since the call began */
	uint32_t took_us, dns_us, connect_us, tls_us, first_byte_us;
	uint16_t status;                     /* 0: none came */
};
/* The next one of *tries (a copy of call->tries to begin with). False at the end, or when it is none. */
bool telemetry_try_next(const struct telemetry_call *call, struct str *tries, struct telemetry_try *out);

/* For people: "503 after 12.3 ms (first byte 12.0, name 0.1, connection 0.4, TLS 1.2 ms) at 10.0.0.7:8080". */
struct buf;
void telemetry_try_words(struct buf *b, const struct telemetry_try *t);

/* What `web` says: "SCHEME PORT", the route as a template, the query, and the address of each try at the backend, a line each.
 * Secrets in them are masked by whoever wrote it. */
struct telemetry_web {
	struct str scheme, route, query;     /* route: "/api/orders/{id}"; empty: no operation; query: empty: none */
	uint64_t port;                       /* the client's, also where it is the scheme's own; 0: not known */
	struct str urls;                     /* of the tries, in their order: a line each */
};
bool telemetry_web_read(const struct telemetry_call *call, struct telemetry_web *out);   /* false: there is nothing */

/* A text of a record by its number, and its name, for tables and printing. */
struct str *telemetry_text(struct telemetry_call *c, enum telemetry_text t);
const char *telemetry_text_name(enum telemetry_text t);

/* {"time":"…","status":200,…}: all that is known, for `gatehouse log --format json` and exports. */
void telemetry_json(struct buf *b, const struct telemetry_call *c);
