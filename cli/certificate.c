/* certificate.c - `gatehouse certificate …`: what the gateway shows to backends, and authorities that it trusts. */
#include "cli/output.h"
#include "cli/secret_option.h"
#include "core/file.h"
#include "core/str.h"
#include "db/certificates.h"
#include "db/secrets.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

enum { FILE_MAX_BYTES = 1 << 20 };

static const struct option set_options[] = {
	{ "file", OPTION_TEXT, "FILE", "certificate in PEM, with its chain behind it", true },
	{ "key-file", OPTION_TEXT, "FILE", "private key in PEM, without a password; kept sealed", false },
	{ "authority", OPTION_FLAG, NULL, "an authority that is trusted", false },
	ROTATE_BY_OPTION,
	OPTION_END,
};

static int64_t time_us(const ASN1_TIME *t)
{
	struct tm tm = { 0 };

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

static struct str thumbprint(struct arena *a, X509 *x)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *out = arena_alloc_text(a, 2 * EVP_MAX_MD_SIZE + 1);

	if (!out || !X509_digest(x, EVP_sha1(), digest, &n))
		return STR_NULL;
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return (struct str){ out, 2 * (size_t)n };
}

static gh_rc describe(struct cli *c, X509 *x, struct store_certificate *out, struct gh_err *err)
{
	char subject[512];

	X509_NAME_oneline(X509_get_subject_name(x), subject, sizeof(subject));
	out->subject = arena_dup(c->arena, str_of(subject));
	out->thumbprint = thumbprint(c->arena, x);
	out->not_before_us = time_us(X509_get0_notBefore(x));
	out->expires_us = time_us(X509_get0_notAfter(x));
	if (!out->subject.p || !out->thumbprint.p)
		FAIL(err, NOMEM, "reading a certificate");
	return GH_RC_OK;
}

/* An encrypted key must be refused and not asked a password for on the terminal. */
static int no_password(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
	return -1;
}

static gh_rc check_key(X509 *x, struct str pem, const char *file, struct gh_err *err)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;
	bool read = key != NULL, fits = read && X509_check_private_key(x, key);

	EVP_PKEY_free(key);
	BIO_free(in);
	if (!read)
		FAIL(err, INVALID, "%s: there is no private key in PEM, or it needs a password", file);
	if (!fits)
		FAIL(err, INVALID, "%s: the key does not belong to the certificate", file);
	return GH_RC_OK;
}

static gh_rc read_certificate(struct cli *c, struct store_certificate *out, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *key_file = option_text(&c->options, "key-file");
	BIO *in;
	X509 *x;
	gh_rc rc = GH_RC_OK;

	TRY(file_read(c->arena, file, FILE_MAX_BYTES, &out->pem, err));
	if (key_file)
		TRY(file_read(c->arena, key_file, FILE_MAX_BYTES, &out->key_pem, err));
	in = BIO_new_mem_buf(out->pem.p, (int)out->pem.n);
	x = in ? PEM_read_bio_X509(in, NULL, no_password, NULL) : NULL;
	if (!x)
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%s: there is no certificate in PEM", file);
	if (!rc.code)
		rc = describe(c, x, out, err);
	if (!rc.code && key_file)
		rc = check_key(x, out->key_pem, key_file, err);
	X509_free(x);
	BIO_free(in);
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
