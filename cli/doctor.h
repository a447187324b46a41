/* doctor.h - what the files of `gatehouse doctor` share. */
#pragma once

#include "cli/command.h"

enum { DOCTOR_FINDINGS_MAX = 320 };
enum severity { FINE, WARNING, BROKEN };

struct finding {
	int64_t severity;
	struct str what, detail;
};

struct doctor {
	struct cli *c;
	struct finding v[DOCTOR_FINDINGS_MAX];
	size_t n, workers;               /* workers: that run */
};

/* What has no room is left out. BROKEN: the command fails. */
void doctor_tell(struct doctor *d, enum severity severity, const char *what, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* What runs, and what it wrote down about itself: workers, the keeper, its exports, the counters. */
void doctor_check_programs(struct doctor *d);
