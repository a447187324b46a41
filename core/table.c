#include "core/table.h"

#include "core/clock.h"
#include "core/str.h"

#include <math.h>

void table_init(struct table *t, struct arena *a)
{
	*t = (struct table){ .a = a };
}

void table_column(struct table *t, const char *name, const char *title, enum table_kind kind)
{
	if (t->n_columns == TABLE_COLUMNS_MAX || t->n_rows)
		t->failed = true;
	else
		t->columns[t->n_columns++] = (struct table_column){ name, title, kind };
}

struct table_value *table_row(struct table *t)
{
	struct table_value *row;

	if (t->n_rows == t->cap && !t->failed) {
		size_t cap = t->cap ? 2 * t->cap : 32;
		struct table_value *more = arena_alloc(t->a, cap * t->n_columns, sizeof(*more));

		if (!more || cap > 2 * TABLE_ROWS_MAX) {
			t->failed = true;
			return NULL;
		}
		if (t->n_rows)
			memcpy(more, t->values, t->n_rows * t->n_columns * sizeof(*more));
		t->values = more;
		t->cap = cap;
	}
	if (t->failed)
		return NULL;
	row = t->values + t->n_rows++ * t->n_columns;
	for (size_t i = 0; i < t->n_columns; i++)
		row[i] = (struct table_value){ .none = true };
	return row;
}

const struct table_value *table_at(const struct table *t, size_t row, size_t column)
{
	return &t->values[row * t->n_columns + column];
}

size_t table_find(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* ---- one value ------------------------------------------------------------------------------------------------------------ */

static struct str moment(struct arena *a, enum table_kind kind, int64_t us)
{
	char text[CLOCK_ISO_MAX];
	struct str s = str_of(clock_iso(us, 0, text));

	return arena_dup(a, kind == TABLE_DAY ? str_first(s, 10) : s);
}

struct str table_show(struct arena *a, enum table_kind kind, const struct table_value *v)
{
	if (v->none)
		return STR("-");
	switch (kind) {
	case TABLE_TEXT:
		return v->s.n ? v->s : STR("(none)");
	case TABLE_COUNT:
	case TABLE_BYTES:
		return arena_printf(a, "%lld", (long long)v->n);
	case TABLE_MS:
		return arena_printf(a, v->d < 10 ? "%.2f" : v->d < 100 ? "%.1f" : "%.0f", v->d);
	case TABLE_PERCENT:
		return arena_printf(a, v->d > 0 && v->d < 0.1 ? "%.3f" : "%.1f", v->d);
	case TABLE_TIME:
	case TABLE_DAY:
		return moment(a, kind, v->n);
	}
	return STR("");
}

static double rounded(double d)
{
	return round(d * 1000) / 1000;
}

static json_t *value_json(struct arena *a, enum table_kind kind, const struct table_value *v)
{
	struct str s;

	if (v->none)
		return json_null();
	switch (kind) {
	case TABLE_COUNT:
	case TABLE_BYTES:
		return json_integer(v->n);
	case TABLE_MS:
	case TABLE_PERCENT:
		return json_real(rounded(v->d));
	default:
		s = kind == TABLE_TEXT ? v->s : moment(a, kind, v->n);
		return json_stringn(s.p ? s.p : "", s.n);
	}
}

json_t *table_json(const struct table *t)
{
	json_t *rows = json_array();

	for (size_t r = 0; rows && r < t->n_rows; r++) {
		json_t *row = json_object();

		for (size_t c = 0; c < t->n_columns; c++)
			json_object_set_new(row, t->columns[c].name, value_json(t->a, t->columns[c].kind, table_at(t, r, c)));
		if (json_array_append_new(rows, row)) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

/* ---- CSV and text ----------------------------------------------------------------------------------------------------------- */

/* A program that calculates must not take a text for a formula (OWASP: CSV injection). */
static bool is_formula(struct str s)
{
	return s.n && strchr("=+-@\t\r", s.p[0]);
}

static void csv_text(struct buf *b, struct str s)
{
	bool quoted = is_formula(s);

	for (size_t i = 0; i < s.n; i++)
		quoted |= s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
	if (!quoted) {
		buf_str(b, s);
		return;
	}
	buf_cstr(b, is_formula(s) ? "\"'" : "\"");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_char(b, '"');
		buf_char(b, s.p[i]);
	}
	buf_char(b, '"');
}

static void csv_value(struct buf *b, struct arena *a, enum table_kind kind, const struct table_value *v)
{
	if (v->none)
		return;
	if (kind == TABLE_TEXT)
		csv_text(b, v->s);
	else if (kind == TABLE_MS || kind == TABLE_PERCENT)
		buf_fmt(b, "%.3f", v->d);
	else
		buf_str(b, table_show(a, kind, v));
}

void table_csv(struct buf *b, const struct table *t)
{
	for (size_t c = 0; c < t->n_columns; c++)
		buf_fmt(b, "%s%s", c ? "," : "", t->columns[c].name);
	buf_cstr(b, "\r\n");
	for (size_t r = 0; r < t->n_rows; r++) {
		for (size_t c = 0; c < t->n_columns; c++) {
			if (c)
				buf_char(b, ',');
			csv_value(b, t->a, t->columns[c].kind, table_at(t, r, c));
		}
		buf_cstr(b, "\r\n");
	}
}

static void pad(struct buf *b, struct str s, size_t width, bool right, bool last)
{
	size_t blanks = s.n < width ? width - s.n : 0;

	for (size_t i = 0; right && i < blanks; i++)
		buf_char(b, ' ');
	for (size_t i = 0; i < s.n; i++)             /* a name from outside must not move the cursor */
		buf_char(b, (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F ? '?' : s.p[i]);
	for (size_t i = 0; !right && !last && i < blanks; i++)
		buf_char(b, ' ');
	buf_cstr(b, last ? "\n" : "  ");
}

static bool is_number(enum table_kind kind)
{
	return kind == TABLE_COUNT || kind == TABLE_BYTES || kind == TABLE_MS || kind == TABLE_PERCENT;
}

bool table_has(const struct table *t, size_t column)
{
	for (size_t r = 0; r < t->n_rows; r++)
		if (!table_at(t, r, column)->none)
			return true;
	return false;
}

void table_print_row(struct buf *b, const struct table *t, size_t row)
{
	size_t width = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		width = strlen(t->columns[c].title) > width ? strlen(t->columns[c].title) : width;
	for (size_t c = 0; c < t->n_columns; c++) {
		const struct table_value *v = table_at(t, row, c);

		if (v->none)
			continue;
		pad(b, str_of(t->columns[c].title), width, false, false);
		pad(b, table_show(t->a, t->columns[c].kind, v), 0, false, true);
	}
}

void table_print(struct buf *b, const struct table *t)
{
	size_t widths[TABLE_COLUMNS_MAX], shown[TABLE_COLUMNS_MAX], n_shown = 0;

	for (size_t c = 0; c < t->n_columns; c++) {
		if (t->columns[c].detail || !table_has(t, c))
			continue;
		shown[n_shown++] = c;
		widths[c] = strlen(t->columns[c].title);
		for (size_t r = 0; r < t->n_rows; r++) {
			size_t n = table_show(t->a, t->columns[c].kind, table_at(t, r, c)).n;

			widths[c] = n > widths[c] ? n : widths[c];
		}
	}
	for (size_t i = 0; i < n_shown; i++) {
		size_t c = shown[i];

		pad(b, str_of(t->columns[c].title), widths[c], is_number(t->columns[c].kind), i + 1 == n_shown);
	}
	for (size_t r = 0; r < t->n_rows; r++)
		for (size_t i = 0; i < n_shown; i++) {
			size_t c = shown[i];

			pad(b, table_show(t->a, t->columns[c].kind, table_at(t, r, c)), widths[c], is_number(t->columns[c].kind),
			    i + 1 == n_shown);
		}
}
