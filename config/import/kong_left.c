#include "config/import/kong_left.h"

#include "config/import/policy_text.h"
#include "core/str.h"

/* Of `routes` each is {"own": ID, "path": "orders", "match": EXPRESSION or missing, "methods": [...] or missing}. */

GH_RC kong_left_init(struct kong_left *l, struct bundle *b, struct gh_err *err)
{
	*l = (struct kong_left){ .bundle = b, .routes = jsn_keep(b->arena, json_array()), .by_expression = jsn_keep(b->arena, json_object()) };
	if (!l->routes || !l->by_expression)
		FAIL(err, NOMEM, "routes");
	return GH_RC_OK;
}

bool kong_plain_path(struct str path, struct str *out, bool *cut, struct str *expression)
{
	size_t n = 0;

	*cut = false;
	*expression = STR_NULL;
	if (str_starts(path, STR("~"))) {
		path = str_from(path, 1);
		while (n < path.n && !strchr("([{*+?\\^$|.", path.p[n]))
			n++;
		*cut = !(n == path.n || (n + 1 == path.n && path.p[n] == '$'));
		*expression = n == path.n ? STR_NULL : path;
		path = str_first(path, n);
		if (*cut) {
			n = str_rfind_char(path, '/');
			path = str_first(path, n == SIZE_MAX ? 0 : n);
		}
	}
	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	*out = path;
	return path.n || !*cut || str_starts(*expression, STR("/"));          /* below "/", an API at no path */
}

/* The place of the installation and of its environment stands before the path. */
static struct str anchored(struct arena *a, struct str expression)
{
	return arena_printf(a, "^(?:/[^/]+)*?(?:%.*s)", STR_ARG(expression));
}

static void matches_whole(struct buf *b, struct str expression)
{
	buf_cstr(b, "System.Text.RegularExpressions.Regex.IsMatch(context.Request.OriginalUrl.Path, ");
	policy_literal(b, expression);
	buf_char(b, ')');
}

void kong_matches(struct buf *b, struct arena *a, struct str expression)
{
	matches_whole(b, anchored(a, expression));
}

/* The text as an expression that means itself. Slashes may stand twice: backends take them for one. */
static struct str quoted(struct arena *a, struct str text)
{
	struct buf b;
	struct str out;

	buf_init(&b, POLICY_TEXT_MAX);
	for (size_t i = 0; i < text.n; i++) {
		if (strchr(".^$*+?()[]{}|\\# ", text.p[i]))
			buf_char(&b, '\\');
		buf_char(&b, text.p[i]);
		if (text.p[i] == '/')
			buf_char(&b, '+');
	}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static void add(struct kong_left *l, struct str own, struct str path, struct str match, const json_t *methods)
{
	json_t *route = json_pack("{s:s%, s:s%}", "own", own.p ? own.p : "", own.n, "path", path.p ? path.p : "", path.n);

	if (match.p)
		json_object_set_new(route, "match", json_stringn(match.p, match.n));
	if (json_array_size(methods))
		json_object_set(route, "methods", (json_t *)(uintptr_t)methods);
	json_array_append_new(l->routes, route);
}

void kong_left_add(struct kong_left *l, struct str own, struct str path, struct str expression, const json_t *methods)
{
	add(l, own, path, expression.p ? anchored(l->bundle->arena, expression) : STR_NULL, methods);
}

void kong_left_by_expression(struct kong_left *l, struct str api)
{
	json_object_setn_new(l->by_expression, api.p, api.n, json_true());
}

/* The text of a literal of Kong's router, "..." or r#"..."#, at the beginning of s; STR_NULL: there is none. */
static struct str router_literal(struct str s)
{
	size_t end;

	s = str_trim(s);
	if (str_starts(s, STR("r#\""))) {
		end = str_find(s, STR("\"#"));
		return end == SIZE_MAX ? STR_NULL : (struct str){ s.p + 3, end - 3 };
	}
	if (!str_starts(s, STR("\"")))
		return STR_NULL;
	s = str_from(s, 1);
	end = str_find_char(s, '"');
	return end == SIZE_MAX ? STR_NULL : str_first(s, end);
}

static bool add_compared(struct kong_left *l, struct str op, struct str text)
{
	struct arena *a = l->bundle->arena;
	struct str path, expression, place = quoted(a, text);
	bool cut;

	if (str_eq(op, STR("~"))) {
		if (!kong_plain_path(arena_printf(a, "~%.*s", STR_ARG(text)), &path, &cut, &expression))
			path = STR("");
		add(l, STR_NULL, path, str_starts(text, STR("^")) ? anchored(a, str_from(text, 1)) : text, NULL);
		return true;
	}
	if (str_eq(op, STR("=^")) || str_eq(op, STR("contains"))) {
		add(l, STR_NULL, STR(""), arena_printf(a, op.n == 2 ? "%.*s$" : "%.*s", STR_ARG(place)), NULL);
		return true;
	}
	(void)kong_plain_path(text, &path, &cut, &expression);
	add(l, STR_NULL, path, anchored(a, str_eq(op, STR("==")) ? arena_printf(a, "%.*s/*$", STR_ARG(place)) : place), NULL);
	return str_eq(op, STR("==")) || str_eq(op, STR("^="));
}

bool kong_left_add_router(struct kong_left *l, struct str expression)
{
	static const char *const ops[] = { "==", "^=", "=^", "~", "contains" };
	bool any = false;
	size_t at;

	while ((at = str_find(expression, STR("http.path"))) != SIZE_MAX) {
		struct str rest = str_trim(str_from(expression, at + strlen("http.path")));

		for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
			struct str op = str_of(ops[i]), text = str_starts(rest, op) ? router_literal(str_from(rest, op.n)) : STR_NULL;

			if (text.p)
				any = add_compared(l, op, text) || any;
		}
		expression = rest;
	}
	return any;
}

/* ---- closing ------------------------------------------------------------------------------------------------------------------------------- */

/* Whether calls of `path` are below `above` or at it. */
static bool is_below(struct str path, struct str above)
{
	return !above.n || (str_starts(path, above) && (path.n == above.n || path.p[above.n] == '/'));
}

/* The API that takes calls of that path; NULL: none. */
static json_t *taker(const struct kong_left *l, struct str path)
{
	json_t *v, *longest = NULL;
	size_t i;

	json_array_foreach(l->bundle->docs, i, v)
		if (str_eq(jsn_str(v, FILES_KIND), STR("api")) && is_below(path, jsn_str(v, "path"))
		    && (!longest || jsn_str(v, "path").n > jsn_str(longest, "path").n))
			longest = v;
	return longest;
}

/* A condition before all else of the API's policy. */
static void put_first(struct kong_left *l, struct str api, struct str condition)
{
	static const char begin[] = "<inbound>\n    <base />\n";
	struct arena *a = l->bundle->arena;
	struct str scope = arena_printf(a, "api:%.*s", STR_ARG(api)), text;
	json_t *doc;
	size_t at;

	if (!bundle_find(l->bundle, "policy", scope))
		bundle_policy(l->bundle, scope, NULL, NULL, NULL);
	doc = bundle_find(l->bundle, "policy", scope);
	text = jsn_str(doc, "policy");
	at = str_find(text, STR(begin));
	if (at == SIZE_MAX)
		return;
	at += strlen(begin);
	text = arena_join(a, (struct str[]){ str_first(text, at), condition, str_from(text, at) }, 3);
	l->bundle->report->failed = l->bundle->report->failed || !text.p || !condition.p;        /* without it the API would take these calls */
	bundle_text(doc, "policy", text);
}

static struct str condition_of(struct kong_left *l, const json_t *route)
{
	struct str match = jsn_str(route, "match"), out;
	struct arena *a = l->bundle->arena;
	const json_t *methods = jsn_arr(route, "methods");
	struct buf b;
	size_t i;
	json_t *v;

	if (!match.p && !methods)
		match = anchored(a, arena_printf(a, "/+%.*s(?:/|$)", STR_ARG(quoted(a, jsn_str(route, "path")))));
	buf_init(&b, POLICY_TEXT_MAX);
	buf_cstr(&b, "    <choose>\n    <when condition=\"@(");
	if (match.p)
		matches_whole(&b, match);
	if (methods) {
		buf_cstr(&b, match.p ? " &amp;&amp; new string[] { " : "new string[] { ");
		json_array_foreach((json_t *)(uintptr_t)methods, i, v) {
			buf_cstr(&b, i ? ", " : "");
			policy_literal(&b, jsn_string(v));
		}
		buf_cstr(&b, " }.Contains(context.Request.Method)");
	}
	buf_cstr(&b, ")\">\n");
	policy_closed(&b, "another route takes these calls, which is not served here");
	buf_cstr(&b, "    </when>\n    </choose>\n");
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

/* At one path Kong tells routes without methods apart by what the caller says of himself: hosts and headers guard nothing. An API with
 * methods of its own takes no others. */
static bool is_apart(struct kong_left *l, const json_t *route, const json_t *first)
{
	struct str id = jsn_str(first, "id");

	if (jsn_get(route, "match") || !first || !str_eq(jsn_str(first, "path"), jsn_str(route, "path")))
		return true;
	return jsn_get(route, "methods") && bundle_find(l->bundle, "operation", arena_printf(l->bundle->arena, "%.*s/any", STR_ARG(id)));
}

void kong_left_close(struct kong_left *l)
{
	size_t i, j, n = json_array_size(l->bundle->docs);       /* policies come behind them */
	json_t *route, *api;

	json_array_foreach(l->routes, i, route) {
		struct str own = jsn_str(route, "own"), path = jsn_str(route, "path"), condition = condition_of(l, route);
		const json_t *first = taker(l, path);
		bool everywhere = jsn_get(route, "match") != NULL;

		for (j = 0; j < n && is_apart(l, route, first); j++) {
			struct str id;

			api = json_array_get(l->bundle->docs, j);
			id = jsn_str(api, "id");
			if (str_eq(jsn_str(api, FILES_KIND), STR("api")) && !str_eq(id, own)
			    && (api == first || (everywhere && is_below(jsn_str(api, "path"), path) && !jsn_get_n(l->by_expression, id))))
				put_first(l, id, condition);
		}
	}
}
