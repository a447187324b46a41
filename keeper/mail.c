/* mail.c - the thread that empties the mail queue: takes a mail, renders it, gives it to the SMTP server, notes the outcome.
 *
 * "Sent twice" and "lost" can both be avoided as long as the server answers. The one gap that SMTP leaves is between the
 * last byte of the text and the server's answer: when the connection or this program dies there, nobody can tell. The queue
 * notes HANDED before that last byte, so such a mail becomes UNCERTAIN and is not sent again by itself. */
#include "keeper/mail.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/environments.h"
#include "db/preferences.h"
#include "keeper/queue.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEMPLATE_MEMORY = 16 << 20, MAIL_MEMORY = 32 << 20, PASSWORD_MAX = 4096, CONNECT_S = 20,
       PRUNE_EVERY_S = 600 };

struct mailer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop;
	const char *state_dir;
	const struct config *config;
	struct arena *arena, *mail;      /* templates; one mail */
	struct mail_templates *templates;
	struct store *store;
	CURL *curl;
	int64_t pruned_us, told_us;
};

/* One mail on its way. */
struct sending {
	struct mailer *m;
	struct str id, rest;
	bool handed;
};

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;
	size_t bytes = size * n < s->rest.n ? size * n : s->rest.n;
	struct gh_err err;

	if (bytes) {
		memcpy(to, s->rest.p, bytes);
		s->rest = str_from(s->rest, bytes);
		return bytes;
	}
	if (!s->handed && store_mail_settle(s->m->store, s->id, STORE_MAIL_HANDED, 0, STR(""), &err).code)
		return CURL_READFUNC_ABORT;      /* better not sent than sent twice */
	s->handed = true;
	return 0;
}

static int watch(void *ctx, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	struct sending *s = ctx;

	return !s->handed && atomic_load(&s->m->stop);
}

static gh_rc set_user(struct mailer *m, struct arena *a, struct gh_err *err)
{
	struct str user = config_text(m->config, CONFIG_MAIL_SMTP_USER), file = config_text(m->config, CONFIG_MAIL_SMTP_PASSWORD_FILE);
	struct str password = STR("");

	if (!user.n)
		return GH_RC_OK;
	if (file.n) {
		TRY(file_read(a, arena_cstr(a, file), PASSWORD_MAX, &password, err));
		password = str_trim(str_first(password, str_find_char(password, '\n')));
	}
	curl_easy_setopt(m->curl, CURLOPT_USERNAME, arena_cstr(a, user));
	curl_easy_setopt(m->curl, CURLOPT_PASSWORD, arena_cstr(a, password));
	return GH_RC_OK;
}

static gh_rc set_tls(struct mailer *m, struct arena *a, struct gh_err *err)
{
	struct str tls = config_text(m->config, CONFIG_MAIL_TLS), ca = config_text(m->config, CONFIG_MAIL_CA_FILE);
	long level = str_eq(tls, STR("required")) ? CURLUSESSL_ALL : str_eq(tls, STR("opportunistic")) ? CURLUSESSL_TRY
			     : str_eq(tls, STR("none")) ? CURLUSESSL_NONE : -1;

	if (level < 0)
		FAIL(err, INVALID, "mail.tls must be required, opportunistic or none");
	curl_easy_setopt(m->curl, CURLOPT_USE_SSL, level);
	if (ca.n)
		curl_easy_setopt(m->curl, CURLOPT_CAINFO, arena_cstr(a, ca));
	return GH_RC_OK;
}

/* The handle keeps its connection from mail to mail; its options are set anew. */
static gh_rc set_up(struct mailer *m, struct arena *a, struct gh_err *err)
{
	if (!m->curl && !(m->curl = curl_easy_init()))
		FAIL(err, NOMEM, "mail");
	curl_easy_reset(m->curl);
	curl_easy_setopt(m->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(m->curl, CURLOPT_QUICK_EXIT, 1L);       /* who stops the mailer waits for no resolver */
	curl_easy_setopt(m->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(m->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(m->curl, CURLOPT_URL, arena_cstr(a, config_text(m->config, CONFIG_MAIL_SMTP_URL)));
	curl_easy_setopt(m->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(m->curl, CURLOPT_TIMEOUT, (long)config_int(m->config, CONFIG_MAIL_TIMEOUT_S));
	curl_easy_setopt(m->curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)config_int(m->config, CONFIG_MAIL_TIMEOUT_S));
	TRY(set_tls(m, a, err));
	return set_user(m, a, err);
}

struct outcome {
	enum store_mail_state state;
	char problem[CURL_ERROR_SIZE + 64];
};

/* 5xx is for good but where it speaks of us and not of the mail: a wrong password at the server is mended by people. */
static void judge(struct mailer *m, const struct sending *s, CURLcode rc, const char *detail, struct outcome *out)
{
	long reply = 0;

	curl_easy_getinfo(m->curl, CURLINFO_RESPONSE_CODE, &reply);
	if (rc == CURLE_OK) {
		out->state = STORE_MAIL_SENT;
		return;
	}
	snprintf(out->problem, sizeof(out->problem), "%s (reply %ld)", detail[0] ? detail : curl_easy_strerror(rc), reply);
	if (s->handed && reply < 400)
		out->state = STORE_MAIL_UNCERTAIN;
	else if (reply >= 500 && rc != CURLE_LOGIN_DENIED && rc != CURLE_USE_SSL_FAILED)
		out->state = STORE_MAIL_FAILED;
	else
		out->state = STORE_MAIL_WAITING;
}

static gh_rc transfer(struct mailer *m, struct arena *a, const struct store_mail *mail, struct str message,
		      struct outcome *out, struct gh_err *err)
{
	struct str from = mail_address(config_text(m->config, CONFIG_MAIL_FROM));
	struct sending s = { .m = m, .id = mail->id, .rest = message };
	char detail[CURL_ERROR_SIZE] = "";
	struct curl_slist *to;
	CURLcode rc;

	TRY(set_up(m, a, err));
	to = curl_slist_append(NULL, arena_printf(a, "<%.*s>", STR_ARG(mail->recipient)).p);
	if (!to)
		FAIL(err, NOMEM, "mail");
	curl_easy_setopt(m->curl, CURLOPT_MAIL_FROM, arena_printf(a, "<%.*s>", STR_ARG(from)).p);
	curl_easy_setopt(m->curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(m->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(m->curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(m->curl, CURLOPT_READDATA, &s);
	curl_easy_setopt(m->curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(m->curl, CURLOPT_XFERINFODATA, &s);
	curl_easy_setopt(m->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(m->curl, CURLOPT_ERRORBUFFER, detail);
	rc = curl_easy_perform(m->curl);
	curl_easy_setopt(m->curl, CURLOPT_ERRORBUFFER, NULL);
	judge(m, &s, rc, detail, out);
	curl_slist_free_all(to);
	return GH_RC_OK;
}

/* What the portal calls itself, and where it stands. */
static gh_rc place(struct mailer *m, struct arena *a, struct str *title, struct str *base, struct gh_err *err)
{
	struct str url = config_text(m->config, CONFIG_WEB_PUBLIC_URL), path = config_text(m->config, CONFIG_PORTAL_BASE_PATH);
	bool found;

	TRY(store_setting_get(m->store, a, STR("portal.title"), title, &found, err));
	if (!found || !title->n)
		*title = config_text(m->config, CONFIG_PORTAL_TITLE);
	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	*base = arena_printf(a, "%.*s/%.*s%s", STR_ARG(url), STR_ARG(path), path.n && path.p[path.n - 1] != '/' ? "/" : "");
	return GH_RC_OK;
}

/* What the account chose, else the language of the page that the mail comes from, else that of the last sign-in. */
static gh_rc language_of(struct mailer *m, struct arena *a, const struct store_mail *mail, const struct lang **out, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = 1 << 20, .max_depth = 16 };
	struct store_preference p = { .language = STR_NULL, .seen_language = STR_NULL };
	json_t *data;
	bool found;

	TRY(store_preference_find_email(m->store, a, mail->recipient, &p, &found, err));
	TRY(jsn_parse_in(a, mail->data, &limits, &data, NULL, err));
	*out = mail_language(m->templates,
			     (const struct str[]){ p.language, jsn_str(data, "lang"), p.seen_language,
						   config_text(m->config, CONFIG_WEB_LANGUAGE) },
			     4);
	return GH_RC_OK;
}

static gh_rc send_one(struct mailer *m, struct arena *a, const struct store_mail *mail, struct outcome *out, struct gh_err *err)
{
	struct str title, base, message;
	const struct lang *lang;
	struct mail_text text;

	TRY(place(m, a, &title, &base, err));
	TRY(language_of(m, a, mail, &lang, err));
	TRY(mail_render(m->templates, a, mail->template, mail->data, title, base, lang, &text, err));
	TRY(mail_message(a, mail, &text, config_text(m->config, CONFIG_MAIL_FROM), clock_wall_us(), &message, err));
	return transfer(m, a, mail, message, out, err);
}

/* Somebody may write to the store for long (a new master key): what became of the mail is known here only, so it is told until
 * it is written. */
static gh_rc note(struct mailer *m, struct str id, enum store_mail_state state, int64_t due_us, struct str problem, struct gh_err *err)
{
	gh_rc rc = store_mail_settle(m->store, id, state, due_us, problem, err);

	while (rc.code == GH_E_BUSY && !atomic_load(&m->stop)) {
		queue_wait(&m->lock, &m->wake, &m->stop);
		rc = store_mail_settle(m->store, id, state, due_us, problem, err);
	}
	return rc;
}

static gh_rc settle(struct mailer *m, const struct store_mail *mail, struct outcome *out, struct gh_err *err)
{
	int64_t now = clock_wall_us();

	if (out->state == STORE_MAIL_WAITING
	    && now - mail->created_us > config_int(m->config, CONFIG_MAIL_GIVE_UP_S) * 1000000)
		out->state = STORE_MAIL_FAILED;
	if (out->state == STORE_MAIL_SENT)
		log_info("mail sent", KV_STR("mail", mail->id), KV_STR("template", mail->template));
	else if (!atomic_load(&m->stop))
		log_warn("mail not sent", KV_STR("mail", mail->id), KV_STR("template", mail->template),
			 KV_CSTR("state", store_mail_state_names[out->state]), KV_CSTR("reason", out->problem));
	return note(m, mail->id, out->state, now + queue_pause_s(config_int(m->config, CONFIG_MAIL_RETRY_S), mail->tries) * 1000000, str_of(out->problem), err);
}

static gh_rc prune(struct mailer *m, struct gh_err *err)
{
	int64_t now = clock_wall_us(), before = now - config_int(m->config, CONFIG_MAIL_KEEP_DAYS) * 86400 * 1000000;

	if (m->pruned_us && now - m->pruned_us < (int64_t)PRUNE_EVERY_S * 1000000)
		return GH_RC_OK;
	m->pruned_us = now;
	TRY(store_tx_begin(m->store, STR("keeper"), err));
	return store_tx_end(m->store, store_mail_prune(m->store, before, err), err);
}

/* *more: there was one, so there may be another. */
static gh_rc turn(struct mailer *m, bool *more, struct gh_err *err)
{
	struct outcome out = { .state = STORE_MAIL_WAITING };
	struct store_mail mail;

	*more = false;
	if (!m->store) {
		TRY(store_open(&m->store, m->state_dir, STORE_WRITE, err));
		TRY(store_mail_recover(m->store, err));
	}
	TRY(prune(m, err));
	TRY(store_mail_take(m->store, m->mail, clock_wall_us(), &mail, more, err));
	if (!*more)
		return GH_RC_OK;
	if (send_one(m, m->mail, &mail, &out, err).code)         /* a template or setting is wrong: people mend it */
		snprintf(out.problem, sizeof(out.problem), "%.*s", (int)sizeof(out.problem) - 1, err->message);
	return settle(m, &mail, &out, err);
}

static void *run(void *arg)
{
	enum { TELL_EVERY_S = 60 };
	struct mailer *m = arg;
	struct gh_err err;
	bool more;

	while (!atomic_load(&m->stop)) {
		if (turn(m, &more, &err).code) {
			if (!m->told_us || clock_mono_us() - m->told_us > (int64_t)TELL_EVERY_S * 1000000)
				log_warn("the mail queue cannot be worked on", KV_CSTR("reason", err.message));
			m->told_us = clock_mono_us();
			if (err.code != GH_E_BUSY) {     /* the file may have been replaced: open it anew */
				store_free(m->store);
				m->store = NULL;
			}
			more = false;
		}
		arena_reset(m->mail);
		if (!more)
			queue_wait(&m->lock, &m->wake, &m->stop);
	}
	return NULL;
}

static void release(struct mailer *m)
{
	if (m->curl)
		curl_easy_cleanup(m->curl);
	store_free(m->store);
	arena_free(m->arena);
	arena_free(m->mail);
	free(m);
}

static void theme_broken(void *ctx UNUSED, struct str path, const char *what)
{
	log_error("a file of the theme cannot be used, the shipped one is", KV_STR("file", path), KV_CSTR("reason", what));
}

static gh_rc load_templates(struct mailer *m, const char *share, struct gh_err *err)
{
	struct theme theme = { .share_dir = share, .problem = theme_broken };

	TRY(theme_dir(m->arena, m->state_dir, config_text(m->config, CONFIG_WEB_THEME), &theme.dir, err));
	return mail_templates_load(m->arena, &theme, &m->templates, err);
}

GH_RC mailer_start(const char *state_dir, const struct config *config, struct mailer **out, struct gh_err *err)
{
	char share[PATHS_MAX];
	struct mailer *m;
	gh_rc rc;

	*out = NULL;
	if (!config_text(config, CONFIG_MAIL_SMTP_URL).n)
		return GH_RC_OK;
	m = calloc(1, sizeof(*m));
	if (!m)
		FAIL(err, NOMEM, "mail");
	m->state_dir = state_dir;
	m->config = config;
	m->arena = arena_new(TEMPLATE_MEMORY);
	m->mail = arena_new(MAIL_MEMORY);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->wake, NULL);
	rc = m->arena && m->mail ? paths_share(share, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "mail");
	if (!rc.code)
		rc = load_templates(m, share, err);
	if (!rc.code && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		rc = gh_err_set(err, GH_E_INTERNAL, __FILE__, __LINE__, "libcurl cannot be started");
	if (!rc.code && pthread_create(&m->thread, NULL, run, m) != 0)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no thread for mail");
	if (rc.code)
		release(m);
	else
		*out = m;
	return rc;
}

void mailer_stop(struct mailer *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	atomic_store(&m->stop, true);
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	pthread_join(m->thread, NULL);
	release(m);
}
