/* access_rules.h - access rules as the gateway runs them: part of the snapshot, immutable, with keys parsed, authorities
 * loaded and named values filled in.
 *
 * An API is let in by its own rule; without one, by the rules of its products: each of them is a way in, and a product
 * without a rule is opened by a subscription key as ever. An API without any rule does not come here at all. */
#pragma once

#include "core/access_rule.h"
#include "core/jose.h"
#include "core/map.h"
#include "core/sign.h"

#include <openssl/x509.h>

struct snap_product;
struct snap_rule;

enum subscription_need { SUBSCRIPTION_NONE, SUBSCRIPTION_OPTIONAL, SUBSCRIPTION_REQUIRED };

/* Names of claims to look at, in order. */
struct caller_claims {
	struct access_values client, user, groups;
};

struct snap_method {
	enum access_kind kind;
	enum subscription_need subscription;
	/* tokens */
	struct str header, scheme;           /* where one stands; scheme STR_NULL: the field's whole value */
	struct access_values scopes, audiences;
	const struct access_claim *claims;
	size_t n_claims;
	struct caller_claims names;
	bool own;                            /* jwt of this installation */
	struct str issuer, discovery;        /* discovery: address of the configuration or key set; STR_NULL: keys are given */
	struct str type;                     /* typ; STR_NULL: any but an id token's */
	unsigned algs;                       /* JOSE_BIT(…); 0: those that fit the keys */
	int64_t leeway_s;
	struct jose_keys *keys, *decrypt;    /* NULL: none */
	uint8_t verifier[32];                /* digest of all that is asked once, when a token is first seen */
	uint64_t number;                     /* of a jwt method: no other of this process has it; 0: tokens of our own */
	struct str endpoint, client_id, client_secret;       /* introspect */
	int64_t cache_s;
	/* certificates */
	struct trust *trust;                 /* NULL: any authority will do */
	bool revocation, online;             /* online: responders and distribution points are asked too */
	struct access_values thumbprints, subjects, dns;
	/* user name and password */
	struct access_values groups;
	struct str realm;
	/* client id and secret */
	bool from_headers, from_basic;
	/* signed requests */
	int64_t window_s;
	struct access_values cover;          /* none: see access_signed.c */
	struct str region, service;
	enum signed_scheme { SIGNED_RFC9421, SIGNED_CAVAGE, SIGNED_PLAIN } signing;
	struct hmac_scheme plain;            /* SIGNED_PLAIN */
};

struct snap_group {
	const struct snap_method *methods;
	size_t n;
};

/* What one operation asks besides. */
struct snap_demand {
	const struct snap_group *groups;     /* in place of the rule's; n_groups 0: the rule's */
	size_t n_groups;
	struct access_values scopes;
	const struct access_claim *claims;
	size_t n_claims;
};

struct snap_rule {
	const struct snap_product *product;  /* that the rule is of; NULL: of the API, or the key of products without a rule */
	const struct snap_group *groups;
	size_t n_groups;
	struct map operations;               /* id -> struct snap_demand */
	enum access_profile profile;
	bool identity, keep_credentials;
	const struct access_header *headers;
	size_t n_headers;
	struct str token_header, token_audience;
	struct access_values token_claims;
	int64_t token_life_s;
};

/* A key that the gateway signs with. */
struct snap_auth_key {
	struct str id;
	enum jose_alg alg;
	struct jose_keys *keys;              /* the private one */
	int64_t signs_us, ends_us;
};

enum auth_purpose { AUTH_TOKEN, AUTH_IDENTITY, AUTH_PURPOSE__COUNT };

/* The keys of a purpose, and what is published of them. */
struct snap_auth_keys {
	const struct snap_auth_key *v;       /* oldest first */
	size_t n;
	struct jose_keys *verify;            /* public halves of all */
	struct str jwks;                     /* the published document */
};

/* Of a method cert: why what is asked about revocation cannot be asked; NULL: it can. fcgi/access_cert.c */
const char *snap_revocation_problem(const struct snap_method *m, size_t n_authorities, size_t n_lists, struct str responder);

bool auth_key_known(const struct snap_auth_keys *k, struct str id, int64_t now_us);  /* and has not ended */
/* The key that signs now: the newest whose time has come; NULL: none. */
const struct snap_auth_key *auth_key_now(const struct snap_auth_keys *k, int64_t now_us);
