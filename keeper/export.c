#include "keeper/export.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/loop_lag.h"
#include "core/paths.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 6, BOUNDS = 11, TABLE = 1024, TEXT_MAX = 64 << 20, AGAIN_US = 15000000, LABEL_MAX = 80 };
static const uint32_t bounds_us[BOUNDS] = { 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 };

/* Why a busy gateway refused a call: fcgi/reason.h. */
static const char *const shed_reasons[] = { "overload", "overload_priority", "overload_backend" };

struct numbers {
	uint64_t calls[TELEMETRY_ORIGIN__COUNT][CLASSES];
	uint64_t refused, bytes_in, bytes_out;
	uint64_t shed[ARRAY_LEN(shed_reasons)];
	uint64_t total[BOUNDS + 1], backend[BOUNDS + 1];         /* of each bucket alone; the last one: longer */
	uint64_t total_us, backend_us;
};
struct place {
	struct place *chain, *next;              /* of the table; in the order of their coming */
	char environment[LABEL_MAX + 1], api[LABEL_MAX + 1];
	struct numbers done, open;               /* open: of the drain that is not committed yet */
	bool touched;
};
struct exports {
	char path[PATHS_MAX], state_dir[PATHS_MAX];
	size_t most, n;
	struct place *table[TABLE], *first, *last;
	bool changed;
	int64_t written_us;
};

gh_rc exports_new(const char *state_dir, const struct config *config, struct exports **out, struct gh_err *err)
{
	struct exports *e = calloc(1, sizeof(*e));
	gh_rc rc;

	if (!e)
		FAIL(err, NOMEM, "metrics");
	e->most = (size_t)config_int(config, CONFIG_METRICS_APIS);
	snprintf(e->state_dir, sizeof(e->state_dir), "%s", state_dir);
	rc = paths_join(e->path, state_dir, "run/traffic.prom", err);
	if (rc.code)
		free(e);
	else
		*out = e;
	return rc;
}

void exports_free(struct exports *e)
{
	while (e && e->first) {
		struct place *p = e->first;

		e->first = p->next;
		free(p);
	}
	free(e);
}

/* NULL: out of memory. */
static struct place *place_of(struct exports *e, struct str environment, struct str api)
{
	size_t at = (str_hash(environment) * 31 ^ str_hash(api)) % TABLE;
	struct place *p;

	for (p = e->table[at]; p; p = p->chain)
		if (str_eq(str_of(p->environment), environment) && str_eq(str_of(p->api), api))
			return p;
	if (e->n >= e->most && !str_eq(api, STR("other")))
		return place_of(e, STR("other"), STR("other"));
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	snprintf(p->environment, sizeof(p->environment), "%.*s", STR_ARG(environment));
	snprintf(p->api, sizeof(p->api), "%.*s", STR_ARG(api));
	p->chain = e->table[at];
	e->table[at] = p;
	if (e->last)
		e->last->next = p;
	else
		e->first = p;
	e->last = p;
	e->n++;
	return p;
}

static size_t bucket_of(uint32_t us)
{
	size_t b = 0;

	while (b < BOUNDS && us > bounds_us[b])
		b++;
	return b;
}

void exports_count(struct exports *e, const struct telemetry_call *c)
{
	struct place *p = place_of(e, str_first(c->environment, LABEL_MAX), str_first(c->api, LABEL_MAX));
	unsigned class = c->status / 100;

	if (!p)
		return;                          /* better a number too few than no drain */
	p->touched = true;
	p->open.calls[c->origin < TELEMETRY_ORIGIN__COUNT ? c->origin : 0][class < CLASSES ? class : 0]++;
	p->open.refused += class == 4 && c->origin == TELEMETRY_BY_GATEWAY;
	for (size_t i = 0; c->status == 503 && i < ARRAY_LEN(shed_reasons); i++)
		p->open.shed[i] += str_eq(c->reason, str_of(shed_reasons[i]));
	p->open.bytes_in += c->bytes_in;
	p->open.bytes_out += c->bytes_out;
	p->open.total[bucket_of(c->total_us)]++;
	p->open.total_us += c->total_us;
	if (c->attempts) {
		p->open.backend[bucket_of(c->backend_us)]++;
		p->open.backend_us += c->backend_us;
	}
}

/* Both are nothing but counters of 64 bits. */
static void add(struct numbers *to, const struct numbers *from)
{
	uint64_t a[sizeof(*to) / sizeof(uint64_t)], b[sizeof(*to) / sizeof(uint64_t)];

	memcpy(a, to, sizeof(a));
	memcpy(b, from, sizeof(b));
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] += b[i];
	memcpy(to, a, sizeof(a));
}

void exports_drained(struct exports *e, bool stored)
{
	for (struct place *p = e->first; p; p = p->next) {
		if (!p->touched)
			continue;
		if (stored)
			add(&p->done, &p->open);
		e->changed |= stored;
		p->open = (struct numbers){ 0 };
		p->touched = false;
	}
}

/* ---- the text (openmetrics.io, 1.0) ---------------------------------------------------------------------------------------------- */

static void label(struct buf *b, const char *name, const char *value)
{
	buf_cstr(b, name);
	buf_cstr(b, "=\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_char(b, '\\');
		if (*value == '\n')
			buf_cstr(b, "\\n");
		else
			buf_char(b, *value);
	}
	buf_char(b, '"');
}

static void series(struct buf *b, const char *name, const struct place *p)
{
	buf_cstr(b, name);
	buf_char(b, '{');
	label(b, "environment", p->environment);
	buf_char(b, ',');
	label(b, "api", p->api);
}

static void family(struct buf *b, const char *name, const char *type, const char *unit, const char *help)
{
	buf_fmt(b, "# TYPE %s %s\n", name, type);
	if (unit)
		buf_fmt(b, "# UNIT %s %s\n", name, unit);
	buf_fmt(b, "# HELP %s %s\n", name, help);
}

static void put_calls(struct buf *b, const struct exports *e)
{
	static const char *const classes[CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

	family(b, "gatehouse_calls", "counter", NULL, "Calls by class of the response code and by who made the answer.");
	for (const struct place *p = e->first; p; p = p->next)
		for (size_t o = 0; o < TELEMETRY_ORIGIN__COUNT; o++)
			for (size_t c = 0; c < CLASSES; c++)
				if (p->done.calls[o][c]) {
					series(b, "gatehouse_calls_total", p);
					buf_fmt(b, ",code=\"%s\",origin=\"%s\"} %llu\n", classes[c], telemetry_origin_name((enum telemetry_origin)o),
						(unsigned long long)p->done.calls[o][c]);
				}
	family(b, "gatehouse_refused", "counter", NULL, "Calls that the gateway itself refused with 4xx.");
	for (const struct place *p = e->first; p; p = p->next) {
		series(b, "gatehouse_refused_total", p);
		buf_fmt(b, "} %llu\n", (unsigned long long)p->done.refused);
	}
	family(b, "gatehouse_shed", "counter", NULL, "Calls that a busy gateway refused with 503, by reason.");
	for (const struct place *p = e->first; p; p = p->next)
		for (size_t i = 0; i < ARRAY_LEN(shed_reasons); i++)
			if (p->done.shed[i]) {
				series(b, "gatehouse_shed_total", p);
				buf_fmt(b, ",reason=\"%s\"} %llu\n", shed_reasons[i], (unsigned long long)p->done.shed[i]);
			}
	family(b, "gatehouse_body_bytes", "counter", "bytes", "Bytes of bodies from and to clients.");
	for (const struct place *p = e->first; p; p = p->next) {
		series(b, "gatehouse_body_bytes_total", p);
		buf_fmt(b, ",direction=\"in\"} %llu\n", (unsigned long long)p->done.bytes_in);
		series(b, "gatehouse_body_bytes_total", p);
		buf_fmt(b, ",direction=\"out\"} %llu\n", (unsigned long long)p->done.bytes_out);
	}
}

static void put_histogram(struct buf *b, const struct exports *e, const char *name, bool backend, const char *help)
{
	char sample[80];

	family(b, name, "histogram", "seconds", help);
	for (const struct place *p = e->first; p; p = p->next) {
		const uint64_t *v = backend ? p->done.backend : p->done.total;
		uint64_t sum = 0, us = backend ? p->done.backend_us : p->done.total_us;

		snprintf(sample, sizeof(sample), "%s_bucket", name);
		for (size_t i = 0; i <= BOUNDS; i++) {
			sum += v[i];
			series(b, sample, p);
			if (i < BOUNDS)
				buf_fmt(b, ",le=\"%g\"} %llu\n", bounds_us[i] / 1e6, (unsigned long long)sum);
			else
				buf_fmt(b, ",le=\"+Inf\"} %llu\n", (unsigned long long)sum);
		}
		snprintf(sample, sizeof(sample), "%s_count", name);
		series(b, sample, p);
		buf_fmt(b, "} %llu\n", (unsigned long long)sum);
		snprintf(sample, sizeof(sample), "%s_sum", name);
		series(b, sample, p);
		buf_fmt(b, "} %llu.%06llu\n", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
	}
}

static void put_facts(struct buf *b, const struct export_facts *f)
{
	family(b, "gatehouse_records", "counter", NULL, "Records of calls that the keeper took in since it began.");
	buf_fmt(b, "gatehouse_records_total %llu\n", (unsigned long long)f->calls);
	family(b, "gatehouse_records_dropped", "counter", NULL, "Records that had no room because nobody took them in.");
	buf_fmt(b, "gatehouse_records_dropped_total %llu\n", (unsigned long long)f->dropped);
	family(b, "gatehouse_telemetry_bytes", "gauge", "bytes", "Single calls in the store.");
	buf_fmt(b, "gatehouse_telemetry_bytes %lld\n", (long long)f->telemetry_bytes);
	family(b, "gatehouse_counters_evicted", "counter", NULL, "Counters of limits that were forgotten while they counted, for want of room.");
	buf_fmt(b, "gatehouse_counters_evicted_total %llu\n", (unsigned long long)f->counters_evicted);
	family(b, "gatehouse_alert_rules", "gauge", NULL, "Alert rules that watch.");
	buf_fmt(b, "gatehouse_alert_rules %llu\n", (unsigned long long)f->alert_rules);
	family(b, "gatehouse_alerts_bad", "gauge", NULL, "Alerts that are bad now.");
	buf_fmt(b, "gatehouse_alerts_bad %llu\n", (unsigned long long)f->alerts_bad);
}

static void put_sinks(struct buf *b, const struct export_facts *f)
{
	if (!f->n_sinks)
		return;
	family(b, "gatehouse_export_sent", "counter", NULL, "Records that reached the receiver of an export.");
	for (size_t i = 0; i < f->n_sinks; i++)
		buf_fmt(b, "gatehouse_export_sent_total{export=\"%s\"} %llu\n", f->sinks[i].name, (unsigned long long)f->sinks[i].sent);
	family(b, "gatehouse_export_dropped", "counter", NULL, "Records that had no room while the receiver was away, or that it refused.");
	for (size_t i = 0; i < f->n_sinks; i++)
		buf_fmt(b, "gatehouse_export_dropped_total{export=\"%s\"} %llu\n", f->sinks[i].name, (unsigned long long)f->sinks[i].dropped);
	family(b, "gatehouse_export_waiting", "gauge", NULL, "Records that wait for the receiver of an export.");
	for (size_t i = 0; i < f->n_sinks; i++)
		buf_fmt(b, "gatehouse_export_waiting{export=\"%s\"} %llu\n", f->sinks[i].name, (unsigned long long)f->sinks[i].waiting);
}

/* The first one may come before anything else has made DIR/run. */
static gh_rc put_file(struct exports *e, struct str text, struct gh_err *err)
{
	char dir[PATHS_MAX];

	if (!e->written_us) {
		TRY(paths_join(dir, e->state_dir, "run", err));
		TRY(file_make_dirs(dir, 0750, err));
	}
	return file_write_atomic(e->path, text, 0640, err);
}

gh_rc exports_write(struct exports *e, const struct export_facts *facts, struct gh_err *err)
{
	int64_t now = clock_mono_us();
	struct buf b;
	gh_rc rc;

	if (!e->changed && e->written_us && now - e->written_us < AGAIN_US)
		return GH_RC_OK;
	buf_init(&b, TEXT_MAX);
	put_calls(&b, e);
	put_histogram(&b, e, "gatehouse_call_duration_seconds", false, "Time of calls, from the first byte in to the last byte out.");
	put_histogram(&b, e, "gatehouse_backend_duration_seconds", true, "Time that backends took, of calls that reached one.");
	put_facts(&b, facts);
	put_sinks(&b, facts);
	loop_lag_metrics(&b, e->state_dir);
	rc = buf_ok(&b) ? put_file(e, buf_view(&b), err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "metrics");
	buf_release(&b);
	if (!rc.code) {
		e->changed = false;
		e->written_us = now;
	}
	return rc;
}
