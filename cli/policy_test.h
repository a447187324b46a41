/* policy_test.h - between the files of `gatehouse policy test`: cases that stand in files beside policy documents.
 * docs/policy-test.md describes the files. */
#pragma once

#include "policy/offline/offline.h"

enum {
	TEST_FILES_MAX = 5000,               /* files of one call */
	TEST_CASES_MAX = 20000,              /* cases of one call */
	TEST_DEPTH_MAX = 32,                 /* folders below the one named */
	TEST_FILE_BYTES_MAX = 4 << 20,
	TEST_CASE_MEMORY_MAX = 1 << 28,
	TEST_DIFFERENCES_MAX = 20,           /* shown of one case; further ones only say that there are more */
};

struct test_case {
	const char *file;                    /* the test file, as it was found */
	struct str text;                     /* its text, for places; STR_NULL when it could not be read */
	const char *pointer;                 /* JSON Pointer of the case in its file */
	const char *name;                    /* one line */
	json_t *json;                        /* NULL: the file is at fault, see problem */
	const char *problem;                 /* why the file could not be read, with its place */
};

struct test_result {
	const char *policy;                  /* the document; NULL when it never came so far */
	struct text_where where;             /* of the case; {0, 0} when not known */
	json_t *errors;                      /* texts: what kept the case from running to its end */
	json_t *differences;                 /* objects: run (with `repeat`), path, expected, actual, message */
};

/* policy_case.c */

/* The cases of one file into v[*n...]. A file that cannot be read or is no file of cases gives one case with a problem. */
GH_RC test_file_read(struct arena *a, const char *file, struct test_case *v, size_t *n, struct gh_err *err);
/* Runs one case; it passed when both lists of the result are empty. Memory from `a`, which must outlive the result. */
GH_RC test_case_run(struct arena *a, const struct test_case *c, struct test_result *out, struct gh_err *err);

/* policy_expect.c */

/* Appends to `differences` what of `expect` the output of one run does not fulfil. run: from 1; 0 for the only one. */
void test_expect(struct arena *a, json_t *expect, json_t *output, json_int_t run, json_t *differences);
