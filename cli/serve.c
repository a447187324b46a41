/* `gatehouse serve`: the settings of an installation turned into a supervised set of processes. */
#include "cli/command.h"
#include "cli/supervisor.h"
#include "core/config.h"
#include "core/log.h"
#include "core/redis.h"
#include "core/str.h"
#include "db/store.h"

#include <unistd.h>

static gh_rc socket_mode(const struct config *config, unsigned *out, struct gh_err *err)
{
	struct str text = config_text(config, CONFIG_SERVE_SOCKET_MODE);
	unsigned mode = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '7')
			FAIL(err, INVALID, "serve.socket_mode must be octal such as 0660, not \"%.*s\"", STR_ARG(text));
		mode = mode * 8 + (unsigned)(text.p[i] - '0');
	}
	if (!text.n || mode > 0777)
		FAIL(err, INVALID, "serve.socket_mode must be from 0000 to 0777, not \"%.*s\"", STR_ARG(text));
	*out = mode;
	return GH_RC_OK;
}

/* Opened and closed again: brings an older schema up to date, and says at once what is wrong with the store instead of
 * leaving it to each process. */
static gh_rc migrate(const char *state_dir, struct gh_err *err)
{
	struct store_versions versions;
	struct store *store;
	bool found;

	TRY(store_versions(state_dir, &versions, &found, err));
	if (!found)
		FAIL(err, UNAVAILABLE, "there is no store in %s; make one with `gatehouse init --admin EMAIL`", state_dir);
	TRY(store_open(&store, state_dir, STORE_CREATE, err));
	store_free(store);
	return GH_RC_OK;
}

/* Said at once: a gateway that counted by itself because of a slip of the pen would be noticed late. */
static gh_rc check_redis_settings(const struct config *config, struct gh_err *err)
{
	struct str away = config_text(config, CONFIG_REDIS_AWAY);

	if (!str_eq(away, STR("local")) && !str_eq(away, STR("closed")))
		FAIL(err, INVALID, "redis.away must be local or closed, not \"%.*s\"", STR_ARG(away));
	return config_text(config, CONFIG_REDIS).n ? redis_check(config_text(config, CONFIG_REDIS), err) : GH_RC_OK;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	char conf[PATHS_MAX], sockets[PATHS_MAX];
	const char *socket_dir = option_text(&c->options, "socket-dir");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct supervisor_options o = { .state_dir = c->state_dir, .keeper = true };
	enum log_level level;
	struct config config;
	int64_t workers;

	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	if (!log_level_parse(config_text(&config, CONFIG_LOG_LEVEL), &level))
		FAIL(err, INVALID, "log.level must be debug, info, warn or error");
	log_init("serve", level);
	TRY(socket_mode(&config, &o.socket_mode, err));
	TRY(check_redis_settings(&config, err));
	TRY(migrate(c->state_dir, err));
	workers = config_int(&config, CONFIG_GATEWAY_WORKERS);
	o.gateways = (unsigned)(workers ? workers : cores > 0 ? cores : 1);
	o.gateways = (unsigned)option_int(&c->options, "workers", o.gateways);
	o.portals = (unsigned)config_int(&config, CONFIG_PORTAL_WORKERS);
	o.admins = (unsigned)config_int(&config, CONFIG_ADMIN_WORKERS);
	o.drain_ms = config_int(&config, CONFIG_GATEWAY_DRAIN_TIMEOUT_MS);
	TRY(paths_join(sockets, c->state_dir, "run", err));
	o.socket_dir = socket_dir ? socket_dir : sockets;
	return supervisor_run(&o, err);
}

static const struct option options[] = {
	{ "workers", OPTION_INT, "N", "gateway processes (setting gateway.workers; else one per processor core)", false },
	{ "socket-dir", OPTION_TEXT, "DIR", "where the FastCGI sockets are made (STATE/run)", false },
	OPTION_END,
};

const struct command command_serve = {
	.name = "serve",
	.summary = "run gateway, portal, dashboard and keeper in the foreground",
	.help = "Makes gateway.sock, portal.sock and admin.sock for the web server. SIGTERM drains and ends, SIGHUP reloads\n"
		"configuration, SIGUSR1 replaces one process after the other.",
	.options = options,
	.run = run,
};
