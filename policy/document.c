/* document.c - the reader of policy documents. See document.h for why it is no XML parser.
 *
 * Where a value or a text begins with "@(" or "@{" there are two ways to read it, tried in this order:
 *
 *   A  well-formed: up to the quote (or "<") that an XML parser would stop at, entities decoded. Taken when the C#
 * lexer finds that this is one whole expression. B  raw: the C# lexer runs over the bytes as they stand and says where
 * the expression ends.
 *
 * A prefix that ends inside a string, a bracket or a comment is never a whole expression, so A cannot cut a raw
 * expression short. In B entities are decoded outside of C# literals only: there they cannot be meant as text.
 *
 * Structural errors (a wrong end tag, a missing quote) end the reading; all others are reported and it goes on. */
#include "policy/document.h"

#include "core/str.h"
#include "policy/expr/expr.h"

enum { DEPTH_HARD_MAX = 256 };

/* An element whose end tag has not been seen, with the text that it has so far. */
struct open_node {
	struct doc_node *node;
	struct str piece;            /* the only text so far, in the source */
	struct doc_builder text;     /* used when there is more than one piece, or something to decode */
	bool built;
};

struct reader {
	struct arena *arena;
	struct document *doc;
	struct policy_diags *diags;
	struct str s;
	size_t at, depth, max_depth, n_nodes;
	struct open_node open[DEPTH_HARD_MAX + 1];
	bool stop;
};

/* ---- places ------------------------------------------------------------------------------------------------------ */

static bool index_lines(struct arena *a, struct document *d)
{
	size_t n = 1;

	for (size_t i = 0; i < d->source.n; i++)
		n += d->source.p[i] == '\n';
	d->lines = arena_alloc(a, n, sizeof(*d->lines));
	if (!d->lines)
		return false;
	d->n_lines = 1;
	for (size_t i = 0; i < d->source.n; i++)
		if (d->source.p[i] == '\n')
			d->lines[d->n_lines++] = (uint32_t)i + 1;
	return true;
}

void document_place(const struct document *d, size_t offset, unsigned *line, unsigned *column)
{
	size_t lo = 0, hi = d->n_lines;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->lines[mid] <= offset)
			lo = mid;
		else
			hi = mid;
	}
	*line = (unsigned)lo + 1;
	*column = (unsigned)(offset - (d->n_lines ? d->lines[lo] : 0)) + 1;
}

#define REPORT(r, offset, ...)                                                          \
	do {                                                                            \
		unsigned line_, column_;                                                \
		document_place((r)->doc, (offset), &line_, &column_);                   \
		policy_error((r)->diags, line_, column_, __VA_ARGS__);                  \
	} while (0)
#define WARN(r, offset, ...)                                                            \
	do {                                                                            \
		unsigned line_, column_;                                                \
		document_place((r)->doc, (offset), &line_, &column_);                   \
		policy_warning((r)->diags, line_, column_, __VA_ARGS__);                \
	} while (0)
#define STOP(r, offset, ...)                                                            \
	do {                                                                            \
		REPORT(r, offset, __VA_ARGS__);                                         \
		(r)->stop = true;                                                       \
		return;                                                                 \
	} while (0)

static void no_memory(struct reader *r)
{
	REPORT(r, r->at, "the document needs more memory than it may use");
	r->stop = true;
}

/* ---- small steps ------------------------------------------------------------------------------------------------- */

static struct str rest(const struct reader *r)
{
	return str_from(r->s, r->at);
}

static bool sees(const struct reader *r, const char *what)
{
	return str_starts(rest(r), str_of(what));
}

static void skip_space(struct reader *r)
{
	while (r->at < r->s.n && ascii_is_space(r->s.p[r->at]))
		r->at++;
}

static struct str read_name(struct reader *r)
{
	size_t from = r->at;

	while (r->at < r->s.n) {
		char c = r->s.p[r->at];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_' && c != '.' && c != ':'
		    && !(c & 0x80))
			break;
		r->at++;
	}
	return (struct str){ r->s.p + from, r->at - from };
}

/* "<!--", "<?": skips it when one stands here. */
static bool skip_comment(struct reader *r)
{
	bool comment = sees(r, "<!--");
	const char *end = comment ? "-->" : "?>";
	size_t n;

	if (!comment && !sees(r, "<?"))
		return false;
	n = str_find(str_from(r->s, r->at + (comment ? 4 : 2)), str_of(end));
	if (n == SIZE_MAX) {
		REPORT(r, r->at, "the %s that begins here has no end (`%s`)",
		       comment ? "comment" : "processing instruction", end);
		r->stop = true;
		r->at = r->s.n;
		return true;
	}
	r->at += (comment ? 4 : 2) + n + strlen(end);
	return true;
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

static bool needs_decoding(struct str s)
{
	return str_find_char(s, '&') != SIZE_MAX || str_find_char(s, '\r') != SIZE_MAX;
}

static uint32_t offset_of(const struct reader *r, const char *p)
{
	return (uint32_t)(p - r->s.p);
}

/* Way A: is `slice`, entities decoded, one whole expression? */
static bool well_formed(struct reader *r, struct str slice, struct doc_text *out)
{
	const char *why;
	size_t bad;

	slice = str_trim(slice);
	*out = (struct doc_text){ .text = slice, .at = offset_of(r, slice.p) };
	if (needs_decoding(slice)) {
		struct doc_builder b;

		doc_builder_init(&b, r->arena, slice.n);
		if (!doc_builder_decode(&b, slice, out->at, false, &bad) || !doc_builder_done(&b, out))
			return false;
	}
	return expr_scan(out->text, &why) == out->text.n;
}

/* Way B. r->at stands on the "@"; afterwards behind the expression. */
static bool raw(struct reader *r, struct doc_text *out)
{
	const char *why = "";
	size_t n = expr_scan(rest(r), &why), bad;

	if (!n) {
		REPORT(r, r->at, "the expression that begins here does not end: %s", why);
		r->stop = true;
		return false;
	}
	*out = (struct doc_text){ .text = str_first(rest(r), n), .at = (uint32_t)r->at };
	if (needs_decoding(out->text)) {
		struct doc_builder b;

		doc_builder_init(&b, r->arena, n);
		doc_builder_decode(&b, out->text, out->at, true, &bad);
		if (!doc_builder_done(&b, out)) {
			no_memory(r);
			return false;
		}
	}
	r->at += n;
	return true;
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static void read_literal_attr(struct reader *r, struct str slice, struct doc_text *out)
{
	size_t lt = str_find_char(slice, '<'), bad;
	struct doc_builder b;
	char *copy;

	*out = (struct doc_text){ .text = slice, .at = offset_of(r, slice.p) };
	if (lt != SIZE_MAX)
		STOP(r, offset_of(r, slice.p) + lt,
		     "`<` inside an attribute must be written `&lt;` (or a quote is missing before it)");
	if (!needs_decoding(slice) && str_find_char(slice, '\n') == SIZE_MAX && str_find_char(slice, '\t') == SIZE_MAX)
		return;
	copy = arena_alloc_text(r->arena, slice.n);
	if (!copy) {
		no_memory(r);
		return;
	}
	for (size_t i = 0; i < slice.n; i++)
		copy[i] = slice.p[i] == '\n' || slice.p[i] == '\t' ? ' ' : slice.p[i];
	doc_builder_init(&b, r->arena, slice.n);
	if (!doc_builder_decode(&b, (struct str){ copy, slice.n }, out->at, false, &bad))
		REPORT(r, out->at + bad, "unknown entity: only &lt; &gt; &amp; &quot; &apos; and &#…; are known");
	else if (!doc_builder_done(&b, out))
		no_memory(r);
}

static void read_attr_value(struct reader *r, struct doc_text *out)
{
	char quote = r->s.p[r->at++];
	size_t end = str_find_char(rest(r), quote);
	struct str slice = str_first(rest(r), end == SIZE_MAX ? 0 : end);
	bool quoted;

	if (text_is_expression(rest(r))) {
		out->expression = true;
		if (end != SIZE_MAX && well_formed(r, slice, out)) {
			out->expression = true;
			r->at += end + 1;
			return;
		}
		skip_space(r);
		if (!raw(r, out))
			return;
		out->expression = true;
		skip_space(r);
		if (r->at == r->s.n || r->s.p[r->at] != quote)
			STOP(r, r->at,
			     "text after the end of the expression: a value is one expression, or plain text");
		r->at++;
		return;
	}
	end = text_literal_end(rest(r), quote, &quoted);
	if (end == SIZE_MAX)
		STOP(r, r->at - 1, "the quote that begins here is not closed");
	if (quoted)
		WARN(r, r->at, "quotes inside a value are written &quot;; they are taken as part of the name");
	read_literal_attr(r, str_first(rest(r), end), out);
	r->at += end + 1;
}

static void read_attr(struct reader *r, struct doc_node *n, struct doc_attr ***tail)
{
	size_t at = r->at;
	struct str name = read_name(r);
	struct doc_attr *attr;

	if (!name.n)
		STOP(r, r->at, "`%.*s` cannot stand inside the tag <%.*s>", (int)utf8_decode(rest(r), NULL),
		     r->s.p + r->at, STR_ARG(n->name));
	skip_space(r);
	if (!sees(r, "="))
		STOP(r, at, "attribute `%.*s` of <%.*s> has no value: write %.*s=\"…\"", STR_ARG(name),
		     STR_ARG(n->name), STR_ARG(name));
	r->at++;
	skip_space(r);
	if (!sees(r, "\"") && !sees(r, "'"))
		STOP(r, r->at, "the value of `%.*s` must stand in quotes", STR_ARG(name));
	if (doc_attr(n, name))
		REPORT(r, at, "attribute `%.*s` is given twice", STR_ARG(name));
	attr = arena_new_of(r->arena, struct doc_attr);
	if (!attr) {
		no_memory(r);
		return;
	}
	attr->name = name;
	attr->at = (uint32_t)at;
	**tail = attr;
	*tail = &attr->next;
	read_attr_value(r, &attr->value);
}

const struct doc_attr *doc_attr(const struct doc_node *n, struct str name)
{
	for (const struct doc_attr *a = n->attrs; a; a = a->next)
		if (str_eq(a->name, name))
			return a;
	return NULL;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* Adds a piece of the source to the text of the innermost open element. `literal`: CDATA, nothing to decode. */
static void add_piece(struct reader *r, struct str piece, bool literal)
{
	struct open_node *o = &r->open[r->depth];
	size_t bad;

	if (!piece.n)
		return;
	if (str_trim(piece).n) {
		if (o->node->text.expression)
			STOP(r, offset_of(r, piece.p),
			     "text after the end of the expression: a text is one expression, or plain text");
		o->node->has_text = true;
	} else if (o->node->text.expression) {
		return;
	}
	if (!o->piece.n && !o->built && !needs_decoding(piece)) {
		o->piece = piece;
		return;
	}
	if (!o->built) {
		doc_builder_init(&o->text, r->arena, o->piece.n + piece.n);
		o->built = true;
		doc_builder_add(&o->text, o->piece, o->piece.n ? offset_of(r, o->piece.p) : 0, false);
	}
	if (literal)
		doc_builder_add(&o->text, piece, offset_of(r, piece.p), false);
	else if (!doc_builder_decode(&o->text, piece, offset_of(r, piece.p), false, &bad))
		REPORT(r, offset_of(r, piece.p) + bad,
		       "unknown entity: only &lt; &gt; &amp; &quot; &apos; and &#…; are known");
}

static void take_expression(struct reader *r, const struct doc_text *t)
{
	struct doc_node *n = r->open[r->depth].node;

	n->text = *t;
	n->text.expression = true;
	n->has_text = true;
}

static void read_text(struct reader *r)
{
	struct doc_node *n = r->open[r->depth].node;
	size_t end = str_find_char(rest(r), '<');
	struct str slice = str_first(rest(r), end);
	struct doc_text t;

	if (!n->has_text && !n->first && text_is_expression(rest(r))) {
		if (!well_formed(r, slice, &t)) {
			skip_space(r);
			if (raw(r, &t))
				take_expression(r, &t);
			return;
		}
		take_expression(r, &t);
	} else {
		add_piece(r, slice, false);
	}
	r->at += slice.n;
}

static void read_cdata(struct reader *r)
{
	struct doc_node *n = r->open[r->depth].node;
	size_t begin = r->at, end;
	struct str slice, whole;
	const char *why;

	r->at += strlen("<![CDATA[");
	end = str_find(rest(r), STR("]]>"));
	if (end == SIZE_MAX)
		STOP(r, begin, "the CDATA section that begins here has no end (`]]>`)");
	slice = str_first(rest(r), end);
	whole = str_trim(slice);
	if (!n->has_text && !n->first && text_is_expression(slice) && expr_scan(whole, &why) == whole.n)
		take_expression(r, &(struct doc_text){ .text = whole, .at = offset_of(r, whole.p) });
	else
		add_piece(r, slice, true);
	r->at += end + strlen("]]>");
}

static void close_text(struct reader *r, struct open_node *o)
{
	struct doc_node *n = o->node;

	if (n->text.expression || n->first)
		return;
	if (!o->built)
		n->text = (struct doc_text){ .text = o->piece, .at = o->piece.n ? offset_of(r, o->piece.p) : 0 };
	else if (!doc_builder_done(&o->text, &n->text))
		no_memory(r);
}

/* ---- elements ---------------------------------------------------------------------------------------------------- */

static void push(struct reader *r, struct doc_node *n)
{
	if (r->depth == r->max_depth)
		STOP(r, n->at, "elements are nested deeper than %zu", r->max_depth);
	r->depth++;
	r->open[r->depth] = (struct open_node){ .node = n };
}

static void start_tag(struct reader *r)
{
	struct doc_node *n = arena_new_of(r->arena, struct doc_node), *parent = r->open[r->depth].node;
	struct doc_attr **tail;
	size_t at = r->at++;

	if (!n || ++r->n_nodes > DOCUMENT_NODES_MAX) {
		no_memory(r);
		return;
	}
	n->at = (uint32_t)at;
	n->name = read_name(r);
	tail = &n->attrs;
	if (!n->name.n)
		STOP(r, at, "`<` in a text must be written `&lt;`, unless it begins a tag");
	n->parent = parent;
	if (parent) {
		if (parent->text.expression)
			STOP(r, at, "an element after an expression: the content is one expression, or elements");
		*(parent->last ? &parent->last->next : &parent->first) = n;
		parent->last = n;
	} else {
		r->doc->root = n;
	}
	for (skip_space(r); !r->stop && r->at < r->s.n && !sees(r, ">") && !sees(r, "/>"); skip_space(r))
		read_attr(r, n, &tail);
	if (r->stop)
		return;
	if (r->at == r->s.n)
		STOP(r, at, "the tag <%.*s> is not closed with `>`", STR_ARG(n->name));
	if (sees(r, "/>")) {
		r->at += 2;
		n->outer = (struct str){ r->s.p + at, r->at - at };
		n->inner = (struct str){ r->s.p + r->at, 0 };
		return;
	}
	r->at++;
	n->inner.p = r->s.p + r->at;
	push(r, n);
}

static void end_tag(struct reader *r)
{
	struct open_node *o = &r->open[r->depth];
	size_t at = r->at;
	unsigned line, column;
	struct str name;

	r->at += 2;
	name = read_name(r);
	skip_space(r);
	if (!str_eq(name, o->node->name)) {
		document_place(r->doc, o->node->at, &line, &column);
		STOP(r, at, "</%.*s> stands where </%.*s> is missing, which closes line %u, column %u", STR_ARG(name),
		     STR_ARG(o->node->name), line, column);
	}
	if (!sees(r, ">"))
		STOP(r, at, "the end tag </%.*s> is not closed with `>`", STR_ARG(name));
	r->at++;
	o->node->inner.n = (size_t)(r->s.p + at - o->node->inner.p);
	o->node->outer = (struct str){ r->s.p + o->node->at, r->at - o->node->at };
	close_text(r, o);
	r->depth--;
}

static void read_content(struct reader *r)
{
	while (!r->stop && r->depth) {
		if (r->at == r->s.n) {
			struct doc_node *n = r->open[r->depth].node;

			STOP(r, n->at, "<%.*s> is never closed: </%.*s> is missing", STR_ARG(n->name),
			     STR_ARG(n->name));
		}
		if (r->s.p[r->at] != '<')
			read_text(r);
		else if (sees(r, "<![CDATA["))
			read_cdata(r);
		else if (sees(r, "</"))
			end_tag(r);
		else if (!skip_comment(r))
			start_tag(r);
	}
}

/* White space, comments and processing instructions around the root. */
static void skip_misc(struct reader *r)
{
	do
		skip_space(r);
	while (!r->stop && skip_comment(r));
}

static void read_document(struct reader *r)
{
	if (sees(r, "\xEF\xBB\xBF"))
		r->at += 3;
	skip_misc(r);
	if (r->stop)
		return;
	if (sees(r, "<!"))
		STOP(r, r->at, "a document type declaration is not allowed in a policy document");
	if (!sees(r, "<"))
		STOP(r, r->at,
		     r->at == r->s.n ? "the document is empty"
				     : "a policy document begins with an element such as <policies>");
	start_tag(r);
	read_content(r);
	if (r->stop)
		return;
	skip_misc(r);
	if (!r->stop && r->at < r->s.n)
		STOP(r, r->at, "text after the end of </%.*s>", STR_ARG(r->doc->root->name));
}

bool document_parse(struct arena *a, struct str source, const struct document_limits *limits, struct document *out,
		    struct policy_diags *diags)
{
	size_t max = limits && limits->bytes ? limits->bytes : DOCUMENT_BYTES_MAX;
	size_t errors = diags->errors;
	struct reader reader, *r = &reader;

	*out = (struct document){ .source = source };
	if (source.n > max) {
		policy_error(diags, 1, 1, "the document has %zu bytes; %zu are allowed", source.n, max);
		return false;
	}
	if (!index_lines(a, out)) {
		policy_error(diags, 1, 1, "the document needs more memory than it may use");
		return false;
	}
	r->arena = a;
	r->doc = out;
	r->diags = diags;
	r->s = source;
	r->at = r->depth = r->n_nodes = 0;
	r->stop = false;
	r->open[0] = (struct open_node){ 0 };
	r->max_depth = limits && limits->depth ? limits->depth : DOCUMENT_DEPTH_MAX;
	if (r->max_depth > DEPTH_HARD_MAX)
		r->max_depth = DEPTH_HARD_MAX;
	for (size_t i = 0; i < source.n; i++)
		if ((unsigned char)source.p[i] < 0x20 && !ascii_is_space(source.p[i])) {
			REPORT(r, i, "the byte 0x%02x is no text", (unsigned char)source.p[i]);
			return false;
		}
	read_document(r);
	return diags->errors == errors && out->root;
}
