/* policies.h - between the pages of policy documents. */
#pragma once

#include "db/policies.h"
#include "policy/diag.h"
#include "policy/exchange.h"
#include "portal/admin/admin.h"

/* A scope that is there, as the address of a page names it. */
struct policy_place {
	struct store_policy_scope scope;         /* with the number of the revision */
	struct str name;                         /* "api:orders;rev=1" */
	struct str label;                        /* "Orders" */
	struct store_api api;                    /* of an API or operation */
	struct store_operation operation;
};
/* NOT_FOUND: no such scope, or what it names is not there. */
GH_RC policy_place_find(struct web *w, struct str text, struct policy_place *out, struct gh_err *err);
/* scope, label, kind, and where a page of it leads back to. */
void policy_place_put(struct web *w, const struct policy_place *place);
GH_RC policy_check_put(struct web *w, const struct policy_diags *diags);         /* `problems` of the page */
/* The policies around and of `place`: <base/> of one is the one before it, and a section begins with the last
 * (policy/exchange.h); product: the one through which it is called, or STR_NULL. */
struct policy_layer {
	struct store_policy_scope scope;
	struct str name, label, kind, text;
};
enum { POLICY_LAYERS_MAX = 6 };
GH_RC policy_layers(struct web *w, const struct policy_place *place, struct str product, struct policy_layer out[POLICY_LAYERS_MAX],
		    size_t *n, struct gh_err *err);
/* What really happens to a call, line by line in its order, with where each comes from; `text` lives as long as the request, the layer
 * until the sink returns. */
struct policy_line {
	enum section section;
	struct str text;
	const struct policy_layer *layer;
	unsigned line;                   /* of that layer's document */
};
typedef void policy_line_sink(void *ctx, const struct policy_line *line);
GH_RC policy_effective(struct web *w, const struct policy_place *place, struct str product, policy_line_sink *sink, void *ctx,
		       struct gh_err *err);
/* The products of its API, and that of ?product=, else the first; STR_NULL: none. */
GH_RC policy_products(struct web *w, const struct policy_place *place, struct store_product **v, size_t *n, struct str *product,
		      struct gh_err *err);
/* One request through a document that nobody has saved, and the answer of its backend. */
struct policy_trial {
	struct str method, url, body, backend_body;
	json_t *headers, *backend_headers;       /* name: text, or list of texts */
	int64_t backend_status;
	json_t *context;                 /* more of the world around it, as for `gatehouse policy run`; NULL: nothing */
};
/* What the test pane begins with. */
void policy_trial_begin(struct web *w, const struct policy_place *place, struct policy_trial *out);
/* *out NULL: the document has errors, which stand in diags. INVALID, SYNTAX, LIMIT: what was sent cannot be tried; err is a sentence. */
GH_RC policy_trial_run(struct web *w, const struct policy_place *place, struct str text, const struct policy_trial *t, struct policy_diags *diags,
		       json_t **out, struct gh_err *err);
/* [{line, column, warning, message}] */
json_t *policy_diags_json(struct web *w, const struct policy_diags *diags);
GH_RC policy_snippets(struct web *w, json_t **out, struct gh_err *err);          /* the gallery */
void policy_catalogue(struct buf *b);                                            /* as JSON */
/* The id of the scope's policy as a resource of the configuration: without the number of a current revision. */
struct str policy_place_id(struct web *w, const struct policy_place *place);
/* Writes the document of the scope inside the change; text STR_NULL: removes it, if there is one. */
struct resource_change;
GH_RC policy_put(struct web *w, struct resource_change *c, const struct policy_place *place, struct str text, struct gh_err *err);
/* Sets what the editor may show (problems, differences, the result of a try) to nothing; before anything else. */
void policy_begin(struct web *w);
/* Compiles a document that is not saved, in the world of the store; *fine false: the diags say why not. */
GH_RC policy_compile_here(struct web *w, const struct policy_place *place, struct str text, bool *fine, struct policy_diags *diags,
			  struct gh_err *err);
/* What the form holds: the document, with lines ended by LF. */
struct str policy_form_text(struct web *w);
/* The editor with that text in it; notes and problems stand in the page already. */
GH_RC policy_editor(struct web *w, const struct policy_place *place, struct str text, int status, struct gh_err *err);
/* The editor with a text that nobody has saved: its problems, and what is new about it. */
GH_RC policy_review(struct web *w, const struct policy_place *place, struct str text, struct gh_err *err);
/* policy_form.c: `form_elements`, policies that have a form, and `form_places`, those that stand in the text. */
void policy_forms_put(struct web *w, struct str text);
/* Fields of the test pane: their defaults, or what was sent. */
void policy_try_fields(struct web *w, const struct policy_place *place);

web_handler admin_policies, admin_policy_form, admin_policy_act, admin_policy_check, admin_policy_history, admin_policy_effective,
	admin_policy_try, admin_policy_catalogue, admin_policy_element;
