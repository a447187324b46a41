/* regex_code.h - .NET regular expressions on PCRE2: translating, compiling once in a process, matching within limits.
 *
 * Not carried over, and refused with a message (code UNSUPPORTED): balancing groups, look-behind without a bound, what
 * regex_reverse.c says of RightToLeft, groups whose name is a number, subtraction of classes under a quantifier that PCRE2
 * cannot express. Thread-safe. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum regex_option {
	REGEX_IGNORE_CASE = 1, REGEX_MULTILINE = 2, REGEX_EXPLICIT_CAPTURE = 4, REGEX_COMPILED = 8, REGEX_SINGLELINE = 16,
	REGEX_IGNORE_WHITE = 32, REGEX_RIGHT_TO_LEFT = 64, REGEX_ECMASCRIPT = 256, REGEX_CULTURE_INVARIANT = 512
};

/* Steps of one match, about 50 ms at worst; beyond it is RegexMatchTimeoutException. */
enum { REGEX_MATCH_LIMIT = 1000000, REGEX_HEAP_KIB = 20000, REGEX_PATTERN_MAX = 65536 };

struct regex_group {                 /* in .NET's order: 0, unnamed ones, named ones */
	struct str name;             /* "0", "1" …, or the name */
	unsigned *slots;             /* PCRE2's numbers: several when a name stands twice */
	unsigned n;
};

struct regex_code {
	struct str pattern;
	unsigned options;
	void *pcre;
	struct regex_group *groups;
	unsigned n_groups, n_slots;
	/* private to regex_code.c */
	struct arena *arena;
	struct str translated;
	uint32_t pcre_options;
	void *watched;               /* the same with callouts, made when it is asked for what groups captured on the way */
	unsigned refs;
	uint64_t used;
	bool cached;
};

/* The compiled pattern, kept until the arena ends; *fresh: it had to be compiled. NULL: err->message has the text after
 * `parsing "…" - `. */
const struct regex_code *regex_get(struct arena *a, struct str pattern, unsigned options, bool *fresh, struct gh_err *err);

enum regex_result { REGEX_MATCH, REGEX_NO_MATCH, REGEX_TIMEOUT, REGEX_MEMORY };

/* Matches valid UTF-8 from byte `from`, with RightToLeft from there to the left. spans: 2 * n_slots byte offsets, SIZE_MAX
 * where a group took no part. A match that takes more steps ends as REGEX_TIMEOUT; a step is a few ns for most patterns, and
 * as much as a look at a thousand characters for some. */
enum regex_result regex_match(const struct regex_code *r, struct str s, size_t from, uint32_t steps, size_t *spans);

/* All that the slot captured in the match that begins at byte `from` (ends there, with RightToLeft), in the order of the
 * match: *n pairs in a. PCRE2 keeps the last only, so the match is done again with a look at its groups before each item;
 * what is inside of a look-ahead or look-behind has its last capture only. Steps are charged to the run. False: no memory,
 * or the run has ended. */
bool regex_captures(const struct regex_code *r, struct arena *a, struct str s, size_t from, unsigned slot, size_t **spans, size_t *n);

/* For RightToLeft: the pattern for the text turned round, and the names of .NET's groups ("0", "1" …, names) in its order;
 * unnamed group k is named _gk there. STR_NULL: err says why. */
struct str regex_reverse(struct arena *a, struct str pattern, unsigned options, struct str **names, unsigned *n_names,
			 struct gh_err *err);

/* Translates to PCRE2's syntax. STR_NULL: err says why. groups as in the code, allocated in a. */
struct str regex_translate(struct arena *a, struct str pattern, unsigned options, struct regex_group **groups,
			   unsigned *n_groups, unsigned *n_slots, struct gh_err *err);
