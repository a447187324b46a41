#include "config/password_rule.h"

#include "core/config.h"
#include "core/paths.h"
#include "core/str.h"

size_t password_characters(struct str password)
{
	size_t n = 0;

	for (size_t i = 0; i < password.n; i++)          /* all but the bytes that go on with a character */
		n += ((unsigned char)password.p[i] & 0xc0) != 0x80;
	return n;
}

GH_RC password_least(struct store *s, struct arena *a, int64_t *out, struct gh_err *err)
{
	struct config config;
	char path[PATHS_MAX];

	TRY(paths_join(path, store_dir(s), "gatehouse.conf", err));
	TRY(config_load(&config, a, path, err));
	*out = config_int(&config, CONFIG_WEB_PASSWORD_MIN);
	return GH_RC_OK;
}
