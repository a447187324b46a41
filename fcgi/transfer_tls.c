/* transfer_tls.c - what a backend asks of TLS, put to curl, and what went wrong with it, in words.
 *
 * All checks are made in the handshake, so nothing of a request has been sent when one fails. A server name of its own is
 * reached by asking curl for a URL with that name and telling it where that name is (CURLOPT_CONNECT_TO): so it is what SNI
 * names and what the certificate is checked for, and the Host field still says what it would have said.
 *
 * Connections are kept per set of these options: curl does not give a request a connection whose authorities, pins, version
 * or client certificate are not its own. */
#include "fcgi/upstream_impl.h"

#include "core/str.h"

#include <openssl/x509_vfy.h>

/* ---- asking ---- */

static void blob(CURL *e, CURLoption o, struct str s)
{
	struct curl_blob b = { .data = (void *)(uintptr_t)s.p, .len = s.n, .flags = CURL_BLOB_COPY };

	curl_easy_setopt(e, o, &b);
}

static bool point_at_name(struct transfer *t, const struct upstream_request *rq)
{
	if (!t->rq.host.n)
		t->rq.host = t->url.port ? arena_printf(t->arena, "%.*s:%u", STR_ARG(t->url.host), t->url.port)
					 : arena_dup(t->arena, t->url.host);
	if (!t->rq.host.p || !transfer_point(t, rq->server_name))
		return false;
	t->url.host = rq->server_name;
	return true;
}

bool transfer_tls_options(struct transfer *t, const struct upstream_request *rq)
{
	CURL *e = t->easy;
	bool ok = transfer_point(t, t->url.host);

	if (!ok || (!str_eq(t->url.scheme, STR("https")) && !rq->follow_redirects))
		return ok;
	if (rq->client_cert_pem.n) {
		curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, "PEM");
		blob(e, CURLOPT_SSLCERT_BLOB, rq->client_cert_pem);
		blob(e, CURLOPT_SSLKEY_BLOB, rq->client_key_pem.n ? rq->client_key_pem : rq->client_cert_pem);
	}
	if (rq->any_certificate)
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
	if (rq->any_certificate || rq->any_name)
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	if (rq->ca_pem.n) {
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);       /* the system's, else they would be good as well */
		blob(e, CURLOPT_CAINFO_BLOB, rq->ca_pem);
	}
	if (rq->tls_min_version.n)
		curl_easy_setopt(e, CURLOPT_SSLVERSION, str_eq(rq->tls_min_version, STR("1.3")) ? (long)CURL_SSLVERSION_TLSv1_3
												   : (long)CURL_SSLVERSION_TLSv1_2);
	if (rq->tls_pins.n)
		ok = curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, arena_cstr(t->arena, rq->tls_pins)) == CURLE_OK;
	if (ok && rq->server_name.n && str_eq(t->url.scheme, STR("https")))
		ok = point_at_name(t, rq);
	t->dirty |= rq->client_cert_pem.n || rq->any_certificate || rq->any_name || rq->ca_pem.n || rq->tls_min_version.n
		 || rq->tls_pins.n || rq->server_name.n;
	return ok;
}

/* ---- what went wrong ---- */

static const char *certificate_problem(struct transfer *t)
{
	static const struct { long code; const char *text; } table[] = {
		{ X509_V_ERR_CERT_HAS_EXPIRED, "its certificate has expired" },
		{ X509_V_ERR_CERT_NOT_YET_VALID, "its certificate is not valid yet" },
		{ X509_V_ERR_CERT_REVOKED, "its certificate was revoked" },
		{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "its certificate is not of a trusted authority" },
		{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its certificate is not of a trusted authority" },
		{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "its certificate is not of a trusted authority" },
		{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "its certificate is not of a trusted authority" },
		{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "its certificate is not of a trusted authority" },
		{ X509_V_ERR_INVALID_PURPOSE, "its certificate is not one of a server" },
		{ X509_V_ERR_EE_KEY_TOO_SMALL, "the key of its certificate is too weak" },
	};
	long code = X509_V_OK;

	/* curl looks at the name after OpenSSL was content, so no code tells of it */
	if (strstr(t->problem, "target host name"))
		return "its certificate is for another name";
	curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &code);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].code == code)
			return table[i].text;
	return "its certificate is not good";
}

/* An alert that the backend sends is only found in OpenSSL's words. */
static const char *handshake_problem(const char *words)
{
	if (strstr(words, "certificate required") || strstr(words, "bad certificate") || strstr(words, "unknown ca"))
		return "it does not take our client certificate, or wants one";
	if (strstr(words, "protocol version") || strstr(words, "unsupported protocol"))
		return "it speaks no version of TLS that is allowed";
	return "the handshake failed";
}

bool transfer_tls_failed(struct transfer *t, CURLcode result)
{
	switch (result) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		t->tls_problem = certificate_problem(t);
		return true;
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		t->tls_problem = "its public key is none of the pinned ones";
		return true;
	case CURLE_SSL_CERTPROBLEM:
		t->tls_problem = "our client certificate cannot be used";
		return true;
	case CURLE_SSL_CACERT_BADFILE:
		t->tls_problem = "the authorities for it cannot be read";
		return true;
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CONNECT_ERROR:
		t->tls_problem = handshake_problem(t->problem);
		return true;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		/* with TLS 1.3 the backend looks at our certificate when we think that the handshake is over */
		if (!strstr(t->problem, "alert"))
			return false;
		t->tls_problem = handshake_problem(t->problem);
		return true;
	default:
		return false;
	}
}
