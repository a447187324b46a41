/* kind_setting.c - what the store holds of the installation as a whole: the terms of use, of which there is always one, "portal";
 * and the keys that the gateway signs with. The bytes of a key are made here, sealed, and never shown: a document has what there
 * is to say about it, and a new document is a new key. */
#include "config/kind.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/callers.h"
#include "db/environments.h"

/* ---- terms of use ---------------------------------------------------------------------------------------------------------- */

#define TERMS_ID STR("portal")
#define TERMS STR("portal.terms")                /* the setting */

struct terms_row {
	struct str id, text;
};

static const struct resource_field terms_fields[] = {
	FIELD_ID("Always \"portal\"", terms_row, id),
	{ .name = "text", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL | RESOURCE_LINES | RESOURCE_FILE, .label = "Text", .most = STORE_TEXT_MAX,
	  .description = "What people agree to when they make an account, in Markdown; another text is asked for at their next page. null: "
			 "nothing is asked", AT(terms_row, text) },
	FIELD_END,
};

static void terms_check_id(struct resource_change *c, struct str id)
{
	if (!str_eq(id, TERMS_ID))
		resource_problem(c, &kind_terms, id, STR("/id"), "there is one text of terms, 'portal'");
}

static GH_RC terms_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct terms_row *r = row;
	bool set;

	*found = str_eq(id, TERMS_ID);
	if (!*found)
		return GH_RC_OK;
	r->id = id;
	TRY(store_setting_get(s, a, TERMS, &r->text, &set, err));
	if (!set)
		r->text = STR_NULL;
	return GH_RC_OK;
}

static GH_RC terms_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	const struct terms_row *r = p->row;

	if (r->text.n && (!str_trim(r->text).n || memchr(r->text.p, 0, r->text.n)))
		put_problem(p, "/text", "says nothing; null takes the terms away");
	else if (!r->text.n)                     /* "" is shown as null */
		json_object_set_new((json_t *)(uintptr_t)p->doc, "text", json_null());
	return GH_RC_OK;
}

static GH_RC terms_save(struct resource_put *p, struct gh_err *err)
{
	const struct terms_row *r = p->row;

	return r->text.n ? store_setting_set(p->s, TERMS, r->text, err) : store_setting_unset(p->s, TERMS, err);
}

static const struct resource_ops terms_ops = {
	.row_size = sizeof(struct terms_row), .store = STORE_RESOURCE_TERMS, .check_id = terms_check_id, .find = terms_find,
	.check = terms_check, .save = terms_save,
};

const struct resource_kind kind_terms = {
	.name = "terms", .plural = "terms-of-use", .title = "Terms of use", .single = true,
	.description = "What people agree to when they make an account. There is one text, \"portal\".",
	.area = RESOURCE_AREA_LOOK, .fields = terms_fields, .ops = &terms_ops, .filters = { { NULL } },
};

/* ---- signing keys ------------------------------------------------------------------------------------------------------------ */

enum { OVERLAP_MAX_S = 366 * 86400 };

static const char *const purposes[] = { "token", "identity", NULL };
static const char *const algorithms[] = { "ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", NULL };

static const struct resource_field key_fields[] = {
	FIELD_ID("Names the key (kid) in tokens and key sets; left out one is made", store_auth_key, id),
	{ .name = "purpose", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT | RESOURCE_FIXED, .values = purposes, .otherwise = "\"token\"",
	  .label = "Signs", .description = "token: access tokens of the authorization server; identity: who calls, for backends",
	  AT(store_auth_key, purpose) },
	{ .name = "algorithm", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT | RESOURCE_FIXED, .values = algorithms, .otherwise = "\"ES256\"",
	  .label = "Algorithm", .description = "As JWS names it (RFC 7518)", AT(store_auth_key, alg) },
	{ .name = "signsFrom", .type = RESOURCE_TIME, .flags = RESOURCE_STAYS, .label = "Signs from",
	  .description = "From when on it signs, so that verifiers can fetch it before; left out: now", AT(store_auth_key, signs_us) },
	{ .name = "ends", .type = RESOURCE_TIME, .label = "Ends", .description = "When nothing that it signed counts any more; null: it goes on",
	  AT(store_auth_key, ends_us) },
	{ .name = "endsOthersAfter", .type = RESOURCE_INT, .flags = RESOURCE_NULL, .most = OVERLAP_MAX_S, .label = "Others end after (s)",
	  .description = "To rotate: so many seconds after this one signs, the present keys of the same purpose end. It counts when the key is "
			 "made and reads null; 90000 outlives every token", .offset = RESOURCE_BY_HAND },
	{ .name = "created", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Made", .description = "When it was made",
	  AT(store_auth_key, created_us) },
	FIELD_END,
};

static void key_check_id(struct resource_change *c, struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("-._", id.p[i])) {
			resource_problem(c, &kind_signing_key, id, STR("/id"), "consists of letters, digits, '-', '.' and '_'");
			return;
		}
}

static GH_RC key_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct store_auth_key *rows;
	size_t n;

	TRY(store_auth_keys(s, a, false, &rows, &n, err));
	return pick_row(rows, n, sizeof(*rows), id, row, found);
}

static GH_RC key_check(struct resource_put *p, struct gh_err *err UNUSED)
{
	struct store_auth_key *k = p->row;
	json_t *doc = (json_t *)(uintptr_t)p->doc;

	if (p->exists && !json_is_null(jsn_get(doc, "endsOthersAfter")))
		put_problem(p, "/endsOthersAfter", "counts when a key is made; this one is there already");
	if (!k->signs_us)
		k->signs_us = clock_wall_us();
	if (k->ends_us && k->ends_us <= k->signs_us)
		put_problem(p, "/ends", "is before it signs");
	return GH_RC_OK;
}

static GH_RC key_save(struct resource_put *p, struct gh_err *err)
{
	const struct store_auth_key *k = p->row;
	int64_t after = jsn_int(p->doc, "endsOthersAfter", -1);

	if (p->exists)
		return store_auth_key_times(p->s, k, err);
	if (after >= 0)
		TRY(store_auth_keys_end(p->s, k->purpose, k->signs_us + after * 1000000, err));
	return store_auth_key_add(p->s, p->a, k, err);
}

static GH_RC key_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_auth_key_delete(s, id, err);
}

static const struct resource_ops key_ops = {
	.row_size = sizeof(struct store_auth_key), .store = STORE_RESOURCE_SIGNING_KEY, .check_id = key_check_id, .find = key_find,
	.check = key_check, .save = key_save, .drop = key_drop,
};

const struct resource_kind kind_signing_key = {
	.name = "signing-key", .plural = "signing-keys", .title = "Signing key", .makes_id = true, .personal = true,
	.description = "A key that the gateway signs access tokens or identities with. Its bytes are made here and never leave the store: it "
		       "is of this installation, so exports leave it out like people.",
	.area = RESOURCE_AREA_SECRETS, .fields = key_fields, .ops = &key_ops,
	.filters = { { "purpose", "Only keys of this purpose", purposes } },
};
