/* rotate.c - replacing a secret at its provider: credential_rotate.h. */
#include "core/credential_rotate.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"

enum { SECRET_MAX = 4096, BODY_MAX = 65536 };
static const int64_t DAY_US = 86400000000;

enum rotation rotation_of(const struct credential *c)
{
	static const char *const words[] = { "no", "rfc7592", "http", "vault" };
	struct str how = credential_text(c, "rotate");

	for (size_t i = 1; i < ARRAY_LEN(words); i++)
		if (str_eq(how, str_of(words[i])))
			return (enum rotation)i;
	return ROTATION_NONE;
}

int64_t rotation_days(const struct credential *c)
{
	return credential_number(c, "rotate-days", ROTATION_DAYS);
}

static gh_rc want(const struct credential *c, const char *field, const char *why, struct gh_err *err)
{
	if (credential_text(c, field).n || json_is_object(jsn_get(c->secrets, field)))
		return GH_RC_OK;
	FAIL(err, INVALID, "%s is missing: %s", field, why);
}

static bool has_reference(const struct credential *c)
{
	const char *name;
	json_t *v;

	json_object_foreach(c->secrets, name, v)
		if (str_starts(jsn_str(v, "ref"), STR("vault:")) || str_starts(jsn_str(v, "ref"), STR("vault-engine:")))
			return true;
	return false;
}

GH_RC rotation_check(const struct credential *c, struct gh_err *err)
{
	enum rotation how = rotation_of(c);
	struct str auth = credential_text(c, "auth");

	if (how == ROTATION_NONE)
		return GH_RC_OK;
	if (rotation_days(c) < 1)
		FAIL(err, INVALID, "rotate-days is at least 1");
	if (how == ROTATION_VAULT) {
		TRY(want(c, "rotate-vault", "the path that the vault is told to rotate, such as database/rotate-role/erp", err));
		if (c->secrets && !has_reference(c))
			FAIL(err, INVALID, "rotate=vault is for a secret that is a reference to the vault");
		return GH_RC_OK;
	}
	if (c->kind != CREDENTIAL_CLIENT || (!str_eq(auth, STR("client_secret_basic")) && !str_eq(auth, STR("client_secret_post"))))
		FAIL(err, INVALID, "rotate=%.*s is for client-credentials with a client-secret, which can be tried at the token endpoint",
		     STR_ARG(credential_text(c, "rotate")));
	if (c->secrets && !json_is_string(jsn_get(c->secrets, "client-secret")))
		FAIL(err, INVALID, "the client-secret is a reference: it is replaced where it stands");
	TRY(want(c, "rotate-url", "the address that is asked for a new secret", err));
	if (how == ROTATION_RFC7592)
		return want(c, "rotate-token", "the registration access token", err);
	TRY(want(c, "rotate-path", "where the new secret stands in the answer, such as $.secretText", err));
	return str_eq(credential_text(c, "rotate-auth"), STR("token")) ? want(c, "rotate-token", "or set rotate-auth to own or none", err)
								      : GH_RC_OK;
}

/* RFC 7592 section 2.2: these must not be sent; without the secret the provider is free to make another. */
struct str rotation_put_body(struct arena *a, const json_t *configuration)
{
	static const char *const own[] = { "registration_access_token", "registration_client_uri", "client_secret_expires_at",
					   "client_id_issued_at", "client_secret" };
	json_t *body = jsn_keep(a, json_deep_copy(configuration));

	for (size_t i = 0; body && i < ARRAY_LEN(own); i++)
		json_object_del(body, own[i]);
	return body ? jsn_text(a, body, 0) : STR_NULL;
}

struct str rotation_body(struct arena *a, const struct credential *c, int64_t now_us)
{
	struct str template = credential_text(c, "rotate-body"), out = STR_NULL;
	char now[CLOCK_ISO_MAX], until[CLOCK_ISO_MAX];
	const struct {
		struct str name, value;
	} holes[] = {
		{ STR_INIT("{{client-id}}"), credential_text(c, "client-id") },
		{ STR_INIT("{{now}}"), str_of(clock_iso(now_us, 0, now)) },
		{ STR_INIT("{{until}}"), str_of(clock_iso(now_us + 2 * rotation_days(c) * DAY_US, 0, until)) },
	};
	struct buf b;

	buf_init(&b, BODY_MAX);
	for (size_t at = 0; at < template.n;) {
		size_t i = 0;

		while (i < ARRAY_LEN(holes) && !str_starts(str_from(template, at), holes[i].name))
			i++;
		if (i == ARRAY_LEN(holes)) {
			buf_char(&b, template.p[at++]);
			continue;
		}
		buf_str(&b, holes[i].value);
		at += holes[i].name.n;
	}
	if (buf_ok(&b))
		out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

/* One step of a path: .name, ['name'] or [n]. False: it is none. */
static bool step(struct str *path, const json_t **v)
{
	struct str name;
	uint64_t i;
	size_t n = 1;

	if (path->p[0] == '.') {
		while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
			n++;
		name = str_from(str_first(*path, n), 1);
		*path = str_from(*path, n);
		*v = jsn_get_n(*v, name);
		return name.n > 0;
	}
	n = str_find_char(*path, ']');
	if (path->p[0] != '[' || n == SIZE_MAX)
		return false;
	name = str_from(str_first(*path, n), 1);
	*path = str_from(*path, n + 1);
	if (name.n >= 2 && (name.p[0] == '\'' || name.p[0] == '"') && name.p[name.n - 1] == name.p[0])
		*v = jsn_get_n(*v, str_first(str_from(name, 1), name.n - 2));
	else if (str_to_u64(name, 10000, &i))
		*v = json_array_get(*v, (size_t)i);
	else
		return false;
	return true;
}

GH_RC rotation_secret(struct arena *a, const json_t *answer, struct str path, struct str old, struct str *out, struct gh_err *err)
{
	struct str rest = str_starts(path, STR("$")) ? str_from(path, 1) : path;
	const json_t *v = answer;

	while (rest.n && v)
		if (!step(&rest, &v))
			FAIL(err, INVALID, "rotate-path '%.*s' cannot be read: it has the form $.name[0]['name']", STR_ARG(str_first(path, 100)));
	if (!json_is_string(v) || !json_string_length(v) || json_string_length(v) > SECRET_MAX)
		FAIL(err, INVALID, "the answer has no new secret at %.*s", STR_ARG(str_first(path, 100)));
	*out = arena_dup(a, jsn_string(v));
	if (!out->p)
		FAIL(err, NOMEM, "no memory for a new secret");
	if (crypto_equal(*out, old))
		FAIL(err, INVALID, "the provider has kept the secret that there was");
	return GH_RC_OK;
}
