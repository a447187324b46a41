/* What people ask of others: another tier of those who decide, somebody for a team. Sent twice it is asked once, nobody fills
 * the mailboxes of others, what an account asked for goes with it, and no form brings back what somebody else has changed. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "db/mail.h"
#include "db/personal_tokens.h"
#include "db/requests.h"
#include "db/teams.h"
#include "portal/portal/portal.h"
#include "portal/portal/json.h"
#include "tests/unit/portal/client.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct world {
	struct web_site site;
	struct arena *a;
	struct str own;                  /* subscription of the developer */
} world;

static size_t mails(const char *template)
{
	const struct store_mail_filter those = { .state = -1, .search = str_of(template), .limit = 1000 };
	struct store_mail *v;
	struct gh_err err;
	size_t n;

	must(store_mails(world.site.store, world.a, &those, &v, &n, &err), &err);
	return n;
}

/* The form of `page` is sent to `to`, with its token in front of the fields. */
static int submit(struct client *c, const char *page, const char *to, const char *fields)
{
	client_send(c, "GET", page, NULL);
	return client_send(c, "POST", to, arena_printf(world.a, "csrf=%s&%s", client_token(c), fields).p);
}

static bool open_wish(struct store_request *r)
{
	struct gh_err err;
	bool found;

	must(store_request_find(world.site.store, world.a, world.own, r, &found, &err), &err);
	return found;
}

static void the_same_wish_is_sent_once(void **state UNUSED)
{
	const char *page = arena_printf(world.a, "/account/subscriptions/%.*s", STR_ARG(world.own)).p;
	const char *to = arena_printf(world.a, "%s/tier", page).p, *back = arena_printf(world.a, "%s/withdraw", to).p;
	struct client c = { .site = &world.site };
	struct store_request r;
	size_t once;

	client_session(&c, "developer");
	CHECK_INT("asked", submit(&c, page, to, "tier=gold&message=For+Monday"), 303);
	once = mails("subscription");
	CHECK("somebody is told", once > 1);
	CHECK_INT("a second click", submit(&c, page, to, "tier=gold&message=For+Monday"), 303);
	CHECK_INT("tells nobody again", mails("subscription"), once);
	client_send(&c, "GET", page, NULL);
	CHECK("and says the same", client_shows(&c, "Your request is on its way"));
	CHECK_INT("another message", submit(&c, page, to, "tier=gold&message=For+Sunday"), 303);
	CHECK("is told", mails("subscription") > once && open_wish(&r) && str_eq(r.message, STR("For Sunday")));
	for (int i = 0; i < 30; i++) {
		submit(&c, page, back, "");
		submit(&c, page, to, "tier=gold&message=Again");
	}
	CHECK("not without end", mails("subscription") < 15 * once);
	client_send(&c, "GET", page, NULL);
	CHECK("who is held back is told", client_shows(&c, "Wait a little before you try again."));
	client_end(&c);
	check_done();
}

/* Invitations go to whatever address is entered, so they are no way to send mail to the world. */
static void invitations_have_a_measure(void **state UNUSED)
{
	struct client c = { .site = &world.site };
	size_t sent = 0;
	int status = 303;

	client_session(&c, "developer");
	for (int i = 0; i < 100 && status == 303; i++, sent++) {
		struct store_invitation *v;
		struct gh_err err;
		size_t n;

		status = submit(&c, "/account/applications/app-1", "/account/applications/app-1/owners",
				arena_printf(world.a, "email=somebody%d%%40example.com", i).p);
		must(store_invitations_of_application(world.site.store, world.a, STR("app-1"), &v, &n, &err), &err);
		if (n)
			submit(&c, "/account/applications/app-1",
			       arena_printf(world.a, "/account/applications/app-1/invitations/%.*s/withdraw", STR_ARG(v[0].id)).p, "");
	}
	CHECK_INT("held back at last", status, 422);
	CHECK("which is told beside the field", client_shows(&c, "id=\"email-error\">Wait a little before you try again."));
	CHECK("and not too soon for a team", sent > STORE_TEAM_MAX);
	CHECK_INT("a mail each", mails("team"), sent - 1);
	client_end(&c);
	check_done();
}

static void states_are_told_in_the_language_of_the_page(void **state UNUSED)
{
	struct store_subscription sub = { .name = STR("Board"), .scope = STORE_SCOPE_PRODUCT, .product_id = STR("starter"),
					  .application_id = STR("app-1"), .state = STORE_SUB_ACTIVE };
	struct client c = { .site = &world.site, .cookies = { "gh_lang=de" } };
	struct store *s = world.site.store;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_subscription_create(s, world.a, &sub, NULL, NULL, NULL, &err), &err);
	must(store_tx_commit(s, &err), &err);
	client_session(&c, "developer");
	CHECK_INT("the application", client_send(&c, "GET", "/account/applications/app-1", NULL), 200);
	CHECK("in German", client_shows(&c, "Abonnements") && client_shows(&c, ">Aktiv<") && !client_shows(&c, ">Active<"));
	client_end(&c);
	check_done();
}

/* ---- what somebody decided meanwhile ---------------------------------------------------------------------------------------- */

/* Between finding out who asks and his form. */
static GH_RC blocked_meanwhile(struct web *w, struct gh_err *err)
{
	struct store_user u = w->user;

	u.role = STR("auditor");
	u.state = STORE_USER_BLOCKED;
	TRY(store_tx_begin(w->site->store, STR("test"), err));
	return store_tx_end(w->site->store, store_user_update(w->site->store, &u, err), err);
}

static void a_name_brings_no_right_back(void **state UNUSED)
{
	static const char *const forms[][2] = { { "/account/name", "first_name=Grace&last_name=Hopper" },
						{ PORTAL_JSON "/account", "{\"firstName\":\"Grace\",\"lastName\":\"Hopper\"}" } };
	const struct web_app *whole = world.site.app;
	struct web_app app = *whole;
	struct store_user u, before;
	struct gh_err err;
	bool found;

	app.before = blocked_meanwhile;
	must(store_user_find(world.site.store, world.a, STR("developer"), &before, &found, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct client c = { .site = &world.site };
		char token[100];

		client_session(&c, "developer");
		client_send(&c, "GET", "/account", NULL);
		snprintf(token, sizeof(token), "%s", client_token(&c));
		world.site.app = &app;
		c.csrf = token;
		c.type = i ? "application/json" : NULL;
		client_send(&c, i ? "PATCH" : "POST", forms[i][0], i ? forms[i][1] : arena_printf(world.a, "csrf=%s&%s", token, forms[i][1]).p);
		world.site.app = whole;
		must(store_user_find(world.site.store, world.a, STR("developer"), &u, &found, &err), &err);
		CHECK_STR(forms[i][0], u.role, STR("auditor"));
		CHECK_INT(forms[i][0], u.state, STORE_USER_BLOCKED);
		must(store_tx_begin(world.site.store, STR("test"), &err), &err);
		must(store_user_update(world.site.store, &before, &err), &err);
		must(store_tx_commit(world.site.store, &err), &err);
		client_end(&c);
	}
	check_done();
}

/* In a process of its own, with a store of its own: renames when it is told to. */
static void rename_when_told(const char *dir, _Atomic int *step)
{
	static char share[PATHS_MAX], token[100];
	static struct web_site site;
	const char *page = arena_printf(world.a, "/account/subscriptions/%.*s", STR_ARG(world.own)).p;
	struct client c = { .site = &site };

	site_up(&site, &portal_app, dir, share);
	client_session(&c, "developer");
	client_send(&c, "GET", page, NULL);
	snprintf(token, sizeof(token), "%s", client_token(&c));
	*step = 1;
	while (*step < 2)                        /* it sleeps nowhere but in front of the store's lock */
		;
	client_send(&c, "POST", arena_printf(world.a, "%s/name", page).p, arena_printf(world.a, "csrf=%s&name=Mine", token).p);
	_exit(0);
}

static bool sleeps(pid_t pid)
{
	char path[60], text[400] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return strrchr(text, ')') && strrchr(text, ')')[2] != 'R';
}

static void a_name_brings_no_state_back(void **state UNUSED)
{
	_Atomic int *step = mmap(NULL, sizeof(*step), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct store *s = world.site.store;
	struct store_subscription sub;
	struct gh_err err;
	pid_t child;
	bool found;

	*step = 0;
	child = fork();
	if (!child)
		rename_when_told(world.site.state_dir, step);
	while (*step < 1 && !waitpid(child, NULL, WNOHANG))
		sched_yield();
	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_subscription_set_state(s, world.own, STORE_SUB_SUSPENDED, STR(""), &err), &err);
	*step = 2;
	while (!sleeps(child))                   /* until it has read what was, and waits for us */
		sched_yield();
	must(store_tx_commit(s, &err), &err);
	waitpid(child, NULL, 0);
	must(store_subscription_find(s, world.a, world.own, &sub, &found, &err), &err);
	CHECK_STR("renamed", sub.name, STR("Mine"));
	CHECK_INT("and suspended", sub.state, STORE_SUB_SUSPENDED);
	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_subscription_set_state(s, world.own, STORE_SUB_ACTIVE, STR(""), &err), &err);
	must(store_tx_commit(s, &err), &err);
	munmap((void *)step, sizeof(*step));
	check_done();
}

/* A wish that stays would be granted to a subscription that is cancelled; a token's row tells from where it was used. */
static void closing_takes_all_along(void **state UNUSED)
{
	const struct store_personal_token t = { .user_id = STR("developer"), .name = STR("Nightly") };
	const struct store_request wish = { .subscription_id = world.own, .tier_id = STR("gold"), .user_id = STR("developer"),
					    .message = STR("I am Ada") };
	struct client c = { .site = &world.site };
	struct store *s = world.site.store;
	struct store_personal_token *v;
	struct store_request r;
	struct gh_err err;
	struct str token;
	size_t n;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_personal_token_create(s, world.a, &t, NULL, &token, &err), &err);
	must(store_request_set(s, &wish, &err), &err);
	must(store_tx_commit(s, &err), &err);
	client_session(&c, "developer");
	CHECK_INT("closed", submit(&c, "/account/close", "/account/close", "password_close=correct+horse+battery+staple"), 303);
	CHECK("no wish is open", !open_wish(&r));
	must(store_personal_tokens(s, world.a, STR("developer"), &v, &n, &err), &err);
	CHECK_INT("no token stays", n, 0);
	client_end(&c);
	check_done();
}

static int up(void **state UNUSED)
{
	const struct store_subscription_filter mine = { .user_id = STR("developer"), .state = -1 };
	const struct store_tier gold = { .id = STR("gold"), .product_id = STR("starter"), .name = STR("Gold"),
					 .description = STR(""), .approval = STORE_APPROVAL_MANUAL };
	const struct store_application app = { .id = STR("app-1"), .name = STR("Board"), .description = STR(""), .redirect_url = STR("") };
	static char dir[64], share[PATHS_MAX];
	struct store_subscription *v;
	struct gh_err err;
	size_t n;
	FILE *conf;

	world.a = arena_new(256 << 20);
	fixture_make(dir);
	conf = fopen(arena_printf(world.a, "%s/gatehouse.conf", dir).p, "w");
	fputs("web.public_url = https://gw.example\n", conf);   /* mails have links */
	fclose(conf);
	site_up(&world.site, &portal_app, dir, share);
	must(store_subscriptions(world.site.store, world.a, &mine, NULL, &v, &n, &err), &err);
	world.own = v[0].id;
	must(store_tx_begin(world.site.store, STR("test"), &err), &err);
	must(store_tier_create(world.site.store, &gold, &err), &err);
	must(store_application_create(world.site.store, world.a, &app, STR("developer"), NULL, &err), &err);
	must(store_tx_commit(world.site.store, &err), &err);
	return 0;
}

static int down(void **state UNUSED)
{
	const char *dir = world.site.state_dir;

	site_down(&world.site);
	fixture_drop(dir);
	arena_free(world.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_wish_is_sent_once), cmocka_unit_test(invitations_have_a_measure),
		cmocka_unit_test(states_are_told_in_the_language_of_the_page), cmocka_unit_test(a_name_brings_no_right_back),
		cmocka_unit_test(a_name_brings_no_state_back), cmocka_unit_test(closing_takes_all_along),
	};
	return cmocka_run_group_tests(tests, up, down);
}
