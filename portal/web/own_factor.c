#include "portal/web/web.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/accounts.h"
#include "portal/web/totp.h"

#include <qrencode.h>

/* Two-step sign-in: setting it up (a picture for the authenticator app, the first code as proof), new recovery codes,
 * switching it off; the portal and the dashboard both have the pages. A secret that was not confirmed by a code is never asked for. */

enum { PICTURE_MAX = 65536, PICTURE_MARGIN = 4 };

/* The dark squares as one path, a run of them a rectangle. */
static GH_RC put_picture(struct web *w, struct str text, struct gh_err *err)
{
	QRcode *code = QRcode_encodeString(arena_cstr(w->a, text), 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	struct buf b;

	if (!code)
		FAIL(err, NOMEM, "picture");
	buf_init(&b, PICTURE_MAX);
	for (int y = 0; y < code->width; y++)
		for (int x = 0, run; x < code->width; x += run) {
			bool dark = code->data[y * code->width + x] & 1;

			for (run = 1; x + run < code->width && (code->data[y * code->width + x + run] & 1) == dark; run++)
				;
			if (dark)
				buf_fmt(&b, "M%d %dh%dv1h-%dz", x + PICTURE_MARGIN, y + PICTURE_MARGIN, run, run);
		}
	liquid_set_int(w->page, "picture_size", code->width + 2 * PICTURE_MARGIN);
	liquid_set_text(w->page, "picture", arena_dup(w->a, buf_view(&b)));
	buf_release(&b);
	QRcode_free(code);
	return GH_RC_OK;
}

/* "ABCD EFGH …" for typing. */
static struct str in_groups(struct arena *a, struct str s)
{
	char *out = arena_alloc_text(a, s.n + s.n / 4 + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < s.n; i++) {
		if (i && i % 4 == 0)
			out[n++] = ' ';
		out[n++] = s.p[i];
	}
	return (struct str){ out, out ? n : 0 };
}

static GH_RC show(struct web *w, int status, const struct store_factor *f, bool in_use, struct gh_err *err)
{
	struct str title;
	int64_t codes = 0;

	web_form(w);
	web_form_value(w, "code", STR(""));
	web_form_value(w, "password_factor", STR(""));
	liquid_set_bool(w->page, "in_use", in_use);
	liquid_set_bool(w->page, "demanded", w->factor_missing);
	liquid_set_bool(w->page, "has_password", w->user.password_hash.n > 0);
	if (in_use) {
		TRY(store_recovery_count(w->site->store, w->user.id, &codes, err));
	} else {
		TRY(web_site_title(w, &title, err));
		TRY(put_picture(w, totp_address(w->a, title, w->user.email, f->secret), err));
		liquid_set_text(w->page, "secret", in_groups(w->a, crypto_base32(w->a, f->secret)));
	}
	liquid_set_int(w->page, "codes_left", codes);
	web_title(w, "Two-step sign-in");
	w->rs.status = status;
	return web_page(w, "web/second-factor", err);
}

static GH_RC show_codes(struct web *w, const struct str *codes, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "codes");

	for (size_t i = 0; i < WEB_RECOVERY_CODES; i++)
		liquid_push(list, liquid_of_text(codes[i]));
	web_title(w, "Recovery codes");
	w->rs.status = 200;
	return web_page(w, "web/recovery-codes", err);
}

/* The one that is being set up stays the same while the page is loaded again, so the app need not be set up twice. */
gh_rc web_factor_current(struct web *w, struct store_factor *f, bool *in_use, struct gh_err *err)
{
	struct store *s = w->site->store;
	bool found;
	char *secret;

	TRY(store_factor_find(s, w->a, w->user.id, f, &found, err));
	*in_use = found && f->confirmed_us;
	if (found)
		return GH_RC_OK;
	secret = arena_alloc_text(w->a, TOTP_SECRET_BYTES);
	if (!secret)
		FAIL(err, NOMEM, "second factor");
	TRY(crypto_random(secret, TOTP_SECRET_BYTES, err));
	*f = (struct store_factor){ .user_id = w->user.id, .secret = { secret, TOTP_SECRET_BYTES } };
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, store_factor_set(s, w->a, f, err), err);
}

gh_rc web_factor_form(struct web *w, struct gh_err *err)
{
	struct store_factor f;
	bool in_use;

	TRY(web_factor_current(w, &f, &in_use, err));
	return show(w, 200, &f, in_use, err);
}

static GH_RC tell(struct web *w, const char *what, struct gh_err *err)
{
	json_t *data = json_object();

	json_object_set_new(data, "what", json_string(what));
	return web_mail(w, w->user.email, "second-factor", web_greeting(&w->user), STR_NULL, data, err);
}

static GH_RC switch_on(struct web *w, struct store_factor *f, struct str codes[WEB_RECOVERY_CODES], struct gh_err *err)
{
	f->confirmed_us = clock_wall_us();
	TRY(store_factor_set(w->site->store, w->a, f, err));
	TRY(web_recovery_make(w, w->user.id, codes, err));
	TRY(store_sessions_delete_others(w->site->store, w->user.id, web_present_session(w), err));
	return tell(w, "switched on", err);
}

gh_rc web_factor_confirm(struct web *w, struct store_factor *f, struct str codes[WEB_RECOVERY_CODES], bool *ok, struct gh_err *err)
{
	struct str code = str_trim(web_param(&w->rq.form, "code"));
	struct store *s = w->site->store;

	*ok = web_owner_proven(w, "password_factor");
	if (!totp_check(f->secret, str_first(code, 64), clock_wall_us() / 1000000, &f->last_step)) {
		web_form_error(w, "code", code.n ? STR("This is not the code that the app shows now. Check the clock of the device.")
						 : STR("Enter the code that the app shows."));
		*ok = false;
	}
	if (!*ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, switch_on(w, f, codes, err), err));
	return web_session_proven(w, err);
}

gh_rc web_factor(struct web *w, struct gh_err *err)
{
	struct str codes[WEB_RECOVERY_CODES];
	struct store_factor f;
	bool in_use, ok;

	TRY(web_factor_current(w, &f, &in_use, err));
	if (in_use)
		return web_redirect(w, STR("account/second-factor"), err);
	TRY(web_factor_confirm(w, &f, codes, &ok, err));
	return ok ? show_codes(w, codes, err) : show(w, 422, &f, false, err);
}

gh_rc web_factor_renew(struct web *w, struct str codes[WEB_RECOVERY_CODES], bool *ok, struct gh_err *err)
{
	struct store *s = w->site->store;

	*ok = web_owner_proven(w, "password_factor");
	if (!*ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, web_recovery_make(w, w->user.id, codes, err), err);
}

gh_rc web_factor_codes(struct web *w, struct gh_err *err)
{
	struct str codes[WEB_RECOVERY_CODES];
	struct store_factor f;
	bool in_use, ok;

	TRY(web_factor_current(w, &f, &in_use, err));
	if (!in_use)
		return web_redirect(w, STR("account/second-factor"), err);
	TRY(web_factor_renew(w, codes, &ok, err));
	return ok ? show_codes(w, codes, err) : show(w, 422, &f, true, err);
}

static GH_RC switch_off(struct web *w, struct gh_err *err)
{
	TRY(store_factor_delete(w->site->store, w->user.id, err));
	return tell(w, "switched off", err);
}

gh_rc web_factor_remove(struct web *w, bool *ok, struct gh_err *err)
{
	struct store *s = w->site->store;

	*ok = web_owner_proven(w, "password_factor");
	if (!*ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, switch_off(w, err), err);
}

gh_rc web_factor_off(struct web *w, struct gh_err *err)
{
	struct store_factor f;
	bool in_use, ok;

	TRY(web_factor_current(w, &f, &in_use, err));
	if (!in_use)
		return web_redirect(w, STR("account/second-factor"), err);
	TRY(web_factor_remove(w, &ok, err));
	if (!ok)
		return show(w, 422, &f, true, err);
	TRY(web_flash(w, "good", STR("Two-step sign-in is switched off."), err));
	return web_redirect(w, STR("account"), err);
}
