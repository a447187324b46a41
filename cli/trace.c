/* trace.c - `gatehouse trace token` issues a debug credential, `gatehouse trace show` reads what a gateway kept of a call
 * that showed one. */
#include "cli/command.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/str.h"
#include "core/trace_token.h"
#include "db/audit.h"
#include "db/subscriptions.h"

#include <stdio.h>
#include <unistd.h>

enum { MINUTES_MAX = TRACE_TOKEN_LIFE_S / 60, HIDDEN_MAX = 64, HIDDEN_LEAST = 4 };

/* ---- token --------------------------------------------------------------------------------------------------------- */

static gh_rc signing_key(struct cli *c, uint8_t key[CRYPTO_KEY_BYTES], struct gh_err *err)
{
	uint8_t master[PATHS_MASTER_KEY_BYTES];
	bool found;

	TRY(paths_master_key(c->state_dir, master, &found, err));
	if (!found)
		FAIL(err, UNAVAILABLE, "there is no master key in %s; run `gatehouse init` first", c->state_dir);
	trace_token_key(master, key);
	crypto_wipe(master, sizeof(master));
	return GH_RC_OK;
}

static gh_rc note_issue(struct cli *c, struct store *s, const struct trace_claims *claims, int64_t minutes, struct gh_err *err)
{
	struct str detail = arena_printf(c->arena, "{\"minutes\":%lld}", (long long)minutes);
	gh_rc rc;

	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_audit_note(s, STR("issue"), STR("trace-token"), claims->admin ? STR("all") : claims->subscription, detail, err);
	return store_tx_end(s, rc, err);
}

static gh_rc token(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(option_text(&c->options, "subscription")), text;
	int64_t minutes = option_int(&c->options, "minutes", MINUTES_MAX);
	struct trace_claims claims = { .subscription = id, .admin = option_flag(&c->options, "all") };
	struct store_subscription sub;
	uint8_t key[CRYPTO_KEY_BYTES];
	struct store *s;
	bool found = true;
	gh_rc rc;

	if (claims.admin == (id.n > 0))
		return cli_usage(c, err, "give one of --subscription ID and --all");
	if (minutes < 1 || minutes > MINUTES_MAX)
		return cli_usage(c, err, "--minutes is a number from 1 to %d", MINUTES_MAX);
	TRY(cli_store(c, true, &s, err));
	if (id.n)
		TRY(store_subscription_find(s, c->arena, id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s'", STR_ARG(str_first(id, 200)));
	claims.expires_s = clock_wall_us() / 1000000 + minutes * 60;
	TRY(signing_key(c, key, err));
	rc = trace_token_make(c->arena, key, &claims, &text, err);
	crypto_wipe(key, sizeof(key));
	TRY(rc);
	TRY(note_issue(c, s, &claims, minutes, err));
	buf_fmt(&c->out, c->json ? "{\"token\": \"%.*s\", \"expires\": %lld}\n" : "%.*s\n", STR_ARG(text),
		(long long)claims.expires_s);
	return GH_RC_OK;
}

static const struct option token_options[] = {
	{ "subscription", OPTION_TEXT, "ID", "traces the calls of this subscription", false },
	{ "all", OPTION_FLAG, NULL, "traces every call: for administrators only", false },
	{ "minutes", OPTION_INT, "N", "how long it is good, at most and by default 60", false },
	OPTION_END,
};
const struct command command_trace_token = {
	.name = "trace token", .summary = "print a credential that lets calls be traced",
	.help = "Send it with a call as Apim-Debug-Authorization; the answer's Apim-Trace-Id is the ID for `trace show`.\n"
		"It cannot be taken back, only run out.",
	.options = token_options, .run = token,
};

/* ---- what a consumer may see --------------------------------------------------------------------------------------- */

struct hidden {
	struct arena *arena;
	struct str v[HIDDEN_MAX];
	size_t n;
};

static const char *const not_shown = "(not shown)";

static struct str without(const struct hidden *h, struct str text)
{
	for (size_t i = 0; i < h->n; i++) {
		size_t at, from = 0;

		while ((at = str_find(str_from(text, from), h->v[i])) != SIZE_MAX) {
			at += from;
			text = arena_printf(h->arena, "%.*s%s%.*s", STR_ARG(str_first(text, at)), not_shown,
					    STR_ARG(str_from(text, at + h->v[i].n)));
			from = at + strlen(not_shown);
		}
	}
	return text;
}

/* All texts below v without the hidden values. */
static void redact(const struct hidden *h, json_t *v)
{
	const char *name;
	json_t *one;
	size_t i;

	if (json_is_string(v)) {
		struct str text = without(h, jsn_string(v));

		if (!text.p || json_string_setn(v, text.p, text.n) < 0)
			(void)json_string_set(v, "");
	}
	json_array_foreach (v, i, one)
		redact(h, one);
	json_object_foreach (v, name, one)
		redact(h, one);
}

/* Takes the values out of the backend's fields that the client did not send himself. False: too many to look for. */
static bool take_values(struct hidden *h, json_t *trace)
{
	bool all = true;
	json_t *field;
	size_t i;

	json_array_foreach (jsn_arr(jsn_obj(trace, "backend"), "headers"), i, field) {
		struct str by = jsn_str(field, "by"), value = jsn_str(field, "value");

		if (str_eq(by, STR("client")))
			continue;
		if (str_eq(by, STR("policy")) && value.n >= HIDDEN_LEAST && !str_eq(value, STR("***"))) {
			/* `value` goes away below */
			struct str kept = h->n < HIDDEN_MAX ? arena_dup(h->arena, value) : STR_NULL;

			if (kept.p)
				h->v[h->n++] = kept;
			else
				all = false;
		}
		json_object_set_new(field, "value", json_string(not_shown));
	}
	return all;
}

/* set-header says "NAME: VALUE". The client sees what came back; what went to the backend is not for him. */
static void shorten_steps(json_t *trace, bool all)
{
	json_t *step;
	size_t i;

	json_array_foreach (jsn_arr(trace, "steps"), i, step) {
		struct str decision = jsn_str(step, "decision");
		size_t colon = str_find(decision, STR(": "));

		if (all)
			json_object_set_new(step, "decision", json_string(not_shown));
		else if (str_eq(jsn_str(step, "policy"), STR("set-header")) && colon != SIZE_MAX
			 && !str_eq(jsn_str(step, "section"), STR("outbound")))
			json_object_set_new(step, "decision", json_stringn(decision.p, colon));
	}
}

static gh_rc for_consumer(struct arena *a, json_t *trace, struct gh_err *err)
{
	struct hidden *h = arena_new_of(a, struct hidden);
	bool whole;

	if (!h)
		FAIL(err, NOMEM, "no memory to take out what a consumer may not see");
	h->arena = a;
	whole = take_values(h, trace);
	shorten_steps(trace, !whole);
	redact(h, jsn_arr(trace, "steps"));
	redact(h, jsn_obj(trace, "backend"));
	redact(h, jsn_obj(trace, "lastError"));
	return GH_RC_OK;
}

/* ---- show ---------------------------------------------------------------------------------------------------------- */

static gh_rc read_trace(struct cli *c, struct str id, struct str *text, struct gh_err *err)
{
	char path[PATHS_MAX], conf[PATHS_MAX];
	struct config *config = arena_new_of(c->arena, struct config);
	struct cache *cache;
	struct str dir;
	gh_rc rc;

	if (!config)
		FAIL(err, NOMEM, "no memory for the settings");
	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(config, c->arena, conf, err));
	dir = config_text(config, CONFIG_CACHE_DIR);
	if (dir.n)
		snprintf(path, sizeof(path), "%.*s", STR_ARG(dir));
	else
		TRY(paths_join(path, c->state_dir, "cache", err));
	if (access(path, F_OK) < 0)
		FAIL(err, NOT_FOUND, "no gateway has kept anything in %s yet", path);
	TRY(cache_open(&cache, path, (size_t)config_int(config, CONFIG_CACHE_MAX_BYTES), err));
	rc = cache_get(cache, TRACE_CACHE_SPACE, id, clock_wall_us(), c->arena, text, err);
	cache_close(cache);
	TRY(rc);
	if (str_is_null(*text))
		FAIL(err, NOT_FOUND, "there is no trace '%.*s'; traces are kept for an hour", STR_ARG(str_first(id, 200)));
	return GH_RC_OK;
}

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
	struct str text = STR_NULL;
	json_t *trace;

	TRY(read_trace(c, str_of(c->options.args[0]), &text, err));
	TRY(jsn_parse_in(c->arena, text, NULL, &trace, NULL, err));
	if (option_flag(&c->options, "consumer"))
		TRY(for_consumer(c->arena, trace, err));
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
	OPTION_END,
};
const struct command command_trace_show = {
	.name = "trace show", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "print what the policies did to one traced call", .options = show_options, .run = show,
};
