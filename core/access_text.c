/* access_text.c - the short form.
 *
 *     rule      = groups *( ";" operation ":" ( groups / demands ) )
 *     groups    = all *( "|" all )
 *     all       = method *( "+" method )
 *     method    = name [ "(" [ parameter *( "," parameter ) ] ")" ]
 *     parameter = name "=" value
 *     demands   = parameter *( "," parameter )          scope=…, claim.NAME=…
 *     value     = '"' text with \" and \\ '"'  |  anything but  , ( ) ; " with blanks around it cut off
 *
 * A parameter that stands twice is a list; "claim.role=a" goes into "claims". A value may hold "|" and "+" only in quotes
 * or inside parentheses, where neither has a meaning. */
#include "core/access_text.h"

#include "core/str.h"

struct reader {
	struct str all;
	size_t at;
	struct gh_err *err;
};

static gh_rc wrong(struct reader *r, const char *what)
{
	FAIL(r->err, SYNTAX, "column %zu: %s", r->at + 1, what);
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->all.n && ascii_is_space(r->all.p[r->at]))
		r->at++;
}

static bool at_char(struct reader *r, char c)
{
	skip_blanks(r);
	return r->at < r->all.n && r->all.p[r->at] == c;
}

static bool take_char(struct reader *r, char c)
{
	if (!at_char(r, c))
		return false;
	r->at++;
	return true;
}

/* Letters, digits and what stands in ids, claim names ("https://example/role" too) and operation ids. */
static struct str take_name(struct reader *r, const char *ends)
{
	size_t from;

	skip_blanks(r);
	from = r->at;
	while (r->at < r->all.n && !strchr(ends, r->all.p[r->at]) && !ascii_is_space(r->all.p[r->at]))
		r->at++;
	return (struct str){ r->all.p + from, r->at - from };
}

static json_t *text_of(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static gh_rc take_quoted(struct reader *r, json_t **out)
{
	char text[4096];
	size_t n = 0;

	r->at++;
	for (; r->at < r->all.n && r->all.p[r->at] != '"'; r->at++) {
		if (r->all.p[r->at] == '\\' && r->at + 1 < r->all.n)
			r->at++;
		if (n == sizeof(text))
			return wrong(r, "a value is longer than 4096 bytes");
		text[n++] = r->all.p[r->at];
	}
	if (r->at == r->all.n)
		return wrong(r, "the quotation mark that begins a value is not closed");
	r->at++;
	*out = text_of((struct str){ text, n });
	if (!*out)
		return wrong(r, "a value is not UTF-8");
	return GH_RC_OK;
}

static gh_rc take_value(struct reader *r, const char *ends, json_t **out)
{
	size_t from;

	if (at_char(r, '"'))
		return take_quoted(r, out);
	from = r->at;
	while (r->at < r->all.n && !strchr(ends, r->all.p[r->at]))
		r->at++;
	*out = text_of(str_trim((struct str){ r->all.p + from, r->at - from }));
	if (!*out)
		return wrong(r, "a value is not UTF-8");
	return GH_RC_OK;
}

/* Adds to a list when the name stands there already. */
static bool put_value(json_t *to, struct str name, json_t *value)
{
	json_t *old = jsn_get_n(to, name), *list;

	if (!old)
		return json_object_setn_new(to, name.p, name.n, value) == 0;
	if (json_is_array(old))
		return json_array_append_new(old, value) == 0;
	list = json_pack("[O]", old);
	if (!list || json_array_append_new(list, value)) {
		json_decref(list);
		return false;
	}
	return json_object_setn_new(to, name.p, name.n, list) == 0;
}

static bool put_parameter(json_t *to, struct str name, json_t *value)
{
	static const struct str claim = STR_INIT("claim.");
	json_t *claims;

	if (!str_starts(name, claim) || name.n == claim.n)
		return put_value(to, name, value);
	claims = jsn_get(to, "claims");
	if (!claims) {
		claims = json_object();
		if (json_object_set_new(to, "claims", claims)) {
			json_decref(value);
			return false;
		}
	}
	return put_value(claims, str_from(name, claim.n), value);
}

static gh_rc take_parameters(struct reader *r, const char *ends, json_t *to)
{
	do {
		struct str name = take_name(r, "=,();");
		json_t *value;

		if (!name.n)
			return wrong(r, "the name of a parameter is expected here");
		if (!take_char(r, '='))
			return wrong(r, "\"=\" and a value are expected behind the name of a parameter");
		TRY(take_value(r, ends, &value));
		if (!put_parameter(to, name, value))
			return wrong(r, "the parameter cannot be taken");
	} while (take_char(r, ','));
	return GH_RC_OK;
}

static gh_rc take_method(struct reader *r, json_t *all)
{
	struct str name = take_name(r, "()|+;:,=\"");
	json_t *m;

	if (!name.n)
		return wrong(r, "a method is expected here: key, client, jwt, introspect, cert, basic, hmac, sigv4 or anonymous");
	m = json_object();
	if (!m || json_array_append_new(all, m) || json_object_set_new(m, "method", text_of(name)))
		return wrong(r, "the method cannot be taken");
	if (!take_char(r, '(') || take_char(r, ')'))
		return GH_RC_OK;
	TRY(take_parameters(r, ",)", m));
	return take_char(r, ')') ? GH_RC_OK : wrong(r, "\")\" or \",\" is expected here");
}

static gh_rc take_groups(struct reader *r, json_t *any)
{
	do {
		json_t *all = json_array(), *group = json_pack("{s:o}", "allOf", all);

		if (!group || json_array_append_new(any, group))
			return wrong(r, "the methods cannot be taken");
		do
			TRY(take_method(r, all));
		while (take_char(r, '+'));
		if (json_array_size(all) == 1 && json_array_set(any, json_array_size(any) - 1, json_array_get(all, 0)))
			return wrong(r, "the methods cannot be taken");
	} while (take_char(r, '|'));
	return GH_RC_OK;
}

/* "scope=…" is a demand, "jwt(…)" and "key" are groups: told apart by what follows the first name. */
static bool demands_follow(struct reader *r)
{
	size_t from = r->at;
	bool found;

	take_name(r, "()|+;:,=\"");
	found = at_char(r, '=');
	r->at = from;
	return found;
}

static gh_rc take_operation(struct reader *r, json_t *operations)
{
	struct str id = take_name(r, ":;,()|+\"");
	json_t *o, *any;

	if (!id.n || !take_char(r, ':'))
		return wrong(r, "an operation's id and \":\" are expected behind \";\"");
	o = json_object();
	if (!o || json_object_setn_new(operations, id.p, id.n, o))
		return wrong(r, "the operation cannot be taken");
	if (demands_follow(r))
		return take_parameters(r, ",;", o);
	any = json_array();
	if (!any || json_object_set_new(o, "anyOf", any))
		return wrong(r, "the operation cannot be taken");
	return take_groups(r, any);
}

GH_RC access_text_parse(struct arena *a, struct str text, json_t **out, struct gh_err *err)
{
	struct reader r = { .all = text, .err = err };
	json_t *any = json_array(), *operations;

	*out = jsn_keep(a, json_pack("{s:o}", "anyOf", any));
	if (!*out)
		FAIL(err, NOMEM, "no memory for an access rule");
	TRY(take_groups(&r, any));
	while (take_char(&r, ';')) {
		skip_blanks(&r);
		if (r.at == r.all.n)
			break;
		operations = jsn_get(*out, "operations");
		if (!operations) {
			operations = json_object();
			if (json_object_set_new(*out, "operations", operations))
				FAIL(err, NOMEM, "no memory for an access rule");
		}
		TRY(take_operation(&r, operations));
	}
	skip_blanks(&r);
	return r.at == r.all.n ? GH_RC_OK : wrong(&r, "\"|\", \"+\" or \";\" is expected here");
}

/* ---- back to text ------------------------------------------------------------------------------------------------------ */

static bool needs_quotes(struct str s)
{
	if (!s.n || ascii_is_space(s.p[0]) || ascii_is_space(s.p[s.n - 1]))
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (strchr(",();\"\\", s.p[i]) || (unsigned char)s.p[i] < 0x20)
			return true;
	return false;
}

static void add_value(struct buf *b, const json_t *v)
{
	struct str s = jsn_string(v);

	if (json_is_integer(v)) {
		buf_fmt(b, "%lld", (long long)json_integer_value(v));
		return;
	}
	if (!needs_quotes(s)) {
		buf_str(b, s);
		return;
	}
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, s.p[i]);
	}
	buf_char(b, '"');
}

static void add_parameter(struct buf *b, const char *before, const char *name, const json_t *v, bool *first)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1;

	for (size_t i = 0; i < n; i++) {
		buf_fmt(b, "%s%s%s=", *first ? "" : ", ", before, name);
		add_value(b, json_is_array(v) ? json_array_get(v, i) : v);
		*first = false;
	}
}

static void add_parameters(struct buf *b, const json_t *m)
{
	bool first = true;
	const char *name, *claim;
	json_t *v, *values;

	json_object_foreach((json_t *)(uintptr_t)m, name, v) {
		if (strcmp(name, "method") == 0 || strcmp(name, "anyOf") == 0)
			continue;
		if (strcmp(name, "claims") != 0) {
			add_parameter(b, "", name, v, &first);
			continue;
		}
		json_object_foreach(v, claim, values)
			add_parameter(b, "claim.", claim, values, &first);
	}
}

static void add_method(struct buf *b, const json_t *m)
{
	buf_str(b, jsn_str(m, "method"));
	if (json_object_size(m) < 2)
		return;
	buf_char(b, '(');
	add_parameters(b, m);
	buf_char(b, ')');
}

static void add_groups(struct buf *b, const json_t *any)
{
	size_t i, k;
	json_t *group, *m;

	json_array_foreach(any, i, group) {
		buf_cstr(b, i ? " | " : "");
		if (!jsn_arr(group, "allOf"))
			add_method(b, group);
		json_array_foreach(jsn_arr(group, "allOf"), k, m) {
			buf_cstr(b, k ? " + " : "");
			add_method(b, m);
		}
	}
}

struct str access_rule_short(struct arena *a, const json_t *stored)
{
	struct buf b;
	struct str out;
	const char *id;
	json_t *o;

	buf_init(&b, ACCESS_RULE_BYTES);
	add_groups(&b, jsn_arr(stored, "anyOf"));
	json_object_foreach(jsn_obj(stored, "operations"), id, o) {
		buf_fmt(&b, " ; %s: ", id);
		if (jsn_arr(o, "anyOf"))
			add_groups(&b, jsn_arr(o, "anyOf"));
		else
			add_parameters(&b, o);
	}
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}
