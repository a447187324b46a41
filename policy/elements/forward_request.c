/* forward_request.c - forward-request: the call of the backend. */
#include "policy/element.h"

#include "core/str.h"

struct config {
	struct arg timeout, timeout_ms, continue_timeout, follow, buffer_request, buffer_response, fail_on_error,
		http_version;
};

static enum step finish(struct exchange *x, const struct config *c, const struct forward *f)
{
	if (f->failure != CALL_OK) {
		exchange_fail(x, f->failure_status ? f->failure_status : 500,
			      f->failure == CALL_TIMEOUT ? STR("Timeout") : STR("BackendConnectionFailure"), "%.*s",
			      STR_ARG(f->failure_text));
		x->error.public_body = f->failure_body;
		x->error.header = f->failure_header;
		x->error.header_value = f->failure_header_value;
		return STEP_FAIL;
	}
	exchange_trace(x, "the %s answered %d", x->cached == EXCHANGE_CACHE_HIT ? "cache" : "backend", x->response.status);
	if (c->fail_on_error.number && x->response.status >= 400) {
		exchange_fail(x, x->response.status, STR("BackendErrorStatusCode"),
			      "The backend answered with status %d.", x->response.status);
		x->error.keep_response = true;
		return STEP_FAIL;
	}
	return STEP_NEXT;
}

static bool read_options(struct exchange *x, const struct config *c, struct forward *f)
{
	int64_t timeout = 0, timeout_ms = 0, wait = 0, version;

	if (!arg_get_int(x, &c->timeout, &timeout) || !arg_get_int(x, &c->timeout_ms, &timeout_ms)
	    || !arg_get_int(x, &c->continue_timeout, &wait) || !arg_get_int(x, &c->http_version, &version)
	    || !arg_get_bool(x, &c->follow, &f->follow_redirects)
	    || !arg_get_bool(x, &c->buffer_request, &f->buffer_request_body))
		return false;
	f->buffer_response = exchange_uses(x)->response_body;
	f->timeout_ms = c->timeout_ms.given ? (uint32_t)timeout_ms : c->timeout.given ? (uint32_t)(timeout * 1000) : 0;
	f->continue_timeout_ms = (uint32_t)(wait * 1000);
	f->http_version = (unsigned)version + 1;
	f->client_cert_pem = x->client_cert_pem;
	f->client_key_pem = x->client_key_pem;
	f->proxy_url = x->proxy_url;
	f->proxy_user = x->proxy_user;
	f->proxy_password = x->proxy_password;
	return true;
}

static enum step run(struct exchange *x, const void *config)
{
	struct forward *f = arena_new_of(x->arena, struct forward);
	enum step s;

	if (!f)
		return exchange_no_memory(x);
	*step_state(x) = f;
	if (!read_options(x, config, f))
		return STEP_FAIL;
	x->response = (struct response){ 0 };
	fields_init(&x->response.headers, x->arena);
	s = x->host->forward(x, f);
	return s == STEP_NEXT ? finish(x, config, f) : s;
}

static enum step resume(struct exchange *x, const void *config)
{
	struct forward *f = *step_state(x);

	return f->done ? finish(x, config, f) : STEP_WAIT;
}

/* The response is held whole when a policy needs its body. buffer-response alone only allows the reference system to
 * gather chunks; here a stream goes through as it comes either way. */
static const struct arg_schema args[] = {
	{ .name = "timeout",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = 86400,
	  .def = "300",
	  .offset = offsetof(struct config, timeout),
	  .help = "seconds to wait for the response's header" },
	{ .name = "timeout-ms",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = 86400000,
	  .offset = offsetof(struct config, timeout_ms),
	  .help = "the same in milliseconds; wins over timeout" },
	{ .name = "continue-timeout",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = 86400,
	  .offset = offsetof(struct config, continue_timeout),
	  .help = "seconds to wait for 100 Continue; not given: not asked for" },
	{ .name = "http-version",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "1|2|2or1",
	  .def = "1",
	  .offset = offsetof(struct config, http_version),
	  .help = "HTTP version towards the backend" },
	{ .name = "follow-redirects",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct config, follow),
	  .help = "follow redirects instead of handing them to the caller" },
	{ .name = "buffer-request-body",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct config, buffer_request),
	  .help = "keep the body so that retry can send it again" },
	{ .name = "buffer-response",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct config, buffer_response),
	  .help = "false: pass chunks on as they come" },
	{ .name = "fail-on-error-status-code",
	  .kind = ARG_BOOL,
	  .def = "false",
	  .offset = offsetof(struct config, fail_on_error),
	  .help = "go to on-error when the backend answers 400 to 599" },
};

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	struct config *f = config;

	if (f->timeout.given && f->timeout_ms.given)
		compile_warning(c, n, "timeout", "`timeout-ms` wins over `timeout`");
	if (f->buffer_request.expr || f->buffer_request.number)
		c->uses.backend_tries = true;
	return true;
}

static const struct element_schema schema = {
	.name = "forward-request", .help = "Sends the request to the backend and takes its response.",
	.config_size = sizeof(struct config), .args = args, .n_args = ARRAY_LEN(args), .check = check,
};
const struct policy_type forward_request_type = {
	.schema = &schema, .sections = IN_BACKEND, .run = run, .resume = resume
};
