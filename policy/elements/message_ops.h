/* message_ops.h - what set-header, set-body, set-status … do, for the message of the section and for those that
 * return-response and send-request make. */
#pragma once

#include "policy/element.h"

/* What is known of a header by its name; of a literal one it is known when the document is compiled. */
struct header_kind {
	bool untouchable;            /* belongs to the connection */
	bool never_joined;           /* several values stay several fields */
};
struct set_header_config {
	struct arg name, action;
	struct children values;
	bool fixed;                  /* all values are literals, trimmed and checked */
	struct header_kind kind;     /* of a literal name */
};
struct value_config {                /* <value> and other elements that hold one text */
	struct arg text;
};
struct set_status_config {
	struct arg code, reason;
};
struct text_config {
	struct arg text;
};

extern const struct element_schema set_header_schema, set_status_schema, set_method_schema, set_body_schema;

/* All answer false after exchange_fail. */
bool apply_set_header(struct exchange *x, const struct set_header_config *c, struct fields *to) MUST_USE;
bool apply_set_status(struct exchange *x, const struct set_status_config *c, struct response *to) MUST_USE;
bool apply_set_method(struct exchange *x, const struct text_config *c, struct str *to) MUST_USE;
/* The body that set-body gives; `from` is the message's present one. */
struct set_body_config;
bool apply_set_body(struct exchange *x, const struct set_body_config *c, struct body *to,
		    struct fields *headers) MUST_USE;
