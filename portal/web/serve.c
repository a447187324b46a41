#include "portal/web/internal.h"

#include "core/file.h"
#include "core/http_status.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "portal/web/webauthn.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* The loop around libfcgi. Several processes share the listening socket on descriptor 0; each waits for it in ppoll with
 * the signals let through only there, so that SIGTERM always finds the process either waiting or at work and is never
 * lost between the two. The socket is non-blocking because one connection wakes every process and only one gets it.
 * A timer bounds each request: a client that sends or reads slowly must not hold a process, of which there are few.
 * Without a socket on descriptor 0 the program answers one plain CGI request and ends. */

enum { LISTENING = 0, SITE_MEMORY = 64 << 20, HEAD_MAX = 1 << 16, ACCEPT_PAUSE_MS = 50 };

static const int held_signals[] = { SIGTERM, SIGINT, SIGHUP };
static volatile sig_atomic_t stop, reload;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reload = 1;
	else if (sig != SIGALRM)                         /* SIGALRM only interrupts a read or write that waits */
		stop = 1;
}

/* ---- settings and templates ---------------------------------------------------------------------------------------- */

/* "/x/" of "x", "/x" and "/x/" */
static struct str slashed(struct arena *a, struct str s)
{
	while (s.n && s.p[0] == '/')
		s = str_from(s, 1);
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	return s.n ? arena_printf(a, "/%.*s/", STR_ARG(s)) : STR("/");
}

static GH_RC css_version(struct web_site *site, struct gh_err *err)
{
	struct str path = arena_printf(site->arena, "%s/www/gatehouse.css", site->share_dir), css;
	uint8_t digest[CRYPTO_SHA256_BYTES];

	if (!path.p)
		FAIL(err, NOMEM, "settings");
	TRY(file_read(site->arena, path.p, 1 << 20, &css, err));
	crypto_sha256(css, digest);
	site->css_version = crypto_hex(site->arena, (struct str){ (const char *)digest, 6 });
	return GH_RC_OK;
}

static void theme_broken(void *ctx UNUSED, struct str path, const char *what)
{
	log_error("a file of the theme cannot be used, the shipped one is", KV_STR("file", path), KV_CSTR("reason", what));
}

gh_rc web_site_load(struct web_site *site, struct gh_err *err)
{
	struct str conf;

	site->arena = arena_new(SITE_MEMORY);
	if (!site->arena)
		FAIL(err, NOMEM, "settings");
	conf = arena_printf(site->arena, "%s/gatehouse.conf", site->state_dir);
	if (!conf.p)
		FAIL(err, NOMEM, "settings");
	TRY(config_load(&site->config, site->arena, conf.p, err));
	TRY(client_trust_read(site->arena, &site->config, &site->trust, err));
	site->base = slashed(site->arena, config_text(&site->config, site->app->base_path));
	site->static_base = slashed(site->arena, config_text(&site->config, CONFIG_WEB_STATIC_PATH));
	TRY(web_templates_stamp(site->share_dir, site->app->templates, site->stamp, err));
	TRY(css_version(site, err));
	TRY(web_keys_read(site, err));
	TRY(theme_dir(site->arena, site->state_dir, config_text(&site->config, CONFIG_WEB_THEME), &site->theme.dir, err));
	site->theme.share_dir = site->share_dir;
	site->theme.problem = theme_broken;
	TRY(langs_load(site->arena, &site->theme, &site->langs, err));
	TRY(web_assets_load(site, err));
	return web_templates_load(site->arena, &site->theme, site->app->templates, &site->templates, err);
}

/* Another version of Gatehouse was installed in the place of this one. Its templates know names that this program does not give them. */
static bool is_upgraded(const struct web_site *site)
{
	char stamp[CRYPTO_SHA256_BYTES];
	struct gh_err err;

	return !web_templates_stamp(site->share_dir, site->app->templates, stamp, &err).code && memcmp(stamp, site->stamp, sizeof(stamp)) != 0;
}

/* A set of settings or templates that cannot be used leaves the old one in place. */
static void site_reload(struct web_site *site)
{
	struct web_site next = *site;
	struct gh_err err;

	if (is_upgraded(site)) {
		log_error("settings not read again: the shipped templates are not those of this program; restart gatehouse to finish the upgrade",
			  KV_CSTR("share", site->share_dir));
		return;
	}
	if (web_site_load(&next, &err).code) {
		log_error("settings not read again", KV_CSTR("reason", err.message));
		arena_free(next.arena);
		return;
	}
	arena_free(site->arena);
	*site = next;
	log_info("settings read again");
}

static GH_RC site_open(struct web_site *site, struct gh_err *err)
{
	struct str path;
	enum log_level level;

	TRY(web_site_load(site, err));
	if (log_level_parse(config_text(&site->config, CONFIG_LOG_LEVEL), &level))
		log_init(site->app->program, level);
	TRY(store_open(&site->store, site->state_dir, STORE_WRITE, err));
	path = arena_printf(site->arena, "%s/web-counters", site->state_dir);
	if (!path.p)
		FAIL(err, NOMEM, "settings");
	TRY(counters_open(path.p, (size_t)config_int(&site->config, CONFIG_COUNTER_ENTRIES), &site->counters, err));
	path = arena_printf(site->arena, "%s/counters", site->state_dir);
	if (site->app->is_dashboard || !path.p)
		return GH_RC_OK;
	if (counters_open(path.p, (size_t)config_int(&site->config, CONFIG_COUNTER_ENTRIES), &site->limits, err).code)
		log_warn("what is left of limits is not shown", KV_CSTR("error", err->message));
	return GH_RC_OK;
}

/* ---- one request --------------------------------------------------------------------------------------------------- */

struct sink {                            /* where the answer goes */
	void (*write)(void *ctx, const char *bytes, size_t n);
	void *ctx;
};

static void send_answer(const struct web *w, const struct sink *to)
{
	bool head = str_eq(w->rq.method, STR("HEAD")), empty = w->rs.status == 304 || w->rs.status == 204;
	struct buf b;

	buf_init(&b, HEAD_MAX);
	buf_fmt(&b, "Status: %d %.*s\r\n", w->rs.status, STR_ARG(http_reason(w->rs.status)));
	for (size_t i = 0; i < w->rs.n_headers; i++)
		buf_fmt(&b, "%s: %.*s\r\n", w->rs.headers[i].name, STR_ARG(w->rs.headers[i].value));
	if (!empty)
		buf_fmt(&b, "Content-Length: %zu\r\n", w->rs.body.n);
	buf_cstr(&b, "\r\n");
	to->write(to->ctx, b.p, b.n);
	buf_release(&b);
	if (!head && !empty)
		to->write(to->ctx, w->rs.body.p, w->rs.body.n);
}

static void answer(const struct web_site *site, struct arena *a, const struct web_source *from, const struct sink *to)
{
	struct web w = { .site = site, .a = a };
	struct gh_err err;
	gh_rc rc;

	buf_init(&w.rs.body, (size_t)config_int(&site->config, CONFIG_WEB_MAX_PAGE_BYTES));
	rc = web_request_read(&w, from, &err);
	if (!rc.code) {
		web_answer(&w);
	} else {
		w.page = liquid_record_new(a);
		web_error_page(&w, gh_code_status(rc.code), gh_code_status(rc.code) < 500 ? err.message : NULL);
	}
	send_answer(&w, to);
	buf_release(&w.rs.body);
}

/* ---- FastCGI and CGI ----------------------------------------------------------------------------------------------- */

static const char *fcgi_variable(void *ctx, const char *name)
{
	return FCGX_GetParam(name, ((FCGX_Request *)ctx)->envp);
}

static size_t fcgi_read(void *ctx, char *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		int got = FCGX_GetStr(to + have, (int)(n - have), ((FCGX_Request *)ctx)->in);

		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have;
}

static void fcgi_write(void *ctx, const char *bytes, size_t n)
{
	if (n)
		FCGX_PutStr(bytes, (int)n, ((FCGX_Request *)ctx)->out);
}

static const char *cgi_variable(void *ctx UNUSED, const char *name)
{
	return getenv(name);
}

static size_t cgi_read(void *ctx UNUSED, char *to, size_t n)
{
	return fread(to, 1, n, stdin);
}

static void cgi_write(void *ctx UNUSED, const char *bytes, size_t n)
{
	fwrite(bytes, 1, n, stdout);
}

static void serve_cgi(const struct web_site *site, struct arena *a)
{
	answer(site, a, &(struct web_source){ cgi_variable, cgi_read, NULL }, &(struct sink){ cgi_write, NULL });
	fflush(stdout);
}

/* From the start on, signals get through in ppoll only. Before FCGX_Init: libfcgi has a handler of its own for SIGTERM,
 * which would swallow one that comes while the store is being opened. */
static void hold_signals(void)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_LEN(held_signals); i++)
		sigaddset(&held, held_signals[i]);
	sigprocmask(SIG_BLOCK, &held, NULL);
}

static bool wait_for_request(const sigset_t *open)
{
	struct pollfd p = { .fd = LISTENING, .events = POLLIN };

	if (stop || reload)
		return false;
	return ppoll(&p, 1, NULL, open) > 0;
}

/* Blocks what ends or reloads the process; `open` is the mask in which it gets through. */
static void set_signals(sigset_t *open)
{
	const int blocked[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t closed;

	sigemptyset(&closed);
	for (size_t i = 0; i < ARRAY_LEN(blocked); i++) {
		sigaddset(&closed, blocked[i]);
		sigaction(blocked[i], &sa, NULL);
	}
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &closed, open);
	for (size_t i = 0; i < ARRAY_LEN(blocked); i++)
		sigdelset(open, blocked[i]);
}

/* After `seconds` (0: never) a signal every second, so that one which falls between two calls is followed by another. */
static void set_timer(int64_t seconds)
{
	const struct itimerval timer = { .it_value = { .tv_sec = seconds }, .it_interval = { .tv_sec = seconds ? 1 : 0 } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void follow_key(struct web_site *site)
{
	struct gh_err err;

	if (web_keys_read(site, &err).code)
		log_error("the master key cannot be read, pages go on with the last one", KV_CSTR("reason", err.message));
}

static void serve_one(struct web_site *site, struct arena *a, FCGX_Request *request)
{
	int rc;

	set_timer(config_int(&site->config, CONFIG_WEB_REQUEST_TIMEOUT_S));
	rc = FCGX_Accept_r(request);
	if (rc == 0) {
		request->keepConnection = 0;             /* a kept connection would hold this process for itself */
		follow_key(site);
		answer(site, a, &(struct web_source){ fcgi_variable, fcgi_read, request },
		       &(struct sink){ fcgi_write, request });
		FCGX_Finish_r(request);
		arena_reset(a);
	}
	set_timer(0);
	if (rc != 0 && rc != -EAGAIN && rc != -EINTR)
		poll(NULL, 0, ACCEPT_PAUSE_MS);          /* no descriptors left, for example: do not spin */
}

static void serve_fcgi(struct web_site *site, struct arena *a)
{
	FCGX_Request request;
	sigset_t open;

	set_signals(&open);
	fcntl(LISTENING, F_SETFL, fcntl(LISTENING, F_GETFL) | O_NONBLOCK);
	FCGX_InitRequest(&request, LISTENING, FCGI_FAIL_ACCEPT_ON_INTR);
	while (!stop) {
		if (reload) {
			reload = 0;
			site_reload(site);
		}
		if (wait_for_request(&open))
			serve_one(site, a, &request);
	}
}

static int usage(const struct web_app *app, int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [--state DIR]\n\n"
		"Answers FastCGI requests on the listening socket that is its standard input, or one CGI request.\n"
		"Started by `gatehouse serve`, or by a web server. SIGTERM ends it after the present request, SIGHUP makes it\n"
		"read its settings and templates again.\n",
		app->program);
	return status;
}

static int run(struct web_site *site)
{
	struct arena *a;
	struct gh_err err;

	if (site_open(site, &err).code) {
		log_error("cannot start", KV_CSTR("reason", err.message));
		return 1;
	}
	a = arena_new((size_t)config_int(&site->config, CONFIG_WEB_REQUEST_MEMORY_BYTES));
	if (!a)
		return 1;
	if (FCGX_IsCGI())
		serve_cgi(site, a);
	else
		serve_fcgi(site, a);
	arena_free(a);
	return 0;
}

int web_main(const struct web_app *app, int argc, char **argv)
{
	static const struct option options[] = { { "state", required_argument, NULL, 's' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct web_site site = { .app = app };
	static char state[PATHS_MAX], share[PATHS_MAX];
	const char *state_option = NULL;
	struct gh_err err;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 's')
			state_option = optarg;
		else
			return usage(app, c == 'h' ? 0 : 2);
	}
	log_init(app->program, LOG_INFO);
	webauthn_init();
	hold_signals();
	FCGX_Init();
	if (paths_state(state_option, state, &err).code || paths_share(share, &err).code) {
		log_error("cannot start", KV_CSTR("reason", err.message));
		return 1;
	}
	site.state_dir = state;
	site.share_dir = share;
	status = run(&site);
	counters_close(site.counters);
	counters_close(site.limits);
	store_free(site.store);
	arena_free(site.arena);
	return status;
}
