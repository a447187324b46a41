/* diff.c - the longest common run of lines, by the table that every textbook has, after equal beginnings and ends are cut off.
 * The table is bounded: documents of policies are short, and a change of one touches few lines. */
#include "portal/admin/diff.h"

#include "core/str.h"

enum { CELLS_MAX = 4 << 20, NEAR = 3 };          /* of the table; lines that are shown around a change */

struct lines {
	struct str *v;
	size_t n;
};

struct diff {
	struct arena *arena;
	struct liquid_list *out;                 /* NULL: into json */
	json_t *json;
	struct lines a, b;
	size_t same_from;                        /* first line of a that is the same and not yet shown */
	size_t i, j;                             /* next lines of a and b */
	bool shown;                              /* a change came before */
};

static bool split(struct arena *arena, struct str text, struct lines *out)
{
	size_t n = 1;
	struct str rest = text, line;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	*out = (struct lines){ .v = arena_alloc(arena, n, sizeof(struct str)) };
	while (out->v && str_split(&rest, '\n', &line))
		out->v[out->n++] = line;
	if (out->n && !out->v[out->n - 1].n)
		out->n--;                        /* behind the last line's end */
	return out->v != NULL;
}

static void put(struct diff *d, const char *kind, struct str text, size_t before, size_t after)
{
	struct liquid_record *r;

	if (!d->out) {
		json_array_append_new(d->json, json_pack("{s:s, s:s%, s:o, s:o}", "kind", kind, "text", text.p, text.n, "before",
							before ? json_integer((json_int_t)before) : json_null(), "after",
							after ? json_integer((json_int_t)after) : json_null()));
		return;
	}
	r = liquid_push_record(d->out);
	liquid_set_text(r, "kind", str_of(kind));
	liquid_set_text(r, "text", text);
	liquid_set_int(r, "before", (int64_t)before);
	liquid_set_int(r, "after", (int64_t)after);
}

/* Shows the equal lines up to `to`: near the change before them, near the one behind them, and how many are between. */
static void flush_same(struct diff *d, size_t to, bool change_follows)
{
	size_t head = d->shown ? NEAR : 0, tail = change_follows ? NEAR : 0, n = to - d->same_from;

	for (size_t k = 0; k < n; k++) {
		size_t at = d->same_from + k;

		if (k < head || n - k <= tail) {
			put(d, "same", d->a.v[at], at + 1, d->j - (to - at) + 1);
		} else {
			size_t hidden = n - head - tail;

			put(d, "gap", arena_printf(d->arena, "%zu unchanged line%s", hidden, hidden == 1 ? "" : "s"), 0, 0);
			k += hidden - 1;
		}
	}
	d->same_from = to;
}

static void step_same(struct diff *d)
{
	d->i++;
	d->j++;
}

static void step_change(struct diff *d, bool old)
{
	flush_same(d, d->i, true);
	d->shown = true;
	if (old) {
		put(d, "old", d->a.v[d->i], d->i + 1, 0);
		d->same_from = ++d->i;
	} else {
		put(d, "new", d->b.v[d->j], 0, d->j + 1);
		d->j++;
	}
}

/* The middle parts: a[from, a_to) and b[from, b_to). */
static void middle(struct diff *d, size_t a_to, size_t b_to)
{
	size_t n = a_to - d->i, m = b_to - d->j, i0 = d->i, j0 = d->j;
	uint32_t *t = n && m && n + 1 <= CELLS_MAX / (m + 1) ? arena_alloc(d->arena, (n + 1) * (m + 1), sizeof(*t)) : NULL;

	for (size_t i = n; t && i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint32_t down = t[(i + 1) * (m + 1) + j], right = t[i * (m + 1) + j + 1];

			t[i * (m + 1) + j] = str_eq(d->a.v[i0 + i], d->b.v[j0 + j]) ? t[(i + 1) * (m + 1) + j + 1] + 1
										    : down > right ? down : right;
		}
	while (t && d->i < a_to && d->j < b_to) {
		size_t i = d->i - i0, j = d->j - j0;

		if (str_eq(d->a.v[d->i], d->b.v[d->j]))
			step_same(d);
		else
			step_change(d, t[(i + 1) * (m + 1) + j] >= t[i * (m + 1) + j + 1]);
	}
	while (d->i < a_to)
		step_change(d, true);
	while (d->j < b_to)
		step_change(d, false);
}

static void run(struct diff *d, struct str before, struct str after)
{
	size_t end = 0;

	if (str_eq(before, after) || !split(d->arena, before, &d->a) || !split(d->arena, after, &d->b))
		return;
	while (d->i < d->a.n && d->i < d->b.n && str_eq(d->a.v[d->i], d->b.v[d->i]))
		step_same(d);
	while (end < d->a.n - d->i && end < d->b.n - d->j && str_eq(d->a.v[d->a.n - 1 - end], d->b.v[d->b.n - 1 - end]))
		end++;
	middle(d, d->a.n - end, d->b.n - end);
	d->i = d->a.n;
	d->j = d->b.n;
	flush_same(d, d->a.n, false);
}

void admin_put_diff(struct web *w, struct liquid_record *to, const char *name, struct str before, struct str after)
{
	struct diff d = { .arena = w->a, .out = liquid_set_list(to, name) };

	run(&d, before, after);
}

json_t *admin_diff_json(struct arena *a, struct str before, struct str after)
{
	struct diff d = { .arena = a, .json = jsn_keep(a, json_array()) };

	if (d.json)
		run(&d, before, after);
	return d.json;
}
