/* output.h - what commands print: objects and lists, as text for people or as JSON. */
#pragma once

#include "cli/command.h"

enum column_kind { COLUMN_TEXT, COLUMN_INT, COLUMN_BOOL, COLUMN_TIME, COLUMN_NAME };
struct column {
	const char *title;               /* in text: "PATH" */
	const char *name;                /* in JSON: "path" */
	enum column_kind kind;
	size_t offset;                   /* of a struct str, int64_t or bool in the row */
	const char *const *names;        /* COLUMN_NAME: texts of an int64_t, ends with NULL */
};

/* A line a row under titles, or a JSON array of objects. */
void output_list(struct cli *c, const struct column *columns, size_t n_columns, const void *rows, size_t n, size_t row_size);
/* A line a column, or one JSON object (without its end when `open`, for more members). */
void output_row(struct cli *c, const struct column *columns, size_t n_columns, const void *row, bool open);
