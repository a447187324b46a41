#include "portal/admin/policy_xml.h"

#include "core/str.h"

void xml_out_init(struct xml_out *x, struct arena *a UNUSED)
{
	*x = (struct xml_out){ .depth = 0 };
	buf_init(&x->b, DOCUMENT_BYTES_MAX);
}

void xml_out_release(struct xml_out *x)
{
	buf_release(&x->b);
}

static void new_line(struct xml_out *x)
{
	if (x->b.n)
		buf_char(&x->b, '\n');
	for (unsigned i = 0; i < x->depth; i++)
		buf_char(&x->b, '\t');
}

void xml_begin(struct xml_out *x, const char *name)
{
	if (x->open)
		buf_char(&x->b, '>');
	new_line(x);
	buf_fmt(&x->b, "<%s", name);
	x->open = true;
	x->texted = false;
	x->depth++;
}

/* The reader finds the end of an expression by C#'s rules, so nothing in it is escaped. */
static void put_value(struct xml_out *x, struct str v, bool attribute)
{
	bool expression = text_is_expression(v);

	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '&' && !expression)
			buf_cstr(&x->b, "&amp;");
		else if (v.p[i] == '<' && !expression)
			buf_cstr(&x->b, "&lt;");
		else if (v.p[i] == '"' && attribute && !expression)
			buf_cstr(&x->b, "&quot;");
		else
			buf_char(&x->b, v.p[i]);
	}
}

void xml_attribute(struct xml_out *x, const char *name, struct str value)
{
	buf_fmt(&x->b, " %s=\"", name);
	put_value(x, value, true);
	buf_char(&x->b, '"');
}

void xml_text(struct xml_out *x, struct str text)
{
	buf_char(&x->b, '>');
	x->open = false;
	x->texted = true;
	put_value(x, text, false);
}

void xml_end(struct xml_out *x, const char *name)
{
	x->depth--;
	if (x->open) {
		buf_cstr(&x->b, " />");
	} else {
		if (!x->texted)
			new_line(x);
		buf_fmt(&x->b, "</%s>", name);
	}
	x->open = x->texted = false;
}

/* ---- into the document -------------------------------------------------------------------------------------------------- */

/* The white space in front of what stands first in its line; else STR_NULL. */
static struct str indent_at(const struct document *d, size_t at)
{
	size_t from = at;

	while (from > 0 && (d->source.p[from - 1] == ' ' || d->source.p[from - 1] == '\t'))
		from--;
	if (from > 0 && d->source.p[from - 1] != '\n')
		return STR_NULL;
	return (struct str){ d->source.p + from, at - from };
}

static void put_lines(struct buf *b, const struct xml_out *x, struct str indent, struct str unit)
{
	struct str rest = buf_view(&x->b), line;
	bool first = true;

	while (rest.n && str_split(&rest, '\n', &line)) {
		if (!first) {
			buf_char(b, '\n');
			buf_str(b, indent);
		}
		for (; line.n && line.p[0] == '\t'; line = str_from(line, 1))
			buf_str(b, unit);
		buf_str(b, line);
		first = false;
	}
}

static GH_RC finish(struct arena *a, struct buf *b, bool ok, struct str *out, struct gh_err *err)
{
	*out = arena_dup(a, buf_view(b));
	ok = ok && buf_ok(b);
	buf_release(b);
	if (!ok)
		FAIL(err, LIMIT, "a policy document has at most %d bytes", DOCUMENT_BYTES_MAX);
	return out->p ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "policy document");
}

/* One level: what the first element of the root is further in than the root. */
static struct str unit_of(const struct document *d)
{
	const struct doc_node *first = d->root->first;
	struct str outer = indent_at(d, d->root->at), inner = first ? indent_at(d, first->at) : STR_NULL;

	return inner.p && inner.n > outer.n ? str_from(inner, outer.n) : STR("\t");
}

GH_RC xml_replace(struct arena *a, const struct document *d, const struct doc_node *n, const struct xml_out *x, struct str *out,
		  struct gh_err *err)
{
	size_t from = (size_t)(n->outer.p - d->source.p);
	struct str indent = indent_at(d, from);
	struct buf b;

	buf_init(&b, DOCUMENT_BYTES_MAX);
	buf_str(&b, str_first(d->source, from));
	put_lines(&b, x, indent.p ? indent : STR(""), unit_of(d));
	buf_str(&b, str_from(d->source, from + n->outer.n));
	return finish(a, &b, buf_ok(&x->b), out, err);
}

GH_RC xml_insert(struct arena *a, const struct document *d, const char *section, const struct xml_out *x, struct str *out, struct gh_err *err)
{
	const struct doc_node *n = d->root->first;
	struct str unit = unit_of(d), outer, indent, inside;
	const struct doc_node *into;
	struct buf b;
	bool empty;
	size_t at;

	while (n && !str_eq(n->name, str_of(section)))
		n = n->next;
	into = n ? n : d->root;
	outer = indent_at(d, into->at);
	outer = outer.p ? outer : n ? unit : STR("");
	empty = !into->inner.p || into->inner.n == 0;
	indent = arena_printf(a, "%.*s%.*s", STR_ARG(outer), STR_ARG(unit));
	inside = n ? indent : arena_printf(a, "%.*s%.*s", STR_ARG(indent), STR_ARG(unit));
	/* behind the last thing inside; of <inbound /> in place of " />" */
	at = (size_t)(into->outer.p - d->source.p) + into->outer.n;
	if (!empty) {
		at = (size_t)(into->inner.p - d->source.p) + into->inner.n;
		while (at > (size_t)(into->inner.p - d->source.p) && strchr(" \t\r\n", d->source.p[at - 1]))
			at--;
	} else if (str_ends(into->outer, STR("/>"))) {
		at -= 2;
		while (at > 0 && strchr(" \t\r\n", d->source.p[at - 1]))
			at--;
	} else {
		at = (size_t)(into->outer.p - d->source.p) + str_find_char(into->outer, '>') + 1;
	}
	buf_init(&b, DOCUMENT_BYTES_MAX);
	buf_str(&b, str_first(d->source, at));
	buf_cstr(&b, empty && str_ends(into->outer, STR("/>")) ? ">" : "");
	if (!n)
		buf_fmt(&b, "\n%.*s<%s>", STR_ARG(indent), section);
	buf_fmt(&b, "\n%.*s", STR_ARG(inside));
	put_lines(&b, x, inside, unit);
	if (!n)
		buf_fmt(&b, "\n%.*s</%s>", STR_ARG(indent), section);
	if (empty)
		buf_fmt(&b, "\n%.*s", STR_ARG(outer));
	if (empty && str_ends(into->outer, STR("/>"))) {
		buf_fmt(&b, "</%.*s>", STR_ARG(into->name));
		at = (size_t)(into->outer.p - d->source.p) + into->outer.n;
	}
	buf_str(&b, str_from(d->source, at));
	return finish(a, &b, buf_ok(&x->b), out, err);
}
