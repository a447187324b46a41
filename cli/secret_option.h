/* secret_option.h - the options by which every command takes a secret: from a file, from standard input, by reference.
 * A command puts SECRET_OPTIONS into its table and asks secret_option_read. */
#pragma once

#include "cli/command.h"

struct store;

#define SECRET_OPTIONS                                                                                                  \
	{ "file", OPTION_TEXT, "FILE", "holds the value; - is standard input; one line break at the end is left out", false }, \
	{ "secret-stdin", OPTION_FLAG, NULL, "a secret value from standard input: as --secret --file -", false },        \
	{ "ref", OPTION_TEXT, "REF", "where the secret stands: env:NAME, file:/PATH, credential:NAME, vault:MOUNT/PATH#FIELD", false }

struct secret_option {
	struct str value, ref;           /* one of them; the other is STR_NULL. Both: none of the options was given */
	bool secret;                     /* --secret-stdin or --ref */
};

/* Wrong usage when more than one was given, INVALID when --ref is no reference. */
GH_RC secret_option_read(struct cli *c, struct secret_option *out, struct gh_err *err);

/* After the reference has been committed: reads it at once, so that whoever sets it sees whether it can be read. What
 * depends on the environment of the service (env:, credential:) is left to the keeper. A warning, not an error, when it
 * cannot be read now. */
GH_RC secret_option_try(struct cli *c, struct store *s, struct str ref, struct gh_err *err);

/* --rotate-by DATE|none, a row of its own for tables: { "rotate-by", … }, and in the document { "rotate-by", "rotateBy", DOC_TIME }. */
#define ROTATE_BY_OPTION { "rotate-by", OPTION_TEXT, "DATE|TIME|none", "remind of replacing it: 2027-01-31", false }
