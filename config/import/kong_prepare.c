/* kong_prepare.c - files are rendered before Kong reads them: `$NAME` in a key is a secret there. Here it would be one that everybody
 * knows who has seen the file, so such credentials are left out. */
#include "config/import/kong_prepare.h"

#include "core/str.h"

/* ---- what stands for many ------------------------------------------------------------------------------------------------------------------ */

/* `_info.defaults.service` and the like count where an entity says nothing else. */
static void put_defaults(const json_t *defaults, const char *kind, const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		json_object_update_missing(v, (json_t *)(uintptr_t)jsn_obj(defaults, kind));
		if (strcmp(kind, "service") == 0)
			put_defaults(defaults, "route", jsn_arr(v, "routes"));
		if (strcmp(kind, "upstream") == 0)
			put_defaults(defaults, "target", jsn_arr(v, "targets"));
	}
}

/* `_config` of a plugin names one of `_plugin_configs`, which counts where its own config says nothing else. decK refuses a name that is
 * not there, and so do we: without its settings a guard would be another one. */
static GH_RC put_configs(const json_t *shared, const json_t *holder, struct gh_err *err)
{
	static const char *const below[] = { "services", "routes", "consumers", "consumer_groups" };
	static const char *const refs[] = { "service", "route", "consumer", "consumer_group" };
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(holder, "plugins"), i, v) {
		struct str name = jsn_str(v, "_config");
		json_t *named = jsn_get_n(shared, name);

		for (size_t k = 0; k < ARRAY_LEN(refs); k++)             /* null is nobody: it counts for all */
			if (json_is_null(jsn_get(v, refs[k])))
				json_object_del(v, refs[k]);
		if (name.n && !json_is_object(named))
			FAIL(err, INVALID, "the plugin %.*s has _config: %.*s, which is not in _plugin_configs: write it there, or give the plugin a config of its own",
			     STR_ARG(str_first(jsn_str(v, "name"), 80)), STR_ARG(str_first(name, 80)));
		if (named && !jsn_obj(v, "config"))
			json_object_set_new(v, "config", json_object());
		if (named)
			json_object_update_missing(jsn_obj(v, "config"), named);
	}
	for (size_t k = 0; k < ARRAY_LEN(below); k++)
		json_array_foreach(jsn_arr(holder, below[k]), i, v)
			TRY(put_configs(shared, v, err));
	return GH_RC_OK;
}

static GH_RC spread(json_t *doc, struct gh_err *err)
{
	static const char *const lists[][2] = { { "services", "service" }, { "routes", "route" }, { "upstreams", "upstream" } };
	const json_t *defaults = jsn_obj(jsn_obj(doc, "_info"), "defaults"), *shared = jsn_obj(doc, "_plugin_configs");

	for (size_t i = 0; defaults && i < ARRAY_LEN(lists); i++)
		put_defaults(defaults, lists[i][1], jsn_arr(doc, lists[i][0]));
	return put_configs(shared, doc, err);
}

/* ---- consumers ----------------------------------------------------------------------------------------------------------------------------- */

static const char *const credentials[] = { "keyauth_credentials", "basicauth_credentials", "hmacauth_credentials", "jwt_secrets" };

static struct str name_of(const json_t *ref)
{
	static const char *const names[] = { "username", "name", "id", "custom_id" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (jsn_str(ref, names[i]).n)
			return jsn_str(ref, names[i]);
	return jsn_string(ref);
}

static json_t *consumer_of(const json_t *doc, const json_t *ref)
{
	static const char *const names[] = { "username", "id", "custom_id" };
	struct str wanted = name_of(ref);
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(doc, "consumers"), i, v)
		for (size_t k = 0; wanted.n && k < ARRAY_LEN(names); k++)
			if (str_eq(jsn_str(v, names[k]), wanted))
				return v;
	return NULL;
}

/* Kong's own files may have `acls` and credentials beside the consumers, each with the name of its consumer. */
static void gather(struct bundle *b, json_t *doc, const char *list)
{
	json_t *all = jsn_arr(doc, list), *v;
	size_t i;

	json_array_foreach(all, i, v) {
		json_t *consumer = consumer_of(doc, jsn_get(v, "consumer"));

		if (!consumer) {
			import_not_possible(b->report, arena_printf(b->arena, "%s of %.*s", list, STR_ARG(name_of(jsn_get(v, "consumer")))),
					    "that consumer is not in the file");
			continue;
		}
		if (!jsn_arr(consumer, list))
			json_object_set_new(consumer, list, json_array());
		json_array_append(jsn_arr(consumer, list), v);
	}
	json_object_del(doc, list);
}

bool kong_is_variable(struct str text)
{
	size_t n = 1;

	if (str_find(text, STR("${")) != SIZE_MAX || str_starts(text, STR("{vault://")))
		return true;
	if (text.n < 2 || text.p[0] != '$' || ascii_is_digit(text.p[1]))
		return false;
	while (n < text.n && (ascii_is_alpha(text.p[n]) || ascii_is_digit(text.p[n]) || text.p[n] == '_'))
		n++;
	return n == text.n;
}

static bool has_variable(const json_t *credential)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)credential, name, v)
		if (kong_is_variable(jsn_string(v)))
			return true;
	return false;
}

static void drop_variables(struct bundle *b, json_t *consumer, const char *list)
{
	struct str what = arena_printf(b->arena, "consumer %.*s", STR_ARG(name_of(consumer)));
	json_t *all = jsn_arr(consumer, list);

	for (size_t i = json_array_size(all); i-- > 0;)
		if (has_variable(json_array_get(all, i))) {
			import_not_possible(b->report, what, "%s: a credential of it is a variable, whose value is not in the file: it is left out. Put values in first "
					    "(deck file render --populate-env-vars, envsubst) and import again", list);
			json_array_remove(all, i);
		}
}

static bool keeps_out(const json_t *plugin)
{
	static const char *const guards[] = { "ip-restriction", "request-termination", "acl", "bot-detection", "pre-function", "post-function" };

	for (size_t i = 0; jsn_bool(plugin, "enabled", true) && i < ARRAY_LEN(guards); i++)
		if (str_eq(jsn_str(plugin, "name"), str_of(guards[i])))
			return true;
	return false;
}

/* Plugins of one consumer are not taken over. One that keeps calls of his out must not be lost: then his credentials are. */
static bool is_held_back(const json_t *doc, const json_t *consumer)
{
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(consumer, "plugins"), i, v)
		if (keeps_out(v))
			return true;
	json_array_foreach(jsn_arr(doc, "plugins"), i, v)
		if (jsn_get(v, "consumer") && keeps_out(v) && consumer_of(doc, jsn_get(v, "consumer")) == consumer)
			return true;
	return false;
}

static void hold_back(struct bundle *b, const json_t *doc, json_t *consumer)
{
	if (!is_held_back(doc, consumer))
		return;
	for (size_t k = 0; k < ARRAY_LEN(credentials); k++)
		json_object_del(consumer, credentials[k]);
	import_not_possible(b->report, arena_printf(b->arena, "consumer %.*s", STR_ARG(name_of(consumer))), "a plugin of its own keeps calls out, which is not taken "
			    "over: its credentials are left out. Write the check into the policy (context.Subscription), then make it a key");
}

GH_RC kong_prepare(struct bundle *b, json_t *doc, struct gh_err *err)
{
	size_t i;
	json_t *v;

	TRY(spread(doc, err));
	gather(b, doc, "acls");
	for (size_t k = 0; k < ARRAY_LEN(credentials); k++)
		gather(b, doc, credentials[k]);
	json_array_foreach(jsn_arr(doc, "consumers"), i, v) {
		hold_back(b, doc, v);
		for (size_t k = 0; k < ARRAY_LEN(credentials); k++)
			drop_variables(b, v, credentials[k]);
	}
	return GH_RC_OK;
}
