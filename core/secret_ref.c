#include "core/secret_ref.h"

#include "core/file.h"
#include "core/secret_impl.h"
#include "core/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct {
	struct str scheme;
	const char *form;
} providers[SECRET_PROVIDER__COUNT] = {
	[SECRET_ENV] = { STR_INIT("env:"), "env:NAME" },
	[SECRET_FILE] = { STR_INIT("file:"), "file:/PATH" },
	[SECRET_CREDENTIAL] = { STR_INIT("credential:"), "credential:NAME" },
	[SECRET_VAULT] = { STR_INIT("vault:"), "vault:MOUNT/PATH#FIELD" },
	[SECRET_ENGINE] = { STR_INIT("vault-engine:"), "vault-engine:PATH#FIELD" },
};

/* ---- references ------------------------------------------------------------------------------------------------------- */

static struct str without_slashes(struct str s)
{
	while (s.n && s.p[0] == '/')
		s = str_from(s, 1);
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

/* "." and ".." would leave the place that the reference names; so would an empty part. */
static bool parts_ok(struct str path)
{
	struct str part;

	if (!path.n)
		return false;
	while (str_split(&path, '/', &part))
		if (!part.n || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
	return true;
}

static bool parse_vault(struct secret_ref *out)
{
	size_t hash = str_rfind_char(out->name, '#'), cut;
	struct str place;

	if (hash == SIZE_MAX)
		return false;
	out->field = str_from(out->name, hash + 1);
	place = without_slashes(str_first(out->name, hash));
	cut = str_find(place, STR("//"));
	if (cut == SIZE_MAX)
		cut = str_find_char(place, '/');
	if (cut == SIZE_MAX)
		return false;
	out->mount = without_slashes(str_first(place, cut));
	out->path = without_slashes(str_from(place, cut));
	return out->field.n && parts_ok(out->mount) && parts_ok(out->path);
}

static bool variable_ok(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '=')
			return false;
	return name.n > 0;
}

static bool parts_of(struct secret_ref *r)
{
	switch (r->provider) {
	case SECRET_ENV:
		return variable_ok(r->name);
	case SECRET_FILE:
		return r->name.n > 1 && r->name.p[0] == '/';
	case SECRET_CREDENTIAL:
		return r->name.n && str_find_char(r->name, '/') == SIZE_MAX && parts_ok(r->name);
	default:
		return parse_vault(r);
	}
}

GH_RC secret_ref_parse(struct str text, struct secret_ref *out, struct gh_err *err)
{
	if (text.n > SECRET_REF_MAX)
		FAIL(err, INVALID, "a reference to a secret has at most %d characters", SECRET_REF_MAX);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 127)
			FAIL(err, INVALID, "a reference to a secret holds no control characters");
	for (int p = 0; p < SECRET_PROVIDER__COUNT; p++) {
		if (!str_starts(text, providers[p].scheme))
			continue;
		*out = (struct secret_ref){ .provider = (enum secret_provider)p,
					    .name = str_from(text, providers[p].scheme.n) };
		if (parts_of(out))
			return GH_RC_OK;
		FAIL(err, INVALID, "'%.*s' is no reference to a secret; it has the form %s", STR_ARG(str_first(text, 200)),
		     providers[p].form);
	}
	FAIL(err, INVALID, "'%.*s' is no reference to a secret; it begins with env:, file:, credential:, vault: or vault-engine:",
	     STR_ARG(str_first(text, 80)));
}

/* ---- files and variables ---------------------------------------------------------------------------------------------- */

struct secret_source {
	const struct config *config;
	struct vault *vault;                 /* NULL until the first reference to one */
};

/* False: there is no such place, because systemd passes no credentials to this process. */
static bool path_of(const struct secret_ref *ref, char out[4096], struct gh_err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	int n;

	if (ref->provider == SECRET_FILE)
		n = snprintf(out, 4096, "%.*s", STR_ARG(ref->name));
	else if (dir && *dir)
		n = snprintf(out, 4096, "%s/%.*s", dir, STR_ARG(ref->name));
	else {
		gh_err_set(err, GH_E_UNAVAILABLE, __FILE__, __LINE__, "there is no CREDENTIALS_DIRECTORY in the environment: "
			   "name the credential in LoadCredential= of the service");
		return false;
	}
	if (n < 4096)
		return true;
	gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%.60s...: path is too long", out);
	return false;
}

/* Only a regular file: opening a pipe would wait for its other end. */
static gh_rc read_file(struct arena *a, const char *path, size_t max, struct str *out, struct gh_err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		FAIL(err, NOT_FOUND, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		FAIL(err, INVALID, "%s: this is no regular file", path);
	return file_read(a, path, max, out, err);
}

gh_rc secret_file(struct arena *a, const char *path, struct str *out, struct gh_err *err)
{
	TRY(read_file(a, path, SECRET_VALUE_MAX, out, err));
	*out = str_trim(*out);
	if (!out->n)
		FAIL(err, NOT_FOUND, "%s: the file is empty", path);
	return GH_RC_OK;
}

void secret_peek(const struct secret_ref *ref, char version[SECRET_VERSION_MAX])
{
	char path[4096];
	struct stat st;

	version[0] = '\0';
	if (ref->provider != SECRET_FILE && ref->provider != SECRET_CREDENTIAL)
		return;
	if (!path_of(ref, path, NULL) || stat(path, &st) < 0)
		return;
	snprintf(version, SECRET_VERSION_MAX, "%llx.%llx.%llx.%lx.%lx", (unsigned long long)st.st_ino,
		 (unsigned long long)st.st_size, (unsigned long long)st.st_ctim.tv_sec, (unsigned long)st.st_ctim.tv_nsec,
		 (unsigned long)st.st_mtim.tv_nsec);
}

static gh_rc from_file(struct arena *a, const struct secret_ref *ref, struct secret_value *out, struct gh_err *err)
{
	char path[4096];

	if (!path_of(ref, path, err))
		return (gh_rc){ err ? err->code : GH_E_UNAVAILABLE };
	secret_peek(ref, out->version);      /* before reading: a change in between is seen again */
	TRY(read_file(a, path, SECRET_VALUE_MAX, &out->value, err));
	if (str_ends(out->value, STR("\n")))
		out->value.n--;
	if (str_ends(out->value, STR("\r")))
		out->value.n--;
	return GH_RC_OK;
}

static gh_rc from_variable(struct arena *a, const struct secret_ref *ref, struct secret_value *out, struct gh_err *err)
{
	const char *name = arena_cstr(a, ref->name), *value;

	if (!name)
		FAIL(err, NOMEM, "reading a variable");
	value = getenv(name);
	if (!value)
		FAIL(err, NOT_FOUND, "there is no variable %s in the environment of this process", name);
	if (strlen(value) > SECRET_VALUE_MAX)
		FAIL(err, LIMIT, "the variable %s is larger than %d bytes", name, SECRET_VALUE_MAX);
	out->value = arena_dup(a, str_of(value));
	if (!out->value.p)
		FAIL(err, NOMEM, "reading a variable");
	return GH_RC_OK;
}

/* ---- one function for all --------------------------------------------------------------------------------------------- */

GH_RC secret_source_new(const struct config *config, struct secret_source **out, struct gh_err *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		FAIL(err, NOMEM, "no memory for a source of secrets");
	(*out)->config = config;
	return GH_RC_OK;
}

void secret_source_rest(struct secret_source *s)
{
	vault_rest(s->vault);
}

void secret_source_free(struct secret_source *s)
{
	if (s)
		vault_free(s->vault);
	free(s);
}

GH_RC secret_resolve(struct secret_source *s, struct arena *a, const struct secret_ref *ref, struct secret_value *out,
		     struct gh_err *err)
{
	*out = (struct secret_value){ .value = STR_NULL };
	switch (ref->provider) {
	case SECRET_ENV:
		return from_variable(a, ref, out, err);
	case SECRET_VAULT:
	case SECRET_ENGINE:
		if (!s->vault)
			TRY(vault_new(s->config, &s->vault, err));
		return vault_read(s->vault, a, ref, out, err);
	default:
		return from_file(a, ref, out, err);
	}
}

GH_RC secret_vault_rotate(struct secret_source *s, struct arena *a, struct str path, struct gh_err *err)
{
	struct str plain = without_slashes(path);

	if (!parts_ok(plain))
		FAIL(err, INVALID, "'%.*s' is no path in a vault", STR_ARG(str_first(path, 200)));
	if (!s->vault)
		TRY(vault_new(s->config, &s->vault, err));
	return vault_rotate(s->vault, a, plain, err);
}

GH_RC secret_vault_renew(struct secret_source *s, struct arena *a, int64_t *again_s, struct gh_err *err)
{
	*again_s = 1;                        /* nobody has asked the vault for anything yet */
	return s->vault ? vault_renew(s->vault, a, again_s, err) : GH_RC_OK;
}
