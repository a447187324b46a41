/* snapshot.h - the whole configuration as one immutable value.
 *
 * A snapshot is read from the store in one transaction, compiled, and then never changed; a worker routes, checks and
 * runs every exchange with the snapshot that was current when the exchange began. Life cycle: snapshot_build in a thread
 * with its own store (snapshot_loader), swapped in by the loop; counted references; freed when the last exchange that
 * began with it has ended. One that does not compile is refused as a whole and the present one serves on.
 *
 * Subscriptions and users are not in it (fcgi/access.h): a million of them cost nothing here. */
#pragma once

#include "core/backend_state.h"
#include "core/config.h"
#include "core/ip.h"
#include "core/logger.h"
#include "core/map.h"
#include "core/uritemplate.h"
#include "fcgi/access_rules.h"
#include "policy/compiler.h"

struct route_table;
struct schemas;
struct store;
struct trust;
struct snap_iap;                         /* iap.h */
struct snap_life;                        /* life.h */
struct snap_capture;                     /* capture.h */
struct snap_fixed;                       /* fixed.h */
struct snap_cache;                       /* cached.h */
struct snap_traffic;                     /* traffic.h */

struct snap_environment {
	struct str id, name, business_group; /* business_group: id, the workspace */
	struct str host, path_prefix;        /* STR_NULL: any; none */
	const struct policy_document *policy;        /* of the workspace; NULL: none */
	const struct policy_document *binding;       /* the environment's own, for all its APIs; NULL: none */
	struct ctx_workspace workspace;
};

struct snap_network {                    /* from where calls may come */
	struct ip_set allow, deny;            /* allow empty: any address */
	bool https_only;
};

struct snap_product {
	struct ctx_product ctx;
	int priority;                        /* enum store_priority */
	const struct snap_network *network;  /* NULL: no rule */
	const struct policy_document *policy;
};

struct snap_operation {
	struct ctx_operation ctx;
	const struct uritemplate *template;
	const struct policy_document *policy;        /* NULL: none */
	const struct snap_cache *cache;      /* NULL: answers are not kept */
};

/* One revision of one version of one API in one environment: what a request is for. */
struct snap_api {
	struct ctx_api ctx;
	const struct snap_environment *environment;
	int64_t revision;
	struct str backend_id;               /* of a backend or pool; STR_NULL: ctx.service_url */
	const struct snap_life *life;        /* NULL: it is current; otherwise it is deprecated or retired */
	struct str base_path;                /* as the client sees it: environment prefix, path, version segment; for the realm */
	struct str version_header, version_query;    /* where the version stands; STR_NULL: in the path, or none */
	struct uritemplate_set *operations;
	const struct policy_document *policy;        /* NULL: none */
	const struct snap_product *const *products;  /* that hold this API, by id */
	size_t n_products;
	const struct snap_network *network;  /* NULL: no rule */
	const struct snap_cache *cache;      /* of operations without a rule of their own; NULL: answers are not kept */
	const struct snap_traffic *traffic;  /* canary, mirror, faults; NULL: there are none */
	bool key_required;                   /* the API asks for a subscription key */
	const struct snap_iap *iap;          /* browsers sign in first; NULL: they need not */
	const struct snap_rule *const *rules;        /* who may call; n_rules 0: whoever has a key */
	size_t n_rules;
};

enum pool_balance { POOL_ROUND_ROBIN, POOL_LEAST_OUTSTANDING, POOL_HASH };
enum pool_hash { POOL_HASH_ADDRESS, POOL_HASH_SUBSCRIPTION, POOL_HASH_PATH, POOL_HASH_HEADER, POOL_HASH_COOKIE };
enum { POOL_MEMBERS_MAX = 64 };              /* bits of a word */

struct snap_backend {
	struct str id, url;                  /* url: STR_NULL for a pool */
	bool verify_tls, verify_name;
	struct str tls_server_name, tls_min_version, tls_pins, ca_pem;       /* STR_NULL: none; ca_pem: its own authorities */
	struct str client_certificate_id;    /* STR_NULL: none */
	const struct snap_fixed *fixed;      /* what each call to it carries; NULL: nothing */
	struct str credential_id;            /* in the environment of the API that is called; STR_NULL: none */
	const struct breaker_rule *breaker;  /* NULL: none */
	struct str unix_socket;              /* STR_NULL: none */
	uint32_t max_calls;                  /* under way at once; 0: any number */
	struct str calls_key;                /* of their gauge in core/counter.h */
	struct backend_place *place;         /* pool.h: where its state stands; filled in on the loop's thread */
	struct url base;                     /* of url; no host: it has none, or it is no address */
	/* of a pool */
	const struct snap_pool_member *members;      /* by priority, then id; those that have an address */
	size_t n_members;
	enum pool_balance balance;
	enum pool_hash hash;
	struct str hash_name;                /* of the header field or cookie */
	struct str affinity_cookie;          /* STR_NULL: none */
	struct pool_live *live;              /* pool.h: with `place` the one part of a snapshot that changes, on the loop's thread */
};

struct snap_pool_member {
	const struct snap_backend *backend;
	int64_t weight, priority;            /* weight from 1 */
	struct str token;                    /* names it in the cookie, without saying who it is */
};

struct snap_certificate {
	struct str id, thumbprint;           /* hexadecimal, upper case */
	struct str cert_pem, key_pem;
};

struct snap_logger {                     /* core/logger.h */
	struct str id, settings, secrets;    /* secrets: STR_NULL: none */
	enum logger_kind kind;
};

struct snapshot {
	uint64_t generation;                 /* of the store when it was read */
	bool record_web;                     /* the setting otlp.endpoint names a collector: struct telemetry_web */
	int64_t built_us;                    /* wall clock */
	const struct policy_document *global;        /* NULL: none */
	const struct snap_network *network;          /* of all calls; NULL: no rule */
	const struct snap_product *const *products;
	size_t n_products;
	size_t n_apis, n_operations, n_documents;    /* for `gatehouse doctor` and the log */
	struct ctx_deployment deployment;
	struct trust *trust;                 /* for certificates of clients */
	struct str trust_problem;            /* STR_NULL: none; a list of revoked certificates that could not be used */
	struct str backend_problem;          /* STR_NULL: none; a circuit breaker, or fixed headers, that cannot be used */
	struct str request_ca;               /* authorities of servers that policies ask, PEM; STR_NULL: the system's */
	struct schemas *schemas;             /* NULL: there are none */
	struct snap_auth_keys auth_keys[AUTH_PURPOSE__COUNT];
	bool uses_keys, uses_groups;         /* a policy reads context.Subscription's keys; a user's groups */
	bool caches;                         /* a cache rule is on */
	const struct snap_iap *iap;          /* of all APIs that are behind a sign-in */
	size_t n_iap;
	const struct snap_capture *captures; /* that are on */
	size_t n_captures;
	const struct route_table *routes;
	struct snapshot_private *priv;
};

/* Reads and compiles. The result holds one reference. On failure err says what and where: "api orders, policy: line 3,
 * column 5: …"; UNAVAILABLE when the store could not be read. */
GH_RC snapshot_build(struct store *store, const struct config *config, struct snapshot **out, struct gh_err *err);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);     /* NULL is fine; may be called from any thread */

const struct snap_product *snapshot_product(const struct snapshot *s, struct str id);
const struct snap_backend *snapshot_backend(const struct snapshot *s, struct str id);
const struct snap_certificate *snapshot_certificate(const struct snapshot *s, struct str id_or_thumbprint);
const struct snap_logger *snapshot_logger(const struct snapshot *s, struct str id);
/* All of them in turn, in no particular order: *cursor begins at 0; NULL: none is left. */
const struct snap_certificate *snapshot_certificate_next(const struct snapshot *s, size_t *cursor);
struct snap_credential;                      /* fcgi/credential.h */
const struct snap_credential *snapshot_credential(const struct snapshot *s, struct str environment, struct str id);
/* All of them, in no order: for (size_t i = 0; (c = snapshot_credential_next(s, &i));) */
const struct snap_credential *snapshot_credential_next(const struct snapshot *s, size_t *i);
/* The one that is configured for the resource; client_id (its client id, or its own) may be STR_NULL. Of several the first
 * by id. */
const struct snap_credential *snapshot_credential_for(const struct snapshot *s, struct str environment, struct str resource,
						      struct str client_id);
/* The documents that apply to an exchange: `out` is exchange.documents; product may be NULL. */
void snapshot_documents(const struct snapshot *s, const struct snap_api *api, const struct snap_operation *operation,
			const struct snap_product *product, const struct policy_document *out[SCOPE__COUNT]);

/* ---- the loader: builds off the loop -------------------------------------------------------------------------------- */
/* A thread that opens the store, watches its generation and builds. When a snapshot stands (or was refused) it writes to
 * an eventfd that the loop watches; the loop then takes what is new. */
struct snapshot_loader;

/* A number that changes when a file does that a snapshot is made of besides the store. */
uint64_t snapshot_files_state(const struct config *config);

struct snapshot_loader_options {
	const char *state_dir;
	const struct config *config;
	uint32_t poll_ms;                    /* how often the generation is looked at; 0: 200 */
};

GH_RC snapshot_loader_start(const struct snapshot_loader_options *o, struct snapshot_loader **out, struct gh_err *err);
int snapshot_loader_fd(const struct snapshot_loader *l);             /* readable: call snapshot_loader_take */
void snapshot_loader_wake(struct snapshot_loader *l);                /* look at the store now (SIGHUP) */
/* The newest snapshot that has not been taken yet (its reference passes to the caller), or NULL. When the latest build
 * was refused, *refused is filled once (message of the error) and the caller logs it. Loop thread only. */
struct snapshot *snapshot_loader_take(struct snapshot_loader *l, struct gh_err *refused);
void snapshot_loader_stop(struct snapshot_loader *l);                /* waits for a build under way; NULL is fine */
