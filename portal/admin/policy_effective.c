/* policy_effective.c - what really happens to a call: the sections of the innermost document, with the text of the next outer one
 * wherever it says <base/>, and for each line where it comes from. The texts are cut and put together as people wrote them,
 * comments and all; whether they compile is the editor's business. */
#include "portal/admin/policies.h"

#include "core/str.h"
#include "db/policy_history.h"
#include "policy/document.h"
#include "policy/exchange.h"
#include "portal/web/highlight.h"

enum { LINES_MAX = 20000 };

static GH_RC add_layer(struct web *w, struct policy_layer *v, size_t *n, const struct store_policy_scope *scope, const char *kind,
		       struct str label, struct gh_err *err)
{
	struct policy_layer *l = &v[*n];
	bool found;

	*l = (struct policy_layer){ .scope = *scope, .label = label, .kind = str_of(kind) };
	TRY(store_policy_find(w->site->store, w->a, scope, &l->text, &found, err));
	if (!found)
		return GH_RC_OK;
	TRY(store_policy_scope_name(w->site->store, w->a, scope, &l->name, &found, err));
	(*n)++;
	return GH_RC_OK;
}

GH_RC policy_layers(struct web *w, const struct policy_place *p, struct str product, struct policy_layer out[POLICY_LAYERS_MAX],
		    size_t *n, struct gh_err *err)
{
	const struct store_policy_scope global = { .kind = STORE_POLICY_GLOBAL };
	const struct store_policy_scope of_product = { .kind = STORE_POLICY_PRODUCT, .product_id = product };
	const struct store_policy_scope binding = { .kind = STORE_POLICY_ENVIRONMENT, .environment_id = p->api.environment_id };
	const struct store_policy_scope of_api = { .kind = STORE_POLICY_API, .api_id = p->scope.api_id, .revision = p->scope.revision };

	*n = 0;
	TRY(add_layer(w, out, n, &global, "Global", STR("All APIs"), err));
	if (product.n)
		TRY(add_layer(w, out, n, &of_product, "Product", product, err));
	if (p->scope.kind == STORE_POLICY_WORKSPACE || p->scope.kind == STORE_POLICY_PRODUCT || p->scope.kind == STORE_POLICY_ENVIRONMENT)
		return add_layer(w, out, n, &p->scope, p->scope.kind == STORE_POLICY_PRODUCT ? "Product"
				 : p->scope.kind == STORE_POLICY_WORKSPACE ? "Workspace" : "Environment", p->label, err);
	if (p->scope.api_id.n)
		TRY(add_layer(w, out, n, &of_api, "API", p->api.name.n ? p->api.name : p->api.id, err));
	if (p->scope.operation_id.n)
		TRY(add_layer(w, out, n, &p->scope, "Operation", p->operation.name.n ? p->operation.name : p->operation.id, err));
	if (p->api.environment_id.n)
		TRY(add_layer(w, out, n, &binding, "Environment", p->api.environment_id, err));
	return GH_RC_OK;
}

/* ---- putting them together ----------------------------------------------------------------------------------------------- */

struct merge {
	struct web *w;
	struct policy_layer *layers;
	struct document *docs;
	size_t n;
	policy_line_sink *sink;
	void *ctx;
	enum section section;
	size_t n_lines;
};

static size_t indent_of(struct str line)
{
	size_t n = 0;

	while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
		n++;
	return n;
}

/* Lines of a piece of a document; blank ones are left out. `less` columns of white space are taken away. */
static void put_lines(struct merge *m, size_t layer, const char *from, const char *to, size_t less, size_t depth)
{
	const struct document *d = &m->docs[layer];
	struct str rest = { from, (size_t)(to - from) }, line;

	while (m->n_lines < LINES_MAX && str_split(&rest, '\n', &line)) {
		struct policy_line out = { .section = m->section, .layer = &m->layers[layer] };
		unsigned number, column;
		size_t cut = indent_of(line);

		if (!str_trim(line).n)
			continue;
		document_place(d, (size_t)(line.p + cut - d->source.p), &number, &column);
		line = str_from(line, cut < less ? cut : less);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		out.text = arena_printf(m->w->a, "%.*s%.*s", (int)(depth < 40 ? depth : 40),
					"\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t", STR_ARG(line));
		out.line = number;
		m->sink(m->ctx, &out);
		m->n_lines++;
	}
}

static const struct doc_node *next_base(const struct doc_node *n, const char *after)
{
	for (const struct doc_node *c = n->first; c; c = c->next) {
		const struct doc_node *deeper;

		if (str_eq(c->name, STR("base")) && c->outer.p >= after)
			return c;
		deeper = next_base(c, after);
		if (deeper)
			return deeper;
	}
	return NULL;
}

static const struct doc_node *section_of(const struct document *d, struct str name)
{
	for (const struct doc_node *c = d->root ? d->root->first : NULL; c; c = c->next)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

/* The section of the innermost `n` layers, at that depth of indentation. */
static void put_section(struct merge *m, size_t n, struct str name, size_t depth)
{
	const struct doc_node *section = NULL, *base;
	const char *at, *end;
	struct str inner;
	size_t less = 0;

	while (n && !(section = section_of(&m->docs[n - 1], name)))
		n--;
	if (!section)
		return;
	inner = section->inner;
	at = inner.p;
	end = inner.p + inner.n;
	for (const struct doc_node *c = section->first; c && !less; c = c->next) {        /* how deep they wrote it */
		const char *p = c->outer.p;

		while (p > m->docs[n - 1].source.p && (p[-1] == ' ' || p[-1] == '\t'))
			p--, less++;
	}
	while (at && (base = next_base(section, at))) {
		size_t deeper = 0;
		const char *p = base->outer.p;

		while (p > inner.p && (p[-1] == ' ' || p[-1] == '\t'))
			p--, deeper++;
		put_lines(m, n - 1, at, base->outer.p, less, depth);
		put_section(m, n - 1, name, depth + (deeper > less ? deeper - less : 0));
		at = base->outer.p + base->outer.n;
	}
	if (at)
		put_lines(m, n - 1, at, end, less, depth);
}

GH_RC policy_effective(struct web *w, const struct policy_place *place, struct str product, policy_line_sink *sink, void *ctx,
		       struct gh_err *err)
{
	struct policy_layer layers[POLICY_LAYERS_MAX];
	struct document docs[POLICY_LAYERS_MAX];
	struct merge m = { .w = w, .layers = layers, .docs = docs, .sink = sink, .ctx = ctx };
	struct policy_diags diags;

	TRY(policy_layers(w, place, product, layers, &m.n, err));
	for (size_t i = 0; i < m.n; i++) {
		policy_diags_init(&diags, w->a);
		if (!document_parse(w->a, layers[i].text, NULL, &docs[i], &diags))
			docs[i].root = NULL;             /* saved by an older version: it serves no call either */
	}
	for (m.section = 0; m.section < SECTION__COUNT; m.section++)
		put_section(&m, m.n, section_name(m.section), 0);
	return GH_RC_OK;
}

GH_RC policy_products(struct web *w, const struct policy_place *place, struct store_product **v, size_t *n, struct str *product,
		      struct gh_err *err)
{
	const struct web_param *wanted = web_param_find(&w->rq.query, "product");

	*product = STR_NULL;
	*n = 0;
	if (!place->scope.api_id.n)
		return GH_RC_OK;
	TRY(store_products_of_api(w->site->store, w->a, place->scope.api_id, v, n, err));
	for (size_t i = 0; i < *n; i++)
		if (wanted ? str_eq(wanted->value, (*v)[i].id) : i == 0)
			*product = (*v)[i].id;
	return GH_RC_OK;
}

/* ---- the page ---------------------------------------------------------------------------------------------------------------- */

struct shown {
	struct web *w;
	struct liquid_list *lines[SECTION__COUNT];
};

static void show_line(void *ctx, const struct policy_line *l)
{
	struct shown *s = ctx;
	struct liquid_record *r = liquid_push_record(s->lines[l->section]);

	liquid_set(r, "words", web_highlight_xml(s->w->a, l->text));
	liquid_set_text(r, "kind", l->layer->kind);
	liquid_set_text(r, "label", l->layer->label);
	liquid_set_text(r, "scope", l->layer->name);
	liquid_set_int(r, "line", l->line);
}

gh_rc admin_policy_effective(struct web *w, struct gh_err *err)
{
	struct liquid_list *sections = liquid_set_list(w->page, "sections"), *list = liquid_set_list(w->page, "products");
	struct policy_place place;
	struct shown shown = { .w = w };
	struct store_product *v;
	struct str product;
	size_t n;

	TRY(policy_place_find(w, web_param(&w->rq.query, "scope"), &place, err));
	TRY(policy_products(w, &place, &v, &n, &product, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
	}
	for (enum section s = 0; s < SECTION__COUNT; s++) {
		struct liquid_record *r = liquid_push_record(sections);

		liquid_set_text(r, "name", section_name(s));
		shown.lines[s] = liquid_set_list(r, "lines");
	}
	TRY(policy_effective(w, &place, product, show_line, &shown, err));
	policy_place_put(w, &place);
	liquid_set_text(w->page, "product", product.n ? product : STR(""));
	return web_page(w, "policy_effective", err);
}
