/* table.h - figures in rows and columns, and how they leave: as JSON, CSV (RFC 4180) or text. Reports are made once as a table
 * and shown by commands, the JSON API and pages alike, so that none can show another figure.
 *
 * A value that is not there ("no data", no percentile without calls) is different from 0: null in JSON, empty in CSV, a dash
 * in text. Rows and texts live in the arena that the table was begun with. */
#pragma once

#include "core/arena.h"
#include "core/error.h"
#include "core/json.h"

enum table_kind {
	TABLE_TEXT,
	TABLE_COUNT,                 /* a whole number */
	TABLE_BYTES,                 /* the same, of bytes */
	TABLE_MS,                    /* milliseconds; JSON and CSV have three digits behind the point */
	TABLE_PERCENT,
	TABLE_TIME,                  /* microseconds since 1970; leaves as RFC 3339 in UTC */
	TABLE_DAY,                   /* the same; leaves as 2026-01-31 */
};

struct table_column {
	const char *name;            /* in JSON and CSV: "errorPercent" */
	const char *title;           /* for people: "Errors, %" */
	enum table_kind kind;
	bool detail;                 /* not among what people look at first: in JSON and CSV only */
};

struct table_value {
	bool none;
	int64_t n;                   /* COUNT, BYTES, TIME, DAY */
	double d;                    /* MS, PERCENT */
	struct str s;                /* TEXT */
};

enum { TABLE_COLUMNS_MAX = 48, TABLE_ROWS_MAX = 200000 };

struct table {
	struct arena *a;
	struct table_column columns[TABLE_COLUMNS_MAX];
	size_t n_columns;
	struct table_value *values;  /* rows one after the other */
	size_t n_rows, cap;
	bool failed;                 /* out of memory or too many rows: sticky */
};

void table_init(struct table *t, struct arena *a);
void table_column(struct table *t, const char *name, const char *title, enum table_kind kind);
/* A new row, whose values are none; n_columns of them. Valid until the next one is added. NULL once failed. */
struct table_value *table_row(struct table *t);
const struct table_value *table_at(const struct table *t, size_t row, size_t column);
/* The column of that name, or SIZE_MAX. */
size_t table_find(const struct table *t, const char *name);

static inline struct table_value table_text(struct str s)
{
	return (struct table_value){ .s = s };
}
static inline struct table_value table_count(int64_t n)
{
	return (struct table_value){ .n = n };
}
static inline struct table_value table_real(double d)
{
	return (struct table_value){ .d = d };
}

json_t *table_json(const struct table *t);           /* an array of objects, owned by the caller; NULL when out of memory */
void table_csv(struct buf *b, const struct table *t);
/* Columns aligned, a line a row; those without any value and details are left out. */
void table_print(struct buf *b, const struct table *t);
void table_print_row(struct buf *b, const struct table *t, size_t row);      /* one row with all it has, a line a value */
bool table_has(const struct table *t, size_t column);        /* any row has a value there */
/* One value as people read it, without unit: "1.25", "2026-01-31"; "-" when there is none. In the arena. */
struct str table_show(struct arena *a, enum table_kind kind, const struct table_value *v);
