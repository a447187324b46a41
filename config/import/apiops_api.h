/* apiops_api.h - what the parts of the APIOps import share. For config/import/ only. */
#pragma once

#include "config/import/apiops.h"

struct apiops {
	struct bundle *bundle;
	const struct tree *tree;
	size_t https_only;               /* APIs that were called over https alone */
	bool *read;                      /* by file of the tree: it was read, or a row of the report is about it */
};

json_t *apiops_json(struct apiops *x, struct str path);          /* NULL: not there, or a row of the report says why; of the arena */
json_t *apiops_properties(struct apiops *x, struct str path);    /* its "properties" */
struct str apiops_text(struct apiops *x, struct str path);       /* STR_NULL: not there */
bool apiops_there(struct apiops *x, struct str path);            /* also an empty one; it counts as read */
/* All files below "loggers/hub/" count as read: a row is about them. */
void apiops_told(struct apiops *x, struct str folder);
struct str apiops_last(struct str path);                         /* "/backends/erp" gives "erp" */
/* The folders below `folder` ("apis/"); begin with *i 0 and *name STR_NULL. */
bool apiops_next(const struct apiops *x, const char *folder, size_t *i, struct str *name);

/* A row for each folder below `folder`: it is left out, and why. */
void apiops_left_out(struct apiops *x, const char *folder, const char *what, const char *why);
GH_RC apiops_apis(struct apiops *x, struct gh_err *err);
