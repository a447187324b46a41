/* host.h - everything a policy may do to the world, as one table of functions.
 *
 * The policy library has no socket, clock, file or store. Whoever runs programs (the gateway; the offline runner of
 * `gatehouse policy run`; a test) supplies this table. That is what makes a policy testable on a laptop.
 *
 * Functions that may take time return an enum step:
 *   STEP_NEXT  done; the result is in place
 *   STEP_WAIT  started; the host will call exchange_resume() once it is done, with the result in place
 *   STEP_FAIL  could not be started; exchange_fail() has been called
 * The struct that describes an operation lives in the exchange's arena; the host sets its `done` when it is over (also
 * when it answers STEP_NEXT). Several sub-requests, sleeps and cache operations of one exchange may be under way at
 * once (policy `wait`); exchange_resume is called after each, and the program looks at `done`. All calls come from the
 * thread that runs the exchange. */
#pragma once

#include "policy/message.h"

struct exchange;

enum step {
	STEP_NEXT,       /* go on with the next instruction */
	STEP_JUMP,       /* the instruction set the program counter itself */
	STEP_WAIT,       /* I/O is under way; run the instruction's resume when it is done */
	STEP_RESPOND,    /* the response stands; run no further section */
	STEP_FAIL,       /* exchange.error is filled; run the on-error section */
};

enum call_failure { CALL_OK, CALL_TIMEOUT, CALL_CONNECT, CALL_TLS, CALL_PROTOCOL, CALL_TOO_LARGE, CALL_CANCELLED };

/* forward-request: send exchange.request to the backend that exchange.backend_id or request.url names and put the
 * answer into exchange.response. The response's body is a stream unless buffer_response is set. */
struct forward {
	uint32_t timeout_ms;             /* for the response headers; 0: the host's default */
	uint32_t continue_timeout_ms;    /* wait for 100 Continue; 0: do not ask for it */
	bool follow_redirects;
	bool buffer_request_body;        /* keep the body so that a retry can send it again */
	bool buffer_response;            /* hold the whole response before going on */
	unsigned http_version;           /* 1: HTTP/1.1, 2: HTTP/2 only, 3: HTTP/2 or 1.1 */
	struct str client_cert_pem, client_key_pem;   /* authentication-certificate; STR_NULL: none */
	struct str proxy_url, proxy_user, proxy_password;     /* proxy; STR_NULL: none */
	/* filled by the host: */
	bool done;
	enum call_failure failure;       /* CALL_OK: exchange.response holds what the backend answered */
	struct str failure_text;         /* for a person: what happened, with the address, without secrets */
	int failure_status;              /* what the client gets when no on-error section answers; 0: 500 */
	struct str failure_body;         /* JSON for the client that goes with it; STR_NULL: the standard one */
	struct str failure_header, failure_header_value;      /* one more field for the client; STR_NULL: none */
};

/* send-request, token and key fetches: a request of its own with a held response. Lives in the exchange's arena. */
struct subrequest {
	struct request request;          /* url complete; body NONE or HELD */
	uint32_t timeout_ms;
	struct str client_cert_pem, client_key_pem;   /* STR_NULL: none */
	struct str proxy_url, proxy_user, proxy_password;
	bool one_way;                    /* nobody waits for the answer; survives the exchange */
	bool fresh;                      /* on a new connection: nobody closes one that was kept just when this is sent */
	size_t max_response_bytes;       /* 0: the host's default */
	/* filled by the host: */
	bool done;
	enum call_failure failure;
	struct str failure_text;         /* for a person: what happened, with the address, without secrets */
	struct response response;
};

/* One counter, taken and tested in one atomic operation. A window of `window_s` seconds holds at most `limit`. */
enum counter_kind {
	COUNTER_SLIDING,                 /* rate-limit: sliding window */
	COUNTER_FIXED,                   /* quota: windows of window_s from origin_us; window_s 0 is for ever */
	COUNTER_BUCKET,                  /* token bucket (GCRA): limit per window_s, burst as given */
};

/* What the host tells the client about it. */
enum counter_shown { COUNTER_HIDDEN, COUNTER_CALLS, COUNTER_BYTES };

struct counter_take {
	enum counter_kind kind;
	enum counter_shown shown;
	const struct quota_name *name;   /* core/quota_watch.h: whose quota it is, for alerts; NULL: nobody is told how far it is used */
	struct str key;                  /* unique over the instance: the policy puts its scope and id into it */
	uint64_t limit, amount;          /* amount 0 only looks */
	uint32_t window_s;
	uint64_t burst;                  /* COUNTER_BUCKET */
	int64_t origin_us;               /* COUNTER_FIXED: start of the first window */
	bool forced;                     /* count even when it goes over the limit (what has already happened) */
	/* filled by the host: */
	bool allowed;                    /* nothing was taken when false */
	uint64_t remaining;
	uint32_t retry_after_s; /* when not allowed: after this long the same amount is let through; rounded up */
	uint32_t reset_s;                /* until the window is empty again */
	bool unavailable;                /* the limits cannot be kept at present: there is no answer */
	bool done;
};

struct place_take {                      /* limit-concurrency: one of `max` at once under a key */
	struct str key;
	uint32_t max;
	/* filled by the host: */
	bool done, allowed;
	bool unavailable;                /* how many are inside cannot be told at present */
	void *state;                     /* the host's own */
};

enum cache_store { CACHE_INTERNAL, CACHE_EXTERNAL, CACHE_PREFER_EXTERNAL };

struct cache_op {
	enum cache_store store;
	struct str key;
	struct str value; /* put: what to keep. get: filled by the host, STR_NULL when absent; in the arena */
	uint32_t ttl_s;                  /* put; at least 1 */
	bool done;                       /* set by the host */
};

/* cache-lookup: of all requests on this machine that miss the same key, one fetches and the others wait for it. */
enum cache_fill_result {
	CACHE_FILL_LEAD,                 /* fetch it; call `filled` once, whatever comes of it. Look into the cache first */
	CACHE_FILL_LOOK,                 /* whoever fetched it has ended: look into the cache, then ask again */
	CACHE_FILL_ALONE,                /* it takes too long, or there is no room to note it: fetch it without the right */
};

struct cache_fill {
	struct str key;
	uint32_t wait_ms;                /* longest wait; the host takes off what has been waited */
	/* filled by the host: */
	enum cache_fill_result result;
	bool done;
};

struct host_sleep {
	uint32_t ms;
	bool done;                       /* set by the host */
};

struct log_message {                 /* log-to-eventhub */
	struct str logger_id, text;
	struct str partition_id, partition_key;      /* STR_NULL: not given */
};

enum trace_severity { TRACE_VERBOSE, TRACE_INFORMATION, TRACE_ERROR };

/* Where authentication-managed-identity gets its tokens. With a secret: an OAuth 2.0 token endpoint, asked with client
 * credentials (RFC 6749 section 4.4, scope RESOURCE/.default). Without: an instance metadata endpoint, asked with GET,
 * `Metadata: true` and ?resource=…&client_id=…; both answer JSON with access_token and expires_in. */
struct host_identity {
	struct str endpoint;             /* STR_NULL: http://169.254.169.254/metadata/identity/oauth2/token */
	struct str client_id, client_secret;
};

struct authorization_op {
	struct str provider, authorization;      /* ids */
	struct str resource, client_id;          /* in place of these: the credential that is configured for the resource */
	struct str identity; /* a token that vouches for the caller (identity-type jwt); STR_NULL: managed */
	/* filled by the host: */
	bool done;
	struct str access_token;                 /* STR_NULL: there is none; failure_text says why */
	struct fields claims;
	struct str failure_text, failure_reason; /* reason: for LastError; STR_NULL: the policy's own */
	int failure_status;                      /* for the client; 0: 500 */
	uint32_t retry_after_s;                  /* 0: nothing is said about it */
};

struct api_model;                                /* policy/api_model.h */
struct lru;
struct schemas;
struct trust;

struct policy_host {
	/* wall clock, µs since 1970; the offline host answers with a time that was given to it */
	int64_t (*now_us)(struct exchange *);
	uint64_t (*random)(struct exchange *);                   /* 64 random bits; seeded offline */

	enum step (*forward)(struct exchange *, struct forward *);
	enum step (*send)(struct exchange *, struct subrequest *);
	/* Work that this exchange begins and does not wait for, such as fetching keys anew: `run` is called in an exchange of
	   its own, which outlives this one, now and after each wait, until it does not answer STEP_WAIT. The result is its
	   state, `bytes` of zeros in *arena, to be filled by the caller before it returns. NULL: too much of it is under way;
	   do it here. The function may be NULL */
	void *(*aside)(struct exchange *, enum step (*run)(struct exchange *, void *state), size_t bytes, struct arena **arena);
	enum step (*sleep)(struct exchange *, struct host_sleep *);
	enum step (*take)(struct exchange *, struct counter_take *);
	/* limit-concurrency: may one more go in? Left once: when it was allowed, and when nobody waits for the answer any more (held_us -1) */
	enum step (*enter)(struct exchange *, struct place_take *);
	void (*leave)(struct exchange *, struct place_take *, int64_t held_us);
	/* Refused: after how many seconds a place may be free, at least 1. NULL: nobody knows */
	uint32_t (*enter_wait_s)(struct exchange *, struct str key);

	/* values are bytes; the policy layer serialises. A cache that is away is a miss, and put and remove do nothing.
	 */
	enum step (*cache_get)(struct exchange *, struct cache_op *);
	enum step (*cache_put)(struct exchange *, struct cache_op *);
	enum step (*cache_remove)(struct exchange *, struct cache_op *);

	/* both may be NULL: then every miss fetches */
	enum step (*fill)(struct exchange *, struct cache_fill *);
	void (*filled)(struct exchange *, struct str key);

	/* fire and forget; bounded and dropped with a count when the sink is slow */
	void (*log_to)(struct exchange *, const struct log_message *);
	/* policy trace: is anybody there who reads this severity? Then its text is worked out and given to `trace`, with
	   secrets in it. Both may be NULL */
	bool (*wants_trace)(struct exchange *, enum trace_severity);
	void (*trace)(struct exchange *, enum trace_severity, struct str source, struct str message,
		      const struct fields *metadata);
	/* a secret of the caller that a policy has found where the host cannot know of it: traces do not show it. May be NULL;
	   asked only while the exchange is traced. False: out of memory */
	bool (*hide)(struct exchange *, struct str text);
	void (*metric)(struct exchange *, struct str ns, struct str name, double value,
		       const struct fields *dimensions);

	/* PEM of a certificate with its private key, by id or thumbprint (hexadecimal, any case); false: unknown */
	bool (*certificate)(struct exchange *, struct str id_or_thumbprint, struct str *cert_pem, struct str *key_pem);
	/* All of them in turn: *cursor begins at 0; false: none is left. NULL: the host has none. */
	bool (*certificate_next)(struct exchange *, size_t *cursor, struct str *id);
	/* base address of a configured backend; false: unknown. STR_NULL in *url: it is known, and its address is found
	   when the request is forwarded; until then the request's own stays */
	bool (*backend)(struct exchange *, struct str id, struct str *url);
	/* the token endpoint of this installation; the function may be NULL */
	bool (*identity)(struct exchange *, struct host_identity *);
	/* the API's description document for mock-response and the validate family; STR_NULL: none */
	struct str (*api_document)(struct exchange *);
	/* the same, parsed (policy/api_model.h), NULL: none. When the function is NULL the document is parsed for each
	   call: fine for a test, far too slow for traffic */
	struct api_model *(*api_model)(struct exchange *);
	/* the schemas that stand apart from any description (policy/schemas.h), NULL: none; the function may be NULL */
	struct schemas *(*schemas)(struct exchange *);
	/* whose certificates of clients are believed (policy/trust.h); NULL, also the function: this system's authorities */
	const struct trust *(*trust)(struct exchange *);
	/* where verified tokens are remembered (policy/verified.h), of this thread; NULL, also the function: nowhere */
	struct lru *(*verified)(struct exchange *);
	/* the same of what policies found of them (struct verdict) */
	struct lru *(*verdicts)(struct exchange *);
	/* get-authorization-context and authentication-managed-identity: a token of the credential manager; may be NULL */
	enum step (*authorization)(struct exchange *, struct authorization_op *);
};
