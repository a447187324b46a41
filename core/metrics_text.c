/* metrics_text.c - metrics as OpenMetrics 1.0 text (openmetrics.io), which Prometheus reads. */
#include "core/file.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/paths.h"
#include "core/str.h"

/* [a-zA-Z_][a-zA-Z0-9_]* */
static void add_name(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(out, ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) ? s.p[i] : '_');
}

static struct str family_name(struct arena *a, const struct metric_series *s)
{
	struct str name;
	struct buf b;

	buf_init(&b, 4 * METRIC_KEY_MAX);
	if (!s->ns.n || ascii_is_digit(s->ns.p[0]))
		buf_char(&b, '_');
	add_name(&b, s->ns);
	buf_char(&b, '_');
	add_name(&b, s->name);
	name = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return name;
}

static void add_value(struct buf *out, struct str s)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(out, '\\');
		if (s.p[i] == '\n')
			buf_cstr(out, "\\n");
		else
			buf_char(out, s.p[i]);
	}
	buf_char(out, '"');
}

/* Two dimensions whose names come out alike are told apart by a number: a label may stand once. */
static void add_labels(struct buf *out, struct arena *a, const struct metric_series *s)
{
	struct str names[METRIC_LABELS_MAX];
	struct buf b;

	buf_init(&b, METRIC_KEY_MAX + 16);
	for (size_t i = 0; i < s->n_labels; i++) {
		buf_clear(&b);
		if (!s->labels[i].name.n || ascii_is_digit(s->labels[i].name.p[0]))
			buf_char(&b, '_');
		add_name(&b, s->labels[i].name);
		for (size_t k = 0; k < i; k++)
			if (str_eq(names[k], buf_view(&b))) {
				buf_fmt(&b, "_%zu", i + 1);
				break;
			}
		names[i] = arena_dup(a, buf_view(&b));
		buf_char(out, i ? ',' : '{');
		buf_str(out, names[i]);
		buf_char(out, '=');
		add_value(out, s->labels[i].value);
	}
	if (s->n_labels)
		buf_char(out, '}');
	buf_release(&b);
}

static void add_sample(struct buf *out, struct arena *a, const struct metric_series *s, struct str family, bool sum)
{
	char number[JSN_NUMBER_MAX];

	buf_str(out, family);
	buf_cstr(out, sum ? "_sum" : "_count");
	add_labels(out, a, s);
	buf_char(out, ' ');
	if (sum) {
		jsn_number(s->sum, number);
		buf_cstr(out, number);
	} else {
		buf_u64(out, s->count);
	}
	buf_char(out, '\n');
}

void metrics_openmetrics(struct buf *out, struct arena *a, const struct metrics_state *s)
{
	struct str last = STR_NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct str family = family_name(a, &s->v[i]);

		if (!str_eq(family, last)) {
			buf_cstr(out, "# TYPE ");
			buf_str(out, family);
			buf_cstr(out, " summary\n");
		}
		add_sample(out, a, &s->v[i], family, false);
		add_sample(out, a, &s->v[i], family, true);
		last = family;
	}
	buf_fmt(out, "# TYPE gatehouse_metric_series gauge\ngatehouse_metric_series %zu\n", s->n);
	buf_fmt(out, "# TYPE gatehouse_metric_overflow counter\ngatehouse_metric_overflow_total %llu\n# EOF\n",
		(unsigned long long)s->overflow);
}

gh_rc metrics_exposition(struct buf *out, struct arena *a, const char *state_dir, struct gh_err *err)
{
	enum { TRAFFIC_MAX = 64 << 20 };
	const struct str end = STR("# EOF\n");
	struct metrics_state s = { 0 };
	struct str traffic;
	char path[PATHS_MAX];
	gh_rc rc;

	TRY(paths_join(path, state_dir, "metrics", err));
	rc = metrics_read(a, path, &s, err);
	if (rc.code && rc.code != GH_E_NOT_FOUND)
		return rc;
	metrics_openmetrics(out, a, &s);
	TRY(paths_join(path, state_dir, "run/traffic.prom", err));
	rc = file_read(a, path, TRAFFIC_MAX, &traffic, err);
	if (rc.code)                             /* the keeper has not begun yet */
		return rc.code == GH_E_NOT_FOUND ? GH_RC_OK : rc;
	if (buf_ok(out) && str_ends(buf_view(out), end))
		out->n -= end.n;
	buf_str(out, traffic);
	buf_str(out, end);
	return GH_RC_OK;
}
