/* one_api.h - a description becomes an API, or the new state of one that is there: documents (config/resource.h) in a change.
 *
 * The API that stands at the same path and version of the environment, or has the id that was given, is updated: what people set by
 * hand (state, key names, the backend unless one is given) stays, operations whose id stays keep their policies, those that the
 * description no longer has go. One that has only the title in common is a conflict. */
#pragma once

#include "config/resource.h"
#include "core/openapi.h"

struct one_api {
	struct openapi *doc;             /* what operations, title and description come from */
	struct str text, bundled;        /* kept as the API's description, byte for byte; bundled STR_NULL: it is one file */
	struct str source;               /* file or address; STR_NULL: not told */
	struct str id;                   /* without the version; empty: made from the title or the path */
	bool named;                      /* the id was asked for: another API at this path is a conflict */
	struct str path, version, environment;   /* version empty: none */
	struct str backend;              /* address of a new API, or with backend_given of one that is there too */
	bool backend_given;
	struct str product;              /* that it is put into; empty: none */
	/* set by one_api_write */
	bool created;
	struct str name, backend_now;
	size_t n_operations;
};

/* INVALID, CONFLICT: see the problems of the change. NOT_FOUND: no such product. */
GH_RC one_api_write(struct resource_change *c, struct store *s, struct arena *a, struct one_api *v, struct gh_err *err);
