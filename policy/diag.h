/* diag.h - errors and warnings of a policy document, each with its place in the original file.
 * Collected, not thrown: a person wants to see all of them at once. */
#pragma once

#include "core/arena.h"

enum { DIAGS_MAX = 50 };             /* further ones are counted only */

struct policy_diag {
	unsigned line, column;       /* from 1; in bytes of the original document */
	bool warning;
	struct str message;          /* one sentence: what, and how to mend it */
};

struct policy_diags {
	struct arena *arena;
	struct policy_diag v[DIAGS_MAX];
	size_t n, errors, warnings;  /* n: kept in v */
};

void policy_diags_init(struct policy_diags *d, struct arena *a);
void policy_error(struct policy_diags *d, unsigned line, unsigned column, const char *fmt, ...) PRINTF_LIKE(4, 5);
void policy_warning(struct policy_diags *d, unsigned line, unsigned column, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Takes the secrets, and longer parts of them, out of the messages from number `from` on: whoever may look at a plan or write a
 * document may not read the named values in it. */
void policy_diags_hide(struct policy_diags *d, size_t from, const struct str *secrets, size_t n);
