/* client_certificate.c - validate-client-certificate: the certificate that the caller showed in the TLS handshake. The
 * web server hands it over; trust is checked here, against the system's certificate authorities. */
#include "policy/element.h"

#include "core/str.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { IDENTITIES_MAX = 10, HEX_MAX = 128, CHAIN_MAX = 10 };

struct identity_config {
	struct arg thumbprint, serial, common_name, subject, dns_name, issuer_subject, issuer_thumbprint, issuer_id;
};
struct identities_config {
	struct children list;
};
struct config {
	struct arg revocation, trust, not_before, not_after, ignore;
	struct children identities;
};

/* ---- reading the certificate ------------------------------------------------------------------------------------- */

static X509 *read_pem(struct str pem, STACK_OF(X509) *chain)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *leaf = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL, *more;

	for (int i = 0; leaf && chain && i < CHAIN_MAX && (more = PEM_read_bio_X509(b, NULL, NULL, NULL)); i++)
		if (!sk_X509_push(chain, more))
			X509_free(more);
	BIO_free(b);
	return leaf;
}

static void hex(const unsigned char *bytes, size_t n, char out[HEX_MAX + 1])
{
	static const char digits[] = "0123456789ABCDEF";

	if (n > HEX_MAX / 2)
		n = HEX_MAX / 2;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

/* Hexadecimal as people write it: any case, with blanks or colons in between. */
static bool same_hex(struct str written, const char *want)
{
	for (size_t i = 0; i < written.n; i++) {
		if (written.p[i] == ':' || written.p[i] == ' ')
			continue;
		if (!*want || ascii_upper(written.p[i]) != *want++)
			return false;
	}
	return !*want;
}

static bool has_thumbprint(X509 *c, struct str written)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[HEX_MAX + 1];
	unsigned n;

	if (!X509_digest(c, EVP_sha1(), digest, &n))
		return false;
	hex(digest, n, text);
	return same_hex(written, text);
}

static bool has_serial(X509 *c, struct str written)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(c);
	char text[HEX_MAX + 1];

	hex(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s), text);
	return same_hex(written, text) || (text[0] == '0' && text[1] == '0' && same_hex(written, text + 2));
}

/* "CN=x, O=y" as .NET and RFC 2253 write it: most particular part first or last, blanks do not count. */
static struct str name_text(struct exchange *x, X509_NAME *n, unsigned long flags)
{
	BIO *b = BIO_new(BIO_s_mem());
	struct str out = STR_NULL;
	char *p;
	long len;

	if (b && X509_NAME_print_ex(b, n, 0, flags) >= 0 && (len = BIO_get_mem_data(b, &p)) >= 0)
		out = arena_dup(x->arena, (struct str){ p, (size_t)len });
	BIO_free(b);
	return out;
}

static bool same_name(struct exchange *x, X509_NAME *n, struct str written)
{
	static const unsigned long forms[] = { XN_FLAG_RFC2253, XN_FLAG_RFC2253 & ~XN_FLAG_DN_REV,
					       XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct str text = name_text(x, n, forms[i]);
		size_t a = 0, b = 0;

		while (a < text.n || b < written.n) {
			if (a < text.n && text.p[a] == ' ')
				a++;
			else if (b < written.n && written.p[b] == ' ')
				b++;
			else if (a < text.n && b < written.n && ascii_lower(text.p[a]) == ascii_lower(written.p[b]))
				a++, b++;
			else
				break;
		}
		if (a == text.n && b == written.n)
			return true;
	}
	return false;
}

static bool has_common_name(X509 *c, struct str want)
{
	char cn[256];
	int n = X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, cn, sizeof(cn));

	return n >= 0 && str_eq_ci(str_of(cn), want);
}

static bool has_dns_name(struct exchange *x, X509 *c, struct str want)
{
	const char *name = arena_cstr(x->arena, want);

	return name
		&& X509_check_host(c, name, want.n, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
				   NULL)
		== 1;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static const char *check_trust(X509 *leaf, STACK_OF(X509) *chain)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *why = "the chain could not be checked";

	if (store && ctx && X509_STORE_set_default_paths(store) && X509_STORE_CTX_init(ctx, store, leaf, chain)) {
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
		why = X509_verify_cert(ctx) == 1 ? NULL : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return why;
}

static bool issued_by(struct exchange *x, X509 *leaf, struct str id)
{
	struct str cert, key;
	X509 *issuer;
	bool yes;

	if (!x->host->certificate(x, id, &cert, &key) || !(issuer = read_pem(cert, NULL)))
		return false;
	yes = X509_check_issued(issuer, leaf) == X509_V_OK && X509_verify(leaf, X509_get0_pubkey(issuer)) == 1;
	X509_free(issuer);
	return yes;
}

static bool issuer_has_thumbprint(STACK_OF(X509) *chain, X509 *leaf, struct str written)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *c = sk_X509_value(chain, i);

		if (X509_check_issued(c, leaf) == X509_V_OK)
			return has_thumbprint(c, written);
	}
	return false;
}

static bool is_identity(struct exchange *x, const struct identity_config *c, X509 *leaf, STACK_OF(X509) *chain)
{
	return (!c->thumbprint.given || has_thumbprint(leaf, c->thumbprint.text))
		&& (!c->serial.given || has_serial(leaf, c->serial.text))
		&& (!c->common_name.given || has_common_name(leaf, c->common_name.text))
		&& (!c->subject.given || same_name(x, X509_get_subject_name(leaf), c->subject.text))
		&& (!c->dns_name.given || has_dns_name(x, leaf, c->dns_name.text))
		&& (!c->issuer_subject.given || same_name(x, X509_get_issuer_name(leaf), c->issuer_subject.text))
		&& (!c->issuer_thumbprint.given || issuer_has_thumbprint(chain, leaf, c->issuer_thumbprint.text))
		&& (!c->issuer_id.given || issued_by(x, leaf, c->issuer_id.text));
}

static bool known_identity(struct exchange *x, const struct config *c, X509 *leaf, STACK_OF(X509) *chain)
{
	const struct identities_config *l = c->identities.n ? c->identities.v[0].config : NULL;

	for (size_t i = 0; l && i < l->list.n; i++)
		if (is_identity(x, l->list.v[i].config, leaf, chain))
			return true;
	return !l;
}

static const char *problem_with(struct exchange *x, const struct config *c, X509 *leaf, STACK_OF(X509) *chain)
{
	time_t now = (time_t)(x->host->now_us(x) / 1000000);
	const char *why = c->trust.number ? check_trust(leaf, chain) : NULL;

	if (why)
		return why;
	if (c->not_before.number && X509_cmp_time(X509_get0_notBefore(leaf), &now) > 0)
		return "it is not valid yet";
	if (c->not_after.number && X509_cmp_time(X509_get0_notAfter(leaf), &now) < 0)
		return "it has expired";
	return known_identity(x, c, leaf, chain) ? NULL : "it belongs to none of the listed identities";
}

static enum step refuse(struct exchange *x, const struct config *c, struct str reason, const char *why)
{
	exchange_trace(x, "the client certificate is refused: %s", why);
	if (c->ignore.number)
		return STEP_NEXT;
	return exchange_refuse(x, 403, reason,
			       arena_printf(x->arena, "Client certificate is not valid: %s. Access denied.", why),
			       STR("Invalid client certificate"));
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *leaf = x->request.client_cert_pem.n && chain ? read_pem(x->request.client_cert_pem, chain) : NULL;
	const char *why = leaf ? problem_with(x, c, leaf, chain) : "none was shown";
	bool shown = leaf != NULL;

	X509_free(leaf);
	sk_X509_pop_free(chain, X509_free);
	if (!why)
		return STEP_NEXT;
	return refuse(x, c, shown ? STR("ClientCertificateInvalid") : STR("ClientCertificateNotFound"), why);
}

/* ---- schema ------------------------------------------------------------------------------------------------------ */

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct config *v = config;

	c->uses.client_certificate = true;
	if (!v->revocation.number)
		return true;
	compile_error(c, n, "validate-revocation", "checking for revocation is not supported by this version; say "
		      "validate-revocation=\"false\"");
	return false;
}

#define ID_ARG(attr, where, text)                                                                                     \
	{ .name = attr, .kind = ARG_TEXT, .offset = offsetof(struct identity_config, where), .help = text }
static const struct arg_schema identity_args[] = {
	ID_ARG("thumbprint", thumbprint, "its SHA-1, in hexadecimal"),
	ID_ARG("serial-number", serial, "its serial number, in hexadecimal"),
	ID_ARG("common-name", common_name, "its common name"),
	ID_ARG("subject", subject, "its subject, such as CN=x, O=y"),
	ID_ARG("dns-name", dns_name, "a DNS name of its subject alternative names"),
	ID_ARG("issuer-subject", issuer_subject, "its issuer"),
	ID_ARG("issuer-thumbprint", issuer_thumbprint, "SHA-1 of its issuer's certificate"),
	ID_ARG("issuer-certificate-id", issuer_id, "a configured certificate that has issued it"),
};
static const struct element_schema identity_schema = {
	.name = "identity", .help = "A certificate that is let through: everything that is given must fit.",
	.config_size = sizeof(struct identity_config), .args = identity_args, .n_args = ARRAY_LEN(identity_args),
};
static const struct child_schema identities_children[] = {
	{ .element = &identity_schema,
	  .min = 1,
	  .max = IDENTITIES_MAX,
	  .offset = offsetof(struct identities_config, list) },
};
static const struct element_schema identities_schema = {
	.name = "identities",
	.help = "Certificates that are let through.",
	.config_size = sizeof(struct identities_config),
	.children = identities_children,
	.n_children = 1,
};
static const struct child_schema children[] = {
	{ .element = &identities_schema, .max = 1, .offset = offsetof(struct config, identities) },
};
#define CHECK_ARG(attr, d, where, text)                                                                               \
	{ .name = attr, .kind = ARG_BOOL, .def = d, .offset = offsetof(struct config, where), .help = text }
static const struct arg_schema args[] = {
	CHECK_ARG("validate-revocation", "true", revocation,
		  "ask whether it has been revoked; not supported, say false"),
	CHECK_ARG("validate-trust", "true", trust, "its chain must end in a trusted authority"),
	CHECK_ARG("validate-not-before", "true", not_before, "it must be valid already"),
	CHECK_ARG("validate-not-after", "true", not_after, "it must not have expired"),
	CHECK_ARG("ignore-error", "false", ignore, "go on when a check fails"),
};
static const struct element_schema schema = {
	.name = "validate-client-certificate", .help = "Lets a request through that shows a valid client certificate.",
	.config_size = sizeof(struct config), .args = args, .n_args = ARRAY_LEN(args), .children = children,
	.n_children = ARRAY_LEN(children), .check = check,
};
const struct policy_type validate_client_certificate_type = { .schema = &schema, .sections = IN_INBOUND, .run = run };
