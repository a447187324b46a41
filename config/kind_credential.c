/* kind_credential.c - what the gateway shows to backends (core/credential.h), and loggers. */
#include "config/kind.h"

#include "core/credential.h"
#include "core/logger.h"
#include "core/str.h"
#include "db/credentials.h"
#include "db/loggers.h"
#include "db/secrets.h"

/* ---- credentials ------------------------------------------------------------------------------------------------------- */

struct credential_row {
	struct str id;                   /* "sandbox/erp" */
	struct store_credential c;
	int64_t rotate_by_us;
};

static const char *const kinds[] = {
#define X(name, word, token, text) word,
	CREDENTIAL_KINDS(X)
#undef X
	NULL,
};

#define SECRET(word, text) { .name = word, .type = RESOURCE_SECRET, .label = word, .description = text }
/* Those of core/credential.h; a test holds the two tables together. */
static const struct resource_field secret_fields[] = {
	SECRET("client-secret", "Secret of the client"),
	{ .name = "private-key", .type = RESOURCE_SECRET, .flags = RESOURCE_LINES, .label = "private-key", .description = "PEM of the key that signs assertions" },
	SECRET("password", "The user's password"),
	SECRET("value", "The key"),
	SECRET("secret-access-key", "The access key"),
	SECRET("session-token", "Token of temporary credentials"),
	SECRET("key", "The key that signs"),
	SECRET("rotate-token", "Token with which the provider is asked for a new secret"),
	FIELD_END,
};
#undef SECRET

/* The i-th setting of a kind, kind after kind. */
static bool credential_hint(size_t i, struct resource_hint *out)
{
	const struct credential_field *f;

	for (unsigned kind = 0; kind < CREDENTIAL__COUNT; kind++)
		for (size_t k = 0; (f = credential_field_at(k)); k++) {
			if (f->secret || !(f->kinds >> kind & 1) || i--)
				continue;
			*out = (struct resource_hint){ credential_kind_info((enum credential_kind)kind)->name, f->name.p, f->help, f->needed >> kind & 1 };
			return true;
		}
	return false;
}

/* The i-th secret of a kind, kind after kind. */
static bool secret_hint(size_t i, struct resource_hint *out)
{
	const struct credential_field *f;

	for (unsigned kind = 0; kind < CREDENTIAL__COUNT; kind++)
		for (size_t k = 0; (f = credential_field_at(k)); k++) {
			if (!f->secret || !(f->kinds >> kind & 1) || i--)
				continue;
			*out = (struct resource_hint){ credential_kind_info((enum credential_kind)kind)->name, f->name.p, f->help, f->needed >> kind & 1 };
			return true;
		}
	return false;
}

static const struct resource_field credential_fields[] = {
	FIELD_ID("The environment and the name: \"default/erp\"", credential_row, id),
	{ .name = "environment", .type = RESOURCE_REF, .ref = "environment", .flags = RESOURCE_READ_ONLY, .label = "Environment",
	  .description = "Where it holds", AT(credential_row, c.environment_id) },
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 300, .description = "What people read", AT(credential_row, c.name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is for",
	  AT(credential_row, c.description) },
	{ .name = "kind", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT | RESOURCE_REQUIRED, .values = kinds, .label = "Kind",
	  .description = "How the gateway shows itself", AT(credential_row, c.kind) },
	{ .name = "provider", .type = RESOURCE_TEXT, .label = "Provider", .most = 100, .description = "Group that policies name it by; empty: its name",
	  AT(credential_row, c.provider) },
	{ .name = "settings", .type = RESOURCE_OBJECT, .flags = RESOURCE_REQUIRED, .label = "Settings",
	  .description = "What the kind needs, each as a text, like token-url: https://login.example/token",
	  .hints = credential_hint, .offset = RESOURCE_BY_HAND },
	{ .name = "secrets", .type = RESOURCE_OBJECT, .fields = secret_fields, .flags = RESOURCE_STAYS, .label = "Secrets",
	  .description = "The secrets of the kind", .hints = secret_hint, .offset = RESOURCE_BY_HAND },
	{ .name = "rotateBy", .type = RESOURCE_TIME, .label = "Replace until",
	  .description = "When people are reminded to replace it", AT(credential_row, rotate_by_us) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(credential_row, c.changed_us) },
	FIELD_END,
};

static bool cut(struct str id, struct str *environment, struct str *name)
{
	size_t slash = str_find_char(id, '/');

	*environment = str_first(id, slash);
	*name = slash == SIZE_MAX ? STR_NULL : str_from(id, slash + 1);
	return environment->n && name->n;
}

static void credential_check_id(struct resource_change *c, struct str id)
{
	struct str environment, name;
	bool there = true;

	if (!cut(id, &environment, &name))
		resource_problem(c, &kind_credential, id, STR("/id"), "must be ENVIRONMENT/NAME, like default/erp");
	else if (!resource_exists(c->store, &kind_environment, environment, &there, NULL).code && !there)
		resource_problem(c, &kind_credential, id, STR("/id"), "there is no environment '%.*s'", STR_ARG(environment));
}

static GH_RC credential_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct credential_row *r = row;
	struct str environment, name;

	*found = false;
	if (!cut(id, &environment, &name))
		return GH_RC_OK;
	r->id = id;
	TRY(store_credential_find(s, a, environment, name, true, &r->c, found, err));
	return store_reminder_find(s, a, "credential", id, &r->rotate_by_us, err);
}

static GH_RC credential_fresh(struct resource_put *p, struct gh_err *err UNUSED)
{
	struct credential_row *r = p->row;

	(void)cut(p->id, &r->c.environment_id, &r->c.id);
	return GH_RC_OK;
}

static GH_RC credential_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct credential_row *r = row;
	json_t *settings, *secrets = NULL, *refs = NULL, *shown = json_object();

	json_object_set_new(doc, "secrets", shown);
	TRY(jsn_parse_in(a, r->c.settings.n ? r->c.settings : STR("{}"), NULL, &settings, NULL, err));
	json_object_set(doc, "settings", settings);
	if (r->c.secrets.n)
		TRY(jsn_parse_in(a, r->c.secrets, NULL, &secrets, NULL, err));
	if (r->c.refs.n)
		TRY(jsn_parse_in(a, r->c.refs, NULL, &refs, NULL, err));
	for (const struct resource_field *f = secret_fields; f->name; f++)
		json_object_set_new(shown, f->name, resource_secret_shown(jsn_get(secrets, f->name) != NULL, jsn_str(refs, f->name)));
	return GH_RC_OK;
}

/* What the store takes: a text or {"ref"} sets a secret, null takes it away, what is not named stays. */
static struct str secrets_of(struct resource_put *p)
{
	const json_t *given = jsn_get(p->doc, "secrets");
	json_t *out = jsn_keep(p->a, json_object()), *v;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)given, name, v)
		if (!jsn_bool(v, "sealed", false) && !(json_is_null(v) && !p->exists))
			json_object_set(out, name, v);
	return jsn_text(p->a, out, 0);
}

static GH_RC credential_check_doc(struct resource_put *p, struct gh_err *err UNUSED)
{
	const json_t *was = jsn_get(p->before, "secrets"), *settings = jsn_get(p->doc, "settings");
	char pointer[120];
	const char *name;
	json_t *v;
	void *next;

	/* to take away what is not there says nothing: a patch has it, a file has not, and both are one document */
	json_object_foreach_safe(jsn_get(p->doc, "secrets"), next, name, v)
		if (json_is_null(v) && !json_is_object(jsn_get(was, name)))
			json_object_del(jsn_get(p->doc, "secrets"), name);
	json_object_foreach(jsn_get(p->doc, "secrets"), name, v) {
		snprintf(pointer, sizeof(pointer), "/secrets/%s", name);
		if (jsn_bool(v, "sealed", false) && !json_is_object(jsn_get(was, name)))
			put_problem(p, pointer, "there is nothing sealed yet; give a text or {\"ref\": \"...\"}");
	}
	json_object_foreach((json_t *)(uintptr_t)settings, name, v) {
		snprintf(pointer, sizeof(pointer), "/settings/%.80s", name);
		if (!json_is_string(v))
			put_problem(p, pointer, "must be a text");
	}
	return GH_RC_OK;
}

static GH_RC credential_save(struct resource_put *p, struct gh_err *err)
{
	struct credential_row *r = p->row;

	(void)cut(p->id, &r->c.environment_id, &r->c.id);
	r->c.settings = jsn_text(p->a, jsn_get(p->doc, "settings"), JSN_SORTED);
	r->c.secrets = secrets_of(p);
	TRY(store_credential_set(p->s, &r->c, err));
	return store_reminder_set(p->s, "credential", p->id, r->rotate_by_us, err);
}

static GH_RC credential_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	struct str environment, name;

	if (!cut(id, &environment, &name))
		FAIL(err, NOT_FOUND, "there is no credential '%.*s'", STR_ARG(id));
	TRY(store_credential_delete(s, environment, name, err));
	return store_reminder_set(s, "credential", id, 0, err);
}

static const struct resource_ops credential_ops = {
	.row_size = sizeof(struct credential_row), .store = STORE_RESOURCE_CREDENTIAL, .check_id = credential_check_id, .find = credential_find,
	.show = credential_show, .fresh = credential_fresh, .check = credential_check_doc, .save = credential_save, .drop = credential_drop,
};

const struct resource_kind kind_credential = {
	.name = "credential", .plural = "credentials", .title = "Credential", .description = "What the gateway shows to backends.",
	.area = RESOURCE_AREA_SECRETS, .fields = credential_fields, .ops = &credential_ops,
	.filters = { { "environment", "Only credentials of this environment", NULL } },
};

/* ---- loggers ----------------------------------------------------------------------------------------------------------- */

static bool logger_hint(size_t i, struct resource_hint *out)
{
	static const struct resource_hint hints[] = {
		{ STR_INIT("http"), "url", "address that messages are posted to", true },
		{ STR_INIT("http"), "format", "ndjson, json or lines", false },
		{ STR_INIT("http"), "timeoutMs", "milliseconds that one delivery may take", false },
		{ STR_INIT("http"), "headers", "header fields: a name and a value each", false },
		{ STR_INIT("file"), "path", "the file", true },
		{ STR_INIT("file"), "format", "ndjson or lines", false },
		{ STR_INIT("file"), "maxBytes", "size at which it becomes PATH.1 and a new one begins", false },
		{ STR_INIT("syslog"), "address", "unix:PATH, udp://HOST:PORT or tcp://HOST:PORT", true },
		{ STR_INIT("syslog"), "facility", "number of the facility, 0 to 23", false },
		{ STR_INIT("syslog"), "appName", "APP-NAME of RFC 5424", false },
		{ STR_INIT("syslog"), "sdId", "id of the structured data", false },
	};

	if (i < ARRAY_LEN(hints))
		*out = hints[i];
	return i < ARRAY_LEN(hints);
}

static const struct resource_field logger_fields[] = {
	FIELD_ID("Names the logger in <log-to-eventhub logger-id=\"...\">", store_logger, id),
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What it is for",
	  AT(store_logger, description) },
	{ .name = "kind", .type = RESOURCE_ENUM, .flags = RESOURCE_AS_TEXT | RESOURCE_REQUIRED, .values = logger_kind_names, .label = "Kind",
	  .description = "Where messages go", AT(store_logger, kind) },
	{ .name = "settings", .type = RESOURCE_OBJECT, .flags = RESOURCE_REQUIRED, .label = "Settings",
	  .description = "http: url, format, timeoutMs, headers; file: path, format, maxBytes; syslog: address, facility, appName, sdId",
	  .hints = logger_hint, .offset = RESOURCE_BY_HAND },
	{ .name = "secretHeaders", .type = RESOURCE_SECRET, .flags = RESOURCE_LINES | RESOURCE_NO_REF, .label = "Secret header fields",
	  .description = "JSON of header fields of http that nobody may read, as a text: {\"Authorization\": \"...\"}", .offset = RESOURCE_BY_HAND },
	FIELD_END,
};

static GH_RC logger_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct store_logger *rows;
	size_t n;

	TRY(store_loggers(s, a, true, &rows, &n, err));
	return pick_row(rows, n, sizeof(*rows), id, row, found);
}

static GH_RC logger_show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct store_logger *l = row;
	json_t *settings;

	TRY(jsn_parse_in(a, l->settings.n ? l->settings : STR("{}"), NULL, &settings, NULL, err));
	json_object_set(doc, "settings", settings);
	json_object_set_new(doc, "secretHeaders", resource_secret_shown(l->secrets.n > 0, STR_NULL));
	return GH_RC_OK;
}

static GH_RC logger_check(struct resource_put *p, struct gh_err *err)
{
	struct store_logger *l = p->row;
	struct str text;
	enum secret_given given = resource_secret(p->doc, "secretHeaders", &text);
	struct logger_settings checked;
	enum logger_kind kind;
	struct gh_err why;

	if (given == SECRET_REF)
		put_problem(p, "/secretHeaders", "takes no reference; give a text");
	if (given == SECRET_STAYS && jsn_get(p->doc, "secretHeaders") && !l->secrets.n)
		put_problem(p, "/secretHeaders", "there is nothing sealed yet; give a text");
	if (given != SECRET_STAYS)
		l->secrets = given == SECRET_TEXT ? text : STR_NULL;
	l->settings = jsn_text(p->a, jsn_get(p->doc, "settings"), 0);
	if (!logger_kind_parse(l->kind, &kind))
		return GH_RC_OK;
	return put_refused(p, "/settings", logger_settings_read(p->a, kind, l->settings, l->secrets, &checked, &why), &why, err);
}

static GH_RC logger_save(struct resource_put *p, struct gh_err *err)
{
	return store_logger_set(p->s, p->row, err);
}

static GH_RC logger_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_logger_delete(s, id, err);
}

static const struct resource_ops logger_ops = {
	.row_size = sizeof(struct store_logger), .store = STORE_RESOURCE_LOGGER, .find = logger_find, .show = logger_show,
	.check = logger_check, .save = logger_save, .drop = logger_drop,
};

const struct resource_kind kind_logger = {
	.name = "logger", .plural = "loggers", .title = "Logger", .description = "Where the policy log-to-eventhub sends its messages.",
	.area = RESOURCE_AREA_SETTINGS, .fields = logger_fields, .ops = &logger_ops, .filters = { { NULL } },
};
