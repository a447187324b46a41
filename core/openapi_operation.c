/* openapi_operation.c - paths, operations, request bodies and responses. */
#include "core/openapi_read.h"

#include "core/str.h"

static const char *const methods[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace", "query" };
static const char *const method_names[] = { "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY" };

/* ---- bodies and responses ------------------------------------------------------------------------------------------- */

void read_content(struct reader *r, json_t *content, const struct openapi_media **media, size_t *n)
{
	static const char *const known[] = { "schema", "example", "examples", "encoding", "itemSchema", "itemEncoding",
					     "prefixEncoding", NULL };
	struct openapi_media *out = TAKE(r, json_object_size(content), struct openapi_media);
	const char *type;
	json_t *m;

	*n = 0;
	if (!out)
		return;
	json_object_foreach(content, type, m) {
		size_t before = at_enter(r, str_of(type));
		struct openapi_media *to = &out[*n];

		if (json_is_object(m)) {
			m = deref(r, m);
			warn_unknown(r, m, known);
			to->type = str_of(type);
			to->schema = jsn_get(m, "schema");
			to->encoding = jsn_obj(m, "encoding");
			read_examples(r, m, &to->examples, &to->n_examples);
			++*n;
		} else {
			warn(r, "a media type is an object, not %s", jsn_type_name(m));
		}
		at_leave(r, before);
	}
	*media = out;
}

static void read_body(struct reader *r, json_t *v, struct openapi_operation *op)
{
	static const char *const known[] = { "description", "content", "required", "$ref", NULL };
	struct openapi_body *body;
	size_t before, inner;

	if (!v)
		return;
	before = at_enter(r, STR("requestBody"));
	v = deref(r, v);
	body = v ? TAKE(r, 1, struct openapi_body) : NULL;
	if (body) {
		warn_unknown(r, v, known);
		body->description = read_text(r, v, "description");
		body->required = jsn_bool(v, "required", false);
		inner = at_enter(r, STR("content"));
		read_content(r, jsn_obj(v, "content"), &body->media, &body->n_media);
		at_leave(r, inner);
		op->body = body;
	}
	at_leave(r, before);
}

static void read_response(struct reader *r, json_t *operation, json_t *v, struct openapi_response *out)
{
	static const char *const known[] = { "description", "headers", "content", "links", "summary", "schema", "examples",
					     "$ref", NULL };
	json_t *headers = jsn_obj(v, "headers"), *header;
	struct openapi_parameter *to = TAKE(r, json_object_size(headers), struct openapi_parameter);
	const char *name;
	size_t before;

	warn_unknown(r, v, known);
	out->description = read_text(r, v, "description");
	if (r->o->dialect == OPENAPI_2_0) {
		v2_response(r, operation, v, out);
	} else {
		before = at_enter(r, STR("content"));
		read_content(r, jsn_obj(v, "content"), &out->media, &out->n_media);
		at_leave(r, before);
	}
	if (!to)
		return;
	json_object_foreach(headers, name, header) {
		size_t inner;

		before = at_enter(r, STR("headers"));
		inner = at_enter(r, str_of(name));
		header = deref(r, header);
		if (header)
			read_header(r, str_of(name), header, &to[out->n_headers++]);
		at_leave(r, inner);
		at_leave(r, before);
	}
	out->headers = to;
}

static bool is_status(struct str s)
{
	if (str_eq(s, STR("default")))
		return true;
	if (s.n != 3 || s.p[0] < '1' || s.p[0] > '5')
		return false;
	return (ascii_is_digit(s.p[1]) && ascii_is_digit(s.p[2])) || str_eq_ci(str_from(s, 1), STR("XX"));
}

static void read_responses(struct reader *r, json_t *operation, struct openapi_operation *op)
{
	json_t *responses = jsn_obj(operation, "responses"), *v;
	struct openapi_response *out = TAKE(r, json_object_size(responses), struct openapi_response);
	size_t before = at_enter(r, STR("responses"));
	const char *status;

	json_object_foreach(responses, status, v) {
		size_t inner = at_enter(r, str_of(status));

		if (!out || (status[0] == 'x' && status[1] == '-')) {
			at_leave(r, inner);
			continue;
		}
		if (!is_status(str_of(status)))
			warn(r, "'%.40s' is no status", status);
		v = deref(r, v);
		if (v) {
			out[op->n_responses].status = str_of(status);
			read_response(r, operation, v, &out[op->n_responses++]);
		}
		at_leave(r, inner);
	}
	op->responses = out;
	at_leave(r, before);
}

/* ---- operations ----------------------------------------------------------------------------------------------------- */

static bool route_key(struct reader *r, const struct openapi_operation *op, struct str *key)
{
	char *to = arena_alloc_text(r->a, op->method.n + op->path.n + 1);
	size_t n = 0;
	bool inside = false;

	if (!to) {
		r->failed = true;
		return false;
	}
	for (size_t i = 0; i < op->method.n; i++)
		to[n++] = op->method.p[i];
	to[n++] = ' ';
	for (size_t i = 0; i < op->path.n; i++) {
		char c = op->path.p[i];

		if (c == '}')
			inside = false;
		if (!inside)
			to[n++] = c;
		if (c == '{')
			inside = true;
	}
	*key = (struct str){ to, n };
	return true;
}

/* Variables of the template without a declared parameter, and braces that do not pair. */
static void check_template(struct reader *r, const struct openapi_operation *op)
{
	size_t open = SIZE_MAX;

	if (op->path.n == 0 || op->path.p[0] != '/')
		warn(r, "the path '%.*s' does not begin with '/'", STR_ARG(str_first(op->path, 200)));
	if (str_find_char(op->path, '#') != SIZE_MAX)
		warn(r, "no client sends what stands behind '#' in a path; only the part before it counts");
	for (size_t i = 0; i < op->path.n; i++) {
		char c = op->path.p[i];

		if ((c == '{' && open != SIZE_MAX) || (c == '}' && open == SIZE_MAX)) {
			warn(r, "braces do not pair in the path '%.*s'", STR_ARG(str_first(op->path, 200)));
			return;
		}
		if (c == '{') {
			open = i;
		} else if (c == '}') {
			struct str name = { op->path.p + open + 1, i - open - 1 };

			if (name.n > 0 && name.p[0] == '+')
				name = str_from(name, 1);
			if (!openapi_parameter(op, OPENAPI_PATH, name) && !openapi_parameter(op, OPENAPI_QUERY, name))
				warn(r, "the path variable '%.*s' is not described by a parameter", STR_ARG(str_first(name, 100)));
			open = SIZE_MAX;
		}
	}
	if (open != SIZE_MAX)
		warn(r, "braces do not pair in the path '%.*s'", STR_ARG(str_first(op->path, 200)));
}

static void index_operation(struct reader *r, struct openapi_operation *op)
{
	struct openapi *o = r->o;
	struct str key;

	if (!route_key(r, op, &key))
		return;
	if (map_get(&o->by_route, key))
		warn(r, "another operation has the same method and path");
	else if (!map_put(&o->by_route, key, op))
		r->failed = true;
	if (op->id.n == 0)
		return;
	if (map_get(&o->by_id, op->id))
		warn(r, "another operation has the operationId '%.*s' too", STR_ARG(str_first(op->id, 100)));
	else if (!map_put(&o->by_id, op->id, op))
		r->failed = true;
}

static void read_operation(struct reader *r, json_t *path_item, json_t *v, struct openapi_operation *op)
{
	static const char *const known[] = { "tags", "summary", "description", "externalDocs", "operationId", "parameters",
					     "requestBody", "responses", "callbacks", "deprecated", "security", "servers",
					     "consumes", "produces", "schemes", NULL };

	warn_unknown(r, v, known);
	op->raw = v;
	op->id = read_text(r, v, "operationId");
	op->summary = read_text(r, v, "summary");
	op->description = read_text(r, v, "description");
	op->deprecated = jsn_bool(v, "deprecated", false);
	op->tags = read_texts(r, jsn_get(v, "tags"), &op->n_tags);
	read_parameters(r, path_item, v, op);
	if (r->o->dialect == OPENAPI_2_0)
		v2_body(r, path_item, v, op);
	else
		read_body(r, jsn_get(v, "requestBody"), op);
	read_responses(r, v, op);
	read_security(r, jsn_get(v, "security") ? v : r->o->root, &op->security, &op->n_security);
	if (r->o->dialect != OPENAPI_2_0)
		read_servers(r, jsn_arr(v, "servers") ? v : path_item, &op->servers, &op->n_servers);
	check_template(r, op);
	index_operation(r, op);
}

static bool is_method(const char *name, size_t *which)
{
	for (*which = 0; *which < ARRAY_LEN(methods); ++*which)
		if (strcmp(methods[*which], name) == 0)
			return true;
	return false;
}

static void read_path(struct reader *r, struct str path, json_t *item, struct openapi_operation *out, size_t *n)
{
	static const char *const known[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
					     "summary", "description", "servers", "parameters", "$ref", NULL };
	const char *name;
	json_t *v;
	size_t which;

	item = deref(r, item);
	if (!item)
		return;
	warn_unknown(r, item, known);
	json_object_foreach(item, name, v) {
		size_t before = at_enter(r, str_of(name));

		if (is_method(name, &which) && !json_is_object(v)) {
			warn(r, "an operation is an object, not %s", jsn_type_name(v));
		} else if (is_method(name, &which)) {
			out[*n].method = str_of(method_names[which]);
			out[*n].path = path;
			read_operation(r, item, v, &out[(*n)++]);
		}
		at_leave(r, before);
	}
}

void read_paths(struct reader *r, json_t *paths)
{
	struct openapi_operation *out;
	const char *path;
	json_t *item;
	size_t most = 0;

	json_object_foreach(paths, path, item) {
		json_t *target = openapi_resolve(r->o, item);

		most += json_is_object(target) ? json_object_size(target) : 0;
	}
	if (most > (size_t)OPENAPI_MAX_OPERATIONS * 4) {
		r->failed = true;
		return;
	}
	out = TAKE(r, most, struct openapi_operation);
	if (!out)
		return;
	r->o->operations = out;
	json_object_foreach(paths, path, item) {
		size_t before = at_enter(r, str_of(path));

		if (path[0] != 'x' || path[1] != '-')
			read_path(r, str_of(path), item, out, &r->o->n_operations);
		at_leave(r, before);
	}
	if (r->o->n_operations > OPENAPI_MAX_OPERATIONS)
		r->failed = true;
}
