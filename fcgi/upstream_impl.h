/* upstream_impl.h - what upstream.c (sockets, pools, time) and transfer.c (one request, one response) share. */
#pragma once

#include "fcgi/http1.h"
#include "fcgi/resolver.h"
#include "fcgi/upstream.h"

struct direct;
struct direct_conn;
struct origin;

enum transfer_phase {
	TRANSFER_RESOLVING,              /* its name is being looked up; in upstream.resolving */
	TRANSFER_OPENING,                /* direct only: the connection is being made */
	TRANSFER_CONNECTING,             /* waiting for the first byte, or (curl) still connecting */
	TRANSFER_BODY,                   /* the head has come */
};

struct transfer {
	CURL *easy;
	struct upstream *up;
	struct transfer *next, *prev;    /* in upstream.active, or next in upstream.idle */
	const struct transfer_ops *ops;
	void *owner;
	struct arena *arena;
	struct response response;
	int64_t length;                  /* Content-Length; -1: none */
	size_t head_bytes;
	enum transfer_phase phase;
	bool follow, has_location, chunked;
	enum reason failed;              /* found by a callback, which could only make curl stop */
	bool head_done, paused, dirty;   /* dirty: options differ from the base set */
	bool seen_upload;
	int64_t started_us, touched_us;  /* touched: last byte in either direction */
	int64_t first_byte_ms, total_ms;
	unsigned http_minor;             /* HTTP/1.x of the response */
	char problem[CURL_ERROR_SIZE];
	const char *tls_problem;         /* static; NULL: none */

	/* how the name of its host is resolved: transfer_name.c */
	struct resolved *name;           /* while it waits */
	struct transfer *next_waiting, *prev_waiting;
	uint64_t name_print;             /* of the addresses that it goes to; 0: libcurl resolves, or there is no name */
	unsigned n_addresses;
	char addresses[RESOLVED_MAX * 48];       /* with commas, IPv6 in brackets, as CURLOPT_RESOLVE takes them */
	uint32_t dns_us;
	bool in_multi, raced;            /* raced: our own connection could not be made, so libcurl tries all addresses */

	/* what goes over our own connections: direct.c */
	bool direct, is_over, no_body;
	struct direct_conn *conn;
	struct origin *origin;
	struct transfer *next_over;
	enum reason result;
	int64_t connected_us;
	struct upstream_request rq;      /* with its own copies of url and headers */
	struct url url;
	struct fields fields;
};

struct upstream {
	struct loop *loop;
	CURLM *multi;
	struct direct *direct;
	struct resolver *resolver;
	struct transfer *resolving;
	struct upstream_limits limits;
	struct backend_socket **sockets;         /* by descriptor */
	size_t n_sockets;
	struct transfer *active, *idle;
	size_t n_active, n_idle;
	int64_t due_us, swept_us;
	bool names_failed;                       /* somebody waits for a name that is known to have no address */
	bool looked;                             /* curl has not run since its messages were read */
};

struct transfer *upstream_handle(struct upstream *u);    /* from the pool, or new; NULL: no memory */
void upstream_recycle(struct transfer *t);
bool upstream_add(struct transfer *t);                   /* puts it to curl */
void upstream_activate(struct transfer *t);
void upstream_finish(struct transfer *t, enum reason why);       /* tells the owner, recycles */
int upstream_close_socket(void *up, curl_socket_t fd);

/* The head of a response, line by line (without its end); each false: malformed. The line must last. */
bool transfer_head_line(struct transfer *t, struct str line);
void transfer_head_complete(struct transfer *t);
bool transfer_stop(struct transfer *t, enum reason why); /* notes the reason; always false */

/* ---- transfer_name.c ---- */
/* Looks its host up. False: it has to wait, or has failed: transfer_waiting_turn ends that. */
bool transfer_resolve(struct transfer *t);
void transfer_stop_waiting(struct transfer *t);          /* no harm when it does not */
/* Starts those that wait no longer, and ends those whose name has no address. True: there was one. */
bool transfer_waiting_turn(struct upstream *u, bool late);
/* Tells curl where the host of the URL is: `name` is what the URL says, which may be another one for TLS. False: out of memory. */
bool transfer_point(struct transfer *t, struct str name);

/* ---- transfer.c ---- */
bool transfer_start(struct transfer *t);                 /* over a connection of our own, or curl */
bool transfer_start_curl(struct transfer *t);

/* ---- transfer_tls.c ---- */
/* Sets what the request asks of TLS; false: out of memory. */
bool transfer_tls_options(struct transfer *t, const struct upstream_request *rq);
/* Is this end one of TLS? Then t->tls_problem says why. */
bool transfer_tls_failed(struct transfer *t, CURLcode result);

/* What an ended transfer means, and whether one is late. */
enum reason transfer_verdict(struct transfer *t, CURLcode result);
enum reason transfer_late(struct transfer *t, int64_t now_us);
