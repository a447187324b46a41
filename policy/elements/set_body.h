/* set_body.h - the body that set-body makes: plain text, an expression, inline XML or a Liquid template. */
#pragma once

#include "policy/elements/message_ops.h"

struct liquid_template;

struct set_body_config {
	struct arg text, template, xsi_nil, parse_date;
	const struct liquid_template *liquid;        /* NULL: no template */
};

/* Renders a template over the exchange. False after exchange_fail. */
bool render_liquid(struct exchange *x, const struct set_body_config *c, const struct body *from,
		   const struct fields *headers, struct str *out) MUST_USE;
