/* status.c - how the APIs that the caller may see did in the last 90 days, as a page the rule is db/status.h.
 *
 * Shares are shown and never numbers of calls: how much others call is nobody's business here. */
#include "portal/portal/status.h"

#include "core/clock.h"
#include "core/str.h"

enum { DAYS = PORTAL_STATUS_DAYS, PAGE_APIS = 20, BAR = 4, BAR_HEIGHT = 28 };

struct status_rule portal_status_rule(const struct web *w)
{
	return (struct status_rule){ .up_percent = config_int(&w->site->config, CONFIG_PORTAL_STATUS_UP_PERCENT),
				     .down_percent = config_int(&w->site->config, CONFIG_PORTAL_STATUS_DOWN_PERCENT) };
}

gh_rc portal_status_apis(struct web *w, struct store_catalog_row **rows, size_t *n, struct gh_err *err)
{
	const struct store_catalog_filter f = { .user_id = portal_viewer(w), .tag = STR_NULL, .state = -1, .now_us = clock_wall_us() };

	if (!config_bool(&w->site->config, CONFIG_PORTAL_STATUS))
		FAIL(err, NOT_FOUND, "the portal shows no states of APIs");
	return store_catalog_list(w->site->store, w->a, &f, rows, n, err);
}

struct status_day portal_status_sum(const struct status_day days[DAYS])
{
	struct status_day sum = { .day_us = days[0].day_us };

	for (size_t i = 0; i < DAYS; i++) {
		sum.served += days[i].served;
		sum.failed += days[i].failed;
	}
	return sum;
}

/* ---- the page ---------------------------------------------------------------------------------------------------------------- */

/* Rounded down: 100 % are all. */
static struct str percent(struct web *w, const struct status_day *d)
{
	int64_t good = status_success(d);

	if (good < 0)
		return STR("");
	return web_textf(w, "{1} %", LANG_STR(web_decimal(w, (double)good / 100, good == 10000 ? 0 : 2)));
}

static struct str state_words(struct web *w, enum status_state s)
{
	static const struct str words[STATUS_STATE__COUNT] = { STR_INIT("No data"), STR_INIT("Up"), STR_INIT("Degraded"), STR_INIT("Down") };

	return web_text(w, words[s]);
}

static void put_state(struct web *w, struct liquid_record *r, enum status_state s)
{
	static const char *const class[STATUS_STATE__COUNT] = { "none", "good", "warn", "bad" };

	liquid_set_text(r, "state", str_of(status_state_name(s)));
	liquid_set_text(r, "class", str_of(class[s]));
	liquid_set_text(r, "words", state_words(w, s));
}

static void put_trouble(struct web *w, struct liquid_record *r, const struct status_day *d, enum status_state s)
{
	put_state(w, r, s);
	liquid_set_text(r, "date", web_day(w, d->day_us));
	liquid_set_text(r, "share", percent(w, d));
}

/* All days of one state as one path of a picture, which 90 elements for each API would make too large. The worse a day was, the
 * lower its bar: the colour is not the only sign. */
static struct str bars(struct web *w, const enum status_state states[DAYS], enum status_state s)
{
	static const int heights[STATUS_STATE__COUNT] = { 3, BAR_HEIGHT, BAR_HEIGHT * 2 / 3, BAR_HEIGHT / 3 };
	struct str out;
	struct buf b;

	buf_init(&b, DAYS * 32);
	for (int i = 0; i < DAYS; i++)
		if (states[i] == s)
			buf_fmt(&b, "M%d %dh3v%dh-3z", i * BAR, BAR_HEIGHT - heights[s], heights[s]);
	out = arena_dup(w->a, buf_view(&b));
	buf_release(&b);
	return out;
}

static void put_days(struct web *w, struct liquid_record *r, const struct status_day days[DAYS])
{
	static const char *const names[STATUS_STATE__COUNT][2] = { { "days_none", "bars_none" }, { "days_up", "bars_up" },
								   { "days_degraded", "bars_degraded" }, { "days_down", "bars_down" } };
	struct liquid_list *troubles = liquid_set_list(r, "troubles");
	const struct status_rule rule = portal_status_rule(w);
	int64_t counts[STATUS_STATE__COUNT] = { 0 };
	enum status_state states[DAYS];

	for (size_t i = 0; i < DAYS; i++) {
		states[i] = status_of(&rule, &days[i]);
		counts[states[i]]++;
	}
	for (size_t i = DAYS; i-- > 0;)
		if (states[i] == STATUS_DEGRADED || states[i] == STATUS_DOWN)
			put_trouble(w, liquid_push_record(troubles), &days[i], states[i]);
	for (size_t i = 0; i < STATUS_STATE__COUNT; i++) {
		liquid_set_int(r, names[i][0], counts[i]);
		liquid_set_text(r, names[i][1], bars(w, states, (enum status_state)i));
	}
}

static GH_RC put_api(struct web *w, struct liquid_record *r, const struct store_catalog_row *row, int64_t now_us, struct gh_err *err)
{
	const struct status_rule rule = portal_status_rule(w);
	struct status_day days[DAYS], sum;

	TRY(store_status_days(w->site->store, row->id, now_us, DAYS, days, err));
	sum = portal_status_sum(days);
	liquid_set_text(r, "id", row->id);
	liquid_set_text(r, "name", row->name.n ? row->name : row->id);
	liquid_set_text(r, "version", row->version.n ? row->version : STR(""));
	liquid_set_text(r, "success", percent(w, &sum));
	put_state(w, r, status_of(&rule, &days[DAYS - 1]));
	put_days(w, r, days);
	return GH_RC_OK;
}

gh_rc portal_status(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "apis");
	const struct status_rule rule = portal_status_rule(w);
	int64_t now_us = clock_wall_us();
	struct store_catalog_row *rows;
	size_t n, from, shown;

	TRY(portal_status_apis(w, &rows, &n, err));
	shown = web_slice(w, n, PAGE_APIS, &from);
	for (size_t i = from; i < from + shown; i++)
		TRY(put_api(w, liquid_push_record(list), &rows[i], now_us, err));
	liquid_set_int(w->page, "chart_width", DAYS * BAR);
	liquid_set_int(w->page, "chart_height", BAR_HEIGHT);
	liquid_set_int(w->page, "up_percent", rule.up_percent);
	liquid_set_int(w->page, "down_percent", rule.down_percent);
	web_title(w, "Status");
	return web_page(w, "status", err);
}
