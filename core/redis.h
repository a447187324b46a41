/* redis.h - reaching the Redis that several machines share: a server, the master that Sentinels name, or a Cluster.
 *
 *   redis://[user@]host[:port][/database]                      rediss:// is the same over TLS
 *   redis+sentinel://[user@]host[:port][,host...]/master        the Sentinels listen on 26379 unless a port is given
 *   redis+cluster://[user@]host[:port][,host...]                any of its nodes; the others are asked of it
 *   redis+unix:///path/of/the.sock                             a Unix socket of this machine
 *
 * The password stands in a file, for addresses are shown by `gatehouse config`, doctor and the log. Everything here blocks,
 * up to the time limit for each step: it is for a thread of its own, or a command. Connecting, names and TLS are libcurl's
 * (CURLOPT_CONNECT_ONLY); the protocol is RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/), read by
 * hiredis. */
#pragma once

#include "core/error.h"

#include <curl/curl.h>
#include <stdatomic.h>

struct redisReply;

enum { REDIS_NODES_MAX = 64, REDIS_SLOTS = 16384, REDIS_ADDRESS_MAX = 280, REDIS_NO_NODE = 255 };

struct redis_options {
	struct str url, password_file, ca_file;  /* password_file, ca_file: empty for none, and the system's authorities */
	int64_t timeout_ms;                      /* for each connection, and for each answer while signing in */
	atomic_bool *stop;                       /* set from another thread: give up; NULL: nobody does */
};

struct redis_node {
	CURL *easy;                              /* NULL: could not be reached (Cluster only) */
	int fd;
	char address[REDIS_ADDRESS_MAX];         /* host:port, for messages */
};

struct redis_servers {
	struct redis_node node[REDIS_NODES_MAX];
	size_t n;
	bool whole;                              /* every node that is named answers */
	uint8_t node_of[REDIS_SLOTS];            /* Cluster; REDIS_NO_NODE: nobody serves the slot. All 0 otherwise */
};

/* Is the address one of these forms? The message says what is wrong with it. */
GH_RC redis_check(struct str url, struct gh_err *err);
/* Connects and signs in. *out is freed by redis_hang_up; the same thread or another may use it, one at a time. */
GH_RC redis_dial(const struct redis_options *o, struct redis_servers **out, struct gh_err *err);
void redis_hang_up(struct redis_servers *s);             /* NULL is fine */

/* One command and its answer; *reply is freed with freeReplyObject, an answer that is an error is an error here. */
GH_RC redis_ask(const struct redis_options *o, struct redis_node *to, const struct str *words, size_t n, struct redisReply **reply,
	struct gh_err *err);

/* The slot of a key: that of what stands in its first {braces}, if there is any. */
unsigned redis_slot(struct str key);

struct buf;
/* A command as it goes over the wire. */
void redis_write(struct buf *to, const struct str *words, size_t n);
