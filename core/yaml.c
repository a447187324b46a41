/* yaml.c - from libyaml's events to jansson values.
 *
 * Why events and not libyaml's document tree: the tree resolves nothing (every scalar is a text), copies what aliases
 * share, and keeps no count of what an alias bomb would expand to. With events each anchor remembers how many nodes stand
 * below it; an alias adds that number to the total, so ten lines that would expand to a billion nodes end at the cap while
 * memory stays as small as the text. The writer is in yaml_write.c. */
#include "core/yaml.h"

#include "core/str.h"

#include <math.h>
#include <stdlib.h>
#include <yaml.h>

struct anchor {
	char *name;
	json_t *value;           /* NULL while the value is still open: an alias to it would be a cycle */
	size_t nodes;
};

struct loader {
	yaml_parser_t parser;
	struct anchor *anchors;
	size_t n_anchors, cap_anchors;
	size_t nodes, max_nodes;
	unsigned max_depth;
	struct text_where *where;
	struct gh_err *err;
};

#define MAX_ANCHORS 100000u

#define YAML_FAIL(l, mark, kind, ...)                                                                           \
	do {                                                                                                    \
		*(l)->where = (struct text_where){ (unsigned)(mark).line + 1, (unsigned)(mark).column + 1 };    \
		FAIL((l)->err, kind, __VA_ARGS__);                                                              \
	} while (0)

static GH_RC next_event(struct loader *l, yaml_event_t *e)
{
	const yaml_parser_t *p = &l->parser;

	if (yaml_parser_parse(&l->parser, e))
		return GH_RC_OK;
	if (p->error == YAML_MEMORY_ERROR)
		FAIL(l->err, NOMEM, "YAML parser");
	if (p->error == YAML_READER_ERROR)
		YAML_FAIL(l, p->mark, SYNTAX, "%s at byte %zu", p->problem ? p->problem : "unreadable", p->problem_offset);
	YAML_FAIL(l, p->problem_mark, SYNTAX, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
		  p->problem ? p->problem : "malformed YAML");
}

/* ---- scalars of the core schema (YAML 1.2.2 section 10.3.2) ---------------------------------------------------------- */

static bool is_one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_eq(s, str_of(*words)))
			return true;
	return false;
}

static bool all_digits(struct str s, int base)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		int digit = ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;

		if (digit >= base)
			return false;
	}
	return true;
}

static json_t *based_integer(struct str digits, int base)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits.n; i++) {
		char c = ascii_lower(digits.p[i]);

		if (v > (uint64_t)INT64_MAX / 16)
			return NULL;
		v = v * (uint64_t)base + (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return json_integer((json_int_t)v);
}

/* [-+]? ( \.[0-9]+ | [0-9]+ (\.[0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool is_float(struct str s)
{
	size_t i = 0, whole, fraction = 0;

	if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
		i++;
	for (whole = i; i < s.n && ascii_is_digit(s.p[i]); i++)
		;
	whole = i - whole;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && ascii_is_digit(s.p[i]); i++)
			fraction++;
	if (whole + fraction == 0)
		return false;
	if (i < s.n && ascii_lower(s.p[i]) == 'e') {
		i++;
		if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
			i++;
		return all_digits(str_from(s, i), 10);
	}
	return i == s.n;
}

/* The value of a plain scalar that is no text; NULL when it is one. */
static json_t *resolve_number(struct str s)
{
	struct str digits = s.p[0] == '-' || s.p[0] == '+' ? str_from(s, 1) : s;
	char *text;
	double d;
	int64_t i;

	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'o' || s.p[1] == 'x')) {
		int base = s.p[1] == 'o' ? 8 : 16;

		return all_digits(str_from(s, 2), base) ? based_integer(str_from(s, 2), base) : NULL;
	}
	if (all_digits(digits, 10) &&
	    str_to_i64(s.p[0] == '+' ? digits : s, INT64_MIN, INT64_MAX, &i))
		return json_integer(i);
	if (s.n > 400 || !is_float(s))
		return NULL;
	text = strndup(s.p, s.n);
	if (!text)
		return NULL;
	d = strtod(text, NULL);
	free(text);
	return isfinite(d) ? json_real(d) : NULL;
}

static json_t *resolve_plain(struct str s)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", NULL };
	json_t *v = NULL;

	if (s.n <= 5) {
		if (is_one_of(s, nulls))
			return json_null();
		if (is_one_of(s, trues))
			return json_true();
		if (is_one_of(s, falses))
			return json_false();
	}
	if (s.n > 0 && (ascii_is_digit(s.p[0]) || s.p[0] == '-' || s.p[0] == '+' || s.p[0] == '.'))
		v = resolve_number(s);
	return v ? v : json_stringn_nocheck(s.p, s.n);
}

#define TAG "tag:yaml.org,2002:"

static GH_RC scalar_value(struct loader *l, const yaml_event_t *e, json_t **out)
{
	struct str s = { (const char *)e->data.scalar.value, e->data.scalar.length };
	struct str tag = str_of((const char *)e->data.scalar.tag);

	if (memchr(s.p, 0, s.n))
		YAML_FAIL(l, e->start_mark, SYNTAX, "a text holds the character U+0000");
	if (str_is_null(tag)) {
		*out = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? resolve_plain(s) : json_stringn_nocheck(s.p, s.n);
	} else if (str_eq(tag, STR("!")) || str_eq(tag, STR(TAG "str")) || str_eq(tag, STR(TAG "timestamp")) ||
		   str_eq(tag, STR(TAG "binary"))) {
		*out = json_stringn_nocheck(s.p, s.n);
	} else if (str_eq(tag, STR(TAG "int")) || str_eq(tag, STR(TAG "float")) || str_eq(tag, STR(TAG "bool")) ||
		   str_eq(tag, STR(TAG "null"))) {
		*out = resolve_plain(s);
		if (*out && json_is_string(*out)) {
			json_decref(*out);
			*out = NULL;
			YAML_FAIL(l, e->start_mark, SYNTAX, "'%.*s' is no %s", STR_ARG(str_first(s, 60)),
				  tag.p + sizeof(TAG) - 1);
		}
	} else {
		YAML_FAIL(l, e->start_mark, SYNTAX, "tag '%.*s' is not known; tags of the JSON schema are", STR_ARG(tag));
	}
	if (!*out)
		FAIL(l->err, NOMEM, "YAML scalar");
	return GH_RC_OK;
}

/* ---- anchors --------------------------------------------------------------------------------------------------------- */

static GH_RC open_anchor(struct loader *l, const yaml_char_t *name, size_t *index)
{
	*index = SIZE_MAX;
	if (!name)
		return GH_RC_OK;
	if (l->n_anchors == l->cap_anchors) {
		size_t cap = l->cap_anchors ? l->cap_anchors * 2 : 16;
		struct anchor *grown = cap <= MAX_ANCHORS * 2 ? realloc(l->anchors, cap * sizeof(*grown)) : NULL;

		if (!grown)
			FAIL(l->err, LIMIT, "too many anchors");
		l->anchors = grown;
		l->cap_anchors = cap;
	}
	l->anchors[l->n_anchors] = (struct anchor){ .name = strdup((const char *)name) };
	if (!l->anchors[l->n_anchors].name)
		FAIL(l->err, NOMEM, "YAML anchor");
	*index = l->n_anchors++;
	return GH_RC_OK;
}

static GH_RC alias_value(struct loader *l, const yaml_event_t *e, json_t **out)
{
	const char *name = (const char *)e->data.alias.anchor;

	/* the latest anchor of a name counts (YAML 1.2.2 section 7.1) */
	for (size_t i = l->n_anchors; i-- > 0;) {
		const struct anchor *an = &l->anchors[i];

		if (strcmp(an->name, name) != 0)
			continue;
		if (!an->value)
			YAML_FAIL(l, e->start_mark, SYNTAX, "alias '%s' stands inside the value it names", name);
		if (an->nodes > l->max_nodes - l->nodes)
			YAML_FAIL(l, e->start_mark, LIMIT, "aliases expand to more than %zu values", l->max_nodes);
		l->nodes += an->nodes;
		*out = json_incref(an->value);
		return GH_RC_OK;
	}
	YAML_FAIL(l, e->start_mark, SYNTAX, "alias '%s' names no anchor", name);
}

/* ---- collections ------------------------------------------------------------------------------------------------------ */

static GH_RC load_node(struct loader *l, yaml_event_t *e, unsigned depth, json_t **out);

/* Takes what `from` has and `into` lacks: the merge key. A list of mappings merges in turn. */
static GH_RC merge(struct loader *l, json_t *into, json_t *from, yaml_mark_t mark)
{
	size_t i;
	json_t *item;

	if (json_is_object(from)) {
		if (json_object_update_missing(into, from))
			FAIL(l->err, NOMEM, "YAML mapping");
		return GH_RC_OK;
	}
	if (!json_is_array(from))
		YAML_FAIL(l, mark, SYNTAX, "'<<' merges a mapping or a list of mappings");
	json_array_foreach(from, i, item) {
		if (!json_is_object(item) || json_object_update_missing(into, item))
			YAML_FAIL(l, mark, SYNTAX, "'<<' merges a mapping or a list of mappings");
	}
	return GH_RC_OK;
}

/* One name with its value. *merges collects the values of '<<' until the mapping's own names are all there. */
static GH_RC load_pair(struct loader *l, yaml_event_t *key, unsigned depth, json_t *obj, json_t **merges)
{
	struct str name = { (const char *)key->data.scalar.value, key->data.scalar.length };
	yaml_mark_t mark = key->start_mark;
	json_t *value = NULL;
	yaml_event_t e;
	gh_rc rc;

	if (key->type != YAML_SCALAR_EVENT)
		YAML_FAIL(l, mark, SYNTAX, "a name must be a single value, not a list, mapping or alias");
	if (memchr(name.p, 0, name.n))
		YAML_FAIL(l, mark, SYNTAX, "a name holds the character U+0000");
	TRY(next_event(l, &e));
	rc = load_node(l, &e, depth, &value);
	yaml_event_delete(&e);
	TRY(rc);
	if (str_eq(name, STR("<<")) && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		if (!*merges && !(*merges = json_array())) {
			json_decref(value);
			FAIL(l->err, NOMEM, "YAML mapping");
		}
		if (json_is_array(value) ? json_array_extend(*merges, value) : json_array_append(*merges, value)) {
			json_decref(value);
			FAIL(l->err, NOMEM, "YAML mapping");
		}
		json_decref(value);
		return GH_RC_OK;
	}
	if (json_object_get(obj, name.p)) {
		json_decref(value);
		YAML_FAIL(l, mark, SYNTAX, "the name '%.*s' stands twice in this mapping", STR_ARG(str_first(name, 100)));
	}
	if (json_object_set_new_nocheck(obj, name.p, value))
		FAIL(l->err, NOMEM, "YAML mapping");
	return GH_RC_OK;
}

static GH_RC load_mapping(struct loader *l, unsigned depth, json_t *obj)
{
	json_t *merges = NULL;
	yaml_mark_t mark = { 0, 0, 0 };
	gh_rc rc;

	for (;;) {
		yaml_event_t key;

		rc = next_event(l, &key);
		if (rc.code)
			break;
		if (key.type == YAML_MAPPING_END_EVENT) {
			mark = key.start_mark;
			yaml_event_delete(&key);
			break;
		}
		rc = load_pair(l, &key, depth, obj, &merges);
		yaml_event_delete(&key);
		if (rc.code)
			break;
	}
	if (!rc.code && merges)
		rc = merge(l, obj, merges, mark);
	json_decref(merges);
	return rc;
}

static GH_RC load_sequence(struct loader *l, unsigned depth, json_t *arr)
{
	for (;;) {
		json_t *item = NULL;
		yaml_event_t e;
		gh_rc rc;

		TRY(next_event(l, &e));
		if (e.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&e);
			return GH_RC_OK;
		}
		rc = load_node(l, &e, depth, &item);
		yaml_event_delete(&e);
		TRY(rc);
		if (json_array_append_new(arr, item))
			FAIL(l->err, NOMEM, "YAML list");
	}
}

static GH_RC load_collection(struct loader *l, const yaml_event_t *e, unsigned depth, json_t **out)
{
	bool mapping = e->type == YAML_MAPPING_START_EVENT;
	struct str tag = str_of((const char *)(mapping ? e->data.mapping_start.tag : e->data.sequence_start.tag));
	gh_rc rc;

	if (depth == 0)
		YAML_FAIL(l, e->start_mark, LIMIT, "values are nested more than %u levels deep", l->max_depth);
	if (!str_is_null(tag) && !str_eq(tag, STR("!")) && !str_eq(tag, mapping ? STR(TAG "map") : STR(TAG "seq")))
		YAML_FAIL(l, e->start_mark, SYNTAX, "tag '%.*s' is not known; tags of the JSON schema are", STR_ARG(tag));
	*out = mapping ? json_object() : json_array();
	if (!*out)
		FAIL(l->err, NOMEM, "YAML collection");
	rc = mapping ? load_mapping(l, depth - 1, *out) : load_sequence(l, depth - 1, *out);
	if (rc.code) {
		json_decref(*out);
		*out = NULL;
	}
	return rc;
}

/* The value that event `e` begins; the caller deletes `e`. */
static GH_RC load_node(struct loader *l, yaml_event_t *e, unsigned depth, json_t **out)
{
	size_t anchor, before = l->nodes;

	if (++l->nodes > l->max_nodes)
		YAML_FAIL(l, e->start_mark, LIMIT, "the document has more than %zu values", l->max_nodes);
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return alias_value(l, e, out);
	case YAML_SCALAR_EVENT:
		TRY(open_anchor(l, e->data.scalar.anchor, &anchor));
		TRY(scalar_value(l, e, out));
		break;
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		TRY(open_anchor(l, e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.anchor
								       : e->data.sequence_start.anchor, &anchor));
		TRY(load_collection(l, e, depth, out));
		break;
	default:
		YAML_FAIL(l, e->start_mark, SYNTAX, "a value is missing");
	}
	if (anchor != SIZE_MAX) {
		l->anchors[anchor].value = json_incref(*out);
		l->anchors[anchor].nodes = l->nodes - before;
	}
	return GH_RC_OK;
}

/* ---- one document ----------------------------------------------------------------------------------------------------- */

static GH_RC load_document(struct loader *l, json_t **out)
{
	bool inside = false, seen = false;

	for (;;) {
		yaml_event_type_t type;
		yaml_event_t e;
		gh_rc rc = GH_RC_OK;

		TRY(next_event(l, &e));
		type = e.type;
		if (type == YAML_DOCUMENT_START_EVENT) {
			inside = true;
			if (seen) {
				*l->where = (struct text_where){ (unsigned)e.start_mark.line + 1, 1 };
				rc = gh_err_set(l->err, GH_E_SYNTAX, __FILE__, __LINE__, "a second document begins here");
			}
		} else if (type == YAML_DOCUMENT_END_EVENT) {
			inside = false;
			seen = true;
		} else if (inside && type != YAML_STREAM_END_EVENT) {
			rc = load_node(l, &e, l->max_depth, out);
		}
		yaml_event_delete(&e);
		TRY(rc);
		if (type == YAML_STREAM_END_EVENT)
			break;
	}
	if (!*out)
		*out = json_null();
	return GH_RC_OK;
}

GH_RC yaml_parse(struct str text, const struct yaml_limits *limits, json_t **out, struct text_where *where,
		 struct gh_err *err)
{
	static const struct yaml_limits none;
	const struct yaml_limits *lim = limits ? limits : &none;
	size_t max_bytes = lim->max_bytes ? lim->max_bytes : JSN_MAX_BYTES;
	struct text_where at;
	struct loader l = {
		.max_nodes = lim->max_nodes ? lim->max_nodes : YAML_MAX_NODES,
		.max_depth = lim->max_depth ? lim->max_depth : YAML_MAX_DEPTH,
		.where = where ? where : &at,
		.err = err,
	};
	gh_rc rc;

	*out = NULL;
	*l.where = (struct text_where){ 0, 0 };
	if (text.n > max_bytes)
		FAIL(err, LIMIT, "the document has %zu bytes, more than the limit of %zu", text.n, max_bytes);
	if (!yaml_parser_initialize(&l.parser))
		FAIL(err, NOMEM, "YAML parser");
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	rc = load_document(&l, out);
	if (rc.code) {
		json_decref(*out);
		*out = NULL;
	}
	for (size_t i = 0; i < l.n_anchors; i++) {
		free(l.anchors[i].name);
		json_decref(l.anchors[i].value);
	}
	free(l.anchors);
	yaml_parser_delete(&l.parser);
	return rc;
}

static struct str skip_mark(struct str text)
{
	return str_starts(text, STR("\xef\xbb\xbf")) ? str_from(text, 3) : text;
}

GH_RC yaml_or_json_parse(struct str text, size_t max_bytes, json_t **out, struct text_where *where, struct gh_err *err)
{
	const struct jsn_limits json = { .max_bytes = max_bytes, .flags = JSN_BIG_INTEGERS | JSN_UNIQUE_KEYS };
	const struct yaml_limits yaml = { .max_bytes = max_bytes };
	struct text_where json_where, yaml_where;
	struct gh_err json_err;
	struct str rest;
	gh_rc rc;

	text = skip_mark(text);
	rest = str_trim(text);
	if (rest.n == 0 || (rest.p[0] != '{' && rest.p[0] != '['))
		return yaml_parse(text, &yaml, out, where, err);
	rc = jsn_parse(text, &json, out, &json_where, &json_err);
	/* flow YAML begins with a brace as well; what is neither is told as the JSON it looks like */
	if (rc.code == GH_E_SYNTAX && !yaml_parse(text, &yaml, out, &yaml_where, NULL).code)
		return GH_RC_OK;
	if (rc.code && err)
		*err = json_err;
	if (where)
		*where = json_where;
	return rc;
}

/* ---- places ----------------------------------------------------------------------------------------------------------- */

static bool skip_node(yaml_parser_t *p, yaml_event_t *e)
{
	unsigned open = 0;

	for (;;) {
		yaml_event_type_t type = e->type;

		yaml_event_delete(e);
		if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
			open++;
		else if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
			open--;
		if (open == 0)
			return true;
		if (!yaml_parser_parse(p, e))
			return false;
	}
}

/* Reads on until the member that `token` names begins; *e is then its first event, *mark where it (or its name) stands. */
static bool enter(yaml_parser_t *p, yaml_event_t *e, struct str token, yaml_mark_t *mark)
{
	bool mapping = e->type == YAML_MAPPING_START_EVENT;
	uint64_t index = 0, i = 0;

	if (!mapping && (e->type != YAML_SEQUENCE_START_EVENT || !str_to_u64(token, SIZE_MAX, &index)))
		return false;
	yaml_event_delete(e);
	for (;; i++) {
		bool hit;

		if (!yaml_parser_parse(p, e))
			return false;
		if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT)
			return false;
		*mark = e->start_mark;
		hit = mapping ? e->type == YAML_SCALAR_EVENT &&
					str_eq((struct str){ (char *)e->data.scalar.value, e->data.scalar.length }, token)
			      : i == index;
		if (mapping && (!skip_node(p, e) || !yaml_parser_parse(p, e)))
			return false;
		if (hit)
			return true;
		if (!skip_node(p, e))
			return false;
	}
}

struct text_where yaml_locate(struct str text, struct str pointer)
{
	struct text_where where = { 0, 0 };
	yaml_mark_t mark = { 0, 0, 0 };
	yaml_parser_t p;
	yaml_event_t e = { 0 };
	struct str token;
	char *copy = malloc(pointer.n + 1);
	bool found = false;

	if (!copy || !yaml_parser_initialize(&p)) {
		free(copy);
		return where;
	}
	text = skip_mark(text);
	yaml_parser_set_input_string(&p, (const unsigned char *)(text.p ? text.p : ""), text.n);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	do {
		yaml_event_delete(&e);
		found = yaml_parser_parse(&p, &e);
	} while (found && (e.type == YAML_STREAM_START_EVENT || e.type == YAML_DOCUMENT_START_EVENT));
	if (found)
		mark = e.start_mark;
	pointer = pointer.n > 0 && pointer.p[0] == '/' ? str_from(pointer, 1) : STR_NULL;
	while (found && str_split(&pointer, '/', &token)) {
		size_t n;

		if (token.n)
			memcpy(copy, token.p, token.n);
		n = jsn_pointer_unescape(copy, token.n, false);
		found = n != SIZE_MAX && enter(&p, &e, (struct str){ copy, n }, &mark);
	}
	if (found)
		where = (struct text_where){ (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
	yaml_event_delete(&e);
	yaml_parser_delete(&p);
	free(copy);
	return where;
}
