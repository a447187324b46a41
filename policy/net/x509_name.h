/* x509_name.h - distinguished names as Windows writes them ("CN=a, O=\"b, c\", S=Bavaria"), and Oid. */
#pragma once

#include <openssl/x509.h>

#include "policy/expr/class.h"

/* STR_NULL: out of memory, in all of these. Most specific part first. */
struct str x509_name_text(struct arena *a, const X509_NAME *name);
struct str x509_name_part(struct arena *a, const X509_NAME *name, int nid);      /* empty: not there */
struct str x509_name_simple(struct arena *a, const X509_NAME *name);             /* common name, or what stands for it */
/* The first entry of a kind (GEN_DNS …) in an alternative name extension; empty: none. */
struct str x509_alternative(struct arena *a, const X509 *x, int extension, int kind);

bool give_oid(struct vm_call *c, struct str dotted);
