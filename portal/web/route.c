#include "portal/web/web.h"

#include "core/str.h"

bool web_match(const char *pattern, struct str path, struct str args[4])
{
	struct str p = str_of(pattern), want, have;
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		args[i] = STR_NULL;
	while (str_split(&p, '/', &want)) {
		bool variable = want.n > 2 && want.p[0] == '{';

		if (variable && want.p[want.n - 2] == '*') {
			args[n] = path;
			return path.n > 0;
		}
		if (!str_split(&path, '/', &have))
			return false;
		if (!variable && !str_eq(want, have))
			return false;
		if (variable && (!have.n || n == 4))
			return false;
		if (variable)
			args[n++] = have;
	}
	return str_is_null(path);
}

const struct web_route *web_route_find(const struct web_route *routes, struct str method, struct str path, struct str args[4],
				       struct buf *allow)
{
	bool head = str_eq(method, STR("HEAD"));

	for (const struct web_route *r = routes; r->method; r++) {
		if (!web_match(r->pattern, path, args))
			continue;
		if (str_eq(method, str_of(r->method)) || (head && strcmp(r->method, "GET") == 0))
			return r;
		if (allow) {
			buf_cstr(allow, allow->n ? ", " : "");
			buf_cstr(allow, strcmp(r->method, "GET") == 0 ? "GET, HEAD" : r->method);
		}
	}
	return NULL;
}

_Static_assert((int)WEB_TOKEN - (int)WEB_OWN_ACCOUNT - 1 == (int)RIGHT__COUNT, "the rights of the table stand between");

enum right web_right_of(enum web_right right)
{
	return (enum right)(right - WEB_OWN_ACCOUNT - 1);
}

bool web_role_may(struct str role, enum web_right right)
{
	if (right == WEB_ANYBODY || right == WEB_TOKEN)
		return true;
	if (right == WEB_SIGNED_IN || right == WEB_OWN_ACCOUNT)
		return role.n > 0;
	return rights_of_role(role) >> web_right_of(right) & 1;
}

bool web_may(const struct web *w, enum web_right right)
{
	if (right == WEB_ANYBODY || right == WEB_TOKEN)
		return true;
	if (right == WEB_SIGNED_IN || right == WEB_OWN_ACCOUNT)
		return w->signed_in;
	return w->signed_in && rights_anywhere(&w->rights, web_right_of(right));
}

bool web_may_everywhere(const struct web *w, enum web_right right)
{
	return web_may(w, right) && (right <= WEB_OWN_ACCOUNT || right == WEB_TOKEN || rights_everywhere(&w->rights, web_right_of(right)));
}

bool web_may_in(const struct web *w, enum web_right right, struct str environment)
{
	return web_may(w, right) && rights_in(&w->rights, web_right_of(right), environment);
}
