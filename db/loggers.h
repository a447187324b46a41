/* loggers.h - where the policy log-to-eventhub sends its messages. Settings and kinds: core/logger.h. */
#pragma once

#include "db/store.h"

struct store_logger {
	struct str id, description;
	struct str kind;                         /* "http", "file", "syslog" */
	struct str settings;                     /* JSON */
	struct str secrets;                      /* JSON; STR_NULL: none, or not asked for in clear; sealed in the store */
};

/* Makes or replaces. INVALID when kind and settings do not fit core/logger.h. */
GH_RC store_logger_set(struct store *s, const struct store_logger *l, struct gh_err *err);
GH_RC store_logger_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_loggers(struct store *s, struct arena *a, bool in_clear, struct store_logger **out, size_t *n, struct gh_err *err);
