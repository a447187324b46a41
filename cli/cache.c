/* cache.c - the cache that the workers share, for commands that look into it. */
#include "cli/command.h"

#include "core/cache.h"
#include "core/config.h"

#include <unistd.h>

static void close_cache(void *c)
{
	cache_close(c);
}

gh_rc cli_cache(struct cli *c, struct cache **out, struct gh_err *err)
{
	char path[PATHS_MAX], conf[PATHS_MAX];
	struct config *config = arena_new_of(c->arena, struct config);

	if (!config)
		FAIL(err, NOMEM, "no memory for the settings");
	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(config, c->arena, conf, err));
	TRY(cache_path(config, c->state_dir, path, err));
	if (access(path, F_OK) < 0)
		FAIL(err, NOT_FOUND, "no gateway has kept anything in %s yet", path);
	TRY(cache_open(out, path, (size_t)config_int(config, CONFIG_CACHE_MAX_BYTES), err));
	if (!arena_defer(c->arena, close_cache, *out)) {
		cache_close(*out);
		FAIL(err, NOMEM, "no memory for the cache");
	}
	return GH_RC_OK;
}
