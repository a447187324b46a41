#include "fcgi/access_memory.h"

#include "core/log.h"
#include "core/str.h"
#include "fcgi/access_jobs.h"

#include <stdlib.h>

enum { ROW_BYTES_MAX = 4 << 20, CALLER_BYTES_MAX = 1 << 20, PASSWORDS_MAX = 10000, ANSWERS_SHARE = 2 };

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

GH_RC access_memory_new(const struct access_memory_options *o, struct access_memory **out, struct gh_err *err)
{
	struct access_memory *m = calloc(1, sizeof(*m));
	struct gh_err jobs = { 0 };
	bool ok = m != NULL;

	ok = ok && lru_init(&m->tokens, o->tokens) && lru_init(&m->verdicts, o->tokens)
	     && lru_init(&m->answers, o->tokens / ANSWERS_SHARE)
	     && lru_init(&m->callers, o->callers) && lru_init(&m->passwords, PASSWORDS_MAX) && lru_init(&m->identities, o->callers);
	if (ok)
		m->rows = arena_new(ROW_BYTES_MAX);
	if (!ok || !m->rows || crypto_random(m->secret, sizeof(m->secret), err).code) {
		access_memory_free(m);
		FAIL(err, NOMEM, "no memory to remember callers");
	}
	if (access_jobs_start(o->loop, o->state_dir, &m->jobs, &jobs).code)
		log_warn("passwords cannot be checked", KV_CSTR("error", jobs.message));
	*out = m;
	return GH_RC_OK;
}

void access_memory_free(struct access_memory *m)
{
	if (!m)
		return;
	access_jobs_stop(m->jobs);
	lru_release(&m->tokens);
	lru_release(&m->verdicts);
	lru_release(&m->answers);
	lru_release(&m->callers);
	lru_release(&m->passwords);
	lru_release(&m->identities);
	arena_free(m->rows);
	crypto_wipe(m->secret, sizeof(m->secret));
	free(m);
}

/* ---- callers ------------------------------------------------------------------------------------------------------------- */

static void caller_release(struct lru_entry *l)
{
	struct caller_entry *e = CONTAINER_OF(l, struct caller_entry, lru);

	for (size_t i = 0; i < e->n_subscriptions; i++)
		key_entry_unref(e->subscriptions[i]);
	crypto_wipe((void *)(uintptr_t)e->row.secret.p, e->row.secret.n);
	arena_free(e->arena);
	free(e);
}

static bool copy_row(struct caller_entry *e)
{
	struct str *texts[] = { &e->row.kind, &e->row.id, &e->row.application_id, &e->row.name, &e->row.groups, &e->row.digest,
				&e->row.old_digest, &e->row.hash, &e->row.secret, &e->application.id, &e->application.name,
				&e->application.description, &e->application.redirect_url, &e->application.business_group_id };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct str from = *texts[i];

		if (!from.p)
			continue;
		*texts[i] = arena_dup(e->arena, from);
		if (texts[i] == &e->row.secret)
			crypto_wipe((void *)(uintptr_t)from.p, from.n);
		if (!texts[i]->p)
			return false;
	}
	return true;
}

static gh_rc add_subscriptions(struct access_memory *m, struct access_cache *c, const struct snapshot *s, struct caller_entry *e,
			       struct gh_err *err)
{
	struct store_access *rows;
	size_t n;

	TRY(store_access_of_application(access_cache_store(c), m->rows, e->row.application_id, &rows, &n, err));
	e->subscriptions = arena_alloc(e->arena, n, sizeof(*e->subscriptions));
	if (!e->subscriptions)
		FAIL(err, NOMEM, "no memory for a caller");
	for (size_t i = 0; i < n; i++) {
		struct key_entry *k = key_entry_new(c, s, &rows[i], STR_NULL, err);

		if (!k)
			return (gh_rc){ GH_E_NOMEM };
		e->subscriptions[e->n_subscriptions++] = k;
	}
	return GH_RC_OK;
}

static gh_rc fill(struct access_memory *m, struct access_cache *c, const struct snapshot *s, struct str kind, struct str id,
		  struct caller_entry *e, struct gh_err *err)
{
	struct store *store = access_cache_store(c);
	bool found = false;

	TRY(store_caller_find(store, m->rows, kind, id, true, &e->row, &e->known, err));
	if (!e->known) {
		e->row = (struct store_caller){ 0 };
		return GH_RC_OK;
	}
	e->arena = arena_new(CALLER_BYTES_MAX);
	if (e->arena && e->row.application_id.n) {
		TRY(store_application_find(store, m->rows, e->row.application_id, &e->application, &found, err));
		if (!found)
			e->application = (struct store_application){ 0 };
	}
	if (!e->arena || !copy_row(e)) {
		FAIL(err, NOMEM, "no memory for a caller");
	}
	return e->row.application_id.n ? add_subscriptions(m, c, s, e, err) : GH_RC_OK;
}

static void follow_generation(struct access_memory *m, struct access_cache *c, const struct snapshot *s)
{
	uint64_t generation = access_cache_generation(c);

	/* a policy that asks for more than they did needs entries that hold more */
	if (generation == m->generation && s->uses_keys == m->with_keys && s->uses_groups == m->with_groups)
		return;
	m->with_keys = s->uses_keys;
	m->with_groups = s->uses_groups;
	lru_clear(&m->callers);
	lru_clear(&m->passwords);
	lru_clear(&m->identities);
	m->generation = generation;
}

struct caller_entry *access_memory_caller(struct access_memory *m, struct access_cache *c, const struct snapshot *s,
					  struct str kind, struct str id, struct gh_err *err)
{
	uint8_t digest[LRU_DIGEST_BYTES];
	struct caller_entry *e;
	struct lru_entry *l;
	char key[STORE_CALLER_ID_MAX + 32];
	size_t n = kind.n + 1 + id.n;

	follow_generation(m, c, s);
	if (n > sizeof(key)) {
		gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "the name of a caller is too long");
		return NULL;
	}
	memcpy(key, kind.p, kind.n);
	key[kind.n] = '\n';
	if (id.n)
		memcpy(key + kind.n + 1, id.p, id.n);
	crypto_sha256((struct str){ key, n }, digest);
	l = lru_get(&m->callers, digest);
	if (l)
		return CONTAINER_OF(l, struct caller_entry, lru);
	e = calloc(1, sizeof(*e));
	if (!e) {
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for a caller");
		return NULL;
	}
	memcpy(e->lru.digest, digest, sizeof(digest));
	e->lru.refs = 1;
	e->lru.release = caller_release;
	arena_reset(m->rows);
	if (fill(m, c, s, kind, id, e, err).code) {
		lru_unref(&e->lru);
		return NULL;
	}
	lru_put(&m->callers, &e->lru);
	return e;
}

/* ---- tokens and notes ----------------------------------------------------------------------------------------------------- */

static void token_release(struct lru_entry *l)
{
	struct token_entry *e = CONTAINER_OF(l, struct token_entry, lru);

	json_decref(e->claims);
	free(e->texts);
	free(e);
}

bool token_entry_keep(struct token_entry *e, const struct token_said *said)
{
	struct str all[TOKEN_SAID], kept[TOKEN_SAID];
	size_t n = 0, same = 0;
	char *to;

	memcpy(all, said, sizeof(all));
	memcpy(kept, &e->said, sizeof(kept));
	for (size_t i = 0; i < TOKEN_SAID; i++) {
		n += all[i].n;
		same += str_eq(all[i], kept[i]);
	}
	if (e->texts)                        /* other calls may be reading them */
		return same == TOKEN_SAID;
	e->texts = to = malloc(n + 1);
	if (!to)
		return false;
	for (size_t i = 0; i < TOKEN_SAID; i++) {
		if (!all[i].p)
			continue;
		if (all[i].n)
			memcpy(to, all[i].p, all[i].n);
		all[i].p = to;
		to += all[i].n;
	}
	memcpy(&e->said, all, sizeof(all));
	return true;
}

struct token_entry *token_entry_new(const uint8_t digest[LRU_DIGEST_BYTES], json_t *claims)
{
	struct token_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	memcpy(e->lru.digest, digest, LRU_DIGEST_BYTES);
	e->lru.refs = 1;
	e->lru.release = token_release;
	e->claims = json_incref(claims);
	return e;
}

void token_entry_unref(void *entry)
{
	lru_unref(&((struct token_entry *)entry)->lru);
}

static void note_release(struct lru_entry *l)
{
	free(CONTAINER_OF(l, struct note_entry, lru));
}

struct note_entry *note_entry_new(const uint8_t digest[LRU_DIGEST_BYTES], struct str text)
{
	struct note_entry *e = calloc(1, sizeof(*e) + text.n + 1);

	if (!e)
		return NULL;
	memcpy(e->lru.digest, digest, LRU_DIGEST_BYTES);
	e->lru.refs = 1;
	e->lru.release = note_release;
	if (text.n)
		memcpy(e + 1, text.p, text.n);
	e->text = (struct str){ (char *)(e + 1), text.n };
	return e;
}
