/* parse.h - private to the parser: tokens with look-ahead, and what its parts call of each other. */
#pragma once

#include "policy/expr/lex.h"
#include "policy/expr/syntax.h"

struct parser {
	struct compilation *c;
	struct token *t;             /* ends with TOKEN_END */
	size_t n, at;
	unsigned depth;
	unsigned queries;            /* open query expressions: their words are keywords */
	bool failed;
};

struct syntax *parse_expression(struct parser *p);
struct syntax *parse_arguments(struct parser *p, uint32_t close);        /* after the opening bracket; eats close */
struct syntax *parse_braces(struct parser *p);
struct syntax *parse_type(struct parser *p);
struct syntax *parse_lambda(struct parser *p, bool *is_lambda);
struct syntax *parse_new(struct parser *p);
struct syntax *parse_array_elements(struct parser *p, const struct syntax *type);     /* int[] a = { 1, 2 } */
struct syntax *parse_interpolated(struct parser *p);
struct syntax *parse_literal(struct parser *p);
struct syntax *parse_parameters(struct parser *p);                       /* "(…)" of a local function or lambda */
struct syntax *parse_query(struct parser *p);                            /* from x in … */
bool parse_query_follows(struct parser *p);
bool parse_is_query_word(struct parser *p, const struct token *t);       /* select, where … inside of a query */
struct syntax *parse_targets(struct parser *p, bool declares);           /* "(x, y)" that is taken apart into; NULL: error */
size_t parse_closing(struct parser *p, size_t at);                       /* the ")" for the "(" at `at`; 0: none */
/* Looks ahead: past a type that starts at *at. */
bool parse_skip_type(struct parser *p, size_t *at);

struct syntax *parse_node(struct parser *p, enum syntax_kind kind, size_t at);
bool parse_tokens(struct parser *p, size_t from, size_t to);             /* lexes [from, to) of the source */
void *parse_error(struct parser *p, const char *expected);               /* "expected X, found Y" at the next token */
bool parse_enter(struct parser *p);                                      /* one level deeper; false: too deep */

static inline struct token *parse_peek(struct parser *p)
{
	return &p->t[p->at];
}
static inline struct str parse_word(const struct parser *p, const struct token *t)
{
	return (struct str){ p->c->source.p + t->at, t->n };
}
static inline bool parse_is(struct parser *p, uint32_t id)               /* a punctuator or keyword */
{
	return p->t[p->at].id == id && (p->t[p->at].kind == TOKEN_PUNCT || p->t[p->at].kind == TOKEN_KEYWORD);
}
bool parse_is_word(struct parser *p, const char *word);                  /* a contextual keyword: when, var */
static inline bool parse_accept(struct parser *p, uint32_t id)
{
	if (!parse_is(p, id))
		return false;
	p->at++;
	return true;
}
bool parse_expect(struct parser *p, uint32_t id);
