/* credential.c - `gatehouse credential …`: what the gateway shows to backends. Secrets come from files, standard input or by
 * reference, never as arguments: a process list shows those. */
#include "cli/output.h"
#include "cli/resource.h"
#include "cli/secret_option.h"
#include "core/file.h"
#include "core/secret_ref.h"
#include "core/clock.h"
#include "core/credential_rotate.h"
#include "core/str.h"
#include "db/credentials.h"
#include "db/rotation.h"

enum { SECRET_MAX_BYTES = 65536 };

static const struct option set_options[] = {
	{ "environment", OPTION_TEXT, "ENV", "environment it belongs to (default)", false },
	{ "kind", OPTION_TEXT, "KIND", "client-credentials, api-key, …: see `gatehouse credential kinds`", false },
	{ "set", OPTION_MANY, "FIELD=VALUE", "a setting; FIELD= takes it away", false },
	{ "secret-file", OPTION_MANY, "FIELD=FILE", "a secret from a file; - is standard input; one line break at the end is left out", false },
	{ "secret-ref", OPTION_MANY, "FIELD=REF", "where a secret stands: env:NAME, file:/PATH, vault:MOUNT/PATH#FIELD", false },
	{ "provider", OPTION_TEXT, "NAME", "group that get-authorization-context names it by (its own id)", false },
	{ "name", OPTION_TEXT, "NAME", "name that people read (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	ROTATE_BY_OPTION,
	OPTION_END,
};

static const struct option environment_options[] = {
	{ "environment", OPTION_TEXT, "ENV", "environment it belongs to (default)", false },
	OPTION_END,
};

static struct str environment(struct cli *c)
{
	return str_of(option_text_or(&c->options, "environment", "default"));
}

static bool cut(const char *text, struct str *field, struct str *value)
{
	struct str s = str_of(text);
	size_t at = str_find_char(s, '=');

	*field = str_first(s, at);
	*value = at == SIZE_MAX ? STR_NULL : str_from(s, at + 1);
	return at != SIZE_MAX && at;
}

static gh_rc read_settings(struct cli *c, json_t *settings, struct gh_err *err)
{
	const char *text;

	for (size_t i = 0; (text = option_nth(&c->options, "set", i)); i++) {
		struct str field, value;
		const struct credential_field *f;

		if (!cut(text, &field, &value))
			return cli_usage(c, err, "--set takes FIELD=VALUE, not '%.80s'", text);
		f = credential_field_find(field);
		if (f && f->secret)
			return cli_usage(c, err, "%s is a secret: give it with --secret-file or --secret-ref", f->name.p);
		if (value.n)
			json_object_setn_new(settings, field.p, field.n, json_stringn(value.p, value.n));
		else
			json_object_setn_new(settings, field.p, field.n, json_null());
	}
	return GH_RC_OK;
}

static gh_rc read_secret_files(struct cli *c, json_t *secrets, struct gh_err *err)
{
	const char *text;

	for (size_t i = 0; (text = option_nth(&c->options, "secret-file", i)); i++) {
		struct str field, file, value;

		if (!cut(text, &field, &file))
			return cli_usage(c, err, "--secret-file takes FIELD=FILE, not '%.80s'", text);
		TRY(file_read(c->arena, arena_cstr(c->arena, file), SECRET_MAX_BYTES, &value, err));
		if (str_ends(value, STR("\n")))
			value.n--;
		if (str_ends(value, STR("\r")))
			value.n--;
		if (!value.n || !utf8_valid(value))
			FAIL(err, INVALID, "%.*s: the secret is empty or no text", STR_ARG(file));
		json_object_setn_new(secrets, field.p, field.n, json_stringn(value.p, value.n));
	}
	return GH_RC_OK;
}

static gh_rc read_secret_refs(struct cli *c, json_t *secrets, struct gh_err *err)
{
	const char *text;

	for (size_t i = 0; (text = option_nth(&c->options, "secret-ref", i)); i++) {
		struct secret_ref parsed;
		struct str field, ref;

		if (!cut(text, &field, &ref))
			return cli_usage(c, err, "--secret-ref takes FIELD=REF, not '%.80s'", text);
		TRY(secret_ref_parse(ref, &parsed, err));
		json_object_setn_new(secrets, field.p, field.n, json_pack("{s:s%}", "ref", ref.p, ref.n));
	}
	return GH_RC_OK;
}

static gh_rc try_refs(struct cli *c, struct store *s, struct gh_err *err)
{
	const char *text;

	for (size_t i = 0; (text = option_nth(&c->options, "secret-ref", i)); i++) {
		struct str field, ref;

		cut(text, &field, &ref);
		TRY(secret_option_try(c, s, ref, err));
	}
	return GH_RC_OK;
}

/* Its id as a resource: ids are of an environment. */
static struct str id_of(struct cli *c)
{
	return arena_printf(c->arena, "%.*s/%s", STR_ARG(environment(c)), c->options.args[0]);
}

/* Of another kind nothing of the old settings stays. */
static void forget_settings(json_t *settings, const json_t *old)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)old, name, v)
		if (!jsn_get(settings, name))
			json_object_set_new(settings, name, json_null());
}

/* A new credential is no patch: null, which takes away, has nothing to take. */
static void drop_nulls(json_t *object)
{
	const char *name;
	json_t *v;
	void *next;

	json_object_foreach_safe(object, next, name, v)
		if (json_is_null(v))
			json_object_del(object, name);
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "kind", "kind", DOC_TEXT }, { "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT },
						    { "provider", "provider", DOC_TEXT }, { "rotate-by", "rotateBy", DOC_TIME }, DOC_END };
	json_t *doc = cli_document(c, fields), *settings = json_object(), *secrets = json_object(), *old;
	struct str id = id_of(c);
	struct store *s;

	json_object_set_new(doc, "settings", settings);
	json_object_set_new(doc, "secrets", secrets);
	TRY(cli_store(c, true, &s, err));
	TRY(resource_read(s, c->arena, resource_kind_find(STR("credential")), id, &old, err));
	TRY(read_settings(c, settings, err));
	TRY(read_secret_files(c, secrets, err));
	TRY(read_secret_refs(c, secrets, err));
	if (!old && !jsn_get(doc, "kind"))
		return cli_usage(c, err, "a new credential needs --kind; `gatehouse credential kinds` lists them");
	if (!old && !jsn_get(doc, "name"))
		json_object_set_new(doc, "name", json_string(c->options.args[0]));
	if (!old)
		drop_nulls(settings);
	if (old && jsn_get(doc, "kind") && !str_eq(jsn_str(doc, "kind"), jsn_str(old, "kind")))
		forget_settings(settings, jsn_get(old, "settings"));
	TRY(cli_set(c, "credential", id, doc, err));
	return try_refs(c, s, err);
}

const struct command command_credential_set = {
	.name = "credential set", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make or change what the gateway shows to a backend",
	.help = "What is not named stays as it is. Workers use the change at once; tokens of the old state are forgotten.\n"
		"  gatehouse credential set erp --kind client-credentials --set token-url=https://login.example/token \\\n"
		"    --set client-id=mes --set scope=api --secret-file client-secret=FILE\n"
		"  gatehouse backend set erp --url https://erp.example --credential erp",
	.options = set_options, .run = set,
};

/* ---- rotate ----------------------------------------------------------------------------------------------------------- */

static gh_rc rotate(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_rotation_want(s, c->arena, environment(c), str_of(c->options.args[0]), err), err);
}

const struct command command_credential_rotate = {
	.name = "credential rotate", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "have the provider make a new secret now", .options = environment_options, .run = rotate,
	.help = "The keeper does it within seconds; the old secret goes on until the new one has worked.",
};

/* ---- kinds ------------------------------------------------------------------------------------------------------------ */

static void kinds_json(struct cli *c)
{
	for (int k = 0; k < CREDENTIAL__COUNT; k++) {
		const struct credential_kind_info *info = credential_kind_info((enum credential_kind)k);
		const struct credential_field *f;
		bool first = true;

		buf_fmt(&c->out, "%s{\"kind\":\"%s\",\"text\":", k ? "," : "[", info->name.p);
		buf_json(&c->out, info->text);
		buf_cstr(&c->out, ",\"fields\":[");
		for (size_t i = 0; (f = credential_field_at(i)); i++) {
			if (!(f->kinds & 1u << k))
				continue;
			buf_fmt(&c->out, "%s{\"field\":\"%s\",\"secret\":%s,\"required\":%s,\"choices\":", first ? "" : ",", f->name.p,
				f->secret ? "true" : "false", f->needed & 1u << k ? "true" : "false");
			buf_json(&c->out, f->choices ? str_of(f->choices) : STR(""));
			buf_cstr(&c->out, ",\"help\":");
			buf_json(&c->out, str_of(f->help));
			buf_char(&c->out, '}');
			first = false;
		}
		buf_cstr(&c->out, "]}");
	}
	buf_cstr(&c->out, "]\n");
}

static gh_rc kinds(struct cli *c, struct gh_err *err UNUSED)
{
	if (c->json) {
		kinds_json(c);
		return GH_RC_OK;
	}
	for (int k = 0; k < CREDENTIAL__COUNT; k++) {
		const struct credential_kind_info *info = credential_kind_info((enum credential_kind)k);
		const struct credential_field *f;

		buf_fmt(&c->out, "%s%s: %s\n", k ? "\n" : "", info->name.p, info->text.p);
		for (size_t i = 0; (f = credential_field_at(i)); i++)
			if (f->kinds & 1u << k)
				buf_fmt(&c->out, "  %-22s %s%s%s%s%s\n", f->name.p, f->needed & 1u << k ? "(needed) " : "",
					f->secret ? "(secret) " : "", f->help, f->choices ? ": " : "", f->choices ? f->choices : "");
	}
	return GH_RC_OK;
}

const struct command command_credential_kinds = {
	.name = "credential kinds", .summary = "list the kinds of credentials and what each is made of", .run = kinds,
};

/* ---- list, show, delete ------------------------------------------------------------------------------------------------ */

static const struct column columns[] = {
	{ "ENVIRONMENT", "environment", COLUMN_TEXT, offsetof(struct store_credential, environment_id), NULL },
	{ "ID", "id", COLUMN_TEXT, offsetof(struct store_credential, id), NULL },
	{ "KIND", "kind", COLUMN_TEXT, offsetof(struct store_credential, kind), NULL },
	{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_credential, name), NULL },
	{ "PROVIDER", "provider", COLUMN_TEXT, offsetof(struct store_credential, provider), NULL },
	{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_credential, changed_us), NULL },
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_credential *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_credentials(s, c->arena, false, &rows, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_credential_list = {
	.name = "credential list", .summary = "list the credentials; secrets are not shown", .run = list,
};

/* Which secrets there are, and by which reference; never their values. */
static void put_secrets(struct cli *c, const struct credential *k, struct str refs_text)
{
	json_t *refs = NULL, *v;
	const char *name;
	bool first = true;

	if (refs_text.n && jsn_parse_in(c->arena, refs_text, NULL, &refs, NULL, NULL).code)
		refs = NULL;
	for (size_t i = 0;; i++) {
		const struct credential_field *f = credential_field_at(i);
		struct str ref;

		if (!f)
			break;
		name = f->name.p;
		v = jsn_get(k->secrets, name);
		ref = jsn_str(refs, name);
		if (!f->secret || (!v && !ref.n))
			continue;
		if (c->json) {
			buf_fmt(&c->out, "%s\"%s\":", first ? "" : ",", name);
			buf_json(&c->out, ref.n ? ref : STR("***"));
		} else {
			buf_fmt(&c->out, "%-22s %.*s\n", name, STR_ARG(ref.n ? ref : STR("***")));
		}
		first = false;
	}
}

static gh_rc print_rotation(struct cli *c, struct store *s, struct gh_err *err)
{
	struct store_rotation r;
	char when[CLOCK_ISO_MAX];
	bool found;

	TRY(store_rotation_find(s, c->arena, environment(c), str_of(c->options.args[0]), &r, &found, err));
	buf_fmt(&c->out, "%-22s %s\n", "rotated", found && r.rotated_us ? clock_iso(r.rotated_us, 0, when) : "never");
	if (found && r.problem.n)
		buf_fmt(&c->out, "%-22s %.*s\n", "rotation problem", STR_ARG(r.problem));
	return GH_RC_OK;
}

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct store_credential row;
	struct credential k;
	const char *name;
	struct store *s;
	json_t *v;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_credential_find(s, c->arena, environment(c), str_of(c->options.args[0]), true, &row, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no credential '%s' in environment '%.*s'", c->options.args[0], STR_ARG(environment(c)));
	TRY(store_credential_parse(c->arena, &row, &k, err));
	output_row(c, columns, ARRAY_LEN(columns), &row, true);
	if (c->json) {
		buf_fmt(&c->out, ",\"settings\":%.*s,\"secrets\":{", STR_ARG(jsn_text(c->arena, k.settings, JSN_SORTED)));
		put_secrets(c, &k, row.refs);
		buf_cstr(&c->out, "},\"problem\":");
		if (row.problem.p)
			buf_json(&c->out, row.problem);
		else
			buf_cstr(&c->out, "null");
		buf_cstr(&c->out, "}\n");
		return GH_RC_OK;
	}
	json_object_foreach(k.settings, name, v)
		buf_fmt(&c->out, "%-22s %.*s\n", name, STR_ARG(jsn_string(v)));
	if (rotation_of(&k) != ROTATION_NONE)
		TRY(print_rotation(c, s, err));
	put_secrets(c, &k, row.refs);
	if (row.problem.p)
		buf_fmt(&c->out, "%-22s %.*s\n", "problem", STR_ARG(row.problem));
	return GH_RC_OK;
}

const struct command command_credential_show = {
	.name = "credential show", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "show a credential; of secrets only that they are there", .options = environment_options, .run = show,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "credential", id_of(c), err);
}

const struct command command_credential_delete = {
	.name = "credential delete", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "delete a credential that no backend names", .options = environment_options, .run = delete,
};
