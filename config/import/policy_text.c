#include "config/import/policy_text.h"

static void put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '&')
			buf_cstr(b, "&amp;");
		else if (c == '<')
			buf_cstr(b, "&lt;");
		else if (c == '>')
			buf_cstr(b, "&gt;");
		else if (c == '"')
			buf_cstr(b, "&quot;");
		else if ((unsigned char)c >= ' ' || c == '\t')
			buf_char(b, c);
		else
			buf_char(b, ' ');
	}
}

/* As the text of a C# literal, with "{{" taken apart. */
static void put_literal(struct buf *b, struct str s)
{
	buf_cstr(b, "@(&quot;");
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '"' || c == '\\')
			buf_cstr(b, c == '"' ? "\\&quot;" : "\\\\");
		else if (c == '{' && i + 1 < s.n && s.p[i + 1] == '{')
			buf_cstr(b, "\\u007b");
		else
			put_escaped(b, (struct str){ &s.p[i], 1 });
	}
	buf_cstr(b, "&quot;)");
}

void policy_value(struct buf *b, struct str value)
{
	if (str_starts(str_trim(value), STR("@(")) || str_starts(str_trim(value), STR("@{")) || str_find(value, STR("{{")) != SIZE_MAX)
		put_literal(b, value);
	else
		put_escaped(b, value);
}

static void set(struct buf *b, const char *element, struct str name, const char *action, struct str value)
{
	buf_fmt(b, "    <%s name=\"", element);
	policy_value(b, name);
	buf_fmt(b, "\" exists-action=\"%s\"", action);
	if (strcmp(action, "delete") == 0) {
		buf_cstr(b, " />\n");
		return;
	}
	buf_cstr(b, ">\n      <value>");
	policy_value(b, value);
	buf_fmt(b, "</value>\n    </%s>\n", element);
}

void policy_set_header(struct buf *b, struct str name, const char *action, struct str value)
{
	set(b, "set-header", name, action, value);
}

void policy_set_query(struct buf *b, struct str name, const char *action, struct str value)
{
	set(b, "set-query-parameter", name, action, value);
}

void policy_closed(struct buf *b, const char *why)
{
	buf_fmt(b, "    <!-- closed: %s -->\n    <return-response>\n      <set-status code=\"501\" reason=\"Not taken over\" />\n"
		"    </return-response>\n", why);
}

void policy_jwt(struct buf *b, struct str issuer, const struct str *audiences, size_t n)
{
	bool whole = str_find(issuer, STR("/.well-known/")) != SIZE_MAX;

	while (issuer.n && issuer.p[issuer.n - 1] == '/')
		issuer.n--;
	buf_cstr(b, "    <validate-jwt header-name=\"Authorization\" require-scheme=\"Bearer\">\n      <openid-config url=\"");
	policy_value(b, issuer);
	buf_fmt(b, "%s\" />\n", whole ? "" : "/.well-known/openid-configuration");
	if (n)
		buf_cstr(b, "      <audiences>\n");
	for (size_t i = 0; i < n; i++) {
		buf_cstr(b, "        <audience>");
		policy_value(b, audiences[i]);
		buf_cstr(b, "</audience>\n");
	}
	buf_cstr(b, n ? "      </audiences>\n    </validate-jwt>\n" : "    </validate-jwt>\n");
}
