/* xml_write.c - tree to text as XmlWriter prints it: two blanks a level, "\r\n", no indenting where there is text. Prefixes
 * come from the declarations in the tree; a namespace that none declares is declared where it is used first. */
#include "core/str.h"
#include "policy/net/xml.h"

#define NEW_LINE "\r\n"

struct scope {                       /* a declaration that was added while writing */
	const struct scope *outer;
	struct str prefix, uri;
	const struct xnode *at;
};

struct writer {
	struct out *o;
	uint64_t steps;              /* looks for declarations that are left */
	bool indent;
	unsigned generated;
};

static void put_text(struct out *o, struct str s, bool attribute)
{
	size_t done = 0;

	for (size_t i = 0; i < s.n; i++) {
		struct str with;

		switch (s.p[i]) {
		case '&':
			with = STR("&amp;");
			break;
		case '<':
			with = STR("&lt;");
			break;
		case '>':
			with = STR("&gt;");
			break;
		case '"':
			if (!attribute)
				continue;
			with = STR("&quot;");
			break;
		case '\n':
			with = attribute ? STR("&#xA;") : STR(NEW_LINE);
			break;
		case '\r':
			with = attribute ? STR("&#xD;") : STR(NEW_LINE);
			break;
		case '\t':
			if (!attribute)
				continue;
			with = STR("&#x9;");
			break;
		default:
			continue;
		}
		out_add(o, s.p + done, i - done);
		out_put(o, with);
		if (s.p[i] == '\r' && !attribute && i + 1 < s.n && s.p[i + 1] == '\n')
			i++;
		done = i + 1;
	}
	out_add(o, s.p + done, s.n - done);
}

static void count(struct writer *w, const struct xnode *e)
{
	for (const struct xnode *n = e->attributes; n && w->steps; n = n->after)
		w->steps--;
	w->steps -= w->steps > 0;
	w->o->failed |= w->steps == 0;
}

/* What `prefix` means at e, with what was added while writing. */
static struct str meaning(struct writer *w, const struct xnode *e, const struct scope *scopes, struct str prefix)
{
	for (; e && w->steps; e = e->parent) {
		struct xnode *n = prefix.n ? x_attribute(e, STR(XMLNS_URI), prefix) : x_attribute(e, STR(""), STR("xmlns"));

		count(w, e);
		if (n)
			return n->value;
		for (const struct scope *s = scopes; s; s = s->outer)
			if (s->at == e && str_eq(s->prefix, prefix))
				return s->uri;
	}
	return prefix.n ? STR_NULL : STR("");
}

/* A prefix for the namespace; attributes cannot use the empty one. False: none is in scope. */
static bool prefix_for(struct writer *w, const struct xnode *e, const struct scope *scopes, struct str ns, bool attribute, struct str *prefix)
{
	*prefix = STR("");
	if (ns.n == 0 && (attribute || meaning(w, e, scopes, STR("")).n == 0))
		return true;
	if (ns.n == 0)
		return false;
	if (str_eq(ns, STR(XML_URI)) || str_eq(ns, STR(XMLNS_URI))) {
		*prefix = str_eq(ns, STR(XML_URI)) ? STR("xml") : STR("xmlns");
		return true;
	}
	if (!attribute && str_eq(meaning(w, e, scopes, STR("")), ns))
		return true;
	for (const struct xnode *at = e; at && w->steps; at = at->parent) {
		count(w, at);
		for (const struct xnode *n = at->attributes; n; n = n->after)
			if (str_eq(n->ns, STR(XMLNS_URI)) && str_eq(n->value, ns) && str_eq(meaning(w, e, scopes, n->local), ns)) {
				*prefix = n->local;
				return true;
			}
	}
	for (const struct scope *s = scopes; s; s = s->outer)
		if (s->prefix.n && str_eq(s->uri, ns) && str_eq(meaning(w, e, scopes, s->prefix), ns)) {
			*prefix = s->prefix;
			return true;
		}
	return false;
}

static void put_name(struct out *o, struct str prefix, struct str local)
{
	if (prefix.n) {
		out_put(o, prefix);
		out_char(o, ':');
	}
	out_put(o, local);
}

static void put_attribute(struct out *o, struct str prefix, struct str local, struct str value)
{
	out_char(o, ' ');
	put_name(o, prefix, local);
	out_add(o, "=\"", 2);
	put_text(o, value, true);
	out_char(o, '"');
}

static void line(struct writer *w, unsigned depth)
{
	if (!w->indent)
		return;
	if (w->o->n)
		out_add(w->o, NEW_LINE, 2);
	out_fill(w->o, ' ', (size_t)depth * 2);
}

static void write_node(struct writer *w, const struct xnode *n, const struct scope *scopes, unsigned depth, bool mixed);

static bool is_text(const struct xnode *n)
{
	return n->kind == X_TEXT || n->kind == X_CDATA;
}

static void write_children(struct writer *w, const struct xnode *e, const struct scope *scopes, unsigned depth, bool mixed)
{
	bool structured = false;

	for (const struct xnode *n = e->first; n; n = n->after) {
		mixed |= is_text(n);
		if (!mixed) {
			line(w, depth + 1);
			structured = true;
		}
		write_node(w, n, scopes, depth + 1, mixed);
	}
	if (structured && !mixed)
		line(w, depth);
}

enum { GENERATED_MAX = 16 };

static void write_element(struct writer *w, const struct xnode *e, const struct scope *scopes, unsigned depth, bool mixed)
{
	struct scope added[GENERATED_MAX];
	struct str prefix, names[GENERATED_MAX];
	size_t n = 0;

	if (!prefix_for(w, e, scopes, e->ns, false, &prefix)) {
		added[n] = (struct scope){ scopes, STR(""), e->ns, e };
		scopes = &added[n++];
	}
	for (const struct xnode *k = e->attributes; k; k = k->after)
		if (n < GENERATED_MAX && !prefix_for(w, e, scopes, k->ns, true, &names[0])) {
			names[0] = arena_printf(w->o->a, "p%u", ++w->generated);
			added[n] = (struct scope){ scopes, names[0], k->ns, e };
			scopes = &added[n++];
		}
	out_char(w->o, '<');
	put_name(w->o, prefix, e->local);
	for (const struct xnode *k = e->attributes; k; k = k->after) {
		bool declares = k->ns.n == 0 && str_eq(k->local, STR("xmlns"));
		struct str p = STR("");

		if (!declares)
			prefix_for(w, e, scopes, k->ns, true, &p);
		put_attribute(w->o, p, k->local, k->value);
	}
	for (size_t i = 0; i < n; i++)
		put_attribute(w->o, added[i].prefix.n ? STR("xmlns") : STR(""), added[i].prefix.n ? added[i].prefix : STR("xmlns"),
			      added[i].uri);
	if (!e->first && !e->closed_by_tag) {
		out_add(w->o, " />", 3);
		return;
	}
	out_char(w->o, '>');
	write_children(w, e, scopes, depth, mixed);
	out_add(w->o, "</", 2);
	put_name(w->o, prefix, e->local);
	out_char(w->o, '>');
}

static void write_doctype(struct out *o, const struct xnode *n)
{
	out_put(o, STR("<!DOCTYPE "));
	out_put(o, n->local);
	if (n->version.p) {
		out_put(o, STR(" PUBLIC \""));
		out_put(o, n->version);
		out_put(o, STR("\" \""));
		out_put(o, n->encoding);
		out_char(o, '"');
	} else if (n->encoding.p) {
		out_put(o, STR(" SYSTEM \""));
		out_put(o, n->encoding);
		out_char(o, '"');
	}
	out_put(o, n->value.n || n->version.p || n->encoding.p ? STR(">") : STR(" >"));
}

static void write_node(struct writer *w, const struct xnode *n, const struct scope *scopes, unsigned depth, bool mixed)
{
	if (depth > XML_DEPTH_LIMIT * 2 || w->o->failed) {
		w->o->failed = true;
		return;
	}
	switch (n->kind) {
	case X_ELEMENT:
		write_element(w, n, scopes, depth, mixed);
		return;
	case X_TEXT:
		put_text(w->o, n->value, false);
		return;
	case X_CDATA:
		out_add(w->o, "<![CDATA[", 9);
		out_put(w->o, n->value);
		out_add(w->o, "]]>", 3);
		return;
	case X_COMMENT:
		out_add(w->o, "<!--", 4);
		out_put(w->o, n->value);
		out_add(w->o, "-->", 3);
		return;
	case X_PI:
		out_add(w->o, "<?", 2);
		out_put(w->o, n->local);
		if (n->value.n)
			out_char(w->o, ' ');
		out_put(w->o, n->value);
		out_add(w->o, "?>", 2);
		return;
	case X_DOCTYPE:
		write_doctype(w->o, n);
		return;
	default:
		break;
	}
	for (const struct xnode *k = n->first; k; k = k->after) {
		if (k != n->first)
			line(w, 0);
		write_node(w, k, scopes, 0, false);
	}
}

void x_write(struct out *o, const struct xnode *n, unsigned flags)
{
	struct writer w = { .o = o, .indent = flags & X_WRITE_INDENT, .steps = XML_STEPS_MAX };
	struct str prefix = STR("");

	if (n->kind != X_ATTRIBUTE) {
		write_node(&w, n, NULL, 0, false);
		return;
	}
	if (n->parent)
		prefix_for(&w, n->parent, NULL, n->ns, true, &prefix);
	put_name(o, n->ns.n && !prefix.n ? STR("p1") : prefix, n->local);
	out_add(o, "=\"", 2);
	put_text(o, n->value, true);
	out_char(o, '"');
}

void x_write_declaration(struct out *o, const struct xnode *d)
{
	out_put(o, STR("<?xml version=\""));
	out_put(o, d->version.p ? d->version : STR("1.0"));
	out_char(o, '"');
	if (d->encoding.p && d->encoding.n) {
		out_put(o, STR(" encoding=\""));
		out_put(o, d->encoding);
		out_char(o, '"');
	}
	if (d->standalone.p && d->standalone.n) {
		out_put(o, STR(" standalone=\""));
		out_put(o, d->standalone);
		out_char(o, '"');
	}
	out_put(o, STR("?>"));
}
