/* import.c - `gatehouse import openapi`: an API description becomes an API with its operations.
 *
 * Importing again is an update: the API that stands at the same path and version of the environment (or has the id that
 * --name gives) gets the new operations; those whose id stays keep their policies, and what people set by hand (state, key
 * names) stays. The file goes into the store as it is, byte for byte; warnings tell what the gateway makes no use of. */
#include "cli/import.h"

#include "cli/beside.h"
#include "config/import/operations.h"
#include "core/file.h"
#include "core/openapi.h"
#include "core/str.h"
#include "core/uritemplate.h"
#include "core/yaml.h"
#include "db/apis.h"
#include "db/environments.h"
#include "db/products.h"

#include <stdio.h>

#define LOCATE_BYTES ((size_t)64 << 20)  /* of text read again, over all warnings, to find their lines */

static const struct option options[] = {
	IMPORT_OPTIONS,
	{ "files", OPTION_TEXT, "DIR", "directory that files it refers to may stand in (that of FILE)", false },
	OPTION_END,
};

struct import {
	struct cli *c;
	const char *file;
	struct str text;
	struct str bundled;              /* with what stands in other files; STR_NULL: it is one file */
	struct openapi_warning *problems;        /* references that are not followed */
	size_t n_problems;
	struct openapi *doc;
	struct store *store;
	struct store_api api;
	struct store_operation *operations;
	size_t n_operations;
	struct str base_id;              /* of the API without its version, and of the version set */
	struct str product;
	bool created;
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
	im->doc->warnings = to;
	im->doc->n_warnings = n;
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
	TRY(openapi_bundle(im->c->arena, im->text, &files, &im->bundled, &im->problems, &im->n_problems, err));
	if (!im->bundled.p)
		return GH_RC_OK;
	TRY(openapi_parse(im->c->arena, im->bundled, &im->doc, &at, err));
	warnings = arena_alloc(im->c->arena, im->doc->n_warnings + im->n_problems + 1, sizeof(*warnings));
	if (!warnings)
		FAIL(err, NOMEM, "warnings");
	take_problems(im, warnings, im->doc);
	return GH_RC_OK;
}

static GH_RC read_text(struct import *im, bool *told, struct gh_err *err)
{
	struct text_where at;
	gh_rc rc;

	/* first alone, so that errors name places in the file */
	rc = openapi_parse(im->c->arena, im->text, &im->doc, &at, err);
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
	if (im->text.n * (i + 1) > LOCATE_BYTES)
		return (struct text_where){ 0, 0 };
	return yaml_locate(im->text, im->doc->warnings[i].pointer);
}

static void print_warnings(const struct import *im)
{
	for (size_t i = 0; i < im->doc->n_warnings; i++) {
		const struct openapi_warning *w = &im->doc->warnings[i];
		struct text_where at = place(im, i);

		fprintf(stderr, "%s:%u:%u: warning: %.*s (#%.*s)\n", im->file, at.line ? at.line : 1, at.column ? at.column : 1,
			STR_ARG(w->text), STR_ARG(w->pointer));
	}
	if (im->doc->n_warnings_left_out > 0)
		fprintf(stderr, "%s: warning: %zu further warnings\n", im->file, im->doc->n_warnings_left_out);
}

/* ---- what the store gets ---------------------------------------------------------------------------------------------- */

static GH_RC choose_backend(struct import *im, struct gh_err *err)
{
	const char *given = option_text(&im->c->options, "backend");

	if (given) {
		if (!is_absolute(str_of(given)))
			return cli_usage(im->c, err, "--backend %s: a backend is an http:// or https:// address", given);
		im->api.backend_url = str_of(given);
		return GH_RC_OK;
	}
	for (size_t i = 0; i < im->doc->n_servers; i++) {
		if (is_absolute(im->doc->servers[i].url)) {
			im->api.backend_url = im->doc->servers[i].url;
			return GH_RC_OK;
		}
	}
	return cli_usage(im->c, err, "the description names no server; say where calls go with --backend URL");
}

/* What the command line and the document say; the store may know the API already. */
static GH_RC describe(struct import *im, struct gh_err *err)
{
	const struct options *o = &im->c->options;
	struct str path = str_of(option_text(o, "path")), title = str_trim(im->doc->title);
	const char *name = option_text(o, "name");

	while (path.n > 0 && path.p[0] == '/')
		path = str_from(path, 1);
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	if (str_find(path, STR("//")) != SIZE_MAX || str_find_char(path, '?') != SIZE_MAX || str_find_char(path, '#') != SIZE_MAX ||
	    str_find_char(path, ' ') != SIZE_MAX || str_find_char(path, '{') != SIZE_MAX)
		return cli_usage(im->c, err, "--path %s: a path has plain segments between single slashes", option_text(o, "path"));
	im->base_id = name ? str_of(name) : import_slug(im->c->arena, title.n ? title : path);
	if (im->base_id.n == 0)
		im->base_id = STR("api");
	im->api.environment_id = str_of(option_text_or(o, "env", "default"));
	im->api.path = path;
	im->api.version = str_of(option_text_or(o, "version", ""));
	im->api.name = title.n ? title : im->base_id;
	im->api.description = im->doc->description;
	im->api.subscription_required = true;
	im->api.state = STORE_API_PUBLISHED;
	im->product = str_of(option_text(o, "product"));
	return choose_backend(im, err);
}

/* ---- the store -------------------------------------------------------------------------------------------------------- */

static GH_RC check_references(struct import *im, struct gh_err *err)
{
	struct store_environment env;
	struct store_product product;
	bool found;

	TRY(store_environment_find(im->store, im->c->arena, im->api.environment_id, &env, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no environment '%.*s'", STR_ARG(im->api.environment_id));
	if (im->product.n == 0)
		return GH_RC_OK;
	TRY(store_product_find(im->store, im->c->arena, im->product, &product, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no product '%.*s'; make it with: gatehouse product create %.*s",
		     STR_ARG(im->product), STR_ARG(im->product));
	return GH_RC_OK;
}

/* Keeps what people have set on the API that is there. */
static void carry_over(struct import *im, const struct store_api *old)
{
	im->api.id = old->id;
	im->api.version_set_id = old->version_set_id;
	im->api.key_header = old->key_header;
	im->api.key_query = old->key_query;
	im->api.subscription_required = old->subscription_required;
	im->api.state = old->state;
	im->api.deprecated_us = old->deprecated_us;
	im->api.sunset_us = old->sunset_us;
	im->api.revision = old->revision;
	im->api.revision_description = old->revision_description;
	if (!option_text(&im->c->options, "backend") && (old->backend_id.p || old->backend_url.p)) {
		im->api.backend_id = old->backend_id;
		im->api.backend_url = old->backend_url;
	}
}

/* Finds the API to update, or the id for a new one. */
static GH_RC choose_api(struct import *im, struct gh_err *err)
{
	struct arena *a = im->c->arena;
	struct store_api old;
	bool found;

	im->created = false;
	TRY(store_api_find_path(im->store, a, im->api.environment_id, im->api.path, im->api.version, &old, &found, err));
	if (found) {
		if (option_text(&im->c->options, "name") && !str_eq(old.id, im->base_id) && !str_starts(old.id, im->base_id))
			FAIL(err, CONFLICT, "the path '%.*s' belongs to the API '%.*s'", STR_ARG(im->api.path), STR_ARG(old.id));
		carry_over(im, &old);
		return GH_RC_OK;
	}
	TRY(store_api_find(im->store, a, im->base_id, 0, &old, &found, err));
	if (found && str_eq(old.version, im->api.version) && str_eq(old.environment_id, im->api.environment_id)) {
		carry_over(im, &old);
		return GH_RC_OK;
	}
	im->api.id = im->base_id;
	if (found && im->api.version.n > 0)
		im->api.id = arena_printf(a, "%.*s-%.*s", STR_ARG(im->base_id), STR_ARG(import_slug(a, im->api.version)));
	else if (found)
		im->api.id = arena_printf(a, "%.*s-%.*s", STR_ARG(im->base_id), STR_ARG(import_slug(a, im->api.environment_id)));
	im->created = true;
	return GH_RC_OK;
}

/* A versioned API needs a set: that of another version at the same path, or a new one, which the unversioned API at this
 * path joins as its original. */
static GH_RC join_version_set(struct import *im, struct gh_err *err)
{
	struct store_version_set set = { .id = im->base_id, .name = im->api.name, .scheme = STR("segment") };
	struct store_api *apis, *original = NULL;
	size_t n;
	bool found;

	if (im->api.version.n == 0 || im->api.version_set_id.p)
		return GH_RC_OK;
	TRY(store_apis(im->store, im->c->arena, NULL, &apis, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(apis[i].environment_id, im->api.environment_id) || !str_eq(apis[i].path, im->api.path) ||
		    str_eq(apis[i].id, im->api.id))
			continue;
		if (apis[i].version_set_id.p)
			im->api.version_set_id = apis[i].version_set_id;
		else
			original = &apis[i];
	}
	if (!im->api.version_set_id.p) {
		TRY(store_version_set_find(im->store, im->c->arena, set.id, &set, &found, err));
		set.id = im->base_id;
		if (!found)
			TRY(store_version_set_create(im->store, &set, err));
		im->api.version_set_id = im->base_id;
	}
	if (!original)
		return GH_RC_OK;
	original->version_set_id = im->api.version_set_id;
	return store_api_update(im->store, original, err);
}

static GH_RC write_all(struct import *im, struct gh_err *err)
{
	struct str start = str_trim(im->text);
	bool json = start.n > 0 && start.p[0] == '{';
	struct store_api_document document = {
		.media_type = json ? STR("application/vnd.oai.openapi+json") : STR("application/vnd.oai.openapi"),
		.source = strcmp(im->file, "-") == 0 ? STR_NULL : str_of(im->file),
		.bytes = im->text,
		.bundled = im->bundled,
	};

	TRY(check_references(im, err));
	TRY(choose_api(im, err));
	TRY(join_version_set(im, err));
	if (im->created)
		TRY(store_api_create(im->store, &im->api, err));
	else
		TRY(store_api_update(im->store, &im->api, err));
	for (size_t i = 0; i < im->n_operations; i++) {
		im->operations[i].api_id = im->api.id;
		im->operations[i].revision = im->api.revision;
	}
	TRY(store_operations_replace(im->store, im->api.id, im->api.revision, im->operations, im->n_operations, err));
	document.api_id = im->api.id;
	document.revision = im->api.revision;
	TRY(store_api_document_set(im->store, &document, err));
	if (im->product.n > 0)
		TRY(store_product_add_api(im->store, im->product, im->api.id, err));
	return GH_RC_OK;
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
	buf_json(b, im->api.id);
	member(b, "name", im->api.name);
	member(b, "path", im->api.path);
	member(b, "version", im->api.version);
	member(b, "environment", im->api.environment_id);
	member(b, "backend", im->api.backend_url);
	member(b, "product", im->product);
	member(b, "specification", im->doc->spec_version);
	buf_fmt(b, ",\"created\":%s,\"operations\":%zu,\"warnings\":[", im->created ? "true" : "false", im->n_operations);
	for (size_t i = 0; i < im->doc->n_warnings; i++) {
		struct text_where at = place(im, i);

		buf_cstr(b, i > 0 ? ",{\"pointer\":" : "{\"pointer\":");
		buf_json(b, im->doc->warnings[i].pointer);
		buf_fmt(b, ",\"line\":%u,\"column\":%u", at.line, at.column);
		member(b, "message", im->doc->warnings[i].text);
		buf_char(b, '}');
	}
	buf_fmt(b, "],\"warningsLeftOut\":%zu}\n", im->doc->n_warnings_left_out);
}

static void answer_text(struct import *im)
{
	struct buf *b = &im->c->out;
	bool v2 = im->doc->dialect == OPENAPI_2_0;

	buf_fmt(b, "%s API %.*s (%.*s, %s %.*s) at /%.*s%s%.*s: %zu operations", im->created ? "created" : "updated",
		STR_ARG(im->api.id), STR_ARG(im->api.name), v2 ? "Swagger" : "OpenAPI", STR_ARG(im->doc->spec_version),
		STR_ARG(im->api.path), im->api.version.n ? "/" : "", STR_ARG(im->api.version), im->n_operations);
	if (im->doc->n_warnings > 0)
		buf_fmt(b, ", %zu warnings", im->doc->n_warnings + im->doc->n_warnings_left_out);
	if (im->product.n > 0)
		buf_fmt(b, ", in product %.*s", STR_ARG(im->product));
	buf_char(b, '\n');
}

GH_RC import_description(struct cli *c, const char *file, struct str text, struct gh_err *err)
{
	struct import im = { .c = c, .file = file, .text = text };
	bool told = false;
	gh_rc rc;

	TRY(read_text(&im, &told, err));
	if (told)
		return GH_RC_OK;
	TRY(describe(&im, err));
	TRY(import_operations(c->arena, im.doc, &im.operations, NULL, &im.n_operations, err));
	TRY(cli_store(c, true, &im.store, err));
	TRY(store_tx_begin(im.store, str_of(cli_actor(c)), err));
	rc = write_all(&im, err);
	TRY(store_tx_end(im.store, rc, err));
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
