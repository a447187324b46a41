/* host_credential.c - tokens of the credential manager for policies: get-authorization-context and
 * authentication-managed-identity. */
#include "fcgi/credential.h"

#include "core/str.h"

struct asked {
	struct credential_need need;
	struct authorization_op *op;
};

static struct str environment_of(const struct call *k)
{
	const struct snap_api *api = k->gate ? k->gate->route.api : NULL;

	return api && api->environment ? api->environment->id : STR("default");
}

static const struct snap_credential *find(struct call *k, const struct authorization_op *op)
{
	const struct snapshot *s = k->gate ? k->gate->snapshot : NULL;
	struct str both;

	if (op->resource.p)
		return snapshot_credential_for(s, environment_of(k), op->resource, op->client_id);
	both = arena_printf(k->arena, "%.*s/%.*s", STR_ARG(op->provider), STR_ARG(op->authorization));
	return both.p ? snapshot_credential(s, environment_of(k), both) : NULL;
}

static void refuse(struct authorization_op *op, int status, struct str reason, struct str text)
{
	op->done = true;
	op->failure_status = status;
	op->failure_reason = reason;
	op->failure_text = text;
}

bool gate_hide(struct exchange *x, struct str text)
{
	struct call *k = x->owner;
	struct credential_secret *secret = arena_new_of(k->arena, struct credential_secret);

	if (!secret)
		return false;
	*secret = (struct credential_secret){ k->secrets, text, STR_NULL };
	k->secrets = secret;
	return true;
}

/* "instance_url" and the like, as texts. */
static void put_claims(struct call *k, struct str text, struct authorization_op *op)
{
	const char *name;
	json_t *j, *v;

	if (!text.n || jsn_parse_in(k->arena, text, NULL, &j, NULL, NULL).code)
		return;
	json_object_foreach(j, name, v) {
		struct str value = json_is_string(v) ? jsn_string(v) : jsn_text(k->arena, v, 0);

		if (!fields_add(&op->claims, str_of(name), value))
			return;
	}
}

static void answer(struct asked *a)
{
	const struct credential_need *n = &a->need;
	struct authorization_op *op = a->op;
	struct credential_secret *secret;

	if (n->why != REASON_NONE) {
		refuse(op, reason_info(n->why)->status, n->why == REASON_TOKEN ? STR("TokenUnavailable") : STR("AuthorizationFailed"), n->problem);
		op->retry_after_s = n->retry_after_s;
		return;
	}
	secret = arena_new_of(n->call->arena, struct credential_secret);
	if (!secret) {
		refuse(op, 500, STR_NULL, STR("out of memory"));
		return;
	}
	*secret = (struct credential_secret){ n->call->secrets, n->token.access_token, STR_NULL };
	n->call->secrets = secret;
	op->done = true;
	op->access_token = n->token.access_token;
	put_claims(n->call, n->token.claims, op);
}

/* The subject of a per-caller credential: what the policy gave, else the caller's own token. */
static bool choose_subject(struct call *k, struct asked *a)
{
	const struct snap_credential *c = a->need.credential;

	a->need.id = c->token_id;
	if (!credential_per_caller(&c->c)) {
		if (!a->op->identity.n)
			return true;
		refuse(a->op, 500, STR_NULL, STR("identity-type=\"jwt\" needs a credential that acts on behalf of callers: kind token-exchange, or "
						 "jwt-bearer with assertion=caller"));
		return false;
	}
	a->need.id.subject = a->op->identity.n ? a->op->identity : credential_subject(k, c);
	if (!a->need.id.subject.n) {
		refuse(a->op, 401, STR("SubjectTokenMissing"), reason_info(REASON_SUBJECT_MISSING)->message);
		return false;
	}
	tokens_id_seal(&a->need.id);
	return true;
}

enum step host_authorization(struct exchange *x, struct authorization_op *op)
{
	struct call *k = x->owner;
	struct asked *a = arena_new_of(k->arena, struct asked);
	const struct snap_credential *c = find(k, op);

	op->done = false;
	if (!a)
		return exchange_fail(x, 500, STR_NULL, "Out of memory.");
	if (!c || !credential_kind_info(c->c.kind)->token) {
		refuse(op, 500, STR_NULL,
		       c ? arena_printf(k->arena, "credential %.*s is of kind %s, which has no tokens", STR_ARG(c->c.id), credential_kind_info(c->c.kind)->name.p)
		       : op->resource.p
			       ? arena_printf(k->arena, "no credential of environment %.*s is configured for the resource %.*s: gatehouse credential set ID "
					      "--set resource=…", STR_ARG(environment_of(k)), STR_ARG(str_first(op->resource, 300)))
			       : arena_printf(k->arena, "environment %.*s has no such credential", STR_ARG(environment_of(k))));
		return STEP_NEXT;
	}
	a->op = op;
	a->need.credential = c;
	a->need.snapshot = k->gate->snapshot;
	if (!choose_subject(k, a))
		return STEP_NEXT;
	a->need.finished = host_authorization_done;
	return credential_get(k, &a->need);
}

void host_authorization_done(struct credential_need *n)
{
	answer(CONTAINER_OF(n, struct asked, need));
}
