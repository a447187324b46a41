#include "core/redis_address.h"

#include "core/str.h"
#include "core/uri.h"

enum { DATABASE_MAX = 1000000 };

static bool cut(struct str *rest, const char *mark, struct str *before)
{
	size_t at = str_find(*rest, str_of(mark));

	if (at == SIZE_MAX)
		return false;
	*before = str_first(*rest, at);
	*rest = str_from(*rest, at + strlen(mark));
	return true;
}

static bool read_kind(struct redis_address *out, struct str scheme, bool *path)
{
	static const struct {
		const char *name;
		enum redis_kind kind;
		bool tls, path;
	} all[] = {
		{ "redis", REDIS_ONE, false, false },		    { "rediss", REDIS_ONE, true, false },
		{ "redis+sentinel", REDIS_SENTINEL, false, false }, { "rediss+sentinel", REDIS_SENTINEL, true, false },
		{ "redis+cluster", REDIS_CLUSTER, false, false },   { "rediss+cluster", REDIS_CLUSTER, true, false },
		{ "redis+unix", REDIS_ONE, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_eq(scheme, str_of(all[i].name))) {
			out->kind = all[i].kind;
			out->tls = all[i].tls;
			*path = all[i].path;
			return true;
		}
	return false;
}

static gh_rc read_user(struct redis_address *out, struct arena *a, struct str *rest, struct gh_err *err)
{
	struct str user;

	if (!cut(rest, "@", &user))
		return GH_RC_OK;
	if (str_find_char(user, ':') != SIZE_MAX)
		FAIL(err, INVALID, "redis: a password does not stand in the address, which is shown to people; write it into a file and "
		     "name that in redis.password_file");
	out->user = uri_decode(a, user, false);
	return GH_RC_OK;
}

static gh_rc check_hosts(struct str hosts, struct gh_err *err)
{
	struct str host, rest = hosts;
	unsigned port;

	if (!hosts.n)
		FAIL(err, INVALID, "redis: the address names no host");
	while (rest.p && rest.n)
		if (!redis_address_host(&rest, 1, &host, &port))
			FAIL(err, INVALID, "redis: \"%.*s\" is not host, host:port or a list of them between commas", STR_ARG(hosts));
	return GH_RC_OK;
}

static gh_rc read_behind(struct redis_address *out, struct arena *a, struct str path, struct gh_err *err)
{
	struct str database = path;

	if (out->kind == REDIS_SENTINEL) {
		struct str name;

		if (!path.n)
			FAIL(err, INVALID, "redis: with Sentinels the address ends in the name of the master: redis+sentinel://host/mymaster");
		database = cut(&path, "/", &name) ? path : STR_NULL;
		out->master = uri_decode(a, database.p ? name : path, false);
	}
	if (database.n && (out->kind == REDIS_CLUSTER || !str_to_u64(database, DATABASE_MAX, &out->database)))
		FAIL(err, INVALID, out->kind == REDIS_CLUSTER ? "redis: a Cluster has no databases; \"%.*s\" must go from the address"
							      : "redis: \"%.*s\" is no number of a database", STR_ARG(database));
	return GH_RC_OK;
}

gh_rc redis_address_read(struct redis_address *out, struct arena *a, struct str url, struct gh_err *err)
{
	struct str rest = url, scheme;
	bool is_path;
	size_t slash;

	*out = (struct redis_address){ .kind = REDIS_ONE };
	if (!cut(&rest, "://", &scheme) || !read_kind(out, scheme, &is_path))
		FAIL(err, INVALID, "redis: \"%.*s\" is no address; it begins with redis://, rediss://, redis+sentinel://, redis+cluster:// or "
		     "redis+unix://", STR_ARG(url));
	TRY(read_user(out, a, &rest, err));
	if (is_path) {
		if (rest.n < 2 || rest.p[0] != '/')
			FAIL(err, INVALID, "redis: redis+unix:// is followed by the whole path of a socket");
		out->path = rest;
		return GH_RC_OK;
	}
	slash = str_find_char(rest, '/');
	out->hosts = str_first(rest, slash);
	TRY(check_hosts(out->hosts, err));
	if (out->kind == REDIS_ONE && str_find_char(out->hosts, ',') != SIZE_MAX)
		FAIL(err, INVALID, "redis: several hosts are for redis+sentinel:// and redis+cluster://");
	return read_behind(out, a, slash == SIZE_MAX ? STR_NULL : str_from(rest, slash + 1), err);
}

bool redis_address_host(struct str *rest, unsigned standard, struct str *host, unsigned *port)
{
	struct str one;
	size_t colon;
	uint64_t n = standard;

	if (!str_split(rest, ',', &one))
		return false;
	colon = str_rfind_char(one, ':');
	if (colon != SIZE_MAX && one.p[one.n - 1] != ']') {
		if (!str_to_u64(str_from(one, colon + 1), 65535, &n) || !n)
			return false;
		one = str_first(one, colon);
	}
	*host = one;
	*port = (unsigned)n;
	return one.n > 0 && one.n < 256 && str_find_char(one, ' ') == SIZE_MAX;
}
