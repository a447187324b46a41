/* cors.h - the configuration of cors, which the compiler hands to policy_preflight. */
#pragma once

#include "policy/element.h"

struct cors_methods {                /* <allowed-methods> */
	struct arg max_age;
	struct children list;
};
struct cors_list {                   /* <allowed-origins>, <allowed-headers>, <expose-headers> */
	struct children list;
};
struct cors_config {
	struct arg credentials, terminate;
	struct children origins, methods, headers, expose;   /* at most one each */
};

/* For a call that is refused before its policies run: leaves the headers of the innermost cors that knows the origin to the
 * end, as the policy itself would. The error of the exchange stays as it is. */
void policy_cors_refused(struct exchange *x);
