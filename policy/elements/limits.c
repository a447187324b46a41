#include "policy/elements/limits.h"

#include "core/str.h"
#include "policy/program.h"

struct counter_take *limit_add(struct arena *a, struct limit_state *s, const struct counter_take *t)
{
	if (s->n == LIMIT_TAKES_MAX)
		return NULL;
	if (!s->n) {
		s->takes = &s->first;
		s->room = 1;
	} else if (s->n == s->room) {
		struct counter_take *all = arena_alloc(a, LIMIT_TAKES_MAX, sizeof(*all));

		if (!all)
			return NULL;
		memcpy(all, s->takes, s->n * sizeof(*all));
		s->takes = all;
		s->room = LIMIT_TAKES_MAX;
	}
	s->takes[s->n] = *t;
	return &s->takes[s->n++];
}

enum step limit_take(struct exchange *x, struct limit_state *s, const struct counter_take **refused)
{
	*refused = NULL;
	for (;;) {
		struct counter_take *t = &s->takes[s->at];

		if (s->at == s->n) {
			if (!s->looking)
				return STEP_NEXT;
			s->looking = false;
			s->at = 0;
			for (size_t i = 0; i < s->n; i++)
				s->takes[i].done = false;
			continue;
		}
		if (!t->done) {
			uint64_t amount = t->amount;
			enum step step;

			t->amount = s->looking ? 0 : amount;
			step = x->host->take(x, t);
			t->amount = amount;
			if (step != STEP_NEXT)
				return step;
			t->done = true;
		}
		if (t->unavailable)
			return exchange_fail(x, 503, STR("CountersUnavailable"), "The limits of this gateway cannot be kept at present.");
		if (s->looking ? t->remaining < t->amount : !t->allowed) {
			*refused = t;
			return STEP_NEXT;
		}
		s->at++;
	}
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

struct pending_header {
	struct str name, value;
};

static void put_header(struct exchange *x, void *arg)
{
	const struct pending_header *h = arg;

	if (!fields_set(&x->response.headers, h->name, h->value))
		exchange_trace(x, "no memory for header %.*s", STR_ARG(h->name));
}

static bool tell_header(struct exchange *x, const struct arg *name, uint64_t value)
{
	struct pending_header *h;

	if (!name->given)
		return true;
	h = arena_new_of(x->arena, struct pending_header);
	if (!h)
		return false;
	h->name = name->text;
	h->value = arena_printf(x->arena, "%llu", (unsigned long long)value);
	return !str_is_null(h->value) && exchange_at_end(x, put_header, h);
}

bool limit_report(struct exchange *x, const struct limit_names *names, uint64_t remaining, uint64_t total)
{
	bool ok = tell_header(x, &names->remaining_header, remaining) && tell_header(x, &names->total_header, total);

	if (names->remaining_variable.given)
		ok = ok && exchange_set_variable(x, names->remaining_variable.text, value_int((int64_t)remaining));
	if (!ok)
		exchange_no_memory(x);
	return ok;
}

enum step limit_refuse(struct exchange *x, const struct limit_names *names, uint32_t retry_after_s)
{
	struct str said = arena_printf(x->arena, "Rate limit is exceeded. Try again in %u seconds.", retry_after_s);

	exchange_refuse(x, 429, STR("RateLimitExceeded"), STR("Rate limit is exceeded"), said);
	x->error.header = names->retry_header.text;
	x->error.header_value = arena_printf(x->arena, "%u", retry_after_s);
	if (names->retry_variable.given
	    && !exchange_set_variable(x, names->retry_variable.text, value_int(retry_after_s)))
		return exchange_no_memory(x);
	return STEP_FAIL;
}

struct str limit_rate_key(struct arena *a, enum scope scope, struct str id, struct str subscription)
{
	const struct str name = scope_name(scope);
	size_t n = STR("rate-limit:").n + name.n + id.n + subscription.n + 2;
	char *text = arena_alloc_text(a, n + 1), *to;        /* of every call */

	if (!text)
		return STR_NULL;
	to = str_put(str_put(text, STR("rate-limit:")), name);
	to = str_put(str_put(to, STR(":")), id);
	to = str_put(str_put(to, STR(":")), subscription);
	*to = '\0';
	return (struct str){ text, n };
}

struct limit_place limit_place(const struct exchange *x)
{
	const struct fiber *f = x->program->now;
	struct limit_place p = { .scope = f->frames[f->n_frames - 1].scope, .product = STR(""), .api = STR(""), .operation = STR("") };

	if (p.scope == SCOPE_PRODUCT && x->product)
		p.product = x->product->id;
	else if ((p.scope == SCOPE_API || p.scope == SCOPE_OPERATION) && x->api)
		p.api = x->api->id;
	if (p.scope == SCOPE_OPERATION && x->operation)
		p.operation = x->operation->id;
	return p;
}

struct str limit_time_span(struct arena *a, uint32_t s)
{
	unsigned days = s / 86400, h = s / 3600 % 24, m = s / 60 % 60;

	if (days)
		return arena_printf(a, "%u.%02u:%02u:%02u", days, h, m, s % 60);
	return arena_printf(a, "%02u:%02u:%02u", h, m, s % 60);
}

bool limit_names_this(const struct arg *name, const struct arg *id, struct str this_name, struct str this_id)
{
	if (id->given)
		return this_id.p && str_eq_ci(id->text, this_id);
	return name->given && this_name.p && str_eq_ci(name->text, this_name);
}
