#include "fcgi/trace_mask.h"

#include "core/body_mask.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/access_flow.h"
#include "fcgi/credential.h"

enum {
	HIDDEN_LEAST = 6,                        /* bytes; shorter secrets are masked only in their field */
	PARAMETERS_MOST = TRACE_HIDDEN_MAX / 2,  /* callers choose how many there are: what the gateway keeps secret must have room, too */
	QUERY_GROWTH = 7, QUERY_SLACK = 64,      /* mask_body */
};

static const struct str hidden = STR_INIT("***");

static const struct str secret_fields[] = {
	STR_INIT("Authorization"), STR_INIT("Proxy-Authorization"), STR_INIT("Cookie"), STR_INIT("Set-Cookie"),
	STR_INIT("Apim-Debug-Authorization"), STR_INIT("X-Amz-Security-Token"), STR_INIT("Client-Secret"),
	STR_INIT("client_secret"), STR_INIT("Signature"), STR_INIT("X-Consumer-Token"), STR_INIT("Ocp-Apim-Subscription-Key"), STR_INIT("X-Api-Key"),
};

/* Of the i-th method or token that the access rules of the API name. */
static struct str rule_field(const struct call *k, size_t i)
{
	const struct access_flow *f = k->access;

	for (size_t r = 0; f && r < f->n_rules; r++) {
		const struct snap_rule *rule = f->rules[r];
		const struct snap_demand *d = f->operation.n && rule->operations.n ? map_get(&rule->operations, f->operation) : NULL;
		bool own = d && d->n_groups;
		const struct snap_group *g = own ? d->groups : rule->groups, *end = g + (own ? d->n_groups : rule->n_groups);

		if (rule->token_header.n && i-- == 0)
			return rule->token_header;
		for (; g < end; g++)
			for (size_t m = 0; m < g->n; m++)
				if (g->methods[m].header.n && i-- == 0)
					return g->methods[m].header;
	}
	return STR_NULL;
}

/* The i-th name of a field that carries a credential; the last are those that the API, the backend's credential and the access
 * rules chose. STR_NULL past them. */
static struct str secret_field(const struct call *k, size_t i)
{
	const size_t n = ARRAY_LEN(secret_fields);
	struct str chosen = STR_NULL;

	if (i < n)
		return secret_fields[i];
	if (i > n + 1)
		return rule_field(k, i - n - 2);
	if (i == n && k->x.api)
		chosen = k->x.api->key_header;
	else if (i > n && k->credential)
		chosen = credential_text(&k->credential->c, "header");
	return chosen.n ? chosen : secret_fields[0];
}

bool trace_field_is_secret(const struct call *k, struct str name)
{
	struct str secret;

	for (size_t i = 0; (secret = secret_field(k, i)).n; i++)
		if (str_eq_ci(secret, name))
			return true;
	for (const struct credential_secret *s = k->secrets; s; s = s->next)
		if (s->field.n && str_eq_ci(s->field, name))
			return true;
	return false;
}

/* Texts reach here with named values masked already, so what is looked for in them must be too. */
void trace_hide(struct trace_writer *w, struct str text)
{
	text = exchange_mask(&w->k->x, str_trim(text));
	if (text.n >= HIDDEN_LEAST && !str_eq(text, hidden) && w->n_hidden < TRACE_HIDDEN_MAX)
		w->hidden[w->n_hidden++] = text;
}

/* "Bearer abc": the whole and "abc"; "a=1; b=2": the whole and each value. */
static void hide_value(struct trace_writer *w, struct str value)
{
	size_t blank = str_find_char(value, ' ');
	struct str rest = value;

	trace_hide(w, value);
	if (blank != SIZE_MAX)
		trace_hide(w, str_from(value, blank + 1));
	for (struct str part; str_split(&rest, ';', &part);) {
		size_t equals = str_find_char(part, '=');

		if (equals != SIZE_MAX)
			trace_hide(w, str_from(part, equals + 1));
	}
}

void trace_hide_fields(struct trace_writer *w, const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (trace_field_is_secret(w->k, f->v[i].name))
			hide_value(w, f->v[i].value);
}

static void hide_query(struct trace_writer *w, struct str query, struct str name)
{
	struct str value;

	if (!query.n || !name.n || !uri_query_find(query, name, &value))
		return;
	trace_hide(w, value);
	trace_hide(w, uri_decode(w->k->arena, value, true));
}

/* Names of parameters that are secret beside those that say so (mask_name_is_secret): that of the API's key, and signatures of
 * addresses that let in whoever has them (OpenTelemetry asks that they be hidden). */
enum { PARAMETER_NAMES = 6 };

static struct mask_names parameter_names(const struct call *k, struct str out[PARAMETER_NAMES])
{
	const struct str names[PARAMETER_NAMES] = { STR("sig"), STR("Signature"), STR("AWSAccessKeyId"), STR("X-Amz-Signature"),
						    STR("X-Goog-Signature"), k->x.api ? k->x.api->key_query : STR_NULL };

	memcpy(out, names, sizeof(names));
	return (struct mask_names){ out, PARAMETER_NAMES };
}

static void hide_parameters(struct trace_writer *w, struct str query)
{
	struct str names[PARAMETER_NAMES], name, value;
	struct mask_names marked = parameter_names(w->k, names);

	while (w->n_hidden < PARAMETERS_MOST && uri_query_next(&query, &name, &value)) {
		if (!value.n || !mask_name_is_secret(uri_decode(w->k->arena, name, true), &marked))
			continue;
		trace_hide(w, value);
		trace_hide(w, uri_decode(w->k->arena, value, true));
	}
}

void trace_hide_call(struct trace_writer *w)
{
	const struct request *r = &w->k->x.request;

	trace_hide_secrets(w);
	hide_parameters(w, r->original_url.query);
	if (r->url.query.p != r->original_url.query.p)
		hide_parameters(w, r->url.query);
}

void trace_hide_secrets(struct trace_writer *w)
{
	const struct exchange *x = &w->k->x;
	const struct ctx_subscription *sub = x->subscription;

	if (sub) {
		trace_hide(w, sub->key);
		trace_hide(w, sub->primary_key);
		trace_hide(w, sub->secondary_key);
	}
	if (x->api)
		hide_query(w, x->request.original_url.query, x->api->key_query);
	hide_query(w, x->request.original_url.query, STR("subscription-key"));
	for (const struct credential_secret *s = w->k->secrets; s; s = s->next)
		trace_hide(w, s->text);
	trace_hide_fields(w, &x->request.headers);
	trace_hide_fields(w, &x->response.headers);
}

static struct str mask_plain(struct trace_writer *w, struct str text)
{
	text = exchange_mask(&w->k->x, text);
	for (size_t i = 0; i < w->n_hidden && text.n; i++)
		text = mask_text(w->k->arena, text, w->hidden[i]);
	return text;
}

struct str trace_mask(struct trace_writer *w, struct str text)
{
	struct str masked = mask_plain(w, text);

	for (int plus = 0; plus < 2 && text.n && str_find_char(masked, '%') != SIZE_MAX; plus++) {
		struct str decoded = uri_decode(w->k->arena, masked, plus), again = mask_plain(w, decoded);

		if (!decoded.p || !again.p)
			return STR_NULL;
		if (!str_eq(decoded, again))
			masked = again;
	}
	return masked;
}

static size_t find_ci(struct str s, struct str part)
{
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (str_starts_ci(str_from(s, i), part))
			return i;
	return SIZE_MAX;
}

/* "Authorization: …" in what a step says: nothing behind the name is shown. */
struct str trace_mask_decision(struct trace_writer *w, struct str text)
{
	struct str name;

	text = trace_mask(w, text);
	for (size_t i = 0; text.n && (name = secret_field(w->k, i)).n; i++) {
		size_t at = find_ci(text, name);

		if (at != SIZE_MAX && at + name.n < text.n && text.p[at + name.n] == ':')
			text = arena_printf(w->k->arena, "%.*s: ***", STR_ARG(str_first(text, at + name.n)));
	}
	return text;
}

struct str trace_mask_url(struct trace_writer *w, const struct url *from)
{
	struct str names[PARAMETER_NAMES];
	struct url u = *from;
	struct buf query;

	if (u.query.n) {
		struct mask_names marked = parameter_names(w->k, names);

		buf_init(&query, QUERY_GROWTH * u.query.n + QUERY_SLACK);
		u.query = mask_body(&query, w->k->arena, BODY_FORM_FIELDS, u.query, &marked) ? arena_dup(w->k->arena, buf_view(&query)) : STR_NULL;
		buf_release(&query);
		if (!u.query.p)
			return STR_NULL;
	}
	return trace_mask(w, url_text(w->k->arena, &u));
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/* masked: it has been through trace_mask(), which gives STR_NULL when there was no memory to look for secrets. */
void trace_put_masked(struct trace_writer *w, const char *name, struct str masked, size_t most)
{
	buf_fmt(&w->b, "\"%s\":", name);
	buf_json(&w->b, str_is_null(masked) ? STR("(no memory to mask it)") : str_first(masked, most));
	w->cut |= masked.n > most;
}

void trace_put(struct trace_writer *w, const char *name, struct str text)
{
	if (str_is_null(text))
		buf_fmt(&w->b, "\"%s\":null", name);
	else
		trace_put_masked(w, name, trace_mask(w, text), TRACE_VALUE_BYTES);
}

