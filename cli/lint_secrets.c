/* lint_secrets.c - subscription keys, named values, credentials of backends, reminders. */
#include "cli/lint.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"
#include "db/credentials.h"
#include "db/key_review.h"
#include "db/named_values.h"
#include "db/policies.h"
#include "db/secrets.h"

enum { KEYS_AT_ONCE = 1000, KEYS_BYTES = 64 << 20 };

static int64_t days(const struct lint *l, enum setting s)
{
	return config_int(&l->config, s) * LINT_DAY_US;
}

/* ---- subscription keys ------------------------------------------------------------------------------------------------ */

static void look_at_key(struct lint *l, struct arena *a, const struct store_key_review *k)
{
	const char *slot = k->slot == STORE_KEY_PRIMARY ? "primary" : "secondary";
	struct str object = arena_printf(a, "subscription %.*s, %s key", STR_ARG(k->subscription_id), slot);
	struct str rotate = arena_printf(a, "gatehouse subscription rotate %.*s --key %s --overlap 24h", STR_ARG(k->subscription_id), slot);
	int64_t age = l->now_us - k->created_us, idle = l->now_us - (k->last_used_us ? k->last_used_us : k->created_us);

	if (k->ends_us || k->state != STORE_SUB_ACTIVE)
		return;
	if (k->created_us && age > days(l, CONFIG_LINT_KEY_DAYS))
		lint_tell(l, LINT_WARNING, "key-old", object, rotate, "is %lld days old", (long long)(age / LINT_DAY_US));
	/* the second key is a spare one: that it was never used is as it should be */
	if (k->created_us && idle > days(l, CONFIG_LINT_UNUSED_DAYS) && (k->slot == STORE_KEY_PRIMARY || k->last_used_us))
		lint_tell(l, LINT_NOTE, "key-unused", object,
			  arena_printf(a, "gatehouse subscription set-state %.*s suspended", STR_ARG(k->subscription_id)),
			  k->last_used_us ? "was not used for %lld days" : "was never used in %lld days", (long long)(idle / LINT_DAY_US));
	lint_secret(l, object, k->key, rotate);
}

GH_RC lint_keys(struct lint *l, struct gh_err *err)
{
	struct arena *a = arena_new(KEYS_BYTES);
	struct store_key_review *v;
	struct str after = STR("");
	gh_rc rc = GH_RC_OK;
	size_t n = 1;

	if (!a)
		FAIL(err, NOMEM, "looking at keys");
	while (n && !rc.code) {
		arena_reset(a);
		rc = store_key_reviews(l->s, a, after, KEYS_AT_ONCE, true, &v, &n, err);
		for (size_t i = 0; i < n && !rc.code; i++)
			look_at_key(l, a, &v[i]);
		if (n && !rc.code)
			after = arena_dup(l->c->arena, v[n - 1].subscription_id);
	}
	arena_free(a);
	return rc;
}

/* ---- named values ----------------------------------------------------------------------------------------------------- */

static bool in_documents(struct str needle, const struct store_policy *p, size_t n, const struct store_fragment *f, size_t n_f)
{
	for (size_t i = 0; i < n; i++)
		if (str_find(p[i].bytes, needle) != SIZE_MAX)
			return true;
	for (size_t i = 0; i < n_f; i++)
		if (str_find(f[i].bytes, needle) != SIZE_MAX)
			return true;
	return false;
}

GH_RC lint_values(struct lint *l, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_named_value *v;
	struct store_policy *p;
	struct store_fragment *f;
	size_t n, n_p, n_f;

	TRY(store_named_values(l->s, a, true, &v, &n, err));
	TRY(store_policies(l->s, a, &p, &n_p, err));
	TRY(store_fragments(l->s, a, &f, &n_f, err));
	for (size_t i = 0; i < n; i++) {
		struct str object = arena_printf(a, "named value %.*s", STR_ARG(v[i].id));

		if (!in_documents(arena_printf(a, "{{%.*s}}", STR_ARG(v[i].id)), p, n_p, f, n_f))
			lint_tell(l, LINT_NOTE, "value-unused", object, arena_printf(a, "gatehouse named-value delete %.*s", STR_ARG(v[i].id)),
				  "no policy names it");
		if (v[i].secret)
			lint_secret(l, object, v[i].value, arena_printf(a, "set another one: gatehouse named-value set %.*s --secret-stdin",
									STR_ARG(v[i].id)));
	}
	return GH_RC_OK;
}

/* ---- credentials of backends ------------------------------------------------------------------------------------------ */

GH_RC lint_credentials(struct lint *l, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_credential *v;
	size_t n;

	TRY(store_credentials(l->s, a, true, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		json_t *secrets, *value;
		const char *name;

		if (!v[i].secrets.n || jsn_parse_in(a, v[i].secrets, NULL, &secrets, NULL, NULL).code)
			continue;
		json_object_foreach(secrets, name, value) {
			struct str text = jsn_string(value);

			/* keys in PEM are judged by whoever made them */
			if (text.n && str_find(text, STR("-----BEGIN")) == SIZE_MAX)
				lint_secret(l, arena_printf(a, "credential %.*s/%.*s, %s", STR_ARG(v[i].environment_id), STR_ARG(v[i].id), name),
					    text, STR("let its provider make another one"));
		}
	}
	return GH_RC_OK;
}

/* ---- reminders, secrets elsewhere ------------------------------------------------------------------------------------- */

GH_RC lint_reminders(struct lint *l, struct gh_err *err)
{
	struct arena *a = l->c->arena;
	struct store_reminder *v;
	struct store_secret *s;
	char when[CLOCK_ISO_MAX];
	size_t n;

	TRY(store_reminders(l->s, a, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		bool late = v[i].rotate_by_us <= l->now_us;

		if (v[i].rotate_by_us <= l->now_us + days(l, CONFIG_LINT_ROTATE_DAYS))
			lint_tell(l, late ? LINT_ERROR : LINT_WARNING, late ? "rotation-late" : "rotation-soon",
				  arena_printf(a, "%.*s %.*s", STR_ARG(v[i].kind), STR_ARG(v[i].object_id)),
				  STR("replace it and set --rotate-by to the next date"), "was to be replaced by %s",
				  clock_iso(v[i].rotate_by_us, 0, when));
	}
	TRY(store_secrets(l->s, a, &s, &n, err));
	for (size_t i = 0; i < n; i++)
		if (s[i].problem.n || !s[i].has_value)
			lint_tell(l, s[i].has_value ? LINT_WARNING : LINT_ERROR, "secret-unreadable", s[i].ref,
				  STR("make it readable for the account of the keeper"), "%.*s",
				  STR_ARG(s[i].problem.n ? s[i].problem : STR("the keeper has not read it yet")));
	return GH_RC_OK;
}
