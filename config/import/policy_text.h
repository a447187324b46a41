/* policy_text.h - policy elements as text: values are escaped, and a value that would be an expression is made a plain one. */
#pragma once

#include "core/buf.h"
#include "core/json.h"
#include "core/str.h"

enum { POLICY_TEXT_MAX = 1 << 20 };

/* A value of an attribute or a text between tags. "@(" and "@{" at its beginning and "{{" inside would be expressions and named values:
 * what comes from elsewhere is never one, so such a value becomes an expression that is that text. */
void policy_value(struct buf *b, struct str value);
/* <set-header name="N" exists-action="A"><value>V</value></set-header>; no value for "delete". */
void policy_set_header(struct buf *b, struct str name, const char *action, struct str value);
void policy_set_query(struct buf *b, struct str name, const char *action, struct str value);
/* The value as the text of a C# literal, for expressions in attributes. */
void policy_literal(struct buf *b, struct str value);
/* Every call is answered with that status: where something that guarded the API could not be taken over. */
void policy_closed(struct buf *b, const char *why);
/* validate-jwt by an issuer's discovery document. */
struct policy_jwt {
	struct str issuer;
	struct str header;               /* that the token stands in, with or without "Bearer"; STR_NULL: Authorization, with it */
	struct str audiences[16];
	size_t n;
	const json_t *scopes;            /* an array of texts, of which the token has at least one; may be NULL */
};
void policy_jwt(struct buf *b, const struct policy_jwt *j);
