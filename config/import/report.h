/* report.h - what became of each thing that an import read: taken over, approximated (how), not possible (why).
 *
 * Things that are simply taken over are counted by their kind; whatever is not exactly what it was has a row of its own. The
 * rows stand in the order in which they were told. A report is bounded: beyond IMPORT_ROWS_MAX rows only their number grows.
 * Not thread-safe. */
#pragma once

#include "core/json.h"

enum { IMPORT_ROWS_MAX = 2000 };

enum import_outcome { IMPORT_TAKEN, IMPORT_APPROXIMATED, IMPORT_NOT_POSSIBLE };
extern const char *const import_outcome_names[];         /* "taken over", "approximated", "not possible" */

struct import_row {
	enum import_outcome outcome;
	struct str what;                 /* "operation", or for a row of its own "plugin acl of service orders" */
	struct str note;                 /* how, or why and what to do instead; STR_NULL for what is taken over */
	size_t count;                    /* of things taken over; else 1 */
};

struct import_report {
	struct arena *arena;
	struct import_row *rows;
	size_t n, cap, left_out;
	bool failed;                     /* out of memory: the report misses rows */
};

void import_report_init(struct import_report *r, struct arena *a);
/* n more things of that kind; `kind` is a constant text. */
void import_taken(struct import_report *r, const char *kind, size_t n);
/* A thing that is not exactly what it was, or that is left out: `what` names it, the note says how, or why and what to do. */
void import_approximated(struct import_report *r, struct str what, const char *note, ...) PRINTF_LIKE(3, 4);
void import_not_possible(struct import_report *r, struct str what, const char *note, ...) PRINTF_LIKE(3, 4);
/* What is known of a member of an object. With a reason it is not taken over; without one it is read, or changes nothing here. */
struct import_field {
	const char *name, *why;
	const char *otherwise;           /* JSON of the value that it has anyway, which says nothing; so do null, false, 0, "", [] and {} */
};
/* Tells each member of the object that says something and is not taken over, also one that no row of the table (ended by a NULL name)
 * knows: nothing is left out without a word. */
void import_fields(struct import_report *r, const json_t *object, struct str what, const struct import_field *known);
/* The text of a file, without the byte order mark that programs of Windows write before it. */
struct str import_text(struct str bytes);
/* Rows of that outcome. */
size_t import_count(const struct import_report *r, enum import_outcome outcome);

/* The table for people, and [{"outcome","what","note","count"}] for programs. */
void import_report_text(const struct import_report *r, struct buf *out);
json_t *import_report_json(const struct import_report *r);      /* owned by the caller; NULL when out of memory */
