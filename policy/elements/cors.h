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
