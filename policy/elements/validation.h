/* validation.h - what the validate family shares: findings, what is done about them, and what the caller reads. */
#pragma once

#include "policy/elements/model.h"

enum validation_action { VALIDATION_IGNORE, VALIDATION_PREVENT, VALIDATION_DETECT };

#define VALIDATION_ACTIONS "ignore|prevent|detect"
#define ACTION_ARG(attr, f, type, where, text)                                                                        \
	{ .name = attr, .kind = ARG_ENUM, .flags = (f) | ARG_EXPR, .choices = VALIDATION_ACTIONS, .offset = offsetof(type, where), \
	  .help = text }
#define ERRORS_ARG(type, where)                                                                                       \
	{ .name = "errors-variable-name", .kind = ARG_TEXT, .offset = offsetof(type, where),                          \
	  .help = "variable with the list of errors: Name, Type, ValidationRule, Details, Action" }

struct validation {
	struct exchange *x;
	json_t *list;                /* of all findings that are not ignored */
	struct str first;            /* public text of the first that prevents; STR_NULL: none does */
};

/* What the caller reads when the fault is not his. */
extern const struct str validation_generic;

bool validation_begin(struct exchange *x, struct validation *v) MUST_USE;
/* Records a finding. public_text STR_NULL: the same as details. */
void validation_add(struct validation *v, enum validation_action action, struct str name, struct str type,
		    struct str rule, struct str details, struct str public_text);
/* Sets the variable and refuses when something prevents: 400 for a request, 502 for a response. */
enum step validation_end(struct validation *v, const struct arg *variable);
