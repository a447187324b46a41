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

/* "{{" is taken apart: it would be that of a named value. */
void policy_literal(struct buf *b, struct str s)
{
	buf_cstr(b, "&quot;");
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '"' || c == '\\')
			buf_cstr(b, c == '"' ? "\\&quot;" : "\\\\");
		else if (c == '{' && i + 1 < s.n && s.p[i + 1] == '{')
			buf_cstr(b, "\\u007b");
		else
			put_escaped(b, (struct str){ &s.p[i], 1 });
	}
	buf_cstr(b, "&quot;");
}

void policy_value(struct buf *b, struct str value)
{
	if (str_starts(str_trim(value), STR("@(")) || str_starts(str_trim(value), STR("@{")) || str_find(value, STR("{{")) != SIZE_MAX) {
		buf_cstr(b, "@(");
		policy_literal(b, value);
		buf_char(b, ')');
	} else {
		put_escaped(b, value);
	}
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
	buf_cstr(b, "    <!-- closed: ");
	for (const char *c = why; *c; c++) {             /* names of the file stand in it: they do not end the comment */
		if (*c == '-' && c > why && c[-1] == '-')
			buf_char(b, ' ');
		buf_char(b, (unsigned char)*c < ' ' ? ' ' : *c);
	}
	buf_cstr(b, " -->\n    <return-response>\n      <set-status code=\"501\" reason=\"Not taken over\" />\n    </return-response>\n");
}

void policy_jwt(struct buf *b, const struct policy_jwt *j)
{
	struct str issuer = j->issuer;
	bool whole = str_find(issuer, STR("/.well-known/")) != SIZE_MAX;
	size_t i;
	json_t *v;

	while (issuer.n && issuer.p[issuer.n - 1] == '/')
		issuer.n--;
	buf_cstr(b, "    <validate-jwt header-name=\"");
	policy_value(b, j->header.n ? j->header : STR("Authorization"));
	buf_fmt(b, "\"%s>\n      <openid-config url=\"", j->header.n ? "" : " require-scheme=\"Bearer\"");
	policy_value(b, issuer);
	buf_fmt(b, "%s\" />\n", whole ? "" : "/.well-known/openid-configuration");
	if (j->n)
		buf_cstr(b, "      <audiences>\n");
	for (size_t k = 0; k < j->n; k++) {
		buf_cstr(b, "        <audience>");
		policy_value(b, j->audiences[k]);
		buf_cstr(b, "</audience>\n");
	}
	if (j->n)
		buf_cstr(b, "      </audiences>\n");
	if (json_array_size(j->scopes)) {
		buf_cstr(b, "      <required-claims>\n        <claim name=\"scope\" match=\"any\" separator=\" \">\n");
		json_array_foreach((json_t *)(uintptr_t)j->scopes, i, v) {
			buf_cstr(b, "          <value>");
			policy_value(b, jsn_string(v));
			buf_cstr(b, "</value>\n");
		}
		buf_cstr(b, "        </claim>\n      </required-claims>\n");
	}
	buf_cstr(b, "    </validate-jwt>\n");
}
