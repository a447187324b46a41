/* access_rule.c - an access rule from its stored JSON, with a place in each message. */
#include "core/access_rule.h"

#include "core/access_text.h"
#include "core/str.h"
#include "core/suggest.h"
#include "core/uri.h"
#include "core/yaml.h"

#include <stdio.h>

enum { NAMES_MAX = 32, TOKEN_LIFE_S = 60, TOKEN_LIFE_MAX_S = 3600, HEADERS_MAX = 32, HEADER_NAME_MAX = 100 };

struct reading {
	struct arena *a;
	struct gh_err *err;
	char where[256];             /* "anyOf[0].allOf[1]" */
};

static gh_rc no_memory(struct reading *r)
{
	FAIL(r->err, NOMEM, "no memory for an access rule");
}

/* "did you mean" over the names of a table. */
static gh_rc unknown(struct reading *r, const char *what, const char *name, const char *const *names)
{
	const char *near = suggest(str_of(name), names);
	char list[512];
	size_t n = 0;

	list[0] = '\0';
	for (size_t i = 0; names[i] && n < sizeof(list) - 1; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", names[i]);
	FAIL(r->err, INVALID, "%s: there is no %s \"%.60s\"; %s%s%s%s%s", r->where, what, name, near ? "did you mean \"" : "",
	     near ? near : "", near ? "\"? " : "", list[0] ? "known are " : "", list);
}

/* ---- values ------------------------------------------------------------------------------------------------------------- */

static gh_rc take_one(struct reading *r, const char *name, const json_t *v, struct str *out)
{
	if (json_is_integer(v)) {
		*out = arena_printf(r->a, "%lld", (long long)json_integer_value(v));
	} else if (json_is_string(v) && json_string_length(v)) {
		*out = arena_dup(r->a, jsn_string(v));
	} else {
		FAIL(r->err, INVALID, "%s.%s: a text is expected here, not %s", r->where, name,
		     json_is_string(v) ? "an empty one" : jsn_type_name(v));
	}
	return out->p ? GH_RC_OK : no_memory(r);
}

static gh_rc take_values(struct reading *r, const char *name, const json_t *v, struct access_values *out)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1;

	if (n > ACCESS_VALUES_MAX)
		FAIL(r->err, LIMIT, "%s.%s: at most %d values are taken, not %zu", r->where, name, ACCESS_VALUES_MAX, n);
	out->v = arena_alloc(r->a, n, sizeof(*out->v));
	if (!out->v)
		return no_memory(r);
	for (out->n = 0; out->n < n; out->n++)
		TRY(take_one(r, name, json_is_array(v) ? json_array_get(v, out->n) : v, &out->v[out->n]));
	return GH_RC_OK;
}

/* Scopes may also stand in one text with blanks between them, as tokens carry them. */
static gh_rc split_scopes(struct reading *r, struct access_values *v)
{
	struct access_values out = { arena_alloc(r->a, ACCESS_VALUES_MAX, sizeof(struct str)), 0 };

	if (!out.v)
		return no_memory(r);
	for (size_t i = 0; i < v->n; i++) {
		struct str rest = v->v[i], part;

		while (str_split(&rest, ' ', &part))
			if (part.n && out.n < ACCESS_VALUES_MAX)
				out.v[out.n++] = part;
	}
	*v = out;
	return GH_RC_OK;
}

static gh_rc take_claims(struct reading *r, const json_t *v, struct access_claim **out, size_t *n)
{
	const char *name;
	json_t *values;

	if (!json_is_object(v))
		FAIL(r->err, INVALID, "%s.claims: an object of claim names and values is expected here", r->where);
	if (json_object_size(v) > ACCESS_VALUES_MAX)
		FAIL(r->err, LIMIT, "%s.claims: at most %d claims are taken", r->where, ACCESS_VALUES_MAX);
	*out = arena_alloc(r->a, json_object_size(v), sizeof(**out));
	*n = 0;
	if (!*out)
		return no_memory(r);
	json_object_foreach((json_t *)(uintptr_t)v, name, values) {
		struct access_claim *c = &(*out)[(*n)++];

		c->name = arena_dup(r->a, str_of(name));
		if (!c->name.p)
			return no_memory(r);
		if (!json_is_true(values))           /* true: it must be there */
			TRY(take_values(r, name, values, &c->values));
	}
	return GH_RC_OK;
}

/* ---- methods ------------------------------------------------------------------------------------------------------------ */

static bool one_of(struct str word, const char *list)
{
	struct str rest = str_of(list), part;

	while (str_split(&rest, '|', &part))
		if (str_eq(part, word))
			return true;
	return false;
}

static gh_rc check_value(struct reading *r, const struct access_parameter *p, const struct access_values *v)
{
	int64_t number;

	if (p->kind != ACCESS_LIST && v->n != 1)
		FAIL(r->err, INVALID, "%s.%s: one value is expected here, not %zu", r->where, p->name, v->n);
	if (p->kind == ACCESS_CHOICE && !one_of(v->v[0], p->values))
		FAIL(r->err, INVALID, "%s.%s: \"%.*s\" is none of %s", r->where, p->name, STR_ARG(str_first(v->v[0], 60)), p->values);
	if (p->kind == ACCESS_NUMBER && !str_to_i64(v->v[0], p->least, p->most, &number))
		FAIL(r->err, INVALID, "%s.%s: a number of %s from %lld to %lld is expected here, not \"%.*s\"", r->where, p->name,
		     p->values, (long long)p->least, (long long)p->most, STR_ARG(str_first(v->v[0], 60)));
	return GH_RC_OK;
}

static gh_rc take_parameter(struct reading *r, struct access_method *m, const char *name, const json_t *v)
{
	const struct access_parameter *table = access_methods[m->kind].parameters;
	const char *names[NAMES_MAX + 1];
	size_t n = 0;

	for (; table[n].name && n < NAMES_MAX; n++) {
		names[n] = table[n].name;
		if (strcmp(name, table[n].name) != 0)
			continue;
		TRY(take_values(r, name, v, &m->given[n]));
		if (strcmp(name, "scope") == 0)
			TRY(split_scopes(r, &m->given[n]));
		return check_value(r, &table[n], &m->given[n]);
	}
	names[n] = NULL;
	return unknown(r, "parameter", name, names);
}

static bool is_web_address(struct str s)
{
	struct uri u;

	return uri_parse(s, &u) && u.host.n && (str_eq_ci(u.scheme, STR("https")) || str_eq_ci(u.scheme, STR("http")));
}

/* What only shows when all parameters are there. */
static gh_rc check_method(struct reading *r, const struct access_method *m)
{
	static const char *const addresses[] = { "issuer", "discovery", "jwks", "endpoint" };
	const struct access_parameter *table = access_methods[m->kind].parameters;

	for (size_t i = 0; table[i].name; i++)
		for (size_t k = 0; k < ARRAY_LEN(addresses); k++)
			if (strcmp(table[i].name, addresses[k]) == 0 && m->given[i].n && strcmp(table[i].name, "issuer") != 0
			    && !is_web_address(m->given[i].v[0]))
				FAIL(r->err, INVALID, "%s.%s: \"%.*s\" is no http or https address", r->where, table[i].name,
				     STR_ARG(str_first(m->given[i].v[0], 100)));
	if (m->kind == ACCESS_INTROSPECT && !access_text(m, "endpoint").n)
		FAIL(r->err, INVALID, "%s: introspect needs endpoint=ADDRESS", r->where);
	if (m->kind == ACCESS_JWT && !access_text(m, "issuer").n
	    && (access_text(m, "discovery").n || access_text(m, "jwks").n || access_given(m, "key").n))
		FAIL(r->err, INVALID, "%s: a jwt with keys of somebody else needs issuer=ISSUER, which the token must name", r->where);
	if (m->kind == ACCESS_JWT && access_text(m, "issuer").n && !access_text(m, "jwks").n && !access_given(m, "key").n
	    && !access_text(m, "discovery").n && !is_web_address(access_text(m, "issuer")))
		FAIL(r->err, INVALID, "%s.issuer: \"%.*s\" is no http or https address; name its keys with discovery, jwks or key",
		     r->where, STR_ARG(str_first(access_text(m, "issuer"), 100)));
	return GH_RC_OK;
}

static gh_rc find_kind(struct reading *r, const char *name, enum access_kind *out)
{
	const char *names[ACCESS_KIND__COUNT + 1] = { NULL };

	for (unsigned i = 0; i < ACCESS_KIND__COUNT; i++) {
		names[i] = access_methods[i].name;
		if (strcmp(names[i], name) == 0) {
			*out = (enum access_kind)i;
			return GH_RC_OK;
		}
	}
	return unknown(r, "method", name, names);
}

static gh_rc take_method(struct reading *r, const json_t *v, struct access_method *m)
{
	const char *name, *kind = json_string_value(jsn_get(v, "method"));
	const struct access_method_info *info;
	size_t n = 0;
	json_t *value;

	if (!json_is_object(v) || !kind)
		FAIL(r->err, INVALID, "%s: an object with a \"method\" is expected here", r->where);
	TRY(find_kind(r, kind, &m->kind));
	info = &access_methods[m->kind];
	while (info->parameters[n].name)
		n++;
	m->given = arena_alloc(r->a, n + 1, sizeof(*m->given));
	if (!m->given)
		return no_memory(r);
	json_object_foreach((json_t *)(uintptr_t)v, name, value) {
		if (strcmp(name, "method") == 0)
			continue;
		if (strcmp(name, "claims") == 0 && info->claims)
			TRY(take_claims(r, value, &m->claims, &m->n_claims));
		else
			TRY(take_parameter(r, m, name, value));
	}
	return check_method(r, m);
}

static gh_rc take_group(struct reading *r, const json_t *v, struct access_group *g)
{
	const json_t *all = jsn_arr(v, "allOf");
	size_t n = all ? json_array_size(all) : 1, length = strlen(r->where);

	if (all && json_object_size(v) != 1)
		FAIL(r->err, INVALID, "%s: \"allOf\" stands alone in its object", r->where);
	if (!n || n > ACCESS_METHODS_MAX)
		FAIL(r->err, INVALID, "%s.allOf: 1 to %d methods are expected here", r->where, ACCESS_METHODS_MAX);
	g->methods = arena_alloc(r->a, n, sizeof(*g->methods));
	if (!g->methods)
		return no_memory(r);
	for (g->n = 0; g->n < n; g->n++) {
		if (all)
			snprintf(r->where + length, sizeof(r->where) - length, ".allOf[%zu]", g->n);
		TRY(take_method(r, all ? json_array_get(all, g->n) : v, &g->methods[g->n]));
	}
	r->where[length] = '\0';
	return GH_RC_OK;
}

static gh_rc take_groups(struct reading *r, const json_t *any, struct access_group **out, size_t *n)
{
	size_t length = strlen(r->where);

	if (!json_is_array(any) || !json_array_size(any) || json_array_size(any) > ACCESS_GROUPS_MAX)
		FAIL(r->err, INVALID, "%s%sanyOf: an array of 1 to %d methods or groups is expected here", r->where,
		     length ? "." : "", ACCESS_GROUPS_MAX);
	*out = arena_alloc(r->a, json_array_size(any), sizeof(**out));
	if (!*out)
		return no_memory(r);
	for (*n = 0; *n < json_array_size(any); ++*n) {
		snprintf(r->where + length, sizeof(r->where) - length, "%sanyOf[%zu]", length ? "." : "", *n);
		TRY(take_group(r, json_array_get(any, *n), &(*out)[*n]));
	}
	r->where[length] = '\0';
	return GH_RC_OK;
}

/* ---- operations --------------------------------------------------------------------------------------------------------- */

static gh_rc take_operation(struct reading *r, const char *id, const json_t *v, struct access_operation *o)
{
	static const char *const names[] = { "anyOf", "scope", "claims", NULL };
	const char *name;
	json_t *value;

	snprintf(r->where, sizeof(r->where), "operations.%.100s", id);
	o->id = arena_dup(r->a, str_of(id));
	if (!o->id.p)
		return no_memory(r);
	if (!json_is_object(v) || !json_object_size(v))
		FAIL(r->err, INVALID, "%s: an object with \"scope\", \"claims\" or \"anyOf\" is expected here", r->where);
	json_object_foreach((json_t *)(uintptr_t)v, name, value) {
		if (strcmp(name, "anyOf") == 0) {
			TRY(take_groups(r, value, &o->groups, &o->n_groups));
		} else if (strcmp(name, "scope") == 0) {
			TRY(take_values(r, name, value, &o->scopes));
			TRY(split_scopes(r, &o->scopes));
		} else if (strcmp(name, "claims") == 0) {
			TRY(take_claims(r, value, &o->claims, &o->n_claims));
		} else {
			return unknown(r, "member", name, names);
		}
	}
	return GH_RC_OK;
}

static gh_rc take_operations(struct reading *r, const json_t *v, struct access_rule *out)
{
	const char *id;
	json_t *value;

	if (!json_is_object(v) || json_object_size(v) > ACCESS_OPERATIONS_MAX)
		FAIL(r->err, INVALID, "operations: an object of at most %d operations is expected here", ACCESS_OPERATIONS_MAX);
	out->operations = arena_alloc(r->a, json_object_size(v), sizeof(*out->operations));
	if (!out->operations)
		return no_memory(r);
	json_object_foreach((json_t *)(uintptr_t)v, id, value)
		TRY(take_operation(r, id, value, &out->operations[out->n_operations++]));
	return GH_RC_OK;
}

/* ---- identity ----------------------------------------------------------------------------------------------------------- */

static bool field_name_fits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= HEADER_NAME_MAX;
}

/* Fields that carry the message itself, or that the gateway makes. */
static bool is_reserved(struct str s)
{
	static const struct str names[] = {
		STR_INIT("Host"), STR_INIT("Content-Length"), STR_INIT("Content-Type"), STR_INIT("Content-Encoding"),
		STR_INIT("Transfer-Encoding"), STR_INIT("Connection"), STR_INIT("Te"), STR_INIT("Trailer"), STR_INIT("Upgrade"),
		STR_INIT("Expect"), STR_INIT("X-Request-Id"), STR_INIT("Traceparent"), STR_INIT("X-Forwarded-For"),
		STR_INIT("X-Forwarded-Host"), STR_INIT("X-Forwarded-Proto"), STR_INIT("Forwarded"),
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_ci(s, names[i]))
			return true;
	return false;
}

static gh_rc check_header(struct reading *r, struct str name)
{
	if (!field_name_fits(name) || is_reserved(name))
		FAIL(r->err, INVALID, "identity: \"%.*s\" cannot be the name of a header field for the caller's identity",
		     STR_ARG(str_first(name, 60)));
	return GH_RC_OK;
}

static gh_rc take_headers(struct reading *r, const json_t *v, struct access_rule *out)
{
	static const char *const sources[] = { "id", "username", "groups", "application", "client", "scope", "issuer", "method",
					       "subscription", "product", "claim:NAME", NULL };
	const char *name;
	json_t *value;

	if (!json_is_object(v) || json_object_size(v) > HEADERS_MAX)
		FAIL(r->err, INVALID, "identity.headers: an object of at most %d header fields is expected here", HEADERS_MAX);
	out->headers = arena_alloc(r->a, json_object_size(v) + 1, sizeof(*out->headers));
	if (!out->headers)
		return no_memory(r);
	json_object_foreach((json_t *)(uintptr_t)v, name, value) {
		struct access_header *h = &out->headers[out->n_headers++];
		bool known = false;

		TRY(check_header(r, str_of(name)));
		TRY(take_one(r, name, value, &h->source));
		h->name = arena_dup(r->a, str_of(name));
		if (!h->name.p)
			return no_memory(r);
		for (size_t i = 0; sources[i]; i++)
			known |= str_eq(h->source, str_of(sources[i])) && i + 2 < ARRAY_LEN(sources);
		if (!known && !(str_starts(h->source, STR("claim:")) && h->source.n > 6))
			return unknown(r, "source of a header field", h->source.p, sources);
	}
	return GH_RC_OK;
}

static gh_rc take_token(struct reading *r, const json_t *v, struct access_rule *out)
{
	static const char *const names[] = { "header", "audience", "lifetime", "claims", NULL };
	const char *name;
	json_t *value;

	out->token_header = STR("X-Consumer-Token");
	if (!json_is_object(v))
		FAIL(r->err, INVALID, "%s: an object is expected here", r->where);
	json_object_foreach((json_t *)(uintptr_t)v, name, value) {
		if (strcmp(name, "header") == 0)
			TRY(take_one(r, name, value, &out->token_header));
		else if (strcmp(name, "audience") == 0)
			TRY(take_one(r, name, value, &out->token_audience));
		else if (strcmp(name, "claims") == 0)
			TRY(take_values(r, name, value, &out->token_claims));
		else if (strcmp(name, "lifetime") == 0)
			out->token_life_s = json_integer_value(value);
		else
			return unknown(r, "member", name, names);
	}
	if (out->token_life_s < 5 || out->token_life_s > TOKEN_LIFE_MAX_S)
		FAIL(r->err, INVALID, "%s.lifetime: a number of seconds from 5 to %d is expected here", r->where, TOKEN_LIFE_MAX_S);
	return check_header(r, out->token_header);
}

static gh_rc take_identity(struct reading *r, const json_t *v, struct access_rule *out)
{
	static const char *const names[] = { "send", "headers", "token", "keepCredentials", NULL };
	const char *name;
	json_t *value;

	if (!json_is_object(v))
		FAIL(r->err, INVALID, "identity: an object is expected here");
	json_object_foreach((json_t *)(uintptr_t)v, name, value) {
		snprintf(r->where, sizeof(r->where), "identity.%.40s", name);
		if (strcmp(name, "headers") == 0) {
			TRY(take_headers(r, value, out));
		} else if (strcmp(name, "token") == 0) {
			TRY(take_token(r, value, out));
		} else if (strcmp(name, "send") != 0 && strcmp(name, "keepCredentials") != 0) {
			return unknown(r, "member", name, names);
		} else if (!json_is_boolean(value)) {
			FAIL(r->err, INVALID, "%s: true or false is expected here", r->where);
		}
	}
	out->identity = jsn_bool(v, "send", true);
	out->keep_credentials = jsn_bool(v, "keepCredentials", false);
	return GH_RC_OK;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

GH_RC access_rule_read(struct arena *a, const json_t *stored, struct access_rule *out, struct gh_err *err)
{
	static const char *const names[] = { "anyOf", "operations", "profile", "identity", NULL };
	struct reading r = { .a = a, .err = err };
	const char *name;
	json_t *v;

	*out = (struct access_rule){ .identity = true, .token_life_s = TOKEN_LIFE_S };
	if (!json_is_object(stored))
		FAIL(err, INVALID, "an access rule is an object with \"anyOf\", not %s", jsn_type_name(stored));
	TRY(take_groups(&r, jsn_get(stored, "anyOf"), &out->groups, &out->n_groups));
	json_object_foreach((json_t *)(uintptr_t)stored, name, v) {
		r.where[0] = '\0';
		if (strcmp(name, "operations") == 0) {
			TRY(take_operations(&r, v, out));
		} else if (strcmp(name, "identity") == 0) {
			TRY(take_identity(&r, v, out));
		} else if (strcmp(name, "profile") == 0) {
			if (!json_is_string(v) || !one_of(jsn_string(v), "native|anypoint"))
				FAIL(err, INVALID, "profile: native or anypoint is expected here");
			out->profile = str_eq(jsn_string(v), STR("anypoint")) ? ACCESS_ANYPOINT : ACCESS_NATIVE;
		} else if (strcmp(name, "anyOf") != 0) {
			snprintf(r.where, sizeof(r.where), "the rule");
			return unknown(&r, "member", name, names);
		}
	}
	return GH_RC_OK;
}

static bool is_short(struct str s)
{
	return !s.n || (s.p[0] != '{' && str_find(s, STR("anyOf")) == SIZE_MAX);
}

GH_RC access_rule_normalise(struct arena *a, struct str written, json_t **out, struct gh_err *err)
{
	struct access_rule ignored;
	struct text_where where = { 0, 0 };
	gh_rc rc;

	written = str_trim(written);
	if (written.n > ACCESS_RULE_BYTES)
		FAIL(err, LIMIT, "an access rule is longer than %d bytes", ACCESS_RULE_BYTES);
	if (is_short(written)) {
		TRY(access_text_parse(a, written, out, err));
		return access_rule_read(a, *out, &ignored, err);
	}
	rc = yaml_or_json_parse(written, ACCESS_RULE_BYTES, out, &where, err);
	if (rc.code) {
		gh_err_prefix(err, "line %u, column %u", where.line, where.column);
		return rc;
	}
	*out = jsn_keep(a, *out);
	if (!*out)
		FAIL(err, NOMEM, "no memory for an access rule");
	return access_rule_read(a, *out, &ignored, err);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------- */

struct access_values access_given(const struct access_method *m, const char *name)
{
	const struct access_parameter *table = access_methods[m->kind].parameters;

	for (size_t i = 0; table[i].name; i++)
		if (strcmp(table[i].name, name) == 0)
			return m->given[i];
	return (struct access_values){ NULL, 0 };
}

struct str access_text(const struct access_method *m, const char *name)
{
	struct access_values v = access_given(m, name);

	return v.n ? v.v[0] : STR_NULL;
}

int64_t access_number(const struct access_method *m, const char *name, int64_t otherwise)
{
	int64_t n;

	return str_to_i64(access_text(m, name), 0, INT64_MAX, &n) ? n : otherwise;
}
