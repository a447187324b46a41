/* recording.c - calls to paths, operations, parameters and schemas.
 *
 * The description grows in place as calls come in. Members that only count ("x-calls": how often an operation or parameter
 * was seen) are taken out at the end, when they have decided which parameters are required. */
#include "config/import/recording.h"

#include "config/import/sample_schema.h"
#include "core/http_status.h"
#include "core/str.h"

#include <stdio.h>

enum {
	OPERATIONS_MAX = 2000,
	SEGMENTS_MAX = 40,
	NAME_MAX = 200,
};

static const char calls_member[] = "x-calls";

struct recording {
	struct arena *arena;
	json_t *paths;                   /* template -> method -> operation */
	json_t *schemes;                 /* securitySchemes */
	size_t operations;
	struct str base;
};

struct recording *recording_new(struct arena *a)
{
	struct recording *r = arena_new_of(a, struct recording);

	if (!r)
		return NULL;
	r->arena = a;
	r->paths = jsn_keep(a, json_object());
	r->schemes = jsn_keep(a, json_object());
	return r->paths && r->schemes ? r : NULL;
}

size_t recording_operations(const struct recording *r)
{
	return r->operations;
}

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

static bool is_id(struct str s)
{
	size_t digits = 0, hex = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		digits += ascii_is_digit(c);
		hex += ascii_is_digit(c) || (c >= 'a' && c <= 'f') || c == '-';
	}
	return s.n > 0 && (digits == s.n || (s.n >= 16 && hex == s.n && digits > 0));
}

/* "orders" -> "orderId", "addresses" -> "addressId". */
static struct str id_name(struct arena *a, struct str before)
{
	struct str base = before;

	if (base.n > 4 && str_ends(base, STR("sses")))
		base.n -= 2;
	else if (base.n > 3 && str_ends(base, STR("ies")))
		return arena_printf(a, "%.*syId", STR_ARG(str_first(base, base.n - 3)));
	else if (base.n > 2 && base.p[base.n - 1] == 's' && base.p[base.n - 2] != 's')
		base.n--;
	return base.n && base.p[0] != '{' ? arena_printf(a, "%.*sId", STR_ARG(base)) : STR("id");
}

/* "{name}" and "{{name}}" without their braces. */
static struct str bare_name(struct str s)
{
	while (s.n > 2 && s.p[0] == '{' && s.p[s.n - 1] == '}')
		s = (struct str){ s.p + 1, s.n - 2 };
	return str_trim(s);
}

static bool name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-' || c == '.';
}

/* The name of a parameter: its letters, and a number when the path has it already. */
static struct str parameter_name(struct arena *a, json_t *taken, struct str wanted)
{
	char *to = arena_alloc_text(a, NAME_MAX + 1);
	struct str name = { to, 0 };

	if (!to)
		return STR_NULL;
	for (size_t i = 0; i < wanted.n && name.n < NAME_MAX; i++)
		to[name.n++] = name_char(wanted.p[i]) ? wanted.p[i] : '_';
	to[name.n] = '\0';
	if (name.n == 0)
		name = STR("id");
	for (unsigned i = 2; name.p && jsn_get_n(taken, name); i++)
		name = arena_printf(a, "%.*s%u", STR_ARG(wanted.n ? str_first((struct str){ to, wanted.n }, NAME_MAX) : STR("id")), i);
	if (name.p)
		json_object_set_new(taken, arena_cstr(a, name), json_true());
	return name;
}

/* "/orders/7" -> "/orders/{orderId}"; *parameters: the names, in an object, in their order. */
static GH_RC template_of(struct recording *r, struct str path, struct str *out, json_t *parameters, struct gh_err *err)
{
	struct buf b;
	struct str rest = str_from(path, path.n && path.p[0] == '/' ? 1 : 0), segment, before = STR_NULL;
	size_t n = 0;

	buf_init(&b, 8192);
	while (str_split(&rest, '/', &segment) && ++n <= SEGMENTS_MAX) {
		struct str wanted = STR_NULL;

		if (segment.n > 1 && segment.p[0] == ':')
			wanted = str_from(segment, 1);
		else if (segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}')
			wanted = bare_name(segment);
		else if (is_id(segment))
			wanted = id_name(r->arena, before);
		buf_char(&b, '/');
		if (wanted.p)
			wanted = parameter_name(r->arena, parameters, wanted);
		buf_fmt(&b, wanted.p ? "{%.*s}" : "%.*s", STR_ARG(wanted.p ? wanted : segment));
		before = segment;
	}
	*out = buf_ok(&b) && n <= SEGMENTS_MAX ? arena_dup(r->arena, b.n ? buf_view(&b) : STR("/")) : STR_NULL;
	buf_release(&b);
	if (!out->p)
		FAIL(err, LIMIT, "the path '%.*s…' is too long", STR_ARG(str_first(path, 80)));
	return GH_RC_OK;
}

/* ---- parts of an operation ---------------------------------------------------------------------------------------------- */

static void count_call(json_t *at)
{
	json_object_set_new(at, calls_member, json_integer(jsn_int(at, calls_member, 0) + 1));
}

static json_t *find_parameter(json_t *op, const char *in, struct str name)
{
	json_t *list = jsn_get(op, "parameters"), *p;
	size_t i;

	json_array_foreach(list, i, p)
		if (str_eq(jsn_str(p, "in"), str_of(in)) && str_eq(jsn_str(p, "name"), name))
			return p;
	if (!list) {
		list = json_array();
		json_object_set_new(op, "parameters", list);
	}
	p = json_pack("{s:s%, s:s}", "name", name.p, name.n, "in", in);
	json_array_append_new(list, p);
	return p;
}

static void add_parameter(json_t *op, const char *in, struct str name, struct str value)
{
	json_t *p;

	if (!utf8_valid(name) || name.n == 0)
		return;
	p = find_parameter(op, in, name);
	count_call(p);
	json_object_set_new(p, "schema", sample_schema_merge(json_incref(jsn_get(p, "schema")), value.n ? sample_schema_text(value) : NULL));
	if (!jsn_get(p, "schema"))
		json_object_set_new(p, "schema", json_pack("{s:s}", "type", "string"));
}

/* The kind of a credential becomes a scheme; false: the header is none. */
static bool add_scheme(struct recording *r, json_t *op, struct str name, struct str value, const char *in)
{
	static const char *const key_names[] = { "x-api-key", "api-key", "apikey", "api_key", "ocp-apim-subscription-key",
						 "subscription-key", "x-auth-token" };
	const char *key = NULL;
	json_t *scheme = NULL, *needs;

	if (str_eq_ci(name, STR("authorization"))) {
		bool basic = str_starts_ci(value, STR("basic "));

		key = basic ? "basic" : "bearer";
		scheme = json_pack("{s:s, s:s}", "type", "http", "scheme", key);
	}
	for (size_t i = 0; i < ARRAY_LEN(key_names) && !key; i++) {
		if (!str_eq_ci(name, str_of(key_names[i])))
			continue;
		key = strcmp(in, "query") == 0 ? "apiKeyInQuery" : "apiKey";
		scheme = json_pack("{s:s, s:s%, s:s}", "type", "apiKey", "name", name.p, name.n, "in", in);
	}
	if (!key)
		return false;
	if (!jsn_get(r->schemes, key))
		json_object_set(r->schemes, key, scheme);
	json_decref(scheme);
	needs = jsn_get(op, "security");
	if (!needs) {
		needs = json_pack("[{}]");
		json_object_set_new(op, "security", needs);
	}
	json_object_set_new(json_array_get(needs, 0), key, json_array());
	return true;
}

/* Fields of HTTP that say something to the service, and those that clients send by themselves. */
static bool is_parameter(struct str name, bool documented)
{
	static const char *const meant[] = { "idempotency-key", "if-match", "prefer" };
	static const char *const by_itself[] = { "accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "content-type",
						 "cookie", "host", "origin", "pragma", "postman-token", "referer", "user-agent" };

	if (!utf8_valid(name) || name.n == 0 || name.p[0] == ':')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(meant); i++)
		if (str_eq_ci(name, str_of(meant[i])))
			return true;
	for (size_t i = 0; documented && i < ARRAY_LEN(by_itself); i++)
		if (str_eq_ci(name, str_of(by_itself[i])))
			return false;
	return documented || str_starts_ci(name, STR("x-"));
}

static void add_headers(struct recording *r, json_t *op, const struct recorded_call *call)
{
	static const char *const passed[] = { "x-requested-with", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
					      "x-real-ip", "x-request-id", "x-correlation-id", "x-csrf-token", "x-xsrf-token",
					      "x-client-data" };

	for (size_t i = 0; i < call->n_headers; i++) {
		struct str name = call->headers[i].name;
		bool skip = !is_parameter(name, call->documented);

		if (add_scheme(r, op, name, call->headers[i].value, "header"))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(passed) && !skip; k++)
			skip = str_eq_ci(name, str_of(passed[k]));
		if (!skip)
			add_parameter(op, "header", name, call->headers[i].value);
	}
}

/* "application/json; charset=utf-8" without its parameters. */
static const char *bare_type(struct arena *a, struct str type)
{
	struct str bare = str_trim(str_first(type, str_find_char(type, ';')));

	return bare.n && utf8_valid(bare) ? arena_cstr(a, bare) : NULL;
}

static bool is_json(const char *type)
{
	struct str t = str_of(type);

	return str_ends(t, STR("/json")) || str_ends(t, STR("+json"));
}

/* NULL: nothing is known, as with a text that is no JSON although it says so. */
static json_t *schema_of_body(const char *type, struct str body)
{
	const struct jsn_limits limits = { .flags = JSN_BIG_INTEGERS | JSN_ANY };
	struct gh_err ignored;
	json_t *v, *schema;

	if (!is_json(type) || body.n == 0 || jsn_parse(body, &limits, &v, NULL, &ignored).code)
		return NULL;
	schema = sample_schema(v);
	json_decref(v);
	return schema;
}

static json_t *schema_of_form(const struct recorded_call *call)
{
	json_t *properties = json_object();

	for (size_t i = 0; i < call->n_form; i++)
		if (utf8_valid(call->form[i].name))
			json_object_setn_new(properties, call->form[i].name.p, call->form[i].name.n, sample_schema_text(call->form[i].value));
	return json_pack("{s:s, s:o}", "type", "object", "properties", properties);
}

static void add_content(json_t *to, const char *type, json_t *schema)
{
	json_t *content = jsn_get(to, "content"), *media;

	if (!content) {
		content = json_object();
		json_object_set_new(to, "content", content);
	}
	media = jsn_get(content, type);
	if (!media) {
		media = json_object();
		json_object_set_new(content, type, media);
	}
	if (schema)
		json_object_set_new(media, "schema", sample_schema_merge(json_incref(jsn_get(media, "schema")), schema));
}

static void add_bodies(struct recording *r, json_t *op, const struct recorded_call *call)
{
	const char *type = bare_type(r->arena, call->body_type), *answer = bare_type(r->arena, call->answer_type);
	json_t *responses = jsn_get(op, "responses"), *response;
	char status[8];

	if (type) {
		json_t *body = jsn_get(op, "requestBody");

		if (!body) {
			body = json_object();
			json_object_set_new(op, "requestBody", body);
		}
		add_content(body, type, call->n_form ? schema_of_form(call) : schema_of_body(type, call->body));
	}
	if (call->status < 100 || call->status > 599 || call->status == 304)
		return;
	snprintf(status, sizeof(status), "%d", call->status);
	response = jsn_get(responses, status);
	if (!response) {
		struct str reason = http_reason(call->status);

		response = json_pack("{s:s%}", "description", reason.n ? reason.p : "An answer", reason.n ? reason.n : 9u);
		json_object_set_new(responses, status, response);
	}
	if (answer && call->answer.n)
		add_content(response, answer, schema_of_body(answer, call->answer));
}

/* ---- operations ----------------------------------------------------------------------------------------------------------- */

static struct str operation_name(struct arena *a, struct str method, struct str path)
{
	struct buf b;
	struct str out;
	bool up = true;

	buf_init(&b, NAME_MAX);
	for (size_t i = 0; i < method.n; i++)
		buf_char(&b, ascii_lower(method.p[i]));
	for (size_t i = 0; i < path.n && b.n < NAME_MAX - 8; i++) {
		char c = path.p[i];
		bool keep = ascii_is_alpha(c) || ascii_is_digit(c);

		if (c == '{')
			buf_cstr(&b, "By");
		if (keep)
			buf_char(&b, up ? ascii_upper(c) : c);
		up = !keep;
	}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

static json_t *new_operation(struct recording *r, const struct recorded_call *call, const json_t *parameters)
{
	json_t *op = json_object(), *ignored;
	const char *name;

	if (!op)
		return NULL;
	if (call->name.n && utf8_valid(call->name))
		json_object_set_new(op, "summary", json_stringn(call->name.p, call->name.n));
	if (call->description.n && utf8_valid(call->description))
		json_object_set_new(op, "description", json_stringn(call->description.p, call->description.n));
	if (call->tag)
		json_object_set_new(op, "tags", json_pack("[s]", call->tag));
	json_object_foreach((json_t *)(uintptr_t)parameters, name, ignored) {
		json_t *p = find_parameter(op, "path", str_of(name));

		json_object_set_new(p, "required", json_true());
		json_object_set_new(p, "schema", json_pack("{s:s}", "type", "string"));
	}
	json_object_set_new(op, "responses", json_object());
	r->operations++;
	return op;
}

GH_RC recording_add(struct recording *r, const struct recorded_call *call, struct gh_err *err)
{
	json_t *parameters = jsn_keep(r->arena, json_object()), *item, *op;
	char method[16];
	struct str path;

	if (call->method.n == 0 || call->method.n >= sizeof(method) || !utf8_valid(call->path))
		FAIL(err, INVALID, "'%.*s' is no method, or the path is no text", STR_ARG(str_first(call->method, 20)));
	for (size_t i = 0; i <= call->method.n; i++)
		method[i] = i < call->method.n ? ascii_lower(call->method.p[i]) : '\0';
	TRY(template_of(r, call->path, &path, parameters, err));
	if (r->base.n == 0 && call->base.n)
		r->base = arena_dup(r->arena, call->base);
	item = jsn_get(r->paths, path.p);
	op = jsn_get(item, method);
	if (!op && r->operations == OPERATIONS_MAX)
		FAIL(err, LIMIT, "more than %d different operations", OPERATIONS_MAX);
	if (!item) {
		item = json_object();
		json_object_set_new(r->paths, path.p, item);
	}
	if (!op) {
		op = new_operation(r, call, parameters);
		if (!op || json_object_set_new(item, method, op))
			FAIL(err, NOMEM, "operations");
	}
	if (!call->again) {
		count_call(op);
		for (size_t i = 0; i < call->n_query; i++)
			if (!add_scheme(r, op, call->query[i].name, call->query[i].value, "query"))
				add_parameter(op, "query", call->query[i].name, call->query[i].value);
		add_headers(r, op, call);
	}
	add_bodies(r, op, call);
	return GH_RC_OK;
}

/* ---- the end -------------------------------------------------------------------------------------------------------------- */

static bool is_prefix_word(struct str s)
{
	if (str_eq_ci(s, STR("api")) || str_eq_ci(s, STR("rest")) || str_eq_ci(s, STR("public")))
		return true;
	return s.n >= 2 && s.n <= 6 && ascii_lower(s.p[0]) == 'v' && ascii_is_digit(s.p[1]);
}

/* "/api/v1" when every path begins with it: such words belong to the server, not to the operations. */
static struct str common_prefix(json_t *paths)
{
	struct str prefix = STR_NULL;
	const char *path;
	json_t *item;

	json_object_foreach(paths, path, item) {
		struct str rest = str_from(str_of(path), 1), segment;
		size_t n = 0;

		while (str_split(&rest, '/', &segment) && rest.p && is_prefix_word(segment))
			n += 1 + segment.n;
		if (!prefix.p)
			prefix = str_first(str_of(path), n);
		while (prefix.n && !(n >= prefix.n && str_starts(str_of(path), prefix))) {
			size_t cut = str_rfind_char(prefix, '/');

			prefix.n = cut == SIZE_MAX ? 0 : cut;
		}
	}
	return prefix;
}

/* The operation in the order in which descriptions are read. New reference. */
static json_t *finish(struct recording *r, struct str method, struct str path, json_t *op)
{
	static const char *const order[] = { "summary", "description", "tags", "parameters", "requestBody", "responses", "security" };
	struct str id = operation_name(r->arena, method, path);
	json_t *out = json_pack("{s:s%}", "operationId", id.p, id.n), *p;
	json_int_t calls = jsn_int(op, calls_member, 0);
	size_t i;

	json_array_foreach(jsn_get(op, "parameters"), i, p) {
		if (str_eq(jsn_str(p, "in"), STR("query")) && jsn_int(p, calls_member, 0) == calls && calls > 1)
			json_object_set_new(p, "required", json_true());
		json_object_del(p, calls_member);
	}
	if (json_object_size(jsn_get(op, "responses")) == 0)
		json_object_set_new(jsn_get(op, "responses"), "default", json_pack("{s:s}", "description", "The answer"));
	for (i = 0; i < ARRAY_LEN(order); i++)
		if (jsn_get(op, order[i]))
			json_object_set(out, order[i], jsn_get(op, order[i]));
	return out;
}

GH_RC recording_openapi(struct recording *r, struct str title, struct str description, json_t **out, struct str *server,
			struct gh_err *err)
{
	struct str prefix = common_prefix(r->paths);
	json_t *paths = json_object(), *item, *op, *doc;
	const char *path, *method;

	json_object_foreach(r->paths, path, item) {
		json_t *to = json_object();

		json_object_foreach(item, method, op)
			json_object_set_new(to, method, finish(r, str_of(method), str_of(path + prefix.n), op));
		json_object_set_new(paths, path + prefix.n, to);
	}
	*server = arena_printf(r->arena, "%.*s%.*s", STR_ARG(r->base), STR_ARG(prefix));
	doc = json_pack("{s:s, s:{s:s%, s:s}, s:[{s:s}], s:o}", "openapi", "3.1.0", "info", "title", title.p ? title.p : "", title.n,
			"version", "1.0", "servers", "url", server->p && server->n ? server->p : "/", "paths", paths);
	if (doc && description.n && utf8_valid(description))
		json_object_set_new(jsn_get(doc, "info"), "description", json_stringn(description.p, description.n));
	if (doc && json_object_size(r->schemes))
		json_object_set_new(doc, "components", json_pack("{s:O}", "securitySchemes", r->schemes));
	*out = jsn_keep(r->arena, doc);
	if (!*out || !server->p)
		FAIL(err, NOMEM, "description");
	return GH_RC_OK;
}
