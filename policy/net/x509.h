/* x509.h - the object behind X509Certificate2. */
#pragma once

#include "policy/net/key.h"

enum { CERTIFICATE_MAX = 1 << 20 };

struct certificate {
	struct object head;
	X509 *x;
	EVP_PKEY *key;               /* private; NULL: none */
};

extern struct value_class class_certificate, class_certificate2, class_content_type;

X509 *x509_read(struct str pem_or_der);                  /* the caller frees it; NULL: it is none */
