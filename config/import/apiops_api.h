/* apiops_api.h - what the parts of the APIOps import share. For config/import/ only. */
#pragma once

#include "config/import/apiops.h"

struct apiops {
	struct bundle *bundle;
	const struct tree *tree;
};

json_t *apiops_json(struct apiops *x, struct str path);          /* NULL: not there, or a row of the report says why; of the arena */
json_t *apiops_properties(struct apiops *x, struct str path);    /* its "properties" */
struct str apiops_text(const struct apiops *x, struct str path); /* STR_NULL: not there */
struct str apiops_last(struct str path);                         /* "/backends/erp" gives "erp" */
/* The folders below `folder` ("apis/"); begin with *i 0 and *name STR_NULL. */
bool apiops_next(const struct apiops *x, const char *folder, size_t *i, struct str *name);

GH_RC apiops_apis(struct apiops *x, struct gh_err *err);
