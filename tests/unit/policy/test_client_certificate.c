/* validate-client-certificate and context.Request.Certificate against certificates that are made here: chains, times,
 * identities, revocation by lists at hand and by lists that certificates name. */
#include "tests/unit/check.h"

#include "policy/compiler.h"
#include "policy/elements/revocation.h"
#include "policy/trust.h"
#include "tests/unit/policy/pki.h"

#define NOW_S 1750000000
#define DAY 86400
#define URL "http://crl.example/sub.crl"

static struct {
	struct arena *a;
	struct pki *root, *sub, *other, *good, *revoked, *late, *early, *server, *own, *stranger, *pointing, *pointed_revoked;
	struct trust *trust, *trust_lists;
	struct str list_der, stale, no_list;
	/* of the present run */
	const struct trust *used;
	unsigned fetched, forwards;
	struct str answer;
	int status;
	bool wait;
	struct subrequest *open;
	int64_t now_us;
} world;

static int64_t now_us(struct exchange *x UNUSED)
{
	return world.now_us;
}

static void answer(struct subrequest *s)
{
	s->response.status = world.status;
	s->response.body = (struct body){ .kind = BODY_HELD, .bytes = world.answer };
	s->done = true;
}

static enum step send(struct exchange *x UNUSED, struct subrequest *s)
{
	world.fetched++;
	world.open = s;
	if (world.wait)
		return STEP_WAIT;
	answer(s);
	return STEP_NEXT;
}

static enum step forward(struct exchange *x, struct forward *f)
{
	world.forwards++;
	x->response.status = 200;
	f->done = true;
	return STEP_NEXT;
}

static bool certificate(struct exchange *x UNUSED, struct str id, struct str *cert, struct str *key)
{
	*key = STR_NULL;
	*cert = str_eq(id, STR("sub")) ? world.sub->pem : world.other->pem;
	return str_eq(id, STR("sub")) || str_eq(id, STR("other"));
}

static const struct trust *trust(struct exchange *x UNUSED)
{
	return world.used;
}

static void finished(struct exchange *x)
{
	x->owner = NULL;
}

static const struct policy_host host = { .now_us = now_us, .send = send, .forward = forward, .certificate = certificate,
					 .trust = trust };

static struct pki *make(const char *subject, struct pki *issuer, long serial, int64_t from, int64_t to, const char *usage,
			const char *crl_at)
{
	return pki_make(world.a, &(struct pki_wish){ .subject = subject, .issuer = issuer, .serial = serial, .from_s = NOW_S + from,
						     .to_s = NOW_S + to, .alt = "DNS:partner.example,DNS:*.wild.example,email:a@b.example",
						     .usage = usage, .crl_at = crl_at });
}

static struct trust *trust_with(struct str *lists, size_t n)
{
	struct trust *t = NULL;

	assert_int_equal(trust_new(&t, &(struct trust_options){ .authorities = (struct str[]){ world.root->pem, world.sub->pem },
								.n_authorities = 2, .lists = lists, .n_lists = n }, NULL).code, GH_OK);
	return t;
}

static int set_up(void **state UNUSED)
{
	struct pki_wish ca = { .from_s = NOW_S - 10 * DAY, .to_s = NOW_S + 10 * DAY, .ca = true };
	struct str lists[2];

	world.a = arena_new(1 << 24);
	ca.subject = "C=DE/O=Root, Inc./CN=Root";
	ca.serial = 1;
	world.root = pki_make(world.a, &ca);
	ca.subject = "CN=Other";
	world.other = pki_make(world.a, &ca);
	ca.subject = "CN=Sub";
	ca.issuer = world.root;
	ca.serial = 2;
	world.sub = pki_make(world.a, &ca);
	world.good = make("C=US/ST=Illinois/O=Contoso, Inc./CN=Partner", world.sub, 0x0ABC, -DAY, DAY, "clientAuth", NULL);
	world.revoked = make("CN=Revoked", world.sub, 77, -DAY, DAY, NULL, NULL);
	world.late = make("CN=Late", world.sub, 5, -2 * DAY, -DAY, NULL, NULL);
	world.early = make("CN=Early", world.sub, 6, DAY, 2 * DAY, NULL, NULL);
	world.server = make("CN=Server", world.sub, 7, -DAY, DAY, "serverAuth", NULL);
	world.stranger = make("CN=Partner", world.other, 8, -DAY, DAY, NULL, "URI:http://evil.example/x.crl");
	world.own = make("CN=Own", NULL, 9, -DAY, DAY, NULL, NULL);
	world.pointing = make("CN=Pointing", world.sub, 10, -DAY, DAY, NULL, "URI:" URL);
	world.pointed_revoked = make("CN=Pointed", world.sub, 77, -DAY, DAY, NULL, "URI:ldap://no.example/,URI:" URL);
	lists[0] = pki_list(world.a, world.sub, world.revoked, NOW_S - DAY, NOW_S + DAY, false);
	lists[1] = pki_list(world.a, world.root, NULL, NOW_S - DAY, NOW_S + DAY, false);
	world.list_der = pki_list(world.a, world.sub, world.revoked, NOW_S - DAY, NOW_S + DAY, true);
	world.stale = pki_list(world.a, world.sub, NULL, NOW_S - 2 * DAY, NOW_S - DAY, true);
	world.no_list = world.root->pem;
	world.trust = trust_with(&lists[1], 1);
	world.trust_lists = trust_with(lists, 2);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	revocation_forget();
	trust_free(world.trust);
	trust_free(world.trust_lists);
	arena_free(world.a);
	return 0;
}

static struct exchange *run(struct arena *a, const char *attributes, const char *identities, struct str pem)
{
	struct str text = arena_printf(a, "<policies><inbound><validate-client-certificate %s>%s</validate-client-certificate></inbound>"
					  "<backend><forward-request/></backend><outbound/><on-error/></policies>", attributes, identities);
	struct exchange *x = arena_new_of(a, struct exchange);
	struct policy_diags d;

	policy_diags_init(&d, a);
	x->documents[SCOPE_API] = policy_compile(a, text, &(struct policy_source){ .scope = SCOPE_API }, NULL, &d);
	if (!x->documents[SCOPE_API]) {
		return NULL;
	}
	x->arena = a;
	x->host = &host;
	x->owner = x;
	x->finished = finished;
	x->request.method = STR("GET");
	assert_true(url_parse(STR("https://backend.example/x"), &x->request.url));
	fields_init(&x->request.headers, a);
	fields_init(&x->response.headers, a);
	x->request.client_cert_pem = pem;
	world.now_us = (int64_t)NOW_S * 1000000;
	exchange_start(x);
	return x;
}

/* ---- chains, times, identities ------------------------------------------------------------------------------------- */

#define QUICK "validate-revocation='false'"
#define LOOSE "validate-revocation='false' validate-trust='false'"
#define ONE(attribute) "<identities><identity " attribute "/></identities>"

static const struct {
	const char *label, *attributes, *identities;
	struct pki **cert;
	const char *why;                 /* NULL: let through */
} rows[] = {
	{ "none", QUICK, "", NULL, "none was shown" },
	{ "good", QUICK, "", &world.good, NULL },
	{ "expired", QUICK, "", &world.late, "it has expired" },
	{ "expired, not asked", QUICK " validate-not-after='false'", "", &world.late, NULL },
	{ "too early", QUICK, "", &world.early, "it is not valid yet" },
	{ "too early, not asked", QUICK " validate-not-before='false'", "", &world.early, NULL },
	{ "for servers only", QUICK, "", &world.server, "unsuitable certificate purpose" },
	{ "of a stranger", QUICK, "", &world.stranger, "its chain ends at no trusted authority" },
	{ "of a stranger, not asked", LOOSE, "", &world.stranger, NULL },
	{ "its own issuer", QUICK, "", &world.own, "its chain ends at no trusted authority" },
	{ "its own issuer, not asked", LOOSE, "", &world.own, NULL },
	{ "ignored", QUICK " ignore-error='true'", "", &world.late, NULL },
	{ "common name", QUICK, ONE("common-name='PARTNER'"), &world.good, NULL },
	{ "another common name", QUICK, ONE("common-name='Partne'"), &world.good, "none of the listed identities" },
	{ "serial number", QUICK, ONE("serial-number='0abc'"), &world.good, NULL },
	{ "serial number with colons", QUICK, ONE("serial-number='0A:BC'"), &world.good, NULL },
	{ "serial number, cut", QUICK, ONE("serial-number='0A'"), &world.good, "none of the listed identities" },
	{ "another serial number", QUICK, ONE("serial-number='0ABD'"), &world.good, "none of the listed identities" },
	{ "DNS name", QUICK, ONE("dns-name='Partner.Example'"), &world.good, NULL },
	{ "DNS name with a star is that text", QUICK, ONE("dns-name='*.wild.example'"), &world.good, NULL },
	{ "a star does not match", QUICK, ONE("dns-name='a.wild.example'"), &world.good, "none of the listed identities" },
	{ "the common name is no DNS name", QUICK, ONE("dns-name='Partner'"), &world.good, "none of the listed identities" },
	{ "a domain is not its hosts", QUICK, ONE("dns-name='.example'"), &world.good, "none of the listed identities" },
	{ "subject, most particular first", QUICK, ONE("subject='CN=Partner, O=&quot;Contoso, Inc.&quot;, S=Illinois, C=US'"), &world.good, NULL },
	{ "subject, most particular last", QUICK, ONE("subject='C=US, ST=Illinois, O=&quot;Contoso, Inc.&quot;, CN=Partner'"), &world.good, NULL },
	{ "subject with a backslash", QUICK, ONE("subject='C=US,ST=Illinois,O=Contoso\\, Inc.,CN=Partner'"), &world.good, NULL },
	{ "subject by number", QUICK, ONE("subject='OID.2.5.4.6=US, ST=Illinois, O=&quot;Contoso, Inc.&quot;, CN=Partner'"), &world.good, NULL },
	{ "part of a subject", QUICK, ONE("subject='CN=Partner'"), &world.good, "none of the listed identities" },
	{ "subject in another order", QUICK, ONE("subject='ST=Illinois, C=US, O=&quot;Contoso, Inc.&quot;, CN=Partner'"), &world.good,
	  "none of the listed identities" },
	{ "issuer", QUICK, ONE("issuer-subject='CN=Sub'"), &world.good, NULL },
	{ "another issuer", QUICK, ONE("issuer-subject='CN=Root'"), &world.good, "none of the listed identities" },
	{ "issuer's certificate", QUICK, ONE("issuer-certificate-id='sub'"), &world.good, NULL },
	{ "another issuer's certificate", QUICK, ONE("issuer-certificate-id='other'"), &world.good, "none of the listed identities" },
	{ "an issuer's certificate that is not there", QUICK, ONE("issuer-certificate-id='gone'"), &world.good, "none of the listed identities" },
	{ "everything must fit", QUICK, ONE("common-name='Partner' serial-number='1'"), &world.good, "none of the listed identities" },
	{ "the second fits", QUICK, "<identities><identity common-name='x'/><identity dns-name='partner.example'/></identities>",
	  &world.good, NULL },
	{ "an expression", QUICK, ONE("common-name='@(\"Part\" + \"ner\")'"), &world.good, NULL },
	{ "an untrusted namesake", LOOSE, ONE("issuer-certificate-id='sub'"), &world.stranger, "none of the listed identities" },
};

static void table(void **state UNUSED)
{
	world.used = world.trust;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 22);
		struct exchange *x = run(a, rows[i].attributes, rows[i].identities, rows[i].cert ? (*rows[i].cert)->pem : STR_NULL);

		CHECK(rows[i].label, x);
		if (x && rows[i].why) {
			CHECK_INT(rows[i].label, x->response.status, 403);
			CHECK(rows[i].label, str_find(x->error.message, str_of(rows[i].why)) != SIZE_MAX);
			CHECK_STR(rows[i].label, x->error.reason, rows[i].cert ? STR("ClientCertificateInvalid") : STR("ClientCertificateNotFound"));
		} else if (x) {
			CHECK_INT(rows[i].label, x->response.status, 200);
			CHECK_STR(rows[i].label, x->error.message, STR_NULL);
		}
		arena_free(a);
	}
	check_done();
}

/* Thumbprints are known at run time only. */
static void thumbprints(void **state UNUSED)
{
	static const struct {
		const char *label, *format;
		struct pki **of, **shown;
		bool through;
	} list[] = {
		{ "its own", ONE("thumbprint='%.*s'"), &world.good, &world.good, true },
		{ "that of another", ONE("thumbprint='%.*s'"), &world.late, &world.good, false },
		{ "cut short", ONE("thumbprint='%.39s'"), &world.good, &world.good, false },
		{ "issuer", ONE("issuer-thumbprint='%.*s'"), &world.sub, &world.good, true },
		{ "not the root's", ONE("issuer-thumbprint='%.*s'"), &world.root, &world.good, false },
		{ "an issuer that only has the name", ONE("issuer-thumbprint='%.*s'"), &world.other, &world.good, false },
	};

	world.used = world.trust;
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		struct arena *a = arena_new(1 << 22);
		struct str print = pki_thumbprint(a, *list[i].of), identities;
		struct exchange *x;
		size_t at = str_find(str_of(list[i].format), STR("%"));

		if (str_find(str_of(list[i].format), STR("%.39s")) != SIZE_MAX)
			print = str_first(print, 39);
		identities = arena_printf(a, "%.*s%.*s'/></identities>", (int)at, list[i].format, STR_ARG(print));
		x = run(a, QUICK, identities.p, (*list[i].shown)->pem);
		CHECK_INT(list[i].label, x ? x->response.status : 0, list[i].through ? 200 : 403);
		arena_free(a);
	}
	check_done();
}

/* ---- revocation ----------------------------------------------------------------------------------------------------- */

static void revocation(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct trust **trust;
		struct pki **cert;
		struct str *answer;
		int status;
		const char *why;
		unsigned fetches;
	} list[] = {
		{ "on no list", &world.trust_lists, &world.good, NULL, 0, NULL, 0 },
		{ "on a list", &world.trust_lists, &world.revoked, NULL, 0, "has been revoked", 0 },
		{ "no list at all", &world.trust, &world.good, NULL, 0, "no list of its issuer is at hand", 0 },
		{ "of a stranger: nothing is fetched", &world.trust, &world.stranger, NULL, 0, "no trusted authority", 0 },
		{ "a list that is fetched", &world.trust, &world.pointing, &world.list_der, 200, NULL, 1 },
		{ "revoked by it", &world.trust, &world.pointed_revoked, &world.list_der, 200, "has been revoked", 1 },
		{ "a list that cannot be fetched", &world.trust, &world.pointing, &world.list_der, 404, "no list of its issuer is at hand", 1 },
		{ "a list that is none", &world.trust, &world.pointing, &world.no_list, 200, "no list of its issuer is at hand", 1 },
		{ "a list that is out of date", &world.trust, &world.pointing, &world.stale, 200, "no list of its issuer is at hand", 1 },
		{ "what is at hand is not fetched", &world.trust_lists, &world.pointing, &world.list_der, 200, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		struct arena *a = arena_new(1 << 22);
		struct exchange *x;

		revocation_forget();
		world.used = *list[i].trust;
		world.fetched = 0;
		world.answer = list[i].answer ? *list[i].answer : STR_NULL;
		world.status = list[i].status;
		x = run(a, "", "", (*list[i].cert)->pem);
		CHECK_INT(list[i].label, x ? x->response.status : 0, list[i].why ? 403 : 200);
		if (x && list[i].why)
			CHECK(list[i].label, str_find(x->error.message, str_of(list[i].why)) != SIZE_MAX);
		CHECK_INT(list[i].label, world.fetched, list[i].fetches);
		arena_free(a);
	}
	check_done();
}

/* The list is fetched once while it is good; an exchange that has to wait for it goes on when it is there. */
static void kept(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	struct exchange *x;

	revocation_forget();
	world.used = world.trust;
	world.fetched = 0;
	world.answer = world.list_der;
	world.status = 200;
	world.wait = true;
	x = run(a, "", "", world.pointing->pem);
	assert_int_equal(x->response.status, 0);
	answer(world.open);
	exchange_resume(x);
	assert_int_equal(x->response.status, 200);
	world.wait = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(run(a, "", "", world.pointing->pem)->response.status, 200);
	assert_int_equal(world.fetched, 1);
	arena_free(a);
}

/* ---- saving --------------------------------------------------------------------------------------------------------- */

static void refused_documents(void **state UNUSED)
{
	static const char *const list[] = {
		ONE("issuer-certificate-id='a' issuer-subject='CN=b'"),
		ONE("subject='no name'"),
		ONE("issuer-subject='CN=&quot;no end'"),
		"<identities/>",
	};
	struct arena *a = arena_new(1 << 22);

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		CHECK(list[i], !run(a, "", list[i], STR_NULL));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(thumbprints), cmocka_unit_test(revocation),
					    cmocka_unit_test(kept), cmocka_unit_test(refused_documents) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
