/* policies.h - between the pages of policy documents. */
#pragma once

#include "db/policies.h"
#include "policy/diag.h"
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
/* The policies around and of `place`: <base/> of one is the one before it, and a section begins with the last (policy/exchange.h); product: the one through which it is called, or STR_NULL. */
struct policy_layer {
	struct store_policy_scope scope;
	struct str name, label, kind, text;
};
enum { POLICY_LAYERS_MAX = 6 };
GH_RC policy_layers(struct web *w, const struct policy_place *place, struct str product, struct policy_layer out[POLICY_LAYERS_MAX],
		    size_t *n, struct gh_err *err);
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
