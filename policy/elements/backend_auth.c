#include "policy/elements/backend_auth.h"

#include "core/str.h"
#include "policy/expr/class.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

/* ---- authentication-basic ---------------------------------------------------------------------------------------- */

bool apply_basic(struct exchange *x, const struct basic_config *c, struct fields *headers)
{
	struct str user, password, both, value;
	char *base64;
	int n;

	if (!arg_get_text(x, &c->user, &user) || !arg_get_text(x, &c->password, &password))
		return false;
	both = arena_printf(x->arena, "%.*s:%.*s", STR_ARG(user), STR_ARG(password));
	base64 = str_is_null(both) ? NULL : arena_alloc_text(x->arena, both.n / 3 * 4 + 8);
	if (!base64) {
		exchange_no_memory(x);
		return false;
	}
	n = EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)both.p, (int)both.n);
	value = arena_printf(x->arena, "Basic %.*s", n, base64);
	if (!str_is_null(value) && fields_set(headers, STR("Authorization"), value))
		return true;
	exchange_no_memory(x);
	return false;
}

static enum step run_basic(struct exchange *x, const void *config)
{
	return apply_basic(x, config, &x->request.headers) ? STEP_NEXT : STEP_FAIL;
}

static const struct arg_schema basic_args[] = {
	{ .name = "username",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct basic_config, user),
	  .help = "the user name" },
	{ .name = "password",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR | ARG_EMPTY | ARG_SECRET,
	  .offset = offsetof(struct basic_config, password),
	  .help = "the password" },
};
const struct element_schema authentication_basic_schema = {
	.name = "authentication-basic", .help = "Signs the request to the backend with a user name and a password.",
	.config_size = sizeof(struct basic_config), .args = basic_args, .n_args = ARRAY_LEN(basic_args),
};
const struct policy_type authentication_basic_type = { .schema = &authentication_basic_schema, .sections = IN_INBOUND,
						       .run = run_basic };

/* ---- authentication-certificate ---------------------------------------------------------------------------------- */

static bool bio_text(struct exchange *x, BIO *b, struct str *out)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	*out = n > 0 ? arena_dup(x->arena, (struct str){ p, (size_t)n }) : STR_NULL;
	return !str_is_null(*out);
}

/* PKCS #12 bytes to PEM. */
static bool read_pfx(struct exchange *x, struct str bytes, struct str password, struct str *cert_pem,
		     struct str *key_pem)
{
	const unsigned char *at = (const unsigned char *)bytes.p;
	PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)bytes.n);
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	bool ok = p12 && cert_bio && key_bio && PKCS12_parse(p12, arena_cstr(x->arena, password), &key, &cert, NULL)
		&& key && cert && PEM_write_bio_X509(cert_bio, cert)
		&& PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL)
		&& bio_text(x, cert_bio, cert_pem) && bio_text(x, key_bio, key_pem);

	X509_free(cert);
	EVP_PKEY_free(key);
	PKCS12_free(p12);
	BIO_free(cert_bio);
	BIO_free(key_bio);
	return ok;
}

static bool certificate_from_body(struct exchange *x, const struct certificate_config *c, struct str *cert_pem,
				  struct str *key_pem)
{
	struct str bytes, password = STR("");
	struct value v;

	if (!arg_get_value(x, &c->body, &v) || (c->password.given && !arg_get_text(x, &c->password, &password)))
		return false;
	bytes = value_bytes(v);
	if (str_is_null(bytes) && value_is_string(v)) {
		struct str text = value_str(v);
		char *raw = arena_alloc_text(x->arena, text.n);
		int n = raw && text.n % 4 == 0
			? EVP_DecodeBlock((unsigned char *)raw, (const unsigned char *)text.p, (int)text.n)
			: -1;

		bytes = n > 0 ? (struct str){ raw, (size_t)n } : STR_NULL;
	}
	if (!str_is_null(bytes) && read_pfx(x, bytes, password, cert_pem, key_pem))
		return true;
	exchange_fail(x, 500, STR("CertificateInvalid"),
		      "The body is no PKCS #12 certificate with a private key, or the password is wrong.");
	return false;
}

bool apply_certificate(struct exchange *x, const struct certificate_config *c, struct str *cert_pem,
		       struct str *key_pem)
{
	const struct arg *which = c->id.given ? &c->id : &c->thumbprint;
	struct str name;

	if (c->body.given)
		return certificate_from_body(x, c, cert_pem, key_pem);
	if (!arg_get_text(x, which, &name))
		return false;
	if (x->host->certificate(x, name, cert_pem, key_pem))
		return true;
	exchange_fail(x, 500, STR("CertificateNotFound"), "There is no certificate `%.*s`.", STR_ARG(name));
	return false;
}

static enum step run_certificate(struct exchange *x, const void *config)
{
	return apply_certificate(x, config, &x->client_cert_pem, &x->client_key_pem) ? STEP_NEXT : STEP_FAIL;
}

static bool check_certificate(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct certificate_config *s = config;

	if (s->thumbprint.given + s->id.given + s->body.given == 1)
		return true;
	compile_error(c, n, NULL,
		      "`authentication-certificate` needs exactly one of `thumbprint`, `certificate-id` and `body`");
	return false;
}

static const struct arg_schema certificate_args[] = {
	{ .name = "thumbprint",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct certificate_config, thumbprint),
	  .help = "SHA-1 of a configured certificate, in hexadecimal" },
	{ .name = "certificate-id",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct certificate_config, id),
	  .help = "id of a configured certificate" },
	{ .name = "body",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR | ARG_SECRET,
	  .offset = offsetof(struct certificate_config, body),
	  .help = "the certificate with its key, PKCS #12, as bytes or Base64" },
	{ .name = "password",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR | ARG_SECRET | ARG_EMPTY,
	  .offset = offsetof(struct certificate_config, password),
	  .help = "password of the body" },
};
const struct element_schema authentication_certificate_schema = {
	.name = "authentication-certificate",
	.help = "Shows a client certificate to the backend.",
	.config_size = sizeof(struct certificate_config),
	.args = certificate_args,
	.n_args = ARRAY_LEN(certificate_args),
	.check = check_certificate,
};
const struct policy_type authentication_certificate_type = { .schema = &authentication_certificate_schema,
							     .sections = IN_INBOUND,
							     .run = run_certificate };

/* ---- proxy ------------------------------------------------------------------------------------------------------- */

bool apply_proxy(struct exchange *x, const struct proxy_config *c, struct proxy_choice *out)
{
	struct url u;

	if (!arg_get_text(x, &c->url, &out->url) || !arg_get_text(x, &c->user, &out->user)
	    || !arg_get_text(x, &c->password, &out->password))
		return false;
	if (url_parse(out->url, &u))
		return true;
	exchange_fail(x, 500, STR_NULL, "`%.*s` is no address of a proxy (http://host:port).",
		      STR_ARG(str_first(out->url, 200)));
	return false;
}

static enum step run_proxy(struct exchange *x, const void *config)
{
	struct proxy_choice p;

	if (!apply_proxy(x, config, &p))
		return STEP_FAIL;
	x->proxy_url = p.url;
	x->proxy_user = p.user;
	x->proxy_password = p.password;
	exchange_trace(x, "by way of %.*s", STR_ARG(p.url));
	return STEP_NEXT;
}

static const struct arg_schema proxy_args[] = {
	{ .name = "url",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct proxy_config, url),
	  .help = "the proxy: http://host:port" },
	{ .name = "username",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct proxy_config, user),
	  .help = "user name for the proxy" },
	{ .name = "password",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR | ARG_SECRET,
	  .offset = offsetof(struct proxy_config, password),
	  .help = "password for the proxy" },
};
const struct element_schema proxy_schema = {
	.name = "proxy",
	.help = "Sends the request to the backend by way of an HTTP proxy.",
	.config_size = sizeof(struct proxy_config),
	.args = proxy_args,
	.n_args = ARRAY_LEN(proxy_args),
};
const struct policy_type proxy_type = { .schema = &proxy_schema, .sections = IN_INBOUND, .run = run_proxy };
