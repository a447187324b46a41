#include "config/governance/report.h"

#include "config/governance/facts.h"
#include "core/clock.h"
#include "core/str.h"
#include "core/yaml.h"

#include <stdlib.h>

enum { LOCATE_BYTES_MAX = 64 << 20 };            /* of text read again for lines */
#define SCRATCH_BYTES ((size_t)1 << 30)

struct work {
	struct store *s;
	struct arena *a, *scratch, *shared;      /* the report's; of one API; of what APIs share */
	const struct governance_query *q;
	struct governance_report *r;
	struct facts *facts;
	int64_t now_us;
	struct governance_api *api;
	bool configuration;                      /* some rule looks at the configuration */
	bool described;                          /* some rule looks at descriptions */
};

/* ---- findings ------------------------------------------------------------------------------------------------------------------ */

static struct governance_exception *exception_for(struct work *w, const struct governance_set *set, const struct governance_rule *rule)
{
	for (size_t i = 0; i < w->r->n_exceptions; i++) {
		struct governance_exception *e = &w->r->exceptions[i];
		struct str id = set->ruleset.id;

		if (!e->over && (!e->row.api_id.n || str_eq(e->row.api_id, w->api->id)) && e->row.rule.n == id.n + 1 + rule->id.n
		    && str_starts(e->row.rule, id) && e->row.rule.p[id.n] == '/' && str_ends(e->row.rule, rule->id))
			return e;
	}
	return NULL;
}

static GH_RC keep(struct work *w, struct governance_finding f, struct gh_err *err)
{
	struct governance_report *r = w->r;

	if (w->api->n >= GOVERNANCE_OF_API_MAX || r->n_findings >= GOVERNANCE_FINDINGS_MAX) {
		w->api->more = true;
		return GH_RC_OK;
	}
	if (r->n_findings == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		struct governance_finding *v = arena_alloc(w->a, cap, sizeof(*v));

		if (!v)
			FAIL(err, NOMEM, "findings");
		if (r->n_findings)
			memcpy(v, r->findings, r->n_findings * sizeof(*v));
		r->findings = v;
		r->cap = cap;
	}
	f.place = arena_dup(w->a, f.place);
	f.pointer = arena_dup(w->a, f.pointer);
	f.message = arena_dup(w->a, f.message);
	if (!f.place.p || !f.pointer.p || !f.message.p)
		FAIL(err, NOMEM, "findings");
	r->findings[r->n_findings++] = f;
	w->api->n++;
	return GH_RC_OK;
}

static GH_RC tell(struct work *w, const struct governance_set *set, const struct governance_rule *rule, const struct governance_subject *d,
		  const struct governance_hit *hit, struct gh_err *err)
{
	struct governance_exception *e = rule ? exception_for(w, set, rule) : NULL;
	enum governance_severity severity = rule ? rule->severity : GOVERNANCE_WARNING;

	if (e) {
		e->findings++;
		w->api->excepted++;
	} else {
		w->api->counts[severity]++;
	}
	return keep(w, (struct governance_finding){ .set = set, .rule = rule, .severity = severity, .document = d->document, .api_id = w->api->id,
						    .place = hit->place, .pointer = hit->pointer, .message = hit->message, .exception = e }, err);
}

static GH_RC judge(struct work *w, const struct governance_set *set, const struct governance_subject *d, struct gh_err *err)
{
	for (size_t i = 0; i < set->ruleset.n; i++) {
		const struct governance_rule *rule = &set->ruleset.rules[i];
		struct governance_hit *hits;
		bool more = false;
		size_t n = 0;

		if (rule->severity == GOVERNANCE_OFF)
			continue;
		TRY(governance_run(w->scratch, rule, d, &hits, &n, &more, err));
		for (size_t k = 0; k < n; k++)
			TRY(tell(w, set, rule, d, &hits[k], err));
		w->api->more = w->api->more || more;
	}
	return GH_RC_OK;
}

/* ---- lines --------------------------------------------------------------------------------------------------------------------- */

/* Each line costs a reading of the text up to it: for one API only, and within a budget. */
static void locate(struct work *w, struct str text)
{
	size_t budget = LOCATE_BYTES_MAX;

	for (size_t i = w->api->first; i < w->r->n_findings && budget > text.n; i++) {
		struct governance_finding *f = &w->r->findings[i];

		if (f->document != GOVERNANCE_OPENAPI || !f->rule)
			continue;
		f->at = yaml_locate(text, f->pointer);
		budget -= text.n;
	}
}

/* ---- one API --------------------------------------------------------------------------------------------------------------------- */

static GH_RC read_description(struct work *w, const struct store_api *api, struct governance_subject *out, struct str *text, struct gh_err *err)
{
	struct governance_hit hit = { STR(""), STR("description"), STR_NULL };
	struct store_api_document d;
	struct gh_err why;
	bool found;
	gh_rc rc;

	*out = (struct governance_subject){ .root = NULL };
	TRY(store_api_document_find(w->s, w->scratch, api->id, api->revision, &d, &found, err));
	*text = found ? store_api_description(&d) : STR_NULL;
	if (!found)
		return GH_RC_OK;
	if (text->n > GOVERNANCE_DESCRIPTION_MAX)
		rc = gh_err_set(&why, GH_E_LIMIT, __FILE__, __LINE__, "it has more than %d bytes", GOVERNANCE_DESCRIPTION_MAX);
	else
		rc = governance_description(w->scratch, *text, out, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "description of %.*s", STR_ARG(api->id));
	if (!rc.code)
		return GH_RC_OK;
	out->root = NULL;
	hit.message = arena_printf(w->scratch, "the description cannot be looked at: %s", why.message);
	return w->r->n_sets ? tell(w, &w->r->sets[0], NULL, out, &hit, err) : GH_RC_OK;
}

static int by_severity(const void *a, const void *b)
{
	const struct governance_finding *x = a, *y = b;
	int order;

	if ((x->exception != NULL) != (y->exception != NULL))
		return x->exception ? 1 : -1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	order = x->set != y->set ? (x->set < y->set ? -1 : 1) : x->rule != y->rule ? (x->rule < y->rule ? -1 : 1) : 0;
	return order ? order : str_cmp(x->pointer, y->pointer);
}

static GH_RC one_api(struct work *w, const struct store_api *api, struct gh_err *err)
{
	struct governance_subject configuration, description = { .root = NULL };
	struct str text = STR_NULL, *names;
	struct store_tag *tags;
	size_t n_tags = 0, n;

	TRY(store_api_tags(w->s, w->scratch, api->id, &tags, &n, err));
	names = arena_alloc(w->scratch, n + 1, sizeof(*names));
	if (!names)
		FAIL(err, NOMEM, "tags");
	for (size_t i = 0; i < n; i++)
		if (!tags[i].of_operations)
			names[n_tags++] = tags[i].tag;
	if (w->configuration)
		TRY(facts_of(w->facts, w->scratch, api, &configuration, err));
	if (w->described)
		TRY(read_description(w, api, &description, &text, err));
	for (size_t i = 0; i < w->r->n_sets; i++) {
		if (!governance_set_holds(&w->r->sets[i], api->environment_id, names, n_tags))
			continue;
		if (w->configuration)
			TRY(judge(w, &w->r->sets[i], &configuration, err));
		if (description.root)
			TRY(judge(w, &w->r->sets[i], &description, err));
	}
	if (w->api->n)
		qsort(&w->r->findings[w->api->first], w->api->n, sizeof(*w->r->findings), by_severity);
	if (w->q->api.n && text.n)
		locate(w, text);
	return GH_RC_OK;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------------- */

static GH_RC read_exceptions(struct work *w, struct gh_err *err)
{
	struct store_governance_exception *rows;
	size_t n;

	TRY(store_governance_exceptions(w->s, w->a, &rows, &n, err));
	w->r->exceptions = arena_alloc(w->a, n + 1, sizeof(*w->r->exceptions));
	if (!w->r->exceptions)
		FAIL(err, NOMEM, "exceptions");
	for (size_t i = 0; i < n; i++)
		w->r->exceptions[i] = (struct governance_exception){ .row = rows[i], .over = rows[i].ends_us <= w->now_us };
	w->r->n_exceptions = n;
	return GH_RC_OK;
}

static void what_is_asked(struct work *w)
{
	for (size_t i = 0; i < w->r->n_sets; i++)
		for (size_t k = 0; w->r->sets[i].enabled && k < w->r->sets[i].ruleset.n; k++) {
			const struct governance_rule *rule = &w->r->sets[i].ruleset.rules[k];
			bool on = rule->severity != GOVERNANCE_OFF;

			w->configuration = w->configuration || (on && rule->document == GOVERNANCE_CONFIGURATION);
			w->described = w->described || (on && rule->document == GOVERNANCE_OPENAPI);
		}
}

static GH_RC read_apis(struct work *w, struct store_api **out, size_t *n, struct gh_err *err)
{
	struct store_api *one;
	bool found;

	if (!w->q->api.n)
		return store_apis(w->s, w->a, NULL, out, n, err);
	*out = one = arena_new_of(w->a, struct store_api);
	*n = 1;
	if (!one)
		FAIL(err, NOMEM, "API");
	TRY(store_api_find(w->s, w->a, w->q->api, 0, one, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no API '%.*s'", STR_ARG(w->q->api));
	return GH_RC_OK;
}

static gh_rc work(struct work *w, struct gh_err *err)
{
	struct governance_report *r = w->r;
	struct store_api *apis;
	size_t n;

	TRY(governance_rulesets(w->a, w->s, &r->sets, &r->n_sets, err));
	TRY(read_exceptions(w, err));
	TRY(facts_new(w->shared, w->s, &w->facts, err));
	TRY(read_apis(w, &apis, &n, err));
	r->apis = arena_alloc(w->a, n + 1, sizeof(*r->apis));
	if (!r->apis)
		FAIL(err, NOMEM, "report");
	what_is_asked(w);
	for (size_t i = 0; i < n; i++) {
		if (w->q->environment.n && !str_eq(w->q->environment, apis[i].environment_id))
			continue;
		w->api = &r->apis[r->n_apis++];
		*w->api = (struct governance_api){ .id = apis[i].id, .name = apis[i].name, .environment = apis[i].environment_id, .first = r->n_findings };
		arena_reset(w->scratch);
		TRY(one_api(w, &apis[i], err));
		for (size_t k = 0; k < ARRAY_LEN(r->counts); k++)
			r->counts[k] += w->api->counts[k];
		r->excepted += w->api->excepted;
		r->clean += !w->api->counts[GOVERNANCE_ERROR] && !w->api->counts[GOVERNANCE_WARNING] && !w->api->counts[GOVERNANCE_INFORMATION];
	}
	return GH_RC_OK;
}

GH_RC governance_report(struct store *s, struct arena *a, const struct governance_query *q, struct governance_report *out, struct gh_err *err)
{
	struct work w = { .s = s, .a = a, .q = q, .r = out, .now_us = q->now_us ? q->now_us : clock_wall_us() };
	const struct rights *viewer = store_viewer(s);
	bool reads = !store_in_tx(s);
	gh_rc rc;

	*out = (struct governance_report){ .n_sets = 0 };
	w.scratch = arena_new(SCRATCH_BYTES);
	w.shared = arena_new(SCRATCH_BYTES);
	if (!w.scratch || !w.shared)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "report");
	else
		rc = reads ? store_read_begin(s, err) : GH_RC_OK;
	if (!rc.code) {
		store_viewer_set(s, NULL);               /* what an API stands on counts, whoever asks */
		rc = work(&w, err);
		store_viewer_set(s, viewer);
		if (reads)
			store_read_end(s);
	}
	arena_free(w.scratch);
	arena_free(w.shared);
	return rc;
}

struct str governance_finding_rule(struct arena *a, const struct governance_finding *f)
{
	return f->rule ? arena_printf(a, "%.*s/%.*s", STR_ARG(f->set->ruleset.id), STR_ARG(f->rule->id)) : STR("description");
}

struct str governance_finding_mend(struct arena *a, const struct governance_finding *f)
{
	static const struct str mark = STR_INIT("{{api}}");
	struct str rest = f->rule ? f->rule->mend : STR_NULL, out = STR("");
	size_t at;

	if (!rest.n)
		return STR_NULL;
	while ((at = str_find(rest, mark)) != SIZE_MAX) {
		out = arena_printf(a, "%.*s%.*s%.*s", STR_ARG(out), STR_ARG(str_first(rest, at)), STR_ARG(f->api_id));
		rest = str_from(rest, at + mark.n);
	}
	return out.n ? arena_printf(a, "%.*s%.*s", STR_ARG(out), STR_ARG(rest)) : rest;
}

bool governance_report_fails(const struct governance_report *r, enum governance_severity at_least)
{
	for (enum governance_severity i = at_least; at_least && i < GOVERNANCE_SEVERITY__COUNT; i++)
		if (r->counts[i])
			return true;
	return false;
}
