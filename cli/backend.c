/* backend.c - `gatehouse backend …`: backends that APIs and policies name by id, and pools of them. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/json.h"
#include "core/str.h"
#include "db/backends.h"
#include "db/credentials.h"

enum { MEMBERS_MAX = 64, FILE_MAX_BYTES = 65536 };

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

static gh_rc read_json(struct cli *c, const char *option, const char *field, bool as_text, json_t *doc, struct gh_err *err)
{
	const char *file = option_text(&c->options, option);
	struct str text;
	json_t *v;

	if (!file)
		return GH_RC_OK;
	if (strcmp(file, "none") == 0) {
		json_object_set_new(doc, field, json_null());
		return GH_RC_OK;
	}
	TRY(file_read(c->arena, file, FILE_MAX_BYTES, &text, err));
	if (jsn_parse_in(c->arena, text, NULL, &v, NULL, err).code)
		FAIL(err, SYNTAX, "%s is not JSON", file);
	json_object_set_new(doc, field, as_text ? json_stringn(text.p, text.n) : json_incref(v));
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

/* ---- TLS ---- */

static gh_rc read_tls(struct cli *c, json_t *doc, struct gh_err *err)
{
	const char *verify = option_text(&c->options, "verify-tls"), *name = option_text(&c->options, "verify-name");
	bool yes = verify && strcmp(verify, "yes") == 0;

	if (name && strcmp(name, "yes") == 0 && verify && !yes)
		return cli_usage(c, err, "the name of a certificate that is not checked means nothing: give --verify-tls yes");
	if (verify) {
		json_object_set_new(doc, "verifyTls", json_boolean(yes));
		json_object_set_new(doc, "verifyName", json_boolean(yes));
	}
	if (name)
		json_object_set_new(doc, "verifyName", json_boolean(strcmp(name, "yes") == 0));
	return GH_RC_OK;
}

/* Which environment counts is known only when an API is called, so any will do. */
static gh_rc check_credential(struct cli *c, struct store *s, struct gh_err *err)
{
	const char *id = option_text(&c->options, "credential");
	struct store_credential *rows;
	size_t n;

	if (!id || strcmp(id, "none") == 0)
		return GH_RC_OK;
	TRY(store_credentials(s, c->arena, false, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].id, str_of(id)))
			return GH_RC_OK;
	FAIL(err, NOT_FOUND, "there is no credential '%s'; make it with `gatehouse credential set %s`", id, id);
}

/* A pool fails when its members do, so breaker and health check are theirs: the validation says so. */
static gh_rc check_pool(struct cli *c, bool is_pool, struct gh_err *err)
{
	static const char *const of_pools[] = { "balance", "hash-on", "affinity-cookie" };

	for (size_t i = 0; i < ARRAY_LEN(of_pools); i++)
		if (!is_pool && option_text(&c->options, of_pools[i]))
			return cli_usage(c, err, "--%s is for pools; make it one with --member", of_pools[i]);
	return GH_RC_OK;
}

static json_t *member_list(const struct store_pool_member *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s%, s:I, s:I}", "backend", v[i].backend_id.p, v[i].backend_id.n, "weight", (json_int_t)v[i].weight,
						      "priority", (json_int_t)v[i].priority));
	return list;
}

static const struct doc_option fields[] = {
	{ "name", "name", DOC_TEXT }, { "url", "url", DOC_TEXT }, { "ca", "authorities", DOC_LIST }, { "client-certificate", "clientCertificate", DOC_OR_NULL },
	{ "server-name", "tlsServerName", DOC_OR_NULL }, { "tls-min", "tlsMinVersion", DOC_OR_NULL }, { "pin", "tlsPins", DOC_LIST },
	{ "credential", "credential", DOC_OR_NULL }, { "unix-socket", "unixSocket", DOC_OR_NULL }, { "max-calls", "maxCalls", DOC_INT },
	{ "balance", "balance", DOC_TEXT }, { "hash-on", "hashOn", DOC_OR_NULL }, { "affinity-cookie", "affinityCookie", DOC_OR_NULL }, DOC_END
};

static gh_rc set(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	struct store_pool_member members[MEMBERS_MAX];
	struct store_backend old;
	json_t *doc = cli_document(c, fields);
	struct store *s;
	bool found;
	size_t n;

	TRY(read_members(c, members, &n, err));
	TRY(cli_store(c, false, &s, err));
	TRY(store_backend_find(s, c->arena, id, false, &old, &found, err));
	if (option_text(&c->options, "url") && n)
		return cli_usage(c, err, "give --url URL for a backend or --member ID for a pool, not both");
	if (!found && !option_text(&c->options, "url") && !n)
		return cli_usage(c, err, "give --url URL for a backend, or --member ID for each backend of a pool");
	if (!found && !option_text(&c->options, "name"))
		json_object_set_new(doc, "name", json_stringn(id.p, id.n));
	if (option_text(&c->options, "url") || n)
		json_object_set_new(doc, "members", member_list(members, n));
	if (n)
		json_object_set_new(doc, "url", json_null());
	TRY(check_pool(c, n || (found && old.is_pool && !option_text(&c->options, "url")), err));
	TRY(read_tls(c, doc, err));
	TRY(read_json(c, "credentials-file", "credentials", true, doc, err));
	TRY(read_json(c, "breaker", "breaker", false, doc, err));
	TRY(read_json(c, "health", "health", false, doc, err));
	TRY(check_credential(c, s, err));
	return cli_set(c, "backend", id, doc, err);
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
