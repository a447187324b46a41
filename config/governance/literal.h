/* literal.h - secrets that stand in the text of a policy as they are. What is {{a named value}} or an expression is none. */
#pragma once

#include "core/base.h"

enum { LITERAL_SECRETS_MAX = 200 };      /* how many of one text are looked at: finding the next one may read all of it */

struct literal_secret {
	size_t at;                       /* offset of its first byte */
	const char *what;                /* "a password" */
};

/* The next one that begins at or behind `from`; false: there is none. The text of the secret itself is handed to nobody. */
bool literal_secret_next(struct str text, size_t from, struct literal_secret *out);
