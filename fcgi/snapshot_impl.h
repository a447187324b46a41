/* snapshot_impl.h - what the files of the snapshot share: its own memory, and the state of a build. */
#pragma once

#include "fcgi/route_table.h"
#include "fcgi/snapshot.h"

#include "db/apis.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/environments.h"
#include "db/loggers.h"
#include "db/named_values.h"
#include "db/network.h"
#include "db/policies.h"
#include "db/products.h"
#include "db/store.h"
#include "db/users.h"

#include <stdatomic.h>

struct snapshot_private {
	struct arena *arena;                 /* holds the snapshot and all in it */
	_Atomic unsigned refs;
	struct map products, backends, certificates, loggers;        /* by id; certificates by thumbprint too */
	struct map credentials;              /* by "ENVIRONMENT/ID" and "ENVIRONMENT/PROVIDER/ID" */
};

/* Rows are read into memory of their own (`rows`), which goes when the build is over; what stays is copied. */
struct build {
	struct snapshot *s;
	struct arena *a, *rows;              /* of the snapshot; of the rows */
	struct store *store;
	struct gh_err *err;
	const struct config *config;         /* NULL: defaults */
	struct route_table *routes;

	struct map environments, version_sets, named_values, fragments;      /* id -> struct */
	struct map iap;                      /* API id -> struct snap_iap */
	struct map product_networks, api_networks;           /* id -> struct snap_network */
	struct map cache_rules;              /* API id, or API/operation -> struct snap_cache */
	struct map traffic_rules;            /* API id -> struct snap_traffic */
	struct map policies;                 /* place_key of snapshot_policies.c -> struct store_policy */
	struct map documents;                /* text and what it was compiled for -> struct policy_document */
	struct map api_rules, product_rules;         /* id -> struct snap_rule */
	struct map operation_apis;           /* "API/revision" that have an operation with a policy */

	bool needs_identity_key;             /* an access rule signs identities */
	size_t n_errors;                     /* the first one is in err */
};

enum { POLICY_KEY_MAX = 1024 };

/* ---- snapshot_policies.c ---- */
GH_RC build_read_policies(struct build *b);          /* named values, fragments, documents */
/* The compiled document of that place. *out NULL: there is none, or it has an error (counted in b). */
GH_RC build_policy(struct build *b, const struct store_policy_scope *place, struct str url_template,
		   const struct policy_document **out);
bool build_has_operation_policies(const struct build *b, struct str api_id, int64_t revision);

/* ---- snapshot_trust.c ---- */
GH_RC build_trust(struct build *b, const struct store_certificate *rows, size_t n);
GH_RC build_schemas(struct build *b);
/* ---- snapshot_backends.c ---- */
GH_RC build_backends(struct build *b);
/* ---- snapshot_fixed.c ---- */
GH_RC build_fixed(struct build *b, struct str id, struct str json, const struct snap_fixed **out);
/* ---- snapshot_credentials.c ---- */
GH_RC build_credentials(struct build *b);
/* ---- snapshot_iap.c ---- */
GH_RC build_iap(struct build *b);

/* ---- snapshot_traffic.c ---- */
GH_RC build_traffic_rules(struct build *b);

/* ---- snapshot_cache.c ---- */
GH_RC build_cache_rules(struct build *b);
/* Of an operation (STR_NULL: the API itself), else `otherwise`; NULL: none. */
const struct snap_cache *build_cache_rule(const struct build *b, struct str api, struct str operation, const struct snap_cache *otherwise);

/* ---- snapshot_captures.c ---- */
GH_RC build_captures(struct build *b);

/* ---- snapshot_apis.c ---- */
GH_RC build_apis(struct build *b);

/* ---- snapshot_access.c ---- */
GH_RC build_access_rules(struct build *b);           /* products, certificates and named values have been read */
GH_RC build_api_rules(struct build *b, struct snap_api *api);        /* its products are known */
GH_RC build_auth_keys(struct build *b);

/* Copies into the snapshot: a text; NULL-ness stays. */
GH_RC build_text(struct build *b, struct str from, struct str *to);
/* An error of the configuration, not of the machine: counted, and the first one is kept. Returns GH_RC_OK. */
gh_rc build_error(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
