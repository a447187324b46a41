#include "portal/portal/json.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/personal_tokens.h"

/* Personal tokens: the page on which they are made and taken back. How a request finds its person: portal/web/token.c. */

enum { TOKEN_NAME_MAX = 100 };

/* How long one lasts, as the form offers it. */
static const struct life {
	const char *value, *words;
	int64_t days;
} lives[] = { { "month", "30 days", 30 }, { "week", "7 days", 7 }, { "quarter", "90 days", 90 }, { "year", "a year", 365 } };

/* ---- the page ---------------------------------------------------------------------------------------------------------------- */

static GH_RC put_tokens(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "tokens");
	struct store_personal_token *v;
	int64_t now = clock_wall_us();
	size_t n;

	TRY(store_personal_tokens(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name);
		liquid_set_text(r, "prefix", v[i].prefix);
		liquid_set_bool(r, "may_write", v[i].may_write);
		liquid_set_bool(r, "may_manage", v[i].may_manage);
		liquid_set_bool(r, "ended", v[i].ends_us && v[i].ends_us <= now);
		liquid_set_text(r, "ends", web_date(w, v[i].ends_us));
		liquid_set_text(r, "used", v[i].used_us ? web_ago(w, v[i].used_us, now) : STR_NULL);
		liquid_set_text(r, "address", v[i].address);
	}
	return GH_RC_OK;
}

static GH_RC show(struct web *w, int status, struct str fresh, struct gh_err *err)
{
	struct liquid_list *choices = liquid_set_list(w->page, "lives");

	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct liquid_record *r = liquid_push_record(choices);

		liquid_set_text(r, "value", str_of(lives[i].value));
		liquid_set_text(r, "words", web_text(w, str_of(lives[i].words)));
		liquid_set_bool(r, "here", status == 422 && str_eq(web_param(&w->rq.form, "life"), str_of(lives[i].value)));
	}
	liquid_set_bool(w->page, "write", status == 422 && web_param(&w->rq.form, "write").n > 0);
	liquid_set_bool(w->page, "manage", status == 422 && web_param(&w->rq.form, "manage").n > 0);
	liquid_set_bool(w->page, "has_password", w->user.password_hash.n > 0);
	web_form_value(w, "password_token", STR(""));
	web_form_value(w, "name", status == 422 ? web_param(&w->rq.form, "name") : STR(""));
	TRY(put_tokens(w, err));
	liquid_set_text(w->page, "fresh", fresh);
	web_title(w, "Tokens");
	w->rs.status = status;
	return web_page(w, "tokens", err);
}

gh_rc portal_tokens(struct web *w, struct gh_err *err)
{
	return show(w, 200, STR_NULL, err);
}

/* Its owner hears of it: whoever sat down at an open browser could have made one that outlives the session. */
static GH_RC make(struct web *w, struct store_personal_token *t, struct str *token, struct gh_err *err)
{
	json_t *data = json_pack("{s:s%}", "token", t->name.p, t->name.n);

	TRY(store_personal_token_create(w->site->store, w->a, t, &t->id, token, err));
	return web_mail(w, w->user.email, "token", web_greeting(&w->user), STR("account/tokens"), data, err);
}

/* One that may see to the account outlives the browser at which somebody may have sat down, so its owner is asked for; and a
 * token that makes another does not outlive its own end that way. */
gh_rc portal_token_take(struct web *w, struct store_personal_token *t, struct str *token, bool *ok, struct gh_err *err)
{
	struct str name = str_trim(web_param(&w->rq.form, "name")), life = web_param(&w->rq.form, "life");
	struct store *s = w->site->store;
	int64_t days = lives[0].days;
	gh_rc rc;

	*t = (struct store_personal_token){ .user_id = w->user.id, .name = name, .may_write = web_param(&w->rq.form, "write").n > 0,
					    .may_manage = web_param(&w->rq.form, "manage").n > 0 };
	t->may_write = t->may_write || t->may_manage;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++)
		if (str_eq(life, str_of(lives[i].value)))
			days = lives[i].days;
	*ok = name.n && name.n <= TOKEN_NAME_MAX;
	if (!*ok)
		web_form_error(w, "name", name.n ? STR("This is too long.") : STR("Say what the token is for."));
	if ((t->may_manage || w->by_token) && !web_owner_proven(w, "password_token"))
		*ok = false;
	if (!*ok)
		return GH_RC_OK;
	t->ends_us = clock_wall_us() + days * 86400 * 1000000;
	TRY(store_tx_begin(s, web_actor(w), err));
	rc = store_tx_end(s, make(w, t, token, err), err);
	if (rc.code != GH_E_LIMIT)
		return rc;
	web_form_error(w, "name", STR("You have as many tokens as one person may have. Take back one that you no longer use."));
	*ok = false;
	return GH_RC_OK;
}

gh_rc portal_token_make(struct web *w, struct gh_err *err)
{
	struct store_personal_token t;
	struct str token;
	bool ok;

	TRY(portal_token_take(w, &t, &token, &ok, err));
	return ok ? show(w, 200, token, err) : show(w, 422, STR_NULL, err);
}

gh_rc portal_token_end(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_personal_token_delete(s, w->user.id, w->rq.args[0], err), err));
	TRY(web_flash(w, "good", STR("The token is taken back: it no longer works."), err));
	return web_redirect(w, STR("account/tokens"), err);
}
