/* function.h - the functions that rules name in `then`. For config/governance/ only. */
#pragma once

#include "config/governance/rule.h"
#include "core/jsonschema.h"

struct governance_function;

struct governance_then {
	struct str field;                /* STR_NULL: the value itself; "@key": each name in it; "a.b" a member of a member */
	const struct governance_function *function;
	struct jsonschema *schema;       /* pattern (match), casing, enumeration and schema are all asked of this */
	struct jsonschema *not_schema;   /* pattern (notMatch) */
	struct str want, not_want;       /* what they want, for messages */
	bool has_min, has_max;
	double min, max;                 /* length */
	struct str keyed_by;             /* alphabetical */
	struct str *properties;          /* xor, or */
	size_t n_properties;
};

/* One value before a function. */
struct governance_judge {
	struct arena *arena;
	struct str error;                /* what is wrong: "must be at least 3 long" */
};

struct governance_function {
	const char *name;
	const char *options[6];          /* names that functionOptions may hold */
	bool needs;                      /* without functionOptions it says nothing */
	/* v NULL: not there. False: j->error says why. */
	bool (*run)(struct governance_judge *j, const struct governance_then *t, struct jtoken *v);
};

const struct governance_function *governance_function_find(struct str name);
/* Takes the options; on failure *pointer is where below functionOptions. */
GH_RC governance_options(struct arena *a, struct governance_then *t, const json_t *options, const char **pointer, struct gh_err *err);
