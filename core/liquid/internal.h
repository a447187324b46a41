/* internal.h - what the parts of the Liquid engine share. Not for use outside core/liquid.
 *
 *   source ─ scan.c ─> tokens ─ parse.c + tags_*.c ─> nodes ─ render.c ─> text
 *                               expr.c (expressions)          value.c (questions about values), filters_*.c
 *                               markup.c (where in the HTML are we)
 *
 * A node carries the function that renders it, so a tag is its parse function, its node and its run function in one
 * place, found through one table (parse.c). */
#pragma once

#include "core/liquid.h"
#include "core/str.h"

enum {
	LIQUID_MAX_NESTING = 64,          /* blocks in blocks, and partials in partials */
	LIQUID_MAX_ARGS = 8,              /* of one filter */
	LIQUID_MAX_EXPR_NESTING = 32,     /* brackets in brackets */
	LIQUID_MAX_TEXT_DEPTH = 32,       /* lists in lists when printed or flattened */
	LIQUID_MAX_LIST = 1000000,        /* items of a range or split list */
	LIQUID_MAX_TEXT = 16 * 1024 * 1024,       /* bytes that a filter makes: one that doubles its text ends soon */
};

struct place {                            /* of something in the source; both count from 1 */
	int line, column;
};

/* ---- scan.c -------------------------------------------------------------------------------------------------------- */

enum token_kind { TOKEN_END, TOKEN_TEXT, TOKEN_OUTPUT, TOKEN_TAG };

struct token {
	enum token_kind kind;
	struct str text;                  /* TEXT: as it stands; OUTPUT: inside; TAG: behind the name */
	struct str name;                  /* TAG */
	struct place at;                  /* of text */
	struct place tag_at;              /* TAG: of the name */
};

struct scanner {
	struct str source;
	size_t pos;
	struct place at;                  /* of pos */
	bool trim_next;                   /* the last token ended in "-" */
	bool lines;                       /* inside {% liquid %}: a tag a line */
};

/* The next token. SYNTAX when {{ or {% has no end. */
GH_RC scan_next(struct scanner *s, struct token *out, struct gh_err *err);
/* Everything up to {% name %}, which is passed over: for raw and doc. False when there is none. */
bool scan_until(struct scanner *s, struct str name, struct str *body);

/* ---- expr.c -------------------------------------------------------------------------------------------------------- */

enum expr_kind { EXPR_LITERAL, EXPR_PATH, EXPR_RANGE };

struct path_step {
	struct str name;                  /* .name, or NULL when [index] */
	const struct expr *index;
	const struct path_step *next;
};

struct expr {
	enum expr_kind kind;
	struct place at;
	struct str source;                /* as written: names loops and cycles */
	struct liquid_value literal;
	struct str root;                  /* PATH: first name, or NULL when [root_expr] */
	const struct expr *root_expr;
	const struct path_step *steps;
	const struct expr *from, *to;     /* RANGE */
};

struct filter_call {
	const struct filter *filter;
	struct place at;
	unsigned n;
	const struct expr *args[LIQUID_MAX_ARGS];
	const struct expr *named;         /* the one named argument the filter knows */
	const struct filter_call *next;
};

struct filtered {                         /* expression | filter | filter … */
	const struct expr *base;          /* NULL: nothing stood there */
	const struct filter_call *calls;
};

enum compare_op { OP_NONE, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_CONTAINS };
enum logic_op { LOGIC_END, LOGIC_AND, LOGIC_OR };

struct condition {                        /* left op right [and|or rest]: right-associative, as Liquid has it */
	const struct expr *left, *right;
	enum compare_op op;
	enum logic_op logic;
	const struct condition *rest;
};

enum lex_kind {
	LEX_END, LEX_NAME, LEX_NUMBER, LEX_STRING, LEX_DOT, LEX_RANGE, LEX_OPEN, LEX_CLOSE, LEX_BRACKET, LEX_BRACKET_END,
	LEX_PIPE, LEX_COLON, LEX_COMMA, LEX_COMPARE, LEX_ASSIGN, LEX_BAD
};

struct lexer {                            /* one tag's or output's inside */
	struct parser *p;
	struct str source;
	size_t pos;                       /* behind the current lexeme */
	struct place at;                  /* of source's first byte */
	unsigned depth;
	/* the current lexeme */
	enum lex_kind kind;
	struct str text;                  /* STRING: without its quotes */
	enum compare_op op;
	size_t start, last_end;           /* of it; end of the one before */
};

void lex_init(struct lexer *x, struct parser *p, struct str source, struct place at);
void liquid_lex_next(struct lexer *x);
bool lex_is(const struct lexer *x, const char *word);             /* the current lexeme is this name */
struct place lex_place(const struct lexer *x);
GH_RC lex_expected(struct lexer *x, const char *what);            /* the error "expected WHAT, found …" */
GH_RC lex_want_end(struct lexer *x);
GH_RC expr_parse(struct lexer *x, const struct expr **out);
GH_RC filtered_parse(struct lexer *x, struct filtered *out);
GH_RC condition_parse(struct lexer *x, const struct condition **out);

/* ---- markup.c ------------------------------------------------------------------------------------------------------ */

enum markup_state {
	MARKUP_TEXT, MARKUP_LESS, MARKUP_TAG_NAME, MARKUP_IN_TAG, MARKUP_ATTR_NAME, MARKUP_AFTER_NAME, MARKUP_EQUALS,
	MARKUP_VALUE_DOUBLE, MARKUP_VALUE_SINGLE, MARKUP_VALUE_BARE, MARKUP_DECLARATION, MARKUP_COMMENT, MARKUP_RAW_TEXT
};
enum attr_kind { ATTR_PLAIN, ATTR_ADDRESS, ATTR_FORBIDDEN };

struct markup {
	enum markup_state state;
	enum attr_kind attr;
	bool closing;                     /* in </name */
	bool value_begun;                 /* something stands in the attribute's value already */
	char name[20];                    /* tag or attribute being read, lower case, cut */
	char tag[20];                     /* the open tag */
	unsigned name_n, dashes;
};

void markup_feed(struct markup *m, struct str text);
bool markup_same(const struct markup *a, const struct markup *b);
const char *markup_describe(const struct markup *m);              /* "inside a tag", for messages */

/* ---- nodes --------------------------------------------------------------------------------------------------------- */

struct run;
struct node {
	GH_RC (*run)(struct run *r, const struct node *n);
	struct node *next;
	struct place at;
	bool blank;                       /* writes nothing but white space */
	bool is_text;
};

struct block {
	struct node *first, **tail;
	bool blank;
};

struct liquid_template {
	struct str name;
	struct liquid_options options;
	struct block body;
	const struct partial_name *partials;
};

struct partial_name {
	struct str name;
	const struct partial_name *next;
};

/* ---- parse.c ------------------------------------------------------------------------------------------------------- */

struct parser {
	struct arena *a;
	struct liquid_template *t;
	struct scanner *scan;
	struct gh_err *err;
	struct markup markup;
	unsigned depth;
	struct token end;                 /* the tag that ended the last block */
};

struct tag {
	const char *name;
	GH_RC (*parse)(struct parser *p, const struct token *t, struct block *into);
};
extern const struct tag liquid_tags[];    /* ends in a NULL name */

/* An error at a place: "name:line:column: message". */
GH_RC fail_at(struct gh_err *err, enum gh_code code, struct str name, struct place at, const char *fmt, ...)
	PRINTF_LIKE(5, 6);
#define FAIL_AT(p, where, ...) return fail_at((p)->err, GH_E_SYNTAX, (p)->t->name, (where), __VA_ARGS__)
static inline size_t text_room(const struct arena *a)
{
	return arena_left(a) < LIQUID_MAX_TEXT ? arena_left(a) : LIQUID_MAX_TEXT;
}

#define NO_MEMORY(e) FAIL((e), NOMEM, "out of memory in a template")

/* Parses up to one of the NULL-terminated tag names, which is left in p->end. */
GH_RC parse_block(struct parser *p, const struct token *opener, const char *const *ends, struct block *out);
GH_RC parse_output(struct parser *p, struct str source, struct place at, struct block *into);
void block_init(struct block *b);
void block_drop_text(struct block *b);                            /* of a blank block */
void *node_new(struct parser *p, size_t size, const struct token *t, GH_RC (*run)(struct run *, const struct node *));
void node_add(struct block *into, struct node *n);
GH_RC parse_liquid_lines(struct parser *p, const struct token *t, struct block *into);
/* Outputs of tags may stand in text and in ordinary quoted attributes only. */
GH_RC parse_place_ok(struct parser *p, const struct token *t);
GH_RC parse_loop_body(struct parser *p, const struct token *t, const char *const *ends, struct block *out);

GH_RC parse_assign(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_capture(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_counter(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_cycle(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_for(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_ifchanged(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_json_array(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_partial(struct parser *p, const struct token *t, struct block *into);
GH_RC parse_tablerow(struct parser *p, const struct token *t, struct block *into);
#define NODE_NEW(p, type, token, fn) ((type *)node_new((p), sizeof(type), (token), (fn)))

/* ---- render.c ------------------------------------------------------------------------------------------------------ */

struct forloop {
	size_t index, length;
	struct str name;
	const struct forloop *parent;
};
struct liquid_value forloop_value(struct forloop *f);
/* Runs fn with output going to a buffer of its own, whose bytes are then in the arena. */
GH_RC run_aside(struct run *r, const struct block *b, struct str *out);

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct var {
	struct str name;
	struct liquid_value value;
	struct var *next;
};

struct frame {                            /* names of a loop, a partial or the whole template */
	struct var *vars;
	struct frame *up;
	bool base;                        /* assign and capture write here */
	bool sealed;                      /* look-up does not go further up (render) */
};

struct run {
	const struct liquid_env *env;
	const struct liquid_template *t;
	struct arena *a;
	struct buf *out;
	struct gh_err *err;
	struct frame *frame;
	struct var *counters, *cycles, *offsets, *changes;
	struct forloop *loop;
	enum flow flow;
	unsigned depth;
	uint64_t steps;
};

#define FAIL_RUN(r, where, ...) return fail_at((r)->err, GH_E_INVALID, (r)->t->name, (where), __VA_ARGS__)

GH_RC run_block(struct run *r, const struct block *b);
GH_RC run_step(struct run *r, struct place at);                   /* counts; LIMIT when there were too many */
GH_RC eval_expr(struct run *r, const struct expr *e, struct liquid_value *out);
GH_RC eval_filtered(struct run *r, const struct filtered *f, struct liquid_value *out);
GH_RC eval_condition(struct run *r, const struct condition *c, bool *out);
GH_RC compare(struct run *r, struct liquid_value a, enum compare_op op, struct liquid_value b, struct place at, bool *out);
GH_RC var_set(struct run *r, struct var **list, struct str name, struct liquid_value v);
struct var *var_find(struct var *list, struct str name);
GH_RC write_value(struct run *r, struct liquid_value v, bool escape);
GH_RC assign_name(struct run *r, struct str name, struct liquid_value v);

/* ---- value.c ------------------------------------------------------------------------------------------------------- */

struct liquid_list {
	struct arena *a;
	struct liquid_value *v;
	size_t n, cap;
	bool failed;
};

struct liquid_record {
	struct arena *a;
	struct {
		struct str name;
		struct liquid_value value;
	} *v;
	size_t n, cap;
	bool failed;
};

/* A list-like value read by index; objects with members give [name, value] pairs. */
struct seq {
	struct liquid_value of;
	size_t n;
	struct arena *a;
};

bool value_truthy(struct liquid_value v);
bool value_is_text(struct liquid_value v);                        /* TEXT or MARKUP */
bool value_failed(struct liquid_value v);                         /* a record or list that ran out of memory */
bool value_is_empty(struct liquid_value v);                       /* "", [], {} */
bool value_equal(struct liquid_value a, struct liquid_value b);
bool value_member(struct liquid_value v, struct str name, struct arena *a, struct liquid_value *out);
bool value_index(struct liquid_value v, int64_t i, struct arena *a, struct liquid_value *out);
bool value_seq(struct liquid_value v, struct arena *a, struct seq *out);  /* false when v is not list-like */
struct liquid_value seq_at(const struct seq *s, size_t i);
/* Text for people; false when out of memory. The bytes are borrowed or in the arena. */
bool liquid_value_text(struct arena *a, enum liquid_dialect d, struct liquid_value v, struct str *out);
struct liquid_value value_number(struct liquid_value v);          /* INT or FLOAT; 0 for what is no number */
bool value_parse_number(struct str s, struct liquid_value *out);  /* the whole text is a number */
int64_t liquid_value_int(struct liquid_value v);
double value_float(struct liquid_value v);
struct str float_text(struct arena *a, enum liquid_dialect d, double v);
struct liquid_value liquid_from_json(struct json_t *j);

/* ---- filters ------------------------------------------------------------------------------------------------------- */

struct args {
	struct liquid_value v[LIQUID_MAX_ARGS];
	unsigned n;
	struct liquid_value named;
	bool has_named;
	struct place at;
};

typedef GH_RC filter_fn(struct run *r, struct liquid_value in, const struct args *args, struct liquid_value *out);

enum { FILTER_STANDARD = 1, FILTER_DOTLIQUID = 2, FILTER_HTML = 4, FILTER_LANG = 8 };

struct filter {
	const char *name;                 /* snake case; Pascal case is made of it */
	filter_fn *fn;
	unsigned char min, max;           /* arguments */
	unsigned char where;              /* FILTER_* */
	const char *named;                /* the named argument it knows, or NULL */
};

extern const struct filter filters_text[], filters_list[], filters_math[], filters_misc[], filters_lang[];
const struct filter *filter_find(const struct liquid_options *o, struct str name);
const char *filter_suggest(const struct liquid_options *o, struct str name, char out[64]);
/* Text of the input or an argument; NOMEM otherwise. */
GH_RC arg_text(struct run *r, struct liquid_value v, struct str *out);
GH_RC arg_int(struct run *r, const struct args *args, unsigned i, int64_t *out);  /* INVALID when it is no whole number */
GH_RC join_texts(struct run *r, struct liquid_value first, struct liquid_value second, struct liquid_value *out);
GH_RC filter_date(struct run *r, struct liquid_value in, const struct args *args, struct liquid_value *out);
struct str date_text(struct arena *a, int64_t unix_s, struct str format); /* strftime's directives, UTC */
bool date_parse(struct str s, int64_t *unix_s);
