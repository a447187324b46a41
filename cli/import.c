/* import.c - `gatehouse import openapi`: an API description becomes an API with its operations.
 *
 * Importing again is an update: the API that stands at the same path and version of the environment (or has the id that
 * --name gives) gets the new operations; those whose id stays keep their policies, and what people set by hand (state, key
 * names) stays. The file goes into the store as it is, byte for byte; warnings tell what the gateway makes no use of. */
#include "cli/import.h"

#include "cli/beside.h"
#include "cli/resource.h"
#include "config/files/plan.h"
#include "config/import/one_api.h"
#include "core/file.h"
#include "core/openapi.h"
#include "core/str.h"
#include "core/yaml.h"

#include <stdio.h>

enum { SHOWN_MAX = 64 << 20 };           /* of warnings */
#define LOCATE_BYTES ((size_t)64 << 20)  /* of text read again, over all warnings, to find their lines */

static const struct option options[] = {
	IMPORT_OPTIONS,
	{ "files", OPTION_TEXT, "DIR", "directory that files it refers to may stand in (that of FILE)", false },
	OPTION_END,
};

struct import {
	struct cli *c;
	const char *file;
	struct openapi_warning *problems;        /* references that are not followed */
	size_t n_problems;
	struct one_api v;
};

static bool is_absolute(struct str url)
{
	size_t from = str_starts_ci(url, STR("http://")) ? 7 : str_starts_ci(url, STR("https://")) ? 8 : 0;

	return from > 0 && url.n > from && url.p[from] != '/' && str_find_char(url, ' ') == SIZE_MAX;
}

/* ---- reading the file ------------------------------------------------------------------------------------------------- */

/* Warnings about other documents give way to what came of asking for them. */
static void take_problems(struct import *im, struct openapi_warning *to, const struct openapi *doc)
{
	size_t n = 0;

	for (size_t i = 0; i < doc->n_warnings; i++)
		if (str_find(doc->warnings[i].text, STR("another document")) == SIZE_MAX)
			to[n++] = doc->warnings[i];
	for (size_t i = 0; i < im->n_problems; i++)
		to[n++] = im->problems[i];
	im->v.doc->warnings = to;
	im->v.doc->n_warnings = n;
}

static GH_RC read_beside(struct import *im, struct gh_err *err)
{
	struct openapi_files files = { .read = beside_read };
	struct openapi_warning *warnings;
	struct text_where at;
	struct beside beside;

	TRY(beside_init(&beside, strcmp(im->file, "-") ? im->file : "./-", option_text(&im->c->options, "files"), err));
	files.ctx = &beside;
	files.name = str_of(strrchr(im->file, '/') ? strrchr(im->file, '/') + 1 : im->file);
	TRY(openapi_bundle(im->c->arena, im->v.text, &files, &im->v.bundled, &im->problems, &im->n_problems, err));
	if (!im->v.bundled.p)
		return GH_RC_OK;
	TRY(openapi_parse(im->c->arena, im->v.bundled, &im->v.doc, &at, err));
	warnings = arena_alloc(im->c->arena, im->v.doc->n_warnings + im->n_problems + 1, sizeof(*warnings));
	if (!warnings)
		FAIL(err, NOMEM, "warnings");
	take_problems(im, warnings, im->v.doc);
	return GH_RC_OK;
}

static GH_RC read_text(struct import *im, bool *told, struct gh_err *err)
{
	struct text_where at;
	gh_rc rc;

	/* first alone, so that errors name places in the file */
	rc = openapi_parse(im->c->arena, im->v.text, &im->v.doc, &at, err);
	if (!rc.code)
		TRY(read_beside(im, err));
	if (rc.code == GH_E_SYNTAX || rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT) {
		fprintf(stderr, "%s:%u:%u: error: %s\n", im->file, at.line ? at.line : 1, at.column ? at.column : 1, err->message);
		im->c->exit_code = 1;
		*told = true;
		return GH_RC_OK;
	}
	return rc;
}

/* The place of a warning, as long as reading the text again for it stays cheap. */
static struct text_where place(const struct import *im, size_t i)
{
	if (im->v.text.n * (i + 1) > LOCATE_BYTES)
		return (struct text_where){ 0, 0 };
	return yaml_locate(im->v.text, im->v.doc->warnings[i].pointer);
}

/* A description is somebody else's text: a terminal obeys nothing of it. */
static void put_warnings(const struct import *im, struct buf *b)
{
	for (size_t i = 0; i < im->v.doc->n_warnings; i++) {
		const struct openapi_warning *w = &im->v.doc->warnings[i];
		struct text_where at = place(im, i);

		buf_fmt(b, "%s:%u:%u: warning: ", im->file, at.line ? at.line : 1, at.column ? at.column : 1);
		plan_put_text(b, w->text);
		buf_cstr(b, " (#");
		plan_put_text(b, w->pointer);
		buf_cstr(b, ")\n");
	}
	if (im->v.doc->n_warnings_left_out > 0)
		buf_fmt(b, "%s: warning: %zu further warnings\n", im->file, im->v.doc->n_warnings_left_out);
}

static void print_warnings(const struct import *im)
{
	struct buf b;

	buf_init(&b, SHOWN_MAX);
	put_warnings(im, &b);
	fwrite(b.p ? b.p : "", 1, b.n, stderr);
	buf_release(&b);
}

/* ---- what the store gets ---------------------------------------------------------------------------------------------- */

static GH_RC choose_backend(struct import *im, struct gh_err *err)
{
	const char *given = option_text(&im->c->options, "backend");

	im->v.backend_given = given != NULL;
	if (given) {
		if (!is_absolute(str_of(given)))
			return cli_usage(im->c, err, "--backend %s: a backend is an http:// or https:// address", given);
		im->v.backend = str_of(given);
		return GH_RC_OK;
	}
	for (size_t i = 0; i < im->v.doc->n_servers; i++) {
		if (is_absolute(im->v.doc->servers[i].url)) {
			im->v.backend = im->v.doc->servers[i].url;
			return GH_RC_OK;
		}
	}
	return cli_usage(im->c, err, "the description names no server; say where calls go with --backend URL");
}

/* What the command line says; the document and the store may know more. */
static GH_RC describe(struct import *im, struct gh_err *err)
{
	const struct options *o = &im->c->options;
	struct str path = str_of(option_text(o, "path"));
	const char *name = option_text(o, "name");

	while (path.n > 0 && path.p[0] == '/')
		path = str_from(path, 1);
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	if (str_find(path, STR("//")) != SIZE_MAX || str_find_char(path, '?') != SIZE_MAX || str_find_char(path, '#') != SIZE_MAX ||
	    str_find_char(path, ' ') != SIZE_MAX || str_find_char(path, '{') != SIZE_MAX)
		return cli_usage(im->c, err, "--path %s: a path has plain segments between single slashes", option_text(o, "path"));
	im->v.id = str_of(name);
	im->v.named = name != NULL;
	im->v.environment = str_of(option_text_or(o, "env", "default"));
	im->v.path = path;
	im->v.version = str_of(option_text_or(o, "version", ""));
	im->v.product = str_of(option_text(o, "product"));
	im->v.source = strcmp(im->file, "-") == 0 ? STR_NULL : str_of(im->file);
	return choose_backend(im, err);
}

static GH_RC into_store(struct import *im, struct gh_err *err)
{
	struct cli_change ch;
	bool there = true;

	TRY(cli_change_begin(im->c, &ch, err));
	gh_rc rc = im->v.product.n ? resource_exists(ch.store, resource_kind_find(STR("product")), im->v.product, &there, err) : GH_RC_OK;

	if (!rc.code && !there)
		rc = gh_err_set(err, GH_E_NOT_FOUND, __FILE__, __LINE__, "there is no product '%.*s'; make it with: gatehouse product create %.*s",
				STR_ARG(im->v.product), STR_ARG(im->v.product));
	if (!rc.code)
		rc = one_api_write(ch.change, ch.store, im->c->arena, &im->v, err);
	return cli_change_end(&ch, rc, err);
}

/* ---- the answer ------------------------------------------------------------------------------------------------------- */

static void member(struct buf *b, const char *name, struct str value)
{
	buf_fmt(b, ",\"%s\":", name);
	if (value.p)
		buf_json(b, value);
	else
		buf_cstr(b, "null");
}

static void answer_json(struct import *im)
{
	struct buf *b = &im->c->out;

	buf_cstr(b, "{\"id\":");
	buf_json(b, im->v.id);
	member(b, "name", im->v.name);
	member(b, "path", im->v.path);
	member(b, "version", im->v.version);
	member(b, "environment", im->v.environment);
	member(b, "backend", im->v.backend_now);
	member(b, "product", im->v.product);
	member(b, "specification", im->v.doc->spec_version);
	buf_fmt(b, ",\"created\":%s,\"operations\":%zu,\"warnings\":[", im->v.created ? "true" : "false", im->v.n_operations);
	for (size_t i = 0; i < im->v.doc->n_warnings; i++) {
		struct text_where at = place(im, i);

		buf_cstr(b, i > 0 ? ",{\"pointer\":" : "{\"pointer\":");
		buf_json(b, im->v.doc->warnings[i].pointer);
		buf_fmt(b, ",\"line\":%u,\"column\":%u", at.line, at.column);
		member(b, "message", im->v.doc->warnings[i].text);
		buf_char(b, '}');
	}
	buf_fmt(b, "],\"warningsLeftOut\":%zu}\n", im->v.doc->n_warnings_left_out);
}

static void answer_text(struct import *im)
{
	struct buf *b = &im->c->out;
	bool v2 = im->v.doc->dialect == OPENAPI_2_0;

	buf_fmt(b, "%s API %.*s (%.*s, %s %.*s) at /%.*s%s%.*s: %zu operations", im->v.created ? "created" : "updated",
		STR_ARG(im->v.id), STR_ARG(im->v.name), v2 ? "Swagger" : "OpenAPI", STR_ARG(im->v.doc->spec_version),
		STR_ARG(im->v.path), im->v.version.n ? "/" : "", STR_ARG(im->v.version), im->v.n_operations);
	if (im->v.doc->n_warnings > 0)
		buf_fmt(b, ", %zu warnings", im->v.doc->n_warnings + im->v.doc->n_warnings_left_out);
	if (im->v.product.n > 0)
		buf_fmt(b, ", in product %.*s", STR_ARG(im->v.product));
	buf_char(b, '\n');
}

GH_RC import_description(struct cli *c, const char *file, struct str text, struct gh_err *err)
{
	struct import im = { .c = c, .file = file, .v.text = text };
	bool told = false;

	TRY(read_text(&im, &told, err));
	if (told)
		return GH_RC_OK;
	TRY(describe(&im, err));
	TRY(into_store(&im, err));
	if (c->json) {
		answer_json(&im);
	} else {
		print_warnings(&im);
		answer_text(&im);
	}
	return GH_RC_OK;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct str text;

	TRY(file_read(c->arena, c->options.args[0], OPENAPI_MAX_BYTES, &text, err));
	return import_description(c, c->options.args[0], text, err);
}

const struct command command_import_openapi = {
	.name = "import openapi",
	.args = "FILE",
	.least_args = 1,
	.most_args = 1,
	.summary = "make an API from an OpenAPI or Swagger description, or update it",
	.help = "FILE is OpenAPI 3.0 or 3.1 or Swagger 2.0, in JSON or YAML; - reads standard input. The file is kept as it is.\n"
		"Importing again at the same path and version updates the API; operations that stay keep their policies.",
	.options = options,
	.run = run,
};
