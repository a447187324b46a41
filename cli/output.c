#include "cli/output.h"

#include "core/clock.h"
#include "core/str.h"

#include <assert.h>
#include <stdio.h>

enum { COLUMNS_MAX = 24 };

static struct str name_at(const struct column *k, int64_t v)
{
	for (int64_t i = 0; k->names[i]; i++)
		if (i == v)
			return str_of(k->names[i]);
	return STR("unknown");
}

/* The value as text; what stands in `scratch` is valid until its next use. */
static struct str text_of(const struct column *k, const void *row, char scratch[64])
{
	const void *p = (const char *)row + k->offset;
	int64_t v;

	switch (k->kind) {
	case COLUMN_TEXT:
		return *(const struct str *)p;
	case COLUMN_BOOL:
		return *(const bool *)p ? STR("yes") : STR("no");
	case COLUMN_NAME:
		v = *(const int64_t *)p;
		return name_at(k, v);
	case COLUMN_TIME:
		v = *(const int64_t *)p;
		return v ? str_of(clock_iso(v, 0, scratch)) : STR_NULL;
	case COLUMN_INT:
		v = *(const int64_t *)p;
		snprintf(scratch, 64, "%lld", (long long)v);
		return str_of(scratch);
	}
	return STR_NULL;
}

static void json_row(struct buf *b, const struct column *columns, size_t n, const void *row)
{
	char scratch[64];

	for (size_t i = 0; i < n; i++) {
		const struct column *k = &columns[i];
		struct str s = text_of(k, row, scratch);

		buf_fmt(b, "%s\"%s\": ", i ? ", " : "{", k->name);
		if (k->kind == COLUMN_BOOL)
			buf_cstr(b, str_eq(s, STR("yes")) ? "true" : "false");
		else if (k->kind == COLUMN_INT)
			buf_str(b, s);
		else if (!s.p)
			buf_cstr(b, "null");
		else
			buf_json(b, s);
	}
}

/* Characters, not bytes, so that columns stay in line. Control characters do not reach a terminal. */
static size_t put_text(struct buf *b, struct str s)
{
	size_t width = 0;

	while (s.n) {
		uint32_t cp = 0;
		unsigned n = utf8_decode(s, &cp);

		if (n && (cp < ' ' || (cp >= 127 && cp < 160)))
			buf_char(b, ' ');
		else if (n)
			buf_add(b, s.p, n);
		else
			buf_char(b, '?');
		s = str_from(s, n ? n : 1);
		width++;
	}
	return width;
}

static size_t width_of(struct str s)
{
	size_t width = 0;

	for (; s.n; width++) {
		unsigned n = utf8_decode(s, NULL);

		s = str_from(s, n ? n : 1);
	}
	return width;
}

static void put_cell(struct buf *b, struct str s, size_t width, bool last)
{
	size_t n = put_text(b, s);

	for (; !last && n < width + 2; n++)
		buf_char(b, ' ');
	if (last)
		buf_char(b, '\n');
}

static void text_list(struct cli *c, const struct column *columns, size_t n_columns, const char *rows, size_t n,
		      size_t row_size)
{
	size_t width[COLUMNS_MAX] = { 0 };
	char scratch[64];

	for (size_t k = 0; k < n_columns; k++) {
		width[k] = width_of(str_of(columns[k].title));
		for (size_t r = 0; r < n; r++) {
			size_t w = width_of(text_of(&columns[k], rows + r * row_size, scratch));

			width[k] = w > width[k] ? w : width[k];
		}
		put_cell(&c->out, str_of(columns[k].title), width[k], k + 1 == n_columns);
	}
	for (size_t r = 0; r < n; r++)
		for (size_t k = 0; k < n_columns; k++)
			put_cell(&c->out, text_of(&columns[k], rows + r * row_size, scratch), width[k], k + 1 == n_columns);
}

void output_list(struct cli *c, const struct column *columns, size_t n_columns, const void *rows, size_t n, size_t row_size)
{
	assert(n_columns <= COLUMNS_MAX);
	if (!c->json) {
		text_list(c, columns, n_columns, rows, n, row_size);
		return;
	}
	buf_char(&c->out, '[');
	for (size_t i = 0; i < n; i++) {
		buf_cstr(&c->out, i ? ",\n " : "");
		json_row(&c->out, columns, n_columns, (const char *)rows + i * row_size);
		buf_char(&c->out, '}');
	}
	buf_cstr(&c->out, "]\n");
}

void output_row(struct cli *c, const struct column *columns, size_t n_columns, const void *row, bool open)
{
	char scratch[64];
	size_t width = 0;

	if (c->json) {
		json_row(&c->out, columns, n_columns, row);
		buf_cstr(&c->out, open ? "" : "}\n");
		return;
	}
	for (size_t i = 0; i < n_columns; i++)
		if (strlen(columns[i].title) > width)
			width = strlen(columns[i].title);
	for (size_t i = 0; i < n_columns; i++) {
		put_cell(&c->out, str_of(columns[i].title), width, false);
		put_cell(&c->out, text_of(&columns[i], row, scratch), 0, true);
	}
}
