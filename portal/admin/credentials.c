#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/paths.h"
#include "core/str.h"
#include "core/tokens.h"
#include "db/audit.h"
#include "db/credentials.h"
#include "portal/admin/consent.h"

/* What the gateway shows to backends, and the tokens that it holds for them. No value of a secret or token is read here. */

gh_rc admin_open_tokens(struct web *w, struct tokens **out, struct gh_err *err)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	char path[PATHS_MAX];
	bool found;
	gh_rc rc;

	*out = NULL;
	TRY(paths_join(path, w->site->state_dir, "tokens", err));
	TRY(paths_master_key(w->site->state_dir, key, &found, err));
	if (!found)
		return GH_RC_OK;
	rc = tokens_open(out, path, 0, key, err);
	crypto_wipe(key, sizeof(key));
	return rc.code == GH_E_NOT_FOUND ? GH_RC_OK : rc;
}

static const struct store_credential_grant *grant_of(const struct store_credential_grant *v, size_t n, const struct store_credential *c)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].environment_id, c->environment_id) && str_eq(v[i].credential_id, c->id))
			return &v[i];
	return NULL;
}

static struct str person(struct str actor)
{
	return str_starts(actor, STR("user:")) ? str_from(actor, 5) : actor;
}

size_t admin_credentials_seen(struct web *w, struct store_credential *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (web_may_in(w, WEB_VIEW_CREDENTIALS, v[i].environment_id))
			v[kept++] = v[i];
	return kept;
}

static GH_RC put_credentials(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "credentials");
	struct store_credential_grant *grants;
	struct store_credential *v;
	size_t n, n_grants;

	TRY(store_credentials(w->site->store, w->a, false, &v, &n, err));
	n = admin_credentials_seen(w, v, n);
	TRY(store_credential_grants(w->site->store, w->a, false, &grants, &n_grants, err));
	for (size_t i = 0; i < n; i++) {
		const struct store_credential_grant *g = grant_of(grants, n_grants, &v[i]);
		struct liquid_record *r = liquid_push_record(list);
		enum credential_kind kind = CREDENTIAL_CLIENT;
		bool known = credential_kind_of(v[i].kind, &kind);

		liquid_set_text(r, "environment", v[i].environment_id);
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
		liquid_set_text(r, "description", v[i].description.n ? v[i].description : STR(""));
		liquid_set_text(r, "kind", known ? credential_kind_info(kind)->text : v[i].kind);
		liquid_set_text(r, "resource", v[i].resource.n ? v[i].resource : STR(""));
		liquid_set_bool(r, "has_tokens", known && credential_kind_info(kind)->token);
		liquid_set_bool(r, "consent", known && kind == CREDENTIAL_CODE);
		liquid_set_bool(r, "may_change", web_may_in(w, WEB_CHANGE_CREDENTIALS, v[i].environment_id));
		liquid_set_bool(r, "connected", g != NULL);
		liquid_set_text(r, "connected_by", g ? person(g->granted_by) : STR(""));
		liquid_set_text(r, "connected_at", g ? web_date(w, g->granted_us) : STR(""));
		liquid_set_text(r, "changed", web_date(w, v[i].changed_us));
	}
	return admin_put_rotations(w, v, n, err);
}

static void put_token(struct web *w, struct liquid_record *r, const struct tokens_row *t, int64_t now)
{
	liquid_set_text(r, "environment", t->environment);
	liquid_set_text(r, "credential", t->credential);
	liquid_set_text(r, "caller", t->subject);
	liquid_set_bool(r, "live", t->live);
	liquid_set_text(r, "issued", t->issued_us ? web_date(w, t->issued_us) : STR(""));
	liquid_set_text(r, "expires", t->expires_us ? web_date(w, t->expires_us) : STR(""));
	liquid_set_text(r, "used", t->used_us ? web_ago(w, t->used_us, now) : STR(""));
	liquid_set_text(r, "uses", web_number(w, t->uses));
	liquid_set_text(r, "failure", t->failure);
}

static GH_RC put_tokens(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "tokens");
	int64_t now = clock_wall_us();
	struct tokens_row *v = NULL;
	struct tokens *t;
	size_t n = 0, from, shown, kept = 0;
	gh_rc rc = GH_RC_OK;

	TRY(admin_open_tokens(w, &t, err));
	if (t)
		rc = tokens_list(t, w->a, now, &v, &n, err);
	tokens_close(t);
	for (size_t i = 0; !rc.code && i < n; i++)
		if (web_may_in(w, WEB_VIEW_CREDENTIALS, v[i].environment))
			v[kept++] = v[i];
	shown = web_slice(w, kept, ADMIN_PAGE_ROWS, &from);
	for (size_t i = from; !rc.code && i < from + shown; i++)
		put_token(w, liquid_push_record(list), &v[i], now);
	return rc;
}

gh_rc admin_credentials(struct web *w, struct gh_err *err)
{
	TRY(put_credentials(w, err));
	TRY(put_tokens(w, err));
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_CREDENTIALS));
	liquid_set_bool(w->page, "may_open", web_may(w, WEB_VIEW_SETTINGS));
	liquid_set_bool(w->page, "may_edit", web_may(w, WEB_CHANGE_SETTINGS));
	liquid_set_text(w->page, "link", web_link_mark(w));
	liquid_set_text(w->page, "title", STR("Credentials"));
	return web_page(w, "credentials", err);
}

gh_rc admin_forget(struct web *w, struct str environment, struct str id, bool dry_run, size_t *n, struct gh_err *err)
{
	struct tokens_row *v;
	struct tokens *t;
	size_t all = 0;
	gh_rc rc = GH_RC_OK;

	*n = 0;
	TRY(admin_open_tokens(w, &t, err));
	if (t && dry_run)
		rc = tokens_list(t, w->a, clock_wall_us(), &v, &all, err);
	else if (t)
		*n = tokens_purge(t, environment, id);
	tokens_close(t);
	TRY(rc);
	for (size_t i = 0; i < all; i++)
		*n += str_eq(v[i].environment, environment) && str_eq(v[i].credential, id);
	return store_audit_note(w->site->store, STR("purge"), STR("token"), id, STR_NULL, err);
}

gh_rc admin_credential_forget(struct web *w, struct gh_err *err)
{
	struct str environment = w->rq.args[0], id = w->rq.args[1];
	size_t n = 0;

	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	TRY(store_tx_end(w->site->store, admin_forget(w, environment, id, false, &n, err), err));
	TRY(web_flash(w, "good", arena_printf(w->a, "%zu token%s of %.*s forgotten. The next call asks for a new one.", n, n == 1 ? "" : "s",
					      STR_ARG(str_first(id, 100))), err));
	return web_redirect(w, STR("credentials"), err);
}
