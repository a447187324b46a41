/* Alerts in the keeper when the clock is not what it was, and while they are silenced; what they count and say is tested in core/test_alert.c. */
#include "tests/unit/db/fixture.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/alerts.h"
#include "db/apis.h"
#include "db/backends.h"
#include "db/mail.h"
#include "db/products.h"
#include "db/telemetry.h"
#include "keeper/alerts_impl.h"

#include <sys/stat.h>

static const int64_t HOUR_US = INT64_C(3600000000);

static size_t bad(struct fixture *f)
{
	struct store_alert_state *v;
	size_t n = 0;

	CHECK_OK(f, store_alert_states(f->s, f->a, &v, &n, &f->err));
	return n;
}

static struct alerts *watch_rule(struct fixture *f, struct config *config, struct alert_rule rule)
{
	const struct store_alert_rule r = { .id = STR("any"), .name = STR("any"), .description = STR(""), .enabled = true, .mails = STR(""),
					    .webhooks = STR(""), .rule = rule };
	struct alerts *a = NULL;

	CHECK_OK(f, config_load(config, f->a, "/nonexistent/gatehouse.conf", &f->err));
	CHANGE(f, store_alert_rule_set(f->s, f->a, &r, &f->err));
	CHECK_OK(f, alerts_new(f->dir, config, &a, &f->err));
	CHECK_OK(f, alerts_begin(a, f->s, &f->err));
	return a;
}

static struct alerts *watch(struct fixture *f, struct config *config)
{
	return watch_rule(f, config, (struct alert_rule){ .kind = ALERT_REQUESTS, .period_s = 60, .status = STR(""), .reasons = STR("") });
}

static size_t stored_slices(struct fixture *f, struct alerts *a)
{
	struct store_alert_slice *v;
	size_t n = 0;

	CHECK_OK(f, store_alert_slices(f->s, f->a, STR("any"), str_of(a->rules[0].definition), &v, &n, &f->err));
	return n;
}

static void store_slices(struct fixture *f, struct alerts *a)
{
	CHECK_OK(f, store_drain_begin(f->s, &f->err));
	CHECK_OK(f, store_drain_end(f->s, alerts_store(a, f->s, &f->err), &f->err));
}

static void set_back(void **state)
{
	struct telemetry_call c = { .status = 200, .api = STR("orders"), .environment = STR("default") };
	struct fixture *f = *state;
	struct config config;
	struct alerts *a = watch(f, &config);

	c.started_us = clock_wall_us() + HOUR_US;        /* the clock was an hour ahead */
	a->seen_us = c.started_us;
	assert_true(alerts_count(a, &c));
	a->pruned_us = c.started_us;
	store_slices(f, a);
	CHECK_INT("is stored", stored_slices(f, a), 1);
	CHECK_OK(f, alerts_begin(a, f->s, &f->err));
	store_slices(f, a);
	CHECK_INT("and is gone, so that it does not count when its time comes", stored_slices(f, a), 0);
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	CHECK_INT("what was counted in a time to come is no call of now", bad(f), 0);
	c.started_us = clock_wall_us();
	assert_true(alerts_count(a, &c));
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	CHECK_INT("a call of now is", bad(f), 1);
	alerts_free(a);
	check_done();
}

/* What is bad and silenced is looked at with each turn; that must not ask for the store's only place to write. */
static void silenced(void **state)
{
	struct telemetry_call c = { .started_us = clock_wall_us(), .status = 200, .api = STR("orders"), .environment = STR("default") };
	struct store_alert_silence all = { .from_us = c.started_us - HOUR_US, .to_us = c.started_us + HOUR_US, .comment = STR(""),
					   .created_by = STR("test") };
	struct fixture *f = *state;
	struct store *other = NULL;
	struct config config;
	struct alerts *a = watch(f, &config);

	CHANGE(f, store_alert_silence_create(f->s, f->a, &all, NULL, &f->err));
	assert_true(alerts_count(a, &c));
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	CHECK_INT("bad", bad(f), 1);
	CHECK_OK(f, store_open(&other, f->dir, STORE_WRITE, &f->err));
	CHECK_OK(f, store_tx_begin(other, STR("test"), &f->err));
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	CHECK_OK(f, store_tx_end(other, GH_RC_OK, &f->err));
	store_free(other);
	alerts_free(a);
	check_done();
}

/* Quotas that gateways noted: bad from the share on, well when the window has ended; a rule for one product looks at its own. */
static void quotas(void **state)
{
	static const struct { const char *label, *product; size_t bad; } rows[] = {
		{ "all", "", 2 }, { "of one product", "gold", 1 }, { "of another", "silver", 0 },
	};
	const struct quota_name names[] = {
		{ .policy = STR("quota-by-key"), .scope = STR("global"), .key = STR("203.0.113.9") },
		{ .policy = STR("quota"), .scope = STR("product"), .product = STR("gold"), .subscription = STR("s1") },
		{ .policy = STR("tier"), .scope = STR("subscription"), .subscription = STR("s2") },      /* the counters tell of these */
	};
	struct fixture *f = *state;
	struct quota_watch *w = NULL;
	struct store_alert_event *e;
	struct config config;
	char path[PATHS_MAX];
	struct alerts *a;
	size_t n;

	CHECK_OK(f, paths_join(path, f->dir, "quotas", &f->err));
	CHECK_OK(f, quota_watch_open(path, &w, &f->err));
	CHANGE(f, store_product_create(f->s, &(struct store_product){ .id = STR("gold"), .name = STR("Gold") }, &f->err));
	CHANGE(f, store_product_create(f->s, &(struct store_product){ .id = STR("silver"), .name = STR("Silver") }, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		a = watch_rule(f, &config, (struct alert_rule){ .kind = ALERT_QUOTA, .threshold = 80000, .status = STR(""), .reasons = STR(""),
								.product = str_of(rows[i].product) });
		CHECK_OK(f, alerts_turn(a, f->s, &f->err));
		CHECK("gateways are asked to note", quota_watch_on(w));
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			quota_watch_note(w, &names[k], &(struct quota_use){ .used = 85, .limit = 100, .window_s = 3600, .reset_s = 60 }, clock_wall_us());
		a->checked_us = 0;
		CHECK_OK(f, alerts_turn(a, f->s, &f->err));
		CHECK_INT(rows[i].label, bad(f), rows[i].bad);
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			quota_watch_note(w, &names[k], &(struct quota_use){ .used = 1, .limit = 100, .window_s = 3600, .reset_s = 60 }, clock_wall_us());
		a->checked_us = 0;
		CHECK_OK(f, alerts_turn(a, f->s, &f->err));
		CHECK_INT("a new window", bad(f), 0);
		CHANGE(f, store_alert_rule_delete(f->s, STR("any"), &f->err));
		CHECK_OK(f, alerts_begin(a, f->s, &f->err));
		CHECK_OK(f, alerts_turn(a, f->s, &f->err));
		CHECK("without a rule nothing is noted", !quota_watch_on(w));
		alerts_free(a);
	}
	CHECK_OK(f, store_alert_events(f->s, f->a, &(struct store_alert_event_filter){ 0 }, &e, &n, &f->err));
	CHECK_INT("each was told bad and well", n, 6);
	for (size_t i = 0; i < n; i++)
		CHECK("no key in clear", str_find(e[i].summary, names[0].key) == SIZE_MAX && str_find(e[i].subject, names[0].key) == SIZE_MAX);
	quota_watch_close(w);
	check_done();
}

/* A check that cannot be made keeps no other from being made, nor does it tell that what it did not look at is well again. */
static void one_that_fails(void **state)
{
	const struct store_backend backend = { .id = STR("erp"), .name = STR("ERP"), .url = STR("http://127.0.0.1:9"),
					       .health = STR("{\"path\":\"/\",\"interval\":5,\"timeout\":1}") };
	struct store_alert_rule r = { .id = STR("a-share"), .name = STR("share"), .description = STR(""), .enabled = true, .mails = STR(""),
				      .webhooks = STR(""), .rule = { .kind = ALERT_QUOTA, .threshold = 80000, .status = STR(""), .reasons = STR("") } };
	struct backend_states *states = NULL;
	struct fixture *f = *state;
	char path[PATHS_MAX], quotas[PATHS_MAX];
	struct store_alert_state *v;
	struct config config;
	struct alerts *a;
	size_t n;

	CHECK_OK(f, paths_join(quotas, f->dir, "quotas", &f->err));
	CHECK("in the way", mkdir(quotas, 0700) == 0);
	CHECK_OK(f, paths_join(path, f->dir, "backends", &f->err));
	CHECK_OK(f, backend_states_open(path, true, &states, &f->err));
	CHANGE(f, store_backend_create(f->s, &backend, &f->err));
	CHANGE(f, store_alert_rule_set(f->s, f->a, &r, &f->err));
	CHANGE(f, store_alert_tell(f->s, &(struct store_alert_event){ .id = STR("e"), .rule_id = r.id, .rule_name = r.name, .subject = STR("quota of x"),
				   .environment_id = STR(""), .api_id = STR(""), .summary = STR("85 %"), .request_id = STR("") },
				   &(struct store_alert_state){ .rule_id = r.id, .subject = STR("quota of x"), .event_id = STR("e") }, &f->err));
	a = watch_rule(f, &config, (struct alert_rule){ .kind = ALERT_BACKEND, .status = STR(""), .reasons = STR("") });
	health_tell(backend_slot(states, backend_state_key(backend.id), clock_mono_us()), BACKEND_DOWN, 503, clock_mono_us() + HOUR_US);
	CHECK_INT("what cannot be looked at is reported", alerts_turn(a, f->s, &f->err).code, GH_E_IO);
	CHECK("with the file", strstr(f->err.message, "quotas") != NULL);
	CHECK_OK(f, store_alert_states(f->s, f->a, &v, &n, &f->err));
	CHECK_INT("the backend is told, the quota is not called well", n, 2);
	for (size_t i = 0; i < n; i++)
		CHECK("by its name", str_eq(v[i].subject, STR("erp")) || str_eq(v[i].subject, STR("quota of x")));
	CHECK("out of the way", rmdir(quotas) == 0);
	a->checked_us = 0;
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	CHECK_INT("and is well once it was looked at", bad(f), 1);
	alerts_free(a);
	backend_states_close(states);
	check_done();
}

/* The first failure is told, but for a store that is taken: it ends the turn. */
static void first_failure(void **state UNUSED)
{
	static const struct { const char *label; enum gh_code first, next, want; } rows[] = {
		{ "none", GH_OK, GH_OK, GH_OK }, { "one", GH_OK, GH_E_IO, GH_E_IO }, { "then none", GH_E_IO, GH_OK, GH_E_IO },
		{ "two", GH_E_IO, GH_E_INVALID, GH_E_IO }, { "taken", GH_OK, GH_E_BUSY, GH_E_BUSY }, { "taken after another", GH_E_IO, GH_E_BUSY, GH_E_BUSY },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { .message = "" }, why = { .message = "" };
		gh_rc rc = GH_RC_OK;

		alerts_keep_first(&rc, &err, (gh_rc){ rows[i].first }, &why);
		alerts_keep_first(&rc, &err, (gh_rc){ rows[i].next }, &why);
		CHECK_INT(rows[i].label, rc.code, rows[i].want);
	}
	check_done();
}

/* A rule outlives what it watches: off, with a reason, and not to be switched on as one that watches all. */
static void lost(void **state)
{
	struct store_alert_rule r = { .id = STR("any"), .name = STR("any"), .description = STR(""), .enabled = true, .mails = STR(""), .webhooks = STR(""),
				      .rule = { .kind = ALERT_REQUESTS, .period_s = 60, .status = STR(""), .reasons = STR(""), .product = STR("gold") } };
	struct store_alert_rule got;
	struct fixture *f = *state;
	int64_t before, after;
	bool found;

	CHANGE(f, store_product_create(f->s, &(struct store_product){ .id = STR("gold"), .name = STR("Gold") }, &f->err));
	CHANGE(f, store_product_create(f->s, &(struct store_product){ .id = STR("silver"), .name = STR("Silver") }, &f->err));
	CHANGE(f, store_alert_rule_set(f->s, f->a, &r, &f->err));
	CHANGE(f, store_alert_tell(f->s, &(struct store_alert_event){ .id = STR("e"), .rule_id = r.id, .rule_name = r.name, .subject = STR(""),
				   .environment_id = STR(""), .api_id = STR(""), .summary = STR("bad"), .request_id = STR("") },
				   &(struct store_alert_state){ .rule_id = r.id, .subject = STR(""), .event_id = STR("e") }, &f->err));
	CHECK_OK(f, store_alert_rules_stamp(f->s, &before, &f->err));
	CHANGE(f, store_product_delete(f->s, STR("gold"), &f->err));
	CHECK_OK(f, store_alert_rules_stamp(f->s, &after, &f->err));
	CHECK("the keeper sees that it changed", before != after);
	CHECK_OK(f, store_alert_rule_find(f->s, f->a, r.id, &got, &found, &f->err));
	CHECK("it is there, and off", found && !got.enabled && !got.rule.product.n);
	CHECK_STR("with the reason", got.lost, STR("product gold"));
	CHECK_INT("nothing is bad any more", bad(f), 0);
	got.enabled = true;
	CHECK_INT("not for all products instead", store_alert_rule_check(f->s, f->a, &got, &f->err).code, GH_E_INVALID);
	got.enabled = false;
	CHANGE(f, store_alert_rule_set(f->s, f->a, &got, &f->err));
	CHECK_OK(f, store_alert_rule_find(f->s, f->a, r.id, &got, &found, &f->err));
	CHECK_STR("the reason stays", got.lost, STR("product gold"));
	got.enabled = true;
	got.rule.product = STR("silver");
	CHANGE(f, store_alert_rule_set(f->s, f->a, &got, &f->err));
	CHECK_OK(f, store_alert_rule_find(f->s, f->a, r.id, &got, &found, &f->err));
	CHECK("another one will do", got.enabled && !got.lost.n);
	check_done();
}

/* Where the first event says that it is bad, each that follows says so too, with its messages: also when the keeper was started anew, no call
 * is left or the last one was of another place. */
static void same_place(void **state)
{
	static const struct { const char *label, *environment, *api, *call; int64_t kind; } rows[] = {
		{ "no call left", "default", "orders", NULL, STORE_ALERT_RECOVERED },
		{ "a call of another place", "default", "orders", "other", STORE_ALERT_REMINDER },
		{ "one that was told without", "", "", "other", STORE_ALERT_REMINDER },
	};
	const struct store_alert_webhook hook = { .id = STR("pager"), .url = STR("https://hooks.example.com/"), .description = STR(""), .enabled = true,
						  .secret = STR("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz") };
	const struct store_alert_rule rule = { .id = STR("any"), .name = STR("any"), .description = STR(""), .enabled = true, .remind_s = 60,
					       .mails = STR("ops@example.com  ops@example.com"), .webhooks = STR("pager pager"),     /* told once */
					       .rule = { .kind = ALERT_REQUESTS, .period_s = 60, .status = STR(""), .reasons = STR("") } };
	struct fixture *f = *state;
	struct config config;

	CHECK_OK(f, config_load(&config, f->a, "/nonexistent/gatehouse.conf", &f->err));
	CHANGE(f, store_alert_webhook_set(f->s, f->a, &hook, &f->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct store_alert_event fired = { .id = arena_printf(f->a, "e%zu", i), .rule_id = rule.id, .rule_name = rule.name,
							 .subject = STR(""), .at_us = 1, .environment_id = str_of(rows[i].environment),
							 .api_id = str_of(rows[i].api), .summary = STR("bad"), .request_id = STR("") };
		struct store_alert_state bad_now = { .rule_id = rule.id, .subject = STR(""), .told_us = clock_wall_us() - HOUR_US, .event_id = fired.id };
		struct str body = arena_printf(f->a, "\"environment\":\"%s\",\"api\":\"%s\",", rows[i].environment, rows[i].api);
		struct store_alert_delivery *sent;
		struct store_alert_event *e;
		struct store_mail mail;
		struct alerts *a;
		size_t n, n_sent;
		bool found;

		CHANGE(f, store_alert_rule_set(f->s, f->a, &rule, &f->err));
		bad_now.since_us = clock_wall_us();
		CHANGE(f, store_alert_tell(f->s, &fired, &bad_now, &f->err));
		CHANGE(f, store_alert_events_prune(f->s, bad_now.since_us, &f->err));    /* it began longer ago than the history is kept */
		CHECK_OK(f, alerts_new(f->dir, &config, &a, &f->err));
		CHECK_OK(f, alerts_begin(a, f->s, &f->err));
		if (rows[i].call)
			assert_true(alerts_count(a, &(struct telemetry_call){ .started_us = clock_wall_us(), .status = 200, .api = str_of(rows[i].call),
									      .environment = str_of(rows[i].call) }));
		CHECK_OK(f, alerts_turn(a, f->s, &f->err));
		CHECK_OK(f, store_alert_events(f->s, f->a, &(struct store_alert_event_filter){ 0 }, &e, &n, &f->err));
		CHECK_OK(f, store_alert_deliveries(f->s, f->a, &(struct store_alert_delivery_filter){ .state = -1 }, &sent, &n_sent, &f->err));
		CHECK_OK(f, store_mail_take(f->s, f->a, clock_wall_us(), &mail, &found, &f->err));
		CHECK(rows[i].label, n >= 2 && n_sent == i + 1 && found && e[0].kind == rows[i].kind);
		CHECK_INT("told", e[0].told, 2);
		CHECK_STR(rows[i].label, e[0].environment_id, str_of(rows[i].environment));
		CHECK_STR(rows[i].label, e[0].api_id, str_of(rows[i].api));
		CHECK_INT("by webhook", str_find(sent[0].body, *rows[i].environment ? body : STR("\"environment\"")) != SIZE_MAX, *rows[i].environment != 0);
		CHECK_INT("by mail", str_find(mail.data, *rows[i].environment ? STR("(default)") : STR("\"environment\"")) != SIZE_MAX,
			  *rows[i].environment != 0);
		alerts_free(a);
		CHANGE(f, store_alert_rule_delete(f->s, rule.id, &f->err));
	}
	check_done();
}

/* An API is of one environment: a rule for it tells that too, when no call does. */
static void place_of_the_api(void **state)
{
	const struct store_api api = { .id = STR("orders"), .name = STR("Orders"), .path = STR("orders"), .environment_id = STR("default") };
	struct fixture *f = *state;
	struct store_alert_event *e;
	struct config config;
	struct alerts *a;
	size_t n;

	CHANGE(f, store_api_create(f->s, &api, &f->err));
	a = watch_rule(f, &config, (struct alert_rule){ .kind = ALERT_REQUESTS, .comparison = ALERT_BELOW, .threshold = 1000, .period_s = 60,
							.api = api.id, .status = STR(""), .reasons = STR("") });
	a->rules[0].r.changed_us -= HOUR_US;
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	CHECK_OK(f, store_alert_events(f->s, f->a, &(struct store_alert_event_filter){ 0 }, &e, &n, &f->err));
	CHECK_INT("silence is bad", n, 1);
	CHECK_STR("environment", n ? e[0].environment_id : STR_NULL, STR("default"));
	alerts_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_back, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(silenced, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(quotas, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(one_that_fails, fixture_setup, fixture_teardown),
		cmocka_unit_test(first_failure),
		cmocka_unit_test_setup_teardown(same_place, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(place_of_the_api, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(lost, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
