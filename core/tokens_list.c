/* tokens_list.c - looking through the token cache and clearing it. */
#include "core/tokens_impl.h"

#include "core/clock.h"
#include "core/str.h"

static struct str name_of(struct arena *a, const struct name *n)
{
	return arena_dup(a, (struct str){ n->text, n->n < TOKENS_NAME_MAX ? n->n : TOKENS_NAME_MAX });
}

GH_RC tokens_list(struct tokens *t, struct arena *a, int64_t now_us, struct tokens_row **out, size_t *n, struct gh_err *err)
{
	*out = arena_alloc(a, t->entries, sizeof(**out));
	*n = 0;
	for (size_t i = 0; *out && i < t->entries; i++) {
		struct tokens_row *r = &(*out)[*n];
		struct entry head;

		if (!*tokens_taken(t, i) || !tokens_entry(t, i)->version || !tokens_read_head(tokens_entry(t, i), &head) || !head.credential.n
		    || (!head.issued_us && !head.failures))
			continue;
		*r = (struct tokens_row){
			.environment = name_of(a, &head.environment), .credential = name_of(a, &head.credential),
			.subject = arena_dup(a, (struct str){ head.subject, head.subject[0] ? sizeof(head.subject) : 0 }),
			.issued_us = head.issued_us, .expires_us = head.expires_us, .used_us = head.uses ? head.used_us : 0,
			.retry_us = head.retry_us, .uses = (int64_t)head.uses, .requests = (int64_t)head.requests,
			.live = head.expires_us > now_us,
			.failure = arena_dup(a, (struct str){ head.failure, strnlen(head.failure, sizeof(head.failure)) }),
		};
		if (!r->failure.p || !r->credential.p)
			FAIL(err, NOMEM, "the list of tokens");
		++*n;
	}
	if (!*out)
		FAIL(err, NOMEM, "the list of tokens");
	return GH_RC_OK;
}

typedef bool keeper(void *arg, struct str environment, struct str credential, const uint8_t print[TOKENS_PRINT_BYTES]);

static bool is_kept(const struct entry *e, keeper *keep, void *arg)
{
	struct str environment = { e->environment.text, e->environment.n }, credential = { e->credential.text, e->credential.n };

	return !e->version || !e->credential.n || keep(arg, environment, credential, e->print);
}

size_t tokens_sweep(struct tokens *t, keeper *keep, void *arg)
{
	size_t gone = 0;

	if (!tokens_lock(t, true))
		return 0;
	for (size_t i = 0; i < t->entries; i++) {
		struct entry *e = tokens_entry(t, i);

		if (!*tokens_taken(t, i) || is_kept(e, keep, arg))
			continue;
		gone += e->issued_us != 0;
		tokens_clear(e);
	}
	tokens_lock(t, false);
	return gone;
}

struct wanted {
	struct str environment, credential;
};

static bool is_other(void *arg, struct str environment, struct str credential, const uint8_t *print UNUSED)
{
	const struct wanted *w = arg;

	return (w->environment.p && !str_eq(environment, str_first(w->environment, TOKENS_NAME_MAX)))
	       || (w->credential.p && !str_eq(credential, str_first(w->credential, TOKENS_NAME_MAX)));
}

size_t tokens_purge(struct tokens *t, struct str environment, struct str credential)
{
	struct wanted w = { environment, credential };

	atomic_store(&t->header->purged_us, clock_wall_us());
	return tokens_sweep(t, is_other, &w);
}
