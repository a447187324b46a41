/* regex_net.h - the objects behind Regex and Match, shared by the two files of their members. */
#pragma once

#include "policy/expr/class.h"
#include "policy/net/out.h"
#include "policy/net/regex_code.h"

#define NAMESPACE "System.Text.RegularExpressions."
#define TIMED_OUT                                                                                                           \
	"The RegEx engine has timed out while trying to match a pattern to an input string. This can occur for many reasons, " \
	"including very large inputs or excessive backtracking caused by nested quantifiers, back-references and other factors."

struct regex {
	struct object head;
	const struct regex_code *code;
};
struct capture {                     /* a Capture, a Group, or the first part of a Match */
	struct object head;
	const struct text *subject;
	struct str name;
	bool success;
	size_t from, to;             /* bytes of the subject */
	const struct match *match;   /* of a Group: where it stands, */
	unsigned group;              /* … and its number there */
};
struct match {
	struct capture whole;
	const struct regex_code *code;
	size_t *spans;
};
struct group_list {
	struct object head;
	const struct match *match;   /* groups */
	struct value *v;             /* matches, captures */
	size_t n;
};

extern struct value_class class_groups, class_matches;

/* The first match from byte `from`; *out NULL: none. False: threw. */
bool regex_run(struct vm_call *c, const struct regex_code *code, const struct text *subject, size_t from, struct match **out);
/* Where to look after m: one character on after an empty match. SIZE_MAX: nowhere. */
size_t regex_after(const struct match *m);
struct str regex_span(const struct match *m, unsigned group);            /* STR_NULL: the group took no part */
void regex_expand(struct out *o, const struct match *m, struct str replacement);
bool give_match(struct vm_call *c, const struct match *m);               /* NULL: Match.Empty */
bool regex_list_add(struct vm_call *c, struct group_list *l, size_t *cap, struct value v);
