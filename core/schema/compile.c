/* compile.c - schema objects to nodes.
 *
 * Nodes that are needed are queued, not compiled on the spot: descriptions chain thousands of schemas through references,
 * and a recursion along them would be as deep as the chain. */
#include "core/schema/schema.h"

#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- nodes ---------------------------------------------------------------------------------------------------------------- */

/* true and false are one object each in jansson, so for them the place counts. */
static struct str key_of(struct arena *a, const struct place *at, const struct resource *r)
{
	struct str where = json_is_boolean(at->schema) ? at->pointer : STR("");

	return arena_printf(a, "%p %p %.*s", (const void *)at->schema, (const void *)r, STR_ARG(where));
}

GH_RC node_of(struct compiler *c, const struct place *at, struct node **out, struct gh_err *err)
{
	struct resource *r = at->resource;
	struct str key;
	struct node *n;

	if (!json_is_object(at->schema) && !json_is_boolean(at->schema))
		FAIL(err, INVALID, "#%.*s: a schema is an object%s, not %s", STR_ARG(str_first(at->pointer, 200)),
		     r->dialect == JSONSCHEMA_DRAFT_4 ? "" : ", true or false", jsn_type_name(at->schema));
	if (json_is_object(at->schema))
		r = resource_of(c, at->schema, r, at->pointer);
	key = key_of(c->a, at, r);
	if (!r || !key.p)
		FAIL(err, NOMEM, "schema");
	n = map_get(&c->nodes, key);
	if (!n) {
		n = arena_new_of(c->a, struct node);
		if (!n || !map_put(&c->nodes, key, n))
			FAIL(err, NOMEM, "schema");
		n->schema = at->schema;
		n->pointer = at->pointer;
		n->resource = r;
		n->dialect = r->dialect;
		n->always = json_is_true(at->schema);
		n->never = json_is_false(at->schema);
		n->next_pending = c->pending;
		c->pending = n;
	}
	*out = n;
	return GH_RC_OK;
}

GH_RC sub_node(struct compiler *c, const struct node *n, json_t *schema, const char *step1, struct str step2,
	       struct node **out, struct gh_err *err)
{
	struct place at = { schema, n->resource, STR_NULL };
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_str(&b, n->pointer);
	jsn_pointer_add(&b, str_of(step1));
	if (step2.p)
		jsn_pointer_add(&b, step2);
	at.pointer = buf_ok(&b) ? arena_dup(c->a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	if (!at.pointer.p)
		FAIL(err, NOMEM, "schema");
	return node_of(c, &at, out, err);
}

/* ---- patterns: ECMA-262 on PCRE2 ---------------------------------------------------------------------------------------- */

#define MATCH_LIMIT 200000u
#define MATCH_HEAP_KB 1024u
#define PATTERN_MAX_BYTES 16384u

/* ECMA-262 knows general categories by their long names, PCRE2 by the short ones. */
static const struct {
	const char *name, *pcre;
} categories[] = {
	{ "Letter", "L" }, { "Uppercase_Letter", "Lu" }, { "Lowercase_Letter", "Ll" }, { "Titlecase_Letter", "Lt" },
	{ "Modifier_Letter", "Lm" }, { "Other_Letter", "Lo" }, { "Cased_Letter", "L&" }, { "Mark", "M" },
	{ "Nonspacing_Mark", "Mn" }, { "Spacing_Mark", "Mc" }, { "Enclosing_Mark", "Me" }, { "Number", "N" },
	{ "Decimal_Number", "Nd" }, { "digit", "Nd" }, { "Letter_Number", "Nl" }, { "Other_Number", "No" },
	{ "Punctuation", "P" }, { "punct", "P" }, { "Dash_Punctuation", "Pd" }, { "Symbol", "S" }, { "Math_Symbol", "Sm" },
	{ "Currency_Symbol", "Sc" }, { "Separator", "Z" }, { "Space_Separator", "Zs" }, { "Other", "C" }, { "Control", "Cc" },
};

static struct str category_of(struct str name)
{
	if (str_starts(name, STR("General_Category=")) || str_starts(name, STR("gc=")))
		name = str_from(name, str_find_char(name, '=') + 1);
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (str_eq(name, str_of(categories[i].name)))
			return str_of(categories[i].pcre);
	return name;
}

/* Java's names of ASCII classes, which many published descriptions use. */
static bool put_posix(struct buf *b, struct str name, bool negated, bool in_class)
{
	static const char *const names[] = { "Alnum", "Alpha", "Blank", "Cntrl", "Digit", "Graph", "Lower", "Print", "Punct",
					     "Space", "Upper", "XDigit" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq(name, str_of(names[i])))
			continue;
		buf_cstr(b, in_class ? negated ? "[:^" : "[:" : negated ? "[[:^" : "[[:");
		for (size_t k = 0; k < name.n; k++)
			buf_char(b, ascii_lower(name.p[k]));
		buf_cstr(b, in_class ? ":]" : ":]]");
		return true;
	}
	return false;
}

static bool four_digits(struct str s, uint32_t *out)
{
	*out = 0;
	if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
		return false;
	for (size_t i = 2; i < 6; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
		*out = *out << 4 | (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return true;
}

/* One escape of ECMA-262 in PCRE2's words. Returns how many bytes of the pattern it took. */
static size_t translate_escape(struct buf *b, struct str rest, bool in_class)
{
	size_t end = str_starts(rest, STR("\\p{")) || str_starts(rest, STR("\\P{")) ? str_find_char(rest, '}') : SIZE_MAX;
	uint32_t high, low;

	if (end != SIZE_MAX && put_posix(b, (struct str){ rest.p + 3, end - 3 }, rest.p[1] == 'P', in_class))
		return end + 1;
	if (end != SIZE_MAX) {
		buf_str(b, str_first(rest, 3));
		buf_str(b, category_of((struct str){ rest.p + 3, end - 3 }));
		buf_char(b, '}');
		return end + 1;
	}
	if (four_digits(rest, &high) && high >= 0xd800 && high < 0xdc00 && four_digits(str_from(rest, 6), &low) && low >= 0xdc00 &&
	    low < 0xe000) {
		buf_fmt(b, "\\u{%x}", 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
		return 12;
	}
	buf_str(b, str_first(rest, 2));
	/* after a class such as \w a hyphen cannot begin a range; PCRE2 wants that said */
	if (in_class && rest.n > 3 && strchr("wWdDsS", rest.p[1]) && rest.p[2] == '-' && rest.p[3] != ']') {
		buf_cstr(b, "\\-");
		return 3;
	}
	return rest.n < 2 ? rest.n : 2;
}

/* The pattern in PCRE2's words: long names of categories, surrogate pairs, hyphens behind \w. STR_NULL: out of memory, or
 * longer than PATTERN_MAX_BYTES. */
static struct str translate(struct arena *a, struct str text)
{
	struct str out = STR_NULL;
	bool in_class = false;
	struct buf b;

	if (str_find_char(text, '\\') == SIZE_MAX)
		return text;
	buf_init(&b, PATTERN_MAX_BYTES);
	for (size_t i = 0; i < text.n;) {
		struct str rest = str_from(text, i);

		if (rest.p[0] == '\\') {
			i += translate_escape(&b, rest, in_class);
			continue;
		}
		if (rest.p[0] == '[')
			in_class = true;
		else if (rest.p[0] == ']')
			in_class = false;
		buf_char(&b, rest.p[0]);
		i++;
	}
	if (buf_ok(&b))
		out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static void free_code(void *code)
{
	pcre2_code_free(code);
}

GH_RC pattern_of(struct compiler *c, const struct node *n, struct str text, struct pattern **out, struct gh_err *err)
{
	pcre2_compile_context *cc;
	struct pattern *p = map_get(&c->patterns, text);
	struct str pcre = translate(c->a, text);
	PCRE2_SIZE at = 0;
	int code = 0;

	*out = p;
	if (p)
		return GH_RC_OK;
	p = arena_new_of(c->a, struct pattern);
	cc = pcre2_compile_context_create(NULL);
	if (!p || !cc || !pcre.p) {
		pcre2_compile_context_free(cc);
		FAIL(err, NOMEM, "pattern");
	}
	pcre2_set_compile_extra_options(cc, PCRE2_EXTRA_ALT_BSUX);
	pcre2_set_max_pattern_length(cc, PATTERN_MAX_BYTES);
	p->text = text;
	p->code = pcre2_compile((PCRE2_SPTR)pcre.p, pcre.n, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
				PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C, &code, &at, cc);
	pcre2_compile_context_free(cc);
	if (!p->code) {
		PCRE2_UCHAR message[160];

		pcre2_get_error_message(code, message, sizeof(message));
		FAIL(err, INVALID, "#%.*s: the pattern '%.*s' is not understood at character %zu: %s",
		     STR_ARG(str_first(n->pointer, 120)), STR_ARG(str_first(text, 100)), (size_t)at + 1, (const char *)message);
	}
	(void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);    /* without JIT it is slower, not wrong */
	if (!arena_defer(c->a, free_code, p->code)) {
		pcre2_code_free(p->code);
		FAIL(err, NOMEM, "pattern");
	}
	if (!map_put(&c->patterns, text, p))
		FAIL(err, NOMEM, "pattern");
	*out = p;
	return GH_RC_OK;
}

/* ---- compiling ------------------------------------------------------------------------------------------------------------ */

/* Up to draft 7 and in OpenAPI 3.0, "$ref" hides everything beside it. */
static bool ref_hides(const struct node *n)
{
	switch (n->dialect) {
	case JSONSCHEMA_DRAFT_4:
	case JSONSCHEMA_DRAFT_6:
	case JSONSCHEMA_DRAFT_7:
	case JSONSCHEMA_OPENAPI_3_0:
		return json_is_string(jsn_get(n->schema, "$ref"));
	default:
		return false;
	}
}

static GH_RC compile_node(struct compiler *c, struct node *n, struct gh_err *err)
{
	bool only_ref = ref_hides(n);
	size_t most = 0;

	if (!json_is_object(n->schema))
		return GH_RC_OK;
	for (const struct keyword *k = schema_keywords; k->name; k++)
		most += (k->dialects & 1u << n->dialect) && jsn_get(n->schema, k->name);
	n->rules = arena_alloc(c->a, most + 1, sizeof(*n->rules));
	if (!n->rules)
		FAIL(err, NOMEM, "schema");
	for (const struct keyword *k = schema_keywords; k->name; k++) {
		json_t *v = k->dialects & 1u << n->dialect ? jsn_get(n->schema, k->name) : NULL;
		bool keep = k->check != NULL;
		void *data = NULL;

		if (!v || (only_ref && strcmp(k->name, "$ref") != 0))
			continue;
		if (k->compile)
			TRY(k->compile(c, n, v, &data, &keep, err));
		if (keep)
			n->rules[n->n_rules++] = (struct rule){ k, v, data };
	}
	return GH_RC_OK;
}

static GH_RC drain(struct compiler *c, struct gh_err *err)
{
	while (c->pending) {
		struct node *n = c->pending;

		c->pending = n->next_pending;
		TRY(compile_node(c, n, err));
	}
	return GH_RC_OK;
}

/* Where a $dynamicRef ends is known only while validating, so every anchor it might end at must be compiled. */
static GH_RC compile_dynamic(struct compiler *c, struct gh_err *err)
{
	bool more = c->dynamic;

	while (more) {
		more = false;
		for (struct resource *r = c->s->resources; r; r = r->next) {
			resource_scan(c, r);
			if (r->recursive_anchor && !r->recursive_node) {
				TRY(node_of(c, &(struct place){ r->root, r, r->pointer }, &r->recursive_node, err));
				more = true;
			}
			for (struct anchor_entry *e = r->first_anchor; e; e = e->next) {
				if (!e->dynamic || e->node)
					continue;
				TRY(node_of(c, &(struct place){ e->schema, r, e->pointer }, &e->node, err));
				more = true;
			}
		}
		TRY(drain(c, err));
	}
	return GH_RC_OK;
}

static GH_RC compile_all(struct compiler *c, struct str pointer, struct gh_err *err)
{
	struct jsonschema *s = c->s;
	bool description = jsn_get(s->document, "openapi") || jsn_get(s->document, "swagger");
	enum jsonschema_dialect d = description ? s->options.dialect : dialect_of(s->document, s->options.dialect);
	struct resource *r = resource_add(c, arena_dup(c->a, s->options.base_uri), s->document, STR(""), d);
	struct str id = jsn_str(s->document, d == JSONSCHEMA_DRAFT_4 ? "id" : "$id"), absolute;
	struct place at;

	if (!r)
		FAIL(err, NOMEM, "schema");
	id = str_first(id, str_find_char(id, '#'));
	if (id.n > 0 && !description) {
		absolute = uri_join(c->a, r->uri, id);
		if (!absolute.p || !map_put(&c->by_uri, absolute, r))
			FAIL(err, NOMEM, "schema");
		r->uri = absolute;
	}
	at = (struct place){ s->document, r, STR("") };
	if (pointer.n > 0) {
		struct buf b;
		gh_rc rc;

		/* a fragment is percent-decoded on the way, a pointer is not */
		buf_init(&b, 1 << 16);
		buf_char(&b, '#');
		for (size_t i = 0; i < pointer.n; i++)
			buf_cstr(&b, pointer.p[i] == '%' ? "%25" : (char[]){ pointer.p[i], '\0' });
		rc = buf_ok(&b) ? resolve_ref(c, buf_view(&b), r, &at, err)
				: gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "schema");
		buf_release(&b);
		TRY(rc);
	}
	TRY(node_of(c, &at, &s->root, err));
	TRY(drain(c, err));
	TRY(compile_dynamic(c, err));
	if (c->failed)
		FAIL(err, NOMEM, "schema");
	return GH_RC_OK;
}

GH_RC jsonschema_new(struct jsonschema **out, json_t *document, struct str pointer,
		     const struct jsonschema_options *options, struct gh_err *err)
{
	struct jsonschema *s = calloc(1, sizeof(*s));
	struct compiler c = { .s = s };
	gh_rc rc;

	*out = NULL;
	if (!s)
		FAIL(err, NOMEM, "schema");
	s->arena = c.a = arena_new(SCHEMA_MEMORY_MAX);
	s->match = pcre2_match_context_create(NULL);
	s->document = json_incref(document);
	if (options)
		s->options = *options;
	s->tracks = s->options.closed;
	if (!s->arena || !s->match) {
		jsonschema_free(s);
		FAIL(err, NOMEM, "schema");
	}
	pcre2_set_match_limit(s->match, MATCH_LIMIT);
	pcre2_set_heap_limit(s->match, MATCH_HEAP_KB);
	map_init(&c.nodes, c.a, false);
	map_init(&c.by_uri, c.a, false);
	map_init(&c.patterns, c.a, false);
	rc = compile_all(&c, pointer, err);
	if (rc.code) {
		jsonschema_free(s);
		return rc;
	}
	*out = s;
	return GH_RC_OK;
}

void jsonschema_free(struct jsonschema *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	pcre2_match_context_free(s->match);
	json_decref(s->document);
	free(s);
}
