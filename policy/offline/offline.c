/* offline.c - loading documents and running requests against them. */
#include "policy/offline/internal.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/str.h"

enum { RUN_MEMORY_MAX = 64 * 1024 * 1024 };

GH_RC offline_new(struct arena *a, json_t *context, const char *dir, struct offline **out, struct gh_err *err)
{
	struct offline *o = arena_new_of(a, struct offline);

	*out = o;
	if (!o)
		FAIL(err, NOMEM, "offline run");
	o->arena = a;
	o->dir = dir;
	o->now_us = clock_wall_us();
	o->context = context ? context : jsn_keep(a, json_object());
	if (!json_is_object(o->context))
		FAIL(err, INVALID, "the context must be a JSON object");
	o->calls_left = jsn_keep(a, json_deep_copy(jsn_arr(o->context, "calls")));
	map_init(&o->fragments, a, false);
	TRY(offline_read_trust(o, err));
	return offline_read_context(o, err);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static bool named_value(void *ctx, struct str name, struct str *value, bool *secret)
{
	const struct offline *o = ctx;
	const json_t *v = jsn_get_n(jsn_obj(o->context, "namedValues"), name);

	*secret = jsn_bool(v, "secret", false);
	*value = json_is_object(v) ? jsn_str(v, "value") : jsn_string(v);
	if (v && str_is_null(*value))
		*value = jsn_text(o->arena, v, 0);
	return !str_is_null(*value);
}

static const struct policy_document *fragment(void *ctx, struct str id)
{
	const struct offline *o = ctx;

	return map_get(&o->fragments, id);
}

static struct policy_env environment(struct offline *o)
{
	return (struct policy_env){ .ctx = o, .named_value = named_value, .fragment = fragment, .live = true };
}

static GH_RC load_fragments(struct offline *o, struct policy_diags *diags, const char **file, struct gh_err *err)
{
	const struct policy_env env = environment(o);
	const char *id;
	json_t *text;

	json_object_foreach(jsn_obj(o->context, "fragments"), id, text) {
		const struct policy_source src = { .fragment = true, .name = str_of(id) };
		const struct policy_document *f = policy_compile(o->arena, jsn_string(text), &src, &env, diags);

		*file = id;
		if (!f)
			FAIL(err, INVALID, "the fragment %s has errors", id);
		if (!map_put(&o->fragments, str_of(id), (void *)(uintptr_t)f))
			FAIL(err, NOMEM, "fragments");
	}
	return GH_RC_OK;
}

static GH_RC load_document(struct offline *o, struct str text, enum scope scope, const char *name,
			   struct policy_diags *diags, const char **file, struct gh_err *err)
{
	const struct policy_env env = environment(o);
	const struct policy_source src = { .scope = scope,
					   .name = str_of(name),
					   .url_template = o->operation.url_template };

	*file = name;
	o->documents[scope] = policy_compile(o->arena, text, &src, &env, diags);
	if (!o->documents[scope])
		FAIL(err, INVALID, "%s has errors", name);
	return GH_RC_OK;
}

static GH_RC read_named(struct offline *o, struct str name, struct str *text, struct gh_err *err)
{
	const char *path;

	if (!o->dir)
		FAIL(err, INVALID, "context: scopes: files are not read here; give the document itself");
	path = arena_printf(o->arena, "%s/%.*s", o->dir, STR_ARG(name)).p;
	if (!path)
		FAIL(err, NOMEM, "scopes");
	if (*name.p != '/' && !file_read(o->arena, path, OFFLINE_FILE_MAX, text, err).code)
		return GH_RC_OK;
	return file_read(o->arena, arena_cstr(o->arena, name), OFFLINE_FILE_MAX, text, err);
}

static bool scope_named(struct str name, enum scope *out)
{
	for (enum scope s = 0; s < SCOPE__COUNT; s++)
		if (str_eq_ci(scope_name(s), name)) {
			*out = s;
			return true;
		}
	return false;
}

static GH_RC load_scopes(struct offline *o, enum scope innermost, struct policy_diags *diags, const char **file,
			 struct gh_err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(jsn_obj(o->context, "scopes"), name, value) {
		struct str what = jsn_string(value), text = what;
		enum scope scope;

		if (!scope_named(str_of(name), &scope) || scope == innermost || (scope > innermost && scope != SCOPE_ENVIRONMENT))
			FAIL(err, INVALID, "context: scopes: `%s` is no scope around the document's own", name);
		if (!what.n)
			FAIL(err, INVALID, "context: scopes.%s must name a file", name);
		if (*what.p != '<')
			TRY(read_named(o, what, &text, err));
		TRY(load_document(o, text, scope, *what.p == '<' ? name : what.p, diags, file, err));
	}
	return GH_RC_OK;
}

GH_RC offline_load_text(struct offline *o, struct str text, const char *name, struct policy_diags *diags, const char **file,
			struct gh_err *err)
{
	struct str named = jsn_str(o->context, "scope");
	enum scope scope = SCOPE_OPERATION;

	if (named.n && !scope_named(named, &scope))
		FAIL(err, INVALID, "context: scope `%.*s` is none of global, environment, workspace, product, api and operation",
		     STR_ARG(named));
	*file = name;
	TRY(load_fragments(o, diags, file, err));
	TRY(load_scopes(o, scope, diags, file, err));
	return load_document(o, text, scope, name, diags, file, err);
}

GH_RC offline_load(struct offline *o, const char *path, struct policy_diags *diags, const char **file,
		   struct gh_err *err)
{
	struct str text;

	*file = path;
	TRY(file_read(o->arena, path, OFFLINE_FILE_MAX, &text, err));
	return offline_load_text(o, text, path, diags, file, err);
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static void finished(struct exchange *x)
{
	((struct offline *)x->owner)->finished = true;
}

static struct str make_id(struct exchange *x)
{
	uint64_t a = x->host->random(x), b = x->host->random(x);

	return arena_printf(x->arena, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xFFFF,
			    (unsigned)a & 0xFFF, 0x8000 | ((unsigned)(b >> 48) & 0x3FFF),
			    (unsigned long long)b & 0xFFFFFFFFFFFF);
}

static GH_RC fill_exchange(struct offline *o, json_t *request, struct arena *a, struct exchange **out,
			   struct gh_err *err)
{
	struct exchange *x = arena_new_of(a, struct exchange);

	*out = x;
	if (!x)
		FAIL(err, NOMEM, "exchange");
	x->arena = a;
	x->host = &offline_host;
	x->owner = o;
	x->finished = finished;
	x->started_us = o->now_us;
	x->api = o->has_api ? &o->api : NULL;
	x->operation = o->has_operation ? &o->operation : NULL;
	x->product = o->has_product ? &o->product : NULL;
	x->subscription = o->has_subscription ? &o->subscription : NULL;
	x->application_id = o->application_id;
	x->user = o->has_user ? &o->user : NULL;
	x->workspace = o->has_workspace ? &o->workspace : NULL;
	x->deployment = &o->deployment;
	memcpy(x->documents, o->documents, sizeof(x->documents));
	x->request_id = make_id(x);
	return offline_read_request(o, request, x, err);
}

GH_RC offline_exchange(struct offline *o, json_t *request, struct exchange **out, struct gh_err *err)
{
	return fill_exchange(o, request, o->arena, out, err);
}

static GH_RC run_in(struct offline *o, json_t *request, struct arena *a, json_t **out, struct gh_err *err)
{
	struct exchange *x;

	TRY(fill_exchange(o, request, a, &x, err));
	x->trace_on = true;
	if (policy_preflight(x) == STEP_RESPOND)
		o->finished = true;
	else
		exchange_start(x);
	if (!o->finished)
		FAIL(err, INTERNAL, "the run did not come to an end");
	exchange_transferred(x, x->request.body.bytes.n, x->response.body.bytes.n);
	*out = offline_result(o, x);
	return GH_RC_OK;
}

static GH_RC run_once(struct offline *o, json_t *request, json_t **out, struct gh_err *err)
{
	struct arena *a = arena_new(RUN_MEMORY_MAX);
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "exchange");
	o->sent = jsn_keep(a, json_array());
	o->logs = jsn_keep(a, json_array());
	o->metrics = jsn_keep(a, json_array());
	o->tries = 0;
	o->finished = false;
	o->backend_request = NULL;
	rc = run_in(o, request, a, out, err);
	json_decref(o->backend_request);
	o->backend_request = NULL;
	arena_free(a);
	return rc;
}

GH_RC offline_run(struct offline *o, json_t *request, json_t **out, struct gh_err *err)
{
	int64_t repeat = jsn_int(request, "repeat", 0), pause = jsn_int(request, "interval", 0);
	json_t *all, *one = NULL;

	if (!json_is_object(request))
		FAIL(err, INVALID, "the request must be a JSON object");
	if (repeat < 0 || repeat > OFFLINE_REPEAT_MAX)
		FAIL(err, INVALID, "request: repeat must be from 1 to %d", OFFLINE_REPEAT_MAX);
	if (!repeat) {
		TRY(run_once(o, request, out, err));
		*out = jsn_keep(o->arena, *out);
		return GH_RC_OK;
	}
	all = jsn_keep(o->arena, json_array());
	for (int64_t i = 0; i < repeat; i++) {
		TRY(run_once(o, request, &one, err));
		json_array_append_new(all, one);
		o->now_us += pause * 1000000;
	}
	*out = all;
	return GH_RC_OK;
}
