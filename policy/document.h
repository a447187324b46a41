/* document.h - a policy document as a tree, with the place of everything in the original bytes.
 *
 * Policy documents look like XML and often are not: expressions stand in them as C#, with quotes, "<" and "&&" inside
 * attributes. So no XML parser ever sees one. This reader knows just enough XML (elements, attributes, text, CDATA,
 * comments, the five entities and character references) and, wherever a value or a text begins with "@(" or "@{", lets a
 * C# lexer find the end of the expression.
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

/* An attribute's value or an element's text. */
struct doc_text {
	struct str raw;              /* as it stands in the document, without quotes and outer white space of texts */
	struct str text;             /* entities decoded; the expression without white space around it */
	bool expression;             /* begins with "@(" or "@{" and is nothing else */
	bool cdata;
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
	struct doc_text text;        /* all text of an element without child elements; with some: see has_text */
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
/* Offset of p, which points into d->source. */
size_t document_offset(const struct document *d, const char *p);

const struct doc_attr *doc_attr(const struct doc_node *n, struct str name);
