/* lint.h - what the files of `gatehouse lint` share. Each rule looks at one thing and says how to mend it; no finding ever holds a
 * secret, only where it stands. */
#pragma once

#include "cli/command.h"
#include "core/config.h"
#include "core/map.h"
#include "db/store.h"

enum lint_level { LINT_ERROR, LINT_WARNING, LINT_NOTE };

struct lint_finding {
	int64_t level;                   /* enum lint_level */
	struct str rule;                 /* "key-old" */
	struct str object;               /* "subscription s1, primary key" */
	struct str detail, mend;
};

struct lint {
	struct cli *c;
	struct store *s;
	struct config config;
	int64_t now_us;
	struct lint_finding *v;
	size_t n, left_out;
	struct map digests;              /* SHA-256 of each secret that was seen -> struct str, the first place */
};

enum { LINT_FINDINGS_MAX = 5000 };
#define LINT_DAY_US 86400000000LL

/* Texts may live for a short time: they are copied. */
void lint_tell(struct lint *l, enum lint_level level, const char *rule, struct str object, struct str mend, const char *fmt, ...)
	PRINTF_LIKE(6, 7);
/* Is it weak, and does it stand elsewhere too? */
void lint_secret(struct lint *l, struct str object, struct str secret, struct str mend);

GH_RC lint_keys(struct lint *l, struct gh_err *err);             /* lint_secrets.c */
GH_RC lint_values(struct lint *l, struct gh_err *err);
GH_RC lint_credentials(struct lint *l, struct gh_err *err);
GH_RC lint_reminders(struct lint *l, struct gh_err *err);
GH_RC lint_certificates(struct lint *l, struct gh_err *err);     /* lint_surface.c */
GH_RC lint_documents(struct lint *l, struct gh_err *err);
GH_RC lint_backends(struct lint *l, struct gh_err *err);
GH_RC lint_access(struct lint *l, struct gh_err *err);
