/* padding.h - RSASignaturePadding and RSAEncryptionPadding, and the classes of keys that key_parts.c adds members to. */
#pragma once

#include "policy/expr/class.h"

enum padding { PADDING_PKCS1, PADDING_PSS, PADDING_OAEP_SHA1, PADDING_OAEP_SHA256, PADDING_OAEP_SHA384, PADDING_OAEP_SHA512 };

struct pad {
	struct object head;
	enum padding padding;
};

struct value encryption_padding(enum padding p);         /* rsa.c: OAEP ones and PKCS #1 */

extern struct value_class class_rsa, class_asymmetric, class_symmetric, class_signature_padding, class_encryption_padding,
	class_hash_algorithm, class_hmac;
