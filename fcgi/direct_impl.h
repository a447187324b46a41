/* direct_impl.h - what direct.c (requests and responses) and direct_conn.c (addresses and connections) share. */
#pragma once

#include "fcgi/direct.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { ORIGIN_BUCKETS = 256, ORIGINS_MAX = 4096, READ_BYTES = 65536,
       BODY_MAX = 65536, REQUEST_MAX = 1 << 20 };

#define ORIGIN_FIXED INT64_MAX
#define ORIGIN_RESOLVED (INT64_MAX - 1)

struct origin {                          /* one backend address */
	struct origin *next;
	struct direct_conn *idle;        /* newest first */
	int64_t known_until_us;          /* ORIGIN_FIXED: the host is an address itself; ORIGIN_RESOLVED: while print is the same */
	uint64_t print;                  /* of the addresses of its name (resolver.h); 0: not known */
	socklen_t address_n;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	unsigned port;
	size_t host_n;
	char host[];
};

struct direct_conn {
	struct watch watch;
	struct direct *d;
	struct origin *origin;
	uint64_t print;                  /* of the origin when it was made */
	struct transfer *transfer;       /* NULL: idle */
	struct direct_conn *next, *prev; /* of origin.idle */
	struct direct_conn *older, *newer;       /* all idle ones, by age */
	struct http1_reader reader;
	struct buf out;                  /* what the socket has not taken yet */
	struct buf pause_body, held;     /* what the owner could not take, and what was read behind it */
	bool connecting, reused, keep, counted;
	int64_t idle_since_us;
	struct grave grave;
};

struct direct {
	struct upstream *up;
	struct origin *origins[ORIGIN_BUCKETS];
	size_t n_origins, n_idle;
	struct direct_conn *oldest, *newest;
	struct transfer *over, **over_end;
	struct buf request;              /* where requests are put together */
	char scratch[READ_BYTES];
};

struct origin *direct_origin(struct direct *d, struct str host, unsigned port);  /* NULL: too many, or out of memory */
/* A kept connection, taken off the idle ones; must_be_alive: look at it first. NULL: none. */
struct direct_conn *direct_kept(struct origin *o, bool must_be_alive);
/* A new one, still connecting or connected. NULL: not possible. */
struct direct_conn *direct_open(struct direct *d, struct origin *o, void (*ready)(struct watch *, uint32_t));
/* The name of the request has these addresses now: connections to others are closed. False: which one to take is not known. */
bool direct_readdress(struct origin *o, const struct transfer *t);
void direct_close(struct direct_conn *c);                /* leaves its transfer behind without a connection */
void direct_keep(struct direct_conn *c);                 /* into the idle ones */
void direct_close_old(struct direct *d);                 /* that have been idle for long */
