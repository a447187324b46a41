/* mail.h - sends what stands in the mail queue (db/mail.h). A thread of its own with a store of its own: a mail server that
 * is slow must not hold up the keeper's other duties. */
#pragma once

#include "core/config.h"
#include "core/json.h"
#include "core/lang.h"
#include "db/mail.h"

struct mailer;

/* Loads the templates of SHARE/mail and starts the thread. With no mail.smtp_url nothing is sent and *out is NULL. The
 * configuration and state_dir must outlive it. One mailer a state directory: the caller sees to that. */
GH_RC mailer_start(const char *state_dir, const struct config *config, struct mailer **out, struct gh_err *err);
void mailer_stop(struct mailer *m);              /* gives up a mail that was not handed over yet; NULL is fine */

/* ---- parts, for the mailer and its tests ------------------------------------------------------------------------------ */

struct mail_templates;
struct mail_text {
	struct str subject, text, html;
};
/* Every NAME.txt has its NAME.html; both are parsed. The first line of the text is "Subject: …", the second is empty. */
GH_RC mail_templates_load(struct arena *a, const struct theme *theme, struct mail_templates **out, struct gh_err *err);
/* The language for somebody of whom `chosen` is known, "" or STR_NULL where it is not: the first of them that there is. */
const struct lang *mail_language(const struct mail_templates *t, const struct str *chosen, size_t n);
/* data is a JSON object; `site_title` `base` (address of the portal, ends in "/") and `lang` are added. */
GH_RC mail_render(const struct mail_templates *t, struct arena *a, struct str name, struct str data, struct str site_title,
		  struct str base, const struct lang *lang, struct mail_text *out, struct gh_err *err);
/* The whole message (RFC 5322, multipart/alternative of RFC 2046, parts in base64) with CRLF line ends. */
GH_RC mail_message(struct arena *a, const struct store_mail *m, const struct mail_text *t, struct str from, int64_t now_us,
		   struct str *out, struct gh_err *err);
/* The address in "Name <address>" or "address". STR_NULL: there is none. */
struct str mail_address(struct str from);
