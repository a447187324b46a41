/* kind_value.c - named values: what policies name as {{id}}. */
#include "config/kind.h"

#include "core/clock.h"
#include "core/str.h"
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

static const struct resource_ops ops = {
	.row_size = sizeof(struct store_named_value), .store = STORE_RESOURCE_NAMED_VALUE, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save, .drop = drop,
};

const struct resource_kind kind_named_value = {
	.name = "named-value", .plural = "named-values", .title = "Named value",
	.description = "A value that policies name as {{id}}: in clear, sealed, or a reference to where it stands.",
	.area = RESOURCE_AREA_SECRETS, .fields = fields, .ops = &ops, .filters = { { NULL } },
};
