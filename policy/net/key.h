/* key.h - RSA keys and certificates as expressions hold them. OpenSSL's objects end with the exchange's arena. */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "policy/expr/class.h"

struct rsa {
	struct object head;
	EVP_PKEY *key;               /* NULL: made when it is first needed */
	bool is_private;
};

extern struct value_class class_rsa_cng;

/* An RSACng over the key, whose reference it takes. False: threw (then the reference is given back). */
bool give_rsa(struct vm_call *c, EVP_PKEY *key, bool is_private);
bool throw_crypto(struct vm_call *c, const char *message);               /* message NULL: .NET's own */
