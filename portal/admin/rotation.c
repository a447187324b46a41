#include "portal/admin/admin.h"

#include "core/clock.h"
#include "config/resource.h"
#include "core/credential_rotate.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/credentials.h"
#include "db/named_values.h"
#include "db/rotation.h"
#include "db/secrets.h"

/* The part of the page of credentials about new secrets: who replaces them and when, what went wrong, and the dates of those that a
 * person replaces. The keeper does the replacing (keeper/rotate.h); a button here asks it to. */

enum { DAY_S = 86400 };

static const char *const makers[] = { [ROTATION_NONE] = "", [ROTATION_RFC7592] = "The provider (RFC 7592)",
				      [ROTATION_HTTP] = "The provider, by a request", [ROTATION_VAULT] = "The vault" };

struct known {                           /* what is read once for all rows */
	struct store_rotation *rotations;
	size_t n_rotations;
	struct store_reminder *reminders;
	size_t n_reminders;
	int64_t now;
};

static const struct store_rotation *rotation_at(const struct known *k, const struct store_credential *c)
{
	for (size_t i = 0; i < k->n_rotations; i++)
		if (str_eq(k->rotations[i].environment_id, c->environment_id) && str_eq(k->rotations[i].credential_id, c->id))
			return &k->rotations[i];
	return NULL;
}

static struct str place_of(struct web *w, struct str environment, struct str id)
{
	return arena_printf(w->a, "%.*s/%.*s", STR_ARG(environment), STR_ARG(id));
}

static int64_t reminder_at(const struct known *k, const char *kind, struct str id)
{
	for (size_t i = 0; i < k->n_reminders; i++)
		if (str_eq(k->reminders[i].kind, str_of(kind)) && str_eq(k->reminders[i].object_id, id))
			return k->reminders[i].rotate_by_us;
	return 0;
}

/* "2027-01-31", as a date field takes it. */
static struct str day_of(struct web *w, int64_t us)
{
	char iso[CLOCK_ISO_MAX];

	return us ? str_first(arena_dup(w->a, str_of(clock_iso(us, 0, iso))), 10) : STR("");
}

static void put_date(struct web *w, struct liquid_record *r, const struct known *k, int64_t us)
{
	int64_t soon = config_int(&w->site->config, CONFIG_LINT_ROTATE_DAYS) * DAY_S * 1000000;

	liquid_set_text(r, "by", day_of(w, us));
	liquid_set_bool(r, "late", us && us <= k->now);
	liquid_set_bool(r, "soon", us > k->now && us <= k->now + soon);
}

static void look(struct web *w, const struct known *k, const struct store_credential *c, struct rotation_view *out)
{
	const struct store_rotation *done = rotation_at(k, c);
	int64_t since = done && done->rotated_us ? done->rotated_us : c->created_us;
	struct credential parsed;
	enum rotation how;
	struct gh_err why;

	how = store_credential_parse(w->a, c, &parsed, &why).code ? ROTATION_NONE : rotation_of(&parsed);
	*out = (struct rotation_view){ .maker = makers[how], .replaced_us = done ? done->rotated_us : 0,
				       .next_us = how ? since + rotation_days(&parsed) * DAY_S * 1000000 : 0, .wanted = how && done && done->wanted,
				       .problem = how && done ? done->problem : STR_NULL,
				       .by_us = reminder_at(k, "credential", place_of(w, c->environment_id, c->id)) };
}

static void put_row(struct web *w, struct liquid_record *r, const struct known *k, const struct store_credential *c)
{
	struct rotation_view v;

	look(w, k, c, &v);
	liquid_set_text(r, "environment", c->environment_id);
	liquid_set_text(r, "id", c->id);
	liquid_set_text(r, "name", c->name.n ? c->name : c->id);
	liquid_set_bool(r, "may_change", web_may_in(w, WEB_CHANGE_CREDENTIALS, c->environment_id));
	liquid_set_text(r, "maker", str_of(v.maker));
	liquid_set_text(r, "replaced", v.replaced_us ? web_date(w, v.replaced_us) : STR(""));
	liquid_set_text(r, "next", v.next_us ? web_day(w, v.next_us) : STR(""));
	liquid_set_bool(r, "wanted", v.wanted);
	liquid_set_text(r, "problem", v.problem.n ? v.problem : STR(""));
	put_date(w, r, k, v.by_us);
}

static GH_RC know(struct web *w, struct known *k, struct gh_err *err)
{
	*k = (struct known){ .now = clock_wall_us() };
	TRY(store_rotations(w->site->store, w->a, &k->rotations, &k->n_rotations, err));
	return store_reminders(w->site->store, w->a, &k->reminders, &k->n_reminders, err);
}

gh_rc admin_rotations(struct web *w, const struct store_credential *v, size_t n, struct rotation_view *out, struct gh_err *err)
{
	struct known k;

	TRY(know(w, &k, err));
	for (size_t i = 0; i < n; i++)
		look(w, &k, &v[i], &out[i]);
	return GH_RC_OK;
}

/* Of other things only the dates: they are set with the thing itself. */
static void put_others(struct web *w, const struct known *k)
{
	struct liquid_list *list = liquid_set_list(w->page, "reminders");

	for (size_t i = 0; i < k->n_reminders; i++) {
		struct liquid_record *r;

		if (str_eq(k->reminders[i].kind, STR("credential")))
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "what", str_eq(k->reminders[i].kind, STR(STORE_NAMED_VALUE_KIND)) ? STR("Named value") : STR("Certificate"));
		liquid_set_text(r, "id", k->reminders[i].object_id);
		put_date(w, r, k, k->reminders[i].rotate_by_us);
	}
}

gh_rc admin_put_rotations(struct web *w, const struct store_credential *v, size_t n, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "rotations");
	struct known k;

	TRY(know(w, &k, err));
	for (size_t i = 0; i < n; i++)
		put_row(w, liquid_push_record(list), &k, &v[i]);
	liquid_set_list(w->page, "reminders");
	if (web_may_everywhere(w, WEB_VIEW_CREDENTIALS))         /* what they are of may stand anywhere */
		put_others(w, &k);
	return GH_RC_OK;
}

gh_rc admin_credential_rotate(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	gh_rc rc;

	TRY(store_tx_begin(s, web_actor(w), err));
	rc = store_tx_end(s, store_rotation_want(s, w->a, w->rq.args[0], w->rq.args[1], err), err);
	if (rc.code == GH_E_INVALID) {
		TRY(web_flash(w, "bad", arena_printf(w->a, "Nothing replaces the secret of %.*s by itself: set how in its form, or a date below.",
						     STR_ARG(str_first(w->rq.args[1], 100))), err));
		return web_redirect(w, STR("credentials"), err);
	}
	TRY(rc);
	TRY(web_flash(w, "good", STR("The keeper asks for a new secret now. The old one goes on until the new one has worked."), err));
	return web_redirect(w, STR("credentials"), err);
}

static GH_RC write_date(struct web *w, struct resource_change *c, struct str environment, struct str id, int64_t by_us, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("credential"));
	struct str place = place_of(w, environment, id);
	char iso[CLOCK_ISO_MAX];
	json_t *patch, *doc = NULL;

	patch = jsn_keep(w->a, json_pack("{s:o}", "rotateBy", by_us ? json_string(clock_iso(by_us, 0, iso)) : json_null()));
	if (!patch)
		FAIL(err, NOMEM, "reminder");
	TRY(resource_merge(w->site->store, w->a, k, place, patch, &doc, err));
	if (!doc)
		FAIL(err, NOT_FOUND, "no such credential");
	return resource_write(c, k, place, doc, RESOURCE_REPLACE, NULL, err);
}

gh_rc admin_remind(struct web *w, struct resource_change *c, struct str environment, struct str id, int64_t by_us, struct gh_err *err)
{
	const struct rights *viewer = store_viewer(w->site->store);
	gh_rc rc;

	store_viewer_set(w->site->store, NULL);
	rc = write_date(w, c, environment, id, by_us, err);
	store_viewer_set(w->site->store, viewer);
	return rc;
}

static GH_RC remind(struct web *w, int64_t by_us, struct gh_err *err)
{
	struct resource_change *c;

	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	return resource_end(c, admin_remind(w, c, w->rq.args[0], w->rq.args[1], by_us, err), false, err);
}

gh_rc admin_credential_remind(struct web *w, struct gh_err *err)
{
	struct str day = str_trim(web_param(&w->rq.form, "by"));
	int64_t us = 0;

	if (day.n && (day.n != 10 || !clock_parse_iso(arena_printf(w->a, "%.*sT00:00:00Z", STR_ARG(day)), &us))) {
		TRY(web_flash(w, "bad", STR("This is no date: write it as 2027-01-31."), err));
		return web_redirect(w, STR("credentials"), err);
	}
	TRY(remind(w, us, err));
	TRY(web_flash(w, "good", us ? arena_printf(w->a, "You are reminded to replace the secret of %.*s by %.*s.", STR_ARG(str_first(w->rq.args[1], 100)),
						   STR_ARG(day)) : STR("The reminder is taken away."), err));
	return web_redirect(w, STR("credentials"), err);
}
