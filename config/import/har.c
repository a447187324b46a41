/* har.c - a recording of a browser or a proxy (http://www.softwareishard.com/blog/har-12-spec/) as a first description. */
#include "config/import/describe.h"
#include "config/import/recording.h"
#include "core/crypto.h"
#include "core/str.h"
#include "core/uri.h"

enum { HOSTS_MAX = 1000, FIELDS_MAX = 500 };

struct har {
	struct arena *arena;
	struct import_report *report;
	json_t *entries;
	struct str host;
};

static bool carries_data(const json_t *entry)
{
	static const char *const types[] = { "json", "xml", "x-www-form-urlencoded", "grpc", "csv", "event-stream" };
	const json_t *request = jsn_get(entry, "request"), *response = jsn_get(entry, "response");
	struct str answer = jsn_str(jsn_get(response, "content"), "mimeType"), kind = jsn_str(entry, "_resourceType");
	struct str sent = jsn_str(jsn_get(request, "postData"), "mimeType"), method = jsn_str(request, "method");

	if (str_starts_ci(jsn_str(request, "url"), STR("ws")) || str_eq(method, STR("OPTIONS")) || str_eq(method, STR("CONNECT")))
		return false;
	if (str_eq(kind, STR("xhr")) || str_eq(kind, STR("fetch")))
		return true;
	if (kind.n)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((str_find(answer, str_of(types[i])) != SIZE_MAX && str_find(answer, STR("svg")) == SIZE_MAX) ||
		    str_find(sent, str_of(types[i])) != SIZE_MAX)
			return true;
	return answer.n == 0 && !str_eq(method, STR("GET"));
}

static struct str host_of(const json_t *entry)
{
	struct uri u;

	return uri_parse(jsn_str(jsn_get(entry, "request"), "url"), &u) ? u.host : STR_NULL;
}

/* The host with most calls that carry data; the first of equals. */
static GH_RC choose_host(struct har *h, struct gh_err *err)
{
	json_t *counts = jsn_keep(h->arena, json_object()), *entry, *count;
	json_int_t best = 0;
	const char *name;
	size_t i;

	json_array_foreach(h->entries, i, entry) {
		struct str host = host_of(entry);

		if (!host.n || !carries_data(entry) || json_object_size(counts) == HOSTS_MAX || !utf8_valid(host))
			continue;
		json_object_setn_new(counts, host.p, host.n, json_integer(json_integer_value(jsn_get_n(counts, host)) + 1));
	}
	json_object_foreach(counts, name, count) {
		if (json_integer_value(count) > best) {
			best = json_integer_value(count);
			h->host = str_of(name);
		}
	}
	if (!best)
		FAIL(err, INVALID, "the archive has no call that sends or receives data (JSON, XML, forms)");
	json_object_foreach(counts, name, count)
		if (!str_eq(str_of(name), h->host))
			import_not_possible(h->report, str_of(name), "calls to this host are left out (%lld); import them with --host %s",
					    (long long)json_integer_value(count), name);
	return GH_RC_OK;
}

static size_t pairs(const json_t *list, struct recorded_pair *to)
{
	size_t n = 0, i;
	json_t *p;

	json_array_foreach((json_t *)(uintptr_t)list, i, p) {
		if (n == FIELDS_MAX)
			break;
		to[n++] = (struct recorded_pair){ jsn_str(p, "name"), jsn_str(p, "value") };
	}
	return n;
}

/* The text of an answer, out of base64 where the archive says so. */
static struct str content(struct har *h, const json_t *c)
{
	struct str text = jsn_str(c, "text"), bytes;

	if (!str_eq(jsn_str(c, "encoding"), STR("base64")))
		return text;
	return crypto_base64_decode(h->arena, text, &bytes) ? bytes : STR_NULL;
}

static GH_RC add_entry(struct har *h, struct recording *rec, const json_t *entry, struct recorded_pair *room, struct gh_err *err)
{
	const json_t *request = jsn_get(entry, "request"), *response = jsn_get(entry, "response"), *post = jsn_get(request, "postData");
	struct recorded_call call = { .method = jsn_str(request, "method") };
	struct str url = jsn_str(request, "url");
	struct uri u;

	if (!uri_parse(url, &u))
		return GH_RC_OK;
	call.base = arena_printf(h->arena, u.port ? "%.*s://%.*s:%u" : "%.*s://%.*s", STR_ARG(u.scheme), STR_ARG(u.host), u.port);
	call.path = u.path;
	call.query = room;
	call.n_query = pairs(jsn_get(request, "queryString"), room);
	call.headers = room + FIELDS_MAX;
	call.n_headers = pairs(jsn_get(request, "headers"), room + FIELDS_MAX);
	call.body_type = jsn_str(post, "mimeType");
	call.body = jsn_str(post, "text");
	call.form = room + 2 * FIELDS_MAX;
	call.n_form = pairs(jsn_get(post, "params"), room + 2 * FIELDS_MAX);
	call.status = (int)jsn_int(response, "status", 0);
	call.answer_type = jsn_str(jsn_get(response, "content"), "mimeType");
	call.answer = content(h, jsn_get(response, "content"));
	return recording_add(rec, &call, err);
}

GH_RC import_har(struct arena *a, struct str text, struct str host, struct import_report *r, struct described *out,
		 struct text_where *where, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = IMPORT_FILE_MAX, .flags = JSN_BIG_INTEGERS };
	struct recorded_pair *room = arena_alloc(a, (size_t)3 * FIELDS_MAX, sizeof(*room));
	struct recording *rec = recording_new(a);
	struct har h = { a, r, NULL, host };
	size_t i, calls = 0, others = 0;
	json_t *doc, *entry;

	if (!rec || !room)
		FAIL(err, NOMEM, "recording");
	TRY(jsn_parse_in(a, import_text(text), &limits, &doc, where, err));
	h.entries = jsn_arr(jsn_get(doc, "log"), "entries");
	*where = (struct text_where){ 1, 1 };
	if (!h.entries)
		FAIL(err, INVALID, "this is no HTTP archive: it has no list log.entries");
	if (!host.n)
		TRY(choose_host(&h, err));
	json_array_foreach(h.entries, i, entry) {
		if (!str_eq_ci(host_of(entry), h.host))
			continue;
		if (carries_data(entry)) {
			TRY(add_entry(&h, rec, entry, room, err));
			calls++;
		} else {
			others++;
		}
	}
	if (!calls)
		FAIL(err, INVALID, "the archive has no call to %.*s that sends or receives data", STR_ARG(h.host));
	import_taken(r, "call", calls);
	import_taken(r, "operation", recording_operations(rec));
	if (others)
		import_not_possible(r, arena_printf(a, "%zu other call%s", others, others == 1 ? "" : "s"), "pictures, scripts, styles, preflights and WebSockets are no operations");
	import_approximated(r, STR("schemas"), "they describe what was recorded; values, cookies and credentials are not kept");
	import_approximated(r, STR("parameters in paths"), "numbers, UUIDs and long hexadecimal segments became parameters");
	out->title = h.host;
	return recording_openapi(rec, out->title, STR("Made from a recording of calls."), &out->openapi, &out->server, err);
}
