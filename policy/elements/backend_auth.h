/* backend_auth.h - credentials and proxies for a request that the gateway sends. */
#pragma once

#include "policy/element.h"

struct certificate_config {          /* authentication-certificate */
	struct arg thumbprint, id, body, password;
};
struct proxy_config {
	struct arg url, user, password;
};
struct basic_config {
	struct arg user, password;
};
extern const struct element_schema authentication_certificate_schema, proxy_schema, authentication_basic_schema;

struct proxy_choice {
	struct str url, user, password;
};

/* All answer false after exchange_fail. */
bool apply_certificate(struct exchange *x, const struct certificate_config *c, struct str *cert_pem,
		       struct str *key_pem) MUST_USE;
bool apply_proxy(struct exchange *x, const struct proxy_config *c, struct proxy_choice *out) MUST_USE;
bool apply_basic(struct exchange *x, const struct basic_config *c, struct fields *headers) MUST_USE;
