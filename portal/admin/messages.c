/* messages.c - what became of messages: calls of webhooks about alerts, and mails of every kind. What was given up is sent once more from
 * here. */
#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/alerts.h"
#include "db/mail.h"

enum { ROWS = 50 };

/* The states as a filter: `states` of the page; the one that is asked for, -1 for any. */
static int64_t put_states(struct web *w, const char *const *names)
{
	struct liquid_list *list = liquid_set_list(w->page, "states");
	int asked = alert_word(names, web_param(&w->rq.query, "state"));

	for (int i = 0; names[i]; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "value", str_of(names[i]));
		liquid_set_bool(r, "here", i == asked);
	}
	return asked;
}

static void put_times(struct web *w, struct liquid_record *r, int64_t created_us, int64_t due_us, bool waits, int64_t tries)
{
	liquid_set_text(r, "created", web_date(w, created_us));
	liquid_set_text(r, "due", waits ? web_date(w, due_us) : STR(""));
	liquid_set_text(r, "tries", web_number(w, tries));
}

/* ---- calls of webhooks ------------------------------------------------------------------------------------------------------------- */

static void put_delivery(struct web *w, struct liquid_record *r, const struct store_alert_delivery *v)
{
	liquid_set_text(r, "id", v->id);
	liquid_set_text(r, "webhook", v->webhook_id);
	liquid_set_text(r, "state", str_of(store_alert_delivery_names[v->state]));
	liquid_set_text(r, "status", v->status ? web_number(w, v->status) : STR(""));
	liquid_set_text(r, "problem", v->problem.n ? v->problem : STR(""));
	liquid_set_bool(r, "again", v->state == STORE_ALERT_FAILED);
	put_times(w, r, v->created_us, v->due_us, v->state == STORE_ALERT_WAITING, v->tries);
}

gh_rc admin_alert_messages(struct web *w, struct gh_err *err)
{
	struct str webhook = str_trim(web_param(&w->rq.query, "webhook"));
	const struct store_alert_delivery_filter f = { .webhook_id = webhook.n ? webhook : STR_NULL, .state = put_states(w, store_alert_delivery_names),
						       .before = admin_before(w), .limit = ROWS + 1 };
	struct liquid_list *list = liquid_set_list(w->page, "messages");
	struct store_alert_delivery *v;
	size_t n;

	TRY(store_alert_deliveries(w->site->store, w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < ROWS; i++)
		put_delivery(w, liquid_push_record(list), &v[i]);
	admin_put_older(w, f.before, n > ROWS ? v[ROWS - 1].number : 0);
	liquid_set_text(w->page, "webhook", webhook.n ? webhook : STR(""));
	liquid_set_bool(w->page, "narrowed", webhook.n || f.state >= 0);
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_CHANGE_SETTINGS));
	liquid_set_text(w->page, "title", STR("Calls of webhooks"));
	return web_page(w, "alert_messages", err);
}

/* ---- mails ------------------------------------------------------------------------------------------------------------------------- */

static void put_mail(struct web *w, struct liquid_record *r, const struct store_mail *v)
{
	liquid_set_text(r, "id", v->id);
	liquid_set_text(r, "to", v->recipient);
	liquid_set_text(r, "template", v->template);
	liquid_set_text(r, "state", str_of(store_mail_state_names[v->state]));
	liquid_set_text(r, "problem", v->problem.n ? v->problem : STR(""));
	liquid_set_bool(r, "again", v->state == STORE_MAIL_FAILED || v->state == STORE_MAIL_UNCERTAIN);
	put_times(w, r, v->created_us, v->due_us, v->state == STORE_MAIL_WAITING, v->tries);
}

gh_rc admin_mails(struct web *w, struct gh_err *err)
{
	struct str search = str_trim(web_param(&w->rq.query, "q"));
	const struct store_mail_filter f = { .search = search, .state = put_states(w, store_mail_state_names), .before = admin_before(w),
					     .limit = ROWS + 1 };
	struct liquid_list *list = liquid_set_list(w->page, "mails");
	struct store_mail *v;
	size_t n;

	TRY(store_mails(w->site->store, w->a, &f, &v, &n, err));
	for (size_t i = 0; i < n && i < ROWS; i++)
		put_mail(w, liquid_push_record(list), &v[i]);
	admin_put_older(w, f.before, n > ROWS ? v[ROWS - 1].number : 0);
	liquid_set_text(w->page, "search", search.n ? search : STR(""));
	liquid_set_bool(w->page, "narrowed", search.n || f.state >= 0);
	liquid_set_bool(w->page, "may_change", web_may(w, WEB_MANAGE_PEOPLE));
	liquid_set_text(w->page, "title", STR("Mails"));
	return web_page(w, "mails", err);
}

/* ---- once more --------------------------------------------------------------------------------------------------------------------- */

/* Somebody else may have been faster. */
static GH_RC once_more(struct web *w, gh_rc (*deed)(struct store *, struct str, struct gh_err *), const char *back, struct gh_err *err)
{
	gh_rc rc;

	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	rc = store_tx_end(w->site->store, deed(w->site->store, w->rq.args[0], err), err);
	if (rc.code && rc.code != GH_E_NOT_FOUND)
		return rc;
	if (rc.code)
		TRY(web_flash(w, "bad", STR("It is no longer one that was given up."), err));
	else
		TRY(web_flash(w, "good", STR("It will be sent once more."), err));
	return web_redirect(w, str_of(back), err);
}

gh_rc admin_alert_message_again(struct web *w, struct gh_err *err)
{
	return once_more(w, store_alert_delivery_again, "alert-messages", err);
}

gh_rc admin_mail_again(struct web *w, struct gh_err *err)
{
	return once_more(w, store_mail_again, "mails", err);
}
