#include "portal/web/highlight.h"

#include "core/str.h"

static void add(struct liquid_list *l, const char *kind, struct str text)
{
	struct liquid_record *r;

	if (!text.n)
		return;
	r = liquid_push_record(l);
	liquid_set_text(r, "kind", str_of(kind));
	liquid_set_text(r, "text", text);
}

static size_t until(struct str s, size_t from, struct str end)
{
	size_t at = str_find(str_from(s, from), end);

	return at == SIZE_MAX ? s.n : from + at + end.n;
}

/* Policy expressions may hold quotes and angle brackets of their own: @( … ) and @{ … } run to their closing bracket. */
static size_t expression_end(struct str s)
{
	char open = s.p[1], close = open == '(' ? ')' : '}';
	unsigned depth = 0;

	for (size_t i = 1; i < s.n; i++) {
		depth += s.p[i] == open;
		if (s.p[i] == close && --depth == 0)
			return i + 1;
	}
	return s.n;
}

static bool is_expression(struct str s)
{
	return s.n > 1 && s.p[0] == '@' && (s.p[1] == '(' || s.p[1] == '{');
}

static size_t word(struct str s)
{
	size_t n = 0;

	while (n < s.n && !ascii_is_space(s.p[n]) && !strchr("=\"'<>/", s.p[n]))
		n++;
	return n;
}

/* One attribute value with its quotes. */
static size_t value(struct liquid_list *l, struct str s)
{
	struct str inside = str_from(s, 1);
	size_t n = is_expression(inside) ? 1 + expression_end(inside) : 1;

	n = until(s, n < s.n ? n : s.n, str_first(s, 1));
	add(l, is_expression(inside) ? "expr" : "value", str_first(s, n));
	return n;
}

/* From '<' to '>'. */
static struct str tag(struct liquid_list *l, struct str s)
{
	size_t n = 1 + (size_t)(s.n > 1 && (s.p[1] == '/' || s.p[1] == '?'));

	n += word(str_from(s, n));
	add(l, "tag", str_first(s, n));
	s = str_from(s, n);
	while (s.n) {
		if (s.p[0] == '>' || str_starts(s, STR("/>")) || str_starts(s, STR("?>"))) {
			n = s.p[0] == '>' ? 1 : 2;
			add(l, "tag", str_first(s, n));
			return str_from(s, n);
		}
		if (s.p[0] == '"' || s.p[0] == '\'') {
			n = value(l, s);
		} else if ((n = word(s))) {
			add(l, "attr", str_first(s, n));
		} else {
			n = 1;
			add(l, "text", str_first(s, n));
		}
		s = str_from(s, n);
	}
	return s;
}

static struct str content(struct liquid_list *l, struct str s)
{
	size_t n = 0;

	while (n < s.n && ascii_is_space(s.p[n]))
		n++;
	if (is_expression(str_from(s, n))) {
		add(l, "text", str_first(s, n));
		s = str_from(s, n);
		n = expression_end(s);
		add(l, "expr", str_first(s, n));
		return str_from(s, n);
	}
	n = str_find_char(s, '<');
	n = n == SIZE_MAX ? s.n : n;
	add(l, "text", str_first(s, n));
	return str_from(s, n);
}

struct liquid_value web_highlight_xml(struct arena *a, struct str xml)
{
	struct liquid_list *l = liquid_list_new(a);
	size_t n;

	if (xml.n > WEB_HIGHLIGHT_MAX) {
		add(l, "text", xml);
		return liquid_of_list(l);
	}
	while (xml.n) {
		if (str_starts(xml, STR("<!--")) || str_starts(xml, STR("<![CDATA["))) {
			n = until(xml, 0, xml.p[2] == '-' ? STR("-->") : STR("]]>"));
			add(l, xml.p[2] == '-' ? "comment" : "value", str_first(xml, n));
			xml = str_from(xml, n);
		} else if (xml.p[0] == '<' && xml.n > 1 && !ascii_is_space(xml.p[1])) {
			xml = tag(l, xml);
		} else if (xml.p[0] == '<') {
			add(l, "text", str_first(xml, 1));
			xml = str_from(xml, 1);
		} else {
			xml = content(l, xml);
		}
	}
	return liquid_of_list(l);
}
