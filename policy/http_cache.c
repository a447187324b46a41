#include "policy/http_cache.h"

#include "core/http_date.h"
#include "core/str.h"

enum { HEURISTIC_MAX_S = 86400, HEURISTIC_PART = 10, VALIDATOR_KEEP_S = 3600 };

/* ---- Cache-Control ------------------------------------------------------------------------------------------------------ */

static size_t end_of_directive(struct str s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == ',' && !quoted)
			return i;
	}
	return s.n;
}

bool http_directive_next(struct str *rest, struct str *name, struct str *argument)
{
	struct str one;
	size_t end, eq;

	do {
		if (!rest->n)
			return false;
		end = end_of_directive(*rest);
		one = str_trim(str_first(*rest, end));
		*rest = str_from(*rest, end + 1);
	} while (!one.n);
	eq = str_find_char(one, '=');
	*name = str_first(one, eq);
	*argument = eq == SIZE_MAX ? STR_NULL : str_from(one, eq + 1);
	if (argument->n > 1 && argument->p[0] == '"' && argument->p[argument->n - 1] == '"')
		*argument = str_first(str_from(*argument, 1), argument->n - 2);
	return true;
}

/* All digits, however many: what is too large is the largest. False: it is no such number. */
static bool delta(struct str s, int64_t *out)
{
	int64_t v = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return false;
		v = v * 10 + (s.p[i] - '0');
		if (v > HTTP_CACHE_MAX_AGE)
			v = HTTP_CACHE_MAX_AGE;
	}
	*out = v;
	return true;
}

static void seconds(struct str argument, int64_t otherwise, int64_t *out)
{
	int64_t v;

	if (*out < 0)
		*out = delta(argument, &v) ? v : otherwise;
}

static void named_or_all(struct str argument, bool *all, struct str *names)
{
	if (argument.n)
		*names = argument;
	else
		*all = true;
}

static void take_directive(struct http_cache_control *c, struct str name, struct str argument)
{
	static const struct {
		struct str name;
		size_t offset;
	} flags[] = {
		{ STR_INIT("no-store"), offsetof(struct http_cache_control, no_store) },
		{ STR_INIT("public"), offsetof(struct http_cache_control, is_public) },
		{ STR_INIT("must-revalidate"), offsetof(struct http_cache_control, must_revalidate) },
		{ STR_INIT("proxy-revalidate"), offsetof(struct http_cache_control, proxy_revalidate) },
		{ STR_INIT("must-understand"), offsetof(struct http_cache_control, must_understand) },
		{ STR_INIT("only-if-cached"), offsetof(struct http_cache_control, only_if_cached) },
	};
	static const struct {
		struct str name;
		size_t offset;
		int64_t otherwise;
	} numbers[] = {
		{ STR_INIT("max-age"), offsetof(struct http_cache_control, max_age), 0 },
		{ STR_INIT("s-maxage"), offsetof(struct http_cache_control, s_maxage), 0 },
		{ STR_INIT("stale-while-revalidate"), offsetof(struct http_cache_control, stale_while_revalidate), -1 },
		{ STR_INIT("stale-if-error"), offsetof(struct http_cache_control, stale_if_error), -1 },
		{ STR_INIT("min-fresh"), offsetof(struct http_cache_control, min_fresh), -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (str_eq_ci(name, flags[i].name))
			*(bool *)((char *)c + flags[i].offset) = true;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (str_eq_ci(name, numbers[i].name))
			seconds(argument, numbers[i].otherwise, (int64_t *)(void *)((char *)c + numbers[i].offset));
	if (str_eq_ci(name, STR("no-cache")))
		named_or_all(argument, &c->no_cache, &c->no_cache_fields);
	else if (str_eq_ci(name, STR("private")))
		named_or_all(argument, &c->is_private, &c->private_fields);
	else if (str_eq_ci(name, STR("max-stale")) && !argument.n)
		c->max_stale_any = true;
	else if (str_eq_ci(name, STR("max-stale")))
		seconds(argument, -1, &c->max_stale);
}

void http_cache_control_parse(struct str value, struct http_cache_control *out)
{
	struct str name, argument;

	*out = (struct http_cache_control){ .max_age = -1, .s_maxage = -1, .stale_while_revalidate = -1, .stale_if_error = -1,
					    .min_fresh = -1, .max_stale = -1 };
	while (http_directive_next(&value, &name, &argument))
		take_directive(out, name, argument);
}

void http_cache_control_of_response(const struct fields *headers, struct http_cache_control *out)
{
	http_cache_control_parse(fields_joined(headers, STR("Cache-Control")), out);
}

void http_cache_control_of_request(const struct fields *asked, struct http_cache_control *out)
{
	struct str control = fields_joined(asked, STR("Cache-Control")), pragma;

	http_cache_control_parse(control, out);
	if (!str_is_null(control))
		return;
	pragma = fields_joined(asked, STR("Pragma"));
	for (struct str one; pragma.n && str_split(&pragma, ',', &one);)
		out->no_cache |= str_eq_ci(str_trim(one), STR("no-cache"));
}

/* ---- what may be kept ----------------------------------------------------------------------------------------------------- */

/* RFC 9110 section 15.1, without 206. */
static bool is_heuristic(int status)
{
	static const short all[] = { 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501 };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] == status)
			return true;
	return false;
}

static bool names_all(const struct fields *headers)
{
	struct str vary = fields_joined(headers, STR("Vary"));

	for (struct str one; vary.n && str_split(&vary, ',', &one);)
		if (str_eq(str_trim(one), STR("*")))
			return true;
	return false;
}

static bool says_how_long(const struct http_cache_policy *p, const struct response *r, const struct http_cache_control *cc)
{
	return cc->is_public || cc->max_age >= 0 || cc->s_maxage >= 0 || p->default_s > 0 || is_heuristic(r->status)
	       || fields_count(&r->headers, STR("Expires"));
}

const char *http_cache_refuses(const struct http_cache_policy *p, const struct fields *asked, const struct response *r,
			       const struct http_cache_control *cc)
{
	if (r->status < 200 || r->status == 206 || r->status == 304 || fields_count(&r->headers, STR("Content-Range")))
		return "it is not a whole response";
	if (cc->no_store && !(cc->must_understand && is_heuristic(r->status)))
		return "no-store";
	if (cc->must_understand && !is_heuristic(r->status))
		return "must-understand, and the status is not known to caches";
	if (cc->is_private)
		return "private";
	if (fields_count(&r->headers, STR("Set-Cookie")))
		return "it sets a cookie, which is for one caller";
	if (names_all(&r->headers))
		return "Vary: *";
	if (!p->keeps_authorized && fields_count(asked, STR("Authorization")) && !cc->is_public && !cc->must_revalidate
	    && cc->s_maxage < 0)
		return "the request carries Authorization, and the response does not say public, s-maxage or must-revalidate";
	if (!says_how_long(p, r, cc))
		return "its status is not kept without a word about how long";
	if (!http_cache_has_validator(r) && (cc->no_cache || http_cache_lifetime_s(p, r, cc) <= 0))
		return "it would be old at once, and has no validator";
	return NULL;
}

/* A list of names in a field or an argument. */
static bool listed(struct str list, struct str name)
{
	for (struct str one; list.n && str_split(&list, ',', &one);)
		if (str_eq_ci(str_trim(one), name))
			return true;
	return false;
}

bool http_cache_drops_field(const struct response *r, const struct http_cache_control *cc, struct str name)
{
	static const struct str ends_here[] = {
		STR_INIT("Connection"), STR_INIT("Keep-Alive"), STR_INIT("Proxy-Connection"), STR_INIT("TE"), STR_INIT("Trailer"),
		STR_INIT("Transfer-Encoding"), STR_INIT("Upgrade"), STR_INIT("Proxy-Authenticate"),
		STR_INIT("Proxy-Authentication-Info"), STR_INIT("Proxy-Authorization"),
	};

	for (size_t i = 0; i < ARRAY_LEN(ends_here); i++)
		if (str_eq_ci(name, ends_here[i]))
			return true;
	return listed(fields_joined(&r->headers, STR("Connection")), name) || listed(cc->no_cache_fields, name)
	       || listed(cc->private_fields, name);
}

/* ---- freshness ------------------------------------------------------------------------------------------------------------ */

static bool date_of(const struct fields *headers, struct str name, int64_t *out)
{
	return http_date_parse(fields_get(headers, name), out);
}

int64_t http_cache_lifetime_s(const struct http_cache_policy *p, const struct response *r, const struct http_cache_control *cc)
{
	int64_t date, expires, changed;
	bool dated = date_of(&r->headers, STR("Date"), &date);

	if (cc->s_maxage >= 0)
		return cc->s_maxage;
	if (cc->max_age >= 0)
		return cc->max_age;
	if (fields_count(&r->headers, STR("Expires"))) {     /* what is no date, as "0", is in the past (section 5.3) */
		if (fields_count(&r->headers, STR("Expires")) > 1 || !date_of(&r->headers, STR("Expires"), &expires) || !dated)
			return 0;
		return expires > date ? expires - date > HTTP_CACHE_MAX_AGE ? HTTP_CACHE_MAX_AGE : expires - date : 0;
	}
	if (p->default_s > 0)
		return p->default_s;
	if (!dated || !date_of(&r->headers, STR("Last-Modified"), &changed) || changed >= date
	    || !(is_heuristic(r->status) || cc->is_public))
		return 0;
	return (date - changed) / HEURISTIC_PART > HEURISTIC_MAX_S ? HEURISTIC_MAX_S : (date - changed) / HEURISTIC_PART;
}

int64_t http_cache_initial_age_s(const struct response *r, int64_t asked_us, int64_t came_us)
{
	struct str text = fields_joined(&r->headers, STR("Age"));
	int64_t said = 0, date, apparent = 0, delay = came_us > asked_us ? (came_us - asked_us) / 1000000 : 0;

	/* what cannot be read, or comes twice, may be any age: it is asked for anew */
	if (text.p && !delta(str_trim(text), &said))
		said = HTTP_CACHE_MAX_AGE;
	if (date_of(&r->headers, STR("Date"), &date) && came_us / 1000000 > date)
		apparent = came_us / 1000000 - date;
	return said + delay > apparent ? said + delay : apparent;
}

static int64_t first_of(int64_t said, int64_t otherwise)
{
	return said >= 0 ? said : otherwise;
}

/* Nothing stale of it goes out without the origin's consent. */
static bool is_strict(const struct http_cache_control *cc)
{
	return cc->must_revalidate || cc->proxy_revalidate || cc->s_maxage >= 0 || cc->no_cache;
}

static int64_t stale_s(const struct http_cached *c)
{
	return c->age_s - c->lifetime_s;
}

enum http_cache_use http_cache_use_of(const struct http_cache_policy *p, const struct http_cached *c,
				      const struct http_cache_control *asked)
{
	bool fresh = c->age_s < c->lifetime_s;

	if (asked->no_cache || c->cc.no_cache || (asked->max_age >= 0 && c->age_s > asked->max_age) || asked->max_age == 0)
		return HTTP_CACHE_VALIDATE;
	if (asked->min_fresh >= 0 && c->lifetime_s - c->age_s < asked->min_fresh)
		return HTTP_CACHE_VALIDATE;
	if (fresh)
		return HTTP_CACHE_FRESH;
	if (is_strict(&c->cc))
		return HTTP_CACHE_VALIDATE;
	if (asked->max_stale_any || stale_s(c) < asked->max_stale)
		return HTTP_CACHE_STALE_ASKED;
	return stale_s(c) < first_of(c->cc.stale_while_revalidate, p->stale_while_revalidate_s) ? HTTP_CACHE_STALE_OK
												 : HTTP_CACHE_VALIDATE;
}

bool http_cache_stale_if_error(const struct http_cache_policy *p, const struct http_cached *c,
			       const struct http_cache_control *asked)
{
	if (is_strict(&c->cc) || asked->no_cache || asked->max_age == 0)
		return false;
	return stale_s(c) < first_of(c->cc.stale_if_error, first_of(asked->stale_if_error, p->stale_if_error_s));
}

int64_t http_cache_keep_s(const struct http_cache_policy *p, const struct response *r, const struct http_cache_control *cc,
			  int64_t lifetime_s, int64_t initial_age_s)
{
	int64_t more = 0, stale[] = { first_of(cc->stale_while_revalidate, p->stale_while_revalidate_s),
				      first_of(cc->stale_if_error, p->stale_if_error_s),
				      http_cache_has_validator(r) ? VALIDATOR_KEEP_S : 0 };

	for (size_t i = 0; i < ARRAY_LEN(stale); i++)
		more = stale[i] > more ? stale[i] : more;
	lifetime_s = lifetime_s > initial_age_s ? lifetime_s - initial_age_s : 0;
	return lifetime_s > HTTP_CACHE_MAX_AGE - more ? HTTP_CACHE_MAX_AGE : lifetime_s + more;
}

bool http_cache_is_error(int status)
{
	return status == 500 || status == 502 || status == 503 || status == 504;
}

/* ---- validation ----------------------------------------------------------------------------------------------------------- */

bool http_cache_has_validator(const struct response *r)
{
	return fields_get(&r->headers, STR("ETag")).n || fields_get(&r->headers, STR("Last-Modified")).n;
}

static const struct str conditions[] = {
	STR_INIT("If-None-Match"), STR_INIT("If-Modified-Since"), STR_INIT("If-Range"), STR_INIT("Range"),
};

void http_cache_ask_for_all(struct fields *headers)
{
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		fields_remove(headers, conditions[i]);
}

bool http_cache_ask_if_changed(struct fields *headers, const struct response *stored)
{
	struct str tag = fields_get(&stored->headers, STR("ETag")), changed = fields_get(&stored->headers, STR("Last-Modified"));

	http_cache_ask_for_all(headers);
	return (!tag.n || fields_add(headers, STR("If-None-Match"), tag))
	       && (!changed.n || fields_add(headers, STR("If-Modified-Since"), changed));
}

/* What describes the bytes that are stored stays with them. */
static bool stays(const struct response *not_modified, struct str name)
{
	static const struct str body[] = { STR_INIT("Content-Length"), STR_INIT("Content-Encoding"), STR_INIT("Content-Range"),
					   STR_INIT("Content-MD5"), STR_INIT("ETag") };
	struct http_cache_control none;

	for (size_t i = 0; i < ARRAY_LEN(body); i++)
		if (str_eq_ci(name, body[i]))
			return true;
	http_cache_control_parse(STR_NULL, &none);
	return http_cache_drops_field(not_modified, &none, name);
}

bool http_cache_merge(struct response *stored, const struct response *not_modified)
{
	const struct fields *from = &not_modified->headers;

	for (size_t i = 0; i < from->n; i++)
		if (!stays(not_modified, from->v[i].name))
			fields_remove(&stored->headers, from->v[i].name);
	if (!fields_count(from, STR("Age")))         /* it is of now */
		fields_remove(&stored->headers, STR("Age"));
	for (size_t i = 0; i < from->n; i++)
		if (!stays(not_modified, from->v[i].name) && !fields_add(&stored->headers, from->v[i].name, from->v[i].value))
			return false;
	return true;
}

/* Weak comparison: W/ does not count (RFC 9110 section 8.8.3.2). */
static struct str opaque(struct str tag)
{
	tag = str_trim(tag);
	return str_starts(tag, STR("W/")) ? str_from(tag, 2) : tag;
}

/* The next entity-tag of a list; commas in its quotes belong to it. */
static bool next_tag(struct str *rest, struct str *tag)
{
	if (!rest->n)
		return false;
	*tag = str_trim(str_first(*rest, end_of_directive(*rest)));
	*rest = str_from(*rest, end_of_directive(*rest) + 1);
	return true;
}

bool http_cache_client_has(const struct fields *asked, const struct response *stored)
{
	struct str tags = fields_joined(asked, STR("If-None-Match")), tag = opaque(fields_get(&stored->headers, STR("ETag"))), one;
	int64_t since, changed;

	if (stored->status != 200)
		return false;
	if (str_is_null(tags)) {
		if (!date_of(asked, STR("If-Modified-Since"), &since))
			return false;
		/* a response without Last-Modified was what it is when it was made (section 4.3.2) */
		return (date_of(&stored->headers, STR("Last-Modified"), &changed) || date_of(&stored->headers, STR("Date"), &changed))
		       && changed <= since;
	}
	if (str_eq(str_trim(tags), STR("*")))
		return true;
	while (tag.n && next_tag(&tags, &one))
		if (str_eq(opaque(one), tag))
			return true;
	return false;
}

/* ---- ranges --------------------------------------------------------------------------------------------------------------- */

/* Strong comparison: a weak tag is never equal; a date must be the very same (RFC 9110 section 13.1.5). */
static bool if_range_fits(const struct fields *asked, const struct response *stored)
{
	struct str want = str_trim(fields_get(asked, STR("If-Range")));
	int64_t a, b;

	if (!fields_count(asked, STR("If-Range")))
		return true;
	if (want.n && *want.p == '"')
		return str_eq(want, str_trim(fields_get(&stored->headers, STR("ETag"))));
	return http_date_parse(want, &a) && date_of(&stored->headers, STR("Last-Modified"), &b) && a == b;
}

enum http_range http_cache_range(const struct fields *asked, const struct response *stored, uint64_t size, uint64_t *from,
				 uint64_t *to)
{
	struct str range = str_trim(fields_get(asked, STR("Range"))), first, last;
	size_t dash;

	if (stored->status != 200 || fields_count(asked, STR("Range")) != 1 || !str_starts_ci(range, STR("bytes="))
	    || !if_range_fits(asked, stored))
		return HTTP_RANGE_ALL;
	range = str_trim(str_from(range, 6));
	dash = str_find_char(range, '-');
	if (dash == SIZE_MAX || str_find_char(range, ',') != SIZE_MAX)
		return HTTP_RANGE_ALL;
	first = str_first(range, dash);
	last = str_from(range, dash + 1);
	*to = size ? size - 1 : 0;
	if (!first.n) {                              /* the last so many bytes */
		if (!str_to_u64(last, UINT64_MAX, from))
			return HTTP_RANGE_ALL;
		if (!*from || !size)
			return HTTP_RANGE_NONE;
		*from = *from < size ? size - *from : 0;
		return HTTP_RANGE_PART;
	}
	if (!str_to_u64(first, UINT64_MAX, from) || (last.n && !str_to_u64(last, UINT64_MAX, to)) || (last.n && *to < *from))
		return HTTP_RANGE_ALL;
	if (*from >= size)
		return HTTP_RANGE_NONE;
	if (*to >= size)
		*to = size - 1;
	return HTTP_RANGE_PART;
}

/* ---- invalidation ----------------------------------------------------------------------------------------------------------- */

bool http_method_is_safe(struct str method)
{
	return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")) || str_eq(method, STR("OPTIONS"))
	       || str_eq(method, STR("TRACE"));
}

bool http_cache_invalidates(int status)
{
	return status >= 200 && status < 400;
}
