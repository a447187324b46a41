/* worker.h - one gateway process: its loop, connections to the web server, calls in flight and backend side.
 *
 *   conn   a FastCGI connection (conn.c). Carries one call at a time, many one after the other.
 *   call   one exchange, from the first parameter to the telemetry record (call*.c). Recycled.
 *
 * Everything here belongs to the loop's thread. Calls that may go on are put on the turn list (call_wake) and are run by
 * call_turn from the loop itself, never from inside a curl callback or the middle of a parser. */
#pragma once

#include "core/client.h"
#include "core/config.h"
#include "core/loop_lag.h"
#include "fcgi/fcgi_codec.h"
#include "fcgi/fields_util.h"
#include "fcgi/held.h"
#include "fcgi/loop.h"
#include "fcgi/reason.h"
#include "fcgi/upstream.h"
#include "policy/exchange.h"

enum {
	SCRATCH_BYTES = 65536,           /* one read from a FastCGI connection */
	CALLS_KEPT = 256,                /* recycled calls, with their first arena block */
	RANDOM_BYTES = 4096,
};

struct call;
struct worker;
struct gate_state;
struct snap_backend;
struct serving;                          /* snapshot and what goes with it: serving.h */

/* ---- connections ---- */

struct conn {
	struct watch watch;
	struct worker *wk;
	struct conn *next, *prev;        /* worker.conns */
	struct conn *next_dirty;
	struct fcgi_reader reader;
	struct call *call;               /* NULL between requests */
	struct buf out;                  /* records on their way out; the first `sent` bytes have left */
	size_t sent;
	size_t record_at;                /* header of the STDOUT record that is being filled; SIZE_MAX: none */
	int out_fd;                      /* watch.fd, but for plain CGI */
	bool raw;                        /* plain CGI: no records */
	bool raw_ended;
	bool keep;                       /* FCGI_KEEP_CONN of the present request */
	bool closing;                    /* close when `out` has left */
	bool paused;                     /* not reading: the upload buffer is full */
	bool lingers;                    /* answered before all of the request had come; see conn_end */
	bool dirty, dead;
	int64_t linger_by_us;
	uint64_t raw_left;               /* plain CGI: body bytes still to be read */
	int64_t touched_us;              /* last byte in or out */
	struct grave grave;
};

struct conn *conn_new(struct worker *wk, int fd);
struct conn *conn_new_cgi(struct worker *wk, int in_fd, int out_fd, uint64_t body_bytes);
void conn_start_cgi(struct conn *c);                     /* its call has its parameters */
void conn_read(struct conn *c);                          /* what is there now */
void conn_close(struct conn *c);                         /* drops its call as client_gone */
void conn_write(struct conn *c, struct str bytes);       /* response bytes; flushed at the end of the round */
/* Room for n bytes of the response, all of them in one record; NULL: more than a record holds, or there is no memory (which the
 * flush finds). Follow it with conn_wrote, of one byte at least. */
char *conn_room(struct conn *c, size_t n);
void conn_wrote(struct conn *c, size_t n);
void conn_end(struct conn *c);                           /* the response is complete */
void conn_break(struct conn *c);                         /* it cannot be completed: drops its call, and the web server breaks the client's */
void conn_flush(struct conn *c);
void conn_pause(struct conn *c, bool pause);
void conn_bury(struct conn *c);                          /* frees a dead one when the round is over */
static inline size_t conn_queued(const struct conn *c)   /* bytes that have not left yet */
{
	return c->out.n - c->sent;
}

/* ---- calls ---- */

enum call_stage {
	CALL_READING,                    /* parameters are coming in */
	CALL_AT_GATE,                    /* the gate waits for something: gate_turn goes on */
	CALL_WANTS_BODY,                 /* the policies need the whole body first */
	CALL_RUNNING,                    /* the policies run, or wait */
	CALL_ANSWERING,                  /* the head has been sent */
	CALL_ASIDE,                      /* nobody's: see aside.c */
	CALL_OVER,
};

struct shared;
struct shared_limit;
struct shared_limits;
struct shared_places;
struct shared_states;
struct shared_value;
struct subcall;                          /* a sub-request under way: host_send.c */
struct call_sleep;                       /* a policy that sleeps: host.c */
struct fill_table;                       /* calls that wait for another's answer: fill.h */
struct fill_waiter;
struct share_entry;                      /* share.h */
struct share_table;
struct log_sinks;                        /* messages on their way to loggers: log_sink.h */
struct access_flow;
struct auth_request;
struct balance;
struct backend_line;
struct cached;                           /* cached.h */
struct call_traffic;                     /* traffic.h */
struct mirror;
struct capture;                          /* capture.h */

/* One try at the backend, for the record. */
enum { CALL_TRIES_NOTED = 6 };
struct call_try {
	char span[17];
	bool over;
	uint16_t status;                 /* 0: none came */
	int64_t at_us;                   /* monotonic */
	uint32_t took_us, dns_us, connect_us, tls_us, first_byte_us;
	struct str host;
	struct url url;                  /* without what a credential adds */
};

struct call {
	struct exchange x;               /* x.owner is the call */
	struct worker *wk;
	struct conn *conn;               /* NULL once the client has gone */
	struct arena *arena;
	struct call *next, *prev;        /* worker.calls, or the pool */
	struct call *next_turn;
	enum call_stage stage;
	bool on_turn, resume_due, finished, started, head_request, overload, let_in;
	enum reason reason;              /* why it failed, or NONE */
	const char *tls_problem;         /* why the backend's TLS was refused, static; NULL: it was not */

	/* from the client */
	struct buf params;
	bool params_over;                /* longer than allowed */
	struct buf up;                   /* body bytes that nobody has taken yet, from up_at on */
	size_t up_at;
	bool up_ended, up_broken, discard_up;
	int64_t up_length;               /* declared; -1: not */
	uint64_t up_bytes;               /* that came */
	int64_t up_touched_us;

	/* who calls */
	struct access_flow *access;      /* access_flow.h; NULL: the API has no rules */
	struct auth_request *service;    /* auth_server.h; NULL: the call is for an API */
	bool access_waits_body;          /* either of them goes on when the whole body is here */
	size_t form_most;                /* the gateway itself reads the body, of at most so many bytes; 0: it does not */

	/* to and from the backend */
	struct transfer *forward;
	struct share_entry *share;       /* the place at the backend; NULL: none */
	struct forward *wish;            /* the forward-request that waits for it */
	bool forward_waits_body;         /* the body must be complete before it can be sent (again) */
	bool body_gone;                  /* part of a streamed body has been sent: it cannot be sent again */
	bool holds_response, hold;       /* the policies need the whole response; so does this forward-request */
	struct buf down;                 /* body bytes that came before the head was sent, or that are held */
	size_t down_at;
	bool down_ended;
	enum reason forward_reason;
	int64_t forward_length;          /* Content-Length of the backend's response; -1: none */
	struct str hops_seen, hops_kept;     /* network.h: what trusted proxies said; the caller's own part of it */
	struct str backend_host, client_host;    /* client_host: the Host field as it came, port and all */
	struct trace_context trace;
	bool trace_begun;                /* here, not by the client */
	bool request_id_made;            /* likewise: then it is the id of the trace too (worker_id) */

	/* what the gateway shows to the backend: credential.h */
	struct str caller_token;         /* field value that an access rule took out of the request; STR_NULL: none */
	const struct snap_credential *credential;        /* of the present forward-request; NULL: none */
	struct credential_need *need;    /* its token; NULL: the kind has none */
	struct credential_secret *secrets;       /* tokens that policies of this call were given */
	bool credential_refused, replayed;       /* the backend answered 401; it has been asked again */

	/* to the client */
	struct str held;                 /* body that is all here, from held_at on */
	size_t held_at;
	uint64_t down_bytes;
	int status;

	/* when: monotonic µs; 0: did not happen */
	int64_t begun_us, forward_us, first_byte_us, backend_us, over_us;
	unsigned tries;                  /* forward-requests so far */
	struct call_try tried[CALL_TRIES_NOTED];         /* the first of them that were sent; the last place is of the newest */
	unsigned n_tried;
	struct subcall *subcalls;
	struct call_sleep *sleeps;
	struct shared_limit *limits;     /* that wait for Redis: shared_limit.h */
	struct shared_value *values;     /* of the external cache, the same: shared_cache.h */
	struct fill_waiter *filler;      /* waits for another call's answer: fill.h; NULL: does not */
	struct gate_state *gate;         /* call_gate.h; NULL: did not get that far */
	void (*gate_turn)(struct call *k);       /* CALL_AT_GATE: in each turn */
	enum step (*aside)(struct exchange *x, void *state);     /* CALL_ASIDE: in each turn */
	void *aside_state;
	struct cached *cached;           /* of the present forward-request; NULL: the call has no cache rule */
	struct call_traffic *traffic;    /* NULL: the API has neither canary, mirror nor faults */
	struct capture *capture;         /* its messages are written down; NULL: they are not */
	struct str word;                 /* reason word of routing or access; STR_NULL: that of `reason` */

	/* for the record */
	const struct snap_backend *backend;
	const struct snap_backend *pool; /* that it is a member of; NULL: it was named itself */
	struct backend_line *line;       /* backend_line.h; NULL: it never waited for a place at its backend */
	struct balance *balance;         /* balance.h; NULL: the backend has neither breaker nor pool */
	bool probe;                      /* asked for the health of the gateway: no call of anybody, so there is no record */
	struct str correlation;          /* the backend's own id of the call, of the last try; STR_NULL: none */
	struct str detail;               /* what was compared when the caller was refused; STR_NULL: nothing */
	int backend_status;
	uint64_t backend_bytes_in, backend_bytes_out;
	int64_t backend_total_us;        /* of all finished tries */
	uint32_t dns_us, connect_us, tls_us;
};

struct call *call_new(struct conn *c);                   /* NULL: out of memory */
void call_params(struct call *k, struct str bytes);
void call_params_end(struct call *k);
void call_stdin(struct call *k, struct str bytes);
void call_stdin_end(struct call *k);
void call_client_gone(struct call *k);
void call_wake(struct call *k);                          /* give it a turn */
void call_turn(struct call *k);
void call_drained(struct call *k);                       /* the output queue has room again */
bool call_client_is_late(struct call *k, int64_t now_us); /* notes the reason; then it wants a turn */
void call_recycle(struct call *k);                       /* after it is over */
void call_free(struct call *k);                          /* of the pool */
void asides_drop(struct worker *wk);                     /* nobody waits for them any more */

/* ---- the worker ---- */

struct worker_limits {
	uint32_t backend_queue;
	int64_t backend_queue_us;
	size_t max_in_flight, shed_low, shed_normal, backend_share, header_bytes, held_body, uri_bytes, stream_buffer, request_memory, subresponse,
		one_way, filling;
	uint64_t max_body;
	bool old_limit_fields;           /* X-RateLimit-* beside RateLimit */
	int64_t idle_us, drain_us;
	uint32_t refresh_ms, mirror_ms;  /* of an answer that nobody waits for: cached_refresh.c, mirror.c */
	struct str base_path, correlation_header;
	struct str cert_header;          /* in which a trusted proxy hands over its client's certificate; empty: none */
	struct str public_url;           /* of the mount as callers see it, without a slash at its end; empty: as they ask */
	struct str oauth_issuer;         /* of own access tokens; empty: not fixed */
	int64_t token_life_s;
};

struct worker {
	struct loop loop;
	struct upstream *up;
	const struct config *config;
	struct worker_limits limits;
	const char *state_dir;
	struct arena *memory;            /* of what is read from the settings */
	struct client_trust trust;
	unsigned number;
	struct watch listen;
	struct conn *conns;
	size_t n_conns;
	struct conn *dirty;
	struct call *calls, *pool;       /* in flight; recycled */
	size_t n_calls, n_pool;
	size_t n_let_in;                 /* of them, those that were not refused as too many; call_gate.c */
	struct call *asides;             /* aside.c */
	size_t n_asides;
	struct call *turns, **turns_end;
	struct serving *serving;         /* NULL: none yet */
	struct cache *cache;             /* NULL: not there */
	struct cache *responses;         /* answers that cache rules keep; NULL: there is no rule, or it cannot be opened */
	size_t filling;                  /* bytes of bodies on their way into it */
	struct fill_table *fills;
	struct share_table *shares;      /* calls under way at each backend: share.h */
	struct shared *shared;           /* shared.h; NULL: this machine is by itself */
	struct shared_limits *shared_limits;     /* NULL as well */
	struct shared_places *shared_places;     /* shared_place.h; NULL as well */
	struct shared_states *shared_states;     /* shared_state.h; NULL as well */
	struct spike_line *spikes;       /* calls that wait under a rate: spike.h */
	struct held held;                /* how long calls hold their places */
	struct log_sinks *sinks;
	struct metrics *metrics;         /* core/metrics.h; NULL: not there */
	struct quota_watch *quotas;      /* core/quota_watch.h; NULL as well */
	struct credentials *credentials; /* credential.h */
	int64_t cache_complained_us;
	size_t n_one_way;
	struct mirror *mirrors;          /* copies of calls under way: traffic.h */
	size_t n_mirrors;
	int64_t processor_us;            /* of this thread at the last sweep */
	struct loop_lag lag;
	int64_t swept_us, drain_by_us;
	void (*poll)(struct worker *wk); /* once a round: signals, snapshots; set by main */
	bool deaf;                       /* accepts nothing until the next sweep */
	bool stopping, once;             /* once: plain CGI, stop after one call */
	char oauth_issuer[512];
	uint8_t random[RANDOM_BYTES];
	size_t random_left;
	char scratch[SCRATCH_BYTES];
};

GH_RC worker_init(struct worker *wk, const struct config *config, const char *state_dir, unsigned number,
	struct gh_err *err);
void worker_release(struct worker *wk);
GH_RC worker_listen(struct worker *wk, int fd, struct gh_err *err);
void worker_run(struct worker *wk);                      /* until stopped and drained */
void worker_stop(struct worker *wk);                     /* drain */
void worker_random(struct worker *wk, void *to, size_t n);

/* An identifier that never comes again, for a call or a trace: RFC 9562 version 7, `now_us` microseconds since 1970 before 74
 * random bits. Those that follow each other are neighbours in the indexes of the store, which makes a record half as dear as
 * one with an id that is random from its first bit. The last 7 bytes are random, as W3C Trace Context asks. */
void worker_id(struct worker *wk, int64_t now_us, uint8_t to[16]);
