#include "portal/admin/admin.h"

#include "core/map.h"
#include "core/str.h"
#include "db/telemetry.h"

#include <math.h>

struct admin_traffic {
	struct map by_api;               /* -> struct store_traffic */
};

gh_rc admin_traffic_load(struct web *w, struct admin_traffic **out, struct gh_err *err)
{
	struct admin_traffic *t = arena_new_of(w->a, struct admin_traffic);
	struct store_traffic_row *rows;
	size_t n;

	if (!t)
		FAIL(err, NOMEM, "traffic");
	map_init(&t->by_api, w->a, false);
	TRY(store_traffic_day(w->site->store, w->a, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(&t->by_api, rows[i].id, &rows[i].traffic))
			FAIL(err, NOMEM, "traffic");
	*out = t;
	return GH_RC_OK;
}

/* "0 %" only when there was none; a rare error must not be rounded away. */
static struct str percent_text(struct arena *a, double percent)
{
	if (percent == 0)
		return STR("0 %");
	if (percent < 0.1)
		return STR("< 0.1 %");
	if (percent >= 99.95 && percent < 100)
		return STR("> 99.9 %");
	return arena_printf(a, percent < 10 ? "%.1f %%" : "%.0f %%", percent);
}

void admin_traffic_put(struct web *w, const struct admin_traffic *t, struct str api_id, struct liquid_record *row)
{
	const struct store_traffic *traffic = map_get(&t->by_api, api_id);
	struct liquid_record *r;
	double percent;

	liquid_set(row, "traffic", LIQUID_NIL_VALUE);
	if (!traffic || !traffic->calls)
		return;
	percent = store_traffic_error_percent(traffic);
	r = liquid_set_record(row, "traffic");
	liquid_set_text(r, "calls", web_number(w, traffic->calls));
	liquid_set_text(r, "errors", percent_text(w->a, percent));
	liquid_set_text(r, "level", percent <= 0 ? STR("none") : percent < 5 ? STR("low") : STR("high"));
}
