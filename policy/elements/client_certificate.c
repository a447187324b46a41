/* client_certificate.c - validate-client-certificate: the certificate that the caller showed in the TLS handshake.
 *
 * The web server hands it over and has seen the caller prove that the key is his; whom to believe is decided here, against
 * the authorities of the installation (policy/trust.h). In this order: the chain and its times, the listed identities, and
 * at last revocation, which may have to wait for a responder or a list. Those are asked only for a chain that ends at an
 * authority, so that nobody can make the gateway call an address of his choice. */
#include "policy/elements/cert_match.h"
#include "policy/elements/revocation.h"

#include "core/str.h"

#include <openssl/x509.h>

enum { IDENTITIES_MAX = 10 };

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

struct state {
	X509 *leaf;
	STACK_OF(X509) *more, *chain;
	const struct trust *trust;
	struct revocation_state asked;
};

static void release(void *p)
{
	struct state *s = p;

	X509_free(s->leaf);
	sk_X509_pop_free(s->more, X509_free);
	sk_X509_pop_free(s->chain, X509_free);
}

/* ---- saying no ------------------------------------------------------------------------------------------------------ */

static enum step refuse(struct exchange *x, const struct config *c, struct str reason, const char *why)
{
	exchange_trace(x, "the client certificate is refused: %s", why);
	if (c->ignore.number)
		return STEP_NEXT;
	return exchange_refuse(x, 403, reason,
			       arena_printf(x->arena, "Client certificate is not valid: %s. Access denied.", why),
			       STR("Invalid client certificate"));
}

static enum step invalid(struct exchange *x, const struct config *c, const char *why)
{
	return refuse(x, c, STR("ClientCertificateInvalid"), why);
}

/* ---- identities ----------------------------------------------------------------------------------------------------- */

/* The certificate that has signed the leaf, or NULL: a name alone proves nothing. */
static X509 *issuer_of(const struct state *s)
{
	X509 *issuer = sk_X509_num(s->chain) > 1 ? sk_X509_value(s->chain, 1) : s->leaf;

	return trust_issued(issuer, s->leaf) ? issuer : NULL;
}

static bool issued_by(struct exchange *x, const struct state *s, struct str id)
{
	struct str cert, key;
	X509 *issuer;
	bool yes;

	if (!x->host->certificate || !x->host->certificate(x, id, &cert, &key) || !(issuer = trust_read_certificate(cert, NULL)))
		return false;
	yes = trust_issued(issuer, s->leaf);
	X509_free(issuer);
	return yes;
}

enum wish { THUMBPRINT, SERIAL, COMMON_NAME, SUBJECT, DNS_NAME, ISSUER_SUBJECT, ISSUER_THUMBPRINT, ISSUER_ID };

static bool fits(struct exchange *x, const struct state *s, enum wish what, struct str want)
{
	X509 *issuer;

	switch (what) {
	case THUMBPRINT:
		return cert_has_thumbprint(s->leaf, want);
	case SERIAL:
		return cert_has_serial(s->leaf, want);
	case COMMON_NAME:
		return cert_has_common_name(x->arena, s->leaf, want);
	case SUBJECT:
		return cert_name_is(x->arena, X509_get_subject_name(s->leaf), want);
	case DNS_NAME:
		return cert_has_dns_name(s->leaf, want);
	case ISSUER_SUBJECT:
		return cert_name_is(x->arena, X509_get_issuer_name(s->leaf), want);
	case ISSUER_THUMBPRINT:
		return (issuer = issuer_of(s)) && cert_has_thumbprint(issuer, want);
	case ISSUER_ID:
		return issued_by(x, s, want);
	}
	return false;
}

static bool is_identity(struct exchange *x, const struct identity_config *c, const struct state *s, bool *yes)
{
	const struct arg *wishes[] = { [THUMBPRINT] = &c->thumbprint, [SERIAL] = &c->serial, [COMMON_NAME] = &c->common_name,
				       [SUBJECT] = &c->subject, [DNS_NAME] = &c->dns_name, [ISSUER_SUBJECT] = &c->issuer_subject,
				       [ISSUER_THUMBPRINT] = &c->issuer_thumbprint, [ISSUER_ID] = &c->issuer_id };

	*yes = true;
	for (enum wish w = 0; w < ARRAY_LEN(wishes) && *yes; w++) {
		struct str want;

		if (!wishes[w]->given)
			continue;
		if (!arg_get_text(x, wishes[w], &want))
			return false;
		*yes = fits(x, s, w, want);
	}
	return true;
}

static bool known_identity(struct exchange *x, const struct config *c, const struct state *s, bool *yes)
{
	const struct identities_config *l = c->identities.n ? c->identities.v[0].config : NULL;

	*yes = !l;
	for (size_t i = 0; l && i < l->list.n && !*yes; i++)
		if (!is_identity(x, l->list.v[i].config, s, yes))
			return false;
	return true;
}

/* ---- checks --------------------------------------------------------------------------------------------------------- */

static enum step check_revocation(struct exchange *x, const struct config *c, struct state *s)
{
	enum step step = revocation_step(x, &s->asked);
	STACK_OF(X509) *chain;
	const char *why;

	if (step != STEP_NEXT)
		return step;
	if (s->asked.revoked)
		return invalid(x, c, TRUST_REVOKED);
	why = trust_check(s->trust, s->leaf, s->more,
			  &(struct trust_rules){ .now_us = x->host->now_us(x), .revocation = true, .lists = s->asked.got,
						 .good = s->asked.good }, &chain);
	sk_X509_pop_free(chain, X509_free);
	return why ? invalid(x, c, why) : STEP_NEXT;
}

/* Times of the leaf count whatever is said of its chain. */
static const char *check_times(const struct config *c, const X509 *leaf, int64_t now_us)
{
	time_t now = (time_t)(now_us / 1000000);

	if (c->not_before.number && X509_cmp_time(X509_get0_notBefore(leaf), &now) > 0)
		return "it is not valid yet";
	if (c->not_after.number && X509_cmp_time(X509_get0_notAfter(leaf), &now) < 0)
		return "it has expired";
	return NULL;
}

static enum step check_all(struct exchange *x, const struct config *c, struct state *s)
{
	const struct trust_rules rules = { .now_us = x->host->now_us(x), .not_before = c->not_before.number,
					   .not_after = c->not_after.number };
	const char *chain_problem = trust_check(s->trust, s->leaf, s->more, &rules, &s->chain);
	const char *why = check_times(c, s->leaf, rules.now_us);
	bool known;

	if (!s->chain)
		return exchange_no_memory(x);
	if (!why && c->trust.number)
		why = chain_problem;
	if (why)
		return invalid(x, c, why);
	if (!known_identity(x, c, s, &known))
		return STEP_FAIL;
	if (!known)
		return invalid(x, c, "it belongs to none of the listed identities");
	if (!c->revocation.number)
		return STEP_NEXT;
	if (chain_problem)
		return invalid(x, c, "whether it has been revoked is not known, as its chain ends at no trusted authority");
	if (!revocation_plan(x, s->trust, s->chain, &s->asked))
		return STEP_FAIL;
	return check_revocation(x, c, s);
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct state *s = arena_new_of(x->arena, struct state);

	if (!s || !arena_defer(x->arena, release, s) || !(s->more = sk_X509_new_null()))
		return exchange_no_memory(x);
	*step_state(x) = s;
	s->leaf = x->request.client_cert_pem.n ? trust_read_certificate(x->request.client_cert_pem, s->more) : NULL;
	if (!s->leaf)
		return x->request.client_cert_pem.n ? invalid(x, c, "it cannot be read")
						    : refuse(x, c, STR("ClientCertificateNotFound"), "none was shown");
	s->trust = trust_of(x->host, x);
	return check_all(x, c, s);
}

static enum step resume(struct exchange *x, const void *config)
{
	struct state *s = *step_state(x);

	return check_revocation(x, config, s);
}

/* ---- schema --------------------------------------------------------------------------------------------------------- */

static bool check(struct compiler *c, const struct doc_node *n UNUSED, void *config UNUSED)
{
	c->uses.client_certificate = true;
	return true;
}

static bool check_name(struct compiler *c, const struct doc_node *n, const char *attr, const struct arg *a)
{
	if (!a->given || a->expr || a->unknown || cert_name_ok(c->arena, a->text))
		return true;
	compile_error(c, n, attr, "`%.*s` is no distinguished name such as CN=name, O=\"Company, Inc.\", C=US",
		      STR_ARG(str_first(a->text, 200)));
	return false;
}

static bool check_identity(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct identity_config *i = config;
	bool issuer = i->issuer_subject.given || i->issuer_thumbprint.given;

	if (i->issuer_id.given && issuer) {
		compile_error(c, n, "issuer-certificate-id", "`issuer-certificate-id` does not go together with `issuer-subject` or "
			      "`issuer-thumbprint`: it says all of the issuer");
		return false;
	}
	if (!(issuer || i->issuer_id.given || i->thumbprint.given || i->serial.given || i->common_name.given || i->subject.given
	      || i->dns_name.given))
		compile_warning(c, n, NULL, "an `identity` without attributes is that of every certificate");
	return check_name(c, n, "subject", &i->subject) && check_name(c, n, "issuer-subject", &i->issuer_subject);
}

#define ID_ARG(attr, where, text)                                                                                     \
	{ .name = attr, .kind = ARG_TEXT, .flags = ARG_EXPR, .offset = offsetof(struct identity_config, where), .help = text }
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
	.check = check_identity,
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
	CHECK_ARG("validate-revocation", "true", revocation, "its issuer must say, by OCSP or in a list, that it has not been revoked"),
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
const struct policy_type validate_client_certificate_type = { .schema = &schema, .sections = IN_INBOUND, .run = run,
							      .resume = resume };
