#include "config/governance/summary.h"

#include "config/governance/literal.h"
#include "core/str.h"

enum { BACKENDS_MAX = 100, TEXT_MAX = 500 };

const char *const summary_authentication[] = { "validate-jwt", "validate-azure-ad-token", "validate-client-certificate", NULL };
const char *const summary_limits[] = { "rate-limit", "rate-limit-by-key", "quota", "quota-by-key", "llm-token-limit",
				       "azure-openai-token-limit", NULL };

/* ---- tokens -------------------------------------------------------------------------------------------------------------------- */

static void put(struct arena *a, struct jtoken *o, const char *name, struct jtoken *v)
{
	if (o && v)
		(void)!jt_set(a, o, str_of(name), v);
}

static struct jtoken *text_token(struct arena *a, struct str s)
{
	return s.p ? jt_string(a, s) : jt_leaf(a, JT_NULL, VALUE_NULL_INIT);
}

void put_text(struct arena *a, struct jtoken *o, const char *name, struct str s)
{
	put(a, o, name, text_token(a, s));
}

void put_number(struct arena *a, struct jtoken *o, const char *name, int64_t v)
{
	put(a, o, name, jt_leaf(a, JT_INTEGER, (struct value){ .kind = VALUE_LONG, .i = v }));
}

void put_bool(struct arena *a, struct jtoken *o, const char *name, bool v)
{
	put(a, o, name, jt_leaf(a, JT_BOOLEAN, value_bool(v)));
}

struct jtoken *put_list(struct arena *a, struct jtoken *o, const char *name)
{
	struct jtoken *v = jt_container(a, JT_ARRAY);

	put(a, o, name, v);
	return v;
}

struct jtoken *put_object(struct arena *a, struct jtoken *o, const char *name)
{
	struct jtoken *v = jt_container(a, JT_OBJECT);

	put(a, o, name, v);
	return v;
}

void add_text(struct arena *a, struct jtoken *list, struct str s)
{
	struct jtoken *v = text_token(a, s);

	if (list && v)
		(void)!jt_insert(a, list, list->n, v, NULL);
}

struct jtoken *add_object(struct arena *a, struct jtoken *list)
{
	struct jtoken *v = jt_container(a, JT_OBJECT);

	if (list && v)
		(void)!jt_insert(a, list, list->n, v, NULL);
	return v;
}

/* ---- a document ---------------------------------------------------------------------------------------------------------------- */

struct reading {
	struct arena *a;
	const struct document *d;
	struct summary *out;
	summary_fragment *fragment;
	void *ctx;
	struct jtoken *elements, *secrets;
	bool fragment_text;              /* the document is one: what stands in it counts where it is included */
};

static unsigned bit_of(const char *const *names, struct str name)
{
	for (unsigned i = 0; names[i]; i++)
		if (str_eq(name, str_of(names[i])))
			return 1u << i;
	return 0;
}

static unsigned line_of(const struct reading *r, size_t offset)
{
	unsigned line, column;

	document_place(r->d, offset, &line, &column);
	return line;
}

static struct str place_at(const struct reading *r, size_t offset)
{
	return arena_printf(r->a, "%.*s, line %u", STR_ARG(r->out->name), line_of(r, offset));
}

/* A value that rules may show: what looks like a secret does not leave the document. */
static struct str without_secret(struct str name, struct str s)
{
	struct literal_secret secret;
	bool hidden = str_eq(name, STR("password")) && !str_starts(s, STR("{{")) && !text_is_expression(s);

	return hidden || literal_secret_next(s, 0, &secret) ? STR("***") : str_first(s, TEXT_MAX);
}

static bool takes_any_origin(const struct doc_node *cors)
{
	for (const struct doc_node *list = cors->first; list; list = list->next)
		for (const struct doc_node *c = list->first; c && str_eq(list->name, STR("allowed-origins")); c = c->next)
			if (str_eq(str_trim(c->text.text), STR("*")))
				return true;
	return false;
}

static void put_element(struct reading *r, const struct doc_node *n, struct str section)
{
	struct jtoken *o = add_object(r->a, r->elements), *attributes;

	put_text(r->a, o, "name", n->name);
	put_text(r->a, o, "parent", n->parent ? n->parent->name : STR_NULL);
	put_text(r->a, o, "section", section);
	put_number(r->a, o, "line", line_of(r, n->at));
	put_text(r->a, o, "place", place_at(r, n->at));
	if (n->has_text)
		put_text(r->a, o, "text", without_secret(STR("text"), str_trim(n->text.text)));
	if (str_eq(n->name, STR("cors")))
		put_bool(r->a, o, "anyOrigin", takes_any_origin(n));
	if (!n->attrs)
		return;
	attributes = put_object(r->a, o, "attributes");
	for (const struct doc_attr *at = n->attrs; at; at = at->next)
		if (attributes)
			(void)!jt_set(r->a, attributes, at->name, text_token(r->a, without_secret(at->name, at->value.text)));
}

static void add_backend(struct reading *r, const struct doc_node *n)
{
	const struct doc_attr *address = doc_attr(n, STR("base-url")), *id = doc_attr(n, STR("backend-id"));

	if ((!address && !id) || r->out->n_backends == BACKENDS_MAX)
		return;
	if (!r->out->backends)
		r->out->backends = arena_alloc(r->a, BACKENDS_MAX, sizeof(*r->out->backends));
	if (r->out->backends)
		r->out->backends[r->out->n_backends++] = (struct summary_backend){ address ? address->value.text : STR_NULL, id ? id->value.text : STR_NULL,
										   place_at(r, n->at) };
}

static void include(struct reading *r, const struct doc_node *n, bool inbound, bool conditional)
{
	const struct doc_attr *id = doc_attr(n, STR("fragment-id"));
	const struct summary *f = id && r->fragment ? r->fragment(r->ctx, id->value.text) : NULL;

	if (!f || !inbound)
		return;
	*(conditional ? &r->out->conditional : &r->out->authentication) |= f->authentication;
	r->out->conditional |= f->conditional;
	r->out->limits |= f->limits;
	for (size_t i = 0; i < f->n_backends && r->out->n_backends < BACKENDS_MAX; i++) {
		if (!r->out->backends)
			r->out->backends = arena_alloc(r->a, BACKENDS_MAX, sizeof(*r->out->backends));
		if (!r->out->backends)
			return;
		r->out->backends[r->out->n_backends++] = f->backends[i];
	}
}

/* Depth is bounded by DOCUMENT_DEPTH_MAX. */
static void walk(struct reading *r, const struct doc_node *n, struct str section, bool conditional)
{
	bool inbound = r->fragment_text || str_eq(section, STR("inbound"));

	for (const struct doc_node *c = n->first; c; c = c->next) {
		unsigned bit = bit_of(summary_authentication, c->name);
		bool choice = str_eq(c->name, STR("when")) || str_eq(c->name, STR("otherwise"));

		put_element(r, c, section);
		if (inbound) {
			*(conditional ? &r->out->conditional : &r->out->authentication) |= bit;
			r->out->limits |= bit_of(summary_limits, c->name);
			r->out->has_base = r->out->has_base || str_eq(c->name, STR("base"));
		}
		if (str_eq(c->name, STR("set-backend-service")))
			add_backend(r, c);
		if (str_eq(c->name, STR("include-fragment")))
			include(r, c, inbound, conditional);
		walk(r, c, section, conditional || choice);
	}
}

static void put_secret(struct reading *r, size_t offset, const char *what)
{
	struct jtoken *o = add_object(r->a, r->secrets);

	put_text(r->a, o, "what", str_of(what));
	put_number(r->a, o, "line", line_of(r, offset));
	put_text(r->a, o, "place", place_at(r, offset));
}

static void put_secrets(struct reading *r)
{
	struct literal_secret secret;
	size_t from = 0;

	for (size_t i = 0; i < LITERAL_SECRETS_MAX && literal_secret_next(r->d->source, from, &secret); i++) {
		put_secret(r, secret.at, secret.what);
		from = secret.at + 1;
	}
}

GH_RC summary_read(struct arena *a, struct str name, struct str text, summary_fragment *fragment, void *ctx, struct summary *out,
		   struct gh_err *err)
{
	const struct document_limits limits = { .bytes = 2 * DOCUMENT_BYTES_MAX };
	struct document d;
	struct reading r = { .a = a, .d = &d, .out = out, .fragment = fragment, .ctx = ctx };
	struct policy_diags *diags = arena_new_of(a, struct policy_diags);

	*out = (struct summary){ .name = name, .token = jt_container(a, JT_OBJECT) };
	if (!diags || !out->token)
		FAIL(err, NOMEM, "policies");
	policy_diags_init(diags, a);
	put_text(a, out->token, "place", name);
	r.elements = put_list(a, out->token, "elements");
	r.secrets = put_list(a, out->token, "secrets");
	out->readable = document_parse(a, text, &limits, &d, diags) && d.root;
	if (!out->readable)
		return GH_RC_OK;
	put_secrets(&r);
	r.fragment_text = str_eq(d.root->name, STR("fragment"));
	if (r.fragment_text) {
		walk(&r, d.root, STR("fragment"), false);
		return GH_RC_OK;
	}
	for (const struct doc_node *section = d.root->first; section; section = section->next) {
		out->has_inbound = out->has_inbound || str_eq(section->name, STR("inbound"));
		walk(&r, section, section->name, false);
	}
	return GH_RC_OK;
}
