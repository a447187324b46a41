#include "portal/portal/samples.h"

#include "core/str.h"
#include "core/uri.h"
#include "portal/portal/docs.h"

/* From an operation to the call that its samples make: examples of the description in place of parameters, and placeholders
 * in capitals where it has none. */

enum { VALUE_MAX = 400, URL_MAX = 8000, BODY_MAX = 3000, NAME_MAX = 60 };
static const char COOKIE[] = "gh_sample";        /* the language chosen last; www/samples.js sets it */

struct maker {
	struct web *w;
	const struct openapi *o;
	const struct openapi_operation *op;      /* NULL: not described */
	struct sample_call call;
	struct buf url;
	bool has_query;
};

/* ---- values ------------------------------------------------------------------------------------------------------------ */

/* "orderId" becomes ORDER_ID. */
static struct str placeholder(struct arena *a, struct str name)
{
	struct buf b;
	struct str out;

	buf_init(&b, 2 * NAME_MAX);
	name = str_first(name, NAME_MAX);
	for (size_t i = 0; i < name.n; i++) {
		bool upper = name.p[i] >= 'A' && name.p[i] <= 'Z';

		if (i && upper && name.p[i - 1] >= 'a' && name.p[i - 1] <= 'z')
			buf_char(&b, '_');
		buf_char(&b, name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] - 'a' + 'A') : name.p[i]);
	}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

/* Text that tells nothing ("string") is no example. */
static bool says_nothing(json_t *schema, const json_t *sample)
{
	return !sample || (json_is_string(sample) && !json_object_get(schema, "enum") && !json_object_get(schema, "default")
			   && !json_object_get(schema, "format") && !json_object_get(schema, "example")
			   && !json_object_get(schema, "examples") && !json_object_get(schema, "const"));
}

json_t *portal_parameter_value(struct web *w, const struct openapi *o, const struct openapi_parameter *p)
{
	json_t *schema = p->schema ? openapi_resolve(o, p->schema) : NULL, *v;

	if (p->n_examples)
		return p->examples[0].value;
	v = schema ? openapi_sample(o, w->a, schema) : NULL;
	return schema && says_nothing(schema, v) ? NULL : v;
}

/* The parts of a value: one, or those of a list. "" when it is too long to help or no plain value. */
static struct str plain(struct maker *m, const json_t *v)
{
	struct str s = json_is_string(v) ? jsn_string(v) : json_is_object(v) || json_is_array(v) || !v ? STR_NULL : jsn_text(m->w->a, v, 0);

	return s.n && s.n <= VALUE_MAX ? s : STR_NULL;
}

static struct str value_text(struct maker *m, const struct openapi_parameter *p, struct str name)
{
	json_t *v = p ? portal_parameter_value(m->w, m->o, p) : NULL;
	struct str s = plain(m, json_is_array(v) ? json_array_get(v, 0) : v);

	return s.p ? s : placeholder(m->w->a, name);
}

/* ---- the address ------------------------------------------------------------------------------------------------------- */

static void add_encoded(struct maker *m, struct str s, enum uri_set keep)
{
	buf_str(&m->url, uri_encode(m->w->a, s, keep));
}

/* The name in "{id}", "{*path}", "{page=1}". */
static struct str variable_name(struct str inside, bool *rest)
{
	*rest = inside.n && (inside.p[0] == '*' || inside.p[inside.n - 1] == '*');
	if (inside.n && inside.p[0] == '*')
		inside = str_from(inside, 1);
	inside = str_first(inside, str_find_char(inside, '='));
	return inside.n && inside.p[inside.n - 1] == '*' ? str_first(inside, inside.n - 1) : inside;
}

static void add_path(struct maker *m, struct str t)
{
	while (t.n) {
		size_t open = str_find_char(t, '{'), close = str_find_char(t, '}');
		struct str name;
		bool rest;

		if (open == SIZE_MAX || close == SIZE_MAX || close < open) {
			buf_str(&m->url, t);
			return;
		}
		buf_str(&m->url, str_first(t, open));
		name = variable_name(str_first(str_from(t, open + 1), close - open - 1), &rest);
		add_encoded(m, value_text(m, m->op ? openapi_parameter(m->op, OPENAPI_PATH, name) : NULL, name),
			    rest ? URI_KEEP_PATH : URI_KEEP_SEGMENT);
		t = str_from(t, close + 1);
	}
}

static void add_query(struct maker *m, struct str name, struct str value)
{
	buf_char(&m->url, m->has_query ? '&' : '?');
	m->has_query = true;
	add_encoded(m, name, URI_KEEP_UNRESERVED);
	buf_char(&m->url, '=');
	add_encoded(m, value, URI_KEEP_UNRESERVED);
}

static void add_query_parameter(struct maker *m, const struct openapi_parameter *p)
{
	json_t *v = portal_parameter_value(m->w, m->o, p), *one;
	size_t i;

	if (!json_is_array(v) || !p->explode) {
		add_query(m, p->name, value_text(m, p, p->name));
		return;
	}
	json_array_foreach(v, i, one) {
		if (plain(m, one).p)
			add_query(m, p->name, plain(m, one));
	}
}

/* What the template asks of the query with a fixed value, and all that the description requires. */
static void add_queries(struct maker *m, struct str t)
{
	struct str rest = t, item;

	while (rest.n && str_split(&rest, '&', &item)) {
		size_t eq = str_find_char(item, '='), open = str_find_char(item, '{');
		struct str name = str_first(item, eq);
		const struct openapi_parameter *p = m->op ? openapi_parameter(m->op, OPENAPI_QUERY, name) : NULL;

		if (open == SIZE_MAX) {
			buf_fmt(&m->url, "%c%.*s", m->has_query ? '&' : '?', STR_ARG(item));
			m->has_query = true;
		} else if (!p || !p->required) {
			add_query(m, name, value_text(m, p, name));
		}
	}
	for (size_t i = 0; m->op && i < m->op->n_parameters; i++)
		if (m->op->parameters[i].in == OPENAPI_QUERY && m->op->parameters[i].required)
			add_query_parameter(m, &m->op->parameters[i]);
}

/* ---- header fields ------------------------------------------------------------------------------------------------------- */

static void add_header(struct maker *m, struct str name, struct str value)
{
	for (size_t i = 0; i < m->call.n_headers; i++)
		if (str_eq_ci(m->call.headers[i].name, name))
			return;
	if (m->call.n_headers == SAMPLE_HEADERS_MAX || !sample_header_fits(name, value))
		return;
	m->call.headers[m->call.n_headers].name = name;
	m->call.headers[m->call.n_headers++].value = value;
}

static void add_headers(struct maker *m, const struct store_api *api, const struct portal_way_in *way)
{
	if (way->key)
		add_header(m, portal_key_header(api), STR("YOUR-KEY"));
	if (way->client) {
		add_header(m, STR("Client-Id"), STR("YOUR-CLIENT-ID"));
		add_header(m, STR("Client-Secret"), STR("YOUR-CLIENT-SECRET"));
	}
	if (way->bearer)
		add_header(m, STR("Authorization"), STR("Bearer YOUR-TOKEN"));
	else if (way->basic)
		add_header(m, STR("Authorization"), STR("Basic BASE64-OF-USER-COLON-PASSWORD"));
	if (way->api_key && way->api_key->in == OPENAPI_HEADER)
		add_header(m, way->api_key->name, STR("YOUR-SECRET"));
	for (size_t i = 0; m->op && i < m->op->n_parameters; i++) {
		const struct openapi_parameter *p = &m->op->parameters[i];

		if (p->in == OPENAPI_HEADER && p->required && !str_eq_ci(p->name, STR("Content-Type"))
		    && !str_eq_ci(p->name, STR("Authorization")))
			add_header(m, p->name, value_text(m, p, p->name));
	}
}

/* ---- the body -------------------------------------------------------------------------------------------------------------- */

static bool is_json(struct str type)
{
	type = str_trim(str_first(type, str_find_char(type, ';')));
	return str_eq_ci(type, STR("application/json")) || (type.n > 5 && str_eq_ci(str_from(type, type.n - 5), STR("+json")));
}

const struct openapi_media *portal_choose_media(const struct openapi_body *body)
{
	for (size_t i = 0; i < body->n_media; i++)
		if (is_json(body->media[i].type))
			return &body->media[i];
	return body->n_media ? &body->media[0] : NULL;
}

/* name=value&…, of the plain members. */
static struct str form_text(struct maker *m, json_t *v)
{
	const char *name;
	struct str out;
	struct buf b;
	json_t *one;

	buf_init(&b, 2 * BODY_MAX);
	json_object_foreach(v, name, one) {
		if (plain(m, one).p)
			buf_fmt(&b, "%s%.*s=%.*s", b.n ? "&" : "", STR_ARG(uri_encode(m->w->a, str_of(name), URI_KEEP_UNRESERVED)),
				STR_ARG(uri_encode(m->w->a, plain(m, one), URI_KEEP_UNRESERVED)));
	}
	out = buf_ok(&b) ? arena_dup(m->w->a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

/* RFC 7578; a value that is no plain one goes as JSON. */
static struct str parts_text(struct maker *m, json_t *v)
{
	const char *name;
	struct str out;
	struct buf b;
	json_t *one;

	buf_init(&b, 2 * BODY_MAX);
	json_object_foreach(v, name, one) {
		if (strpbrk(name, "\"\r\n"))
			continue;
		buf_fmt(&b, "--sample-boundary\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", name);
		buf_str(&b, plain(m, one).p ? plain(m, one) : jsn_text(m->w->a, one, 0));
		buf_cstr(&b, "\r\n");
	}
	buf_cstr(&b, "--sample-boundary--\r\n");
	out = buf_ok(&b) ? arena_dup(m->w->a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

/* The text of an example in its media type; STR_NULL when we cannot write that. */
static struct str media_text(struct maker *m, struct str *type, json_t *v)
{
	if (is_json(*type))
		return jsn_text(m->w->a, v, JSN_INDENT);
	if (json_is_string(v))
		return json_string_length(v) == strlen(json_string_value(v)) ? jsn_string(v) : STR_NULL;
	if (str_starts_ci(*type, STR("application/x-www-form-urlencoded")))
		return form_text(m, v);
	if (str_starts_ci(*type, STR("multipart/form-data"))) {
		*type = STR("multipart/form-data; boundary=sample-boundary");
		return parts_text(m, v);
	}
	return STR_NULL;
}

struct str portal_media_text(struct web *w, struct str type, json_t *v)
{
	struct maker m = { .w = w };

	return v ? media_text(&m, &type, v) : STR_NULL;
}

static void add_body(struct maker *m)
{
	const struct openapi_media *media = m->op && m->op->body ? portal_choose_media(m->op->body) : NULL;
	struct str type, text;
	json_t *v;

	if (!media || str_eq(m->call.method, STR("GET")) || str_eq(m->call.method, STR("HEAD")))
		return;
	v = openapi_media_example(m->o, m->w->a, media);
	type = str_find_char(media->type, '*') != SIZE_MAX ? STR("application/octet-stream") : media->type;
	text = v ? media_text(m, &type, v) : STR_NULL;
	add_header(m, STR("Content-Type"), type);
	if (text.n && text.n <= BODY_MAX)
		m->call.body = text;
	else if (text.n || m->op->body->required)
		m->call.body_file = is_json(type) ? "body.json" : str_find(type, STR("xml")) != SIZE_MAX ? "body.xml" : "body.txt";
}

/* ---- on the page ------------------------------------------------------------------------------------------------------------ */

static GH_RC make_call(struct maker *m, const struct store_api *api, const struct store_operation *op, struct str address,
		       const struct portal_way_in *way, struct gh_err *err)
{
	size_t at = str_find_char(op->uri_template, '?');

	m->call.method = str_eq(op->method, STR("*")) ? STR("GET") : op->method;
	buf_str(&m->url, address);
	add_path(m, str_first(op->uri_template, at));
	add_queries(m, at == SIZE_MAX ? STR("") : str_from(op->uri_template, at + 1));
	if (way->api_key && way->api_key->in == OPENAPI_QUERY)
		add_query(m, way->api_key->name, STR("YOUR-SECRET"));
	m->call.url = buf_ok(&m->url) ? arena_dup(m->w->a, buf_view(&m->url)) : address;
	add_headers(m, api, way);
	add_body(m);
	if (!m->call.url.p)
		FAIL(err, NOMEM, "samples");
	return GH_RC_OK;
}

static void put_all(struct maker *m)
{
	struct liquid_list *l = liquid_set_list(m->w->page, "samples");
	struct str chosen = web_param(&m->w->rq.cookies, COOKIE);
	const struct sample_language *first = sample_languages;

	for (const struct sample_language *s = sample_languages; s->id; s++)
		if (str_eq(chosen, str_of(s->id)))
			first = s;
	for (const struct sample_language *s = sample_languages; s->id; s++) {
		struct liquid_record *r;
		struct buf b;

		buf_init(&b, 4 * (BODY_MAX + URL_MAX));
		s->write(&b, &m->call);
		r = liquid_push_record(l);
		liquid_set_text(r, "id", str_of(s->id));
		liquid_set_text(r, "label", str_of(s->label));
		liquid_set_text(r, "text", buf_ok(&b) ? arena_dup(m->w->a, str_trim(buf_view(&b))) : STR(""));
		liquid_set_bool(r, "here", s == first);
		buf_release(&b);
	}
}

gh_rc portal_put_samples(struct web *w, const struct store_api *api, const struct openapi *o, const struct openapi_operation *op,
			 const struct store_operation *stored, const struct portal_way_in *way, struct gh_err *err)
{
	struct maker m = { .w = w, .o = o, .op = op };
	struct str address;
	gh_rc rc;

	TRY(portal_base_address(w, api, &address, err));
	buf_init(&m.url, URL_MAX);
	rc = make_call(&m, api, stored, address, way, err);
	buf_release(&m.url);
	TRY(rc);
	put_all(&m);
	liquid_set(w->page, "sample_file", m.call.body_file ? liquid_of_text(str_of(m.call.body_file)) : LIQUID_NIL_VALUE);
	return GH_RC_OK;
}
