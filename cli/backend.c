/* backend.c - `gatehouse backend …`: backends that APIs and policies name by id, and pools of them. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/json.h"
#include "core/str.h"
#include "db/backends.h"
#include "db/credentials.h"

enum { MEMBERS_MAX = 64, AUTHORITIES_MAX = 32, FILE_MAX_BYTES = 65536 };

/* ---- set -------------------------------------------------------------------------------------------------------------- */

static const struct option set_options[] = {
	{ "url", OPTION_TEXT, "URL", "where it is", false },
	{ "member", OPTION_MANY, "ID[:WEIGHT[:PRIORITY]]", "make it a pool with this backend; lowest priority first", false },
	{ "name", OPTION_TEXT, "NAME", "name that people read (the id)", false },
	{ "verify-tls", OPTION_TEXT, "yes|no", "whether its certificate is checked (yes)", false },
	{ "verify-name", OPTION_TEXT, "yes|no", "whether the certificate must be for its name (as --verify-tls)", false },
	{ "ca", OPTION_MANY, "CERTIFICATE-ID", "authority for its certificate in place of the system's; none: the system's", false },
	{ "client-certificate", OPTION_TEXT, "CERTIFICATE-ID", "what the gateway shows to it; none: nothing", false },
	{ "server-name", OPTION_TEXT, "NAME", "asked for (SNI) and checked in place of the URL's host; none: that one", false },
	{ "tls-min", OPTION_TEXT, "1.2|1.3|none", "least version of TLS", false },
	{ "pin", OPTION_MANY, "sha256//BASE64", "digest of a public key, one of which it must have; none: any", false },
	{ "credentials-file", OPTION_TEXT, "FILE", "JSON of headers and query parameters for it; kept sealed", false },
	{ "credential", OPTION_TEXT, "ID|none", "credential that is shown to it: see `gatehouse credential`", false },
	{ "unix-socket", OPTION_TEXT, "PATH|none", "socket that is connected to in place of the URL's host", false },
	{ "max-calls", OPTION_INT, "N", "at most so many calls under way to it, of all workers; 0: any number", false },
	{ "breaker", OPTION_TEXT, "FILE|none", "JSON of its circuit breaker", false },
	{ "health", OPTION_TEXT, "FILE|none", "JSON of its health check", false },
	{ "balance", OPTION_TEXT, "round-robin|least-outstanding|hash", "how a pool spreads its calls (round-robin)", false },
	{ "hash-on", OPTION_TEXT, "WHAT", "address, subscription, path, header:NAME or cookie:NAME (address)", false },
	{ "affinity-cookie", OPTION_TEXT, "NAME|none", "cookie that keeps a session on one member of a pool", false },
	OPTION_END,
};

static gh_rc read_json(struct cli *c, const char *option, struct str *out, struct gh_err *err)
{
	const char *file = option_text(&c->options, option);
	json_t *ignored;

	if (!file)
		return GH_RC_OK;
	if (strcmp(file, "none") == 0) {
		*out = STR_NULL;
		return GH_RC_OK;
	}
	TRY(file_read(c->arena, file, FILE_MAX_BYTES, out, err));
	if (jsn_parse_in(c->arena, *out, NULL, &ignored, NULL, err).code)
		FAIL(err, SYNTAX, "%s is not JSON", file);
	return GH_RC_OK;
}

static bool parse_member(struct str text, struct store_pool_member *m)
{
	struct str part;
	uint64_t n = 0;

	*m = (struct store_pool_member){ .weight = 1, .priority = 1 };
	str_split(&text, ':', &m->backend_id);
	if (str_split(&text, ':', &part)) {
		if (!str_to_u64(part, 1000000, &n) || n == 0)
			return false;
		m->weight = (int64_t)n;
	}
	if (str_split(&text, ':', &part)) {
		if (!str_to_u64(part, 1000000, &n))
			return false;
		m->priority = (int64_t)n;
	}
	return m->backend_id.n && !text.p;
}

static gh_rc read_members(struct cli *c, struct store_pool_member v[MEMBERS_MAX], size_t *n, struct gh_err *err)
{
	const char *text;

	for (*n = 0; (text = option_nth(&c->options, "member", *n)); ++*n)
		if (*n == MEMBERS_MAX || !parse_member(str_of(text), &v[*n]))
			return cli_usage(c, err, "--member takes ID, ID:WEIGHT or ID:WEIGHT:PRIORITY, at most %d times, not '%.80s'",
					 MEMBERS_MAX, text);
	return GH_RC_OK;
}

static gh_rc write_backend(struct store *s, const struct store_backend *b, bool update, const struct store_pool_member *members,
			   size_t n, struct gh_err *err)
{
	TRY(update ? store_backend_update(s, b, err) : store_backend_create(s, b, err));
	return n || !b->is_pool ? store_pool_set(s, b->id, members, n, err) : GH_RC_OK;
}

/* ---- TLS ---- */

/* The values of an option that may be given several times; "none" alone is an empty list. *given: at all. */
static size_t many(struct cli *c, const char *option, struct str v[AUTHORITIES_MAX], bool *given)
{
	const char *text;
	size_t n;

	for (n = 0; n < AUTHORITIES_MAX && (text = option_nth(&c->options, option, n)); n++)
		v[n] = str_of(text);
	*given = n > 0;
	return n == 1 && str_eq(v[0], STR("none")) ? 0 : n;
}

static void take(struct cli *c, const char *option, struct str *to)
{
	struct str text = str_of(option_text(&c->options, option));

	if (text.p)
		*to = str_eq(text, STR("none")) ? STR_NULL : text;
}

static gh_rc read_tls(struct cli *c, struct store_backend *b, struct gh_err *err)
{
	const char *verify = option_text(&c->options, "verify-tls"), *name = option_text(&c->options, "verify-name");
	struct str pins[AUTHORITIES_MAX];
	bool given;
	size_t n;

	if (verify)
		b->verify_tls = b->verify_name = strcmp(verify, "yes") == 0;
	if (name)
		b->verify_name = strcmp(name, "yes") == 0;
	if (name && b->verify_name && !b->verify_tls)
		return cli_usage(c, err, "the name of a certificate that is not checked means nothing: give --verify-tls yes");
	take(c, "client-certificate", &b->client_certificate_id);
	take(c, "server-name", &b->tls_server_name);
	take(c, "tls-min", &b->tls_min_version);
	n = many(c, "pin", pins, &given);
	if (given)
		b->tls_pins = STR_NULL;
	for (size_t i = 0; i < n; i++)
		b->tls_pins = arena_printf(c->arena, "%.*s%s%.*s", STR_ARG(b->tls_pins), i ? ";" : "", STR_ARG(pins[i]));
	return GH_RC_OK;
}

static gh_rc write_all(struct cli *c, struct store *s, const struct store_backend *b, bool update,
		       const struct store_pool_member *members, size_t n, struct gh_err *err)
{
	struct str authorities[AUTHORITIES_MAX];
	size_t n_authorities;
	bool given;

	TRY(write_backend(s, b, update, members, n, err));
	n_authorities = many(c, "ca", authorities, &given);
	return given ? store_backend_authorities_set(s, b->id, authorities, n_authorities, err) : GH_RC_OK;
}

/* Which environment counts is known only when an API is called, so any will do. */
static gh_rc choose_credential(struct cli *c, struct store *s, struct store_backend *b, struct gh_err *err)
{
	const char *id = option_text(&c->options, "credential");
	struct store_credential *rows;
	size_t n;

	if (!id)
		return GH_RC_OK;
	b->credential_id = strcmp(id, "none") == 0 ? STR_NULL : str_of(id);
	if (!b->credential_id.p)
		return GH_RC_OK;
	if (b->is_pool)
		return cli_usage(c, err, "a pool has no credential; its backends have");
	TRY(store_credentials(s, c->arena, false, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].id, b->credential_id))
			return GH_RC_OK;
	FAIL(err, NOT_FOUND, "there is no credential '%s'; make it with `gatehouse credential set %s`", id, id);
}

/* A pool fails when its members do, so breaker and health check are theirs. */
static gh_rc read_balance(struct cli *c, struct store_backend *b, struct gh_err *err)
{
	static const char *const of_pools[] = { "balance", "hash-on", "affinity-cookie" }, *const of_backends[] = { "breaker", "health", "unix-socket" };

	for (size_t i = 0; i < ARRAY_LEN(of_pools); i++)
		if (!b->is_pool && option_text(&c->options, of_pools[i]))
			return cli_usage(c, err, "--%s is for pools; make it one with --member", of_pools[i]);
	for (size_t i = 0; i < ARRAY_LEN(of_backends); i++)
		if (b->is_pool && option_text(&c->options, of_backends[i]))
			return cli_usage(c, err, "--%s is for the members of a pool", of_backends[i]);
	if (b->is_pool && option_int(&c->options, "max-calls", 0) > 0)
		return cli_usage(c, err, "--max-calls is for the members of a pool");
	b->max_calls = option_int(&c->options, "max-calls", b->max_calls);
	take(c, "unix-socket", &b->unix_socket);
	take(c, "balance", &b->balance);
	take(c, "hash-on", &b->hash_on);
	take(c, "affinity-cookie", &b->affinity_cookie);
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *id = c->options.args[0];
	struct store_pool_member members[MEMBERS_MAX];
	struct store_backend b = { .id = str_of(id), .name = str_of(id), .verify_tls = true, .verify_name = true }, old;
	struct store *s;
	bool found;
	size_t n;

	TRY(read_members(c, members, &n, err));
	TRY(cli_store(c, true, &s, err));
	TRY(store_backend_find(s, c->arena, b.id, true, &old, &found, err));
	if (found)
		b = old;
	b.name = option_text(&c->options, "name") ? str_of(option_text(&c->options, "name")) : b.name;
	if (option_text(&c->options, "url") && n)
		return cli_usage(c, err, "give --url URL for a backend or --member ID for a pool, not both");
	if (option_text(&c->options, "url") || n)
		b.url = str_of(option_text(&c->options, "url")), b.is_pool = n > 0;
	TRY(read_tls(c, &b, err));
	if (!found && (b.url.n > 0) == (n > 0))
		return cli_usage(c, err, "give --url URL for a backend, or --member ID for each backend of a pool");
	TRY(read_json(c, "credentials-file", &b.credentials, err));
	TRY(read_json(c, "breaker", &b.breaker, err));
	TRY(read_json(c, "health", &b.health, err));
	TRY(read_balance(c, &b, err));
	TRY(choose_credential(c, s, &b, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, write_all(c, s, &b, found, members, n, err), err);
}

const struct command command_backend_set = {
	.name = "backend set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "make or change a backend or a pool",
	.help = "What is not named stays as it is; members that are named take the place of all the old ones.", .options = set_options, .run = set,
};

/* ---- delete ----------------------------------------------------------------------------------------------------------- */

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "backend", str_of(c->options.args[0]), err);
}

const struct command command_backend_delete = {
	.name = "backend delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a backend that nothing names", .run = delete,
};
