#include "cli/portal_site.h"

#include "core/config.h"
#include "core/paths.h"

gh_rc portal_site(struct cli *c, struct store_site *out, struct gh_err *err)
{
	struct config config;
	char conf[PATHS_MAX];

	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	*out = store_site_of(c->arena, &config);
	return GH_RC_OK;
}
