/* certificate.c - `gatehouse certificate …`: what the gateway shows to backends, and authorities that it trusts. */
#include "cli/output.h"
#include "cli/resource.h"
#include "cli/secret_option.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/str.h"
#include "db/certificates.h"

enum { FILE_MAX_BYTES = 1 << 20, PASSWORD_MAX_BYTES = 4096 };

static const struct option set_options[] = {
	{ "file", OPTION_TEXT, "FILE", "certificate in PEM, with its chain behind it; or an archive (PKCS#12, .pfx) with its key", true },
	{ "key-file", OPTION_TEXT, "FILE", "private key in PEM, without a password; kept sealed", false },
	{ "password-file", OPTION_TEXT, "FILE", "its first line opens the archive; - is standard input", false },
	{ "authority", OPTION_FLAG, NULL, "an authority that is trusted", false },
	ROTATE_BY_OPTION,
	OPTION_END,
};

static gh_rc read_password(struct cli *c, json_t *doc, struct gh_err *err)
{
	const char *file = option_text(&c->options, "password-file");
	struct str text, line;

	if (!file)
		return GH_RC_OK;
	TRY(file_read(c->arena, file, PASSWORD_MAX_BYTES, &text, err));
	str_split(&text, '\n', &line);
	json_object_set_new(doc, "password", json_stringn(line.p, str_ends(line, STR("\r")) ? line.n - 1 : line.n));
	return GH_RC_OK;
}

/* An archive is DER: a sequence, which no PEM begins with. */
static gh_rc read_certificate(struct cli *c, json_t *doc, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *key_file = option_text(&c->options, "key-file");
	struct str bytes;

	TRY(file_read(c->arena, file, FILE_MAX_BYTES, &bytes, err));
	if (bytes.n && *bytes.p == 0x30) {
		struct str text = crypto_base64(c->arena, bytes);

		json_object_set_new(doc, "archive", json_stringn(text.p, text.n));
		return read_password(c, doc, err);
	}
	TRY(cli_file_field(c, doc, "certificate", file, FILE_MAX_BYTES, err));
	if (key_file)
		return cli_file_field(c, doc, "key", key_file, FILE_MAX_BYTES, err);
	json_object_set_new(doc, "key", json_null());    /* what is not given is not kept beside another certificate */
	return GH_RC_OK;
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
	static const struct doc_option fields[] = { { "authority", "authority", DOC_FLAG }, { "rotate-by", "rotateBy", DOC_TIME }, DOC_END };
	struct str id = str_of(c->options.args[0]);
	json_t *doc = cli_document(c, fields);
	struct store_certificate *rows;
	struct store *s;
	json_t *old;
	size_t n;

	TRY(read_certificate(c, doc, err));
	TRY(cli_store(c, false, &s, err));
	TRY(resource_read(s, c->arena, resource_kind_find(STR("certificate")), id, &old, err));
	if (old && !jsn_get(doc, "rotateBy"))    /* a reminder stays until it is taken away */
		json_object_set(doc, "rotateBy", jsn_get(old, "rotateBy"));
	TRY(cli_replace(c, "certificate", id, doc, err));
	TRY(store_certificates(s, c->arena, false, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].id, id))
			output_row(c, columns, ARRAY_LEN(columns), &rows[i], false);
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
	return cli_remove(c, "certificate", str_of(c->options.args[0]), err);
}

const struct command command_certificate_delete = {
	.name = "certificate delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a certificate that no backend uses", .run = delete,
};
