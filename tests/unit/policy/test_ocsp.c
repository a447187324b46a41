/* Answers of OCSP responders: who may sign them, whom they are about, how long they are good; and what is asked. */
#include "tests/unit/check.h"

#include "policy/elements/ocsp.h"
#include "tests/unit/policy/pki.h"

#include <openssl/ocsp.h>

#define NOW_S 1750000000
#define HOUR 3600
#define DAY 86400
#define URL "http://ocsp.example/"

static struct {
	struct arena *a;
	struct pki *root, *sub, *other, *good, *second, *delegate, *no_delegate, *of_root, *late_delegate;
	/* of the exchange */
	unsigned asked;
	struct str question, method, type, answer;
	int status;
} world;

static struct pki *make(const char *subject, struct pki *issuer, long serial, int64_t from, int64_t to, const char *usage, bool ca)
{
	return pki_make(world.a, &(struct pki_wish){ .subject = subject, .issuer = issuer, .serial = serial, .from_s = NOW_S + from,
						     .to_s = NOW_S + to, .usage = usage, .ca = ca, .ocsp_at = ca ? NULL : "OCSP;URI:" URL });
}

static int set_up(void **state UNUSED)
{
	world.a = arena_new(1 << 24);
	world.root = make("CN=Root", NULL, 1, -10 * DAY, 10 * DAY, NULL, true);
	world.other = make("CN=Other", NULL, 1, -10 * DAY, 10 * DAY, NULL, true);
	world.sub = make("CN=Sub", world.root, 2, -10 * DAY, 10 * DAY, NULL, true);
	world.good = make("CN=Good", world.sub, 3, -DAY, DAY, NULL, false);
	world.second = make("CN=Second", world.sub, 4, -DAY, DAY, NULL, false);
	world.delegate = make("CN=Responder", world.sub, 5, -DAY, DAY, "OCSPSigning", false);
	world.no_delegate = make("CN=Nobody", world.sub, 6, -DAY, DAY, "clientAuth", false);
	world.of_root = make("CN=Responder", world.root, 7, -DAY, DAY, "OCSPSigning", false);
	world.late_delegate = make("CN=Responder", world.sub, 8, -2 * DAY, -DAY, "OCSPSigning", false);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	ocsp_forget();
	arena_free(world.a);
	return 0;
}

static struct str answer_of(const struct pki *signer, const struct pki *about, int status, int64_t from, int64_t to)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about->cert, world.sub->cert);
	ASN1_TIME *since = ASN1_TIME_set(NULL, (time_t)(NOW_S + from)), *until = to ? ASN1_TIME_set(NULL, (time_t)(NOW_S + to)) : NULL;
	OCSP_RESPONSE *r;
	unsigned char *der = NULL;
	struct str out;
	int n;

	assert_non_null(OCSP_basic_add1_status(basic, id, status, status == V_OCSP_CERTSTATUS_REVOKED ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : 0,
					       since, since, until));
	assert_true(OCSP_basic_sign(basic, signer->cert, signer->key, EVP_sha256(), NULL, 0));
	r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	n = i2d_OCSP_RESPONSE(r, &der);
	out = arena_dup(world.a, (struct str){ (char *)der, (size_t)n });
	OPENSSL_free(der);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(since);
	ASN1_TIME_free(until);
	return out;
}

static const struct {
	const char *label;
	struct pki **signer, **about;
	int status;
	int64_t from, to;                /* seconds from now; to 0: does not say */
	const char *why;                 /* NULL: believed */
	int64_t fresh_s;
} rows[] = {
	{ "the issuer says good", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, NULL, OCSP_FRESH_S },
	{ "the issuer says revoked", &world.sub, &world.good, V_OCSP_CERTSTATUS_REVOKED, -HOUR, DAY, NULL, OCSP_FRESH_S },
	{ "the issuer does not know it", &world.sub, &world.good, V_OCSP_CERTSTATUS_UNKNOWN, -HOUR, DAY, "does not know the certificate", 0 },
	{ "one whom the issuer has sent", &world.delegate, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, NULL, OCSP_FRESH_S },
	{ "one whom the issuer has sent, but not for this", &world.no_delegate, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, "not signed by the issuer", 0 },
	{ "one whom the issuer had sent until yesterday", &world.late_delegate, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, "not signed by the issuer", 0 },
	{ "one whom the issuer's issuer has sent", &world.of_root, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, "not signed by the issuer", 0 },
	{ "the certificate for itself", &world.good, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, "not signed by the issuer", 0 },
	{ "a stranger", &world.other, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, "not signed by the issuer", 0 },
	{ "about another certificate", &world.sub, &world.second, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY, "about another certificate", 0 },
	{ "out of date", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, -DAY, -1, "out of date", 0 },
	{ "the last second", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, -DAY, 1, NULL, OCSP_LEAST_S },
	{ "a clock that is ahead", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, OCSP_SKEW_S, DAY, NULL, OCSP_FRESH_S },
	{ "a clock that is far ahead", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, OCSP_SKEW_S + 1, DAY, "not valid yet", 0 },
	{ "no end is said", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, 0, NULL, OCSP_LEAST_S },
	{ "no end is said, and it is old", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, -OCSP_AGE_S - 1, 0, "out of date", 0 },
	{ "ten minutes", &world.sub, &world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, 600, NULL, 600 },
};

static void answers(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str der = answer_of(*rows[i].signer, *rows[i].about, rows[i].status, rows[i].from, rows[i].to);
		struct ocsp_answer got;
		const char *why = "";
		bool ok = ocsp_read(der, world.good->cert, world.sub->cert, (int64_t)NOW_S * 1000000, &got, &why);

		CHECK_INT(rows[i].label, ok, !rows[i].why);
		if (rows[i].why) {
			CHECK(rows[i].label, why && strstr(why, rows[i].why));
			continue;
		}
		CHECK_INT(rows[i].label, got.revoked, rows[i].status == V_OCSP_CERTSTATUS_REVOKED);
		CHECK_INT(rows[i].label, got.fresh_s, rows[i].fresh_s);
	}
	check_done();
}

static void broken(void **state UNUSED)
{
	static const unsigned char try_later[] = { 0x30, 0x03, 0x0A, 0x01, 0x03 };
	struct str good = answer_of(world.sub, world.good, V_OCSP_CERTSTATUS_GOOD, -HOUR, DAY);
	char *bent = arena_alloc_text(world.a, good.n);
	struct ocsp_answer got;
	const char *why;

	assert_false(ocsp_read(STR("nonsense"), world.good->cert, world.sub->cert, 0, &got, &why));
	assert_non_null(strstr(why, "cannot be read"));
	assert_false(ocsp_read((struct str){ (const char *)try_later, sizeof(try_later) }, world.good->cert, world.sub->cert, 0, &got, &why));
	assert_non_null(strstr(why, "gives no answer"));
	for (size_t i = 0; i < good.n; i++) {        /* whatever byte is bent or cut off: never more than what was signed */
		memcpy(bent, good.p, good.n);
		bent[i] ^= 0x55;
		if (ocsp_read((struct str){ bent, good.n }, world.good->cert, world.sub->cert, (int64_t)NOW_S * 1000000, &got, &why))
			assert_false(got.revoked);
		assert_false(ocsp_read(str_first(good, i), world.good->cert, world.sub->cert, (int64_t)NOW_S * 1000000, &got, &why));
	}
}

/* ---- asking --------------------------------------------------------------------------------------------------------- */

static int64_t now_us(struct exchange *x UNUSED)
{
	return (int64_t)NOW_S * 1000000;
}

static enum step send(struct exchange *x UNUSED, struct subrequest *s)
{
	world.asked++;
	world.method = s->request.method;
	world.question = s->request.body.bytes;
	world.type = fields_get(&s->request.headers, STR("Content-Type"));
	s->response.status = world.status;
	s->response.body = (struct body){ .kind = BODY_HELD, .bytes = world.answer };
	s->done = true;
	return STEP_NEXT;
}

static const struct policy_host host = { .now_us = now_us, .send = send };

static bool is_about(struct str question, const struct pki *cert)
{
	const unsigned char *p = (const unsigned char *)question.p;
	OCSP_REQUEST *rq = d2i_OCSP_REQUEST(NULL, &p, (long)question.n);
	OCSP_CERTID *want = OCSP_cert_to_id(EVP_sha1(), cert->cert, world.sub->cert);
	bool yes = rq && OCSP_request_onereq_count(rq) == 1
		   && !OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(rq, 0)), want);

	OCSP_CERTID_free(want);
	OCSP_REQUEST_free(rq);
	return yes;
}

static bool ask(struct exchange *x, struct pki *cert, struct str responder, struct ocsp_state *s)
{
	assert_true(ocsp_ask(x, cert->cert, world.sub->cert, responder, s));
	if (s->fetched.url.n)
		assert_int_equal(ocsp_step(x, s), STEP_NEXT);
	return s->fetched.thing != NULL;
}

static void asking(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	struct exchange x = { .arena = a, .host = &host };
	struct ocsp_state s;

	ocsp_forget();
	world.status = 200;
	world.answer = answer_of(world.sub, world.good, V_OCSP_CERTSTATUS_REVOKED, -HOUR, DAY);
	assert_true(ask(&x, world.good, STR_NULL, &s));
	assert_true(ocsp_revoked(&s));
	assert_true(str_eq(s.fetched.url, STR(URL)));
	assert_true(str_eq(world.method, STR("POST")));
	assert_true(str_eq(world.type, STR("application/ocsp-request")));
	assert_true(is_about(world.question, world.good));
	assert_true(ask(&x, world.good, STR_NULL, &s));
	assert_int_equal(world.asked, 1);            /* kept */
	assert_false(ask(&x, world.second, STR_NULL, &s));
	assert_int_equal(world.asked, 2);            /* what is known of one is not known of another */
	assert_true(is_about(world.question, world.second));
	assert_true(ask(&x, world.good, STR("http://other.example/"), &s));
	assert_int_equal(world.asked, 3);            /* nor of another responder */
	assert_false(ask(&x, world.sub, STR_NULL, &s));
	assert_int_equal(world.asked, 3);            /* names nobody */
	ocsp_forget();
	world.status = 500;
	assert_false(ask(&x, world.good, STR_NULL, &s));
	assert_false(ask(&x, world.good, STR_NULL, &s));
	assert_int_equal(world.asked, 4);            /* not again at once */
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(broken), cmocka_unit_test(asking) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
