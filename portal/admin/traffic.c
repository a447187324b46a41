#include "portal/admin/admin.h"

#include "core/str.h"
#include "db/telemetry.h"

#include <math.h>

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

gh_rc admin_traffic_put(struct web *w, struct str api_id, struct liquid_record *row, struct gh_err *err)
{
	struct store_traffic traffic;
	struct liquid_record *r;
	double percent;

	liquid_set(row, "traffic", LIQUID_NIL_VALUE);
	TRY(store_traffic_day_of(w->site->store, api_id, &traffic, err));
	if (!traffic.calls)
		return GH_RC_OK;
	percent = store_traffic_error_percent(&traffic);
	r = liquid_set_record(row, "traffic");
	liquid_set_text(r, "calls", web_number(w, traffic.calls));
	liquid_set_text(r, "errors", percent_text(w->a, percent));
	liquid_set_text(r, "level", percent <= 0 ? STR("none") : percent < 5 ? STR("low") : STR("high"));
	return GH_RC_OK;
}
