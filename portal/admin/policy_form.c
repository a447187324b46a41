/* policy_form.c - a policy as a small form: its attributes, text and children, made from the tables that documents are checked by
 * (policy/schema.h), so what a form offers is what the compiler takes. The element goes into the text of the editor, at the end of
 * a section or in place of the one that stood there; nothing is saved by it, the editor shows what changes.
 *
 * What a form would lose (comments, markup, policies inside, what the table does not know) is left to the text. */
#include "portal/admin/policies.h"

#include "core/str.h"
#include "policy/element.h"
#include "portal/admin/policy_xml.h"

enum { FIELDS_MAX = 120, SPARE = 2, DEPTH = 6 };

static const char *const sections[] = { "inbound", "backend", "outbound", "on-error" };

struct filled {
	struct web *w;
	struct liquid_list *rows;        /* of the page; NULL: nothing is shown */
	const struct doc_node *node;     /* that is changed; NULL: from the form */
	bool sent;                       /* values are those of the form */
	size_t fields;
	bool fine;
};

/* ---- which element --------------------------------------------------------------------------------------------------------- */

static bool has_form(const struct element_schema *s, unsigned depth)
{
	bool ok = s->content == CONTENT_ELEMENTS && depth < DEPTH;

	for (size_t i = 0; ok && i < s->n_children; i++)
		ok = has_form(s->children[i].element, depth + 1);
	return ok;
}

/* <base /> has nothing to fill in. */
static bool is_offered(const struct element_schema *s)
{
	return has_form(s, 0) && (s->n_args || s->text || s->n_children);
}

static const struct element_schema *child_of(const struct element_schema *s, struct str name)
{
	for (size_t i = 0; i < s->n_children; i++)
		if (str_eq(name, str_of(s->children[i].element->name)))
			return s->children[i].element;
	return NULL;
}

static const struct arg_schema *arg_of(const struct element_schema *s, struct str name)
{
	for (size_t i = 0; i < s->n_args; i++)
		if (str_eq(name, str_of(s->args[i].name)))
			return &s->args[i];
	return NULL;
}

/* A field has one line: a browser would take the others of a block of C# together, a comment with what follows it. */
static bool one_line(struct str v)
{
	return str_find_char(str_trim(v), '\n') == SIZE_MAX;
}

/* Whether a form holds all that stands there. */
static bool is_whole(const struct element_schema *s, const struct doc_node *n)
{
	if (str_find(n->inner, STR("<!--")) != SIZE_MAX || (n->has_text && (!s->text || !one_line(n->text.text))))
		return false;
	for (const struct doc_attr *a = n->attrs; a; a = a->next)
		if (!arg_of(s, a->name) || !a->value.text.n || !one_line(a->value.text))
			return false;
	for (const struct doc_node *c = n->first; c; c = c->next) {
		const struct element_schema *of = child_of(s, c->name);

		if (!of || !is_whole(of, c))
			return false;
	}
	return true;
}

static const struct policy_type *form_type(struct str name)
{
	const struct policy_type *t = policy_type_find(name);

	return t && is_offered(t->schema) ? t : NULL;
}

/* The n-th element of the document that is a policy with a form, in its order. */
static const struct doc_node *nth(const struct doc_node *from, size_t *left, unsigned depth)
{
	for (const struct doc_node *c = from ? from->first : NULL; c; c = c->next) {
		const struct doc_node *in;

		if (depth > 0 && form_type(c->name)) {
			if ((*left)-- == 0)
				return c;
			continue;
		}
		in = nth(c, left, depth + 1);
		if (in)
			return in;
	}
	return NULL;
}

/* What the editor offers: policies that have a form, and those of the text. */
void policy_forms_put(struct web *w, struct str text)
{
	struct liquid_list *list = liquid_set_list(w->page, "form_elements");
	struct policy_diags diags;
	const struct doc_node *n;
	struct document d;
	size_t left;

	policy_diags_init(&diags, w->a);
	for (size_t i = 0; policy_types[i]; i++)
		if (is_offered(policy_types[i]->schema))
			liquid_set_text(liquid_push_record(list), "name", str_of(policy_types[i]->schema->name));
	list = liquid_set_list(w->page, "form_places");
	if (!document_parse(w->a, text, NULL, &d, &diags))
		return;
	for (size_t i = 0; left = i, i < FIELDS_MAX && (n = nth(d.root, &left, 0)); i++) {
		struct liquid_record *r = liquid_push_record(list);
		unsigned line, column;

		document_place(&d, n->at, &line, &column);
		liquid_set_text(r, "value", arena_printf(w->a, "%zu:%.*s", i, STR_ARG(n->name)));
		liquid_set_text(r, "label", arena_printf(w->a, "line %u: %.*s", line, STR_ARG(n->name)));
	}
}

/* ---- fields ------------------------------------------------------------------------------------------------------------------ */

static struct str value_of(struct filled *f, const char *name, const struct doc_text *there)
{
	if (f->sent)
		return web_param(&f->w->rq.form, name);
	return there ? there->text : STR("");
}

/* A sentence when the table does not take the value; STR_NULL: it does. */
static struct str wrong(struct filled *f, const struct arg_schema *s, struct str v, bool needed)
{
	struct str why = STR_NULL;
	struct arg out;

	if (!v.n)
		return needed && (s->flags & ARG_REQUIRED) && !(s->flags & ARG_EMPTY) ? STR("is required") : STR_NULL;
	if (text_is_expression(v))
		return s->flags & ARG_EXPR ? STR_NULL : STR("takes no expression");
	if (str_find(v, STR("{{")) != SIZE_MAX)          /* what the named value holds, the compiler looks at */
		return STR_NULL;
	return arg_literal(f->w->a, s, v, &out, &why) ? STR_NULL : why;
}

static void put_field(struct filled *f, const struct arg_schema *s, const char *name, const char *label, struct str v, bool lines, bool needed)
{
	struct str rest = str_of(s->choices), choice, why = f->sent ? wrong(f, s, v, needed) : STR_NULL;
	bool choose = (s->kind == ARG_ENUM || s->kind == ARG_BOOL) && !(s->flags & ARG_EXPR) && !text_is_expression(v);
	struct liquid_record *r;
	struct liquid_list *list;

	f->fields++;
	if (why.p)
		f->fine = false;
	if (!f->rows)
		return;
	r = liquid_push_record(f->rows);
	liquid_set_text(r, "kind", choose ? STR("choice") : lines ? STR("lines") : STR("text"));
	liquid_set_text(r, "name", str_of(name));
	liquid_set_text(r, "label", arena_dup(f->w->a, str_of(label)));
	liquid_set_text(r, "value", v.p ? v : STR(""));
	liquid_set_text(r, "error", why.p ? why : STR(""));
	liquid_set_bool(r, "required", s->flags & ARG_REQUIRED);
	liquid_set_text(r, "help", arena_printf(f->w->a, "%s%s%s%s%s%s", s->help ? s->help : "", s->choices && !choose ? "; one of " : "",
		s->choices && !choose ? s->choices : "", s->def ? "; default: " : "", s->def ? s->def : "", s->flags & ARG_EXPR ? "; may be an expression" : ""));
	list = liquid_set_list(r, "choices");
	if (s->kind == ARG_BOOL)
		rest = STR("true|false");
	while (choose && rest.n && str_split(&rest, '|', &choice)) {
		struct liquid_record *one = liquid_push_record(list);

		liquid_set_text(one, "value", choice);
		liquid_set_bool(one, "on", str_eq_ci(choice, v));
	}
}

static size_t count(const struct doc_node *n, const char *name)
{
	size_t k = 0;

	for (const struct doc_node *c = n ? n->first : NULL; c; c = c->next)
		k += str_eq(c->name, str_of(name));
	return k;
}

static const struct doc_node *child_at(const struct doc_node *n, const char *name, size_t i)
{
	for (const struct doc_node *c = n ? n->first : NULL; c; c = c->next)
		if (str_eq(c->name, str_of(name)) && i-- == 0)
			return c;
	return NULL;
}

/* Whether the form holds anything below that name. */
static bool any_sent(struct filled *f, struct str prefix)
{
	for (size_t i = 0; i < f->w->rq.form.n; i++)
		if (str_starts(f->w->rq.form.v[i].name, prefix) && f->w->rq.form.v[i].value.n)
			return true;
	return false;
}

/* How many of a child the form shows: those that are there and some to spare. */
static size_t shown(struct filled *f, const struct child_schema *c, const struct doc_node *n, const char *prefix)
{
	size_t have = 0, most = c->max ? c->max : SIZE_MAX;

	if (f->sent)
		for (size_t k = 0; k < FIELDS_MAX; k++)  /* one in between may have been emptied */
			have = any_sent(f, arena_printf(f->w->a, "%s%s.%zu/", prefix, c->element->name, k)) ? k + 1 : have;
	else
		have = count(n, c->element->name);
	have += SPARE;
	return have < most ? have : most;
}

/* A walk over the element: fields for the page, and what the form says as XML (out NULL: only the page). `needed`: what is required must be
 * there, since the element is. */
static void walk(struct filled *f, const struct element_schema *s, const struct doc_node *n, const char *prefix, const char *label, bool needed,
		 struct xml_out *out)
{
	const struct doc_attr *a;

	if (out)
		xml_begin(out, s->name);
	for (size_t i = 0; i < s->n_args && f->fields < FIELDS_MAX; i++) {
		const char *name = arena_printf(f->w->a, "%s@%s", prefix, s->args[i].name).p;
		struct str v;

		a = n ? doc_attr(n, str_of(s->args[i].name)) : NULL;
		v = name ? value_of(f, name, a ? &a->value : NULL) : STR("");
		put_field(f, &s->args[i], name ? name : "", arena_printf(f->w->a, "%s%s", label, s->args[i].name).p, v, false, needed);
		if (out && v.n)
			xml_attribute(out, s->args[i].name, v);
	}
	if (s->text && f->fields < FIELDS_MAX) {
		const char *name = arena_printf(f->w->a, "%stext", prefix).p;
		struct str v = name ? value_of(f, name, n ? &n->text : NULL) : STR("");

		v = s->text->flags & ARG_VERBATIM ? v : str_trim(v);
		put_field(f, s->text, name ? name : "", arena_printf(f->w->a, "%s%s", label, s->text->name ? s->text->name : "text").p, v,
			  s->text->flags & ARG_VERBATIM, needed);
		if (out && v.n)
			xml_text(out, admin_unix_lines(f->w, v));
	}
	for (size_t i = 0; i < s->n_children; i++) {
		size_t rows = shown(f, &s->children[i], n, prefix);

		for (size_t k = 0; k < rows && f->fields < FIELDS_MAX; k++) {
			struct str below = arena_printf(f->w->a, "%s%s.%zu/", prefix, s->children[i].element->name, k);
			bool there = f->sent ? any_sent(f, below) : child_at(n, s->children[i].element->name, k) != NULL;
			struct str title = arena_printf(f->w->a, "%s%s %zu: ", label, s->children[i].element->name, k + 1);

			if (!there && needed && f->sent && k < s->children[i].min && s->children[i].element->text)
				there = true;            /* so that it is missed beside its field */
			walk(f, s->children[i].element, child_at(n, s->children[i].element->name, k), below.p ? below.p : "", title.p ? title.p : "", there,
			     there ? out : NULL);
		}
	}
	if (out)
		xml_end(out, s->name);
}

/* ---- the page ------------------------------------------------------------------------------------------------------------------ */

struct asked {
	struct web *w;
	struct policy_place place;
	struct str text, element, at, section;
	const struct policy_type *type;
	const struct doc_node *node;     /* that is changed; NULL: a new one */
	struct document doc;
};

static GH_RC refuse(struct asked *x, const char *why, struct gh_err *err)
{
	web_form_problem(x->w, why);
	return policy_editor(x->w, &x->place, x->text, 422, err);
}

static GH_RC show(struct asked *x, bool sent, int status, struct gh_err *err)
{
	struct web *w = x->w;
	struct filled f = { .w = w, .rows = liquid_set_list(w->page, "fields"), .node = x->node, .sent = sent, .fine = true };

	walk(&f, x->type->schema, x->node, "f/", "", true, NULL);
	if (f.fields >= FIELDS_MAX)
		return refuse(x, "There is more in this element than a form has room for. Change it in the text.", err);
	web_form(w);
	policy_place_put(w, &x->place);
	liquid_set_text(w->page, "text", x->text);
	liquid_set_text(w->page, "was", web_param(&w->rq.form, "base"));
	liquid_set_text(w->page, "element", str_of(x->type->schema->name));
	liquid_set_text(w->page, "about", str_of(x->type->schema->help));
	liquid_set_text(w->page, "at", x->at);
	liquid_set_text(w->page, "section", x->section);
	liquid_set_bool(w->page, "changes", x->node != NULL);
	w->rs.status = status;
	return web_page(w, "policy_form", err);
}

/* "3:rate-limit" in the text as it stands; the text may be another one than when the page was made. */
static bool find_node(struct asked *x)
{
	size_t colon = str_find_char(x->at, ':'), left;
	int64_t i;

	if (colon == SIZE_MAX || !str_to_i64(str_first(x->at, colon), 0, DOCUMENT_NODES_MAX, &i))
		return false;
	left = (size_t)i;
	x->node = nth(x->doc.root, &left, 0);
	if (!x->node || !str_eq(x->node->name, str_from(x->at, colon + 1)))
		return false;
	x->element = x->node->name;
	return true;
}

/* The element is in the text; the editor shows what is new about it. */
static GH_RC put(struct asked *x, struct gh_err *err)
{
	struct filled f = { .w = x->w, .sent = true, .fine = true };
	struct xml_out out;
	struct str text;
	gh_rc rc;

	xml_out_init(&out, x->w->a);
	walk(&f, x->type->schema, NULL, "f/", "", true, &out);
	if (!f.fine || f.fields >= FIELDS_MAX) {
		xml_out_release(&out);
		return show(x, true, 422, err);
	}
	rc = x->node ? xml_replace(x->w->a, &x->doc, x->node, &out, &text, err)
	     : xml_insert(x->w->a, &x->doc, arena_cstr(x->w->a, x->section), &out, &text, err);
	xml_out_release(&out);
	TRY(rc);
	return policy_review(x->w, &x->place, text, err);
}

gh_rc admin_policy_element(struct web *w, struct gh_err *err)
{
	struct str action = web_param(&w->rq.form, "action");
	struct policy_diags diags;
	struct asked x = { .w = w, .text = policy_form_text(w), .element = web_param(&w->rq.form, "element"), .section = web_param(&w->rq.form, "section") };
	bool known = false;

	policy_begin(w);
	policy_diags_init(&diags, w->a);
	TRY(policy_place_find(w, web_param(&w->rq.form, "scope"), &x.place, err));
	if (str_eq(action, STR("change")) || str_eq(action, STR("put")))
		x.at = web_param(&w->rq.form, "at");
	if (!document_parse(w->a, x.text, NULL, &x.doc, &diags) || !x.doc.root || !str_eq(x.doc.root->name, STR("policies")))
		return refuse(&x, "The text cannot be read as a policy document; mend it first.", err);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		known |= str_eq(x.section, str_of(sections[i]));
	if (x.at.n && !find_node(&x))
		return refuse(&x, "The text has changed since the page was made. Choose the element again.", err);
	x.type = form_type(x.element);
	if (!x.type || (!x.at.n && !known))
		return refuse(&x, "Choose a policy and a section.", err);
	if (x.node && !is_whole(x.type->schema, x.node))
		return refuse(&x, "This element holds comments, several lines in one value, or parts that a form would lose. Change it in the text.", err);
	return str_eq(action, STR("put")) ? put(&x, err) : show(&x, false, 200, err);
}
