/* remote.c - see remote.h. The token is read from a file and travels in a header only; certificates are checked. */
#include "cli/remote.h"

#include "cli/config_files.h"
#include "config/files/set.h"
#include "core/file.h"
#include "core/str.h"
#include "core/uri.h"

#include <curl/curl.h>
#include <stdio.h>

enum { ANSWER_MAX = 64 << 20, TOKEN_MAX = 4096, CONNECT_S = 10, WHOLE_S = 300 };

static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
	buf_add(ctx, bytes, size * n);
	return buf_ok(ctx) ? size * n : 0;
}

/* {"files", "secrets", "placeholders", "state"} */
static GH_RC body_of(struct cli *c, const struct tree *t, struct str state, struct str *out, struct gh_err *err)
{
	struct plan_options o = { .dry_run = true };
	json_t *files = json_array(), *body;

	TRY(config_files_options(c, &o, err));
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_file *f = &t->files[i];
		json_t *v;

		if (str_starts(f->path, STR(FILES_THEME)))       /* files of a machine, not of its store */
			continue;
		v = json_pack("{s:s%, s:s%}", "path", f->path.p, f->path.n, "text", f->bytes.p ? f->bytes.p : "", f->bytes.n);
		if (!v)
			FAIL(err, INVALID, "%.*s is no text in UTF-8", STR_ARG(f->path));
		json_array_append_new(files, v);
	}
	body = jsn_keep(c->arena, json_pack("{s:o}", "files", files));
	if (body && o.secrets)
		json_object_set(body, "secrets", (json_t *)(uintptr_t)o.secrets);
	if (body && o.placeholders)
		json_object_set_new(body, "placeholders", json_true());
	if (body && state.n)
		json_object_set_new(body, "state", json_stringn(state.p, state.n));
	*out = body ? jsn_text(c->arena, body, 0) : STR_NULL;
	if (!out->p)
		FAIL(err, NOMEM, "request");
	return GH_RC_OK;
}

/* body STR_NULL: a GET */
static GH_RC ask(struct cli *c, const char *url, struct str body, long *status, struct buf *answer, struct gh_err *err)
{
	const char *token_file = option_text(&c->options, "token-file");
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *fields = NULL;
	struct str token;
	CURLcode code;
	CURL *e;

	if (!token_file)
		return cli_usage(c, err, "--server needs --token-file FILE");
	TRY(file_read(c->arena, token_file, TOKEN_MAX, &token, err));
	fields = curl_slist_append(fields, "Content-Type: application/json");
	fields = curl_slist_append(fields, arena_printf(c->arena, "Authorization: Bearer %.*s", STR_ARG(str_trim(token))).p);
	e = curl_easy_init();
	if (!e || !fields)
		FAIL(err, NOMEM, "request");
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, fields);
	if (body.p) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, body.p);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	}
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)WHOLE_S);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	code = curl_easy_perform(e);
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(e);
	curl_slist_free_all(fields);
	if (code != CURLE_OK)
		FAIL(err, UNAVAILABLE, "%s: %s", url, why[0] ? why : curl_easy_strerror(code));
	return GH_RC_OK;
}

static void print_problems(struct cli *c, const json_t *problem, const char *prefix)
{
	struct buf b;
	size_t i;
	json_t *v;

	buf_init(&b, ANSWER_MAX);
	json_array_foreach(jsn_arr(problem, "errors"), i, v) {
		if (jsn_str(v, "file").n) {
			buf_cstr(&b, prefix);
			plan_put_text(&b, jsn_str(v, "file"));
			buf_fmt(&b, ":%lld:%lld: ", (long long)jsn_int(v, "line", 1), (long long)jsn_int(v, "column", 1));
		}
		buf_cstr(&b, "error: ");
		plan_put_text(&b, jsn_str(v, "detail"));
		buf_char(&b, '\n');
	}
	fwrite(b.p ? b.p : "", 1, b.n, stderr);
	buf_release(&b);
	c->exit_code = 1;
}

/* For a message: what another machine says is printed, and never obeyed by a terminal. */
static struct str plain(struct cli *c, struct str s)
{
	struct buf b;
	struct str out;

	buf_init(&b, ANSWER_MAX);
	plan_put_text(&b, s);
	out = arena_dup(c->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

static GH_RC read_answer(struct cli *c, const char *url, long status, struct str text, const char *prefix, json_t **plan, struct gh_err *err)
{
	struct gh_err why;
	json_t *v = NULL;

	*plan = NULL;
	if (jsn_parse_in(c->arena, text, NULL, &v, NULL, &why).code)
		FAIL(err, UPSTREAM, "%s answered %ld, and no JSON; is it the address of a dashboard?", url, status);
	if (status == 422 && json_array_size(jsn_arr(v, "errors"))) {
		print_problems(c, v, prefix);
		return GH_RC_OK;
	}
	if (status != 200)
		FAIL(err, DENIED, "%s answered %ld: %.*s", url, status, STR_ARG(plain(c, jsn_str(v, "detail"))));
	*plan = v;
	return GH_RC_OK;
}

/* On standard error with --format json: there it is for whoever is asked, and standard output is for one object alone. */
static void show_plan(struct cli *c, const json_t *plan)
{
	struct buf text;

	if (!c->json) {
		plan_text_of(plan, &c->out);
		return;
	}
	buf_init(&text, ANSWER_MAX);
	plan_text_of(plan, &text);
	fwrite(text.p ? text.p : "", 1, text.n, stderr);
	buf_release(&text);
}

static const char *address_of(struct cli *c, const char *what)
{
	struct str server = str_of(option_text(&c->options, "server"));

	while (server.n && server.p[server.n - 1] == '/')
		server.n--;
	return arena_printf(c->arena, "%.*s/api/v1/%s", STR_ARG(server), what).p;
}

static void tell_applied(struct cli *c, const json_t *summary)
{
	buf_fmt(&c->out, "applied: %lld created, %lld changed, %lld deleted\n", (long long)jsn_int(summary, "create", 0),
		(long long)jsn_int(summary, "change", 0), (long long)jsn_int(summary, "delete", 0));
}

GH_RC remote_files(struct cli *c, const struct tree *t, const char *prefix, bool apply, bool dry_run, struct str *state, json_t **plan,
		   struct gh_err *err)
{
	bool agreed = state->n > 0;
	struct buf answer;
	struct str body;
	const char *url;
	long status = 0;
	gh_rc rc;

	*plan = NULL;
	url = address_of(c, apply && !dry_run ? "apply" : "plan");
	TRY(body_of(c, t, dry_run ? STR_NULL : *state, &body, err));
	buf_init(&answer, ANSWER_MAX);
	rc = url ? ask(c, url, body, &status, &answer, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "request");
	if (!rc.code)
		rc = read_answer(c, url, status, buf_view(&answer), prefix, plan, err);
	buf_release(&answer);
	TRY(rc);
	if (!*plan)
		return GH_RC_OK;
	*state = jsn_str(*plan, "state");
	if (c->json && !(apply && dry_run))
		config_files_json(c, *plan, apply ? FILES_APPLIED : FILES_PLANNED);
	else if (dry_run || !agreed)             /* what was agreed to has been shown */
		show_plan(c, *plan);
	if (!c->json && apply && !dry_run && json_array_size(jsn_arr(*plan, "changes")))
		tell_applied(c, jsn_obj(*plan, "summary"));
	return GH_RC_OK;
}

/* An export has no hidden files; others might stand in .git, where a file is a program. */
static bool is_hidden(struct str path)
{
	struct str part;

	while (str_split(&path, '/', &part))
		if (str_starts(part, STR(".")))
			return true;
	return false;
}

/* What is not in an answer is taken away where an earlier export lies, so only what is one for sure is taken for one. */
static GH_RC take_files(struct cli *c, const char *url, const json_t *answer, struct tree *t, struct gh_err *err)
{
	size_t i;
	json_t *v;

	tree_init(t, c->arena);
	json_array_foreach(jsn_arr(answer, "files"), i, v) {
		struct str path = jsn_str(v, "path");

		if (is_hidden(path) || !json_is_string(jsn_get(v, "text")))
			FAIL(err, UPSTREAM, "%s answered with '%.*s', which is no file of an export; nothing was written", url, STR_ARG(plain(c, str_first(path, 120))));
		TRY(tree_add(t, path, jsn_str(v, "text"), err));
	}
	TRY(tree_finish(t, err));
	if (!tree_find(t, STR(FILES_HEAD)))
		FAIL(err, UPSTREAM, "%s answered without " FILES_HEAD ", so it is no export; nothing was written", url);
	return GH_RC_OK;
}

GH_RC remote_export(struct cli *c, struct str environment, struct str api, struct tree *t, struct gh_err *err)
{
	struct str query = arena_printf(c->arena, "export?environment=%.*s&api=%.*s", STR_ARG(uri_encode(c->arena, environment, URI_KEEP_UNRESERVED)),
					STR_ARG(uri_encode(c->arena, api, URI_KEEP_UNRESERVED)));
	const char *url = query.p ? address_of(c, query.p) : NULL;
	struct buf answer;
	json_t *v = NULL;
	long status = 0;
	gh_rc rc;

	buf_init(&answer, ANSWER_MAX);
	rc = url ? ask(c, url, STR_NULL, &status, &answer, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "request");
	if (!rc.code)
		rc = read_answer(c, url, status, buf_view(&answer), "", &v, err);
	buf_release(&answer);
	TRY(rc);
	return take_files(c, url, v, t, err);
}
