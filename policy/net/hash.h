/* hash.h - digests by name, for signatures. */
#pragma once

#include "policy/expr/class.h"

enum digest { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

bool digest_of_name(struct str name, enum digest *out);                  /* "SHA256", "sha-256"; false: unknown */
const char *digest_evp_name(enum digest d);
bool give_hash_name(struct vm_call *c, struct str name);                  /* returns a HashAlgorithmName */
bool digest_arg(struct vm_call *c, size_t i, enum digest *out);          /* a HashAlgorithmName; false: threw */
