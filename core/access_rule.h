/* access_rule.h - who may call: the requirement that an API or a product puts to its callers, as text and as a value.
 *
 *     key | jwt(issuer=https://login.example, audience=orders, scope=orders.read) + cert(ca=partners)
 *
 * A rule is any-of groups ("|") of all-of methods ("+"): the first group whose methods all pass lets the call in. What a
 * single operation asks besides stands behind semicolons, by the operation's id:
 *
 *     jwt(issuer=https://login.example) ; create-order: scope=orders.write, claim.role=buyer
 *
 * The same as JSON (or YAML), which is how it is stored; docs/access.md lists the members. The methods and their
 * parameters stand in one table (access_methods), from which the reader, its messages and the documentation are made.
 *
 * Values that are secrets are not written into a rule: it refers to a named value as {{name}}. */
#pragma once

#include "core/json.h"

enum access_kind {
	ACCESS_KEY,                  /* subscription key */
	ACCESS_CLIENT,               /* application with client id and secret */
	ACCESS_JWT,                  /* signed token, of any issuer or of this installation */
	ACCESS_INTROSPECT,           /* opaque token, OAuth 2.0 introspection (RFC 7662) */
	ACCESS_CERT,                 /* client certificate */
	ACCESS_BASIC,                /* user name and password (RFC 7617) */
	ACCESS_HMAC,                 /* HTTP message signature with a shared secret (RFC 9421) */
	ACCESS_SIGV4,                /* AWS Signature Version 4 */
	ACCESS_ANONYMOUS,
	ACCESS_KIND__COUNT
};

enum {
	ACCESS_GROUPS_MAX = 16, ACCESS_METHODS_MAX = 8,      /* groups of a rule, methods of a group */
	ACCESS_VALUES_MAX = 64,                              /* of one parameter */
	ACCESS_OPERATIONS_MAX = 1000,
	ACCESS_RULE_BYTES = 256 * 1024,
};

/* A parameter of a method. TEXT is one value, LIST any number. */
enum access_value { ACCESS_TEXT, ACCESS_LIST, ACCESS_NUMBER, ACCESS_CHOICE };

struct access_parameter {
	const char *name;
	enum access_value kind;
	const char *values;          /* CHOICE: "a|b"; NUMBER: "least..most" for the message */
	int64_t least, most;         /* NUMBER */
	const char *help;            /* one line, for --help and docs/access.md */
};

struct access_method_info {
	const char *name, *help;
	const struct access_parameter *parameters;           /* ends with a NULL name */
	bool claims;                 /* takes claim.NAME=VALUE */
};
extern const struct access_method_info access_methods[ACCESS_KIND__COUNT];

struct access_values {
	struct str *v;
	size_t n;
};

struct access_claim {
	struct str name;             /* "roles", or a path "realm_access.roles" when no claim has the whole name */
	struct access_values values; /* any of them; none: it must be there */
};

struct access_method {
	enum access_kind kind;
	struct access_values *given; /* by place in the method's table of parameters */
	struct access_claim *claims;
	size_t n_claims;
};

struct access_group {
	struct access_method *methods;
	size_t n;
};

/* What an operation asks besides, of callers that come with a token. With groups of its own these replace the rule's. */
struct access_operation {
	struct str id;
	struct access_group *groups;
	size_t n_groups;
	struct access_values scopes;
	struct access_claim *claims;
	size_t n_claims;
};

/* How the backend learns who calls. */
struct access_header {
	struct str name;
	struct str source;           /* id, username, groups, application, client, scope, issuer, method, claim:NAME */
};

enum access_profile { ACCESS_NATIVE, ACCESS_ANYPOINT };

struct access_rule {
	struct access_group *groups;
	size_t n_groups;
	struct access_operation *operations;
	size_t n_operations;
	enum access_profile profile; /* form of refusals */
	bool identity;               /* tell the backend at all */
	struct access_header *headers;       /* NULL: X-Consumer-Id, X-Consumer-Username, X-Consumer-Groups */
	size_t n_headers;
	struct str token_header;     /* a signed token with the identity; STR_NULL: none */
	struct str token_audience;
	struct access_values token_claims;   /* claims of the caller's token that are passed on in it */
	int64_t token_life_s;
	bool keep_credentials;       /* the credential that let the call in stays in the request */
};

/* The stored form of a rule as somebody wrote it: JSON, YAML or the short form. The JSON in the arena, validated. INVALID or
 * SYNTAX with a message that says where (`anyOf[0].jwt.issuer`, or the column of the short form) and how to mend it. */
GH_RC access_rule_normalise(struct arena *a, struct str written, json_t **out, struct gh_err *err);
/* The rule as a value, its texts in the arena. INVALID as above. */
GH_RC access_rule_read(struct arena *a, const json_t *stored, struct access_rule *out, struct gh_err *err);
/* The groups in the short form, for lists. STR_NULL when out of memory. */
struct str access_rule_short(struct arena *a, const json_t *stored);

/* Values of a parameter; n 0 when it was not given. The name must be one of the method's table. */
struct access_values access_given(const struct access_method *m, const char *name);
struct str access_text(const struct access_method *m, const char *name);             /* the first, or STR_NULL */
int64_t access_number(const struct access_method *m, const char *name, int64_t otherwise);
