#include "cli/password.h"

#include "core/config.h"
#include "core/file.h"
#include "core/paths.h"
#include "core/str.h"

enum { FILE_MAX_BYTES = 4096, MADE_BYTES = 15 };

static gh_rc made_password(struct cli *c, struct str *password, struct gh_err *err)
{
	uint8_t raw[MADE_BYTES];

	TRY(crypto_random(raw, sizeof(raw), err));
	*password = crypto_base64url(c->arena, (struct str){ (const char *)raw, sizeof(raw) });
	crypto_wipe(raw, sizeof(raw));
	if (!password->p)
		FAIL(err, NOMEM, "making a password");
	return GH_RC_OK;
}

static gh_rc check(struct cli *c, const char *file, struct str password, struct gh_err *err)
{
	struct config config;
	char conf[PATHS_MAX];
	int64_t least, characters = 0;

	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	least = config_int(&config, CONFIG_WEB_PASSWORD_MIN);
	for (size_t i = 0; i < password.n; i++)
		characters += ((unsigned char)password.p[i] & 0xc0) != 0x80;
	if (characters < least)
		FAIL(err, INVALID, "%s: use at least %lld characters (web.password_min), on the first line of the file", file, (long long)least);
	if (password.n > CRYPTO_PASSWORD_MAX)
		FAIL(err, INVALID, "%s: use a shorter password; this is longer than any (%d bytes)", file, CRYPTO_PASSWORD_MAX);
	return GH_RC_OK;
}

GH_RC cli_password(struct cli *c, const char *file, struct str *password, bool *made, struct gh_err *err)
{
	struct str text;

	*made = file == NULL;
	if (!file)
		return made_password(c, password, err);
	TRY(file_read(c->arena, file, FILE_MAX_BYTES, &text, err));
	str_split(&text, '\n', password);
	if (str_ends(*password, STR("\r")))
		password->n--;
	return check(c, file, *password, err);
}
