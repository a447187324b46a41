/* authorization_context.c - get-authorization-context: a token that the credential manager keeps for a provider. */
#include "policy/elements/identity.h"

#include "core/str.h"
#include "policy/context.h"

enum { IDENTITY_MANAGED, IDENTITY_JWT };

struct config {
	struct arg provider, authorization, variable, type, identity, ignore;
};

enum step authorization_failed(struct exchange *x, const struct authorization_op *op, struct str reason, struct str what)
{
	exchange_fail(x, op->failure_status ? op->failure_status : 500, str_is_null(op->failure_reason) ? reason : op->failure_reason,
		      "%.*s: %.*s", STR_ARG(what), STR_ARG(op->failure_text));
	if (op->retry_after_s) {
		x->error.header = STR("Retry-After");
		x->error.header_value = arena_printf(x->arena, "%u", op->retry_after_s);
	} else if (op->failure_status == 401) {
		x->error.header = STR("WWW-Authenticate");
		x->error.header_value = STR("Bearer error=\"invalid_token\"");
	}
	return STEP_FAIL;
}

static enum step done(struct exchange *x, const struct config *c, const struct authorization_op *op)
{
	struct value v = VALUE_NULL_INIT;
	bool ignore;

	if (!arg_get_bool(x, &c->ignore, &ignore))
		return STEP_FAIL;
	if (!str_is_null(op->access_token)) {
		exchange_trace(x, "token of %.*s/%.*s", STR_ARG(op->provider), STR_ARG(op->authorization));
		v = context_authorization(x->arena, op->access_token, &op->claims);
	} else if (!ignore) {
		return authorization_failed(x, op, STR("AuthorizationNotFound"), arena_printf(x->arena, "There is no token of %.*s/%.*s",
				     STR_ARG(op->provider), STR_ARG(op->authorization)));
	}
	return exchange_set_variable(x, c->variable.text, v) ? STEP_NEXT : exchange_no_memory(x);
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct authorization_op *op = arena_new_of(x->arena, struct authorization_op);
	enum step step = STEP_NEXT;
	int64_t type;

	if (!op)
		return exchange_no_memory(x);
	*step_state(x) = op;
	fields_init(&op->claims, x->arena);
	if (!arg_get_text(x, &c->provider, &op->provider) || !arg_get_text(x, &c->authorization, &op->authorization)
	    || !arg_get_int(x, &c->type, &type)
	    || (type == IDENTITY_JWT && !arg_get_text(x, &c->identity, &op->identity)))
		return STEP_FAIL;
	if (x->host->authorization)
		step = x->host->authorization(x, op);
	else
		op->failure_text = STR("this gateway has no credential manager");
	return step == STEP_NEXT ? done(x, c, op) : step;
}

static enum step resume(struct exchange *x, const void *config)
{
	const struct authorization_op *op = *step_state(x);

	return op->done ? done(x, config, op) : STEP_WAIT;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct config *a = config;

	if (a->type.expr || a->type.number != IDENTITY_JWT || a->identity.given)
		return true;
	compile_error(c, n, NULL, "identity-type=\"jwt\" needs the attribute `identity`");
	return false;
}

static const struct arg_schema args[] = {
	{ .name = "provider-id",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct config, provider),
	  .help = "the credential provider" },
	{ .name = "authorization-id",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct config, authorization),
	  .help = "the connection" },
	{ .name = "context-variable-name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct config, variable),
	  .help = "variable for the Authorization with AccessToken and Claims" },
	{ .name = "identity-type",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "managed|jwt",
	  .def = "managed",
	  .offset = offsetof(struct config, type),
	  .help = "who asks: the gateway, or whom a token names" },
	{ .name = "identity",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct config, identity),
	  .help = "the token, for identity-type jwt" },
	{ .name = "ignore-error",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct config, ignore),
	  .help = "go on with null when there is no token" },
};
static const struct element_schema schema = {
	.name = "get-authorization-context", .help = "Takes the token of a connection out of the credential manager.",
	.config_size = sizeof(struct config), .args = args, .n_args = ARRAY_LEN(args), .check = check,
};
const struct policy_type get_authorization_context_type = {
	.schema = &schema, .sections = IN_INBOUND, .scopes = NOT_WORKSPACE, .run = run, .resume = resume
};
