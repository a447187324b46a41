/* import_recorded.c - `gatehouse import har|postman|wsdl`: an API from what is at hand in place of a description. */
#include "cli/import.h"

#include "cli/beside.h"

#include "config/import/describe.h"
#include "core/file.h"
#include "core/str.h"

#include <stdio.h>

#define OUT_OPTION { "out", OPTION_TEXT, "FILE", "only write the description there, to be looked at first", false }

static const struct option options[] = {
	IMPORT_OPTIONS,
	OUT_OPTION,
	OPTION_END,
};

static const struct option har_options[] = {
	IMPORT_OPTIONS,
	{ "host", OPTION_TEXT, "HOST", "whose calls are taken: api.example.com; without it the host with most of them", false },
	OUT_OPTION,
	OPTION_END,
};

static const struct option wsdl_options[] = {
	IMPORT_OPTIONS,
	{ "files", OPTION_TEXT, "DIR", "directory that files it imports may stand in (that of FILE)", false },
	{ "port", OPTION_TEXT, "NAME", "port that is taken, with all others at its address; without it the first", false },
	OUT_OPTION,
	OPTION_END,
};

enum source { SOURCE_HAR, SOURCE_POSTMAN, SOURCE_WSDL };

static GH_RC read_source(struct cli *c, enum source source, struct import_report *r, struct described *d, bool *told, struct gh_err *err)
{
	const char *file = c->options.args[0];
	struct beside beside;
	const struct openapi_files files = { .read = beside_read, .ctx = &beside, .name = str_of(strrchr(file, '/') ? strrchr(file, '/') + 1 : file) };
	struct text_where at = { 0, 0 };
	struct str text;
	gh_rc rc;

	TRY(file_read(c->arena, file, IMPORT_FILE_MAX, &text, err));
	switch (source) {
	case SOURCE_HAR:
		rc = import_har(c->arena, text, str_of(option_text(&c->options, "host")), r, d, &at, err);
		break;
	case SOURCE_POSTMAN:
		rc = import_postman(c->arena, text, r, d, &at, err);
		break;
	default:
		TRY(beside_init(&beside, strcmp(file, "-") ? file : "./-", option_text(&c->options, "files"), err));
		rc = import_wsdl(c->arena, text, str_of(option_text(&c->options, "port")), &files, r, d, &at, err);
		break;
	}
	*told = rc.code == GH_E_SYNTAX || rc.code == GH_E_INVALID || rc.code == GH_E_LIMIT;
	if (!*told)
		return rc;
	fprintf(stderr, "%s:%u:%u: error: %s\n", file, at.line ? at.line : 1, at.column ? at.column : 1, err->message);
	c->exit_code = 1;
	return GH_RC_OK;
}

static void print_report(struct cli *c, const struct import_report *r)
{
	json_t *v;

	if (!c->json) {
		import_report_text(r, &c->out);
		return;
	}
	v = import_report_json(r);
	jsn_write(&c->out, v, 0);
	json_decref(v);
}

static gh_rc work(struct cli *c, enum source source, struct gh_err *err)
{
	const char *out = option_text(&c->options, "out");
	struct import_report r;
	struct described d = { .openapi = NULL };
	struct str text;
	bool told;

	import_report_init(&r, c->arena);
	TRY(read_source(c, source, &r, &d, &told, err));
	if (told)
		return GH_RC_OK;
	text = jsn_text(c->arena, d.openapi, JSN_INDENT);
	text = arena_join(c->arena, (struct str[]){ text, STR("\n") }, 2);
	if (!text.p)
		FAIL(err, NOMEM, "description");
	if (c->json)
		buf_cstr(&c->out, out ? "{" : "{\"api\":");
	if (out)
		TRY(file_write_atomic(out, text, 0644, err));
	else
		TRY(import_description(c, c->options.args[0], text, err));
	if (c->json)
		buf_cstr(&c->out, out ? "\"report\":" : ",\"report\":");
	if (!c->exit_code)
		print_report(c, &r);
	buf_cstr(&c->out, c->json ? "}\n" : "");
	return GH_RC_OK;
}

static gh_rc run_har(struct cli *c, struct gh_err *err)
{
	return work(c, SOURCE_HAR, err);
}

static gh_rc run_postman(struct cli *c, struct gh_err *err)
{
	return work(c, SOURCE_POSTMAN, err);
}

static gh_rc run_wsdl(struct cli *c, struct gh_err *err)
{
	return work(c, SOURCE_WSDL, err);
}

#define FIRST_DESCRIPTION "The description that is made is an OpenAPI document like any other: get it with `api document`, mend it, import it again.\n"

const struct command command_import_har = {
	.name = "import har", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "make an API from calls that a browser or proxy recorded (HAR)",
	.help = "Shapes of bodies become schemas; values, cookies and credentials are not kept.\n" FIRST_DESCRIPTION,
	.options = har_options, .run = run_har,
};

const struct command command_import_postman = {
	.name = "import postman", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "make an API from a Postman collection (v2.0, v2.1)",
	.help = "Folders become tags, requests operations, saved answers responses.\n" FIRST_DESCRIPTION,
	.options = options, .run = run_postman,
};

const struct command command_import_wsdl = {
	.name = "import wsdl", .args = "FILE", .least_args = 1, .most_args = 1,
	.summary = "make an API from the description of a SOAP service (WSDL 1.1)",
	.help = "Each SOAP operation becomes one of the API, called with ?soapAction=NAME; calls without it are taken by one more.\n"
		FIRST_DESCRIPTION,
	.options = wsdl_options, .run = run_wsdl,
};
