#include "cli/password.h"

#include "config/password_rule.h"
#include "core/config.h"
#include "core/file.h"
#include "core/paths.h"
#include "core/str.h"

enum { FILE_MAX_BYTES = 4096, MADE_BYTES = 15 };

static gh_rc least_of(struct cli *c, int64_t *out, struct gh_err *err)
{
	struct config config;
	char conf[PATHS_MAX];

	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	*out = config_int(&config, CONFIG_WEB_PASSWORD_MIN);
	return GH_RC_OK;
}

/* As long as is asked for, too: four characters of three bytes. */
static gh_rc made_password(struct cli *c, struct str *password, struct gh_err *err)
{
	uint8_t raw[CRYPTO_PASSWORD_MAX];
	int64_t least;
	size_t n;

	TRY(least_of(c, &least, err));
	n = (size_t)least * 3 / 4 + 1 > MADE_BYTES ? (size_t)least * 3 / 4 + 1 : MADE_BYTES;
	TRY(crypto_random(raw, n, err));
	*password = crypto_base64url(c->arena, (struct str){ (const char *)raw, n });
	crypto_wipe(raw, sizeof(raw));
	if (!password->p)
		FAIL(err, NOMEM, "making a password");
	return GH_RC_OK;
}

static gh_rc check(struct cli *c, const char *file, struct str password, struct gh_err *err)
{
	int64_t least;

	TRY(least_of(c, &least, err));
	if ((int64_t)password_characters(password) < least)
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
