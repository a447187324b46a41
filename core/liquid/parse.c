#include "core/liquid/internal.h"

#include <stdarg.h>
#include <stdio.h>

/* Tokens to nodes. Each block knows whether it can write anything but white space: standard Liquid drops the white space
 * of blocks that cannot, so that loops which only assign leave no blank lines. */

enum { DEFAULT_MAX_SOURCE = 1 << 20 };

gh_rc fail_at(struct gh_err *err, enum gh_code code, struct str name, struct place at, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (str_is_null(name))
		return gh_err_set(err, code, __FILE__, __LINE__, "%d:%d: %s", at.line, at.column, text);
	return gh_err_set(err, code, __FILE__, __LINE__, "%.*s:%d:%d: %s", STR_ARG(str_first(name, 100)), at.line, at.column,
			  text);
}

void block_init(struct block *b)
{
	*b = (struct block){ .blank = true };
	b->tail = &b->first;
}

void block_drop_text(struct block *b)
{
	struct node **link = &b->first;

	while (*link)
		if ((*link)->is_text)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	b->tail = link;
}

void *node_new(struct parser *p, size_t size, const struct token *t, GH_RC (*run)(struct run *, const struct node *))
{
	struct node *n = arena_alloc(p->a, 1, size);

	if (n) {
		n->run = run;
		n->at = t->kind == TOKEN_TAG ? t->tag_at : t->at;
	}
	return n;
}

void node_add(struct block *into, struct node *n)
{
	*into->tail = n;
	into->tail = &n->next;
	if (!n->blank)
		into->blank = false;
}

/* ---- text and output ----------------------------------------------------------------------------------------------- */

struct text_node {
	struct node head;
	struct str text;
};

static GH_RC run_text(struct run *r, const struct node *n)
{
	buf_str(r->out, ((const struct text_node *)n)->text);
	return GH_RC_OK;
}

static GH_RC add_text(struct parser *p, const struct token *t, struct block *into)
{
	struct text_node *n = NODE_NEW(p, struct text_node, t, run_text);

	if (!n)
		NO_MEMORY(p->err);
	n->text = t->text;
	n->head.is_text = true;
	n->head.blank = str_trim(t->text).n == 0;
	node_add(into, &n->head);
	if (p->t->options.html)
		markup_feed(&p->markup, t->text);
	return GH_RC_OK;
}

struct output_node {
	struct node head;
	struct filtered value;
	bool escape, raw;
};

static GH_RC run_output(struct run *r, const struct node *n)
{
	const struct output_node *o = (const struct output_node *)n;
	struct liquid_value v;

	TRY(eval_filtered(r, &o->value, &v));
	if (o->raw && v.kind != LIQUID_MARKUP && v.kind != LIQUID_NIL)
		FAIL_RUN(r, n->at, "'raw' writes markup only, and this value is ordinary text");
	return write_value(r, v, o->escape);
}

static const char *last_filter(const struct filtered *f)
{
	const char *name = "";

	for (const struct filter_call *c = f->calls; c; c = c->next)
		name = c->filter->name;
	return name;
}

static bool ends_in_html(const struct expr *e)
{
	const struct path_step *s = e && e->kind == EXPR_PATH ? e->steps : NULL;
	struct str name = e && e->kind == EXPR_PATH ? e->root : STR("");

	for (; s; s = s->next)
		name = s->name;
	return str_ends(name, STR("_html"));
}

/* Decides how an output is escaped from where it stands, or refuses it. */
static GH_RC check_context(struct parser *p, struct output_node *o)
{
	struct markup *m = &p->markup;
	const char *last = last_filter(&o->value);
	bool quoted = m->state == MARKUP_VALUE_DOUBLE || m->state == MARKUP_VALUE_SINGLE;

	o->escape = true;
	if ((m->state != MARKUP_TEXT && !quoted) || (quoted && m->attr == ATTR_FORBIDDEN))
		FAIL_AT(p, o->head.at, "output is not allowed %s: it cannot be escaped there", markup_describe(m));
	if (strcmp(last, "raw") == 0) {
		if (quoted || !ends_in_html(o->value.base) || o->value.calls->next)
			FAIL_AT(p, o->head.at, "'raw' is for a name that ends in _html, alone and outside of tags");
		o->escape = false;
		o->raw = true;
	}
	if (quoted && m->attr == ATTR_ADDRESS && strcmp(last, "url") != 0
	    && !(m->value_begun && strcmp(last, "url_encode") == 0))
		FAIL_AT(p, o->head.at, m->value_begun ? "output in an address must end in '| url_encode' or '| url'"
						      : "output that begins an address must end in '| url'");
	if (quoted)
		m->value_begun = true;
	return GH_RC_OK;
}

gh_rc parse_output(struct parser *p, struct str source, struct place at, struct block *into)
{
	const struct token t = { .at = at };
	struct output_node *o = NODE_NEW(p, struct output_node, &t, run_output);
	struct lexer x;

	if (!o)
		NO_MEMORY(p->err);
	lex_init(&x, p, source, at);
	o->head.at = lex_place(&x);
	TRY(filtered_parse(&x, &o->value));
	if (p->t->options.html)
		TRY(check_context(p, o));
	node_add(into, &o->head);
	return GH_RC_OK;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------- */

static GH_RC unknown_tag(struct parser *p, const struct token *t, const struct token *opener)
{
	const struct place at = t->tag_at;

	if (!t->name.n)
		FAIL_AT(p, at, "a tag without a name");
	if (opener)
		FAIL_AT(p, at, "unknown tag '%.*s' inside '%.*s' of line %d", STR_ARG(str_first(t->name, 40)),
			STR_ARG(opener->name), opener->tag_at.line);
	FAIL_AT(p, at, "unknown tag '%.*s'", STR_ARG(str_first(t->name, 40)));
}

static GH_RC parse_tag(struct parser *p, const struct token *t, const struct token *opener, struct block *into)
{
	for (const struct tag *tag = liquid_tags; tag->name; tag++)
		if (str_eq(t->name, str_of(tag->name)))
			return tag->parse(p, t, into);
	return unknown_tag(p, t, opener);
}

static bool is_end(const struct token *t, const char *const *ends)
{
	for (; *ends; ends++)
		if (str_eq(t->name, str_of(*ends)))
			return true;
	return false;
}

/* A failure of the scanner has no template name yet. */
static GH_RC next_token(struct parser *p, struct token *t)
{
	gh_rc rc = scan_next(p->scan, t, p->err);

	if (rc.code)
		gh_err_prefix(p->err, "%.*s", STR_ARG(str_first(p->t->name, 100)));
	return rc;
}

gh_rc parse_block(struct parser *p, const struct token *opener, const char *const *ends, struct block *out)
{
	struct token t;

	block_init(out);
	if (++p->depth > LIQUID_MAX_NESTING)
		FAIL_AT(p, opener->tag_at, "blocks nest deeper than %d", LIQUID_MAX_NESTING);
	for (;;) {
		TRY(next_token(p, &t));
		if (t.kind == TOKEN_TEXT) {
			TRY(add_text(p, &t, out));
		} else if (t.kind == TOKEN_OUTPUT) {
			TRY(parse_output(p, t.text, t.at, out));
		} else if (t.kind == TOKEN_TAG && opener && is_end(&t, ends)) {
			p->end = t;
			break;
		} else if (t.kind == TOKEN_TAG) {
			TRY(parse_tag(p, &t, opener, out));
		} else if (opener) {
			FAIL_AT(p, opener->tag_at, "'%.*s' without its 'end%.*s'", STR_ARG(opener->name), STR_ARG(opener->name));
		} else {
			break;
		}
	}
	p->depth--;
	return GH_RC_OK;
}

gh_rc parse_liquid_lines(struct parser *p, const struct token *t, struct block *into)
{
	struct scanner lines = { .source = t->text, .at = t->at, .lines = true }, *outer = p->scan;
	struct block inner;
	gh_rc rc;

	if (++p->depth > LIQUID_MAX_NESTING)
		FAIL_AT(p, t->tag_at, "'liquid' nests deeper than %d", LIQUID_MAX_NESTING);
	p->scan = &lines;
	rc = parse_block(p, NULL, NULL, &inner);
	p->scan = outer;
	p->depth--;
	TRY(rc);
	for (struct node *n = inner.first, *next; n; n = next) {
		next = n->next;
		n->next = NULL;
		node_add(into, n);
	}
	return GH_RC_OK;
}

gh_rc liquid_parse(struct arena *a, struct str name, struct str source, const struct liquid_options *options,
		   const struct liquid_template **out, struct gh_err *err)
{
	struct liquid_template *t = arena_new_of(a, struct liquid_template);
	struct scanner scan = { .at = { 1, 1 } };
	struct parser p = { .a = a, .t = t, .scan = &scan, .err = err };
	size_t max = options && options->max_source_bytes ? options->max_source_bytes : DEFAULT_MAX_SOURCE;

	if (!t)
		NO_MEMORY(err);
	if (options)
		t->options = *options;
	t->name = arena_dup(a, name);
	if (source.n > max)
		FAIL(err, LIMIT, "%.*s: a template of %zu bytes; the limit is %zu", STR_ARG(name), source.n, max);
	scan.source = arena_dup(a, source);
	if (str_is_null(t->name) || str_is_null(scan.source))
		NO_MEMORY(err);
	if (t->options.line)
		scan.at.line = t->options.line;
	if (t->options.column)
		scan.at.column = t->options.column;
	TRY(parse_block(&p, NULL, NULL, &t->body));
	if (t->options.html && p.markup.state != MARKUP_TEXT)
		FAIL(err, SYNTAX, "%.*s: the template ends %s", STR_ARG(name), markup_describe(&p.markup));
	*out = t;
	return GH_RC_OK;
}

void liquid_each_partial(const struct liquid_template *t, void (*fn)(void *ctx, struct str name), void *ctx)
{
	for (const struct partial_name *n = t->partials; n; n = n->next)
		fn(ctx, n->name);
}
