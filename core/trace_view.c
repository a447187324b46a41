#include "core/trace_view.h"

#include "core/str.h"

enum { HIDDEN_MAX = 64, HIDDEN_LEAST = 4 };

struct hidden {
	struct arena *arena;
	struct str v[HIDDEN_MAX];
	size_t n;
};

static const char *const not_shown = "(not shown)";

static struct str without(const struct hidden *h, struct str text)
{
	for (size_t i = 0; i < h->n; i++) {
		size_t at, from = 0;

		while ((at = str_find(str_from(text, from), h->v[i])) != SIZE_MAX) {
			at += from;
			text = arena_printf(h->arena, "%.*s%s%.*s", STR_ARG(str_first(text, at)), not_shown,
					    STR_ARG(str_from(text, at + h->v[i].n)));
			from = at + strlen(not_shown);
		}
	}
	return text;
}

/* All texts below v without the hidden values. */
static void redact(const struct hidden *h, json_t *v)
{
	const char *name;
	json_t *one;
	size_t i;

	if (json_is_string(v)) {
		struct str text = without(h, jsn_string(v));

		if (!text.p || json_string_setn(v, text.p, text.n) < 0)
			(void)json_string_set(v, "");
	}
	json_array_foreach (v, i, one)
		redact(h, one);
	json_object_foreach (v, name, one)
		redact(h, one);
}

/* Takes the values out of the backend's fields that the client did not send himself. False: too many to look for. */
static bool take_values(struct hidden *h, json_t *trace)
{
	bool all = true;
	json_t *field;
	size_t i;

	json_array_foreach (jsn_arr(jsn_obj(trace, "backend"), "headers"), i, field) {
		struct str by = jsn_str(field, "by"), value = jsn_str(field, "value");

		if (str_eq(by, STR("client")))
			continue;
		if (str_eq(by, STR("policy")) && value.n >= HIDDEN_LEAST && !str_eq(value, STR("***"))) {
			/* `value` goes away below */
			struct str kept = h->n < HIDDEN_MAX ? arena_dup(h->arena, value) : STR_NULL;

			if (kept.p)
				h->v[h->n++] = kept;
			else
				all = false;
		}
		json_object_set_new(field, "value", json_string(not_shown));
	}
	return all;
}

/* What these policies say shows what goes to the backend: from where on it is left out. In outbound it is what the client
 * sees anyway. */
static const struct {
	struct str policy, from;
	size_t keep;                         /* bytes of `from` that stay */
} told[] = {
	{ STR_INIT("set-header"), STR_INIT(": "), 0 },
	{ STR_INIT("set-query-parameter"), STR_INIT("query "), 6 },
	{ STR_INIT("rewrite-uri"), STR_INIT("?"), 1 },
};

static void shorten_step(const struct hidden *h, json_t *step)
{
	struct str policy = jsn_str(step, "policy"), decision = jsn_str(step, "decision"), text;

	if (str_eq(jsn_str(step, "section"), STR("outbound")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		size_t at = str_eq(policy, told[i].policy) ? str_find(decision, told[i].from) : SIZE_MAX;

		if (at == SIZE_MAX)
			continue;
		text = arena_printf(h->arena, "%.*s%s", STR_ARG(str_first(decision, at + told[i].keep)),
				    told[i].keep ? not_shown : "");
		json_object_set_new(step, "decision", json_stringn(text.p ? text.p : "", text.n));
		return;
	}
}

static void shorten_steps(const struct hidden *h, json_t *trace, bool all)
{
	json_t *step;
	size_t i;

	json_array_foreach (jsn_arr(trace, "steps"), i, step) {
		if (all)
			json_object_set_new(step, "decision", json_string(not_shown));
		else
			shorten_step(h, step);
	}
}

/* Policies add parameters for the backend too. */
static gh_rc shorten_url(struct arena *a, json_t *backend, struct gh_err *err)
{
	struct str url = jsn_str(backend, "url");
	size_t query = str_find_char(url, '?');
	struct str shown = query == SIZE_MAX ? url : arena_printf(a, "%.*s?%s", STR_ARG(str_first(url, query)), not_shown);

	if (url.n && (!shown.p || json_object_set_new(backend, "url", json_stringn(shown.p, shown.n)) < 0))
		FAIL(err, NOMEM, "no memory to take out what a consumer may not see");
	return GH_RC_OK;
}

gh_rc trace_view_consumer(struct arena *a, json_t *trace, struct gh_err *err)
{
	struct hidden *h = arena_new_of(a, struct hidden);
	bool whole;

	if (!h)
		FAIL(err, NOMEM, "no memory to take out what a consumer may not see");
	h->arena = a;
	whole = take_values(h, trace);
	TRY(shorten_url(a, jsn_obj(trace, "backend"), err));
	shorten_steps(h, trace, !whole);
	redact(h, jsn_arr(trace, "steps"));
	redact(h, jsn_obj(trace, "backend"));
	redact(h, jsn_obj(trace, "lastError"));
	return GH_RC_OK;
}
