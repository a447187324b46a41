/* Alerts over minutes, days and weeks, with a clock of our own: each kind of rule is told once when it is bad and once when it is well
 * again, each scope narrows, reminders, silences and maintenance windows; a keeper that comes later goes on. */
#include "tests/unit/db/fixture.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/alerts.h"
#include "db/apis.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/environments.h"
#include "db/mail.h"
#include "db/products.h"
#include "db/subscriptions.h"
#include "db/telemetry.h"
#include "keeper/alerts_impl.h"

#define S(n) ((n) * INT64_C(1000000))
#define MINUTES(n) S(60 * (n))
#define DAYS(n) S(86400 * (n))

static int64_t now;
static struct config config;

int64_t clock_wall_us(void)
{
	return now;
}

/* ---- the scene --------------------------------------------------------------------------------------------------------- */

struct scene {
	struct fixture *f;
	struct alerts *a;
};

static struct scene begin(void **state)
{
	struct scene s = { .f = *state };
	struct fixture *f = s.f;
	struct store_api api = { .id = STR("orders"), .environment_id = STR("default"), .path = STR("orders"), .name = STR("Orders"),
				 .state = STORE_API_PUBLISHED, .backend_url = STR("http://b.example/") };
	struct store_alert_webhook hook = { .id = STR("pager"), .url = STR("http://127.0.0.1:9/"), .enabled = true };

	now = S(INT64_C(1800000000));
	CHECK_OK(f, config_load(&config, f->a, "/nonexistent/gatehouse.conf", &f->err));
	CHANGE(f, store_product_create(f->s, &(struct store_product){ .id = STR("gold"), .name = STR("Gold") }, &f->err));
	CHANGE(f, store_api_create(f->s, &api, &f->err));
	api.id = api.path = STR("stock");
	CHANGE(f, store_api_create(f->s, &api, &f->err));
	CHANGE(f, store_subscription_create(f->s, f->a, &(struct store_subscription){ .id = STR("s1"), .name = STR("S1"), .scope = STORE_SCOPE_PRODUCT,
						    .product_id = STR("gold"), .state = STORE_SUB_ACTIVE }, NULL, NULL, NULL, &f->err));
	CHANGE(f, store_backend_create(f->s, &(struct store_backend){ .id = STR("erp"), .name = STR("ERP"), .url = STR("http://127.0.0.1:9"),
					       .health = STR("{\"path\":\"/\",\"interval\":5,\"timeout\":1}") }, &f->err));
	CHECK_OK(f, store_alert_secret_new(f->a, &hook.secret, &f->err));
	CHANGE(f, store_alert_webhook_set(f->s, f->a, &hook, &f->err));
	CHECK_OK(f, alerts_new(f->dir, &config, &s.a, &f->err));
	return s;
}

static void end(struct scene *s)
{
	alerts_free(s->a);
	check_done();
}

static void watch(struct scene *s, const char *id, struct alert_rule rule, int64_t remind_s)
{
	const struct store_alert_rule r = { .id = str_of(id), .name = str_of(id), .enabled = true, .remind_s = remind_s, .mails = STR("ops@example.com"),
					    .webhooks = STR("pager"), .rule = rule, .description = STR("") };
	struct fixture *f = s->f;

	CHANGE(f, store_alert_rule_set(f->s, f->a, &r, &f->err));
	CHECK_OK(f, alerts_begin(s->a, f->s, &f->err));
}

static void unwatch(struct scene *s, const char *id)
{
	struct fixture *f = s->f;

	CHANGE(f, store_alert_rule_delete(f->s, str_of(id), &f->err));
	CHECK_OK(f, alerts_begin(s->a, f->s, &f->err));
}

static void calls(struct scene *s, struct telemetry_call c, int n)
{
	c.started_us = now - c.total_us;
	c.request_id = STR("r-1");
	for (int i = 0; i < n; i++)
		assert_true(alerts_count(s->a, &c));
}

/* As the keeper does once a second: what was counted is stored, then everything is judged. */
static void turn(struct scene *s)
{
	struct fixture *f = s->f;

	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	CHECK_OK(f, store_drain_end(f->s, alerts_store(s->a, f->s, &f->err), &f->err));
	CHECK_OK(f, alerts_turn(s->a, f->s, &f->err));
}

static void wait_for(struct scene *s, int64_t us, int64_t step)
{
	for (int64_t until = now + us; now < until;) {
		now += step;
		turn(s);
	}
}

/* "fired 1, recovered 1, reminder 0; mails 2, webhooks 2", of one rule. */
static const char *told(struct scene *s, const char *rule)
{
	static char out[120];
	const struct store_alert_event_filter filter = { .rule_id = str_of(rule), .limit = 1000 };
	const struct store_mail_filter all_mails = { .state = -1, .limit = 1000 };
	const struct store_alert_delivery_filter all_calls = { .state = -1, .limit = 1000 };
	struct store_alert_delivery *d;
	struct store_alert_event *e;
	struct fixture *f = s->f;
	struct store_mail *m;
	int kinds[3] = { 0 };
	size_t n, mails, hooks;

	CHECK_OK(f, store_alert_events(f->s, f->a, &filter, &e, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		kinds[e[i].kind]++;
	CHECK_OK(f, store_mails(f->s, f->a, &all_mails, &m, &mails, &f->err));
	CHECK_OK(f, store_alert_deliveries(f->s, f->a, &all_calls, &d, &hooks, &f->err));
	snprintf(out, sizeof(out), "fired %d, recovered %d, reminder %d; mails %zu, webhooks %zu", kinds[STORE_ALERT_FIRED],
		 kinds[STORE_ALERT_RECOVERED], kinds[STORE_ALERT_REMINDER], mails, hooks);
	return out;
}

#define TOLD(s, label, rule, want) CHECK_STR(label, str_of(told(s, rule)), STR(want))

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

#define CALL(code, by, us) { .status = code, .origin = TELEMETRY_##by, .total_us = us, .api = STR_INIT("orders"), .environment = STR_INIT("default") }

static void kinds(void **state)
{
	static const struct {
		const char *label;
		struct alert_rule r;
		struct telemetry_call good, bad;
		int n_good, allowed, more;           /* bad calls that may be, and so many that are too many */
	} rows[] = {
		{ "requests", { .kind = ALERT_REQUESTS, .threshold = 5000, .period_s = 60 }, { 0 }, CALL(200, BY_BACKEND, 9), 0, 5, 1 },
		{ "a class of codes", { .kind = ALERT_STATUS, .status = STR_INIT("5xx"), .threshold = 5000, .period_s = 60 }, CALL(404, BY_BACKEND, 9),
		  CALL(503, BY_GATEWAY, 9), 20, 5, 1 },
		{ "a code", { .kind = ALERT_STATUS, .status = STR_INIT("404"), .threshold = 5000, .period_s = 60 }, CALL(403, BY_BACKEND, 9),
		  CALL(404, BY_BACKEND, 9), 20, 5, 1 },
		{ "a share", { .kind = ALERT_STATUS, .status = STR_INIT("5xx"), .measure = ALERT_MEASURE_PERCENT, .threshold = 10000, .period_s = 60 },
		  CALL(200, BY_BACKEND, 9), CALL(500, BY_BACKEND, 9), 90, 10, 1 },
		{ "an average", { .kind = ALERT_LATENCY, .threshold = 100000, .period_s = 60 }, CALL(200, BY_BACKEND, 50000),
		  CALL(200, BY_BACKEND, 200000), 10, 5, 6 },
		{ "a percentile", { .kind = ALERT_LATENCY, .statistic = ALERT_STATISTIC_P95, .threshold = 100000, .period_s = 60 },
		  CALL(200, BY_BACKEND, 50000), CALL(200, BY_BACKEND, 900000), 95, 5, 1 },
		{ "a policy's refusals", { .kind = ALERT_VIOLATION, .threshold = 5000, .period_s = 60 }, CALL(429, BY_BACKEND, 9),
		  CALL(429, BY_GATEWAY, 9), 20, 5, 1 },
		{ "an error budget", { .kind = ALERT_BUDGET, .target = 99000, .threshold = 10000, .period_s = 3600 }, CALL(200, BY_BACKEND, 9),
		  CALL(502, BACKEND_FAILED, 9), 91, 9, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		if (i) {
			fixture_teardown(state);
			assert_int_equal(fixture_setup(state), 0);
		}
		s = begin(state);
		watch(&s, "r", rows[i].r, 0);
		calls(&s, rows[i].good, rows[i].n_good);
		calls(&s, rows[i].bad, rows[i].allowed);
		turn(&s);
		TOLD(&s, rows[i].label, "r", "fired 0, recovered 0, reminder 0; mails 0, webhooks 0");
		calls(&s, rows[i].bad, rows[i].more);
		now += S(1);
		turn(&s);
		TOLD(&s, rows[i].label, "r", "fired 1, recovered 0, reminder 0; mails 1, webhooks 1");
		for (int k = 0; k < 20; k++) {
			calls(&s, rows[i].bad, rows[i].more);
			wait_for(&s, S(1), S(1));
		}
		TOLD(&s, rows[i].label, "r", "fired 1, recovered 0, reminder 0; mails 1, webhooks 1");
		wait_for(&s, S(rows[i].r.period_s) * 2, S(rows[i].r.period_s) / 20);
		TOLD(&s, rows[i].label, "r", "fired 1, recovered 1, reminder 0; mails 2, webhooks 2");
		alerts_free(s.a);
	}
	check_done();
}

static void fewer(void **state)
{
	struct scene s = begin(state);

	watch(&s, "r", (struct alert_rule){ .kind = ALERT_REQUESTS, .comparison = ALERT_BELOW, .threshold = 2000, .period_s = 60 }, 0);
	wait_for(&s, S(55), S(5));
	TOLD(&s, "not before a whole period", "r", "fired 0, recovered 0, reminder 0; mails 0, webhooks 0");
	wait_for(&s, S(60), S(5));
	TOLD(&s, "nobody calls", "r", "fired 1, recovered 0, reminder 0; mails 1, webhooks 1");
	calls(&s, (struct telemetry_call)CALL(200, BY_BACKEND, 9), 3);
	turn(&s);
	TOLD(&s, "they do again", "r", "fired 1, recovered 1, reminder 0; mails 2, webhooks 2");
	end(&s);
}

/* What counts no calls: looked at each five seconds. */
static void backend_and_expiry(void **state)
{
	struct store_certificate c = { .id = STR("client"), .subject = STR("CN=client"), .thumbprint = STR("AB"), .pem = STR("-"), .key_pem = STR_NULL };
	struct store_subscription sub = { .id = STR("s1"), .name = STR("S1"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("gold"),
					  .state = STORE_SUB_ACTIVE };
	struct scene s = begin(state);
	struct backend_states *states = NULL;
	struct fixture *f = s.f;
	char path[PATHS_MAX];

	CHECK_OK(f, paths_join(path, f->dir, "backends", &f->err));
	CHECK_OK(f, backend_states_open(path, true, &states, &f->err));
	watch(&s, "backend", (struct alert_rule){ .kind = ALERT_BACKEND, .backend = STR("erp") }, 0);
	wait_for(&s, S(10), S(1));
	TOLD(&s, "well", "backend", "fired 0, recovered 0, reminder 0; mails 0, webhooks 0");
	health_tell(backend_slot(states, backend_state_key(STR("erp")), clock_mono_us()), BACKEND_DOWN, 503, clock_mono_us() + DAYS(1));
	wait_for(&s, S(10), S(1));
	TOLD(&s, "its checks fail", "backend", "fired 1, recovered 0, reminder 0; mails 1, webhooks 1");
	health_tell(backend_slot(states, backend_state_key(STR("erp")), clock_mono_us()), BACKEND_UP, 200, clock_mono_us() + DAYS(1));
	wait_for(&s, S(10), S(1));
	TOLD(&s, "they do not", "backend", "fired 1, recovered 1, reminder 0; mails 2, webhooks 2");
	backend_states_close(states);

	c.not_before_us = now;
	c.expires_us = now + DAYS(20);
	CHANGE(f, store_certificate_set(f->s, &c, &f->err));
	watch(&s, "expiry", (struct alert_rule){ .kind = ALERT_EXPIRY, .threshold = 14000 }, 0);
	wait_for(&s, DAYS(5), DAYS(1));
	TOLD(&s, "15 days are more than 14", "expiry", "fired 0, recovered 0, reminder 0; mails 2, webhooks 2");
	wait_for(&s, DAYS(3), DAYS(1));
	TOLD(&s, "a certificate", "expiry", "fired 1, recovered 0, reminder 0; mails 3, webhooks 3");
	sub.ends_us = now + DAYS(3);
	CHANGE(f, store_subscription_update(f->s, &sub, &f->err));
	wait_for(&s, DAYS(1), DAYS(1));
	TOLD(&s, "and a subscription, each by itself", "expiry", "fired 2, recovered 0, reminder 0; mails 4, webhooks 4");
	c.expires_us = now + DAYS(400);
	CHANGE(f, store_certificate_set(f->s, &c, &f->err));
	wait_for(&s, DAYS(1), DAYS(1));
	TOLD(&s, "the certificate was replaced", "expiry", "fired 2, recovered 1, reminder 0; mails 5, webhooks 5");
	end(&s);
}

/* ---- scopes --------------------------------------------------------------------------------------------------------------- */

static void scopes(void **state)
{
	struct telemetry_call c = { .status = 200, .api = STR("orders"), .environment = STR("default"), .product = STR("gold"),
				    .subscription = STR("s1"), .backend = STR("erp"), .attempts = 1, .total_us = 9 }, other = { .status = 200, .total_us = 9 };
	struct scene s = begin(state);
	const struct { const char *label; struct alert_rule r; bool of_other; } rows[] = {
		{ "all", { .kind = ALERT_REQUESTS, .period_s = 60 }, true },
		{ "environment", { .kind = ALERT_REQUESTS, .period_s = 60, .environment = STR("default") }, false },
		{ "api", { .kind = ALERT_REQUESTS, .period_s = 60, .api = STR("orders") }, false },
		{ "product", { .kind = ALERT_REQUESTS, .period_s = 60, .product = STR("gold") }, false },
		{ "subscription", { .kind = ALERT_REQUESTS, .period_s = 60, .subscription = STR("s1") }, false },
		{ "backend", { .kind = ALERT_REQUESTS, .period_s = 60, .backend = STR("erp") }, false },
		{ "both", { .kind = ALERT_REQUESTS, .period_s = 60, .api = STR("stock"), .subscription = STR("s1") }, false },
	};
	struct store_alert_event *e;
	size_t n;

	other.api = STR("stock"), other.environment = STR("sandbox"), other.product = STR("silver"), other.subscription = STR("s2");
	other.backend = STR("wms"), other.attempts = 1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		watch(&s, rows[i].label, rows[i].r, 0);
	watch(&s, "each", (struct alert_rule){ .kind = ALERT_REQUESTS, .period_s = 60, .each = ALERT_EACH_SUBSCRIPTION }, 0);
	calls(&s, other, 3);
	turn(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].label, str_starts(str_of(told(&s, rows[i].label)), rows[i].of_other ? STR("fired 1") : STR("fired 0")));
	calls(&s, c, 3);
	turn(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].label, str_starts(str_of(told(&s, rows[i].label)), i + 1 < ARRAY_LEN(rows) ? STR("fired 1") : STR("fired 0")));
	CHECK_OK(s.f, store_alert_events(s.f->s, s.f->a, &(struct store_alert_event_filter){ .rule_id = STR("each") }, &e, &n, &s.f->err));
	CHECK_INT("each subscription by itself", n, 2);
	CHECK("by their names", n == 2 && !str_eq(e[0].subject, e[1].subject) && e[0].subject.n == 2 && e[1].subject.n == 2);
	CHECK_OK(s.f, store_alert_events(s.f->s, s.f->a, &(struct store_alert_event_filter){ .api_id = STR("orders") }, &e, &n, &s.f->err));
	CHECK_INT("the history of an API: what is of it", n, 6);
	for (size_t i = 0; i < n; i++)
		CHECK_STR("and leads to a call", e[i].request_id, STR("r-1"));
	end(&s);
}

/* ---- time ----------------------------------------------------------------------------------------------------------------- */

/* More than 2 in each of 3 consecutive minutes; the keeper is another one in each of them. */
static void consecutive(void **state)
{
	struct telemetry_call c = CALL(500, BY_BACKEND, 9);
	struct scene s = begin(state);
	struct fixture *f = s.f;

	watch(&s, "r", (struct alert_rule){ .kind = ALERT_STATUS, .status = STR("5xx"), .threshold = 2000, .period_s = 60, .periods = 3 }, 0);
	for (int minute = 0; minute < 7; minute++) {
		calls(&s, c, minute == 3 ? 2 : 3);           /* the fourth is well: three in a row are 0 to 2, and 4 to 6 */
		turn(&s);
		CHECK_STR("bad after three", str_of(told(&s, "r")), minute < 2 ? STR("fired 0, recovered 0, reminder 0; mails 0, webhooks 0")
								: minute < 3 ? STR("fired 1, recovered 0, reminder 0; mails 1, webhooks 1")
								: minute < 6 ? STR("fired 1, recovered 1, reminder 0; mails 2, webhooks 2")
									     : STR("fired 2, recovered 1, reminder 0; mails 3, webhooks 3"));
		alerts_free(s.a);
		CHECK_OK(f, alerts_new(f->dir, &config, &s.a, &f->err));
		CHECK_OK(f, alerts_begin(s.a, f->s, &f->err));
		wait_for(&s, S(62), S(2));
	}
	end(&s);
}

static void reminders(void **state)
{
	struct telemetry_call c = CALL(500, BY_BACKEND, 9);
	struct scene s = begin(state);

	watch(&s, "r", (struct alert_rule){ .kind = ALERT_STATUS, .status = STR("5xx"), .threshold = 0, .period_s = 120 }, 600);
	for (int minute = 0; minute <= 60; minute++) {
		calls(&s, c, 1);
		turn(&s);
		now += MINUTES(1);
	}
	TOLD(&s, "every ten minutes of the hour", "r", "fired 1, recovered 0, reminder 6; mails 7, webhooks 7");
	wait_for(&s, MINUTES(30), MINUTES(1));
	TOLD(&s, "none once it is well", "r", "fired 1, recovered 1, reminder 6; mails 8, webhooks 8");
	end(&s);
}

static void silences(void **state)
{
	static const struct {
		const char *label;
		struct store_alert_silence v;
		bool holds;
	} rows[] = {
		{ "all", { .from_us = -MINUTES(1), .to_us = MINUTES(10) }, true },
		{ "the rule", { .rule_id = STR_INIT("r"), .from_us = -MINUTES(1), .to_us = MINUTES(10) }, true },
		{ "another rule", { .rule_id = STR_INIT("q"), .from_us = -MINUTES(1), .to_us = MINUTES(10) }, false },
		{ "the API", { .api_id = STR_INIT("orders"), .from_us = -MINUTES(1), .to_us = MINUTES(10) }, true },
		{ "another API", { .api_id = STR_INIT("stock"), .from_us = -MINUTES(1), .to_us = MINUTES(10) }, false },
		{ "the environment", { .environment_id = STR_INIT("default"), .from_us = -MINUTES(1), .to_us = MINUTES(10) }, true },
		{ "it is over", { .from_us = -MINUTES(10), .to_us = -MINUTES(1) }, false },
		{ "it is to come", { .from_us = MINUTES(20), .to_us = MINUTES(30) }, false },
		{ "a maintenance window each week", { .from_us = -DAYS(14) - MINUTES(1), .to_us = -DAYS(14) + MINUTES(10), .repeat_s = 7 * 86400 }, true },
		{ "at another time of the week", { .from_us = -DAYS(13), .to_us = -DAYS(13) + MINUTES(10), .repeat_s = 7 * 86400 }, false },
	};
	struct telemetry_call c = CALL(500, BY_BACKEND, 9);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_alert_silence v = rows[i].v;
		struct scene s;
		struct fixture *f;

		if (i) {
			fixture_teardown(state);
			assert_int_equal(fixture_setup(state), 0);
		}
		s = begin(state);
		f = s.f;
		watch(&s, "q", (struct alert_rule){ .kind = ALERT_REQUESTS, .threshold = 1000000, .period_s = 60 }, 0);
		watch(&s, "r", (struct alert_rule){ .kind = ALERT_STATUS, .status = STR("5xx"), .threshold = 0, .period_s = 300 }, 0);
		v.from_us += now, v.to_us += now;
		v.comment = STR(""), v.created_by = STR("test");
		CHANGE(f, store_alert_silence_create(f->s, f->a, &v, NULL, &f->err));
		calls(&s, c, 1);
		turn(&s);
		CHECK_STR(rows[i].label, str_of(told(&s, "r")), rows[i].holds ? STR("fired 1, recovered 0, reminder 0; mails 0, webhooks 0")
									: STR("fired 1, recovered 0, reminder 0; mails 1, webhooks 1"));
		wait_for(&s, MINUTES(6), S(10));
		CHECK_STR(rows[i].label, str_of(told(&s, "r")), rows[i].holds ? STR("fired 1, recovered 1, reminder 0; mails 0, webhooks 0")
									: STR("fired 1, recovered 1, reminder 0; mails 2, webhooks 2"));
		for (int minute = 0; minute < 8; minute++) {         /* bad again, until the silence is over */
			calls(&s, c, 1);
			wait_for(&s, MINUTES(1), S(30));
		}
		wait_for(&s, MINUTES(6), S(30));
		CHECK_STR(rows[i].label, str_of(told(&s, "r")), rows[i].holds ? STR("fired 2, recovered 2, reminder 1; mails 2, webhooks 2")
									: STR("fired 2, recovered 2, reminder 0; mails 4, webhooks 4"));
		alerts_free(s.a);
	}
	check_done();
}

/* Who was told that it is bad is told that it is well, though a silence began meanwhile. */
static void silenced_later(void **state)
{
	struct store_alert_silence v = { .comment = STR(""), .created_by = STR("test") };
	struct telemetry_call c = CALL(500, BY_BACKEND, 9);
	struct scene s = begin(state);
	struct fixture *f = s.f;

	watch(&s, "r", (struct alert_rule){ .kind = ALERT_STATUS, .status = STR("5xx"), .threshold = 0, .period_s = 60 }, 0);
	calls(&s, c, 1);
	turn(&s);
	v.from_us = now, v.to_us = now + DAYS(1);
	CHANGE(f, store_alert_silence_create(f->s, f->a, &v, NULL, &f->err));
	wait_for(&s, MINUTES(5), S(10));
	TOLD(&s, "both", "r", "fired 1, recovered 1, reminder 0; mails 2, webhooks 2");
	unwatch(&s, "r");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(kinds), store_test(fewer), store_test(backend_and_expiry), store_test(scopes), store_test(consecutive),
		store_test(reminders), store_test(silences), store_test(silenced_later),
	};

	log_init("test_alert_rules", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
