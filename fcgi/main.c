/* main.c - gatehouse-gateway: one worker of the data plane.
 *
 * Standard input decides what it is: a listening socket (given by the supervisor, lighttpd's bin-path, mod_fcgid or
 * spawn-fcgi) makes it a FastCGI server, anything else a plain CGI program that answers one request. */
#include "fcgi/worker.h"

#include "core/file.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "fcgi/serving.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

enum { BACKLOG = 1024, CONFIG_MEMORY = 1 << 20, SOCKET_MODE = 0660 };

static const char usage[] =
	"usage: gatehouse-gateway [--state DIR] [--worker N] [--socket PATH] [--listen FD]\n"
	"\n"
	"  --state DIR    state directory (GATEHOUSE_STATE, else ./var)\n"
	"  --worker N     number of this worker, for its status file DIR/run/gateway-N.json\n"
	"  --socket PATH  make and listen on this socket instead of descriptor 0\n"
	"  --listen FD    listen on this inherited descriptor\n"
	"  --help         this text\n"
	"\n"
	"Usually started by `gatehouse serve` or by a web server, with a FastCGI socket as standard input.\n"
	"Without one it answers a single CGI request.\n";

struct options {
	const char *state, *socket;
	unsigned number;
	int listen_fd;
};

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_stop(int sig UNUSED)
{
	stop_asked = 1;
}

static void on_reload(int sig UNUSED)
{
	reload_asked = 1;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_stop };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = on_reload;
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

static void poll_worker(struct worker *wk)
{
	if (stop_asked)
		worker_stop(wk);
	if (reload_asked) {
		reload_asked = 0;
		serving_reload(wk);
	}
	serving_poll(wk);
}

static bool read_number(const char *text, uint64_t most, uint64_t *out)
{
	return str_to_u64(str_of(text), most, out);
}

/* 0: go on; else the exit status, plus one. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "state", required_argument, NULL, 's' },  { "worker", required_argument, NULL, 'w' },
		{ "socket", required_argument, NULL, 'S' }, { "listen", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
	};
	uint64_t n;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o->state = optarg;
			break;
		case 'S':
			o->socket = optarg;
			break;
		case 'w':
		case 'l':
			if (!read_number(optarg, 65535, &n)) {
				fprintf(stderr, "gatehouse-gateway: error: \"%s\" is not a number from 0 to 65535\n", optarg);
				return 3;
			}
			*(c == 'w' ? (int *)&o->number : &o->listen_fd) = (int)n;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs(usage, stderr);
			return 3;
		}
	}
	return 0;
}

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

static GH_RC make_socket(const char *path, int *fd, struct gh_err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(at.sun_path))
		FAIL(err, INVALID, "the socket's path is longer than %zu bytes: %s", sizeof(at.sun_path) - 1, path);
	memcpy(at.sun_path, path, strlen(path));
	unlink(path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&at, sizeof(at)) < 0 || chmod(path, SOCKET_MODE) < 0
	    || listen(*fd, BACKLOG) < 0)
		FAIL(err, IO, "cannot listen on %s: %s", path, strerror(errno));
	return GH_RC_OK;
}

/* Each call needs two descriptors; the usual 1024 would end it at 500. */
static void raise_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* ---- plain CGI ---- */

static GH_RC start_cgi(struct worker *wk, struct gh_err *err)
{
	uint64_t body = 0;
	const char *length = getenv("CONTENT_LENGTH");
	struct conn *c;
	struct buf params;

	if (!getenv("REQUEST_METHOD"))
		FAIL(err, INVALID, "standard input is no listening socket and REQUEST_METHOD is not set: start this program "
		     "with `gatehouse serve` or from a web server");
	if (length && *length && !str_to_u64(str_of(length), INT64_MAX, &body))
		body = 0;
	c = conn_new_cgi(wk, STDIN_FILENO, STDOUT_FILENO, body);
	if (!c || !(c->call = call_new(c)))
		FAIL(err, NOMEM, "no memory for the request");
	buf_init(&params, wk->limits.header_bytes + 65536);
	for (char **e = environ; *e; e++) {
		struct str pair = str_of(*e);
		size_t eq = str_find_char(pair, '=');

		if (eq != SIZE_MAX)
			fcgi_pair_write(&params, str_first(pair, eq), str_from(pair, eq + 1));
	}
	call_params(c->call, buf_view(&params));
	buf_release(&params);
	call_params_end(c->call);
	conn_start_cgi(c);
	wk->once = true;
	return GH_RC_OK;
}

/* ---- */

static GH_RC set_up(struct worker *wk, const struct options *o, struct gh_err *err)
{
	int fd = o->listen_fd;

	if (o->socket)
		TRY(make_socket(o->socket, &fd, err));
	else if (fd < 0 && is_listening(STDIN_FILENO))
		fd = STDIN_FILENO;
	TRY(serving_open(wk, fd < 0, err));
	return fd >= 0 ? worker_listen(wk, fd, err) : start_cgi(wk, err);
}

static GH_RC load_config(struct config *config, struct arena *a, const char *state, struct gh_err *err)
{
	char path[PATHS_MAX];
	enum log_level level;

	TRY(paths_join(path, state, "gatehouse.conf", err));
	TRY(config_load(config, a, path, err));
	if (log_level_parse(config_text(config, CONFIG_LOG_LEVEL), &level))
		log_init("gateway", level);
	return GH_RC_OK;
}

static GH_RC run(const struct options *o, struct gh_err *err)
{
	static struct worker worker;
	static struct config config;
	static char state[PATHS_MAX];
	struct arena *a = arena_new(CONFIG_MEMORY);
	gh_rc rc;

	TRY(paths_state(o->state, state, err));
	TRY(load_config(&config, a, state, err));
	TRY(worker_init(&worker, &config, state, o->number, err));
	worker.poll = poll_worker;
	rc = set_up(&worker, o, err);
	if (!rc.code)
		worker_run(&worker);
	worker_release(&worker);
	serving_close(&worker);
	arena_free(a);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .listen_fd = -1 };
	struct gh_err err = { 0 };
	int told = read_options(argc, argv, &o);

	if (told)
		return told - 1;
	log_init("gateway", LOG_INFO);
	catch_signals();
	raise_descriptors();
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return 1;
	if (run(&o, &err).code) {
		fprintf(stderr, "gatehouse-gateway: error: %s\n", err.message);
		return 1;
	}
	curl_global_cleanup();
	return 0;
}
