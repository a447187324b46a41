/* certtext.h - a client's certificate as web servers and proxies write it, brought to PEM.
 *
 * Understood, with the certificates that follow the first as its chain:
 *   PEM                     SSL_CLIENT_CERT of Apache, lighttpd and nginx ($ssl_client_raw_cert)
 *   PEM on one line         blanks or tabs where line ends were: $ssl_client_cert, HAProxy
 *   PEM, percent-encoded    $ssl_client_escaped_cert, ingress controllers, load balancers
 *   Base64 of DER           X-ARR-ClientCert
 *   :Base64 of DER:         Client-Cert (RFC 9440)
 *   Cert="…";Chain="…"      X-Forwarded-Client-Cert (Envoy); the last element counts, Chain holds the leaf too
 */
#pragma once

#include "core/arena.h"

enum { CERTTEXT_MAX = 65536, CERTTEXT_CHAIN_MAX = 10 };

/* PEM in the arena (or `s` itself when it is PEM already); STR_NULL when s is none of these forms or too long. Whether the
 * bytes are a certificate is for its reader to find out. */
struct str certtext_pem(struct arena *a, struct str s);
