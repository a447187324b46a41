/* rule.h - rulesets of governance: YAML in, findings about a document out. No store here.
 *
 * A ruleset is written as those of Spectral are (docs/governance.md): rules with `given` (JSONPath, one or several), `then` (field and
 * function, one or several), severity, message, and how to mend what is found.
 *
 *     name: Naming
 *     rules:
 *       operation-id-casing:
 *         description: Each operationId is in camel case
 *         severity: warning
 *         document: openapi              the description of the API; `configuration`: what facts.h makes of the instance
 *         given: '#Operation'
 *         then: {field: operationId, function: casing, functionOptions: {type: camel}}
 *         mend: Write operationId like getOrder
 *
 * Reading compiles everything, so a ruleset that was read always runs. What runs is bounded: GOVERNANCE_STEPS_MAX for each path over a
 * document, and the limits of core/jsonschema.h for patterns and schemas.
 *
 * Memory: a ruleset lives in its arena. It may be used by one thread at a time. */
#pragma once

#include "core/json.h"
#include "policy/net/json.h"

enum governance_severity {
	GOVERNANCE_OFF, GOVERNANCE_INFORMATION, GOVERNANCE_WARNING, GOVERNANCE_ERROR, GOVERNANCE_SEVERITY__COUNT
};
extern const char *const governance_severity_names[];    /* "off", "information", "warning", "error"; ends with NULL */
/* Also Spectral's words: warn, info, hint. */
bool governance_severity_find(struct str name, enum governance_severity *out);

enum governance_document { GOVERNANCE_OPENAPI, GOVERNANCE_CONFIGURATION };

enum {
	GOVERNANCE_RULES_MAX = 500, GOVERNANCE_PATHS_MAX = 20, GOVERNANCE_THEN_MAX = 20, GOVERNANCE_VALUES_MAX = 200,
	GOVERNANCE_STEPS_MAX = 4000000,          /* of one path over one document: tokens that it passes */
	GOVERNANCE_RULESET_BYTES = 512 * 1024,
	GOVERNANCE_ID_MAX = 100,                 /* of a ruleset and of a rule */
	GOVERNANCE_OF_RULE_MAX = 100,            /* findings of one rule in one document; the last one says that there are more */
};

struct governance_then;
struct governance_rule {
	struct str id, description, message, mend, url;  /* message, mend, url: STR_NULL when not given */
	enum governance_severity severity;
	enum governance_document document;
	unsigned formats;                        /* bits of enum governance_format; 0: any */
	struct str *given;                       /* JSONPath, aliases put in */
	size_t n_given;
	struct governance_then *then;
	size_t n_then;
};

enum governance_format { GOVERNANCE_OAS2 = 1, GOVERNANCE_OAS3_0 = 2, GOVERNANCE_OAS3_1 = 4 };

struct governance_ruleset {
	struct str id, name, description;
	struct governance_rule *rules;           /* in their order */
	size_t n;
};

/* INVALID, SYNTAX or LIMIT with what is wrong in err and its place in *where ({0, 0}: not known). */
GH_RC governance_ruleset_read(struct arena *a, struct str id, struct str text, struct governance_ruleset *out, struct text_where *where,
			      struct gh_err *err);
const struct governance_rule *governance_rule_find(const struct governance_ruleset *s, struct str id);

/* ---- running ----------------------------------------------------------------------------------------------------------- */

struct governance_hit {
	struct str pointer;                      /* JSON Pointer of the value, or of what lacks the field */
	struct str place;                        /* for people: "paths./orders.get", "policy api:orders, line 5" */
	struct str message;
};

/* What the document is, and its tokens. */
struct governance_subject {
	enum governance_document document;
	unsigned format;                         /* of a description: one of enum governance_format; 0: not known */
	struct jtoken *root;
};

/* A description as a subject. INVALID or SYNTAX when it cannot be read. Everything lives in the arena. */
GH_RC governance_description(struct arena *a, struct str text, struct governance_subject *out, struct gh_err *err);

/* Findings of a rule; none when it is about another document or format. *n counts, *more says that there were further ones. A rule that
 * needs too much work gives a hit that says so. NOMEM only. */
GH_RC governance_run(struct arena *a, const struct governance_rule *r, const struct governance_subject *d, struct governance_hit **out,
		     size_t *n, bool *more, struct gh_err *err);

/* The names of all functions; ends with NULL. */
extern const char *const governance_function_names[];

/* ---- shared by the files of this folder ---------------------------------------------------------------------------------- */

/* A JSON value as tokens; NULL: too deep, or out of memory. */
struct jtoken *governance_token(struct arena *a, const json_t *v);
/* A new JSON value; NULL: too deep, or out of memory. */
json_t *governance_json(const struct jtoken *t);
