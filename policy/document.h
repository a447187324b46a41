/* document.h - a policy document as a tree, with the place of everything in the original bytes.
 *
 * Policy documents look like XML and often are not: expressions stand in them as C#, with quotes, "<" and "&&" inside
 * attributes. So no XML parser ever sees one. This reader knows just enough XML (elements, attributes, text, CDATA,
 * comments, the five entities and character references) and, wherever a value or a text begins with "@(" or "@{", lets
 * a C# lexer find the end of the expression.
 *
 * All texts borrow from the document's bytes or live in the arena; nodes keep offsets into the original bytes and
 * document_place turns an offset into line and column. The tree is immutable after document_parse. */
#pragma once

#include "policy/diag.h"

enum {
	DOCUMENT_BYTES_MAX = 256 * 1024,     /* default; fragments may have twice that */
	DOCUMENT_DEPTH_MAX = 64,
	DOCUMENT_NODES_MAX = 100000,
};

/* A text that was decoded or had named values put in still knows where each byte came from: a run of places, sorted. */
struct doc_run {
	uint32_t at, source;         /* from this byte of the text on the bytes stand at `source` of the document, … */
	bool fixed;                  /* … or all of them come from that one place (an entity, a named value) */
};

/* An attribute's value or an element's text. */
struct doc_text {
	struct str text;             /* entities decoded; an expression without white space around it */
	bool expression;             /* begins with "@(" or "@{" and is nothing else */
	uint32_t at;                 /* offset of the first byte */
	const struct doc_run *runs;  /* NULL: the text stands in the document just so, from `at` on */
	size_t n_runs;
};

struct doc_attr {
	struct doc_attr *next;
	struct str name;
	struct doc_text value;
	uint32_t at;                 /* offset of the name */
};

struct doc_node {
	struct doc_node *parent, *first, *last, *next;   /* child elements in order */
	struct str name;             /* with its prefix */
	struct doc_attr *attrs;
	struct doc_text text;        /* its own text, white space and all; an expression is trimmed */
	bool has_text;               /* text that is not white space stands in it */
	struct str inner;            /* source between start and end tag, untouched */
	struct str outer;            /* source from "<" of the start tag to ">" of the end tag */
	uint32_t at;                 /* offset of "<" */
};

struct document {
	struct str source;           /* the original bytes, byte-order mark included */
	struct doc_node *root;
	uint32_t *lines;             /* offset at which each line begins */
	size_t n_lines;
};

struct document_limits {
	size_t bytes, depth;         /* 0: the defaults above */
};

/* False when it cannot be read as a tree; diags then holds at least one error. `source` must outlive the tree. */
bool document_parse(struct arena *a, struct str source, const struct document_limits *limits, struct document *out,
		    struct policy_diags *diags);

/* Line and column, both from 1, in bytes. */
void document_place(const struct document *d, size_t offset, unsigned *line, unsigned *column);
/* Offset in the document of byte `i` of a text. */
size_t doc_text_source(const struct doc_text *t, size_t i);

/* Does the text, white space in front aside, begin like an expression? */
bool text_is_expression(struct str s);
/* Where the quote stands that ends a literal attribute value; SIZE_MAX: nowhere. Quotes of a distinguished name, as in
 * subject="O="Contoso, Inc.", C=US", belong to the value: the reference writes them so. *quoted: there are some. */
size_t text_literal_end(struct str s, char quote, bool *quoted);

/* Length of the C# string or character literal that s begins with, or 0. */
size_t csharp_literal_length(struct str s);

/* A text that is put together from pieces of the document, with its runs. Failure (no memory) is sticky. */
struct doc_builder {
	struct arena *arena;
	char *p;
	size_t n, cap;
	struct doc_run *runs;
	size_t n_runs, cap_runs;
	bool failed;
};
void doc_builder_init(struct doc_builder *b, struct arena *a, size_t expected);
void doc_builder_add(struct doc_builder *b, struct str bytes, uint32_t source, bool fixed);
bool doc_builder_done(struct doc_builder *b, struct doc_text *out);   /* leaves .expression alone */
/* Adds source text with the five entities and character references decoded; with outside_strings only outside of C#
 * string and character literals. A "&" that begins none of them stays. False at an unknown entity, whose offset in s
 * stands in *bad. */
bool doc_builder_decode(struct doc_builder *b, struct str s, uint32_t source, bool outside_strings, size_t *bad);

const struct doc_attr *doc_attr(const struct doc_node *n, struct str name);
