/* limit_list.h - limits as documents have them. */
#pragma once

#include "core/json.h"
#include "db/tiers.h"

json_t *limit_list(const struct store_limit *v, size_t n);       /* [{"kind", "calls", …}]; owned by the caller */
