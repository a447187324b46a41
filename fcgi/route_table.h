/* route_table.h - where APIs stand, for fcgi/route*.c and the snapshot's builder. Immutable once built. */
#pragma once

#include "fcgi/route.h"
#include "fcgi/snapshot.h"

enum { ROUTE_DEPTH_MAX = 32 };               /* segments of an API's path, with its environment's prefix and its version */

struct route_table;

struct route_table *route_table_new(struct arena *a);        /* NULL when out of memory */

/* In any order; asking goes by host and prefix, then host, then prefix, then neither. */
GH_RC route_table_add_environment(struct route_table *t, const struct snap_environment *e, struct gh_err *err);

enum version_scheme { VERSION_NONE, VERSION_SEGMENT, VERSION_HEADER, VERSION_QUERY };

struct route_place {
	const struct snap_api *api;          /* one revision */
	struct str path;                     /* "erp/orders", no slash at either end */
	enum version_scheme scheme;
	struct str parameter;                /* HEADER, QUERY: where the version stands */
	struct str version;                  /* empty: answers when no version is asked for */
	int64_t revision;
	bool is_current;
};
/* CONFLICT when the place is taken by another API. */
GH_RC route_table_add(struct route_table *t, const struct route_place *p, struct gh_err *err);
