/* internal.h - between the offline files. */
#pragma once

#include "policy/offline/offline.h"
#include "core/map.h"

struct offline_counter {
	struct offline_counter *next;
	struct str key;
	struct offline_event {
		int64_t at_us;
		uint64_t amount;
	} *events;                       /* oldest first */
	size_t n, cap;
	int64_t tat_us;                  /* COUNTER_BUCKET: theoretical arrival time */
};

struct offline_entry {
	struct offline_entry *next;
	enum cache_store store;
	struct str key, value;           /* value STR_NULL: removed */
	int64_t expires_us;
};

struct offline_slot {
	struct offline_slot *next;
	struct str key;
	uint32_t inside;
};

struct offline {
	struct arena *arena;
	const char *dir;
	json_t *context;                 /* an object */
	int64_t now_us;
	uint64_t random_state;

	struct ctx_api api;
	struct ctx_operation operation;
	struct ctx_product product;
	struct ctx_subscription subscription;
	struct ctx_user user;
	struct ctx_deployment deployment;
	struct ctx_workspace workspace;
	struct str application_id;
	bool has_api, has_operation, has_product, has_subscription, has_user, has_workspace;

	struct map fragments;            /* id → struct policy_document */
	const struct policy_document *documents[SCOPE__COUNT];

	struct trust *trust;             /* NULL: the system's authorities */
	struct schemas *schemas;         /* NULL: none */

	struct offline_counter *counters;
	struct offline_entry *cache;
	struct offline_slot *slots;
	json_t *calls_left;              /* "calls" with "times" counted down */

	/* of the present run */
	json_t *sent, *backend_request, *logs, *metrics;
	size_t tries;
	bool finished;
};

extern const struct policy_host offline_host;

/* trust.c: "authorities", "revocationLists" and "schemas" of the context */
GH_RC offline_read_trust(struct offline *o, struct gh_err *err);

/* context.c */
GH_RC offline_read_context(struct offline *o, struct gh_err *err);
GH_RC offline_read_request(struct offline *o, json_t *request, struct exchange *x, struct gh_err *err);
bool offline_read_headers(json_t *headers, struct arena *a, struct fields *out);
GH_RC offline_read_response(struct arena *a, json_t *from, struct response *out, struct gh_err *err);

/* output.c */
json_t *offline_headers_json(const struct fields *f);
json_t *offline_request_json(struct arena *a, const struct request *r);
json_t *offline_result(struct offline *o, struct exchange *x);
