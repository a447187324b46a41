/* memory.h - the report on all APIs, kept in a process for as long as nothing has changed, so that a page does not judge a thousand APIs
 * each time it is shown. It is made anew when the configuration's generation moved (core/genfile.h) or an exception has ended. */
#pragma once

#include "config/governance/report.h"

struct governance_memory {               /* zeroed at the beginning; lives as long as its process, one thread */
	struct arena *arena;
	uint64_t generation;
	int64_t until_us;                /* when the next exception ends; 0: none does */
	char dir[512];                   /* of the store that it is about */
	struct governance_report report;
};

/* *out is valid until the next call, and must not be asked for inside of a transaction. */
GH_RC governance_remembered(struct governance_memory *m, struct store *s, const struct governance_report **out, struct gh_err *err);
