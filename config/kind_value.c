/* kind_value.c - named values: what policies name as {{id}}. */
#include "config/kind.h"

#include "config/rights.h"
#include "core/backend_fixed.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/backends.h"
#include "db/named_values.h"

static const struct resource_field fields[] = {
	FIELD_ID("The name in {{...}}: letters, digits, '.', '_' and '-'", store_named_value, id),
	{ .name = "value", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES | RESOURCE_NULL, .label = "Value",
	  .description = "The value of one that is no secret; null of a secret", .offset = RESOURCE_BY_HAND },
	{ .name = "secret", .type = RESOURCE_SECRET, .label = "Secret value",
	  .description = "The value of a secret: sealed with the master key, or a reference to where it stands", .offset = RESOURCE_BY_HAND },
	{ .name = "tags", .type = RESOURCE_TEXTS, .label = "Tags", .most = 60, .description = "Words to find it by",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "rotateBy", .type = RESOURCE_TIME, .label = "Replace until",
	  .description = "When people are reminded to replace it", AT(store_named_value, rotate_by_us) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_named_value, changed_us) },
	{ .name = "problem", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY | RESOURCE_NULL, .label = "Problem",
	  .description = "Why its reference cannot be read", AT(store_named_value, problem) },
	FIELD_END,
};

static void check_id(struct resource_change *c, struct str id)
{
	struct gh_err why;

	if (store_named_value_check(id, &why).code)
		resource_problem(c, &kind_named_value, id, STR("/id"), "%s", why.message);
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_named_value_find(s, a, id, false, row, found, err);
}

static GH_RC show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct store_named_value *v = row;
	json_t *tags = json_array();
	struct str rest = v->tags, tag;

	while (str_word(&rest, &tag))
		json_array_append_new(tags, json_stringn(tag.p, tag.n));
	json_object_set_new(doc, "tags", tags);
	if (!v->secret)
		json_object_set_new(doc, "value", json_stringn(v->value.p ? v->value.p : "", v->value.n));
	json_object_set_new(doc, "secret", resource_secret_shown(v->secret, v->ref));
	return GH_RC_OK;
}

static GH_RC check(struct resource_put *p, struct gh_err *err UNUSED)
{
	bool plain = json_is_string(jsn_get(p->doc, "value"));
	struct store_named_value *v = p->row;
	struct str text;
	enum secret_given given = resource_secret(p->doc, "secret", &text);
	size_t i;
	json_t *tag;

	json_array_foreach(jsn_get(p->doc, "tags"), i, tag)
		if (str_find_char(jsn_string(tag), ' ') != SIZE_MAX || str_find_char(jsn_string(tag), ',') != SIZE_MAX)
			put_problem(p, "/tags", "a tag is one word");
	if (plain && (given == SECRET_TEXT || given == SECRET_REF || (given == SECRET_STAYS && jsn_get(p->doc, "secret"))))
		put_problem(p, "/value", "give value or secret, not both");
	/* what is left out stays, also here: a secret does not become readable by a slip */
	if (plain && given == SECRET_STAYS && p->exists && v->secret)
		put_problem(p, "/value", "it is a secret; say \"secret\": null to make it readable");
	if (!plain && (given == SECRET_NONE || (given == SECRET_STAYS && !(p->exists && v->secret))))
		put_problem(p, jsn_get(p->doc, "secret") && given == SECRET_STAYS ? "/secret" : "/value",
			    given == SECRET_STAYS && jsn_get(p->doc, "secret") ? "there is no sealed value yet; give a text or {\"ref\": \"...\"}"
			    : "give value, or secret for one that nobody may read");
	return GH_RC_OK;
}

static struct str joined(struct arena *a, const json_t *tags)
{
	struct str all = STR("");
	size_t i;
	json_t *tag;

	json_array_foreach(tags, i, tag)
		all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(jsn_string(tag)));
	return all;
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	struct store_named_value *v = p->row, old;
	struct str text, plain = jsn_str(p->doc, "value");
	enum secret_given given = resource_secret(p->doc, "secret", &text);
	bool found;

	v->tags = joined(p->a, jsn_get(p->doc, "tags"));
	v->secret = !plain.p;
	if (given != SECRET_STAYS || plain.p) {
		v->ref = given == SECRET_REF ? text : STR_NULL;
		v->value = plain.p ? plain : text;
	} else if (!v->ref.n) {
		TRY(store_named_value_find(p->s, p->a, p->id, true, &old, &found, err));
		v->value = found ? old.value : STR_NULL;
	}
	if (p->exists && !v->ref.n && p->c->n_values < ARRAY_LEN(p->c->values))          /* a reference is read later, by the keeper */
		p->c->values[p->c->n_values++] = arena_dup(p->c->arena, p->id);
	return store_named_value_set(p->s, v, err);
}

static GH_RC drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_named_value_delete(s, id, err);
}

/* ---- who names it ---------------------------------------------------------------------------------------------------------- */

/* Whether what every call to the backend carries names the value; in a header field or only in the query. */
static GH_RC backend_names(struct arena *a, const struct store_backend *b, struct str id, bool *yes, bool *in_header, struct gh_err *err)
{
	struct backend_fixed *fixed = arena_new_of(a, struct backend_fixed);
	struct str before, name;
	struct gh_err why;
	gh_rc rc;

	*yes = *in_header = false;
	if (!fixed)
		FAIL(err, NOMEM, "backend");
	rc = b->credentials.n ? backend_fixed_parse(a, b->credentials, fixed, &why) : GH_RC_OK;
	if (rc.code)                     /* of a time when any object was taken: the gateway leaves it out */
		return rc.code == GH_E_INVALID ? GH_RC_OK : gh_err_set(err, rc.code, __FILE__, __LINE__, "%s", why.message);
	for (size_t i = 0; i < fixed->n; i++) {
		struct str rest = fixed->v[i].value;

		while (backend_fixed_named(&rest, &before, &name))
			if (str_eq(name, id)) {
				*yes = true;
				*in_header = *in_header || !fixed->v[i].query;
			}
	}
	return GH_RC_OK;
}

static GH_RC backends_naming(struct store *s, struct arena *a, struct str id, bool headers_only, size_t limit, struct resource_name *out, size_t *n,
			     struct gh_err *err)
{
	struct store_backend *v;
	bool yes, in_header;
	size_t n_all;

	*n = 0;
	TRY(store_backends(s, a, true, &v, &n_all, err));
	for (size_t i = 0; i < n_all && *n < limit; i++) {
		TRY(backend_names(a, &v[i], id, &yes, &in_header, err));
		if (headers_only ? in_header : yes)
			out[(*n)++] = (struct resource_name){ .kind = &kind_backend, .id = v[i].id };
	}
	return GH_RC_OK;
}

/* They stand in sealed texts, where no statement of the store looks. */
static GH_RC uses(struct store *s, struct arena *a, struct str id, size_t limit, struct resource_name *out, size_t *n, struct gh_err *err)
{
	return backends_naming(s, a, id, false, limit, out, n, err);
}

GH_RC value_check_backends(struct resource_change *c, struct arena *a, struct str id, struct gh_err *err)
{
	struct store_named_value v;
	struct resource_name user;
	bool found, told;
	size_t n;

	TRY(store_named_value_find(c->store, a, id, true, &v, &found, err));
	if (!found || backend_fixed_value_ok(v.value))
		return GH_RC_OK;
	TRY(backends_naming(c->store, a, id, true, 1, &user, &n, err));
	if (!n)
		return GH_RC_OK;
	TRY(resource_told(c->store, user.kind, user.id, &told, err));
	resource_problem(c, &kind_named_value, id, v.secret ? STR("/secret") : STR("/value"), "%s%.*s%s puts {{%.*s}} into a header: it may hold no line break",
			 told ? "the backend '" : "a backend that you may not see", told ? (int)str_first(user.id, 200).n : 0, user.id.p, told ? "'" : "", STR_ARG(id));
	return GH_RC_OK;
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct store_named_value), .store = STORE_RESOURCE_NAMED_VALUE, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save, .drop = drop, .uses = uses,
};

const struct resource_kind kind_named_value = {
	.name = "named-value", .plural = "named-values", .title = "Named value",
	.description = "A value that policies name as {{id}}: in clear, sealed, or a reference to where it stands.",
	.area = RESOURCE_AREA_SECRETS, .fields = fields, .ops = &ops, .filters = { { NULL } },
};
