#include "portal/web/web.h"

#include "core/str.h"

/* The segments of pattern against those of path. */
static bool match(const char *pattern, struct str path, struct str args[4])
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
		if (!match(r->pattern, path, args))
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

/* Who may what, a row a role. */
static const struct {
	const char *role;
	unsigned rights;
} roles[] = {
#define R(right) (1u << (right))
#define R_ANYBODY (R(WEB_SIGNED_IN) | R(WEB_OWN_ACCOUNT))
#define R_LOOK_ON (R_ANYBODY | R(WEB_VIEW_APIS) | R(WEB_VIEW_TRAFFIC))
#define R_OPERATE (R_LOOK_ON | R(WEB_VIEW_POLICIES) | R(WEB_VIEW_SUBSCRIPTIONS) | R(WEB_CHANGE_APIS) | R(WEB_EDIT_PAGES)                \
		   | R(WEB_MANAGE_SUBSCRIPTIONS) | R(WEB_VIEW_CREDENTIALS) | R(WEB_CHANGE_CREDENTIALS) | R(WEB_CHANGE_POLICIES)         \
		   | R(WEB_CHANGE_PRODUCTS) | R(WEB_VIEW_PEOPLE) | R(WEB_VIEW_SETTINGS) | R(WEB_CHANGE_SETTINGS) | R(WEB_VIEW_AUDIT) | R(WEB_CAPTURE_CALLS))
	{ "administrator", R_OPERATE | R(WEB_CHANGE_LOOK) | R(WEB_MANAGE_PEOPLE) },
	{ "operator", R_OPERATE },
	{ "publisher", R_LOOK_ON | R(WEB_CHANGE_APIS) | R(WEB_EDIT_PAGES) | R(WEB_VIEW_SUBSCRIPTIONS) | R(WEB_MANAGE_SUBSCRIPTIONS)
		       | R(WEB_CHANGE_PRODUCTS) | R(WEB_VIEW_PEOPLE) | R(WEB_CHANGE_LOOK) },
	{ "auditor", R_LOOK_ON | R(WEB_VIEW_POLICIES) | R(WEB_VIEW_CREDENTIALS) | R(WEB_VIEW_SETTINGS) | R(WEB_VIEW_AUDIT) },
	{ "developer", R_ANYBODY },
#undef R_OPERATE
#undef R_LOOK_ON
#undef R_ANYBODY
#undef R
};

bool web_role_may(struct str role, enum web_right right)
{
	if (right == WEB_ANYBODY || right == WEB_TOKEN)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (str_eq(role, str_of(roles[i].role)))
			return roles[i].rights >> right & 1;
	return false;
}
