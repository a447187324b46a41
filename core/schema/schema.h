/* schema.h - what the files of core/schema share. Not for others; the public face is core/jsonschema.h.
 *
 *   document(s) --resources.c--> resources: what an absolute URI names, with its anchors
 *   schema      --compile.c----> nodes: one per schema object, each a row of rules in the order of the keyword table
 *   value       --validate.c---> rules run; applicators call check_node on sub-values or on the same value
 *
 * A node is made once per schema object, so a cycle of references is a cycle of nodes. */
#pragma once

#include "core/arena.h"
#include "core/jsonschema.h"
#include "core/map.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct node;
struct resource;
struct check;
struct compiler;

/* ---- resources -------------------------------------------------------------------------------------------------------- */

struct anchor_entry {
	json_t *schema;
	struct str pointer;
	bool dynamic;
	struct node *node;               /* of dynamic anchors, once compiled */
	struct anchor_entry *next;       /* all of one resource */
};

struct resource {
	struct str uri;                  /* absolute, without fragment; "" for a document without a base */
	json_t *root;
	struct str pointer;              /* of root in its document */
	struct map anchors;              /* name -> struct anchor_entry */
	struct anchor_entry *first_anchor;
	enum jsonschema_dialect dialect;
	bool scanned, recursive_anchor;
	struct node *recursive_node;
	struct resource *next;
};

struct place {                           /* a schema and where it stands */
	json_t *schema;
	struct resource *resource;
	struct str pointer;
};

/* Absolute form of a reference (RFC 3986 section 5.2). .p NULL: out of memory. */
struct str uri_join(struct arena *a, struct str base, struct str ref);

struct resource *resource_add(struct compiler *c, struct str uri, json_t *root, struct str pointer,
			      enum jsonschema_dialect dialect);
/* The resource that a schema object stands in: a new one when it has an $id. NULL: out of memory. */
struct resource *resource_of(struct compiler *c, json_t *schema, struct resource *outer, struct str pointer);
/* Registers the ids and anchors of all schemas below a resource's root. */
void resource_scan(struct compiler *c, struct resource *r);
/* Where a reference leads. */
GH_RC resolve_ref(struct compiler *c, struct str ref, struct resource *base, struct place *out, struct gh_err *err);

/* ---- compiled form ------------------------------------------------------------------------------------------------------- */

enum shape {                             /* what subschemas a keyword holds, for scanning */
	SHAPE_NONE, SHAPE_SCHEMA, SHAPE_LIST, SHAPE_MAP, SHAPE_SCHEMA_OR_LIST,
};

enum applies_to { TO_ANY, TO_OBJECT, TO_ARRAY, TO_STRING, TO_NUMBER };

struct rule {
	const struct keyword *keyword;
	json_t *value;                   /* of the keyword; borrowed from the document */
	void *data;                      /* what compile made of it */
};

struct keyword {
	const char *name;
	unsigned dialects;               /* bits 1 << enum jsonschema_dialect */
	enum shape shape;
	enum applies_to to;
	/* NULL: no preparation. *keep false: leave the rule out. */
	GH_RC (*compile)(struct compiler *c, struct node *n, json_t *value, void **data, bool *keep, struct gh_err *err);
	/* True when the value is valid. NULL: the keyword only matters to scanning or to its neighbours. */
	bool (*check)(struct check *k, const struct node *n, const struct rule *r, const json_t *value);
};

extern const struct keyword schema_keywords[];           /* in the order in which rules run; ends with name NULL */

struct node {
	json_t *schema;                  /* object, or true/false */
	struct str pointer;
	struct resource *resource;
	enum jsonschema_dialect dialect;
	bool always, never;              /* boolean schemas */
	struct rule *rules;
	size_t n_rules;
	struct node *next_pending;
};

struct pattern {
	pcre2_code *code;
	struct str text;
};

struct named_node {
	struct str name;
	struct node *node;
	struct pattern *pattern;         /* patternProperties only */
};

struct node_list {
	struct named_node *v;
	size_t n;
};

struct jsonschema {
	struct arena *arena;
	json_t *document;
	struct jsonschema_options options;
	struct node *root;
	struct resource *resources;
	pcre2_match_context *match;
	bool tracks;                     /* some schema asks what has been evaluated */
};

struct compiler {
	struct jsonschema *s;
	struct arena *a;
	struct map nodes;                /* address of the schema as text -> struct node */
	struct map by_uri;
	struct map patterns;             /* text -> struct pattern */
	struct node *pending;
	bool failed;                     /* out of memory */
	bool dynamic;                    /* a $dynamicRef or $recursiveRef was seen */
	bool components_scanned;
};

#define SCHEMA_MEMORY_MAX ((size_t)512 << 20)

/* The node of a schema, compiled now or later. NULL: out of memory or no schema (err says). */
GH_RC node_of(struct compiler *c, const struct place *at, struct node **out, struct gh_err *err);
/* The node of a subschema at pointer + "/" + step1 [+ "/" + step2]. */
GH_RC sub_node(struct compiler *c, const struct node *n, json_t *schema, const char *step1, struct str step2,
	       struct node **out, struct gh_err *err);
GH_RC pattern_of(struct compiler *c, const struct node *n, struct str text, struct pattern **out, struct gh_err *err);
enum jsonschema_dialect dialect_of(const json_t *schema, enum jsonschema_dialect otherwise);

/* ---- checking -------------------------------------------------------------------------------------------------------------- */

struct seen {                            /* what of one object or array has been evaluated (2020-12 core section 11) */
	const char **names;              /* addresses of the object's own names */
	size_t n, cap;
	bool all_names, described;       /* described: some schema spoke of properties */
	size_t items;                    /* the first so many */
	bool all_items;
	uint8_t *more_items;             /* one byte an item, from `contains`; NULL until needed */
	size_t n_more;
};

struct frame {                           /* a step of the way to the value at hand */
	const struct frame *up;
	const char *name;                /* NULL: index */
	size_t index;
};

struct scope {                           /* resources entered on the way, innermost first */
	const struct scope *outer;
	const struct resource *resource;
};

struct check {
	const struct jsonschema *s;
	struct arena *out;               /* where errors live */
	struct arena *scratch;
	struct jsonschema_result *result;
	size_t max_errors;
	unsigned quiet, depth;
	uint64_t steps;
	const struct frame *at;
	const struct scope *scope;
	struct seen *seen;               /* of the value at hand; NULL: nobody asks */
	bool no_memory;
};

/* Runs a node on the same value. */
bool check_node(struct check *k, const struct node *n, const json_t *value);
/* Runs a node on a member of the value at hand; name NULL: an item. */
bool check_member(struct check *k, const struct node *n, const json_t *value, const char *name, size_t index);
/* Runs a node without reporting; what it evaluated counts only when it is valid. */
bool check_quietly(struct check *k, const struct node *n, const json_t *value);
/* Records an error and returns false. */
bool wrong(struct check *k, const struct node *n, const struct rule *r, const char *fmt, ...) PRINTF_LIKE(4, 5);
bool wrong_at(struct check *k, const struct node *n, const struct rule *r, const char *name, const char *fmt, ...)
	PRINTF_LIKE(5, 6);
bool give_up(struct check *k);           /* returns false */
bool spend(struct check *k, size_t steps);               /* false: the limit is reached */
bool pattern_matches(struct check *k, const struct pattern *p, struct str text);
/* Is there a property of that name, as the options compare names? */
bool has_member(const struct check *k, const json_t *obj, struct str name);

void seen_name(struct check *k, const json_t *obj, const char *name);    /* name must be an address inside obj */
bool seen_has(const struct seen *s, const char *name);
void seen_sort(struct seen *s);

/* ---- values --------------------------------------------------------------------------------------------------------------- */

bool values_equal(const json_t *a, const json_t *b);     /* 1 equals 1.0 */
uint64_t schema_value_hash(const json_t *v);
int numbers_compare(const json_t *a, const json_t *b);
bool is_integer(const json_t *v, enum jsonschema_dialect d);
const char *net_type_name(const json_t *v);              /* "String", as .NET's messages say */
size_t schema_text_length(struct str s);                        /* code points */
struct str value_brief(struct arena *a, const json_t *v);
