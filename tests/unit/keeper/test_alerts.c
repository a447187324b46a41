/* Alerts in the keeper when the clock is not what it was, and while they are silenced; what they count and say is tested in core/test_alert.c. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "db/alerts.h"
#include "db/telemetry.h"
#include "keeper/alerts_impl.h"

static const int64_t HOUR_US = INT64_C(3600000000);

static size_t bad(struct fixture *f)
{
	struct store_alert_state *v;
	size_t n = 0;

	CHECK_OK(f, store_alert_states(f->s, f->a, &v, &n, &f->err));
	return n;
}

static struct alerts *watch(struct fixture *f, struct config *config)
{
	const struct store_alert_rule r = { .id = STR("any"), .name = STR("any"), .description = STR(""), .enabled = true, .mails = STR(""),
					    .webhooks = STR(""), .rule = { .kind = ALERT_REQUESTS, .period_s = 60, .status = STR(""), .reasons = STR("") } };
	struct alerts *a = NULL;

	CHECK_OK(f, config_load(config, f->a, "/nonexistent/gatehouse.conf", &f->err));
	CHANGE(f, store_alert_rule_set(f->s, f->a, &r, &f->err));
	CHECK_OK(f, alerts_new(f->dir, config, &a, &f->err));
	CHECK_OK(f, alerts_begin(a, f->s, &f->err));
	return a;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_back, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(silenced, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
