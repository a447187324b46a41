/* plan_view.h - what a plan (config/files/plan.h) would do, on a page: templates/admin/plan_changes.html shows it. */
#pragma once

#include "config/files/plan.h"
#include "portal/web/web.h"

/* `changes` in the record: what is made, changed and removed, whom it touches, and the fields of a change with their diff. */
void admin_put_changes(struct web *w, struct liquid_record *r, const struct plan *p);
