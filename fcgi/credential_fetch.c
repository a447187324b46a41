/* credential_fetch.c - requests to token endpoints, one process of a machine at a time; and, where several machines share a Redis,
 * one machine at a time (shared_token.h). */
#include "fcgi/credential_impl.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"

enum {
	ARENA_BYTES = 4 << 20,
	BACK_OFF_MOST_S = 30, BACK_OFF_DOUBLINGS = 5,
	LONG_LIFE_S = 30, LEAD_LEAST_S = 3,
};
static const int64_t REFRESH_KEPT_US = INT64_C(30) * 86400 * 1000000;       /* for machines that were without calls so long */

void credential_fetch_end(struct fetch *f)
{
	shared_token_drop(&f->outside);
	*(f->prev ? &f->prev->next : &f->v->fetches) = f->next;
	if (f->next)
		f->next->prev = f->prev;
	snapshot_unref(f->snapshot);
	if (f->body.p)
		crypto_wipe(f->body.p, f->body.n);
	buf_release(&f->body);
	arena_free(f->arena);                /* f itself lives in it */
}

/* The endpoint without its query, which may hold anything. */
static struct str shown(struct arena *a, struct str url)
{
	return arena_printf(a, "token endpoint %.*s", STR_ARG(str_first(url, str_find_char(url, '?'))));
}

static void note_failure(struct fetch *f, struct str problem, int64_t retry_after_s, bool subject)
{
	struct credentials *v = f->v;
	int64_t now = clock_wall_us(), wait_us;
	struct tokens_view view;
	unsigned doublings;
	uint32_t jitter;

	tokens_get(v->tokens, &f->id, now, false, &view);
	doublings = view.failures < BACK_OFF_DOUBLINGS ? view.failures : BACK_OFF_DOUBLINGS;
	wait_us = ((int64_t)CREDENTIAL_BACK_OFF_S << doublings) * 1000000;
	if (wait_us > BACK_OFF_MOST_S * INT64_C(1000000))
		wait_us = BACK_OFF_MOST_S * INT64_C(1000000);
	worker_random(v->wk, &jitter, sizeof(jitter));
	wait_us -= wait_us / 8 * (jitter % 1024) / 1024;
	if (retry_after_s * 1000000 > wait_us)
		wait_us = retry_after_s * 1000000;
	problem = arena_printf(f->arena, "%.*s%.*s: %.*s", STR_ARG(subject ? credential_subject_refused : STR("")), STR_ARG(shown(f->arena, f->url)),
			       STR_ARG(problem));
	tokens_fail(v->tokens, &f->id, problem, now + wait_us);
	log_warn("no token", KV_STR("credential", f->credential->c.id), KV_STR("environment", f->credential->c.environment),
		 KV_STR("problem", problem), KV_INT("retry_ms", wait_us / 1000));
}

/* From when on the next one is asked for: some time before the end, not at the same moment for all tokens. */
static int64_t lead_us(struct worker *wk, int64_t life_s)
{
	int64_t lead = life_s >= LONG_LIFE_S ? life_s * 100000 : life_s * 200000;
	uint32_t jitter;

	if (life_s >= LONG_LIFE_S && lead < LEAD_LEAST_S * INT64_C(1000000))
		lead = LEAD_LEAST_S * INT64_C(1000000);
	worker_random(wk, &jitter, sizeof(jitter));
	return lead - lead / 5 * (jitter % 1024) / 1024;
}

/* With a refresh token it is of use after its own end. */
static void tell_others(struct fetch *f, const struct tokens_outside *v)
{
	int64_t keep_us = f->credential->c.kind == CREDENTIAL_CODE && v->life_us < REFRESH_KEPT_US ? REFRESH_KEPT_US : v->life_us;
	struct str mark, sealed;
	struct gh_err err;

	if (!f->outside.wk)
		return;
	mark = tokens_mark(f->v->tokens, f->arena, v->value);
	if (mark.p && !tokens_wrap(f->v->tokens, f->arena, &f->id, v, &sealed, &err).code)
		shared_token_keep(&f->outside, mark, sealed, v->due_us, keep_us);
}

static void keep_token(struct fetch *f, struct token_answer *t)
{
	struct credentials *v = f->v;
	int64_t now = clock_wall_us(), life = (t->life_s > 0 ? t->life_s : 1) * 1000000, spent = now - f->begun_us, due;
	struct gh_err err;
	struct str packed;

	/* the endpoint's clock began some time after we asked */
	if (spent > 0)
		life -= spent < life / 4 ? spent : life / 4;
	if (!t->refresh_token.n)
		t->refresh_token = f->old_refresh;
	packed = token_pack(f->arena, t);
	due = life - lead_us(v->wk, life / 1000000);
	if (!packed.p || tokens_store(v->tokens, &f->id, packed, now, now + due, now + life, &err).code) {
		note_failure(f, packed.p ? str_of(err.message) : STR("no memory"), 0, false);
		return;
	}
	tell_others(f, &(struct tokens_outside){ packed, life, due });
	log_info("token", KV_STR("credential", f->credential->c.id), KV_STR("environment", f->credential->c.environment),
		 KV_INT("life_s", t->life_s), KV_INT("took_ms", spent / 1000));
	if (f->credential->c.kind == CREDENTIAL_CODE && t->refresh_token.n && !str_eq(t->refresh_token, f->old_refresh))
		credential_keep_refresh(v->wk->state_dir, f->credential->c.environment, f->credential->c.id,
				        f->old_refresh, t->refresh_token);
}

static void on_head(struct transfer *t UNUSED)
{
}

static bool on_body(struct transfer *t, struct str bytes)
{
	struct fetch *f = transfer_owner(t);

	if (bytes.n > f->v->response_bytes - f->body.n)
		f->too_large = true;
	else
		buf_str(&f->body, bytes);
	return true;
}

static size_t no_upload(struct transfer *t UNUSED, char *to UNUSED, size_t n UNUSED)
{
	return 0;
}

/* Those who wait look again. */
static void over(struct fetch *f)
{
	struct credentials *v = f->v;
	bool outdated = v->wk->serving->snapshot && !credential_still_so(v->wk->serving->snapshot, f->id.environment, f->id.credential, f->id.print);

	credential_fetch_end(f);
	credentials_look_again(&v->look);
	/* the credential has changed meanwhile: those who waited have the token, nobody else will look for it */
	if (outdated)
		credentials_configured(v->wk, v->wk->serving->snapshot);
}

static void on_done(struct transfer *t, enum reason why)
{
	struct fetch *f = transfer_owner(t);
	struct credentials *v = f->v;
	const struct response *r = transfer_response(t);
	struct token_answer answer;
	enum token_verdict verdict;

	f->transfer = NULL;
	credentials_open(v);
	if (!v->tokens) {
		log_error("a token could not be kept", KV_STR("credential", f->credential->c.id));
	} else if (why != REASON_NONE) {
		struct str word = reason_info(why)->word;
		const char *detail = transfer_problem(t);

		if (reason_is_backend(why))      /* it is none: backend_timeout is said as "timeout" */
			word = str_from(word, sizeof("backend_") - 1);
		note_failure(f, arena_printf(f->arena, "the request failed (%.*s)%s%s", STR_ARG(word), detail[0] ? ": " : "", detail), 0, false);
	} else if (f->too_large) {
		note_failure(f, STR("its answer is larger than credential.response_bytes"), 0, false);
	} else {
		verdict = token_answer_read(f->arena, &f->credential->c, r->status, buf_view(&f->body),
					    fields_get(&r->headers, STR("Retry-After")), &answer);
		if (verdict == TOKEN_OK)
			keep_token(f, &answer);
		else
			note_failure(f, answer.problem, answer.retry_after_s, verdict == TOKEN_SUBJECT);
	}
	over(f);
}

static const struct transfer_ops ops = { .head = on_head, .body = on_body, .upload = no_upload, .done = on_done };

static struct fetch *new_fetch(struct credentials *v, struct snapshot *s, const struct snap_credential *c,
			       const struct tokens_id *id)
{
	struct arena *a = arena_new(ARENA_BYTES);
	struct fetch *f = a ? arena_new_of(a, struct fetch) : NULL;

	if (!f) {
		arena_free(a);
		return NULL;
	}
	f->v = v;
	f->arena = a;
	f->snapshot = snapshot_ref(s);
	f->credential = c;
	f->id = *id;
	f->id.environment = c->c.environment;
	f->id.credential = c->c.id;
	f->id.subject = id->subject.n ? arena_dup(a, id->subject) : STR_NULL;
	f->url = credential_text(&c->c, "token-url");
	f->begun_us = clock_wall_us();
	buf_init(&f->body, v->response_bytes);
	f->next = v->fetches;
	if (f->next)
		f->next->prev = f;
	v->fetches = f;
	return f;
}

/* The refresh token that came last, else that of the consent. */
static struct str refresh_token(struct fetch *f)
{
	struct token_answer last;

	if (f->credential->c.kind != CREDENTIAL_CODE)
		return STR_NULL;
	if (token_unpack(tokens_last(f->v->tokens, &f->id, f->arena), &last) && last.refresh_token.n)
		return last.refresh_token;
	return f->credential->refresh_token;
}

static enum reason send_ask(struct fetch *f, const struct token_ask *ask)
{
	struct upstream_request rq = { .method = STR("POST"), .body = BODY_HELD, .bytes = ask->body, .http_version = 1, .fresh = true };
	const struct snap_certificate *cert = NULL;
	struct fields fields;
	enum reason why;
	struct url url;

	fields_init(&fields, f->arena);
	if (!url_parse(ask->url, &url))
		return REASON_BACKEND_URL;
	if (!fields_add(&fields, STR("Content-Type"), STR("application/x-www-form-urlencoded"))
	    || !fields_add(&fields, STR("Accept"), STR("application/json"))
	    || (ask->authorization.n && !fields_add(&fields, STR("Authorization"), ask->authorization)))
		return REASON_NO_MEMORY;
	if (ask->certificate_id.n) {
		cert = snapshot_certificate(f->snapshot, ask->certificate_id);
		if (!cert)
			return REASON_CREDENTIAL;
		rq.client_cert_pem = cert->cert_pem;
		rq.client_key_pem = cert->key_pem;
	}
	if (ask->ca_id.n) {
		cert = snapshot_certificate(f->snapshot, ask->ca_id);
		if (!cert)
			return REASON_CREDENTIAL;
		rq.ca_pem = cert->cert_pem;
	}
	rq.url = &url;
	rq.headers = &fields;
	rq.first_byte_ms = rq.total_ms = (uint32_t)(f->v->timeout_us / 1000);
	f->transfer = upstream_start(f->v->wk->up, f->arena, &rq, &ops, f, &why);
	return f->transfer ? REASON_NONE : why;
}

/* On failure the failure is noted and the claim is over. */
static enum reason ask_endpoint(struct fetch *f)
{
	struct token_grant grant = { .now_s = clock_wall_us() / 1000000 };
	struct token_ask ask;
	struct gh_err err;
	enum reason why;

	if (!f->old_refresh.p)
		f->old_refresh = refresh_token(f);
	grant.refresh_token = f->old_refresh;
	grant.subject = f->id.subject;
	if (token_ask_make(f->arena, &f->credential->c, &grant, &ask, &err).code) {
		note_failure(f, str_of(err.message), 0, false);
		return REASON_CREDENTIAL;
	}
	f->begun_us = clock_wall_us();
	why = send_ask(f, &ask);
	if (why != REASON_NONE)
		note_failure(f, why == REASON_CREDENTIAL ? STR("a certificate that `certificate` or `ca` names is not there") : reason_info(why)->message, 0, false);
	return why;
}

/* ---- other machines ---------------------------------------------------------------------------------------------------- */

/* False: it will not do, and the endpoint must be asked. */
static bool take_theirs(struct fetch *f, struct str sealed, int64_t age_us)
{
	int64_t begun = clock_wall_us() - age_us;
	struct tokens_outside o;
	struct gh_err err;

	if (!tokens_unwrap(f->v->tokens, f->arena, &f->id, sealed, &o) || age_us >= o.due_us
	    || tokens_store(f->v->tokens, &f->id, o.value, begun, begun + o.due_us, begun + o.life_us, &err).code)
		return false;
	log_info("token of another machine", KV_STR("credential", f->credential->c.id), KV_STR("environment", f->credential->c.environment),
		 KV_INT("life_s", (o.life_us - age_us) / 1000000));
	return true;
}

/* The provider may have taken back ours when it gave theirs. */
static void take_their_refresh(struct fetch *f, struct str sealed)
{
	struct tokens_outside o;
	struct token_answer last;

	if (f->credential->c.kind == CREDENTIAL_CODE && tokens_unwrap(f->v->tokens, f->arena, &f->id, sealed, &o) && token_unpack(o.value, &last)
	    && last.refresh_token.n)
		f->old_refresh = last.refresh_token;
}

static void others_asked(struct shared_token *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, outside);

	credentials_open(f->v);
	if (f->v->tokens && t->outcome == SHARED_TOKEN_FOUND && take_theirs(f, t->sealed, t->age_us)) {
		over(f);
		return;
	}
	if (f->v->tokens && t->outcome == SHARED_TOKEN_ASK && t->sealed.p)
		take_their_refresh(f, t->sealed);
	if (!f->v->tokens || ask_endpoint(f) != REASON_NONE)
		over(f);
}

static bool ask_others(struct fetch *f)
{
	struct tokens *t = f->v->tokens;
	int64_t purged = tokens_purged_us(t);

	if (!shared_here(f->v->wk->shared))
		return false;
	f->outside = (struct shared_token){ .wk = f->v->wk, .arena = f->arena, .name = tokens_outside_name(t, f->arena, &f->id),
					    .unwanted = tokens_mark(t, f->arena, tokens_last(t, &f->id, f->arena)),
					    .oldest_us = purged ? clock_wall_us() - purged : INT64_C(1) << 52, .over = others_asked };
	return f->outside.name.p && f->outside.unwanted.p && shared_token_take(&f->outside);
}

enum reason credential_fetch(struct credentials *v, struct snapshot *s, const struct snap_credential *c,
			     const struct tokens_id *id)
{
	struct fetch *f = new_fetch(v, s, c, id);
	enum reason why;

	if (!f) {
		tokens_fail(v->tokens, id, STR("out of memory"), clock_wall_us() + CREDENTIAL_BACK_OFF_S * 1000000);
		return REASON_NO_MEMORY;
	}
	if (ask_others(f))
		return REASON_NONE;
	why = ask_endpoint(f);
	if (why != REASON_NONE)
		credential_fetch_end(f);
	return why;
}
