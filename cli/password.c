#include "cli/password.h"

#include "core/file.h"
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
	if (password->n < CLI_PASSWORD_MIN || password->n > CRYPTO_PASSWORD_MAX)
		FAIL(err, INVALID, "%s: a password has %d to %d characters, on the first line of the file", file,
		     CLI_PASSWORD_MIN, CRYPTO_PASSWORD_MAX);
	return GH_RC_OK;
}
