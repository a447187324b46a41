/* exchange.c - what hangs on an exchange besides its program: variables, errors and the standard answers. */
#include "policy/program.h"

#include "core/http_status.h"
#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>

enum { VARIABLES_MAX = 4096, MESSAGE_MAX = 2048 };

/* ---- variables --------------------------------------------------------------------------------------------------- */

static struct variable *find_variable(const struct exchange *x, struct str name)
{
	for (size_t i = 0; i < x->n_variables; i++)
		if (str_eq(x->variables[i].name, name))
			return &x->variables[i];
	return NULL;
}

const struct value *exchange_variable(const struct exchange *x, struct str name)
{
	const struct variable *v = find_variable(x, name);

	return v ? &v->value : NULL;
}

bool exchange_set_variable(struct exchange *x, struct str name, struct value value)
{
	struct variable *v = find_variable(x, name);

	if (v) {
		v->value = value;
		return true;
	}
	if (x->n_variables == VARIABLES_MAX)
		return false;
	if (x->n_variables == x->cap_variables) {
		size_t cap = x->cap_variables ? x->cap_variables * 2 : 8;

		v = arena_alloc(x->arena, cap, sizeof(*v));
		if (!v)
			return false;
		if (x->n_variables)
			memcpy(v, x->variables, x->n_variables * sizeof(*v));
		x->variables = v;
		x->cap_variables = cap;
	}
	x->variables[x->n_variables++] = (struct variable){ name, value };
	return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

struct str scope_name(enum scope s)
{
	static const struct str names[SCOPE__COUNT] = { STR_INIT("global"), STR_INIT("workspace"), STR_INIT("product"),
							STR_INIT("api"), STR_INIT("operation"), STR_INIT("environment") };

	return names[s];
}

struct str section_name(enum section s)
{
	static const struct str names[SECTION__COUNT] = { STR_INIT("inbound"), STR_INIT("backend"),
							  STR_INIT("outbound"), STR_INIT("on-error") };

	return names[s];
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Path of the present instruction, the paths of the includes it was reached by in front. */
static struct str present_path(struct exchange *x, const struct fiber *f)
{
	struct str path = STR("");

	for (size_t i = 0; i < f->n_frames; i++) {
		const struct frame *at = &f->frames[i];
		const struct instruction *in = &at->code->v[at->pc];

		if (i + 1 < f->n_frames && in->op != OP_FRAGMENT)
			continue;
		path = path.n ? arena_printf(x->arena, "%.*s\\%.*s", STR_ARG(path), STR_ARG(in->path)) : in->path;
	}
	return path;
}

static void fill_place(struct exchange *x)
{
	const struct fiber *f = x->program ? x->program->now : NULL;
	const struct instruction *in = f ? fiber_instruction(f) : NULL;
	struct last_error *e = &x->error;

	e->section = section_name(x->section);
	if (!in)
		return;
	e->source = in->name;
	e->scope = scope_name(f->frames[f->n_frames - 1].scope);
	e->path = present_path(x, f);
	e->policy_id = in->policy_id;
}

enum step exchange_refuse(struct exchange *x, int status, struct str reason, struct str message,
			  struct str public_message)
{
	x->error = (struct last_error){ .set = true, .status = status, .reason = reason, .message = message,
					.public_message = public_message };
	fill_place(x);
	exchange_trace(x, "failed: %.*s", STR_ARG(message));
	return STEP_FAIL;
}

enum step exchange_fail(struct exchange *x, int status, struct str reason, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	struct str message;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	message = arena_dup(x->arena, str_of(text));
	if (str_is_null(message))
		return exchange_no_memory(x);
	return exchange_refuse(x, status, reason, message, STR_NULL);
}

enum step exchange_no_memory(struct exchange *x)
{
	return exchange_refuse(x, 500, STR("MemoryLimitExceeded"),
			       STR("The request needs more memory than it may use."), STR_NULL);
}

/* The text for a client when a failure names none. */
static struct str public_text(int status)
{
	switch (status) {
	case 500:
		return STR("Internal server error");
	case 404:
		return STR("Resource not found");
	default:
		return http_reason(status);
	}
}

static void put_json_text(struct exchange *x, struct str in, struct str *out)
{
	char *p = arena_alloc_text(x->arena, in.n * 6 + 1), *at = p;

	*out = STR_NULL;
	if (!p)
		return;
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (c == '"' || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (c < 0x20) {
			at += snprintf(at, 7, "\\u%04x", c);
		} else {
			*at++ = (char)c;
		}
	}
	*out = (struct str){ p, (size_t)(at - p) };
}

bool respond_error(struct exchange *x, int status, struct str message)
{
	bool internal = str_is_null(message) && status == 500;
	struct str text, body;

	put_json_text(x, str_is_null(message) ? public_text(status) : message, &text);
	if (str_is_null(text))
		return false;
	if (internal && x->request_id.n)
		body = arena_printf(x->arena, "{ \"statusCode\": %d, \"message\": \"%.*s\", \"activityId\": \"%.*s\" }",
				    status, STR_ARG(text), STR_ARG(x->request_id));
	else
		body = arena_printf(x->arena, "{ \"statusCode\": %d, \"message\": \"%.*s\" }", status, STR_ARG(text));
	x->response = (struct response){ .status = status, .reason = http_reason(status) };
	x->response.body = (struct body){ .kind = BODY_HELD, .bytes = body, .changed = true };
	fields_init(&x->response.headers, x->arena);
	return !str_is_null(body) && fields_add(&x->response.headers, STR("Content-Type"), STR("application/json"));
}
