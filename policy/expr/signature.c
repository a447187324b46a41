/* signature.c - one row of a class table, "static bool TryParse(string s, out int result)", into a struct member.
 *
 * The text is ours, so this parser is plain: tokens into an array, method type parameters found by looking ahead to the
 * "<T>(" before the parameter list, then one pass. Whatever it does not understand is reported and found by a test. */
#include <stdlib.h>

#include "core/str.h"
#include "policy/expr/decimal.h"
#include "policy/expr/lex.h"
#include "policy/expr/link.h"
#include "policy/expr/text.h"

enum { TOKENS_MAX = 200 };

struct signature {
	struct arena *a;
	const struct value_class *cls;
	struct str text;
	struct token t[TOKENS_MAX];
	size_t n, at;
	struct str class_types[TYPE_ARGS_MAX], method_types[TYPE_ARGS_MAX];
	size_t n_class_types, n_method_types;
	const char *what;
};

static bool fail(struct signature *s, const char *what)
{
	if (!s->what)
		s->what = what;
	return false;
}

static struct str word(const struct signature *s, size_t i)
{
	return i < s->n ? (struct str){ s->text.p + s->t[i].at, s->t[i].n } : STR("");
}

static bool is(const struct signature *s, const char *w)
{
	return str_eq(word(s, s->at), str_of(w));
}

static bool accept(struct signature *s, const char *w)
{
	if (!is(s, w))
		return false;
	s->at++;
	return true;
}

static bool expect(struct signature *s, const char *w)
{
	return accept(s, w) || fail(s, w);
}

static bool begin(struct signature *s, struct arena *a, const struct value_class *cls, const char *text)
{
	struct lexer l = { .source = str_of(text) };

	*s = (struct signature){ .a = a, .cls = cls, .text = l.source };
	for (;;) {
		struct token t = lex_next(&l);

		if (t.kind == TOKEN_END)
			break;
		if (t.kind == TOKEN_BAD || s->n == TOKENS_MAX)
			return fail(s, "not C#");
		s->t[s->n++] = t;
	}
	if (cls && cls->parameters) {
		struct str rest = str_of(cls->parameters), part;

		while (str_split(&rest, ',', &part) && s->n_class_types < TYPE_ARGS_MAX)
			s->class_types[s->n_class_types++] = str_trim(part);
	}
	return true;
}

static const struct type *parse_type(struct signature *s);

static const struct type *parameter_type(struct signature *s, struct str name)
{
	struct type *t;
	size_t i;
	bool of_method = true;

	for (i = 0; i < s->n_method_types; i++)
		if (str_eq(name, s->method_types[i]))
			goto found;
	of_method = false;
	for (i = 0; i < s->n_class_types; i++)
		if (str_eq(name, s->class_types[i]))
			goto found;
	return NULL;
found:
	t = arena_new_of(s->a, struct type);
	if (t)
		*t = (struct type){ .kind = TYPE_PARAMETER, .index = (uint16_t)i, .of_method = of_method };
	return t;
}

static const struct type *named_type(struct signature *s)
{
	const struct type *args[TYPE_ARGS_MAX], *t;
	const struct value_class *cls;
	struct str name = word(s, s->at);
	size_t n = 0;

	if (str_eq(name, STR("void")) && s->at++ < SIZE_MAX)
		return &type_void;
	t = parameter_type(s, name);
	s->at++;
	if (t)
		return t;
	if (accept(s, "<")) {
		do {
			if (n == TYPE_ARGS_MAX || !(args[n++] = parse_type(s)))
				return NULL;
		} while (accept(s, ","));
		if (!expect(s, ">"))
			return NULL;
	}
	cls = class_find(name, n);
	if (!cls) {
		fail(s, arena_printf(s->a, "unknown type %.*s", STR_ARG(name)).p);
		return NULL;
	}
	if (n == 0 && cls->value_kind && type_of_kind(cls->value_kind))
		return type_of_kind(cls->value_kind);
	return n || cls != &class_object ? type_make(s->a, cls, args, n) : &type_object;
}

static const struct type *parse_type(struct signature *s)
{
	const struct type *t = named_type(s);

	while (t) {
		if (accept(s, "?[")) {
			t = type_array_of(s->a, type_make1(s->a, &class_nullable, t));
			if (!expect(s, "]"))
				return NULL;
		} else if (accept(s, "?")) {
			t = type_make1(s->a, &class_nullable, t);
		} else if (is(s, "[") && str_eq(word(s, s->at + 1), STR("]"))) {
			s->at += 2;
			t = type_array_of(s->a, t);
		} else {
			return t;
		}
	}
	return NULL;
}

/* Names in the "<…>" right before the "(" that opens the parameters. */
static void find_method_types(struct signature *s)
{
	size_t open = 0, depth = 0, from;

	for (; open < s->n; open++) {
		if (s->t[open].id == '<')
			depth++;
		else if (s->t[open].id == '>')
			depth--;
		else if (s->t[open].id == '(' && depth == 0 && s->t[open].kind == TOKEN_PUNCT)
			break;
	}
	if (open >= s->n || open == 0 || s->t[open - 1].id != '>' || s->t[open - 1].kind != TOKEN_PUNCT)
		return;
	for (from = open - 1; from > 0 && s->t[from].id != '<'; from--)
		;
	for (from++; from < open - 1 && s->n_method_types < TYPE_ARGS_MAX; from++)
		if (s->t[from].kind == TOKEN_NAME)
			s->method_types[s->n_method_types++] = word(s, from);
}

static bool number(struct str text, const struct type *t, bool negative, struct value *out)
{
	char copy[48];
	enum value_kind kind = t ? type_value_kind(type_bare(t)) : VALUE_INT;

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (kind == VALUE_FLOAT || kind == VALUE_DOUBLE) {
		double d = strtod(copy, NULL);

		*out = value_double(negative ? -d : d);
		out->kind = kind;
		return true;
	}
	if (kind < VALUE_SBYTE || kind > VALUE_ULONG)
		kind = VALUE_INT;
	*out = value_of(kind, (int64_t)((negative ? -1ull : 1ull) * strtoull(copy, NULL, 0)));
	return true;
}

static bool enum_literal(struct signature *s, struct value *out)
{
	const struct value_class *cls = class_find(word(s, s->at), 0);
	const struct class_link *link = cls && cls->kind == CLASS_ENUM ? class_link(cls) : NULL;

	s->at++;
	if (!link || !expect(s, "."))
		return fail(s, "a default value must be a literal or Enum.Member");
	for (size_t i = 0; i < link->n_rows; i++)
		if (str_eq(link->rows[i].name, word(s, s->at))) {
			s->at++;
			*out = value_object(&link->rows[i].object);
			return true;
		}
	return fail(s, "unknown enum member");
}

static bool literal(struct signature *s, const struct type *t, struct value *out)
{
	bool negative = accept(s, "-");
	struct token token = s->t[s->at];
	struct str text = word(s, s->at);
	const char *what;

	*out = VALUE_NULL_INIT;
	if (s->at >= s->n)
		return fail(s, "literal");
	if (token.kind == TOKEN_NAME)
		return enum_literal(s, out);
	s->at++;
	if (token.kind == TOKEN_NUMBER)
		return number(text, t, negative, out);
	if (token.kind == TOKEN_KEYWORD) {
		if (token.id == KW_true || token.id == KW_false)
			*out = value_bool(token.id == KW_true);
		return true;
	}
	if (token.kind != TOKEN_STRING && token.kind != TOKEN_CHAR)
		return fail(s, "literal");
	text = lex_unescape(s->a, (struct str){ text.p + 1, text.n - 2 }, false, false, &what);
	*out = value_string(s->a, text, false);
	if (token.kind == TOKEN_CHAR && out->kind == VALUE_STRING)
		*out = value_char(text_unit(out->text, 0));
	return true;
}

static bool parameter(struct signature *s, struct member *m, struct parameter *p)
{
	if (accept(s, "this"))
		m->extension = true;
	p->by_ref = accept(s, "ref");
	p->out = p->by_ref || accept(s, "out");
	p->params = accept(s, "params");
	p->type = parse_type(s);
	if (!p->type)
		return fail(s, "type of a parameter");
	p->name = word(s, s->at++);
	if (accept(s, "=")) {
		p->optional = true;
		return literal(s, p->type, &p->initial);
	}
	return true;
}

static bool parameters(struct signature *s, struct member *m, const char *close)
{
	struct parameter list[PARAMETERS_MAX] = { 0 };

	while (!is(s, close)) {
		if (m->n == PARAMETERS_MAX || !parameter(s, m, &list[m->n]))
			return fail(s, "parameters");
		m->n++;
		if (!accept(s, ","))
			break;
	}
	m->params = arena_alloc(s->a, m->n ? m->n : 1, sizeof(*m->params));
	if (!m->params)
		return fail(s, "out of memory");
	memcpy(m->params, list, m->n * sizeof(*list));
	return expect(s, close);
}

static bool accessors(struct signature *s, struct member *m)
{
	if (!expect(s, "{"))
		return false;
	while (accept(s, "get") || (is(s, "set") && (m->has_set = true) && accept(s, "set")))
		if (!expect(s, ";"))
			return false;
	return expect(s, "}");
}

static bool conversion(struct signature *s, struct member *m)
{
	m->kind = MEMBER_CONVERSION;
	m->name = word(s, s->at++);
	if (!expect(s, "operator"))
		return false;
	m->type = parse_type(s);
	return m->type && expect(s, "(") && parameters(s, m, ")");
}

static bool operator_row(struct signature *s, struct member *m)
{
	size_t from = s->t[s->at].at;

	m->kind = MEMBER_OPERATOR;
	while (s->at < s->n && !is(s, "("))
		s->at++;
	m->name = str_trim((struct str){ s->text.p + from, s->t[s->at < s->n ? s->at : s->n - 1].at - from });
	return expect(s, "(") && parameters(s, m, ")");
}

static bool constant(struct signature *s, struct member *m)
{
	m->kind = MEMBER_CONSTANT;
	m->is_static = true;
	m->type = parse_type(s);
	if (!m->type)
		return false;
	m->name = word(s, s->at++);
	return expect(s, "=") && literal(s, m->type, &m->constant);
}

static bool named(struct signature *s, struct member *m)
{
	if (accept(s, "operator"))
		return operator_row(s, m);
	if (accept(s, "this")) {
		m->kind = MEMBER_INDEXER;
		m->name = STR("this[]");
		return expect(s, "[") && parameters(s, m, "]") && accessors(s, m);
	}
	m->name = word(s, s->at++);
	if (accept(s, "<"))
		while (!accept(s, ">") && s->at < s->n)
			s->at++;
	if (is(s, "{")) {
		m->kind = MEMBER_PROPERTY;
		return accessors(s, m);
	}
	m->kind = MEMBER_METHOD;
	return expect(s, "(") && parameters(s, m, ")");
}

static bool row(struct signature *s, struct member *m)
{
	if (accept(s, "const"))
		return constant(s, m);
	m->is_static = accept(s, "static");
	if (is(s, "implicit") || is(s, "explicit"))
		return conversion(s, m);
	if (s->at + 1 < s->n && s->t[s->at + 1].id == '(' && s->t[s->at + 1].kind == TOKEN_PUNCT) {
		m->kind = MEMBER_CONSTRUCTOR;
		m->name = STR(".ctor");
		m->is_static = true;
		m->type = signature_self(s->a, m->owner);
		s->at += 2;
		return parameters(s, m, ")");
	}
	m->type = parse_type(s);
	return m->type && named(s, m);
}

const struct type *signature_self(struct arena *a, const struct value_class *cls)
{
	const struct type *args[TYPE_ARGS_MAX];
	size_t n = 0;

	if (cls->value_kind && type_of_kind(cls->value_kind))
		return type_of_kind(cls->value_kind);
	if (cls == &class_object)
		return &type_object;
	for (const char *p = cls->parameters; p && n < TYPE_ARGS_MAX; p = strchr(p, ',')) {
		struct type *t = arena_new_of(a, struct type);

		if (!t)
			return &type_object;
		*t = (struct type){ .kind = TYPE_PARAMETER, .index = (uint16_t)n };
		args[n++] = t;
		p++;
	}
	return type_make(a, cls, args, n);
}

bool signature_parse(struct arena *a, const struct value_class *cls, const struct class_member *from, struct member *m,
		     const char **what)
{
	struct signature s;

	m->owner = cls;
	m->fn = from->fn;
	m->set = from->set;
	if (!begin(&s, a, cls, from->signature)) {
		*what = s.what;
		return false;
	}
	if (!strstr(from->signature, "operator"))
		find_method_types(&s);
	m->n_types = (unsigned)s.n_method_types;
	if (row(&s, m) && (s.at == s.n || (s.at + 1 == s.n && is(&s, ";"))))
		return true;
	*what = s.what ? s.what : "text after the signature";
	return false;
}

bool signature_types(struct arena *a, const struct value_class *cls, const char *text, const struct type **out, size_t max,
		     size_t *n)
{
	struct signature s;

	*n = 0;
	if (!begin(&s, a, cls, text))
		return false;
	do {
		if (*n == max || !(out[*n] = parse_type(&s)))
			return false;
		++*n;
	} while (accept(&s, ","));
	return s.at == s.n;
}
