#include "fcgi/consumer_rule.h"

#include "core/str.h"

const struct ctx_consumer_rule *consumer_rule(const struct gate_state *g)
{
	const struct ctx_subscription *sub = g->access.subscription;
	const struct ctx_consumer_rule *every = NULL;

	for (size_t i = 0; sub && i < sub->n_rules; i++) {
		if (str_eq(sub->rules[i].api_id, g->route.api->ctx.id))
			return &sub->rules[i];
		if (!sub->rules[i].api_id.n)
			every = &sub->rules[i];
	}
	return every;
}

static bool lists(struct str list, struct str wanted)
{
	struct str part;

	while (list.n && str_split(&list, ',', &part))
		if (str_eq(part, wanted))
			return true;
	return false;
}

static bool refuse(struct call *k, struct gate_state *g, enum reason why, const char *what, struct str expected, struct str got)
{
	struct last_error e = { .set = true, .source = STR("subscription"), .status = 403, .scope = STR("product"),
				.reason = reason_info(why)->word, .public_message = reason_info(why)->message };

	e.message = arena_printf(k->arena, "The rule of subscription %.*s allows the %s %.*s, not %.*s.", STR_ARG(g->access.subscription->id),
				 what, STR_ARG(expected), STR_ARG(got));
	k->word = e.reason;
	k->detail = arena_printf(k->arena, "check=consumer-rule expected=\"%s %.*s\" got=\"%.*s\"", what, STR_ARG(expected), STR_ARG(got));
	gate_fail(k, g, &e);
	return false;
}

bool consumer_rule_pass(struct call *k, struct gate_state *g)
{
	const struct ctx_consumer_rule *r = consumer_rule(g);
	struct str method = k->x.request.method;

	if (r && r->methods.n && !lists(r->methods, method))
		return refuse(k, g, REASON_CONSUMER_METHOD, "methods", r->methods, method);
	if (r && r->operations.n && !lists(r->operations, g->route.operation->ctx.id))
		return refuse(k, g, REASON_CONSUMER_OPERATION, "operations", r->operations, g->route.operation->ctx.id);
	return true;
}
