/* catalog.h - what the pages of the catalog share. */
#pragma once

#include "db/catalog.h"
#include "portal/portal/portal.h"

/* State and dates of an API, as the columns of the store have them. */
struct portal_life {
	int64_t state, deprecated_us, sunset_us;
};
/* For templates/portal/state.html: state (as it is now), deprecated_on, sunset_on, deprecated_later. */
void portal_put_life(struct web *w, struct liquid_record *r, const struct portal_life *life, int64_t now_us);

/* What ?q=, ?tag= and ?state= ask for, of a version set one: by name, or the best results first, whose texts are marked. Those by name have
 * no descriptions yet (store_catalog_describe). */
GH_RC portal_catalog_rows(struct web *w, struct store_catalog_row **rows, size_t *n, struct gh_err *err);

/* Versions as people count: "v10" is behind "v9". */
int portal_version_cmp(struct str a, struct str b);

/* `news` in w->page: what happened lately to APIs that the caller may see, newest first. */
GH_RC portal_put_news(struct web *w, size_t most, size_t offset, struct gh_err *err);
