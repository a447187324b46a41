/* compile.c - a document to sections of instructions. Elements in compile_element.c, texts in compile_text.c. */
#include "policy/compile.h"

#include "core/str.h"
#include "core/suggest.h"

#include <stdlib.h>

enum { SCRATCH_MAX = 64 * 1024 * 1024 };

static const struct policy_env no_env;

static const char *const section_names[SECTION__COUNT] = { "inbound", "backend", "outbound", "on-error" };
/* ---- instructions ------------------------------------------------------------------------------------------------ */

/* "choose[3]\when[2]" with one backslash, as the reference page on error handling writes it: an index, from 1, only where
 * several of that name stand side by side. */
static struct str path_of(struct compiler *c, const struct doc_node *n)
{
	struct program_builder *b = c->builder;
	struct str path = STR("");

	for (size_t i = 0; i <= b->depth; i++) {
		const struct doc_node *at = i < b->depth ? b->path[i] : n;
		unsigned before = 0, after = 0;

		if (!at)
			break;
		for (const struct doc_node *k = at->parent ? at->parent->first : NULL; k; k = k->next)
			if (str_eq(k->name, at->name))
				*(k->at <= at->at ? &before : &after) += 1;
		path = arena_printf(b->scratch, "%.*s%s%.*s", STR_ARG(path), i ? "\\" : "", STR_ARG(at->name));
		if (before + after > 1)
			path = arena_printf(b->scratch, "%.*s[%u]", STR_ARG(path), before);
	}
	path = arena_dup(c->arena, path);
	if (str_is_null(path))
		compile_no_memory(c);
	return path;
}

uint32_t emit(struct compiler *c, enum op op, const struct doc_node *n, const void *config)
{
	struct program_builder *b = c->builder;
	struct instruction *i;

	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 16;
		struct instruction *v = arena_alloc(b->scratch, cap, sizeof(*v));

		if (!v) {
			compile_no_memory(c);
			return 0;
		}
		if (b->n)
			memcpy(v, b->v, b->n * sizeof(*v));
		b->v = v;
		b->cap = cap;
	}
	i = &b->v[b->n];
	*i = (struct instruction){ .op = op, .config = config };
	if (n) {
		const struct doc_attr *id = doc_attr(n, STR("id"));

		i->type = policy_type_find(n->name);
		i->line = line_of(c, n);
		i->name = n->name;
		i->path = path_of(c, n);
		i->policy_id = id ? arena_dup(c->arena, id->value.text) : STR_NULL;
	}
	return b->n++;
}

void emit_target(struct compiler *c, uint32_t at)
{
	if (at < c->builder->n)
		c->builder->v[at].target = c->builder->n;
}

void emit_as(struct compiler *c, uint32_t at, const struct doc_node *n)
{
	if (at < c->builder->n)
		c->builder->v[at].name = n->name;
}

uint32_t emit_here(const struct compiler *c)
{
	return c->builder->n;
}

void compile_enter(struct compiler *c, const struct doc_node *n)
{
	struct program_builder *b = c->builder;

	if (b->depth < PATH_DEPTH_MAX)
		b->path[b->depth] = n;
	b->depth++;
}

void compile_leave(struct compiler *c)
{
	c->builder->depth--;
}

void compile_preflight(struct compiler *c, const struct cors_config *cors)
{
	if (!c->builder->out->cors)
		c->builder->out->cors = cors;
}

void compile_cross_domain(struct compiler *c, struct str file)
{
	c->builder->out->cross_domain = file;
}

/* ---- policies ---------------------------------------------------------------------------------------------------- */

/* Policies of the reference system that this version does not have. */
static const struct str absent_policies[] = {
	STR_INIT("validate-graphql-request"),
	STR_INIT("validate-odata-request"),
	STR_INIT("send-service-bus-message"),
	STR_INIT("publish-to-dapr"),
	STR_INIT("invoke-dapr-binding"),
	STR_INIT("publish-to-darp"),
	STR_INIT("invoke-darp-binding"),
	STR_INIT("sql-data-source"),
	STR_INIT("cosmosdb-data-source"),
	STR_INIT("http-data-source"),
	STR_INIT("publish-event"),
	STR_INIT("invoke-request"),
	STR_INIT("authentication-oauth2"),
	STR_INIT("cache-value"),
};

static void unknown_policy(struct compiler *c, const struct doc_node *n)
{
	const char *names[POLICY_TYPES_MAX + 1], *near;
	size_t k = 0;

	for (size_t i = 0; i < ARRAY_LEN(absent_policies); i++)
		if (str_eq(absent_policies[i], n->name)) {
			compile_error(c, n, NULL, "<%.*s> is not supported by this version", STR_ARG(n->name));
			return;
		}

	for (; k < POLICY_TYPES_MAX && policy_types[k]; k++)
		names[k] = policy_types[k]->schema->name;
	names[k] = NULL;
	near = suggest(n->name, names);
	if (near)
		compile_error(c, n, NULL, "there is no policy <%.*s>; did you mean <%s>?", STR_ARG(n->name), near);
	else
		compile_error(c, n, NULL, "there is no policy <%.*s>", STR_ARG(n->name));
}

/* Was this policy in the section already? Remembers that it is now. */
static bool stands_before(struct compiler *c, const struct policy_type *t)
{
	size_t i = 0;

	while (policy_types[i] != t)
		i++;
	if (c->builder->seen[i / 64] >> i % 64 & 1)
		return true;
	c->builder->seen[i / 64] |= UINT64_C(1) << i % 64;
	return false;
}

static void check_place(struct compiler *c, const struct doc_node *n, const struct policy_type *t)
{
	if (!c->source->fragment && !(t->sections & (1u << c->section)))
		compile_warning(c, n, NULL, "<%s> is not documented for the section <%s>", t->schema->name,
				section_names[c->section]);
	if (!c->source->fragment && t->scopes && !(t->scopes & (1u << c->source->scope)))
		compile_warning(c, n, NULL, "<%s> is not documented for the %.*s scope", t->schema->name,
				STR_ARG(scope_name(c->source->scope)));
	if (!c->source->fragment && t->once && stands_before(c, t))
		compile_warning(c, n, NULL, "<%s> is documented to stand once in a section", t->schema->name);
	if (t->not_live && c->env->live)
		compile_error(c, n, NULL, "<%s> cannot be set on a live scope: %s", t->schema->name, t->not_live);
}

void compile_policy(struct compiler *c, const struct doc_node *n)
{
	const struct policy_type *t = policy_type_find(n->name);
	void *config;

	if (!t) {
		unknown_policy(c, n);
		return;
	}
	check_place(c, n, t);
	config = compile_element(c, n, t->schema);
	if (t->emit)
		t->emit(c, n, config);
	else if (config && t->run)
		emit(c, OP_POLICY, n, config);
}

void compile_policies(struct compiler *c, const struct doc_node *n)
{
	if (n->has_text)
		compile_error(c, n, NULL, "a text stands between the policies of <%.*s>; only elements can",
			      STR_ARG(n->name));
	for (const struct doc_node *k = n->first; k; k = k->next)
		compile_policy(c, k);
}

/* ---- sections ---------------------------------------------------------------------------------------------------- */

static void compile_section(struct compiler *c, const struct doc_node *n, enum section s)
{
	struct program_builder *b = c->builder;
	struct code *to = &b->out->sections[s];

	c->section = s;
	b->v = NULL;
	b->n = b->cap = 0;
	b->depth = 0;
	memset(b->seen, 0, sizeof(b->seen));
	if (n)
		compile_policies(c, n);
	else
		emit(c, OP_BASE, NULL, NULL);
	emit(c, OP_END, NULL, NULL);
	if (b->failed)
		return;
	to->v = arena_alloc(c->arena, b->n, sizeof(*to->v));
	if (!to->v) {
		compile_no_memory(c);
		return;
	}
	memcpy(to->v, b->v, b->n * sizeof(*to->v));
	to->n = b->n;
	to->given = n != NULL;
	for (uint32_t i = 0; i < b->n; i++)
		b->out->has_base[s] |= b->v[i].op == OP_BASE;
}

static const struct doc_node *find_section(struct compiler *c, const struct doc_node *root, enum section s)
{
	const struct doc_node *found = NULL;

	for (const struct doc_node *k = root->first; k; k = k->next) {
		if (!str_eq(k->name, str_of(section_names[s])))
			continue;
		if (found)
			compile_error(c, k, NULL, "<%s> stands twice in the document", section_names[s]);
		else
			found = k;
	}
	return found;
}

static void check_sections(struct compiler *c, const struct doc_node *root)
{
	static const char *const names[] = { "inbound", "backend", "outbound", "on-error", NULL };
	int last = -1;
	bool warned = false;

	for (const struct doc_node *k = root->first; k; k = k->next) {
		const char *near;
		int s = 0;

		while (names[s] && !str_eq(k->name, str_of(names[s])))
			s++;
		if (!names[s]) {
			near = suggest(k->name, names);
			compile_error(c, k, NULL,
				      near ? "there is no section <%.*s>; did you mean <%s>?"
					   : "there is no section <%.*s>; a document has <inbound>, <backend>, "
					     "<outbound> and <on-error>%s",
				      STR_ARG(k->name), near ? near : "");
			continue;
		}
		if (s < last && !warned) {
			compile_warning(
				c, k, NULL,
				"<%s> stands behind <%s>; the usual order is inbound, backend, outbound, on-error",
				names[s], names[last]);
			warned = true;
		}
		last = s > last ? s : last;
	}
}

static void compile_root(struct compiler *c, const struct doc_node *root)
{
	const char *want = c->source->fragment ? "fragment" : "policies";

	if (!str_eq(root->name, str_of(want))) {
		compile_error(c, root, NULL, "a %s begins with <%s>, not <%.*s>",
			      c->source->fragment ? "policy fragment" : "policy document", want, STR_ARG(root->name));
		return;
	}
	if (c->source->fragment) {
		compile_section(c, root, SECTION_INBOUND);
		return;
	}
	if (root->has_text)
		compile_error(c, root, NULL, "a text stands between the sections; only elements can");
	check_sections(c, root);
	for (enum section s = 0; s < SECTION__COUNT; s++) {
		const struct doc_node *n = find_section(c, root, s);

		if (!n && s != SECTION_ON_ERROR)
			compile_warning(c, root, NULL, "the section <%s> is missing; it is taken as <%s><base /></%s>",
					section_names[s], section_names[s], section_names[s]);
		compile_section(c, n, s);
		if (n && c->source->scope == SCOPE_ENVIRONMENT && !c->source->either && !c->builder->out->has_base[s])
			compile_error(c, n, NULL, "<%s> of an environment's document needs <base />: it stands for all that the APIs of the "
				      "environment do themselves", section_names[s]);
	}
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int longer_first(const void *a, const void *b)
{
	size_t x = ((const struct str *)a)->n, y = ((const struct str *)b)->n;

	return x < y ? 1 : x > y ? -1 : 0;
}

static struct policy_document *compile_with(struct arena *a, struct arena *scratch, struct str text,
					    const struct policy_source *src, const struct policy_env *env,
					    struct policy_diags *diags)
{
	struct policy_document *out = arena_new_of(a, struct policy_document);
	struct program_builder builder = { .scratch = scratch, .out = out };
	struct document_limits limits = env->limits;
	struct policy_source as = *src;
	struct document tree;
	struct compiler c = {
		.arena = a, .doc = &tree, .source = src, .env = env, .diags = diags, .builder = &builder
	};
	size_t errors = diags->errors, before = diags->n;

	if (!limits.bytes && (src->fragment || src->either))
		limits.bytes = 2 * DOCUMENT_BYTES_MAX;
	if (!out) {
		policy_error(diags, 1, 1, "the document needs more memory than it may use");
		return NULL;
	}
	out->name = src->name;
	out->scope = src->scope;
	out->fragment = src->fragment;
	if (!document_parse(scratch, text, &limits, &tree, diags))
		return NULL;
	if (src->either && str_eq(tree.root->name, STR("fragment"))) {
		as.fragment = out->fragment = true;
		c.source = &as;
	}
	compile_root(&c, tree.root);
	policy_diags_hide(diags, before, out->secrets, out->n_secrets);
	if (builder.failed)
		policy_error(diags, 1, 1, "the document needs more memory than it may use");
	if (diags->errors != errors)
		return NULL;
	out->uses = c.uses;
	if (out->n_secrets)
		qsort(out->secrets, out->n_secrets, sizeof(*out->secrets), longer_first);
	return out;
}

const struct policy_document *policy_compile(struct arena *a, struct str text, const struct policy_source *src,
					     const struct policy_env *env, struct policy_diags *diags)
{
	struct arena *scratch = arena_new(SCRATCH_MAX);
	struct policy_document *out = NULL;

	if (scratch)
		out = compile_with(a, scratch, text, src, env ? env : &no_env, diags);
	else
		policy_error(diags, 1, 1, "out of memory");
	arena_free(scratch);
	return out;
}

struct policy_uses policy_document_uses(const struct policy_document *d)
{
	return d->uses;
}

void policy_uses_add(struct policy_uses *to, const struct policy_uses *more)
{
	to->request_body |= more->request_body;
	to->response_body |= more->response_body;
	to->client_certificate |= more->client_certificate;
	to->api_model |= more->api_model;
	to->backend_tries |= more->backend_tries;
}

struct policy_uses policy_uses(const struct policy_document *const documents[SCOPE__COUNT])
{
	struct policy_uses all = { 0 };

	for (int s = 0; s < SCOPE__COUNT; s++)
		if (documents[s])
			policy_uses_add(&all, &documents[s]->uses);
	return all;
}

const struct str *policy_secrets(const struct policy_document *d, size_t *n)
{
	*n = d->n_secrets;
	return d->secrets;
}
