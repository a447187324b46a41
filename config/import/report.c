#include "config/import/report.h"

#include "config/files/plan.h"
#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>

enum { NOTE_MAX = 600 };

const char *const import_outcome_names[] = { "taken over", "approximated", "not possible", NULL };

void import_report_init(struct import_report *r, struct arena *a)
{
	*r = (struct import_report){ .arena = a };
}

static struct import_row *new_row(struct import_report *r)
{
	if (r->n == IMPORT_ROWS_MAX) {
		r->left_out++;
		return NULL;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;
		struct import_row *rows = arena_alloc(r->arena, cap, sizeof(*rows));

		if (!rows) {
			r->failed = true;
			return NULL;
		}
		if (r->n)
			memcpy(rows, r->rows, r->n * sizeof(*rows));
		r->rows = rows;
		r->cap = cap;
	}
	return &r->rows[r->n++];
}

void import_taken(struct import_report *r, const char *kind, size_t n)
{
	struct import_row *row = NULL;

	if (n == 0)
		return;
	for (size_t i = 0; i < r->n && !row; i++)
		if (r->rows[i].outcome == IMPORT_TAKEN && str_eq(r->rows[i].what, str_of(kind)))
			row = &r->rows[i];
	if (!row) {
		row = new_row(r);
		if (!row)
			return;
		*row = (struct import_row){ .outcome = IMPORT_TAKEN, .what = str_of(kind) };
	}
	row->count += n;
}

static void add(struct import_report *r, enum import_outcome outcome, struct str what, const char *fmt, va_list ap)
{
	char note[NOTE_MAX];
	struct import_row *row;

	vsnprintf(note, sizeof(note), fmt, ap);
	for (size_t i = r->n; i-- > 0;)          /* the same of the same thing once: a service has many routes */
		if (r->rows[i].outcome == outcome && str_eq(r->rows[i].what, what) && str_eq(r->rows[i].note, str_of(note)))
			return;
	row = new_row(r);
	if (!row)
		return;
	*row = (struct import_row){ outcome, arena_dup(r->arena, what), arena_dup(r->arena, str_of(note)), 1 };
	if (!row->what.p || !row->note.p)
		r->failed = true;
}

void import_approximated(struct import_report *r, struct str what, const char *note, ...)
{
	va_list ap;

	va_start(ap, note);
	add(r, IMPORT_APPROXIMATED, what, note, ap);
	va_end(ap);
}

void import_not_possible(struct import_report *r, struct str what, const char *note, ...)
{
	va_list ap;

	va_start(ap, note);
	add(r, IMPORT_NOT_POSSIBLE, what, note, ap);
	va_end(ap);
}

struct str import_text(struct str bytes)
{
	return str_starts(bytes, STR("\xef\xbb\xbf")) ? str_from(bytes, 3) : bytes;
}

static bool says_nothing(const json_t *v, const char *otherwise)
{
	json_t *usual;
	bool same;

	if (json_is_null(v) || json_is_false(v) || (json_is_string(v) && !json_string_length(v)) || (json_is_number(v) && json_number_value(v) == 0)
	    || ((json_is_array(v) || json_is_object(v)) && !json_array_size(v) && !json_object_size(v)))
		return true;
	if (!otherwise)
		return false;
	usual = json_loads(otherwise, JSON_DECODE_ANY, NULL);
	same = json_equal(v, usual) || (json_is_number(v) && json_is_number(usual) && json_number_value(v) - json_number_value(usual) == 0);
	json_decref(usual);
	return same;
}

void import_fields(struct import_report *r, const json_t *object, struct str what, const struct import_field *known)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)object, name, v) {
		const struct import_field *f = known;

		while (f->name && strcmp(f->name, name) != 0)
			f++;
		if (says_nothing(v, f->name ? f->otherwise : NULL) || (f->name && !f->why))
			continue;
		if (f->name)
			import_not_possible(r, what, "%s: %s", name, f->why);
		else
			import_not_possible(r, what, "'%.80s' is not known here and is left out", name);
	}
}

size_t import_count(const struct import_report *r, enum import_outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->rows[i].outcome == outcome;
	return n;
}

/* Names are those of somebody else's file. */
static void put_row(const struct import_row *row, struct buf *out)
{
	buf_cstr(out, "  ");
	plan_put_text(out, row->what);
	buf_cstr(out, ": ");
	plan_put_text(out, row->note);
	buf_char(out, '\n');
}

void import_report_text(const struct import_report *r, struct buf *out)
{
	for (int outcome = IMPORT_TAKEN; outcome <= IMPORT_NOT_POSSIBLE; outcome++) {
		if (import_count(r, (enum import_outcome)outcome) == 0)
			continue;
		buf_fmt(out, "%s\n", import_outcome_names[outcome]);
		for (size_t i = 0; i < r->n; i++) {
			const struct import_row *row = &r->rows[i];

			if ((int)row->outcome != outcome)
				continue;
			if (row->outcome == IMPORT_TAKEN)
				buf_fmt(out, "  %6zu  %.*s\n", row->count, STR_ARG(row->what));
			else
				put_row(row, out);
		}
	}
	if (r->left_out)
		buf_fmt(out, "and %zu more rows\n", r->left_out);
}

json_t *import_report_json(const struct import_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < r->n; i++) {
		const struct import_row *row = &r->rows[i];
		json_t *o = json_pack("{s:s, s:s%, s:I}", "outcome", import_outcome_names[row->outcome], "what", row->what.p,
				      row->what.n, "count", (json_int_t)row->count);

		if (o && row->note.p)
			json_object_set_new(o, "note", json_stringn(row->note.p, row->note.n));
		json_array_append_new(list, o);
	}
	return list;
}
