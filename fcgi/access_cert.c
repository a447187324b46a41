/* access_cert.c - client certificates, as the web server or a trusted proxy hands them on (fcgi/call_request.c).
 *
 * Whatever the web server says about a certificate, its chain is checked here against the authorities of the rule, with
 * dates and revocation lists (policy/trust.h). With thumbprints and no authority the certificate is known by itself: then
 * its dates count and nothing else. */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "policy/elements/cert_match.h"
#include "policy/elements/revocation.h"
#include "policy/trust.h"

#include <openssl/x509.h>
#include <time.h>

enum { SHOWN_MAX = 200, HEX_MAX = 2 * EVP_MAX_MD_SIZE };

struct certificate {
	X509 *leaf;
	STACK_OF(X509) *more, *chain;
	struct str subject, sha256;
	struct revocation_state asked;
};

static void release(void *p)
{
	struct certificate *c = p;

	X509_free(c->leaf);
	sk_X509_pop_free(c->more, X509_free);
	sk_X509_pop_free(c->chain, X509_free);
}

static struct str subject_of(struct arena *a, const X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	struct str out = STR_NULL;
	char *p;
	long n;

	if (b && X509_NAME_print_ex(b, X509_get_subject_name(x), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0
	    && (n = BIO_get_mem_data(b, &p)) > 0)
		out = arena_dup(a, (struct str){ p, (size_t)n });
	BIO_free(b);
	return out;
}

static struct str thumbprint_of(struct arena *a, const X509 *x, const EVP_MD *md)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;

	return X509_digest(x, md, digest, &n) ? crypto_hex(a, (struct str){ (char *)digest, n }) : STR_NULL;
}

/* False: out of memory. leaf NULL: it cannot be read. */
static bool read_certificate(struct access_flow *f, struct certificate *c)
{
	struct arena *a = access_arena(f);

	c->more = sk_X509_new_null();
	if (!c->more || !arena_defer(a, release, c))
		return false;
	c->leaf = trust_read_certificate(f->k->x.request.client_cert_pem, c->more);
	if (!c->leaf)
		return true;
	c->subject = subject_of(a, c->leaf);
	c->sha256 = thumbprint_of(a, c->leaf, EVP_sha256());
	return c->sha256.p != NULL;
}

const char *snap_revocation_problem(const struct snap_method *m, size_t n_authorities, size_t n_lists, struct str responder)
{
	struct url ignored;

	if (m->online && !n_authorities)
		return "online needs the authorities in ca, as they sign what is answered:";
	if (m->revocation && !m->online && !n_lists)
		return "lists needs a revocation list in crl:";
	if (responder.n && !m->online)
		return "a responder is asked with revocation=online alone:";
	if (responder.n && !url_parse(responder, &ignored))
		return "responder is no http or https address:";
	return NULL;
}

/* ---- checks ---------------------------------------------------------------------------------------------------------------------- */

static struct str date_text(struct access_flow *f, const ASN1_TIME *t)
{
	char text[CLOCK_ISO_MAX];
	struct tm tm = { 0 };

	return ASN1_TIME_to_tm(t, &tm) ? arena_dup(access_arena(f), str_of(clock_iso((int64_t)timegm(&tm) * 1000000, 0, text)))
				       : STR("no time");
}

static enum verdict check_dates(struct access_flow *f, const X509 *x)
{
	time_t now = (time_t)(access_now_us(f) / 1000000);

	if (X509_cmp_time(X509_get0_notBefore(x), &now) >= 0)
		return access_refuse(f, REASON_CERTIFICATE_NOT_YET, "not before", STR("a time that has come"),
				     date_text(f, X509_get0_notBefore(x)));
	if (X509_cmp_time(X509_get0_notAfter(x), &now) <= 0)
		return access_refuse(f, REASON_CERTIFICATE_EXPIRED, "not after", STR("a time to come"),
				     date_text(f, X509_get0_notAfter(x)));
	return V_PASS;
}

static enum verdict refuse_revoked(struct access_flow *f, const struct certificate *c, const char *why)
{
	return access_refuse(f, REASON_CERTIFICATE_REVOKED, "revocation", STR("a good word of a responder or a current list"),
			     arena_printf(access_arena(f), "%s (%.*s)", why, STR_ARG(str_first(c->subject, SHOWN_MAX))));
}

/* Asked again when a responder or a list has come; what nobody can say is no good word. */
static enum verdict ask_online(struct access_flow *f, const struct snap_method *m, struct certificate *c)
{
	struct trust_rules rules = { .now_us = access_now_us(f), .not_before = true, .not_after = true, .revocation = true };
	enum step step = revocation_step(&f->k->x, &c->asked);
	STACK_OF(X509) *chain = NULL;
	const char *why;

	if (step == STEP_WAIT)
		return V_WAIT;
	if (step == STEP_FAIL)
		return V_NO_MEMORY;
	if (c->asked.revoked)
		return refuse_revoked(f, c, TRUST_REVOKED);
	rules.lists = c->asked.got;
	rules.good = c->asked.good;
	why = trust_check(m->trust, c->leaf, c->more, &rules, &chain);
	sk_X509_pop_free(chain, X509_free);
	return why ? refuse_revoked(f, c, why) : V_PASS;
}

/* After check_chain: the chain is good. */
static enum verdict begin_online(struct access_flow *f, const struct snap_method *m, struct certificate *c)
{
	if (!revocation_plan(&f->k->x, m->trust, c->chain, &c->asked))
		return V_NO_MEMORY;
	f->state = c;
	f->phase = 1;
	return ask_online(f, m, c);
}

static enum verdict check_chain(struct access_flow *f, const struct snap_method *m, struct certificate *c)
{
	bool lists = m->revocation && !m->online;
	struct trust_rules rules = { .now_us = access_now_us(f), .not_before = true, .not_after = true, .revocation = lists };
	STACK_OF(X509) *chain = NULL;
	const char *why, *first;

	if (!m->trust)
		return V_PASS;
	why = trust_check(m->trust, c->leaf, c->more, &rules, &c->chain);
	if (!c->chain)
		return V_NO_MEMORY;
	if (!why)
		return V_PASS;
	/* it may be revoked, or of nobody: the same question without lists tells which */
	rules.revocation = false;
	first = lists ? trust_check(m->trust, c->leaf, c->more, &rules, &chain) : why;
	sk_X509_pop_free(chain, X509_free);
	return access_refuse(f, first ? REASON_CERTIFICATE_UNTRUSTED : REASON_CERTIFICATE_REVOKED, first ? "chain" : "revocation",
			     first ? STR("a chain to an authority of the rule") : STR("a good entry in a current list"),
			     arena_printf(access_arena(f), "%s (%.*s)", why, STR_ARG(str_first(c->subject, SHOWN_MAX))));
}

/* Hexadecimal in any case, with blanks or colons. */
static bool same_hex(struct str written, struct str hex)
{
	size_t n = 0;

	for (size_t i = 0; i < written.n; i++) {
		if (written.p[i] == ':' || written.p[i] == ' ')
			continue;
		if (n == hex.n || ascii_lower(written.p[i]) != hex.p[n++])
			return false;
	}
	return n == hex.n;
}

static bool has_thumbprint(struct access_flow *f, const struct certificate *c, struct access_values wanted)
{
	struct str sha1 = thumbprint_of(access_arena(f), c->leaf, EVP_sha1());

	for (size_t i = 0; i < wanted.n; i++)
		if (same_hex(wanted.v[i], c->sha256) || (sha1.p && same_hex(wanted.v[i], sha1)))
			return true;
	return false;
}

static bool has_subject(struct access_flow *f, const struct certificate *c, struct access_values wanted)
{
	for (size_t i = 0; i < wanted.n; i++) {
		struct str w = wanted.v[i];

		if (cert_name_is(access_arena(f), X509_get_subject_name(c->leaf), w))
			return true;
		if (str_starts_ci(w, STR("CN=")) && str_find_char(w, ',') == SIZE_MAX
		    && cert_has_common_name(access_arena(f), c->leaf, str_from(w, 3)))
			return true;
	}
	return false;
}

static bool has_dns(const struct certificate *c, struct access_values wanted)
{
	for (size_t i = 0; i < wanted.n; i++)
		if (cert_has_dns_name(c->leaf, wanted.v[i]))
			return true;
	return false;
}

static enum verdict check_names(struct access_flow *f, const struct snap_method *m, const struct certificate *c)
{
	if (m->thumbprints.n && !has_thumbprint(f, c, m->thumbprints))
		return access_refuse(f, REASON_CERTIFICATE_OTHER, "thumbprint", m->thumbprints.v[0], c->sha256);
	if (m->subjects.n && !has_subject(f, c, m->subjects))
		return access_refuse(f, REASON_CERTIFICATE_OTHER, "subject", m->subjects.v[0], str_first(c->subject, SHOWN_MAX));
	if (m->dns.n && !has_dns(c, m->dns))
		return access_refuse(f, REASON_CERTIFICATE_OTHER, "DNS name", m->dns.v[0], str_first(c->subject, SHOWN_MAX));
	return V_PASS;
}

/* ---- who it is -------------------------------------------------------------------------------------------------------------------- */

static enum verdict take(struct access_flow *f, const struct certificate *c)
{
	struct str ids[] = { c->sha256, c->subject };
	struct principal *who = &f->who;

	if (!who->method) {
		who->method = "cert";
		who->id = c->subject.n ? c->subject : c->sha256;
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct caller_entry *caller;

		if (!ids[i].n || ids[i].n > STORE_CALLER_ID_MAX)
			continue;
		caller = access_caller(f, "certificate", ids[i]);
		if (!caller)
			return V_REFUSED;
		if (caller->known)
			return access_take_caller(f, caller);
	}
	return V_PASS;
}

enum verdict access_by_certificate(struct access_flow *f, const struct snap_method *m)
{
	struct certificate *c;
	enum verdict v;

	if (f->phase) {                      /* woken */
		c = f->state;
		v = ask_online(f, m, c);
		return v == V_PASS ? take(f, c) : v;
	}
	if (!f->k->x.request.client_cert_pem.n)
		return access_refuse(f, REASON_CERTIFICATE_MISSING, "certificate", STR("a client certificate"), STR("none"));
	c = arena_new_of(access_arena(f), struct certificate);
	if (!c || !read_certificate(f, c))
		return V_NO_MEMORY;
	if (!c->leaf)
		return access_refuse(f, REASON_CERTIFICATE_MALFORMED, "certificate", STR("PEM or DER"), STR("something else"));
	v = check_dates(f, c->leaf);
	if (v == V_PASS)
		v = check_chain(f, m, c);
	if (v == V_PASS)
		v = check_names(f, m, c);
	if (v == V_PASS && m->online)        /* last: nobody is asked about one that is not let in anyway */
		v = begin_online(f, m, c);
	return v == V_PASS ? take(f, c) : v;
}
