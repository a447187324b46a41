/* liquid.h - the template language Liquid: pages, mails and `set-body template="liquid"`.
 *
 * A template is parsed once into an immutable tree in an arena and may then be rendered by any number of threads at once.
 * Rendering writes into a bounded buffer and allocates from the arena of the rendering; neither touches the template.
 *
 *     TRY(liquid_parse(arena, STR("page.html"), source, &(struct liquid_options){ .html = true }, &t, err));
 *     TRY(liquid_render(t, &(struct liquid_env){ .globals = liquid_of_record(data) }, arena, &out, err));
 *
 * Errors name template, line and column: "page.html:3:14: unknown filter 'upcse' (did you mean 'upcase'?)".
 *
 * Two dialects. LIQUID_STANDARD follows the documented behaviour of Shopify's Liquid. LIQUID_DOTLIQUID is what the policy
 * set-body speaks: filter names in Pascal case (Upcase, DividedBy), dates with .NET formats through a hook, .NET's text
 * form of numbers, and the tag JSONArrayFor, a loop that puts the commas of a JSON array.
 *
 * In html mode everything that {{ }} writes is escaped for the place where it stands, which the parser knows because it
 * follows the markup around it:
 *   - text and ordinary attributes: & < > " ' are escaped; attribute values must be quoted;
 *   - attributes that hold an address (href, src, action …): the output must end in `| url` (a whole address: relative,
 *     http, https or mailto; anything else becomes "#") or, behind the start of the value, in `| url_encode`;
 *   - inside script, style, on… and style attributes, tag names and comments: not allowed at all;
 *   - markup made by our own code (struct liquid_markup) needs a name that ends in _html and `| raw`; everything else
 *     under `raw` is an error. Text from outside cannot become markup by accident.
 * A branch must leave the markup where the other branches leave it (no half tags), as nothing else can be escaped rightly.
 */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

struct json_t;                           /* jansson */
struct lang;                             /* core/lang.h */

/* ---- values -------------------------------------------------------------------------------------------------------- */

enum liquid_kind {
	LIQUID_NIL,
	LIQUID_BOOL,
	LIQUID_INT,
	LIQUID_FLOAT,
	LIQUID_TEXT,
	LIQUID_MARKUP,                   /* trusted HTML, see struct liquid_markup */
	LIQUID_LIST,
	LIQUID_RECORD,
	LIQUID_JSON,                     /* a jansson object or array, borrowed; scalars are turned into the kinds above */
	LIQUID_OBJECT,                   /* answered by callbacks */
	LIQUID_RANGE,                    /* (1..3); made by templates only, as are the next two */
	LIQUID_EMPTY,
	LIQUID_BLANK,
};

struct liquid_value {
	enum liquid_kind kind;
	union {
		bool b;
		int64_t i;
		double d;
		struct str text;                         /* TEXT, MARKUP; borrowed */
		const struct liquid_list *list;
		const struct liquid_record *record;
		struct json_t *json;
		struct {
			const struct liquid_class *cls;
			void *self;
		} object;
		struct {
			int64_t from, to;
		} range;
	};
};

/* Markup that our own code has made and vouches for. Only renderers of safe markup build one. */
struct liquid_markup {
	struct str safe;
};

/* An object of the host, answered member by member when a template asks. Callbacks that are NULL answer "nothing". */
struct liquid_class {
	const char *name;                                /* for messages */
	/* The member `name` in *out; false when there is none. Memory for the answer comes from `a`. */
	bool (*get)(void *self, struct str name, struct arena *a, struct liquid_value *out);
	/* As a list: for loops, size, first, last, indexes. */
	size_t (*size)(void *self);
	bool (*at)(void *self, size_t i, struct arena *a, struct liquid_value *out);
	/* Its text when printed or compared; STR_NULL when out of memory. */
	struct str (*text)(void *self, struct arena *a);
};

#define LIQUID_NIL_VALUE ((struct liquid_value){ .kind = LIQUID_NIL })
struct liquid_value liquid_of_bool(bool b);
struct liquid_value liquid_of_int(int64_t i);
struct liquid_value liquid_of_float(double d);
struct liquid_value liquid_of_text(struct str s);        /* borrowed; STR_NULL gives nil */
struct liquid_value liquid_of_markup(struct liquid_markup m);
struct liquid_value liquid_of_json(struct json_t *j);    /* borrowed; NULL gives nil */
struct liquid_value liquid_of_list(const struct liquid_list *l);         /* NULL gives nil, here and below */
struct liquid_value liquid_of_record(const struct liquid_record *r);
struct liquid_value liquid_of_object(const struct liquid_class *cls, void *self);

/* Lists and records are filled by the host and then only read. Everything is borrowed, names too. Running out of memory
 * is remembered in them; rendering then fails with NOMEM, so that building data needs no check a line. */
struct liquid_list *liquid_list_new(struct arena *a);
void liquid_push(struct liquid_list *l, struct liquid_value v);
struct liquid_record *liquid_record_new(struct arena *a);
void liquid_set(struct liquid_record *r, const char *name, struct liquid_value v);       /* replaces */
void liquid_set_text(struct liquid_record *r, const char *name, struct str s);
void liquid_set_int(struct liquid_record *r, const char *name, int64_t i);
void liquid_set_bool(struct liquid_record *r, const char *name, bool b);
struct liquid_record *liquid_push_record(struct liquid_list *l);         /* a new record at the end; never NULL */
struct liquid_record *liquid_set_record(struct liquid_record *r, const char *name);      /* a new record; never NULL */
struct liquid_list *liquid_set_list(struct liquid_record *r, const char *name);          /* a new list; never NULL */
/* The record that stands under the name, to be filled further; a failed one that takes nothing when there is none. */
struct liquid_record *liquid_record_of(struct liquid_record *r, const char *name);

/* The text that {{ v }} prints, without escaping. STR_NULL when out of memory. */
struct str liquid_to_text(struct arena *a, struct liquid_value v);

/* ---- templates ----------------------------------------------------------------------------------------------------- */

enum liquid_dialect { LIQUID_STANDARD, LIQUID_DOTLIQUID };

struct liquid_options {
	enum liquid_dialect dialect;
	bool html;                       /* escape, see above; else output is plain text */
	bool texts;                      /* offers `t`, `t_part` and `number`; rendering then needs a language */
	bool strict_names;               /* printing or looping over a name that does not exist is an error at rendering */
	size_t max_source_bytes;         /* 0: 1 MiB */
	int line, column;                /* where the source starts in its file, for messages; 0 is 1 */
};

struct liquid_template;

/* Parses. The template and everything in it lives in `a`; `source` is copied. SYNTAX with place and mending hint, LIMIT
 * when the source or its nesting is too large. */
GH_RC liquid_parse(struct arena *a, struct str name, struct str source, const struct liquid_options *options,
		   const struct liquid_template **out, struct gh_err *err);

/* Calls `fn` for each template that this one includes or renders by a fixed name: for checks at start. */
void liquid_each_partial(const struct liquid_template *t, void (*fn)(void *ctx, struct str name), void *ctx);

struct liquid_env {
	struct liquid_value globals;                     /* a record, JSON object or object: where names are looked up */
	/* A template by name for include and render; NULL when there is none. It must have been parsed with the same mode. */
	const struct liquid_template *(*load)(void *ctx, struct str name);
	void *load_ctx;
	/* DotLiquid's Date: formats an instant or the text of one by a .NET format string. False: print the input as it is. */
	bool (*date)(void *ctx, struct arena *a, struct liquid_value in, struct str format, struct str *out);
	void *date_ctx;
	const struct lang *lang;                         /* of `t`: {{ 'Hello {1}' | t: name }}, {{ 'Read |this' | t_part: 2 }} */
	int64_t now_us;                                  /* for 'now'; 0 is the wall clock */
	uint64_t max_steps;                              /* nodes rendered, turns of loops included; 0: 1,000,000 */
};

/* Renders to the end of `out`. On failure `out` holds an unusable beginning. LIMIT when out's maximum or max_steps is
 * reached, NOMEM when the arena is full, INVALID when the template asks for something impossible. */
GH_RC liquid_render(const struct liquid_template *t, const struct liquid_env *env, struct arena *a, struct buf *out,
		    struct gh_err *err);

/* Escapes for HTML text and quoted attributes: for code that makes markup. */
void liquid_escape_html(struct buf *out, struct str s);
