#include "core/traffic_rule.h"

#include "core/str.h"

enum { SECOND_US = 1000000, DOCUMENT_BYTES = 1 << 20 };

bool traffic_list_has(const struct traffic_list *l, struct str s)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], s))
			return true;
	return false;
}

bool canary_sticky_parse(struct str s, enum canary_sticky *sticky, struct str *name)
{
	static const struct {
		struct str word;
		enum canary_sticky sticky;
		bool named;
	} words[] = { { STR_INIT("subscription"), CANARY_BY_SUBSCRIPTION, false }, { STR_INIT("address"), CANARY_BY_ADDRESS, false },
		      { STR_INIT("cookie"), CANARY_BY_COOKIE, true }, { STR_INIT("header"), CANARY_BY_HEADER, true } };
	struct str rest = s, word;

	*sticky = CANARY_EACH_CALL;
	*name = STR_NULL;
	if (!s.n)
		return true;
	if (!str_split(&rest, ':', &word))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(words[i].word, word) && words[i].named == (rest.n > 0)) {
			*sticky = words[i].sticky;
			*name = rest;
			return true;
		}
	return false;
}

static bool read_text(struct arena *a, const json_t *o, const char *name, struct str *out)
{
	struct str s = jsn_str(o, name);

	*out = s.n ? arena_dup(a, s) : STR_NULL;
	return !s.n || out->p;
}

static bool read_list(struct arena *a, const json_t *o, const char *name, struct traffic_list *out)
{
	const json_t *list = jsn_arr(o, name);
	size_t n = json_array_size(list);

	*out = (struct traffic_list){ 0 };
	out->v = arena_alloc(a, n + 1, sizeof(*out->v));
	if (!out->v)
		return false;
	for (; out->n < n; out->n++) {
		out->v[out->n] = arena_dup(a, jsn_string(json_array_get(list, out->n)));
		if (!out->v[out->n].p)
			return false;
	}
	return true;
}

/* The document lives no longer than the reading of it. */
static bool read_with(struct arena *a, struct str json, bool (*read)(struct arena *, const json_t *, void *), void *out)
{
	struct arena *scratch = arena_new(DOCUMENT_BYTES);
	json_t *top;
	bool ok = scratch && !jsn_parse_in(scratch, json, NULL, &top, NULL, NULL).code && read(a, top, out);

	arena_free(scratch);
	return ok;
}

static bool read_canary(struct arena *a, const json_t *o, void *to)
{
	struct canary_rule *c = to;
	const json_t *back = jsn_obj(o, "rollBack");

	if (!read_text(a, o, "backend", &c->backend) || !read_text(a, o, "header", &c->header)
	    || !read_text(a, o, "headerValue", &c->header_value) || !read_text(a, o, "cookie", &c->cookie)
	    || !read_list(a, o, "subscriptions", &c->subscriptions)
	    || !read_list(a, o, "operations", &c->operations) || !read_list(a, o, "products", &c->products)
	    || !canary_sticky_parse(jsn_str(o, "stickyOn"), &c->sticky, &c->sticky_name))
		return false;
	if (c->sticky_name.n && !(c->sticky_name = arena_dup(a, c->sticky_name)).p)
		return false;
	c->percent = (uint32_t)jsn_int(o, "percent", 0);
	c->watched = back != NULL;
	c->against_stable = str_eq(jsn_str(back, "against"), STR("stable"));
	c->watch.interval_us = jsn_int(back, "windowSeconds", 60) * SECOND_US;
	c->watch.least_calls = (uint32_t)jsn_int(back, "minimumCalls", 20);
	c->watch.percentage = (uint32_t)jsn_int(back, "errorPercent", 10);
	return c->backend.n > 0;
}

bool canary_rule_read(struct arena *a, struct str json, int64_t since_us, struct canary_rule *out)
{
	*out = (struct canary_rule){ 0 };
	if (!read_with(a, json, read_canary, out))
		return false;
	out->watch.print = (uint32_t)(str_hash(json) ^ (uint64_t)since_us ^ ((uint64_t)since_us >> 32)) | 1;
	return true;
}

static bool read_mirror(struct arena *a, const json_t *o, void *to)
{
	struct mirror_rule *m = to;

	m->percent = (uint32_t)jsn_int(o, "percent", 100);
	m->max_in_flight = (uint32_t)jsn_int(o, "maxInFlight", 32);
	m->max_body = (size_t)jsn_int(o, "maxBodyBytes", 65536);
	m->credentials = jsn_bool(o, "credentials", false);
	return read_text(a, o, "backend", &m->backend) && read_list(a, o, "methods", &m->methods) && m->backend.n > 0;
}

bool mirror_rule_read(struct arena *a, struct str json, struct mirror_rule *out)
{
	*out = (struct mirror_rule){ 0 };
	return read_with(a, json, read_mirror, out);
}

struct faults {
	struct fault_rule *v;
	size_t n;
};

static bool read_faults(struct arena *a, const json_t *list, void *to)
{
	struct faults *out = to;
	size_t n = json_array_size(list);

	if (n > TRAFFIC_FAULTS_MAX)          /* config/ refuses them; whoever reads has room for no more */
		n = TRAFFIC_FAULTS_MAX;
	out->v = arena_alloc(a, n + 1, sizeof(*out->v));
	if (!out->v || !json_is_array(list))
		return false;
	for (; out->n < n; out->n++) {
		const json_t *o = json_array_get(list, out->n);
		struct fault_rule *f = &out->v[out->n];

		f->percent = (uint32_t)jsn_int(o, "percent", 100);
		f->delay_ms = (uint32_t)jsn_int(o, "delayMs", 0);
		f->abort_status = (int)jsn_int(o, "abortStatus", 0);
		if (!read_text(a, o, "header", &f->header) || !read_text(a, o, "headerValue", &f->header_value)
		    || !read_list(a, o, "subscriptions", &f->subscriptions))
			return false;
	}
	return true;
}

bool fault_rules_read(struct arena *a, struct str json, struct fault_rule **out, size_t *n)
{
	struct faults f = { 0 };
	bool ok = read_with(a, json, read_faults, &f);

	*out = f.v;
	*n = f.n;
	return ok;
}
