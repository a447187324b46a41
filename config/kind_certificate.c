/* kind_certificate.c - client certificates that the gateway shows, and authorities that it trusts. */
#include "config/kind.h"

#include "config/certificate.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/secrets.h"

static const char REMINDER_KIND[] = "certificate";

struct certificate_row {
	struct store_certificate c;      /* first: offsets of its members are those of the row */
	int64_t rotate_by_us;
};

static const struct resource_field fields[] = {
	FIELD_ID("Names the certificate", store_certificate, id),
	{ .name = "certificate", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES | RESOURCE_FILE, .label = "Certificate",
	  .description = "In PEM, with its chain; or a PKCS#12 archive (.pfx, .p12) with the key in it, in documents as base64", .most = STORE_TEXT_MAX, AT(store_certificate, pem) },
	{ .name = "key", .type = RESOURCE_SECRET, .flags = RESOURCE_LINES | RESOURCE_NO_REF, .label = "Private key",
	  .description = "In PEM, without a password; sealed. None with an archive",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "archive", .type = RESOURCE_SECRET, .flags = RESOURCE_FILE | RESOURCE_NO_REF | RESOURCE_FORMLESS, .label = "Archive",
	  .description = "A PKCS#12 file (.pfx, .p12) in place of certificate and key, in documents as base64; it is unpacked and not kept",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "password", .type = RESOURCE_SECRET, .flags = RESOURCE_NO_REF, .label = "Password of the archive",
	  .description = "Opens the archive; not kept", .offset = RESOURCE_BY_HAND },
	{ .name = "authority", .type = RESOURCE_BOOL, .otherwise = "false", .label = "Authority", .description = "An authority that is trusted",
	  AT(store_certificate, is_authority) },
	{ .name = "rotateBy", .type = RESOURCE_TIME, .label = "Replace until",
	  .description = "When people are reminded to replace it", AT(certificate_row, rotate_by_us) },
	{ .name = "subject", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Subject", .description = "Whose it is",
	  AT(store_certificate, subject) },
	{ .name = "thumbprint", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Thumbprint",
	  .description = "SHA-1 in hexadecimal, as policies name it", AT(store_certificate, thumbprint) },
	{ .name = "notBefore", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Good from", .description = "From when on it is good",
	  AT(store_certificate, not_before_us) },
	{ .name = "expires", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY | RESOURCE_DUE, .label = "Expires", .description = "When it ends",
	  AT(store_certificate, expires_us) },
	FIELD_END,
};

/* With its key in clear: writing seals it again. */
static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct store_certificate *rows;
	size_t n;

	TRY(store_certificates(s, a, true, &rows, &n, err));
	TRY(pick_row(rows, n, sizeof(*rows), id, row, found));
	return store_reminder_find(s, a, REMINDER_KIND, id, &((struct certificate_row *)row)->rotate_by_us, err);
}

static GH_RC show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	json_object_set_new(doc, "key", resource_secret_shown(((const struct store_certificate *)row)->key_pem.n > 0, STR_NULL));
	return GH_RC_OK;
}

/* In place of the certificate itself: an archive as a form sends the bytes of a file. */
static bool is_archive(struct str text)
{
	return text.n > 0 && str_find(text, STR("-----BEGIN")) == SIZE_MAX;
}

/* The archive takes the place of certificate and key in the document too, so that the trail and a second look see what was kept. */
static GH_RC unpack(struct resource_put *p, struct gh_err *err)
{
	struct store_certificate *c = p->row;
	json_t *doc = (json_t *)(uintptr_t)p->doc;
	struct str archive, password, bytes, key;
	enum secret_given given = resource_secret(doc, "archive", &archive), word = resource_secret(doc, "password", &password);
	const char *at = "/archive";
	struct gh_err why = { .code = GH_OK };
	gh_rc rc;

	if (given != SECRET_TEXT && is_archive(c->pem)) {
		archive = str_trim(c->pem);
		given = SECRET_TEXT;
		at = "/certificate";
	}
	json_object_set_new(doc, "archive", json_null());
	json_object_set_new(doc, "password", json_null());
	if (given == SECRET_REF || word == SECRET_REF)
		put_problem(p, given == SECRET_REF ? "/archive" : "/password", "takes no reference; give a text");
	if (given != SECRET_TEXT) {
		if (!c->pem.n)
			put_problem(p, "/certificate", "is required: a certificate in PEM, or an archive");
		return GH_RC_OK;
	}
	if (!crypto_base64_decode(p->a, archive, &bytes)) {
		put_problem(p, at, str_eq(str_of(at), STR("/archive")) ? "is no base64" : "is no certificate in PEM and no archive");
		return GH_RC_OK;
	}
	rc = certificate_unpack(p->a, bytes, word == SECRET_TEXT ? password : STR_NULL, &c->pem, &key, &why);
	if (rc.code == GH_OK) {
		json_object_set_new(doc, "certificate", json_stringn(c->pem.p, c->pem.n));
		if (key.n)
			json_object_set_new(doc, "key", json_stringn(key.p, key.n));
	}
	return put_refused(p, str_starts(str_of(why.message), STR("the password")) ? "/password" : at, rc, &why, err);
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	struct store_certificate *c = p->row;
	struct str text;
	size_t problems = p->c->total;
	enum secret_given given;
	struct gh_err why;
	bool of_key;
	gh_rc rc;

	TRY(unpack(p, err));
	if (p->c->total != problems)
		return GH_RC_OK;
	given = resource_secret(p->doc, "key", &text);
	if (given == SECRET_REF)
		put_problem(p, "/key", "takes no reference; give the key as a text");
	if (given == SECRET_STAYS && jsn_get(p->doc, "key") && !c->key_pem.n)
		put_problem(p, "/key", "there is no key yet; give it as a text");
	if (given != SECRET_STAYS)
		c->key_pem = given == SECRET_TEXT ? text : STR_NULL;
	rc = certificate_describe(p->a, c, &of_key, &why);
	return put_refused(p, of_key ? "/key" : "/certificate", rc, &why, err);
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	TRY(store_certificate_set(p->s, p->row, err));
	return store_reminder_set(p->s, REMINDER_KIND, p->id, ((struct certificate_row *)p->row)->rotate_by_us, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	TRY(store_certificate_delete(s, id, err));
	return store_reminder_set(s, REMINDER_KIND, id, 0, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct certificate_row), .store = STORE_RESOURCE_CERTIFICATE, .find = find, .show = show, .check = check,
	.save = save, .drop = drop,
};

const struct resource_kind kind_certificate = {
	.name = "certificate", .plural = "certificates", .title = "Certificate",
	.description = "A client certificate that the gateway shows to backends, or an authority that it trusts.",
	.area = RESOURCE_AREA_SECRETS, .fields = fields, .ops = &ops, .filters = { { NULL } },
};
