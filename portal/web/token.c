/* token.c - whoever shows a personal token is that person. */
#include "portal/web/web.h"

#include "core/clock.h"
#include "db/personal_tokens.h"

enum { USED_EVERY_US = 60 * 1000000 };

static GH_RC note_use(struct web *w, const struct store_personal_token *t, struct gh_err *err)
{
	struct store *s = w->site->store;

	if (clock_wall_us() - t->used_us < USED_EVERY_US)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, store_personal_token_used(s, t->id, w->rq.address, err), err);
}

gh_rc web_token_user(struct web *w, struct str token, bool *found, struct gh_err *err)
{
	struct store_personal_token t;

	TRY(store_personal_token_find(w->site->store, w->a, token, &t, found, err));
	if (!*found)
		return GH_RC_OK;
	TRY(store_user_find(w->site->store, w->a, t.user_id, &w->user, found, err));
	*found = *found && w->user.state == STORE_USER_ACTIVE;
	if (!*found)
		return GH_RC_OK;
	w->may_write = t.may_write;
	w->may_manage = t.may_manage;
	return note_use(w, &t, err);
}
