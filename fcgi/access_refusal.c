/* access_refusal.c - what a refused caller gets: status, challenge (RFC 9110 section 11.6.1, RFC 6750, RFC 7617), body with the
 * request's id; and what the record keeps: which check, what was expected, what came. Never a token, secret or password. */
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "policy/elements/token_compared.h"

enum { CHALLENGES_MAX = 2048 };

/* ---- the record ------------------------------------------------------------------------------------------------------------------ */

static struct str detail_of(struct access_flow *f, const struct comparison *c)
{
	const struct token_compared was = { .check = c->check, .expected = c->expected, .got = c->got, .kid = c->kid, .scope = c->scope };

	return token_compared_text(access_arena(f), c->method, &was);
}

/* ---- challenges ------------------------------------------------------------------------------------------------------------------- */

static const char *bearer_error(const struct comparison *c)
{
	if (c->rank < 3)
		return NULL;                 /* RFC 6750 section 3: no error when nothing was shown */
	return reason_info(c->reason)->status == 403 ? "insufficient_scope" : "invalid_token";
}

static bool is_token_method(enum access_kind k)
{
	return k == ACCESS_JWT || k == ACCESS_INTROSPECT;
}

static void add_bearer(struct access_flow *f, struct buf *b, const struct comparison *c, const struct snap_method *m)
{
	const char *error = c->method && strcmp(c->method, access_methods[m->kind].name) == 0 ? bearer_error(c) : NULL;

	buf_cstr(b, "Bearer realm=\"");
	buf_str(b, f->api->ctx.path.n ? f->api->ctx.path : f->api->ctx.id);
	buf_char(b, '"');
	if (!error)
		return;
	buf_fmt(b, ", error=\"%s\", error_description=\"", error);
	buf_str(b, reason_info(c->reason)->message);
	buf_char(b, '"');
	if (c->scopes_needed.n && field_value_ok(c->scopes_needed) && str_find_char(c->scopes_needed, '"') == SIZE_MAX) {
		buf_cstr(b, ", scope=\"");
		buf_str(b, c->scopes_needed);
		buf_char(b, '"');
	}
}

static void add_key(struct access_flow *f, struct buf *b)
{
	const struct url *u = &f->k->x.request.original_url;
	struct access_request rq = { .api = f->api, .scheme = u->scheme, .host = f->k->client_host, .mount = call_mount(f->k) };
	struct access a = { .result = ACCESS_KEY_MISSING };

	if (access_refuse_key(&rq, access_arena(f), &a))
		buf_str(b, a.challenge);
}

static void add_challenge(struct access_flow *f, struct buf *b, const struct comparison *c, const struct snap_method *m)
{
	size_t before = b->n;

	if (before)
		buf_cstr(b, ", ");
	switch (m->kind) {
	case ACCESS_KEY:
		add_key(f, b);
		return;
	case ACCESS_JWT:
	case ACCESS_INTROSPECT:
		add_bearer(f, b, c, m);
		return;
	case ACCESS_CLIENT:
		if (m->from_basic) {
			buf_cstr(b, "Basic realm=\"client\"");
			return;
		}
		break;
	case ACCESS_BASIC:
		buf_fmt(b, "Basic realm=\"%.*s\", charset=\"UTF-8\"", STR_ARG(m->realm));
		return;
	case ACCESS_HMAC:
		buf_cstr(b, "Signature realm=\"gatehouse\"");
		return;
	case ACCESS_SIGV4:
		buf_cstr(b, "AWS4-HMAC-SHA256");
		return;
	default:
		break;
	}
	b->n = before;                       /* it has no scheme */
}

/* Once for each method, in the order of the rules: what a caller may try. */
static struct str challenges(struct access_flow *f, const struct comparison *c)
{
	unsigned told = 0;
	struct str out;
	struct buf b;

	buf_init(&b, CHALLENGES_MAX);
	for (f->rule = 0; f->rule < f->n_rules; f->rule++) {
		size_t n;
		const struct snap_group *groups = groups_of_rule(f, &n);

		for (size_t g = 0; g < n; g++) {
			for (size_t i = 0; i < groups[g].n; i++) {
				const struct snap_method *m = &groups[g].methods[i];
				unsigned bit = 1u << (is_token_method(m->kind) ? ACCESS_JWT : m->kind);

				/* the one that failed tells of tokens */
				if ((told & bit)
				    || (is_token_method(m->kind) && c->rank == 3 && c->method
					&& strcmp(c->method, access_methods[m->kind].name) != 0 && is_token_method(c->kind)))
					continue;
				told |= bit;
				add_challenge(f, &b, c, m);
			}
		}
	}
	out = b.n && buf_ok(&b) ? arena_dup(access_arena(f), buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

/* Of 403 only a missing scope has something to say (RFC 6750 section 3.1). */
static struct str challenge_of(struct access_flow *f, const struct comparison *c, int status)
{
	struct snap_method bearer = { .kind = ACCESS_JWT };
	struct str out;
	struct buf b;

	if (status == 401)
		return challenges(f, c);
	if (c->reason != REASON_TOKEN_SCOPE)
		return STR_NULL;
	bearer.kind = c->kind;
	buf_init(&b, CHALLENGES_MAX);
	add_bearer(f, &b, c, &bearer);
	out = buf_ok(&b) ? arena_dup(access_arena(f), buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------------------- */

/* A refused key keeps the words of the reference system. */
static void answer_key(struct access_flow *f, const struct comparison *c, struct last_error *e)
{
	const struct url *u = &f->k->x.request.original_url;
	struct access_request rq = { .api = f->api, .scheme = u->scheme, .host = f->k->client_host, .mount = call_mount(f->k) };
	struct access a = { .result = c->rank == 1 || c->rank == 2 ? ACCESS_KEY_MISSING : ACCESS_KEY_INVALID };

	f->k->word = str_of(c->check);
	if (str_eq(f->k->word, reason_info(REASON_STORE_UNAVAILABLE)->word))
		a.result = ACCESS_UNAVAILABLE;
	if (!access_refuse_key(&rq, access_arena(f), &a))
		return;
	*e = (struct last_error){ .set = true, .source = STR("authorization"), .reason = a.error_reason, .message = a.error_message,
				  .status = a.status, .public_message = a.message, .public_reason = a.status_reason };
}

static void answer_anypoint(struct access_flow *f, const struct comparison *c, struct last_error *e)
{
	if (c->reason != REASON_CLIENT_MISSING && c->reason != REASON_CLIENT_INVALID && c->reason != REASON_SUBSCRIPTION_NONE
	    && c->reason != REASON_CALLER_SUSPENDED)
		return;
	e->status = 401;
	e->public_body = STR("{ \"error\": \"Invalid client id or secret\" }");
	e->header = STR("WWW-Authenticate");
	e->header_value = str_starts_ci(fields_get(&f->k->x.request.headers, STR("Authorization")), STR("Basic "))
				  ? STR("Basic realm=\"mule-realm\"")
				  : STR("Client-ID-Enforcement");
}

void access_answer_refusal(struct access_flow *f, struct last_error *e)
{
	const struct comparison *c = &f->worst;
	const struct reason_info *why = reason_info(c->reason);
	bool key = c->reason == REASON_NONE;

	f->k->detail = detail_of(f, c);
	if (key) {
		answer_key(f, c, e);
	} else {
		f->k->word = why->word;
		*e = (struct last_error){ .set = true, .source = STR("authorization"), .reason = why->word, .message = why->message,
					  .status = why->status, .public_message = why->message };
		e->public_body = arena_printf(access_arena(f),
					      "{ \"statusCode\": %d, \"message\": \"%.*s\", \"reason\": \"%.*s\", \"requestId\": \"%.*s\" }",
					      why->status, STR_ARG(why->message), STR_ARG(why->word), STR_ARG(f->k->x.request_id));
	}
	if (e->status == 503) {
		e->header = STR("Retry-After");
		e->header_value = STR("5");
	} else {
		e->header_value = challenge_of(f, c, e->status);
		e->header = e->header_value.n ? STR("WWW-Authenticate") : STR_NULL;
	}
	if (f->rules[0]->profile == ACCESS_ANYPOINT)
		answer_anypoint(f, c, e);
}
