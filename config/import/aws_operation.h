/* aws_operation.h - what an operation of API Gateway does, as a policy. For config/import/ only. */
#pragma once

#include "config/import/bundle.h"

struct aws {
	struct bundle *bundle;
	json_t *doc;                     /* the whole export */
	struct str id;                   /* of the API */
	struct str backend;              /* "https://erp.example.com": the first address that an operation calls */
	json_t *told;                    /* {name: true} of authorizers */
	bool needs_key;
	size_t needs_none;
	char method[32];                 /* of the operation at hand, upper case */
};

/* The policy of the operation ("orders/get-order"); integration may be NULL. */
void aws_operation(struct aws *x, struct str place, const json_t *op, const json_t *integration);
