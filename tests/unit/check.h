/* check.h - what every unit test includes: cmocka, and checks that name the row of a table and go on.
 *
 * A table test loops over its rows, calls CHECK for each expectation, and ends with check_done(): every failing row is
 * reported by label, not just the first. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/str.h"

static int check_failures UNUSED;

/* A test that does not end with check_done() would pass whatever it saw: then the program fails. */
__attribute__((destructor)) static UNUSED void check_forgotten(void)
{
	if (!check_failures)
		return;
	fprintf(stderr, "# %d checks failed in tests that do not end with check_done()\n", check_failures);
	_exit(1);
}

#define CHECK(label, cond)                                                                              \
	do {                                                                                            \
		if (!(cond)) {                                                                          \
			check_failures++;                                                               \
			fprintf(stderr, "# %s:%d: %s: not true: %s\n", __FILE__, __LINE__, (label), #cond); \
		}                                                                                       \
	} while (0)

#define CHECK_STR(label, got, want)                                                                     \
	do {                                                                                            \
		struct str got_ = (got), want_ = (want);                                                \
		if (!str_eq(got_, want_)) {                                                             \
			check_failures++;                                                               \
			fprintf(stderr, "# %s:%d: %s: got \"%.*s\", want \"%.*s\"\n", __FILE__, __LINE__, (label), \
				STR_ARG(got_), STR_ARG(want_));                                         \
		}                                                                                       \
	} while (0)

#define CHECK_INT(label, got, want)                                                                     \
	do {                                                                                            \
		long long got_ = (long long)(got), want_ = (long long)(want);                           \
		if (got_ != want_) {                                                                    \
			check_failures++;                                                               \
			fprintf(stderr, "# %s:%d: %s: got %lld, want %lld\n", __FILE__, __LINE__, (label), got_, want_); \
		}                                                                                       \
	} while (0)

#define check_done()                                                                                    \
	do {                                                                                            \
		int failed_ = check_failures;                                                           \
		check_failures = 0;                                                                     \
		assert_int_equal(failed_, 0);                                                           \
	} while (0)

/* Ends a test that has nothing to work on here. Not cmocka's skip(): its TAP line reads "not ok # SKIP". */
#define check_skip(...)                                                                                 \
	do {                                                                                            \
		fprintf(stderr, "# skipped: " __VA_ARGS__);                                             \
		fputc('\n', stderr);                                                                    \
		return;                                                                                 \
	} while (0)
