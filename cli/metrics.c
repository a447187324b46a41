/* metrics.c - `gatehouse metrics`: the traffic, and what the policy emit-metric has counted, over all workers. */
#include "cli/command.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/str.h"

static const struct option options[] = {
	{ "namespace", OPTION_TEXT, "TEXT", "only metrics of this namespace", false },
	{ "name", OPTION_TEXT, "TEXT", "only metrics of this name", false },
	OPTION_END,
};

static json_t *text(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.n);

	return j ? j : json_string("");
}

static json_t *series_json(const struct metric_series *s)
{
	json_t *out = json_object(), *dimensions = json_array();
	char when[CLOCK_ISO_MAX];

	json_object_set_new(out, "namespace", text(s->ns));
	json_object_set_new(out, "name", text(s->name));
	for (size_t i = 0; i < s->n_labels; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "name", text(s->labels[i].name));
		json_object_set_new(one, "value", text(s->labels[i].value));
		json_array_append_new(dimensions, one);
	}
	json_object_set_new(out, "dimensions", dimensions);
	json_object_set_new(out, "count", json_integer((json_int_t)s->count));
	json_object_set_new(out, "sum", json_real(s->sum));
	json_object_set_new(out, "min", json_real(s->least));
	json_object_set_new(out, "max", json_real(s->greatest));
	json_object_set_new(out, "changed", json_string(clock_iso(s->changed_us, 3, when)));
	return out;
}

static void print_json(struct cli *c, const struct metrics_state *s)
{
	json_t *out = jsn_keep(c->arena, json_object()), *series = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(series, series_json(&s->v[i]));
	json_object_set_new(out, "series", series);
	json_object_set_new(out, "room", json_integer((json_int_t)s->room));
	json_object_set_new(out, "overflow", json_integer((json_int_t)s->overflow));
	jsn_write(&c->out, out, JSN_INDENT);
	buf_char(&c->out, '\n');
}

static void keep_wanted(struct cli *c, struct metrics_state *s)
{
	struct str ns = str_of(option_text(&c->options, "namespace")), name = str_of(option_text(&c->options, "name"));
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if ((!ns.p || str_eq(ns, s->v[i].ns)) && (!name.p || str_eq(name, s->v[i].name)))
			s->v[kept++] = s->v[i];
	s->n = kept;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct metrics_state s = { 0 };
	char path[PATHS_MAX];
	gh_rc rc;

	TRY(paths_join(path, c->state_dir, "metrics", err));
	rc = metrics_read(c->arena, path, &s, err);
	if (rc.code && rc.code != GH_E_NOT_FOUND)
		return rc;
	if (!c->json && !option_text(&c->options, "namespace") && !option_text(&c->options, "name"))
		return metrics_exposition(&c->out, c->arena, c->state_dir, err);
	keep_wanted(c, &s);
	if (c->json)
		print_json(c, &s);
	else
		metrics_openmetrics(&c->out, c->arena, &s);
	return GH_RC_OK;
}

const struct command command_metrics = {
	.name = "metrics", .summary = "print the traffic and what the policy emit-metric has counted",
	.help = "In OpenMetrics text, for Prometheus and its kin; with --format json also the least and the greatest value.\n"
		"Counts and sums are of all workers and only grow, over restarts too.",
	.options = options, .run = run,
};
