/* access.c - check-header and ip-filter. */
#include "policy/elements/message_ops.h"

#include "core/ip.h"
#include "core/str.h"

/* ---- check-header ------------------------------------------------------------------------------------------------ */

struct check_config {
	struct arg name, code, message, ignore_case;
	struct children values;
};

static enum step refuse_header(struct exchange *x, const struct check_config *c, struct str reason, struct str message)
{
	struct str said;
	int64_t code;

	if (!arg_get_int(x, &c->code, &code) || !arg_get_text(x, &c->message, &said))
		return STEP_FAIL;
	return exchange_refuse(x, (int)code, reason, message, str_is_null(said) ? STR("") : said);
}

static enum step run_check(struct exchange *x, const void *config)
{
	const struct check_config *c = config;
	struct str name, value;
	bool ignore_case;

	if (!arg_get_text(x, &c->name, &name) || !arg_get_bool(x, &c->ignore_case, &ignore_case))
		return STEP_FAIL;
	value = fields_joined(&x->request.headers, name);
	if (str_is_null(value))
		return refuse_header(x, c, STR("HeaderNotFound"), arena_printf(x->arena,
				     "Header %.*s was not found in the request. Access denied.", STR_ARG(name)));
	for (size_t i = 0; i < c->values.n; i++) {
		const struct value_config *v = c->values.v[i].config;
		struct str want;

		if (!arg_get_text(x, &v->text, &want))
			return STEP_FAIL;
		if (ignore_case ? str_eq_ci(want, value) : str_eq(want, value))
			return STEP_NEXT;
	}
	if (!c->values.n)
		return STEP_NEXT;
	return refuse_header(x, c, STR("HeaderValueNotAllowed"),
			     arena_printf(x->arena, "Header %.*s value of %.*s is not allowed. Access denied.",
					  STR_ARG(name), STR_ARG(str_first(value, 200))));
}

static const struct arg_schema check_value_text = {
	.name = "value", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct value_config, text),
	.help = "an allowed value",
};
static const struct element_schema check_value_schema = {
	.name = "value",
	.help = "An allowed value.",
	.config_size = sizeof(struct value_config),
	.text = &check_value_text,
};
static const struct child_schema check_children[] = {
	{ .element = &check_value_schema, .offset = offsetof(struct check_config, values) },
};
static const struct arg_schema check_args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct check_config, name),
	  .help = "the header" },
	{ .name = "failed-check-httpcode",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 100,
	  .most = 999,
	  .offset = offsetof(struct check_config, code),
	  .help = "status of the refusal" },
	{ .name = "failed-check-error-message",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct check_config, message),
	  .help = "text of the refusal" },
	{ .name = "ignore-case",
	  .kind = ARG_BOOL,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct check_config, ignore_case),
	  .help = "compare values without case" },
};
static const struct element_schema check_schema = {
	.name = "check-header",
	.help = "Refuses a request that lacks a header, or whose value is none of the listed ones.",
	.config_size = sizeof(struct check_config),
	.args = check_args,
	.n_args = ARRAY_LEN(check_args),
	.children = check_children,
	.n_children = ARRAY_LEN(check_children),
};
const struct policy_type check_header_type = { .schema = &check_schema, .sections = IN_INBOUND, .scopes = NOT_WORKSPACE,
					       .run = run_check };

/* ---- ip-filter --------------------------------------------------------------------------------------------------- */

enum { ALLOW, FORBID };

struct filter_config {
	struct arg action;
	struct children rules;
};
struct address_config {
	struct arg text;
	struct ip_range literal;
};
struct range_config {
	struct arg from_text, to_text;
	struct ip_range literal;
};

static const struct element_schema address_schema;

static bool rule_bounds(struct exchange *x, const struct child *rule, struct ip_range *out)
{
	struct str a, b;

	if (rule->schema == &address_schema) {
		const struct address_config *c = rule->config;

		*out = c->literal;
		if (!c->text.expr)
			return true;
		if (!arg_get_text(x, &c->text, &a))
			return false;
		b = a;
		if (ip_parse_network(a, out))
			return true;
	} else {
		const struct range_config *c = rule->config;

		*out = c->literal;
		if (!c->from_text.expr && !c->to_text.expr)
			return true;
		if (!arg_get_text(x, &c->from_text, &a) || !arg_get_text(x, &c->to_text, &b))
			return false;
		if (ip_parse(a, &out->from) && ip_parse(b, &out->to))
			return true;
	}
	exchange_fail(x, 500, STR_NULL, "`%.*s` is no IP address.", STR_ARG(str_first(a, 80)));
	return false;
}

static enum step run_filter(struct exchange *x, const void *config)
{
	const struct filter_config *c = config;
	struct ip_range range;
	struct ip caller;
	bool listed = false;
	int64_t action;

	if (!arg_get_int(x, &c->action, &action))
		return STEP_FAIL;
	if (!ip_parse(x->request.ip, &caller))
		return exchange_refuse(x, 403, STR("FailedToParseCallerIP"),
				       STR("Failed to establish IP address for the caller. Access denied."),
				       STR("Forbidden"));
	for (size_t i = 0; i < c->rules.n && !listed; i++) {
		if (!rule_bounds(x, &c->rules.v[i], &range))
			return STEP_FAIL;
		listed = ip_within(&caller, &range);
	}
	exchange_trace(x, "%.*s is %slisted", STR_ARG(x->request.ip), listed ? "" : "not ");
	if (action == ALLOW && !listed)
		return exchange_refuse(x, 403, STR("CallerIpNotAllowed"),
				       arena_printf(x->arena, "Caller IP address %.*s is not allowed. Access denied.",
						    STR_ARG(x->request.ip)),
				       STR("Forbidden"));
	if (action == FORBID && listed)
		return exchange_refuse(x, 403, STR("CallerIpBlocked"),
				       STR("Caller IP address is blocked. Access denied."), STR("Forbidden"));
	return STEP_NEXT;
}

static bool check_address(struct compiler *c, const struct doc_node *n, void *config)
{
	struct address_config *a = config;

	if (a->text.expr || a->text.unknown || ip_parse_network(a->text.text, &a->literal))
		return true;
	compile_error(c, n, NULL, "`%.*s` is no IP address or network such as 10.0.0.0/8",
		      STR_ARG(str_first(a->text.text, 80)));
	return false;
}

static bool check_range(struct compiler *c, const struct doc_node *n, void *config)
{
	struct range_config *r = config;

	if (r->from_text.expr || r->to_text.expr || r->from_text.unknown || r->to_text.unknown)
		return true;
	if (!ip_parse(r->from_text.text, &r->literal.from))
		compile_error(c, n, "from", "`%.*s` is no IP address", STR_ARG(str_first(r->from_text.text, 80)));
	else if (!ip_parse(r->to_text.text, &r->literal.to))
		compile_error(c, n, "to", "`%.*s` is no IP address", STR_ARG(str_first(r->to_text.text, 80)));
	else if (memcmp(r->literal.from.b, r->literal.to.b, 16) > 0)
		compile_error(c, n, "from", "the range ends before it begins");
	else
		return true;
	return false;
}

static const struct arg_schema address_text = {
	.name = "address",
	.kind = ARG_TEXT,
	.flags = ARG_REQUIRED | ARG_EXPR,
	.offset = offsetof(struct address_config, text),
	.help = "an IPv4 or IPv6 address, or a network such as 10.0.0.0/8",
};
static const struct element_schema address_schema = {
	.name = "address",
	.help = "One address, or a network.",
	.config_size = sizeof(struct address_config),
	.text = &address_text,
	.check = check_address,
};
static const struct arg_schema range_args[] = {
	{ .name = "from",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct range_config, from_text),
	  .help = "first address" },
	{ .name = "to",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct range_config, to_text),
	  .help = "last address" },
};
static const struct element_schema range_schema = {
	.name = "address-range",
	.help = "All addresses from the first to the last.",
	.config_size = sizeof(struct range_config),
	.args = range_args,
	.n_args = ARRAY_LEN(range_args),
	.check = check_range,
};
static const struct child_schema filter_children[] = {
	{ .element = &address_schema, .offset = offsetof(struct filter_config, rules) },
	{ .element = &range_schema, .offset = offsetof(struct filter_config, rules) },
};
static const struct arg_schema filter_args[] = {
	{ .name = "action", .kind = ARG_ENUM, .flags = ARG_REQUIRED | ARG_EXPR, .choices = "allow|forbid",
	  .offset = offsetof(struct filter_config, action), .help = "what happens to the listed addresses" },
};

static bool check_filter(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct filter_config *f = config;

	if (f->rules.n)
		return true;
	compile_error(c, n, NULL, "`ip-filter` needs an <address> or an <address-range>");
	return false;
}

static const struct element_schema filter_schema = {
	.name = "ip-filter",
	.help = "Lets only listed addresses through, or all but them.",
	.config_size = sizeof(struct filter_config),
	.args = filter_args,
	.n_args = ARRAY_LEN(filter_args),
	.children = filter_children,
	.n_children = ARRAY_LEN(filter_children),
	.check = check_filter,
};
const struct policy_type ip_filter_type = { .schema = &filter_schema, .sections = IN_INBOUND, .run = run_filter };
