/* cache.c - the cache that the gateway's workers share, for pages that show what lies in it. */
#include "core/cache.h"
#include "portal/web/web.h"

#include <unistd.h>

/* Opened at the first use and kept: a process answers one request at a time. */
static struct cache *cache;

GH_RC web_cache(struct web *w, struct cache **out, struct gh_err *err)
{
	char path[PATHS_MAX];

	*out = cache;
	if (cache)
		return GH_RC_OK;
	TRY(cache_path(&w->site->config, w->site->state_dir, path, err));
	if (access(path, F_OK) < 0)
		return GH_RC_OK;
	TRY(cache_open(&cache, path, (size_t)config_int(&w->site->config, CONFIG_CACHE_MAX_BYTES), err));
	*out = cache;
	return GH_RC_OK;
}
