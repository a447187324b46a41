/* certificate.c - `gatehouse certificate …`: what the gateway shows to backends, and authorities that it trusts. */
#include "cli/output.h"
#include "cli/secret_option.h"
#include "config/certificate.h"
#include "core/file.h"
#include "core/str.h"
#include "db/certificates.h"
#include "db/secrets.h"

enum { FILE_MAX_BYTES = 1 << 20 };

static const struct option set_options[] = {
	{ "file", OPTION_TEXT, "FILE", "certificate in PEM, with its chain behind it", true },
	{ "key-file", OPTION_TEXT, "FILE", "private key in PEM, without a password; kept sealed", false },
	{ "authority", OPTION_FLAG, NULL, "an authority that is trusted", false },
	ROTATE_BY_OPTION,
	OPTION_END,
};

static gh_rc read_certificate(struct cli *c, struct store_certificate *out, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *key_file = option_text(&c->options, "key-file");
	bool of_key;
	gh_rc rc;

	TRY(file_read(c->arena, file, FILE_MAX_BYTES, &out->pem, err));
	if (key_file)
		TRY(file_read(c->arena, key_file, FILE_MAX_BYTES, &out->key_pem, err));
	rc = certificate_describe(c->arena, out, &of_key, err);
	if (rc.code == GH_E_INVALID)
		gh_err_prefix(err, "%s", of_key ? key_file : file);
	return rc;
}

static const struct column columns[] = {
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_certificate, id), NULL },
	{ "SUBJECT", "subject", COLUMN_TEXT, offsetof(struct store_certificate, subject), NULL },
	{ "THUMBPRINT", "thumbprint", COLUMN_TEXT, offsetof(struct store_certificate, thumbprint), NULL },
	{ "EXPIRES", "expires", COLUMN_TIME, offsetof(struct store_certificate, expires_us), NULL },
	{ "AUTHORITY", "authority", COLUMN_BOOL, offsetof(struct store_certificate, is_authority), NULL },
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct store_certificate cert = { .id = str_of(c->options.args[0]), .is_authority = option_flag(&c->options, "authority") };
	struct store *s;
	gh_rc rc;

	TRY(read_certificate(c, &cert, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_certificate_set(s, &cert, err);
	if (!rc.code)
		rc = rotate_by_keep(c, s, "certificate", cert.id, err);
	TRY(store_tx_end(s, rc, err));
	output_row(c, columns, ARRAY_LEN(columns), &cert, false);
	return GH_RC_OK;
}

const struct command command_certificate_set = {
	.name = "certificate set", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "take in a certificate for backends, or a trusted authority", .options = set_options, .run = set,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_certificate *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_certificates(s, c->arena, false, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_certificate_list = {
	.name = "certificate list", .summary = "list the certificates, without their keys", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	struct store *s;
	gh_rc rc;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_certificate_delete(s, id, err);
	if (!rc.code)
		rc = store_reminder_set(s, "certificate", id, 0, err);
	return store_tx_end(s, rc, err);
}

const struct command command_certificate_delete = {
	.name = "certificate delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a certificate that no backend uses", .run = delete,
};
