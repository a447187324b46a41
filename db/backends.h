/* backends.h - backends that policies and APIs name by id, and pools of them. */
#pragma once

#include "db/store.h"

struct store_backend {
	struct str id, name, description;
	struct str url;                          /* STR_NULL for a pool */
	bool is_pool;
	bool verify_tls, verify_name;            /* check the server's certificate chain; its name */
	struct str client_certificate_id;        /* STR_NULL: none */
	struct str credentials;                  /* JSON: header, query, authorization; sealed in the store; STR_NULL: none */
	struct str tls_server_name;              /* asked for (SNI) and checked in place of the URL's host; STR_NULL: that one */
	struct str tls_min_version;              /* "1.2", "1.3"; STR_NULL: the TLS library's own */
	struct str tls_pins;                     /* "sha256//BASE64;sha256//BASE64" of public keys; STR_NULL: any */
	struct str credential_id;                /* of db/credentials.h, in the environment of the API called; STR_NULL: none */
	struct str breaker;                      /* JSON of circuit-breaker rules, core/backend_rules.h; STR_NULL: none */
	struct str balance;                      /* of a pool: round-robin (also STR_NULL), least-outstanding, hash */
	struct str hash_on;                      /* address, subscription, path, header:NAME, cookie:NAME; STR_NULL: address */
	struct str affinity_cookie;              /* name; STR_NULL: no affinity */
	struct str health;                       /* JSON of the health check, core/backend_rules.h; STR_NULL: none */
	struct str unix_socket;                  /* path, connected to in place of the url's host; STR_NULL: that one */
	int64_t max_calls;                       /* under way at once, of all workers; 0: any number */
};

struct store_pool_member {
	struct str pool_id, backend_id;
	int64_t weight, priority;                /* weight from 1; the lowest priority number is used first */
};

/* INVALID when a document of it does not hold to its form. */
GH_RC store_backend_create(struct store *s, const struct store_backend *b, struct gh_err *err);
GH_RC store_backend_update(struct store *s, const struct store_backend *b, struct gh_err *err);
GH_RC store_backend_delete(struct store *s, struct str id, struct gh_err *err);  /* CONFLICT while in use */
/* in_clear unseals the credentials; else they are STR_NULL. */
GH_RC store_backend_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_backend *out, bool *found,
			 struct gh_err *err);
GH_RC store_backends(struct store *s, struct arena *a, bool in_clear, struct store_backend **out, size_t *n,
		     struct gh_err *err);

/* Authorities that the backend's certificate is checked against in place of the system's; none: the system's. */
struct store_backend_authority {
	struct str backend_id, certificate_id;
};
GH_RC store_backend_authorities_set(struct store *s, struct str backend_id, const struct str *certificate_ids, size_t n,
				    struct gh_err *err);
GH_RC store_backend_authority_ids(struct store *s, struct arena *a, struct str backend_id, struct str **out, size_t *n,
				  struct gh_err *err);
GH_RC store_backend_authorities(struct store *s, struct arena *a, struct store_backend_authority **out, size_t *n,
				struct gh_err *err);

GH_RC store_pool_set(struct store *s, struct str pool_id, const struct store_pool_member *v, size_t n, struct gh_err *err);
GH_RC store_pool_members_of(struct store *s, struct arena *a, struct str pool_id, struct store_pool_member **out, size_t *n,
			    struct gh_err *err);         /* by priority and id */
GH_RC store_pool_members(struct store *s, struct arena *a, struct store_pool_member **out, size_t *n, struct gh_err *err);
