#include "portal/web/markdown.h"

#include "core/str.h"

#include <md4c.h>

/* md4c calls back at the begin and end of each block and span; a stack of open lists turns that into a tree. What nests
 * deeper than WEB_MARKDOWN_DEPTH goes into the deepest list that is open, so nothing is lost but the nesting. md4c ends
 * some spans more often than it begins them (images in links in images), so an end is matched with what is open: the end
 * of a block closes what is open inside it, the end of a span that is not open is passed over. */

enum { OPEN_MAX = 4096, SPAN = 0x80 };

struct builder {
	struct arena *a;
	struct liquid_list *open[WEB_MARKDOWN_DEPTH];
	unsigned depth;                  /* may exceed WEB_MARKDOWN_DEPTH: then it only counts */
	uint8_t kinds[OPEN_MAX];         /* of what is open; spans are marked */
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

static struct liquid_record *enter(struct builder *b, const char *kind, unsigned type)
{
	struct liquid_record *r = add(b, kind);
	struct liquid_list *children = liquid_set_list(r, "children");

	if (b->depth + 1 == OPEN_MAX)
		return r;
	b->kinds[++b->depth] = (uint8_t)type;
	if (b->depth < WEB_MARKDOWN_DEPTH)
		b->open[b->depth] = children;
	return r;
}

static void leave(struct builder *b, unsigned type)
{
	unsigned at = b->depth;

	while (at && b->kinds[at] != type && (b->kinds[at] & SPAN || !(type & SPAN)))
		at--;
	if (at && b->kinds[at] == type)
		b->depth = at - 1;
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
		liquid_set_int(enter(b, "heading", type), "level", ((MD_BLOCK_H_DETAIL *)detail)->level);
		return 0;
	case MD_BLOCK_CODE:
		b->in_code = true;
		buf_clear(&b->text);
		return 0;
	case MD_BLOCK_HTML:
		enter(b, "p", type);
		return 0;
	default:
		enter(b, kinds[type], type);
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
		leave(b, type);
	}
	return b->failed;
}

static bool in_link(const struct builder *b)
{
	for (unsigned i = 1; i <= b->depth; i++)
		if (b->kinds[i] == (MD_SPAN_A | SPAN) || b->kinds[i] == (MD_SPAN_IMG | SPAN))
			return true;
	return false;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *ctx)
{
	static const char *const kinds[] = {
		[MD_SPAN_EM] = "em",	 [MD_SPAN_STRONG] = "strong", [MD_SPAN_DEL] = "del",
		[MD_SPAN_CODE] = "code", [MD_SPAN_A] = "a",
		[MD_SPAN_IMG] = "a",             /* its alternative text as a link: no page loads from elsewhere */
	};
	struct builder *b = ctx;
	bool link = type == MD_SPAN_A || type == MD_SPAN_IMG;
	struct liquid_record *r;

	if (link && in_link(b)) {                /* an image in a link is the link's text */
		enter(b, "em", type | SPAN);
		return b->failed;
	}
	r = enter(b, kinds[type], type | SPAN);
	if (type == MD_SPAN_A)
		href(b, r, &((MD_SPAN_A_DETAIL *)detail)->href);
	else if (type == MD_SPAN_IMG)
		href(b, r, &((MD_SPAN_IMG_DETAIL *)detail)->src);
	return b->failed;
}

static int leave_span(MD_SPANTYPE type, void *detail UNUSED, void *ctx)
{
	leave(ctx, type | SPAN);
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
	struct builder *b = arena_new_of(a, struct builder);
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
	if (!b)
		FAIL(err, NOMEM, "a description");
	b->a = a;
	b->open[0] = liquid_list_new(a);
	buf_init(&b->text, WEB_MARKDOWN_MAX);
	failed = md_parse(text.p, (MD_SIZE)text.n, &parser, b);
	buf_release(&b->text);
	if (failed || b->failed)
		FAIL(err, NOMEM, "a description");
	*out = liquid_of_list(b->open[0]);
	return GH_RC_OK;
}

/* ---- summaries ----------------------------------------------------------------------------------------------------- */

struct summary {
	struct buf text;
	bool in_paragraph, done;
};

static int summary_enter(MD_BLOCKTYPE type, void *detail UNUSED, void *ctx)
{
	struct summary *s = ctx;

	s->in_paragraph = type == MD_BLOCK_P;
	return 0;
}

static int summary_leave(MD_BLOCKTYPE type, void *detail UNUSED, void *ctx)
{
	struct summary *s = ctx;

	s->done |= type == MD_BLOCK_P && s->text.n;
	s->in_paragraph = false;
	return s->done;                          /* non-zero ends the parsing */
}

static int summary_span(MD_SPANTYPE type UNUSED, void *detail UNUSED, void *ctx UNUSED)
{
	return 0;
}

static int summary_text(MD_TEXTTYPE type, const MD_CHAR *p, MD_SIZE n, void *ctx)
{
	struct summary *s = ctx;

	if (s->in_paragraph && type == MD_TEXT_SOFTBR)
		buf_char(&s->text, ' ');
	else if (s->in_paragraph && type != MD_TEXT_BR)
		buf_add(&s->text, p, n);
	return s->text.failed;
}

/* Up to the end of the first sentence, or to a blank near the limit. */
static struct str first_sentence(struct str s)
{
	size_t at = str_find(s, STR(". ")), n;

	if (at != SIZE_MAX && at < WEB_SUMMARY_MAX)
		return str_first(s, at + 1);
	if (s.n <= WEB_SUMMARY_MAX)
		return s;
	n = str_rfind_char(str_first(s, WEB_SUMMARY_MAX), ' ');
	return str_first(s, n == SIZE_MAX ? 0 : n);
}

struct str web_markdown_summary(struct arena *a, struct str text)
{
	const MD_PARSER parser = {
		.flags = MD_FLAG_NOHTML,
		.enter_block = summary_enter,
		.leave_block = summary_leave,
		.enter_span = summary_span,
		.leave_span = summary_span,
		.text = summary_text,
	};
	struct summary s = { .done = false };
	struct str out;

	buf_init(&s.text, 1 << 14);
	if (text.n)
		(void)md_parse(text.p, (MD_SIZE)(text.n < WEB_MARKDOWN_MAX ? text.n : WEB_MARKDOWN_MAX), &parser, &s);
	out = arena_dup(a, first_sentence(str_trim(buf_view(&s.text))));
	buf_release(&s.text);
	return out.p ? out : STR("");
}
