/* exchange.h - one request on its way through the policies, and where it stands.
 *
 * A document is compiled once (policy/compiler.h) into a flat program; this struct is what the program works on. Its
 * program counter is here, so an exchange that waits costs its arena and neither a thread nor a stack.
 *
 * The owner (gateway worker, offline runner) fills identity, request and scopes, then calls exchange_start. From then
 * on the library runs until it waits, and the host calls exchange_resume each time a wait is over. When the last
 * section has run, exchange.finished is called exactly once, with the response in place. */
#pragma once

#include "core/counter.h"
#include "core/error.h"
#include "policy/expr/value.h"
#include "policy/host.h"

struct policy_document;

enum section { SECTION_INBOUND, SECTION_BACKEND, SECTION_OUTBOUND, SECTION_ON_ERROR, SECTION__COUNT };
/* <base/> of a document is the next one before it in this order, and a section begins with the last that is there. So the
 * environment's, which binds all APIs, comes first and none of theirs can leave it out. */
enum scope { SCOPE_GLOBAL, SCOPE_WORKSPACE, SCOPE_PRODUCT, SCOPE_API, SCOPE_OPERATION, SCOPE_ENVIRONMENT, SCOPE__COUNT };
#define SCOPE_FIRST SCOPE_ENVIRONMENT

/* What `context` shows. Borrowed texts; STR_NULL where not known. Pointers in exchange are NULL where C# shows null. */
struct ctx_api {
	struct str id, name, path, version, revision;
	bool is_current_revision;
	struct url service_url;
	struct str key_header, key_query;        /* names of the subscription key parameters */
};
struct ctx_operation {
	struct str id, name, method, url_template;
};
struct ctx_group {
	struct str id, name;
};
struct ctx_product {
	struct str id, name;
	bool approval_required, subscription_required, published;
	int64_t subscriptions_limit;             /* < 0: none */
	const struct ctx_group *groups;
	size_t n_groups;
};
enum ctx_limit_kind { CTX_LIMIT_RATE, CTX_LIMIT_QUOTA, CTX_LIMIT_BANDWIDTH, CTX_LIMIT_CONCURRENCY };
struct ctx_limit {                       /* of the subscription's tier or rule; kept before any policy runs */
	enum ctx_limit_kind kind;
	enum counter_type type;
	uint64_t calls;                  /* or bytes, or calls at once */
	uint64_t burst;                  /* of a bucket; 0: as calls */
	uint32_t seconds;
	uint32_t queue, delay_ms;        /* of a rate: calls beyond it wait; 0: they are refused */
};
struct ctx_consumer_rule {               /* what the subscription may do at an API; gateways ask before any policy runs */
	struct str api_id;               /* STR_NULL: every API that has no rule of its own */
	struct str methods, operations;  /* separated by commas; STR_NULL: any */
	const struct ctx_limit *limits;  /* none: those of the tier hold */
	size_t n_limits;
};
struct ctx_subscription {
	struct str id, name, key, primary_key, secondary_key;
	int64_t created_us, start_us, end_us;    /* start, end: 0 when not set */
	const struct ctx_limit *limits;          /* of the tier */
	size_t n_limits;
	const struct ctx_consumer_rule *rules;
	size_t n_rules;
};
struct ctx_identity {
	struct str provider, id;
};
struct ctx_user {
	struct str id, email, first_name, last_name, note;
	int64_t registered_us;
	const struct ctx_group *groups;
	size_t n_groups;
	const struct ctx_identity *identities;
	size_t n_identities;
};
struct ctx_deployment {
	struct str region, service_id, service_name, gateway_id, gateway_instance_id;
	bool gateway_is_managed;
};
struct ctx_workspace {
	struct str id, name;
};

/* context.LastError, and what the client is to see. */
struct last_error {
	bool set;
	struct str source, reason, message, scope, section, path, policy_id;
	int status;                  /* for the client when on-error does not answer itself */
	struct str public_message;   /* STR_NULL: the fixed text of the status */
	struct str public_body;      /* the whole JSON body in place of the standard one; STR_NULL: none */
	struct str public_reason;    /* reason phrase; STR_NULL: the usual one of the status */
	bool exhausted;              /* a limit of an expression: <retry> does not try it again */
	bool keep_response; /* exchange.response is the answer as it stands, not the standard one of the status */
	struct str header, header_value;     /* one more header field for the client, as Retry-After; STR_NULL: none */
	struct str detail;           /* what was compared, for the record: check=… expected=… got=…; no secret; STR_NULL: nothing */
};

/* One executed instruction, of each call; with its decision and time when exchange.trace_on or steps_on. Secrets are masked
 * when it is printed. */
enum { TRACE_NOT_TIMED = -1 };
struct trace_step {
	struct trace_step *next;
	enum section section;
	enum scope scope;
	struct str policy;           /* element name */
	unsigned line;               /* of the document, from 1 */
	struct str decision;         /* a sentence: "condition is false", "header X set to …" */
	int64_t duration_us;         /* or TRACE_NOT_TIMED */
};

struct variable {
	struct str name;
	struct value value;
};

struct program_state;                /* private to policy/program.c */

/* What cache-lookup has found. Values of cache-lookup-value do not count. */
enum exchange_cache { EXCHANGE_CACHE_NONE, EXCHANGE_CACHE_HIT, EXCHANGE_CACHE_MISS };

struct exchange {
	struct arena *arena;
	const struct policy_host *host;
	void *owner;                 /* the host's own structure */
	void (*finished)(struct exchange *);

	struct request request;
	struct response response;
	struct fields matched;       /* URI template parameters */
	struct str request_id;       /* a GUID in text */
	int64_t started_us;          /* wall clock: context.Timestamp */

	const struct ctx_api *api;
	const struct ctx_operation *operation;
	const struct ctx_product *product;
	const struct ctx_subscription *subscription;
	const struct ctx_user *user;
	struct str application_id;   /* that calls, or that the subscription is of; STR_NULL: none */
	const struct ctx_deployment *deployment;
	const struct ctx_workspace *workspace;
	struct str backend_id;       /* chosen by set-backend-service; STR_NULL: request.url as it stands */
	bool backend_is_pool;        /* the one of backend_id; set by host.backend */

	/* innermost first is looked up by scope; NULL where a scope has no document */
	const struct policy_document *documents[SCOPE__COUNT];

	struct variable *variables;
	size_t n_variables, cap_variables;
	struct context_parts *context;       /* policy/expr: objects of `context` that expressions have asked for; NULL: none */
	struct last_error error;
	enum exchange_cache cached;

	struct str client_cert_pem, client_key_pem;   /* to show to the backend; STR_NULL: none */
	struct str proxy_url, proxy_user, proxy_password;     /* on the way to the backend; STR_NULL: none */

	bool trace_on;
	bool steps_on;               /* the same, for the record of the call: nobody asked, so context.Tracing stays false */
	struct trace_step *trace_first, *trace_last;
	enum section section;        /* where the program stands */
	struct program_state *program;
};

/* Call once after the response has been sent, before the arena goes: bytes of the bodies as they went to and from the
 * client. Bandwidth quotas are counted here. */
void exchange_transferred(struct exchange *x, uint64_t request_bytes, uint64_t response_bytes);

/* The value of a variable, or NULL. Names compare exactly, as in the reference system. */
const struct value *exchange_variable(const struct exchange *x, struct str name);
bool exchange_set_variable(struct exchange *x, struct str name, struct value v) MUST_USE;   /* false: out of memory */

void exchange_start(struct exchange *x);
/* In place of exchange_start when a step before the policies has failed (no such operation, key refused): x->error
 * holds source, reason, message, status and the public texts; the on-error section runs and then `finished` is called.
 */
void exchange_start_failed(struct exchange *x);
void exchange_resume(struct exchange *x);        /* a wait is over */
void exchange_cancel(struct exchange *x);        /* the client has gone: nothing more runs, `finished` is not called */
/* When `finished` is called or the exchange is cancelled, operations of policy `wait` may still be under way; the host
 * abandons them. */

/* Fails the present instruction: fills x->error (scope, section, path and policyId from where the program stands) and
 * returns STEP_FAIL, so that `return exchange_fail(...)` reads well. reason may be STR_NULL. */
enum step exchange_fail(struct exchange *x, int status, struct str reason, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* A line that a document writes into the trace: policy trace, context.Trace(). Costs nothing when trace_on is false. */
void exchange_trace_message(struct exchange *x, struct str text);

/* The standard answer of a status: JSON with blanks, Content-Type, reason. message STR_NULL: the fixed text. */
bool respond_error(struct exchange *x, int status, struct str message) MUST_USE;
struct str scope_name(enum scope s);             /* "global" … */
struct str section_name(enum section s);         /* "inbound" … */
/* The text with every secret of the exchange's documents replaced by "***". STR_NULL: out of memory. */
struct str exchange_mask(struct exchange *x, struct str text);
/* Each of the secrets that it looks for, some maybe twice. */
void exchange_each_secret(const struct exchange *x, void (*see)(void *to, struct str secret), void *to);

/* The text with each occurrence of the secret (not empty) replaced by "***". STR_NULL: out of memory. */
struct str mask_text(struct arena *a, struct str text, struct str secret);

/* Adds the decision to the trace step of the present instruction; costs nothing when trace_on is false. */
void exchange_trace(struct exchange *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
