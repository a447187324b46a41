/* resources.h - between the pages that list and change resources of the configuration. Their fields, hints and rules are those
 * of config/resource.h; nothing about a single kind stands here. */
#pragma once

#include "config/resource.h"
#include "portal/admin/admin.h"

/* `fields` of the page: a record for each field with its value out of `doc` (NULL: a new one, all defaults) and its problem. What
 * is wrong with no field in particular goes into `problems`. */
struct resource_view {
	const struct resource_kind *kind;
	const json_t *doc;
	bool is_new, may_change;
	const struct resource_problem *problems;
	size_t n_problems;
};
/* `uploads` of the page: whether a field takes a file. */
GH_RC resource_form_put(struct web *w, const struct resource_view *view, struct gh_err *err);
/* The document that the form says. `before` (NULL: a new one) has what the form does not carry. */
json_t *resource_form_read(struct web *w, const struct resource_kind *k, const json_t *before);

/* What there is to choose from where another resource of the kind is named: `choices` of the record when it is a few, else `many`
 * with `source` (of www/choices.js) and what `value` (an id, an array of ids, NULL) holds: `chosen`, or `choices` of an array.
 * k NULL: nothing is known of it. */
GH_RC resource_choices_put(struct web *w, struct liquid_record *r, const struct resource_kind *k, const json_t *value, struct gh_err *err);
void resource_choice_put(struct liquid_list *list, struct str value, struct str label, bool here);
bool resource_holds(const json_t *list, struct str id);

/* The word of an enum as people read it: "ES256" as it is, "client-credentials" with a capital letter. */
struct str resource_word(struct arena *a, struct str s);

/* How long it is until then: `due` ("in 23 days") and `due_level` ("good", "soon", "over"). */
void resource_due_put(struct web *w, struct liquid_record *r, int64_t us);
/* A value as YAML for a field of several lines; a text that could not be read as YAML is itself. STR("") for none. */
struct str resource_yaml_put(struct arena *a, const json_t *v);
/* And back, a new reference: what cannot be read is the text, which the validation refuses. NULL: nothing was written. */
json_t *resource_yaml_read(struct str text);

/* How the backend is now and, of a pool, its members: an array of objects, the backend first. *out NULL: there is none. */
GH_RC admin_backend_state(struct web *w, struct str id, json_t **out, struct gh_err *err);
/* `live` of the page: the same. */
GH_RC admin_put_backend_state(struct web *w, struct str id, struct gh_err *err);

/* How the canary and the mirror of a traffic rule ("api:orders") do: an array of an object each. *out NULL: there is no rule. */
GH_RC admin_traffic_state(struct web *w, struct str id, json_t **out, struct gh_err *err);
/* `now` of the page: the same. */
GH_RC admin_put_traffic_state(struct web *w, struct str id, struct gh_err *err);

/* rule_form.c: an access rule as groups of methods. `r` gets groups and what else the rule says. */
GH_RC rule_form_put(struct web *w, struct liquid_record *r, const json_t *rule, struct str at, bool may_change, struct gh_err *err);
json_t *rule_form_read(struct web *w, struct str at);

/* Makes a revision current, with the backend that it has; note empty: its own description stands in the change log. */
struct resource_change;
GH_RC admin_revision_current(struct web *w, struct resource_change *c, struct str api, int64_t number, struct str note, struct gh_err *err);

web_handler admin_resources, admin_resource, admin_resource_act;
