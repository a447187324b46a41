#include "portal/web/markdown.h"

#include "core/str.h"

#include <md4c.h>

/* md4c calls back at the begin and end of each block and span; a stack of open lists turns that into a tree. What nests
 * deeper than WEB_MARKDOWN_DEPTH goes into the deepest list that is open, so nothing is lost but the nesting. */

struct builder {
	struct arena *a;
	struct liquid_list *open[WEB_MARKDOWN_DEPTH];
	unsigned depth;                  /* may exceed WEB_MARKDOWN_DEPTH: then it only counts */
	struct buf text;                 /* of a code block */
	bool in_code, failed;
};

static struct liquid_list *top(struct builder *b)
{
	return b->open[b->depth < WEB_MARKDOWN_DEPTH ? b->depth : WEB_MARKDOWN_DEPTH - 1];
}

static struct liquid_record *add(struct builder *b, const char *kind)
{
	struct liquid_record *r = liquid_push_record(top(b));

	liquid_set_text(r, "kind", str_of(kind));
	return r;
}

static struct liquid_record *enter(struct builder *b, const char *kind)
{
	struct liquid_record *r = add(b, kind);
	struct liquid_list *children = liquid_set_list(r, "children");

	if (++b->depth < WEB_MARKDOWN_DEPTH)
		b->open[b->depth] = children;
	return r;
}

static struct str copy(struct builder *b, const MD_CHAR *p, size_t n)
{
	struct str s = arena_dup(b->a, (struct str){ p, n });

	b->failed |= !s.p;
	return s;
}

static void href(struct builder *b, struct liquid_record *r, const MD_ATTRIBUTE *at)
{
	liquid_set_text(r, "href", copy(b, at->text, at->size));
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *ctx)
{
	static const char *const kinds[] = {
		[MD_BLOCK_QUOTE] = "quote", [MD_BLOCK_UL] = "ul",   [MD_BLOCK_OL] = "ol",	[MD_BLOCK_LI] = "li",
		[MD_BLOCK_P] = "p",	    [MD_BLOCK_TABLE] = "table", [MD_BLOCK_THEAD] = "thead", [MD_BLOCK_TBODY] = "tbody",
		[MD_BLOCK_TR] = "tr",	    [MD_BLOCK_TH] = "th",	[MD_BLOCK_TD] = "td",
	};
	struct builder *b = ctx;

	switch (type) {
	case MD_BLOCK_DOC:
		return 0;
	case MD_BLOCK_HR:
		add(b, "hr");
		return 0;
	case MD_BLOCK_H:
		liquid_set_int(enter(b, "heading"), "level", ((MD_BLOCK_H_DETAIL *)detail)->level);
		return 0;
	case MD_BLOCK_CODE:
		b->in_code = true;
		buf_clear(&b->text);
		return 0;
	case MD_BLOCK_HTML:
		enter(b, "p");
		return 0;
	default:
		enter(b, kinds[type]);
		return 0;
	}
}

static int leave_block(MD_BLOCKTYPE type, void *detail UNUSED, void *ctx)
{
	struct builder *b = ctx;

	if (type == MD_BLOCK_CODE) {
		b->in_code = false;
		b->failed |= !buf_ok(&b->text);
		liquid_set_text(add(b, "pre"), "text", copy(b, buf_view(&b->text).p, b->text.n));
	} else if (type != MD_BLOCK_DOC && type != MD_BLOCK_HR) {
		b->depth--;
	}
	return b->failed;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *ctx)
{
	struct builder *b = ctx;

	switch (type) {
	case MD_SPAN_EM:
		enter(b, "em");
		break;
	case MD_SPAN_STRONG:
		enter(b, "strong");
		break;
	case MD_SPAN_DEL:
		enter(b, "del");
		break;
	case MD_SPAN_CODE:
		enter(b, "code");
		break;
	case MD_SPAN_A:
		href(b, enter(b, "a"), &((MD_SPAN_A_DETAIL *)detail)->href);
		break;
	case MD_SPAN_IMG:                        /* its alternative text as a link: no page loads from elsewhere */
		href(b, enter(b, "a"), &((MD_SPAN_IMG_DETAIL *)detail)->src);
		break;
	default:
		enter(b, "text");
		break;
	}
	return 0;
}

static int leave_span(MD_SPANTYPE type UNUSED, void *detail UNUSED, void *ctx)
{
	((struct builder *)ctx)->depth--;
	return 0;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *p, MD_SIZE n, void *ctx)
{
	struct builder *b = ctx;

	if (b->in_code) {
		buf_add(&b->text, p, n);
		return 0;
	}
	if (type == MD_TEXT_BR)
		add(b, "br");
	else if (type == MD_TEXT_ENTITY && n == 6 && memcmp(p, "&nbsp;", 6) == 0)
		liquid_set_text(add(b, "text"), "text", STR("\xC2\xA0"));
	else if (type == MD_TEXT_ENTITY && n == 5 && memcmp(p, "&amp;", 5) == 0)
		liquid_set_text(add(b, "text"), "text", STR("&"));
	else if (type == MD_TEXT_ENTITY && n == 4 && (memcmp(p, "&lt;", 4) == 0 || memcmp(p, "&gt;", 4) == 0))
		liquid_set_text(add(b, "text"), "text", p[1] == 'l' ? STR("<") : STR(">"));
	else
		liquid_set_text(add(b, "text"), "text", type == MD_TEXT_SOFTBR ? STR("\n") : copy(b, p, n));
	return b->failed;
}

gh_rc web_markdown(struct arena *a, struct str text, struct liquid_value *out, struct gh_err *err)
{
	struct builder b = { .a = a };
	const MD_PARSER parser = {
		.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEURLAUTOLINKS | MD_FLAG_NOHTML,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = on_text,
	};
	int failed;

	*out = LIQUID_NIL_VALUE;
	if (!text.n)
		return GH_RC_OK;
	if (text.n > WEB_MARKDOWN_MAX)
		FAIL(err, LIMIT, "a description of %zu bytes", text.n);
	b.open[0] = liquid_list_new(a);
	buf_init(&b.text, WEB_MARKDOWN_MAX);
	failed = md_parse(text.p, (MD_SIZE)text.n, &parser, &b);
	buf_release(&b.text);
	if (failed || b.failed)
		FAIL(err, NOMEM, "a description");
	*out = liquid_of_list(b.open[0]);
	return GH_RC_OK;
}
