/* liquid_context.c - what a Liquid template of set-body sees. */
#include "policy/elements/set_body.h"

#include "core/liquid.h"
#include "core/str.h"

enum { RENDERED_MAX = 8 * 1024 * 1024 };

bool render_liquid(struct exchange *x, const struct set_body_config *c, const struct body *from, const struct fields *headers,
		   struct str *out)
{
	struct liquid_env env = { .globals = liquid_of_record(liquid_record_new(x->arena)) };
	struct gh_err err;
	struct buf b;
	gh_rc rc;

	(void)from;
	(void)headers;
	buf_init(&b, RENDERED_MAX);
	rc = liquid_render(c->liquid, &env, x->arena, &b, &err);
	*out = rc.code ? STR_NULL : arena_dup(x->arena, buf_view(&b));
	buf_release(&b);
	if (rc.code)
		exchange_fail(x, 500, STR("LiquidTemplateFailure"), "The Liquid template failed: %s", err.message);
	else if (str_is_null(*out))
		exchange_no_memory(x);
	return !str_is_null(*out);
}
