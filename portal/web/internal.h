/* internal.h - between the files of portal/web. */
#pragma once

#include "portal/web/web.h"

/* HttpOnly, SameSite=Lax, for this app; `more` is appended ("; Max-Age=0"). */
void web_set_cookie(struct web *w, const char *name, struct str value, const char *more);
struct str web_way_back(struct web *w, struct str wish);         /* behind the base path; "" for what is no path of this app */
/* Whether the account may sign in to this app. */
GH_RC web_may_enter(struct web *w, const struct store_user *user, bool *yes, struct gh_err *err);
GH_RC web_assets_load(struct web_site *site, struct gh_err *err);
void web_assets_put(struct web *w);
void web_language_choose(struct web *w);          /* w->lang, w->zone */
void web_language_put(struct web *w);
bool web_csrf_ok(struct web *w);         /* the form that was sent carries the right token */
bool web_json_admit(struct web *w);      /* who asks may; false: answered */
void web_flash_show(struct web *w);      /* page.flash: what the request before left, once */
bool web_templates_replaced(const struct web_templates *t);      /* some are of the theme */
const struct liquid_template *web_template(const struct web_templates *t, struct str name);      /* NULL: none */

/* A request of serve.c's making, from CGI variables: name -> value or NULL. */
struct web_source {
	const char *(*variable)(void *ctx, const char *name);
	size_t (*read)(void *ctx, char *to, size_t n);   /* of the body; less than n: its end */
	void *ctx;
};
/* Fills w->rq. The error says why a request cannot be answered (400, 413); w->rq is then complete enough for its page. */
GH_RC web_request_read(struct web *w, const struct web_source *from, struct gh_err *err);
