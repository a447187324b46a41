/* access_client.c - callers that show a name and a secret: applications with client id and secret, and users with a password.
 *
 * A client's secret is long and made by a machine, so its SHA-256 is compared. A password may be short: it is hashed with
 * Argon2id on the helper's thread, and the verdict is remembered under a digest with a secret of this process. An unknown
 * user costs the same as a known one. */
#include "core/crypto.h"
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "fcgi/access_jobs.h"

enum { GOOD_S = 3600, BAD_S = 60 };      /* for which a verdict on a password is remembered */

static const struct str client_id_field = STR_INIT("client_id"), client_secret_field = STR_INIT("client_secret");

static void name_caller(struct access_flow *f, const char *method, struct str id)
{
	struct principal *who = &f->who;

	if (who->method)
		return;
	who->method = method;
	who->id = who->client = id;
}

/* ---- client id and secret ------------------------------------------------------------------------------------------------------ */

/* CGI has no underscores left, so the fields come as Client-Id or Client_Id. */
static struct str field_of(const struct fields *h, struct str name, struct str dashed)
{
	struct str v = fields_get(h, dashed);

	return v.n ? v : fields_get(h, name);
}

static bool find_pair(const struct access_flow *f, const struct snap_method *m, struct str *id, struct str *secret)
{
	const struct fields *h = &f->k->x.request.headers;

	if (m->from_headers) {
		*id = str_trim(field_of(h, client_id_field, STR("Client-Id")));
		*secret = str_trim(field_of(h, client_secret_field, STR("Client-Secret")));
		if (id->n)
			return true;
	}
	return m->from_basic && access_basic_pair(f, id, secret);
}

bool access_secret_fits(const struct caller_entry *c, struct str secret, int64_t now_us)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct str d = { (const char *)digest, sizeof(digest) };
	bool now, before;

	crypto_sha256(secret, digest);
	now = c->known && crypto_equal(d, c->row.digest);
	before = c->known && c->row.old_digest.n && now_us < c->row.old_ends_us && crypto_equal(d, c->row.old_digest);
	return now || before;
}

enum verdict access_by_client(struct access_flow *f, const struct snap_method *m)
{
	struct str id = STR_NULL, secret = STR_NULL;
	struct caller_entry *c;

	if (!find_pair(f, m, &id, &secret))
		return access_refuse(f, REASON_CLIENT_MISSING, "client id", STR("client_id and client_secret"), STR("none"));
	if (id.n > STORE_CALLER_ID_MAX)
		return access_refuse(f, REASON_CLIENT_INVALID, "client id", STR("a registered client"), STR("a longer text"));
	c = access_caller(f, "client", id);
	if (!c)
		return V_REFUSED;
	if (!access_secret_fits(c, secret, access_now_us(f)))
		return access_refuse(f, REASON_CLIENT_INVALID, c->known ? "client secret" : "client id",
				     c->known ? STR("its secret") : STR("a registered client"),
				     c->known ? STR("another one") : str_first(id, 80));
	name_caller(f, "client", id);
	return access_take_caller(f, c);
}

/* ---- user name and password ------------------------------------------------------------------------------------------------------- */

struct password_check {
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct caller_entry *caller;
	struct str name;
};

static bool in_group(struct str have, struct access_values wanted)
{
	struct str part;

	while (str_split(&have, ' ', &part))
		for (size_t i = 0; i < wanted.n; i++)
			if (part.n && str_eq(part, wanted.v[i]))
				return true;
	return !wanted.n;
}

static enum verdict decide(struct access_flow *f, const struct snap_method *m, const struct password_check *p, bool good)
{
	if (!good || !p->caller->known)
		return access_refuse(f, REASON_BASIC_INVALID, "password", STR("the user's password"), STR("another user or password"));
	if (!in_group(p->caller->row.groups, m->groups))
		return access_refuse(f, REASON_GROUP_MISSING, "group", m->groups.v[0],
				     p->caller->row.groups.n ? p->caller->row.groups : STR("none"));
	name_caller(f, "basic", p->name);
	if (!f->who.username.n)
		f->who.username = p->name;
	return access_take_caller(f, p->caller);
}

static enum verdict take_result(struct access_flow *f, const struct snap_method *m, struct password_check *p)
{
	struct note_entry *n;
	bool good;

	if (!access_job_done(f->job))
		return V_WAIT;
	good = access_job_good(f->job) && p->caller->known;
	access_job_drop(f->job);
	f->job = NULL;
	n = note_entry_new(p->digest, STR_NULL);
	if (!n)
		return V_NO_MEMORY;
	n->good = good;
	n->until_us = access_now_us(f) + (good ? GOOD_S : BAD_S) * INT64_C(1000000);
	lru_put(&f->memory->passwords, &n->lru);
	lru_unref(&n->lru);
	return decide(f, m, p, good);
}

/* Of the process's secret, the stored hash (a new password is a new digest) and the pair. */
static bool digest_of(struct access_flow *f, const struct caller_entry *c, struct str name, struct str password, uint8_t out[32])
{
	size_t room = name.n + password.n + c->row.hash.n + 3;
	char *text = arena_alloc_text(access_arena(f), room);
	struct str parts[] = { name, c->row.hash, password };
	size_t n = 0;

	if (!text)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].n)
			memcpy(text + n, parts[i].p, parts[i].n);
		n += parts[i].n;
		text[n++] = '\n';
	}
	crypto_hmac_sha256((struct str){ (const char *)f->memory->secret, sizeof(f->memory->secret) }, (struct str){ text, n }, out);
	crypto_wipe(text, n);
	return true;
}

enum verdict access_by_password(struct access_flow *f, const struct snap_method *m)
{
	struct password_check *p = f->state;
	struct str name, password;
	struct lru_entry *l;

	if (p)
		return take_result(f, m, p);
	if (!access_basic_pair(f, &name, &password))
		return access_refuse(f, REASON_BASIC_MISSING, "user name", STR("Authorization: Basic"), STR("none"));
	f->state = p = arena_new_of(access_arena(f), struct password_check);
	if (!p)
		return V_NO_MEMORY;
	if (name.n > STORE_CALLER_ID_MAX || password.n > CRYPTO_PASSWORD_MAX)
		return access_refuse(f, REASON_BASIC_INVALID, "password", STR("the user's password"), STR("a longer text"));
	p->name = name;
	p->caller = access_caller(f, "basic", name);
	if (!p->caller)
		return V_REFUSED;
	if (!digest_of(f, p->caller, name, password, p->digest))
		return V_NO_MEMORY;
	l = lru_get(&f->memory->passwords, p->digest);
	if (l) {
		const struct note_entry *n = CONTAINER_OF(l, struct note_entry, lru);
		bool good = n->good, fresh = access_now_us(f) < n->until_us;

		lru_unref(l);
		if (fresh)
			return decide(f, m, p, good);
	}
	f->job = access_job_password(f->memory->jobs, f->k, p->caller->row.hash, password);
	if (!f->job)
		return access_refuse(f, REASON_ACCESS_BUSY, "password", STR("a place in the queue"), STR("none free"));
	f->phase = 1;
	return V_WAIT;
}
