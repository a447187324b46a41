/* postman.c - a Postman collection (https://schema.postman.com/json/collection/v2.1.0/) as a first description.
 *
 * Folders become tags, requests operations, saved answers responses. Variables of the collection stand for their values in
 * addresses; an unknown one in the path becomes a parameter, in the host it leaves the server open. */
#include "config/import/describe.h"
#include "config/import/recording.h"
#include "core/str.h"
#include "core/uri.h"

enum { FOLDERS_MAX = 20, FIELDS_MAX = 300, TEXT_MAX = 8192, ROUNDS_MAX = 5 };

struct postman {
	struct arena *arena;
	struct import_report *report;
	struct recording *rec;
	json_t *variables;               /* list of {key, value} */
	size_t requests, scripts;
	struct str base;                 /* of the first request that names one */
	struct recorded_pair *room;
	json_t *told;                    /* {"auth digest": true}: rows that stand once */
};

/* Whether it is the first time. */
static bool once(struct postman *p, struct str what)
{
	if (jsn_get_n(p->told, what))
		return false;
	json_object_setn_new(p->told, what.p, what.n, json_true());
	return true;
}

static struct str variable(const struct postman *p, struct str name)
{
	size_t i;
	json_t *v;

	json_array_foreach(p->variables, i, v) {
		struct str key = jsn_str(v, "key");

		if (str_eq(key.n ? key : jsn_str(v, "id"), name))
			return jsn_str(v, "value");
	}
	return STR_NULL;
}

/* {{name}} by its value, as often as values name variables in turn. */
static struct str expand(const struct postman *p, struct str s)
{
	for (unsigned round = 0; round < ROUNDS_MAX && str_find(s, STR("{{")) != SIZE_MAX; round++) {
		struct str rest = s;
		struct buf b;
		size_t at;

		buf_init(&b, TEXT_MAX);
		while ((at = str_find(rest, STR("{{"))) != SIZE_MAX) {
			struct str name = str_from(rest, at + 2), value;
			size_t end = str_find(name, STR("}}"));

			if (end == SIZE_MAX)
				break;
			buf_str(&b, str_first(rest, at));
			value = variable(p, str_trim(str_first(name, end)));
			buf_str(&b, value.p ? value : str_first(str_from(rest, at), end + 4));
			rest = str_from(name, end + 2);
		}
		buf_str(&b, rest);
		s = buf_ok(&b) ? arena_dup(p->arena, buf_view(&b)) : STR_NULL;
		buf_release(&b);
	}
	return s;
}

/* A description is a text or {"content"}. */
static struct str text_of(const json_t *v)
{
	return json_is_string(v) ? jsn_string(v) : jsn_str(v, "content");
}

/* What is switched off is still a parameter of the address that there is (`all`), but nothing of a header or body. */
static size_t pairs(const struct postman *p, const json_t *list, bool all, struct recorded_pair *to)
{
	size_t n = 0, i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (n < FIELDS_MAX && (all || !jsn_bool(v, "disabled", false)))
			to[n++] = (struct recorded_pair){ jsn_str(v, "key"), expand(p, jsn_str(v, "value")) };
	return n;
}

static void add_body(const struct postman *p, const json_t *body, struct recorded_call *call)
{
	struct str mode = jsn_str(body, "mode"), language = jsn_str(jsn_get(jsn_get(body, "options"), "raw"), "language");

	if (str_eq(mode, STR("raw"))) {
		call->body = jsn_str(body, "raw");
		for (size_t i = 0; i < call->n_headers; i++)
			if (str_eq_ci(call->headers[i].name, STR("content-type")))
				call->body_type = call->headers[i].value;
		if (!call->body_type.n && call->body.n)
			call->body_type = str_eq(language, STR("xml")) ? STR("application/xml") :
				str_eq(language, STR("json")) || str_starts(str_trim(call->body), STR("{")) ? STR("application/json") :
				STR("text/plain");
	} else if (str_eq(mode, STR("urlencoded")) || str_eq(mode, STR("formdata"))) {
		call->body_type = str_eq(mode, STR("formdata")) ? STR("multipart/form-data") : STR("application/x-www-form-urlencoded");
		call->form = p->room + 2 * FIELDS_MAX;
		call->n_form = pairs(p, jsn_get(body, mode.p), false, p->room + 2 * FIELDS_MAX);
	} else if (str_eq(mode, STR("graphql"))) {
		call->body_type = STR("application/json");
		call->body = STR("{\"query\": \"\", \"variables\": {}}");
	} else if (str_eq(mode, STR("file"))) {
		call->body_type = STR("application/octet-stream");
	}
}

/* The kind of sign-in as the header it makes, so that the description names it. */
static void add_auth(struct postman *p, const json_t *auth, struct recorded_call *call, struct recorded_pair *headers)
{
	struct str type = jsn_str(auth, "type"), name = STR("X-API-Key");
	size_t i;
	json_t *v;

	if (call->n_headers == FIELDS_MAX)
		return;
	if (str_eq(type, STR("bearer")) || str_eq(type, STR("oauth2")) || str_eq(type, STR("jwt")))
		headers[call->n_headers++] = (struct recorded_pair){ STR("Authorization"), STR("Bearer ") };
	else if (str_eq(type, STR("basic")))
		headers[call->n_headers++] = (struct recorded_pair){ STR("Authorization"), STR("Basic ") };
	else if (type.n && !str_eq(type, STR("apikey")) && !str_eq(type, STR("noauth")) && once(p, arena_printf(p->arena, "sign-in %.*s", STR_ARG(type))))
		import_not_possible(p->report, arena_printf(p->arena, "sign-in %.*s", STR_ARG(type)), "the description does not say it; who may call is said with "
				    "gatehouse access set");
	if (!str_eq(type, STR("apikey")))
		return;
	json_array_foreach(jsn_get(auth, "apikey"), i, v)
		if (str_eq(jsn_str(v, "key"), STR("key")) && jsn_str(v, "value").n)
			name = jsn_str(v, "value");
	headers[call->n_headers++] = (struct recorded_pair){ name, STR_NULL };
}

/* "https://host/path?query" of a text that may hold variables, which no reader of addresses takes. */
static void split_address(struct postman *p, struct str raw, struct recorded_call *call)
{
	size_t at = str_find(raw, STR("://")), slash, end;
	struct str rest = at == SIZE_MAX ? raw : str_from(raw, at + 3);

	end = str_find_char(rest, '?');
	rest = str_first(rest, end);
	rest = str_first(rest, str_find_char(rest, '#'));
	slash = str_find_char(rest, '/');
	call->path = slash == SIZE_MAX ? STR("/") : str_from(rest, slash);
	if (str_find(str_first(rest, slash), STR("{{")) != SIZE_MAX) {
		struct str host = str_first(rest, slash);

		if (once(p, host))
			import_approximated(p->report, host, "this variable has no value in the collection; where calls go is said with --backend");
		return;
	}
	call->base = arena_printf(p->arena, "%.*s://%.*s", STR_ARG(at == SIZE_MAX ? STR("https") : str_first(raw, at)),
				  STR_ARG(str_first(rest, slash)));
	if (!p->base.n)
		p->base = call->base;
	else if (!str_eq(p->base, call->base) && once(p, call->base))
		import_approximated(p->report, call->base, "requests to it are operations beside those to %.*s, and go to the API's backend: say otherwise with "
				    "<set-backend-service> in their policies", STR_ARG(p->base));
}

static size_t add_query(struct postman *p, const json_t *url, struct str raw, struct recorded_pair *to)
{
	struct str query, name, value;
	size_t n = 0, at;

	if (json_is_object(url) && jsn_arr(url, "query"))
		return pairs(p, jsn_get(url, "query"), true, to);
	at = str_find_char(raw, '?');
	if (at == SIZE_MAX)
		return 0;
	query = str_from(raw, at + 1);
	while (n < FIELDS_MAX && uri_query_next(&query, &name, &value))
		to[n++] = (struct recorded_pair){ name, value };
	return n;
}

/* What of a request and of the item around it is not in the description. */
static void tell(struct postman *p, const json_t *item, const json_t *request, const struct recorded_call *call)
{
	static const struct import_field of_item[] = {
		{ "id", NULL, NULL }, { "uid", NULL, NULL }, { "_postman_id", NULL, NULL }, { "name", NULL, NULL }, { "request", NULL, NULL }, { "response", NULL, NULL },
		{ "event", NULL, NULL }, { "description", NULL, NULL }, { "protocolProfileBehavior", NULL, NULL },
		{ "variable", "variables of one request; put their values into its address", NULL }, { NULL, NULL, NULL },
	}, of_request[] = {
		{ "method", NULL, NULL }, { "url", NULL, NULL }, { "header", NULL, NULL }, { "body", NULL, NULL }, { "auth", NULL, NULL }, { "description", NULL, NULL },
		{ "proxy", "how the client reaches the network; for the way to the backend there is the policy <proxy>", NULL },
		{ "certificate", "a certificate of the client; who must show one is said with gatehouse access set", NULL }, { NULL, NULL, NULL },
	};
	struct str what = arena_printf(p->arena, "request %.*s", STR_ARG(call->name)), mode = jsn_str(jsn_get(request, "body"), "mode");

	import_fields(p->report, item, what, of_item);
	import_fields(p->report, request, what, of_request);
	if (str_eq(mode, STR("graphql")))
		import_approximated(p->report, what, "GraphQL: the description has a query and variables as a body, not what may be asked");
	else if (mode.n && !call->body_type.n && !str_eq(mode, STR("raw")))
		import_not_possible(p->report, what, "a body of the kind %.*s", STR_ARG(mode));
}

static GH_RC add_request(struct postman *p, const json_t *item, const char *tag, const json_t *auth, struct gh_err *err)
{
	const json_t *request = jsn_get(item, "request"), *url = jsn_get(request, "url"), *answers = jsn_get(item, "response");
	struct str raw = json_is_string(request) ? jsn_string(request) : json_is_string(url) ? jsn_string(url) : jsn_str(url, "raw");
	struct recorded_call call = { .method = jsn_str(request, "method"), .tag = tag, .name = jsn_str(item, "name"), .documented = true };
	size_t n = json_array_size(answers);

	if (!call.method.n)
		call.method = STR("GET");
	raw = expand(p, raw);
	if (!raw.n) {
		import_not_possible(p->report, arena_printf(p->arena, "request %.*s", STR_ARG(call.name)), "it has no address");
		return GH_RC_OK;
	}
	split_address(p, raw, &call);
	call.description = text_of(jsn_get(request, "description"));
	call.query = p->room;
	call.n_query = add_query(p, url, raw, p->room);
	call.headers = p->room + FIELDS_MAX;
	call.n_headers = pairs(p, jsn_get(request, "header"), false, p->room + FIELDS_MAX);
	add_auth(p, jsn_get(request, "auth") ? jsn_get(request, "auth") : auth, &call, p->room + FIELDS_MAX);
	add_body(p, jsn_get(request, "body"), &call);
	tell(p, item, request, &call);
	p->requests++;
	for (size_t i = 0; i < n || i == 0; i++) {
		const json_t *answer = json_array_get(answers, i), *header;
		size_t k;

		call.again = i > 0;
		call.status = (int)jsn_int(answer, "code", 0);
		call.answer = jsn_str(answer, "body");
		call.answer_type = call.answer.n ? STR("application/json") : STR_NULL;
		json_array_foreach(jsn_get(answer, "header"), k, header)
			if (str_eq_ci(jsn_str(header, "key"), STR("content-type")))
				call.answer_type = jsn_str(header, "value");
		TRY(recording_add(p->rec, &call, err));
	}
	return GH_RC_OK;
}

static GH_RC add_items(struct postman *p, const json_t *items, const char *tag, const json_t *auth, unsigned depth, struct gh_err *err)
{
	size_t i;
	json_t *item;

	if (depth == 0)
		FAIL(err, LIMIT, "folders are nested more than %d levels deep", FOLDERS_MAX);
	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const json_t *own = jsn_get(item, "auth");

		p->scripts += jsn_get(item, "event") != NULL;
		if (jsn_arr(item, "item"))
			TRY(add_items(p, jsn_get(item, "item"), tag ? tag : json_string_value(jsn_get(item, "name")), own ? own : auth,
				      depth - 1, err));
		else
			TRY(add_request(p, item, tag, own ? own : auth, err));
	}
	return GH_RC_OK;
}

GH_RC import_postman(struct arena *a, struct str text, struct import_report *r, struct described *out, struct text_where *where,
		     struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = IMPORT_FILE_MAX, .flags = JSN_BIG_INTEGERS };
	struct postman p = { .arena = a, .report = r, .rec = recording_new(a),
			     .room = arena_alloc(a, (size_t)3 * FIELDS_MAX + 1, sizeof(*p.room)), .told = jsn_keep(a, json_object()) };
	static const struct import_field of_collection[] = {
		{ "info", NULL, NULL }, { "item", NULL, NULL }, { "event", NULL, NULL }, { "variable", NULL, NULL }, { "auth", NULL, NULL },
		{ "protocolProfileBehavior", NULL, NULL }, { NULL, NULL, NULL },
	};
	json_t *doc, *info;

	if (!p.rec || !p.room || !p.told)
		FAIL(err, NOMEM, "collection");
	TRY(jsn_parse_in(a, import_text(text), &limits, &doc, where, err));
	*where = (struct text_where){ 1, 1 };
	if (jsn_obj(doc, "collection"))                          /* as the API of Postman hands it out */
		doc = jsn_get(doc, "collection");
	info = jsn_obj(doc, "info");
	if (!info || !jsn_arr(doc, "item"))
		FAIL(err, INVALID, "this is no Postman collection of format 2: it has no info and item; export it as \"Collection v2.1\"");
	p.variables = jsn_get(doc, "variable");
	p.scripts = jsn_get(doc, "event") != NULL;
	TRY(add_items(&p, jsn_get(doc, "item"), NULL, jsn_get(doc, "auth"), FOLDERS_MAX, err));
	if (recording_operations(p.rec) == 0)
		FAIL(err, INVALID, "the collection has no request");
	import_fields(r, doc, STR("collection"), of_collection);
	import_taken(r, "request", p.requests);
	import_taken(r, "operation", recording_operations(p.rec));
	if (p.scripts)
		import_not_possible(r, arena_printf(a, "scripts of %zu item%s", p.scripts, p.scripts == 1 ? "" : "s"), "scripts before and after a request are "
				    "tests of a client; `gatehouse policy test` is for those of policies");
	import_approximated(r, STR("schemas"), "they describe the bodies that were written down; values and credentials are not kept");
	out->title = jsn_str(info, "name").n ? jsn_str(info, "name") : STR("collection");
	return recording_openapi(p.rec, out->title, text_of(jsn_get(info, "description")), &out->openapi, &out->server, err);
}
