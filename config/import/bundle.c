#include "config/import/bundle.h"

#include "config/import/operations.h"
#include "config/password_rule.h"
#include "core/str.h"

#include <stdlib.h>

GH_RC bundle_init(struct bundle *b, struct arena *a, struct import_report *r, struct gh_err *err)
{
	*b = (struct bundle){ .arena = a, .docs = jsn_keep(a, json_array()), .report = r };
	if (!b->docs)
		FAIL(err, NOMEM, "import");
	return GH_RC_OK;
}

json_t *bundle_add(struct bundle *b, const char *kind, struct str id)
{
	json_t *doc = json_pack("{s:s, s:s%}", FILES_KIND, kind, "id", id.p ? id.p : "", id.n);

	if (!doc || json_array_append_new(b->docs, doc)) {
		b->report->failed = true;
		return NULL;
	}
	return doc;
}

void bundle_text(json_t *doc, const char *field, struct str text)
{
	if (doc && text.n && utf8_valid(text))
		json_object_set_new(doc, field, json_stringn(text.p, text.n));
}

json_t *bundle_find(const struct bundle *b, const char *kind, struct str id)
{
	size_t i;
	json_t *doc;

	json_array_foreach(b->docs, i, doc)
		if (str_eq(jsn_str(doc, "id"), id) && str_eq(jsn_str(doc, FILES_KIND), str_of(kind)))
			return doc;
	return NULL;
}

/* ---- descriptions --------------------------------------------------------------------------------------------------------------- */

static void add_operation(struct bundle *b, struct str place, const struct store_operation *op)
{
	json_t *doc = bundle_add(b, "operation", arena_printf(b->arena, "%.*s/%.*s", STR_ARG(place), STR_ARG(op->id))), *tags;
	struct gh_err ignored;

	bundle_text(doc, "name", op->name);
	bundle_text(doc, "method", op->method);
	bundle_text(doc, "uriTemplate", op->uri_template);
	bundle_text(doc, "description", op->description);
	if (doc && op->position)
		json_object_set_new(doc, "position", json_integer(op->position));
	if (doc && op->tags.n > 2 && !jsn_parse_in(b->arena, op->tags, NULL, &tags, NULL, &ignored).code)
		json_object_set(doc, "tags", tags);
}

GH_RC bundle_parsed(struct bundle *b, struct str place, struct openapi *doc, struct str text, struct str bundled, struct str source,
		    json_t **operations, size_t *n, struct gh_err *err)
{
	const struct openapi_operation **from;
	struct store_operation *v;
	json_t *d;

	*operations = jsn_keep(b->arena, json_object());
	if (!*operations)
		FAIL(err, NOMEM, "description");
	TRY(import_operations(b->arena, doc, &v, &from, n, err));
	for (size_t i = 0; i < *n; i++) {
		add_operation(b, place, &v[i]);
		if (from[i]->id.n)
			json_object_setn_new(*operations, from[i]->id.p, from[i]->id.n, json_stringn(v[i].id.p, v[i].id.n));
	}
	d = bundle_add(b, "api-description", place);
	bundle_text(d, "mediaType", str_starts(str_trim(text), STR("{")) ? STR("application/vnd.oai.openapi+json") : STR("application/vnd.oai.openapi"));
	bundle_text(d, "source", source);
	bundle_text(d, "document", text);
	bundle_text(d, "bundled", bundled);
	return GH_RC_OK;
}

GH_RC bundle_description(struct bundle *b, struct str place, struct str text, struct str source, json_t **operations,
			 struct gh_err *err)
{
	struct openapi *parsed;
	struct text_where at;
	struct gh_err why;
	size_t n;
	gh_rc rc;

	rc = text.n ? openapi_parse(b->arena, text, &parsed, &at, &why) : (gh_rc){ GH_E_NOT_FOUND };
	if (!rc.code) {
		TRY(bundle_parsed(b, place, parsed, text, STR_NULL, source, operations, &n, err));
		import_taken(b->report, "operation", n);
		if (n == 0)              /* not one that takes every call: nothing was open where it comes from */
			import_not_possible(b->report, arena_printf(b->arena, "description of %.*s", STR_ARG(place)), "it has no operation that can be routed; "
					    BUNDLE_NO_OPERATION);
		return GH_RC_OK;
	}
	*operations = jsn_keep(b->arena, json_object());
	if (rc.code == GH_E_NOMEM || !*operations)
		FAIL(err, NOMEM, "description");
	if (text.n)
		import_not_possible(b->report, arena_printf(b->arena, "description of %.*s", STR_ARG(place)), "line %u: %s; " BUNDLE_NO_OPERATION,
				    at.line, why.message);
	return GH_RC_OK;
}

/* ---- policies ------------------------------------------------------------------------------------------------------------------- */

void bundle_policy(struct bundle *b, struct str scope, const char *inbound, const char *backend, const char *outbound)
{
	struct str text = arena_printf(b->arena, "<policies>\n  <inbound>\n    <base />\n%s  </inbound>\n  <backend>\n%s  </backend>\n"
				       "  <outbound>\n    <base />\n%s  </outbound>\n  <on-error>\n    <base />\n  </on-error>\n</policies>\n",
				       inbound ? inbound : "", backend ? backend : "    <base />\n", outbound ? outbound : "");

	bundle_text(bundle_add(b, "policy", scope), "policy", text);
}

/* The original between the marks of a comment, where "--" must not stand. */
static struct str as_comment(struct arena *a, struct str text)
{
	struct buf b;
	struct str out;

	buf_init(&b, FILES_ONE_MAX);
	for (size_t i = 0; i < text.n; i++) {
		buf_char(&b, text.p[i]);
		if (text.p[i] == '-' && i + 1 < text.n && text.p[i + 1] == '-')
			buf_char(&b, ' ');
	}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static void close_one(struct bundle *b, json_t *doc)
{
	bool fragment = str_eq(jsn_str(doc, FILES_KIND), STR("policy-fragment"));
	struct str was = as_comment(b->arena, jsn_str(doc, "policy"));
	struct str answer = STR("<return-response><set-status code=\"501\" reason=\"This policy was not taken over\" /></return-response>");

	bundle_text(doc, "policy", arena_printf(b->arena, fragment ? "<fragment>%.*s</fragment>\n<!-- was:\n%.*s\n-->\n" :
			    "<policies><inbound><base />%.*s</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base />"
			    "</on-error></policies>\n<!-- was:\n%.*s\n-->\n", STR_ARG(answer), STR_ARG(was)));
}

/* Problems say first of what they are; the row does that already. */
static struct str without_name(struct str message, const struct files_doc *d)
{
	size_t n = strlen(d->kind->name) + 1 + d->id.n + 2;

	return message.n > n && str_starts(message, str_of(d->kind->name)) ? str_from(message, n) : message;
}

size_t bundle_close_policies(struct bundle *b, const struct files_set *set)
{
	json_t *closed = jsn_keep(b->arena, json_object());
	size_t n = 0;

	for (size_t i = 0; i < set->n_problems && closed; i++) {
		const struct files_problem *p = &set->problems[i];
		const struct files_doc *d = p->doc;
		json_t *doc;

		if (!d || (strcmp(d->kind->name, "policy") != 0 && strcmp(d->kind->name, "policy-fragment") != 0))
			continue;
		import_not_possible(b->report, arena_printf(b->arena, "%s %.*s", d->kind->name, STR_ARG(d->id)), "%.*s. Its calls are answered 501 "
				    "until it is mended; the original stands in it as a comment", STR_ARG(without_name(p->message, d)));
		doc = bundle_find(b, d->kind->name, d->id);
		if (!doc || jsn_get_n(closed, d->id))
			continue;
		json_object_setn_new(closed, d->id.p, d->id.n, json_true());
		close_one(b, doc);
		n++;
	}
	return n;
}

bool bundle_is_https_only(const json_t *protocols)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)protocols, i, v)
		if (str_eq(jsn_string(v), STR("http")) || str_eq(jsn_string(v), STR("ws")))
			return false;
	return json_array_size(protocols) > 0;
}

void bundle_https_only(struct bundle *b, struct str api)
{
	json_object_set_new(bundle_add(b, "network-rule", arena_printf(b->arena, "api:%.*s", STR_ARG(api))), "httpsOnly", json_true());
}

/* Those that the document gives; with `there`, what is there takes their place: a reference stays one, and where there is no secret yet
 * that of the file is taken. */
static size_t secrets_of(const struct resource_kind *k, json_t *doc, const json_t *there)
{
	size_t n = 0;

	for (const struct resource_field *f = k ? k->fields : NULL; f && f->name; f++) {
		if (f->type != RESOURCE_SECRET || !json_is_string(jsn_get(doc, f->name)))
			continue;
		if (!there)
			n++;
		else if (json_is_object(jsn_get(there, f->name)))
			n += json_object_set(doc, f->name, jsn_get(there, f->name)) == 0;
	}
	return n;
}

/* Those that are taken over as they are: clients have them, and would be kept out by others. */
static GH_RC tell_short_passwords(struct bundle *b, struct store *s, struct gh_err *err)
{
	int64_t least = 0;
	size_t i;
	json_t *doc;

	json_array_foreach(b->docs, i, doc) {
		struct str id = jsn_str(doc, "id"), password = jsn_str(doc, "secret");

		if (!str_eq(jsn_str(doc, FILES_KIND), STR("caller")) || !str_starts(id, STR("basic:")) || !password.n)
			continue;
		if (!least)
			TRY(password_least(s, b->arena, &least, err));
		if ((int64_t)password_characters(password) < least)
			import_approximated(b->report, arena_printf(b->arena, "caller %.*s", STR_ARG(id)), "its password has less than %lld characters (web.password_min) and is "
					    "taken over as clients have it: gatehouse caller set basic '%.*s' --password-file FILE gives it a longer one", (long long)least,
					    STR_ARG(str_from(id, strlen("basic:"))));
	}
	return GH_RC_OK;
}

GH_RC bundle_keep_secrets(struct bundle *b, struct store *s, struct gh_err *err)
{
	size_t i, n = 0;
	json_t *doc, *there;

	json_array_foreach(b->docs, i, doc) {
		const struct resource_kind *k = resource_kind_find(jsn_str(doc, FILES_KIND));

		if (!secrets_of(k, doc, NULL))
			continue;
		TRY(resource_read(s, b->arena, k, jsn_str(doc, "id"), &there, err));
		if (there)
			n += secrets_of(k, doc, there);
	}
	if (n)
		import_approximated(b->report, STR("keys and passwords"), "%zu of what is there already stay as they are here", n);
	return tell_short_passwords(b, s, err);
}

static bool has_text(const json_t *list, struct str text)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (str_eq(jsn_string(v), text))
			return true;
	return false;
}

GH_RC bundle_check_gateway(struct bundle *b, struct store *s, struct gh_err *err)
{
	const json_t *ours = jsn_arr(bundle_find(b, "product", b->gateway), "apis"), *apis;
	json_t *there, *v;
	size_t i;

	if (!b->gateway.n || !ours)
		return GH_RC_OK;
	TRY(resource_read(s, b->arena, resource_kind_find(STR("product")), b->gateway, &there, err));
	apis = jsn_arr(there, "apis");
	json_array_foreach((json_t *)(uintptr_t)apis, i, v)
		if (has_text(ours, jsn_string(v)))
			return GH_RC_OK;
	if (json_array_size(apis))
		FAIL(err, CONFLICT, "the product '%.*s' has the keys of other APIs (%.*s%s): they seem to be of another gateway, whose callers could then call this one; give "
		     "this one a name of its own (--name ID; in the dashboard the id)", STR_ARG(b->gateway), STR_ARG(jsn_string(json_array_get(apis, 0))), json_array_size(apis) > 1 ? ", ..." : "");
	return GH_RC_OK;
}

GH_RC bundle_set(struct bundle *b, const char *source, struct files_set *out, struct gh_err *err)
{
	struct str file = str_of(source);
	size_t i;
	json_t *doc;

	*out = (struct files_set){ .arena = b->arena };
	if (b->report->failed)
		FAIL(err, NOMEM, "import");
	json_array_foreach(b->docs, i, doc) {
		const struct resource_kind *k = resource_kind_find(jsn_str(doc, FILES_KIND));
		json_t *copy = jsn_keep(b->arena, json_copy(doc));

		if (!copy)
			FAIL(err, NOMEM, "import");
		json_object_del(copy, FILES_KIND);
		if (k)
			TRY(files_set_add(out, k, copy, file, err));
		else
			import_not_possible(b->report, arena_printf(b->arena, "%.*s %.*s", STR_ARG(jsn_str(doc, FILES_KIND)),
					    STR_ARG(jsn_str(doc, "id"))), "there is no such kind here");
	}
	return files_set_finish(out, err);
}
