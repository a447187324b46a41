#include "portal/admin/admin.h"

#include "core/str.h"

/* How the person who is signed in signs in. Name, password, address and browsers are seen to in the portal: it is one account. */
gh_rc admin_account(struct web *w, struct gh_err *err)
{
	bool code, passkey;

	TRY(web_has_factor(w, w->user.id, &code, &passkey, err));
	liquid_set_bool(w->page, "has_code", code);
	liquid_set_bool(w->page, "has_passkey", passkey);
	liquid_set_bool(w->page, "demanded", web_factor_demanded(w));
	liquid_set_text(w->page, "portal_base", web_portal_base(w->site, w->a));
	liquid_set_text(w->page, "title", STR("Your sign-in"));
	return web_page(w, "account", err);
}
