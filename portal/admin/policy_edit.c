/* policy_edit.c - the editor of one policy document: check, differences, saving, history. Everything goes by forms; the script
 * (tools/editor) only makes the field comfortable and asks the check while somebody types. */
#include "portal/admin/policies.h"

#include "config/policy_store.h"
#include "config/resource.h"
#include "core/file.h"
#include "core/str.h"
#include "core/uri.h"
#include "core/yaml.h"
#include "db/policy_history.h"
#include "portal/admin/diff.h"

#include <unistd.h>

enum { SNIPPETS_MAX = 256 * 1024, HISTORY_ROWS = 10 };

static const char start[] = "<policies>\n\t<inbound>\n\t\t<base />\n\t</inbound>\n\t<backend>\n\t\t<base />\n\t</backend>\n"
			    "\t<outbound>\n\t\t<base />\n\t</outbound>\n\t<on-error>\n\t\t<base />\n\t</on-error>\n</policies>\n";

struct str admin_unix_lines(struct web *w, struct str s)
{
	char *to = arena_alloc_text(w->a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; to && i < s.n; i++)
		if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			to[n++] = s.p[i];
	return to ? (struct str){ to, n } : STR("");
}

void policy_begin(struct web *w)
{
	liquid_set(w->page, "problems", LIQUID_NIL_VALUE);
	liquid_set(w->page, "diff", LIQUID_NIL_VALUE);
	liquid_set(w->page, "result", LIQUID_NIL_VALUE);
}

struct str policy_form_text(struct web *w)
{
	struct str text = web_param(&w->rq.form, "text");

	return admin_unix_lines(w, text.p ? text : STR(""));
}

/* Tells a document from another one that somebody saved meanwhile. */
static struct str mark_of(struct web *w, struct str text, bool found)
{
	return found ? arena_printf(w->a, "%016llx", (unsigned long long)str_hash(text)) : STR("none");
}

/* ---- the page ---------------------------------------------------------------------------------------------------------- */

GH_RC policy_snippets(struct web *w, json_t **out, struct gh_err *err)
{
	struct str file = arena_printf(w->a, "%s/templates/admin/snippets.yaml", w->site->share_dir);
	struct str text;

	if (!file.p)
		FAIL(err, NOMEM, "snippets");
	TRY(file_read(w->a, file.p, SNIPPETS_MAX, &text, err));
	TRY(yaml_parse(text, NULL, out, NULL, err));
	if (!jsn_keep(w->a, *out))
		FAIL(err, NOMEM, "snippets");
	return GH_RC_OK;
}

/* The editor puts its style sheet into the page: only one that carries this page's mark is taken. Its marks are small pictures
 * in that sheet. */
static GH_RC put_editor(struct web *w, struct gh_err *err)
{
	struct str file = arena_printf(w->a, "%s/www/vendor/editor/policy-editor.js", w->site->share_dir), nonce;
	bool there = file.p && access(file.p, R_OK) == 0;

	TRY(crypto_random_hex(w->a, 32, &nonce, err));
	liquid_set_bool(w->page, "editor", there);
	liquid_set_text(w->page, "nonce", nonce);
	if (there)
		web_content_policy(w, arena_printf(w->a, "default-src 'self'; img-src 'self' data:; style-src 'self' 'nonce-%.*s'; base-uri 'none'; "
						   "form-action 'self'; frame-ancestors 'none'; object-src 'none'", STR_ARG(nonce)));
	return GH_RC_OK;
}

GH_RC policy_editor(struct web *w, const struct policy_place *place, struct str text, int status, struct gh_err *err)
{
	struct str saved = STR(""), sent = web_param(&w->rq.form, "base");
	json_t *snippets;
	bool found;

	TRY(store_policy_find(w->site->store, w->a, &place->scope, &saved, &found, err));
	web_form(w);
	web_form_value(w, "text", text);
	web_form_value(w, "base", sent.n ? sent : mark_of(w, saved, found));
	policy_place_put(w, place);
	policy_try_fields(w, place);
	liquid_set_bool(w->page, "saved", found);
	policy_forms_put(w, text);
	TRY(policy_snippets(w, &snippets, err));
	liquid_set(w->page, "snippets", liquid_of_json(snippets));
	w->rs.status = status;
	TRY(put_editor(w, err));
	return web_page(w, "policy", err);
}

gh_rc admin_policy_form(struct web *w, struct gh_err *err)
{
	struct str version = web_param(&w->rq.query, "version"), text = str_of(start);
	struct store_policy_past past;
	struct policy_place place;
	bool found;
	int64_t id;

	if (!web_param(&w->rq.query, "scope").n)         /* there are many: the list has them */
		return web_redirect(w, STR("policies"), err);
	policy_begin(w);
	TRY(policy_place_find(w, web_param(&w->rq.query, "scope"), &place, err));
	TRY(store_policy_find(w->site->store, w->a, &place.scope, &text, &found, err));
	if (!found)
		text = str_of(start);
	if (version.n && str_to_i64(version, 1, INT64_MAX, &id)) {
		TRY(store_policy_past_find(w->site->store, w->a, &place.scope, id, &past, &found, err));
		if (!found || !past.bytes.p)
			FAIL(err, NOT_FOUND, "no such version");
		admin_put_diff(w, w->page, "diff", text, past.bytes);
		text = past.bytes;
	}
	return policy_editor(w, &place, text, 200, err);
}

/* ---- what the buttons do ------------------------------------------------------------------------------------------------ */

GH_RC policy_compile_here(struct web *w, const struct policy_place *place, struct str text, bool *fine, struct policy_diags *diags,
			  struct gh_err *err)
{
	const struct policy_document *document;
	struct policy_store *world;

	TRY(policy_store_new(w->a, w->site->store, &world, err));
	TRY(policy_store_compile(world, w->site->store, &place->scope, place->name, text, &document, diags, err));
	*fine = document != NULL;
	return GH_RC_OK;
}

gh_rc policy_put(struct web *w, struct resource_change *c, const struct policy_place *place, struct str text, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("policy"));
	struct str id = policy_place_id(w, place), old;
	json_t *doc = jsn_keep(w->a, json_pack("{s:s%}", "policy", text.p ? text.p : "", text.n));
	bool found;

	if (!doc)
		FAIL(err, NOMEM, "policy");
	if (text.p)
		return resource_write(c, k, id, doc, RESOURCE_PUT, NULL, err);
	TRY(store_policy_find(w->site->store, w->a, &place->scope, &old, &found, err));
	return found ? resource_remove(c, k, id, NULL, err) : GH_RC_OK;
}

/* In the transaction of the change: what stands there is still what the form began with. */
static GH_RC replace(struct web *w, struct resource_change *c, const struct policy_place *place, struct str text, bool *clash, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct str saved = STR("");
	bool found;

	TRY(store_policy_find(s, w->a, &place->scope, &saved, &found, err));
	*clash = !str_eq(web_param(&w->rq.form, "base"), mark_of(w, saved, found));
	if (*clash)
		return GH_RC_OK;
	return policy_put(w, c, place, text, err);
}

static GH_RC keep(struct web *w, const struct policy_place *place, struct str text, bool drop, struct gh_err *err)
{
	struct str saved = STR(""), to = arena_printf(w->a, "policies/edit?scope=%.*s", STR_ARG(uri_encode(w->a, place->name, URI_KEEP_UNRESERVED)));
	struct resource_change *c;
	bool clash = false, found;

	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	TRY(resource_end(c, replace(w, c, place, drop ? STR_NULL : text, &clash, err), false, err));
	if (!clash) {
		TRY(web_flash(w, "good", drop ? STR("The policy is removed.") : STR("The policy is saved. Calls follow it from now on."), err));
		return web_redirect(w, drop ? STR("policies") : to, err);
	}
	TRY(store_policy_find(w->site->store, w->a, &place->scope, &saved, &found, err));
	admin_put_diff(w, w->page, "diff", saved, text);
	web_form_problem(w, "Somebody else changed this policy meanwhile. Below is how your text differs from theirs; copy what you "
			    "need, then open the policy again.");
	return policy_editor(w, place, text, 409, err);
}

GH_RC policy_review(struct web *w, const struct policy_place *place, struct str text, struct gh_err *err)
{
	struct str saved = STR("");
	struct policy_diags diags;
	bool fine, found;

	TRY(policy_compile_here(w, place, text, &fine, &diags, err));
	TRY(policy_check_put(w, &diags));
	TRY(store_policy_find(w->site->store, w->a, &place->scope, &saved, &found, err));
	admin_put_diff(w, w->page, "diff", saved, text);
	return policy_editor(w, place, text, fine ? 200 : 422, err);
}

gh_rc admin_policy_act(struct web *w, struct gh_err *err)
{
	struct str action = web_param(&w->rq.form, "action"), text = policy_form_text(w);
	struct policy_place place;
	struct policy_diags diags;
	bool fine;

	policy_begin(w);
	TRY(policy_place_find(w, web_param(&w->rq.form, "scope"), &place, err));
	if (str_eq(action, STR("remove")))
		return keep(w, &place, text, true, err);
	if (str_eq(action, STR("review")))
		return policy_review(w, &place, text, err);
	TRY(policy_compile_here(w, &place, text, &fine, &diags, err));
	if (fine && str_eq(action, STR("save")))
		return keep(w, &place, text, false, err);
	TRY(policy_check_put(w, &diags));
	return policy_editor(w, &place, text, fine ? 200 : 422, err);
}

json_t *policy_diags_json(struct web *w, const struct policy_diags *diags)
{
	json_t *out = jsn_keep(w->a, json_array());

	for (size_t i = 0; i < diags->n; i++)
		json_array_append_new(out, json_pack("{s:i,s:i,s:b,s:s%}", "line", (int)diags->v[i].line, "column", (int)diags->v[i].column,
						     "warning", (int)diags->v[i].warning, "message", diags->v[i].message.p, diags->v[i].message.n));
	return out;
}

/* For the script: what is wrong with what is being typed. */
gh_rc admin_policy_check(struct web *w, struct gh_err *err)
{
	struct policy_place place;
	struct policy_diags diags;
	bool fine;

	TRY(policy_place_find(w, web_param(&w->rq.form, "scope"), &place, err));
	TRY(policy_compile_here(w, &place, policy_form_text(w), &fine, &diags, err));
	return web_json(w, 200, "application/json", policy_diags_json(w, &diags), err);
}

/* ---- history ------------------------------------------------------------------------------------------------------------ */

gh_rc admin_policy_history(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "versions");
	struct store_policy_past *v, older, newer;
	struct policy_place place;
	size_t n, shown = 0, from;
	bool found;

	TRY(policy_place_find(w, web_param(&w->rq.query, "scope"), &place, err));
	TRY(store_policy_history(w->site->store, w->a, &place.scope, &v, &n, err));
	shown = web_slice(w, n, HISTORY_ROWS, &from);
	for (size_t i = from; i < from + shown; i++) {
		struct liquid_record *r = liquid_push_record(list);

		older.bytes = STR("");
		TRY(store_policy_past_find(w->site->store, w->a, &place.scope, v[i].id, &newer, &found, err));
		if (i + 1 < n)
			TRY(store_policy_past_find(w->site->store, w->a, &place.scope, v[i + 1].id, &older, &found, err));
		liquid_set_text(r, "id", arena_printf(w->a, "%lld", (long long)v[i].id));
		liquid_set_text(r, "at", web_date(w, v[i].at_us));
		liquid_set_text(r, "by", str_starts(v[i].actor, STR("user:")) ? str_from(v[i].actor, 5) : v[i].actor);
		liquid_set_bool(r, "removed", !v[i].bytes.p);
		liquid_set_bool(r, "newest", i == 0);
		admin_put_diff(w, r, "diff", older.bytes.p ? older.bytes : STR(""), newer.bytes.p ? newer.bytes : STR(""));
	}
	policy_place_put(w, &place);
	admin_page_links(w, n > from + shown);
	return web_page(w, "policy_history", err);
}
