/* certificates.h - client certificates with their private keys (sealed), and authorities that are trusted. */
#pragma once

#include "db/store.h"

struct store_certificate {
	struct str id;
	struct str subject, thumbprint;          /* upper-case SHA-1 in hexadecimal, as policies name it */
	int64_t not_before_us, expires_us;
	struct str pem;                          /* certificate, with its chain */
	struct str key_pem;                      /* STR_NULL: none, or not asked for in clear; sealed in the store */
	bool is_authority;
};

GH_RC store_certificate_set(struct store *s, const struct store_certificate *c, struct gh_err *err);     /* makes or replaces */
GH_RC store_certificate_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_certificates(struct store *s, struct arena *a, bool in_clear, struct store_certificate **out, size_t *n,
			 struct gh_err *err);
