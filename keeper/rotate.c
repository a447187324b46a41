#include "keeper/rotate.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/credential_rotate.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/certificates.h"
#include "db/credentials.h"
#include "db/rotation.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { LOOK_US = 2000000, AGAIN_US = 60000000, PROBLEM_MAX = 300 };
static const int64_t DAY_US = 86400000000;

struct rotator {
	const struct config *config;
	CURL *curl;
	struct buf answer;
	int64_t looked_us;                       /* monotonic */
};

/* One credential under way. */
struct job {
	struct rotator *r;
	struct store *s;
	struct arena *a;
	struct store_credential row;             /* in clear */
	struct credential c;
	struct store_rotation state;
};

GH_RC rotator_new(const struct config *config, struct rotator **out, struct gh_err *err)
{
	struct rotator *r = calloc(1, sizeof(*r));

	if (!r || !(r->curl = curl_easy_init())) {
		free(r);
		FAIL(err, NOMEM, "no memory for new secrets");
	}
	r->config = config;
	r->looked_us = -LOOK_US;
	buf_init(&r->answer, (size_t)config_int(config, CONFIG_CREDENTIAL_RESPONSE_BYTES));
	*out = r;
	return GH_RC_OK;
}

static void wipe(struct rotator *r)
{
	if (r->answer.p)
		crypto_wipe(r->answer.p, r->answer.n);
	buf_clear(&r->answer);
}

void rotator_free(struct rotator *r)
{
	if (!r)
		return;
	wipe(r);
	buf_release(&r->answer);
	curl_easy_cleanup(r->curl);
	free(r);
}

/* ---- one request -------------------------------------------------------------------------------------------------------- */

struct request {
	const char *method;
	struct str url, authorization, type, body;       /* body STR_NULL: none */
	struct str certificate_id, ca_id;                /* STR_NULL: none; the system's */
};

static size_t collect(char *p, size_t size, size_t n, void *to)
{
	buf_add(to, p, size * n);
	return buf_ok(to) ? size * n : 0;
}

static void give_blob(CURL *e, CURLoption option, struct str bytes)
{
	struct curl_blob b = { (void *)(uintptr_t)bytes.p, bytes.n, CURL_BLOB_COPY };

	if (bytes.n)
		curl_easy_setopt(e, option, &b);
}

static gh_rc give_certificates(struct job *j, const struct request *q, struct gh_err *err)
{
	struct store_certificate *v;
	size_t n;

	if (!q->certificate_id.n && !q->ca_id.n)
		return GH_RC_OK;
	TRY(store_certificates(j->s, j->a, true, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (q->certificate_id.n && str_eq(v[i].id, q->certificate_id)) {
			give_blob(j->r->curl, CURLOPT_SSLCERT_BLOB, v[i].pem);
			give_blob(j->r->curl, CURLOPT_SSLKEY_BLOB, v[i].key_pem);
		}
		if (q->ca_id.n && str_eq(v[i].id, q->ca_id))
			give_blob(j->r->curl, CURLOPT_CAINFO_BLOB, v[i].pem);
	}
	return GH_RC_OK;
}

static bool add_header(struct job *j, struct curl_slist **list, const char *name, struct str value)
{
	struct str line = arena_printf(j->a, "%s: %.*s", name, STR_ARG(value));
	struct curl_slist *longer = line.p ? curl_slist_append(*list, line.p) : NULL;

	if (line.p)
		crypto_wipe((void *)(uintptr_t)line.p, line.n);
	*list = longer ? longer : *list;
	return longer;
}

static gh_rc send_request(struct job *j, const struct request *q, int *status, struct gh_err *err)
{
	long ms = (long)config_int(j->r->config, CONFIG_CREDENTIAL_TIMEOUT_MS), code = 0;
	struct curl_slist *headers = NULL;
	CURL *e = j->r->curl;
	CURLcode result;
	bool ok;

	wipe(j->r);
	curl_easy_reset(e);
	TRY(give_certificates(j, q, err));
	ok = add_header(j, &headers, "Accept", STR("application/json"))
	     && (!q->authorization.n || add_header(j, &headers, "Authorization", q->authorization))
	     && (!q->body.p || add_header(j, &headers, "Content-Type", q->type));
	curl_easy_setopt(e, CURLOPT_URL, arena_cstr(j->a, q->url));
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	if (q->body.p) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.p);
	}
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, &j->r->answer);
	result = ok ? curl_easy_perform(e) : CURLE_OUT_OF_MEMORY;
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_reset(e);
	for (struct curl_slist *h = headers; h; h = h->next)
		crypto_wipe(h->data, strlen(h->data));
	curl_slist_free_all(headers);
	*status = (int)code;
	if (result != CURLE_OK)
		FAIL(err, UNAVAILABLE, "%.*s cannot be reached: %s", STR_ARG(str_first(q->url, 200)), curl_easy_strerror(result));
	return GH_RC_OK;
}

static gh_rc send_json(struct job *j, const struct request *q, json_t **answer, struct gh_err *err)
{
	int status;

	TRY(send_request(j, q, &status, err));
	if (status < 200 || status > 299)
		FAIL(err, DENIED, "%s %.*s answered %d", q->method, STR_ARG(str_first(q->url, 200)), status);
	if (jsn_parse_in(j->a, buf_view(&j->r->answer), NULL, answer, NULL, NULL).code || !json_is_object(*answer))
		FAIL(err, INVALID, "%s %.*s answered no JSON object", q->method, STR_ARG(str_first(q->url, 200)));
	return GH_RC_OK;
}

/* ---- trying a secret ------------------------------------------------------------------------------------------------------ */

/* An access token with this secret in the place of the credential's; scope STR_NULL: the credential's. */
static gh_rc token_with(struct job *j, struct str secret, struct str scope, struct str *token, struct gh_err *err)
{
	const struct token_grant grant = { .now_s = clock_wall_us() / 1000000 };
	struct credential c = j->c;
	struct token_answer answer;
	enum token_verdict verdict;
	struct token_ask ask;
	struct request q;
	int status;

	c.secrets = jsn_keep(j->a, json_deep_copy(j->c.secrets));
	c.settings = jsn_keep(j->a, json_deep_copy(j->c.settings));
	if (!c.secrets || !c.settings || json_object_set_new(c.secrets, "client-secret", json_stringn(secret.p, secret.n)) < 0
	    || (scope.n && json_object_set_new(c.settings, "scope", json_stringn(scope.p, scope.n)) < 0))
		FAIL(err, NOMEM, "no memory for a token request");
	TRY(token_ask_make(j->a, &c, &grant, &ask, err));
	q = (struct request){ .method = "POST", .url = ask.url, .authorization = ask.authorization, .body = ask.body,
			      .type = STR("application/x-www-form-urlencoded"), .certificate_id = ask.certificate_id, .ca_id = ask.ca_id };
	TRY(send_request(j, &q, &status, err));
	verdict = token_answer_read(j->a, &c, status, buf_view(&j->r->answer), STR_NULL, &answer);
	wipe(j->r);
	if (verdict != TOKEN_OK)
		FAIL(err, DENIED, "the token endpoint %.*s", STR_ARG(answer.problem));
	*token = answer.access_token;
	return GH_RC_OK;
}

/* ---- what the providers are asked -------------------------------------------------------------------------------------------- */

static struct str bearer(struct job *j, struct str token)
{
	return token.n ? arena_printf(j->a, "Bearer %.*s", STR_ARG(token)) : STR_NULL;
}

/* Secrets are put over those that are there. */
static gh_rc keep_secrets(struct job *j, json_t *secrets, struct gh_err *err)
{
	struct store_credential row;
	bool found;

	/* as it stands now: somebody may have changed its settings meanwhile */
	TRY(store_credential_find(j->s, j->a, j->row.environment_id, j->row.id, false, &row, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "the credential has been deleted");
	row.secrets = secrets ? jsn_text(j->a, secrets, 0) : STR_NULL;
	if (!row.secrets.p)
		FAIL(err, NOMEM, "no memory for a new secret");
	return store_credential_set(j->s, &row, err);
}

/* Written before anything else is done: the new secret, and the registration access token that goes with it. */
static gh_rc note_next(struct job *j, struct str next, struct str registration_token, struct gh_err *err)
{
	gh_rc rc;

	j->state.next = next;
	TRY(store_tx_begin(j->s, STR("keeper"), err));
	rc = store_rotation_set(j->s, &j->state, "receive", err);
	if (!rc.code && registration_token.n && !crypto_equal(registration_token, credential_text(&j->c, "rotate-token")))
		rc = keep_secrets(j, jsn_keep(j->a, json_pack("{s:s%}", "rotate-token", registration_token.p, registration_token.n)), err);
	return store_tx_end(j->s, rc, err);
}

static gh_rc ask_registration(struct job *j, struct gh_err *err)
{
	struct str token = credential_text(&j->c, "rotate-token"), old = credential_text(&j->c, "client-secret"), next;
	struct request q = { .method = "GET", .url = credential_text(&j->c, "rotate-url"), .authorization = bearer(j, token),
			     .ca_id = credential_text(&j->c, "ca") };
	json_t *configuration, *answer;

	TRY(send_json(j, &q, &configuration, err));
	if (jsn_str(configuration, "registration_access_token").n)
		token = jsn_str(configuration, "registration_access_token");
	/* one that was made before and lost on the way */
	if (rotation_secret(j->a, configuration, STR("$.client_secret"), old, &next, NULL).code == GH_OK)
		return note_next(j, next, token, err);
	q.method = "PUT";
	q.authorization = bearer(j, token);
	q.type = STR("application/json");
	q.body = rotation_put_body(j->a, configuration);
	if (!q.body.p)
		FAIL(err, NOMEM, "no memory for a request");
	TRY(send_json(j, &q, &answer, err));
	if (jsn_str(answer, "registration_access_token").n)
		token = jsn_str(answer, "registration_access_token");
	TRY(rotation_secret(j->a, answer, STR("$.client_secret"), old, &next, err));
	return note_next(j, next, token, err);
}

static gh_rc ask_http(struct job *j, struct gh_err *err)
{
	struct str auth = credential_text(&j->c, "rotate-auth"), token = credential_text(&j->c, "rotate-token");
	struct str old = credential_text(&j->c, "client-secret"), next;
	struct request q = { .method = arena_cstr(j->a, credential_text(&j->c, "rotate-method")), .url = credential_text(&j->c, "rotate-url"),
			     .type = STR("application/json"), .ca_id = credential_text(&j->c, "ca"),
			     .body = rotation_body(j->a, &j->c, clock_wall_us()) };
	json_t *answer;

	if (str_eq(auth, STR("own")))
		TRY(token_with(j, old, credential_text(&j->c, "rotate-scope"), &token, err));
	q.authorization = str_eq(auth, STR("none")) ? STR_NULL : bearer(j, token);
	if (!q.body.p || !q.method)
		FAIL(err, NOMEM, "no memory for a request");
	TRY(send_json(j, &q, &answer, err));
	TRY(rotation_secret(j->a, answer, credential_text(&j->c, "rotate-path"), old, &next, err));
	return note_next(j, next, STR_NULL, err);
}

/* ---- the steps --------------------------------------------------------------------------------------------------------------- */

static gh_rc done(struct job *j, json_t *secrets, struct gh_err *err)
{
	gh_rc rc = GH_RC_OK;

	j->state.next = STR_NULL;
	j->state.rotated_us = j->state.tried_us;
	j->state.wanted = false;
	j->state.problem = STR("");
	TRY(store_tx_begin(j->s, STR("keeper"), err));
	if (secrets)
		rc = keep_secrets(j, secrets, err);
	if (!rc.code)
		rc = store_rotation_set(j->s, &j->state, "rotate", err);
	TRY(store_tx_end(j->s, rc, err));
	log_info("the secret of a credential has been replaced", KV_STR("environment", j->row.environment_id), KV_STR("credential", j->row.id));
	return GH_RC_OK;
}

/* The new one works before it takes the place of the old one. */
static gh_rc promote(struct job *j, struct gh_err *err)
{
	struct str token;

	if (token_with(j, j->state.next, STR_NULL, &token, err).code) {
		gh_err_prefix(err, "the new secret does not work yet and the old one goes on");
		return (gh_rc){ err->code };
	}
	return done(j, jsn_keep(j->a, json_pack("{s:s%}", "client-secret", j->state.next.p, j->state.next.n)), err);
}

static gh_rc rotate(struct job *j, struct secret_source *source, bool *vault, struct gh_err *err)
{
	enum rotation how = rotation_of(&j->c);

	if (how == ROTATION_VAULT) {
		TRY(secret_vault_rotate(source, j->a, credential_text(&j->c, "rotate-vault"), err));
		*vault = true;
		return done(j, NULL, err);
	}
	if (!j->state.next.n)
		TRY(how == ROTATION_RFC7592 ? ask_registration(j, err) : ask_http(j, err));
	return promote(j, err);
}

static void note_problem(struct job *j, const struct gh_err *why)
{
	struct str text = str_first(str_of(why->message), PROBLEM_MAX);
	bool news = !str_eq(text, j->state.problem);
	struct gh_err err;

	if (news)
		log_warn("the secret of a credential could not be replaced", KV_STR("environment", j->row.environment_id),
			 KV_STR("credential", j->row.id), KV_STR("error", text));
	j->state.problem = text;
	if (store_tx_begin(j->s, STR("keeper"), &err).code
	    || store_tx_end(j->s, store_rotation_set(j->s, &j->state, news ? "fail" : NULL, &err), &err).code)
		log_warn("the state of a rotation cannot be kept", KV_CSTR("error", err.message));
}

static bool is_due(const struct job *j, int64_t now)
{
	int64_t since = j->state.rotated_us ? j->state.rotated_us : j->row.created_us;

	if ((j->state.problem.n || j->state.next.n) && now - j->state.tried_us < AGAIN_US && now >= j->state.tried_us)
		return false;
	return j->state.next.n || j->state.wanted || now - since >= rotation_days(&j->c) * DAY_US;
}

/* A row, and where its rotation stands; in clear when its time has come. *take false: it is not replaced by a program, or not now. */
static gh_rc look_at(struct job *j, bool *take, struct gh_err *err)
{
	int64_t now = clock_wall_us();
	bool found;

	*take = false;
	TRY(store_credential_parse(j->a, &j->row, &j->c, err));
	if (rotation_of(&j->c) == ROTATION_NONE)
		return GH_RC_OK;
	TRY(store_rotation_find(j->s, j->a, j->row.environment_id, j->row.id, &j->state, &found, err));
	if (!found)
		j->state = (struct store_rotation){ .environment_id = j->row.environment_id, .credential_id = j->row.id, .problem = STR("") };
	if (!is_due(j, now))
		return GH_RC_OK;
	j->state.tried_us = now;
	TRY(store_credential_find(j->s, j->a, j->row.environment_id, j->row.id, true, &j->row, take, err));
	return *take ? store_credential_parse(j->a, &j->row, &j->c, err) : GH_RC_OK;
}

bool rotator_turn(struct rotator *r, struct store *s, struct secret_source *source, struct arena *a)
{
	struct store_credential *rows;
	struct gh_err err = { 0 };
	bool vault = false;
	size_t n;

	if (clock_mono_us() - r->looked_us < LOOK_US)
		return false;
	r->looked_us = clock_mono_us();
	if (store_credentials(s, a, false, &rows, &n, &err).code)
		return false;                        /* whoever reads references has told */
	for (size_t i = 0; i < n; i++) {
		struct job j = { .r = r, .s = s, .a = a, .row = rows[i] };
		bool take;

		if (look_at(&j, &take, &err).code || !take)
			continue;
		if (rotate(&j, source, &vault, &err).code)
			note_problem(&j, &err);
		wipe(r);
	}
	return vault;
}
