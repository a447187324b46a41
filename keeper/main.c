/* main.c - gatehouse-keeper: wakes up each second and does what is due. SIGTERM lets the present drain finish, SIGHUP
 * makes it begin anew: settings and secrets are read again. */
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "keeper/health.h"
#include "keeper/keeper.h"
#include "keeper/secrets.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_MS = 1000, CONFIG_MEMORY = 1 << 20, NICENESS = 5, LAST_TURNS = 16 };

static const char usage[] =
	"usage: gatehouse-keeper [--state DIR] [--once]\n"
	"\n"
	"  --state DIR    state directory (GATEHOUSE_STATE, else ./var)\n"
	"  --once         do what is due now and exit\n"
	"  --help         this text\n"
	"\n"
	"Usually started by `gatehouse serve`. Takes the workers' call records into telemetry.db, sums them up, and removes\n"
	"what is older than the settings telemetry.* say.\n";

struct options {
	const char *state;
	bool once;
};

/* 0: go on; else the exit status, plus one. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "state", required_argument, NULL, 's' }, { "once", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's') {
			o->state = optarg;
		} else if (c == 'o') {
			o->once = true;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 1 : 3;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 3;
	}
	return 0;
}

static gh_rc load(const struct options *o, char state[PATHS_MAX], struct arena *a, struct config *config, struct gh_err *err)
{
	char path[PATHS_MAX];
	enum log_level level;

	TRY(paths_state(o->state, state, err));
	TRY(paths_join(path, state, "gatehouse.conf", err));
	TRY(config_load(config, a, path, err));
	if (!log_level_parse(config_text(config, CONFIG_LOG_LEVEL), &level))
		FAIL(err, INVALID, "log.level must be debug, info, warn or error");
	log_init("keeper", level);
	return GH_RC_OK;
}

/* Waits for a second or a signal, which it returns; 0: the time is over. */
static int wait_a_while(const sigset_t *signals, bool at_once)
{
	struct timespec ms = { .tv_sec = at_once ? 0 : EVERY_MS / 1000, .tv_nsec = at_once ? 0 : EVERY_MS % 1000 * 1000000 };
	int sig;

	do {
		sig = sigtimedwait(signals, NULL, &ms);
	} while (sig < 0 && errno == EINTR);
	return sig > 0 ? sig : 0;
}

/* May it begin anew with the settings as they are now? If not, it goes on with those that it has. */
static bool settings_are_good(const struct options *o)
{
	struct arena *a = arena_new(CONFIG_MEMORY);
	char state[PATHS_MAX];
	struct config config;
	struct gh_err err = { .message = "no memory" };
	bool good = a && load(o, state, a, &config, &err).code == GH_OK;

	if (!good)
		log_error("the settings are not read again", KV_CSTR("error", err.message));
	arena_free(a);
	return good;
}

/* The one keeper of the directory reads the secrets: in this turn, or in a thread from now on. */
static void watch_secrets(struct keeper *k, struct secret_watch *secrets, bool once)
{
	struct gh_err err;

	if (!keeper_is_the_one(k))
		return;
	if (once)
		secret_watch_turn(secrets);
	else if (secret_watch_start(secrets, &err).code)
		log_warn("secrets are not read", KV_CSTR("error", err.message));
}

/* Backends are asked by the one keeper, for as long as it lives. */
static void watch_health(struct keeper *k, struct health_watch *health)
{
	struct gh_err err;

	if (keeper_is_the_one(k) && health_watch_start(health, &err).code)
		log_warn("backends are not asked how they are", KV_CSTR("error", err.message));
}

/* The file of this program; false: another one stands in its place. */
static bool own_file(char path[PATHS_MAX])
{
	static const char gone[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", path, PATHS_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	return n > 0 && !((size_t)n >= sizeof(gone) && !strcmp(path + n - (sizeof(gone) - 1), gone));
}

/* After an upgrade the program on the disk may need a store that `serve` has not brought up to date yet: a keeper that became it would
 * end, and nothing would be taken in. */
static bool is_upgraded(void)
{
	char path[PATHS_MAX];

	if (own_file(path))
		return false;
	log_error("the settings are not read again: another version was installed; restart gatehouse to finish the upgrade");
	return true;
}

/* The same process from its beginning, so that no setting and no secret stays behind. */
static int begin_anew(char **argv)
{
	char path[PATHS_MAX];

	if (own_file(path)) {
		log_info("begins anew with the settings as they are now");
		execv(path, argv);
	}
	log_error("cannot begin anew", KV_CSTR("error", strerror(errno)));
	return 1;                                    /* the supervisor starts another one */
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct arena *a = arena_new(CONFIG_MEMORY);
	char state[PATHS_MAX];
	struct config config;
	struct secret_watch *secrets = NULL;
	struct health_watch *health = NULL;
	struct keeper *k = NULL;
	struct gh_err err = { 0 };
	sigset_t signals;
	bool more;
	int sig, bad = read_options(argc, argv, &o);

	if (bad)
		return bad - 1;
	log_init("keeper", LOG_INFO);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (!a || load(&o, state, a, &config, &err).code || secret_watch_new(state, &config, &secrets, &err).code
	    || health_watch_new(state, &health, &err).code || keeper_new(state, &config, &k, &err).code) {
		fprintf(stderr, "gatehouse-keeper: error: %s\n", a ? err.message : "no memory");
		arena_free(a);
		return 1;
	}
	(void)!setpriority(PRIO_PROCESS, 0, NICENESS);  /* the calls come first, … */
	(void)!sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ .sched_priority = 0 });   /* … and are never interrupted by us */
	do {
		more = keeper_turn(k);
		watch_secrets(k, secrets, o.once);
		if (!o.once)
			watch_health(k, health);
		sig = o.once ? 0 : wait_a_while(&signals, more);
	} while (o.once ? more : !sig || (sig == SIGHUP && (is_upgraded() || !settings_are_good(&o))));
	secret_watch_free(secrets);
	health_watch_free(health);
	if (sig != SIGHUP)
		for (int i = 0; i < LAST_TURNS && keeper_turn(k); i++)
			;                    /* what the workers recorded while they drained */
	keeper_free(k);
	arena_free(a);
	return sig == SIGHUP ? begin_anew(argv) : 0;
}
