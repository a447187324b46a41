/* compile_text.c - named values, and expressions that have them inside.
 *
 * {{name}} is replaced as text before anything is compiled, wherever it stands: in a literal, inside an expression,
 * even outside of its C# strings. The replaced text keeps its runs (document.h), so errors show the place in the
 * original.
 *
 * Without a store (`gatehouse policy check`) the values are not known. An expression is then tried with stand-ins where
 * a name is no part of a C# string: 0, true and "x"; the document is good when one of them compiles. */
#include "policy/compile.h"

#include "core/str.h"
#include "policy/document.h"

/* The name in "{{name}}" at the start of s, *len its length with braces; STR_NULL when there is none. */
static struct str reference_at(struct str s, size_t *len)
{
	struct str name;
	size_t end;

	if (!str_starts(s, STR("{{")))
		return STR_NULL;
	end = str_find(s, STR("}}"));
	if (end == SIZE_MAX || end > NAMED_VALUE_NAME_MAX + 2)
		return STR_NULL;
	name = str_trim((struct str){ s.p + 2, end - 2 });
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && !strchr("-._", name.p[i]))
			return STR_NULL;
	*len = end + 2;
	return name.n ? name : STR_NULL;
}

static bool remember_secret(struct compiler *c, struct str value)
{
	struct policy_document *d = c->builder->out;

	if (!value.n || d->n_secrets == SECRETS_MAX)
		return true;
	for (size_t i = 0; i < d->n_secrets; i++)
		if (str_eq(d->secrets[i], value))
			return true;
	if (!d->secrets && !(d->secrets = arena_alloc(c->arena, SECRETS_MAX, sizeof(*d->secrets))))
		return false;
	d->secrets[d->n_secrets++] = value;
	return true;
}

static void report_at(struct compiler *c, const struct doc_text *t, size_t i, bool warning, struct str message)
{
	unsigned line, column;

	document_place(c->doc, doc_text_source(t, i), &line, &column);
	if (warning)
		policy_warning(c->diags, line, column, "%.*s", STR_ARG(message));
	else
		policy_error(c->diags, line, column, "%.*s", STR_ARG(message));
}

static bool look_up(struct compiler *c, struct str name, struct str *value)
{
	bool secret = false;

	if (!c->env->named_value || !c->env->named_value(c->env->ctx, name, value, &secret))
		return false;
	if (secret && !remember_secret(c, *value))
		c->builder->failed = true;
	return true;
}

static void add_slice(struct doc_builder *b, const struct doc_text *t, size_t from, size_t to)
{
	/* run by run, so that the places of an already decoded text are kept */
	while (from < to) {
		size_t end = to;

		for (size_t i = 0; t->runs && i < t->n_runs; i++)
			if (t->runs[i].at > from && t->runs[i].at < end)
				end = t->runs[i].at;
		doc_builder_add(b, (struct str){ t->text.p + from, end - from }, (uint32_t)doc_text_source(t, from),
				false);
		from = end;
	}
}

bool substitute(struct compiler *c, const struct doc_text *t, bool liquid, struct doc_text *out, bool *unknown)
{
	struct doc_builder b;
	size_t from = 0, len = 0;
	bool any = false, good = true;

	*out = *t;
	*unknown = false;
	for (size_t i = 0; i + 4 < t->text.n; i++) {
		struct str name = t->text.p[i] == '{' ? reference_at(str_from(t->text, i), &len) : STR_NULL, value;

		if (str_is_null(name))
			continue;
		if (!look_up(c, name, &value)) {
			if (!liquid && !c->env->open_references) {
				report_at(c, t, i, false,
					  arena_printf(c->builder->scratch, "there is no named value `%.*s`",
						       STR_ARG(name)));
				good = false;
			}
			*unknown |= !liquid && c->env->open_references;
			i += len - 1;
			continue;
		}
		if (!any)
			doc_builder_init(&b, c->arena, t->text.n + value.n);
		any = true;
		add_slice(&b, t, from, i);
		doc_builder_add(&b, value, (uint32_t)doc_text_source(t, i), true);
		from = i + len;
		i = from - 1;
	}
	if (!any) {
		if (t->runs)
			out->text = arena_dup(c->arena, t->text);
		return str_is_null(out->text) && t->text.p ? compile_no_memory(c) != NULL : good;
	}
	add_slice(&b, t, from, t->text.n);
	if (!doc_builder_done(&b, out)) {
		compile_no_memory(c);
		return false;
	}
	if (!out->expression && text_is_expression(out->text)) {
		struct str trimmed = str_trim(out->text);
		const char *why;

		out->expression = expr_scan(trimmed, &why) == trimmed.n;
	}
	return good;
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

/* The byte of s at line and column, as the expression compiler counts them from 1, 1. */
static size_t offset_in(struct str s, unsigned line, unsigned column)
{
	size_t i = 0;

	for (; line > 1 && i < s.n; i++)
		line -= s.p[i] == '\n';
	i += column ? column - 1 : 0;
	return i < s.n ? i : s.n ? s.n - 1 : 0;
}

static void take_over(struct compiler *c, const struct doc_text *t, const struct policy_diags *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct policy_diag *d = &from->v[i];

		report_at(c, t, offset_in(t->text, d->line, d->column), d->warning, d->message);
	}
}

static struct expr *compile_here(struct compiler *c, const struct doc_text *t, struct policy_diags *into)
{
	struct expr_uses uses = { 0 };
	struct expr *e = expr_compile(c->arena, t->text, 1, 1, into, &uses);

	if (e) {
		c->uses.request_body |= uses.request_body;
		c->uses.response_body |= uses.response_body;
	}
	return e;
}

/* The text with each unknown reference replaced: by its name inside a C# literal, by `stand_in` elsewhere. */
static bool with_stand_in(struct compiler *c, const struct doc_text *t, struct str stand_in, struct doc_text *out)
{
	struct doc_builder b;
	size_t from = 0, literal_end = 0, len = 0;

	*out = *t;
	doc_builder_init(&b, c->arena, t->text.n);
	for (size_t i = 0; i < t->text.n; i++) {
		struct str name;

		if (i >= literal_end && (len = csharp_literal_length(str_from(t->text, i))))
			literal_end = i + len;
		name = t->text.p[i] == '{' ? reference_at(str_from(t->text, i), &len) : STR_NULL;
		if (str_is_null(name))
			continue;
		add_slice(&b, t, from, i);
		doc_builder_add(&b, i < literal_end ? name : stand_in, (uint32_t)doc_text_source(t, i), true);
		from = i + len;
		i = from - 1;
	}
	add_slice(&b, t, from, t->text.n);
	return doc_builder_done(&b, out);
}

static struct expr *compile_unknown(struct compiler *c, const struct doc_text *t)
{
	static const struct str stand_ins[] = { STR_INIT("0"), STR_INIT("true"), STR_INIT("\"x\"") };
	struct policy_diags *diags = arena_new_of(c->builder->scratch, struct policy_diags);
	struct doc_text text, first = *t;
	struct expr *e = NULL;

	if (!diags)
		return compile_no_memory(c);
	for (size_t i = 0; i < ARRAY_LEN(stand_ins) && !e; i++) {
		struct policy_diags tried;

		if (!with_stand_in(c, t, stand_ins[i], &text))
			return compile_no_memory(c);
		policy_diags_init(&tried, c->builder->scratch);
		e = compile_here(c, &text, &tried);
		if (!i) {
			*diags = tried;
			first = text;
		}
	}
	if (!e)
		take_over(c, &first, diags);
	return e;
}

struct expr *compile_expression(struct compiler *c, const struct doc_text *t, bool unknown)
{
	struct policy_diags diags;
	struct expr_uses uses = { 0 };
	unsigned line, column;
	struct expr *e;

	if (unknown)
		return compile_unknown(c, t);
	if (t->runs) {
		policy_diags_init(&diags, c->builder->scratch);
		e = compile_here(c, t, &diags);
		take_over(c, t, &diags);
		return e;
	}
	document_place(c->doc, t->at, &line, &column);
	e = expr_compile(c->arena, t->text, line, column, c->diags, &uses);
	c->uses.request_body |= uses.request_body;
	c->uses.response_body |= uses.response_body;
	return e;
}

bool compile_text(struct compiler *c, struct str raw, bool liquid, struct str *out)
{
	struct doc_text t = { .text = raw, .at = (uint32_t)(raw.p - c->doc->source.p) }, done;
	bool unknown;

	if (!substitute(c, &t, liquid, &done, &unknown))
		return false;
	*out = done.text;
	return true;
}
