/* upstream.h - HTTP requests to backends, on one curl multi handle per worker.
 *
 * A transfer is one request and its response. Its owner gives callbacks, which run while curl is at work and therefore may
 * only note what happened: they must not start, cancel or resume a transfer, nor run policies. `done` is different: it is
 * called from upstream_turn with curl out of the way, exactly once unless the transfer is cancelled first.
 *
 * Only http and https are spoken (CURLOPT_PROTOCOLS_STR), certificates are verified, proxies come from the request and
 * never from the environment. Connections are kept and reused, easy handles too. */
#pragma once

#include "core/config.h"
#include "fcgi/loop.h"
#include "fcgi/reason.h"
#include "policy/message.h"

#include <curl/curl.h>

struct upstream;
struct transfer;

struct upstream_limits {
	int64_t connect_ms;              /* name look-up, connection and TLS together */
	int64_t first_byte_ms;           /* when the request names none */
	int64_t idle_ms;
	int64_t total_ms;                /* 0: none */
	size_t max_header_bytes;
	long max_connections;            /* kept open, idle ones included */
};

struct transfer_ops {
	/* The final response's head is complete: see transfer_response. */
	void (*head)(struct transfer *t);
	/* Body bytes. False: not now; the same bytes come again after transfer_resume. */
	bool (*body)(struct transfer *t, struct str bytes);
	/* Upload: up to n bytes into to; the count, 0 at the end, UPSTREAM_LATER when nothing is there yet (transfer_resume
	 * once there is), UPSTREAM_GIVE_UP. Only for BODY_STREAM. */
	size_t (*upload)(struct transfer *t, char *to, size_t n);
	void (*done)(struct transfer *t, enum reason why);      /* REASON_NONE: complete */
};

enum { UPSTREAM_LATER = CURL_READFUNC_PAUSE, UPSTREAM_GIVE_UP = CURL_READFUNC_ABORT };
enum { UPSTREAM_REDIRECTS_MAX = 10 };

struct upstream_request {
	struct str method;
	const struct url *url;
	const struct fields *headers;    /* exactly what is sent, but for Host, Content-Length and Transfer-Encoding */
	struct str host;                 /* Host field; STR_NULL: from the URL */
	enum body_kind body;
	struct str bytes;                /* BODY_HELD; must stay valid until the end */
	int64_t length;                  /* BODY_STREAM; -1: not known, sent in chunks */
	uint32_t first_byte_ms;          /* 0: the limit's default */
	uint32_t total_ms;               /* 0: the limit's default */
	uint32_t expect_continue_ms;     /* 0: no Expect */
	bool follow_redirects;
	bool fresh;                      /* on a new connection: nobody closes one that was kept just when this is sent */
	unsigned http_version;           /* as in struct forward_options */
	bool any_certificate, any_name;  /* the backend's certificate is not checked; its name is not */
	struct str ca_pem;               /* authorities in place of the system's; STR_NULL: those */
	struct str server_name;          /* asked for (SNI) and checked in place of the URL's host; STR_NULL: that one */
	struct str tls_min_version;      /* "1.2", "1.3" */
	struct str unix_socket;          /* connected to in place of the URL's host; STR_NULL: that one */
	struct str tls_pins;             /* as CURLOPT_PINNEDPUBLICKEY takes them */
	struct str client_cert_pem, client_key_pem, proxy_url, proxy_user, proxy_password;
};

/* config: of names (resolver.h). */
struct upstream *upstream_new(struct loop *l, const struct upstream_limits *limits, const struct config *config, struct gh_err *err);
void upstream_free(struct upstream *u);                  /* every transfer must be over or cancelled */

/* The arena holds the request's text until the transfer is over and gets the response's. NULL on failure, *why tells. */
struct transfer *upstream_start(struct upstream *u, struct arena *a, const struct upstream_request *rq,
	const struct transfer_ops *ops, void *owner, enum reason *why);
void transfer_cancel(struct transfer *t);
void transfer_resume(struct transfer *t);                /* ends a pause in both directions */

void *transfer_owner(const struct transfer *t);
struct response *transfer_response(struct transfer *t);  /* status, reason, headers; never the body */
int64_t transfer_length(const struct transfer *t);       /* Content-Length of the response; -1: none given */
struct transfer_times {
	uint32_t dns_us, connect_us, tls_us;     /* 0 on a connection that was open already */
};
struct transfer_times transfer_times(const struct transfer *t);
/* Why the TLS of the backend was refused, in a few words that a client may read; NULL: it was not. Static. */
const char *transfer_tls_problem(const struct transfer *t);
const char *transfer_problem(const struct transfer *t);  /* curl's own words about a failure, for the log */

/* Drives what is due and reports finished transfers. True when something happened, so that the caller looks again. */
bool upstream_turn(struct upstream *u);
/* When upstream_turn wants to be called next, monotonic; INT64_MAX: only on events. */
int64_t upstream_due(const struct upstream *u);
size_t upstream_active(const struct upstream *u);
