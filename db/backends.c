#include "db/backends.h"

#include "core/backend_rules.h"
#include "core/str.h"
#include "db/sql.h"

#include <sys/un.h>

static const char KIND[] = "backend";
enum { SCRATCH_BYTES = 4 << 20 };

/* In the database `credentials` holds the sealed bytes; callers see them in clear or not at all. */
static const struct field backend_fields[] = {
	FIELD(store_backend, TEXT, id),
	FIELD(store_backend, TEXT, name),
	FIELD(store_backend, TEXT, description),
	FIELD(store_backend, REF, url),
	FIELD(store_backend, BOOL, is_pool),
	FIELD(store_backend, BOOL, verify_tls),
	FIELD(store_backend, BOOL, verify_name),
	FIELD(store_backend, REF, client_certificate_id),
	FIELD(store_backend, REF, breaker),
	FIELD_HIDDEN(store_backend, BLOB, credentials),
	FIELD(store_backend, REF, tls_server_name),
	FIELD(store_backend, REF, tls_min_version),
	FIELD(store_backend, REF, tls_pins),
	FIELD(store_backend, REF, credential_id),
	FIELD(store_backend, TEXT, balance),
	FIELD(store_backend, REF, hash_on),
	FIELD(store_backend, REF, affinity_cookie),
	FIELD(store_backend, REF, health),
	FIELD(store_backend, REF, unix_socket),
	FIELD(store_backend, INT, max_calls),
};
static const struct row_type backend_type = ROW_TYPE("backend", store_backend, backend_fields);

static const struct field member_fields[] = {
	FIELD(store_pool_member, TEXT, pool_id),
	FIELD(store_pool_member, TEXT, backend_id),
	FIELD(store_pool_member, INT, weight),
	FIELD(store_pool_member, INT, priority),
};
static const struct field authority_fields[] = {
	FIELD(store_backend_authority, TEXT, backend_id),
	FIELD(store_backend_authority, TEXT, certificate_id),
};
static const struct row_type authority_type = ROW_TYPE("authority of backend", store_backend_authority, authority_fields);
static const struct row_type member_type = ROW_TYPE("member of pool", store_pool_member, member_fields);

/* curl takes a pin that it cannot read for one that never fits; that would be told at the first call only. */
static gh_rc check_pins(const struct store_backend *b, struct arena *scratch, struct gh_err *err)
{
	struct str rest = b->tls_pins, pin, bytes;

	while (b->tls_pins.n && str_split(&rest, ';', &pin))
		if (!str_starts(pin, STR("sha256//")) || !crypto_base64_decode(scratch, str_from(pin, 8), &bytes)
		    || bytes.n != CRYPTO_SHA256_BYTES)
			FAIL(err, INVALID, "backend '%.*s': a pin is sha256// and the base64 of the SHA-256 digest of a public key, "
			     "not '%.*s'", STR_ARG(b->id), STR_ARG(str_first(pin, 100)));
	return GH_RC_OK;
}

static bool hash_on_ok(struct str text)
{
	struct str rest = text, kind;
	bool named;

	str_split(&rest, ':', &kind);
	named = str_eq(kind, STR("header")) || str_eq(kind, STR("cookie"));
	return named ? rest.n > 0 : !rest.n && (str_eq(kind, STR("address")) || str_eq(kind, STR("subscription")) || str_eq(kind, STR("path")));
}

/* A token of RFC 9110 section 5.6.2, as cookies and header fields are named. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !(s.p[i] && strchr("!#$%&'*+-.^_`|~", s.p[i])))
			return false;
	return s.n > 0 && s.n <= 128;
}

/* What stands in the store can be served: a worker would refuse all of a configuration with one bad document in it. */
static gh_rc check_rules(const struct store_backend *b, struct gh_err *err)
{
	struct breaker_rule rule;
	struct health_check check;

	if (b->breaker.n)
		TRY(breaker_rule_parse(b->breaker, &rule, err));
	if (b->health.n)
		TRY(health_check_parse(b->health, &check, err));
	if (b->unix_socket.n && (b->unix_socket.p[0] != '/' || b->unix_socket.n >= sizeof(((struct sockaddr_un *)0)->sun_path)))
		FAIL(err, INVALID, "a socket is a path that begins with / and has less than %zu bytes, not '%.*s'",
		     sizeof(((struct sockaddr_un *)0)->sun_path), STR_ARG(str_first(b->unix_socket, 200)));
	if (b->hash_on.n && !hash_on_ok(b->hash_on))
		FAIL(err, INVALID, "what a pool hashes on is address, subscription, path, header:NAME or cookie:NAME, not '%.*s'",
		     STR_ARG(str_first(b->hash_on, 100)));
	if (b->affinity_cookie.n && !is_token(b->affinity_cookie))
		FAIL(err, INVALID, "'%.*s' is no name of a cookie", STR_ARG(str_first(b->affinity_cookie, 100)));
	if (str_starts(b->affinity_cookie, STR("gh_")) || str_starts(b->hash_on, STR("cookie:gh_")))
		FAIL(err, INVALID, "cookies whose names begin with gh_ are sessions of the gateway and the portal; a pool takes another name");
	return GH_RC_OK;
}

static gh_rc write_backend(struct store *s, enum sql which, const struct store_backend *b, struct change c, struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct store_backend row = *b;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "backend '%.*s'", STR_ARG(b->id));
	if (!row.balance.n)
		row.balance = STR("round-robin");
	rc = check_pins(b, scratch, err);
	if (!rc.code)
		rc = check_rules(b, err);
	if (!rc.code)
		rc = store_seal(s, scratch, KIND, b->id, b->credentials, &row.credentials, err);
	if (!rc.code)
		rc = change_row(s, which, &backend_type, &row, c, err);
	arena_free(scratch);
	return rc;
}

GH_RC store_backend_create(struct store *s, const struct store_backend *b, struct gh_err *err)
{
	return write_backend(s, SQL_BACKEND_ADD, b, CHANGE_ADD(b->id), err);
}

GH_RC store_backend_update(struct store *s, const struct store_backend *b, struct gh_err *err)
{
	return write_backend(s, SQL_BACKEND_SET, b, CHANGE_SET(b->id), err);
}

GH_RC store_backend_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_BACKEND_DROP, id, STR_NULL, CHANGE_DROP("backend"), err);
}

static gh_rc reveal(struct store *s, struct arena *a, bool in_clear, struct store_backend *b, struct gh_err *err)
{
	struct str sealed = b->credentials;

	b->credentials = STR_NULL;
	return in_clear ? store_unseal(s, a, KIND, b->id, sealed, &b->credentials, err) : GH_RC_OK;
}

GH_RC store_backend_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_backend *out, bool *found,
			 struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_BACKEND_GET);

	bind_str(st, 1, id);
	TRY(find_row(s, st, &backend_type, a, out, found, err));
	return *found ? reveal(s, a, in_clear, out, err) : GH_RC_OK;
}

GH_RC store_backends(struct store *s, struct arena *a, bool in_clear, struct store_backend **out, size_t *n,
		     struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_BACKEND_ALL), &backend_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++)
		TRY(reveal(s, a, in_clear, &(*out)[i], err));
	return GH_RC_OK;
}

GH_RC store_pool_set(struct store *s, struct str pool_id, const struct store_pool_member *v, size_t n, struct gh_err *err)
{
	TRY(change_keys(s, SQL_POOL_CLEAR, pool_id, STR_NULL,
			(struct change){ .kind = "pool", .raises = RAISES_CONFIG }, err));
	for (size_t i = 0; i < n; i++) {
		struct store_pool_member row = v[i];

		row.pool_id = pool_id;
		TRY(change_row(s, SQL_POOL_ADD, &member_type, &row,
			       (struct change){ .action = "set", .id = pool_id, .raises = RAISES_CONFIG }, err));
	}
	return GH_RC_OK;
}

GH_RC store_pool_members_of(struct store *s, struct arena *a, struct str pool_id, struct store_pool_member **out, size_t *n,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_POOL_OF);

	bind_str(st, 1, pool_id);
	return list_rows(s, st, &member_type, a, out, n, err);
}

GH_RC store_pool_members(struct store *s, struct arena *a, struct store_pool_member **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_POOL_ALL), &member_type, a, out, n, err);
}

GH_RC store_backend_authorities_set(struct store *s, struct str backend_id, const struct str *certificate_ids, size_t n,
				    struct gh_err *err)
{
	TRY(change_keys(s, SQL_BACKEND_AUTHORITY_CLEAR, backend_id, STR_NULL,
			(struct change){ .kind = "authority of backend", .raises = RAISES_CONFIG }, err));
	for (size_t i = 0; i < n; i++) {
		struct store_backend_authority row = { backend_id, certificate_ids[i] };

		TRY(change_row(s, SQL_BACKEND_AUTHORITY_ADD, &authority_type, &row,
			       (struct change){ .action = "set", .id = backend_id, .raises = RAISES_CONFIG }, err));
	}
	return GH_RC_OK;
}

GH_RC store_backend_authorities(struct store *s, struct arena *a, struct store_backend_authority **out, size_t *n,
				struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_BACKEND_AUTHORITY_ALL), &authority_type, a, out, n, err);
}

GH_RC store_backend_authority_ids(struct store *s, struct arena *a, struct str backend_id, struct str **out, size_t *n,
				  struct gh_err *err)
{
	static const struct field id_fields[] = { { "id", FIELD_TEXT, 0 } };
	static const struct row_type id_type = { "authority", id_fields, 1, sizeof(struct str) };
	sqlite3_stmt *st = sql_use(s, SQL_BACKEND_AUTHORITY_IDS);

	bind_str(st, 1, backend_id);
	return list_rows(s, st, &id_type, a, out, n, err);
}
