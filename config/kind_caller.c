/* kind_caller.c - callers that come without a subscription key (db/callers.h). The id begins with the kind: "client:shop". */
#include "config/kind.h"
#include "config/password_rule.h"

#include "core/str.h"
#include "db/callers.h"

/* A secret that is replaced stays good for so long: whoever has the old one needs time to take the new one. */
enum { OLD_SECRET_S = 86400 };

struct caller_row {
	struct str id;
	struct store_caller c;
	struct str given;                /* a new secret or password; STR_NULL: none */
};

static const struct resource_field fields[] = {
	FIELD_ID("client:ID, basic:USER, signing:ACCESS-KEY, token:ISSUER SUBJECT, or certificate:THUMBPRINT or SUBJECT", caller_row, id),
	{ .name = "kind", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Kind", .description = "How it shows who it is",
	  AT(caller_row, c.kind) },
	{ .name = "application", .type = RESOURCE_REF, .ref = "application", .label = "Application",
	  .description = "The application that it is: its subscriptions count", AT(caller_row, c.application_id) },
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 300, .description = "What people read", AT(caller_row, c.name) },
	{ .name = "groups", .type = RESOURCE_TEXTS, .label = "Groups", .most = 300,
	  .description = "Groups that it is in, for rules and for the backend", .offset = RESOURCE_BY_HAND },
	{ .name = "state", .type = RESOURCE_ENUM, .values = store_caller_state_names, .otherwise = "\"active\"", .label = "State",
	  .description = "A suspended one may not call", AT(caller_row, c.state) },
	{ .name = "secret", .type = RESOURCE_SECRET, .flags = RESOURCE_STAYS | RESOURCE_NO_REF | RESOURCE_ALWAYS, .label = "Secret",
	  .description = "Of a client, an access key or a user (at least web.password_min characters); left out, a new one is made for clients and "
			 "access keys and told once. A client's old secret stays good for a day", .offset = RESOURCE_BY_HAND },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(caller_row, c.created_us) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Secret changed", .description = "When the secret was last made",
	  AT(caller_row, c.changed_us) },
	FIELD_END,
};

static bool cut(struct str id, struct str *kind, struct str *name)
{
	static const char *const kinds[] = { "client", "basic", "signing", "token", "certificate" };
	size_t colon = str_find_char(id, ':');

	*kind = str_first(id, colon);
	*name = colon == SIZE_MAX ? STR_NULL : str_from(id, colon + 1);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(*kind, str_of(kinds[i])))
			return name->n > 0;
	return false;
}

static void check_id(struct resource_change *c, struct str id)
{
	struct str kind, name;

	if (!cut(id, &kind, &name))
		resource_problem(c, &kind_caller, id, STR("/id"), "must be KIND:ID with client, basic, signing, token or certificate, like client:shop");
	else if (str_eq(kind, STR("basic")) && str_find_char(name, ':') != SIZE_MAX)
		resource_problem(c, &kind_caller, id, STR("/id"), "the name of a basic caller holds no colon");
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct caller_row *r = row;
	struct str kind, name;

	*found = false;
	if (!cut(id, &kind, &name))
		return GH_RC_OK;
	r->id = id;
	return store_caller_find(s, a, kind, name, true, &r->c, found, err);
}

static GH_RC fresh(struct resource_put *p, struct gh_err *err UNUSED)
{
	struct caller_row *r = p->row;

	(void)cut(p->id, &r->c.kind, &r->c.id);
	return GH_RC_OK;
}

static bool has_secret(const struct store_caller *c)
{
	return c->digest.n || c->hash.n || c->secret.n;
}

static GH_RC show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct caller_row *r = row;

	json_object_set_new(doc, "groups", json_words(r->c.groups));
	json_object_set_new(doc, "secret", resource_secret_shown(has_secret(&r->c), STR_NULL));
	return GH_RC_OK;
}

/* Whether the caller has this secret already: files that hold one do not change it each time. */
static bool is_same(const struct store_caller *c, struct str secret)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	if (c->hash.n)
		return crypto_password_verify(c->hash, secret);
	if (c->secret.n)
		return c->secret.n == secret.n && crypto_equal(c->secret, secret);
	crypto_sha256(secret, digest);
	return c->digest.n == sizeof(digest) && crypto_equal(c->digest, (struct str){ (const char *)digest, sizeof(digest) });
}

static void check_secret(struct resource_put *p)
{
	struct caller_row *r = p->row;
	bool basic = str_eq(r->c.kind, STR("basic")), made = str_eq(r->c.kind, STR("client")) || str_eq(r->c.kind, STR("signing"));
	enum secret_given given = resource_secret(p->doc, "secret", &r->given);

	if (given != SECRET_TEXT)
		r->given = STR_NULL;
	if (given == SECRET_TEXT && !basic && !made)
		put_problem(p, "/secret", "a %.*s caller has none", STR_ARG(r->c.kind));
	else if (given == SECRET_TEXT && made && (r->given.n < STORE_SECRET_MIN || r->given.n > STORE_SECRET_MAX))
		put_problem(p, "/secret", "has %d to %d characters", STORE_SECRET_MIN, STORE_SECRET_MAX);
	else if (given == SECRET_NONE && p->exists && has_secret(&r->c))
		put_problem(p, "/secret", "cannot be taken away; suspend or remove the caller");
	else if (given != SECRET_TEXT && basic && !p->exists)
		put_problem(p, "/secret", "is required: the password");
	else if (given == SECRET_STAYS && jsn_get(p->doc, "secret") && !has_secret(&r->c))
		put_problem(p, "/secret", "there is nothing sealed yet; give a text");
}

/* A password that it has already is no new one, however short: files that hold it go on. */
static GH_RC check_password(struct resource_put *p, struct gh_err *err)
{
	const struct caller_row *r = p->row;
	int64_t least;

	if (!str_eq(r->c.kind, STR("basic")) || !r->given.n)
		return GH_RC_OK;
	if (r->given.n > CRYPTO_PASSWORD_MAX)
		put_problem(p, "/secret", "is longer than any password (%d bytes)", CRYPTO_PASSWORD_MAX);
	if (r->given.n > CRYPTO_PASSWORD_MAX || p->c->passwords_stand)
		return GH_RC_OK;
	TRY(password_least(p->s, p->a, &least, err));
	if ((int64_t)password_characters(r->given) < least && !(p->exists && is_same(&r->c, r->given)))
		put_problem(p, "/secret", "use at least %lld characters (web.password_min)", (long long)least);
	return GH_RC_OK;
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	struct caller_row *r = p->row;
	char pointer[40];
	size_t i;
	json_t *v;

	r->c.groups = STR("");
	json_array_foreach(jsn_get(p->doc, "groups"), i, v) {
		struct str g = jsn_string(v);

		snprintf(pointer, sizeof(pointer), "/groups/%zu", i);
		if (!g.n || str_find_char(g, ' ') != SIZE_MAX || str_find_char(g, ',') != SIZE_MAX || str_find_char(g, '\n') != SIZE_MAX)
			put_problem(p, pointer, "the id of a group holds no blank and no comma");
		r->c.groups = arena_printf(p->a, "%.*s%s%.*s", STR_ARG(r->c.groups), i ? " " : "", STR_ARG(g));
	}
	check_secret(p);
	return check_password(p, err);
}

static GH_RC hash_of(struct resource_put *p, struct caller_row *r, struct gh_err *err)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];

	TRY(crypto_password_hash(r->given, hash, err));
	r->c.hash = arena_dup(p->a, str_of(hash));
	return r->c.hash.p ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "caller");
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct caller_row *r = p->row;
	bool basic = str_eq(r->c.kind, STR("basic"));
	struct str secret = STR_NULL;

	if (p->exists && r->given.n && is_same(&r->c, r->given))
		r->given = STR_NULL;
	if (basic && r->given.n)
		TRY(hash_of(p, r, err));
	if (p->exists) {
		TRY(store_caller_update(p->s, &r->c, err));
		return basic || !r->given.n ? GH_RC_OK
		       : store_caller_rotate(p->s, p->a, r->c.kind, r->c.id, r->given, OLD_SECRET_S, NULL, err);
	}
	r->c.secret = basic ? STR_NULL : r->given;
	TRY(store_caller_create(p->s, p->a, &r->c, &secret, err));
	if (secret.n && !r->given.n)
		p->c->issued = jsn_keep(p->c->arena, json_pack("{s:s%}", "secret", secret.p, secret.n));
	return GH_RC_OK;
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct str kind, name;

	if (!cut(id, &kind, &name))
		FAIL(err, NOT_FOUND, "there is no caller '%.*s'", STR_ARG(str_first(id, 200)));
	return store_caller_delete(s, kind, name, err);
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct caller_row), .store = STORE_RESOURCE_CALLER, .check_id = check_id, .find = find, .fresh = fresh, .show = show,
	.check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_caller = {
	.name = "caller", .plural = "callers", .title = "Caller",
	.description = "A program that calls without a subscription key: by client secret, password, signature, token or certificate.",
	.area = RESOURCE_AREA_SUBSCRIPTIONS, .personal = true, .fields = fields, .ops = &ops,
	.filters = { { "kind", "Only callers of this kind", NULL }, { "application", "Only callers of this application", NULL } },
};
