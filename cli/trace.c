/* trace.c - `gatehouse trace token` issues a debug credential, `gatehouse trace list` and `trace show` read what gateways
 * kept of calls that showed one. Who may do what is decided in db/traces.h; --user acts as that person. */
#include "cli/command.h"
#include "cli/resource.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/str.h"
#include "core/trace_view.h"
#include "db/traces.h"
#include "db/users.h"

enum { MINUTES_MAX = TRACE_TOKEN_LIFE_S / 60 };

/* STR_NULL: nobody in particular, so the operator at the machine. */
static gh_rc user_of(struct cli *c, struct store *s, struct str *id, struct gh_err *err)
{
	const char *email = option_text(&c->options, "user");
	struct store_user user;

	*id = STR_NULL;
	if (!email)
		return GH_RC_OK;
	TRY(cli_find_user(c, s, email, &user, err));
	*id = user.id;
	return GH_RC_OK;
}

/* ---- token --------------------------------------------------------------------------------------------------------- */

static gh_rc token(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(option_text(&c->options, "subscription")), user, text;
	int64_t minutes = option_int(&c->options, "minutes", MINUTES_MAX);
	struct trace_claims claims = { .subscription = id, .admin = option_flag(&c->options, "all"),
				       .api = str_of(option_text(&c->options, "api")) };
	struct store *s;

	if (claims.admin == (id.n > 0))
		return cli_usage(c, err, "give one of --subscription ID and --all");
	if (minutes < 1 || minutes > MINUTES_MAX)
		return cli_usage(c, err, "--minutes is a number from 1 to %d", MINUTES_MAX);
	TRY(cli_store(c, true, &s, err));
	TRY(user_of(c, s, &user, err));
	claims.expires_s = clock_wall_us() / 1000000 + minutes * 60;
	TRY(store_trace_token(s, c->arena, user, str_of(cli_actor(c)), &claims, &text, err));
	buf_fmt(&c->out, c->json ? "{\"token\": \"%.*s\", \"expires\": %lld}\n" : "%.*s\n", STR_ARG(text),
		(long long)claims.expires_s);
	return GH_RC_OK;
}

static const struct option token_options[] = {
	{ "subscription", OPTION_TEXT, "ID", "traces the calls of this subscription", false },
	{ "all", OPTION_FLAG, NULL, "traces every call: for administrators only", false },
	{ "api", OPTION_TEXT, "ID", "only calls of this API", false },
	{ "minutes", OPTION_INT, "N", "how long it is good, at most and by default 60", false },
	{ "user", OPTION_TEXT, "EMAIL", "for this user, who must be allowed to have it", false },
	OPTION_END,
};
const struct command command_trace_token = {
	.name = "trace token", .summary = "print a credential that lets calls be traced",
	.help = "Send it with a call as Apim-Debug-Authorization; the answer's Apim-Trace-Id is the ID for `trace show`.\n"
		"It cannot be taken back, only run out.",
	.options = token_options, .run = token,
};

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static struct str shown(const json_t *v, const char *name)
{
	struct str text = jsn_str(v, name);

	return text.n ? text : STR("-");
}

static void print_fields(struct buf *out, const json_t *message)
{
	const json_t *field;
	size_t i;

	json_array_foreach (jsn_arr(message, "headers"), i, field)
		buf_fmt(out, "  %.*s: %.*s\n", STR_ARG(jsn_str(field, "name")), STR_ARG(jsn_str(field, "value")));
}

static void print_steps(struct buf *out, const json_t *trace)
{
	const json_t *step;
	size_t i;

	buf_cstr(out, "\nsteps\n");
	json_array_foreach (jsn_arr(trace, "steps"), i, step)
		buf_fmt(out, "%-9.*s %-9.*s %4lld  %-24.*s %6lld us  %.*s\n", STR_ARG(shown(step, "section")),
			STR_ARG(shown(step, "scope")), (long long)jsn_int(step, "line", 0), STR_ARG(shown(step, "policy")),
			(long long)jsn_int(step, "us", 0), STR_ARG(jsn_str(step, "decision")));
}

static void print_trace(struct buf *out, const json_t *t)
{
	const json_t *request = jsn_obj(t, "request"), *backend = jsn_obj(t, "backend"), *times = jsn_obj(t, "timings");
	const json_t *error = jsn_obj(t, "lastError");

	buf_fmt(out, "%.*s  %.*s  api %.*s  operation %.*s  product %.*s  subscription %.*s\n", STR_ARG(shown(t, "time")),
		STR_ARG(shown(t, "id")), STR_ARG(shown(t, "api")), STR_ARG(shown(t, "operation")), STR_ARG(shown(t, "product")),
		STR_ARG(shown(t, "subscription")));
	buf_fmt(out, "status %lld  %lld us in all, %lld us in the backend\n", (long long)jsn_int(t, "status", 0),
		(long long)jsn_int(times, "totalUs", 0), (long long)jsn_int(times, "backendUs", 0));
	buf_fmt(out, "\nrequest  %.*s %.*s\n", STR_ARG(shown(request, "method")), STR_ARG(shown(request, "url")));
	print_fields(out, request);
	print_steps(out, t);
	if (backend) {
		buf_fmt(out, "\nto the backend  %.*s %.*s  (%lld tries, %lld)\n", STR_ARG(shown(backend, "method")),
			STR_ARG(shown(backend, "url")), (long long)jsn_int(backend, "tries", 0),
			(long long)jsn_int(backend, "status", 0));
		print_fields(out, backend);
	}
	buf_cstr(out, "\nto the client\n");
	print_fields(out, jsn_obj(t, "response"));
	if (error)
		buf_fmt(out, "\nerror  %.*s  %.*s: %.*s\n", STR_ARG(shown(error, "source")), STR_ARG(shown(error, "reason")),
			STR_ARG(shown(error, "message")));
	if (jsn_str(t, "note").n)
		buf_fmt(out, "\nnote: %.*s\n", STR_ARG(jsn_str(t, "note")));
}

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct cache *cache;
	struct store *s;
	struct str user;
	json_t *trace;

	TRY(cli_store(c, false, &s, err));
	TRY(user_of(c, s, &user, err));
	TRY(cli_cache(c, &cache, err));
	TRY(store_trace(s, c->arena, cache, user, str_of(c->options.args[0]), &trace, err));
	if (option_flag(&c->options, "consumer"))
		TRY(trace_view_consumer(c->arena, trace, err));
	if (c->json) {
		jsn_write(&c->out, trace, JSN_INDENT);
		buf_char(&c->out, '\n');
	} else {
		print_trace(&c->out, trace);
	}
	return GH_RC_OK;
}

static const struct option show_options[] = {
	{ "consumer", OPTION_FLAG, NULL, "as its caller may see it: no values of headers that were added for the backend", false },
	{ "user", OPTION_TEXT, "EMAIL", "as this user may see it, if it is of a subscription of theirs", false },
	OPTION_END,
};
const struct command command_trace_show = {
	.name = "trace show", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "print what the policies did to one traced call", .options = show_options, .run = show,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct cache *cache;
	struct store *s;
	struct str user;
	json_t *all, *t;
	size_t i;

	TRY(cli_store(c, false, &s, err));
	TRY(user_of(c, s, &user, err));
	TRY(cli_cache(c, &cache, err));
	TRY(store_traces(s, c->arena, cache, user, str_of(option_text(&c->options, "subscription")), &all, err));
	if (c->json) {
		jsn_write(&c->out, all, JSN_INDENT);
		buf_char(&c->out, '\n');
		return GH_RC_OK;
	}
	json_array_foreach(all, i, t)
		buf_fmt(&c->out, "%.*s  %.*s  %lld  %.*s %.*s  api %.*s  subscription %.*s\n", STR_ARG(shown(t, "time")),
			STR_ARG(shown(t, "id")), (long long)jsn_int(t, "status", 0), STR_ARG(shown(t, "method")),
			STR_ARG(shown(t, "path")), STR_ARG(shown(t, "api")), STR_ARG(shown(t, "subscription")));
	return GH_RC_OK;
}

static const struct option list_options[] = {
	{ "subscription", OPTION_TEXT, "ID", "only calls of this subscription", false },
	{ "user", OPTION_TEXT, "EMAIL", "only what this user may see", false },
	OPTION_END,
};
const struct command command_trace_list = {
	.name = "trace list", .summary = "list the last traced calls, newest first", .options = list_options, .run = list,
};
