#include "fcgi/capture.h"

#include "core/cache.h"
#include "core/clock.h"
#include "core/coding.h"
#include "core/log.h"
#include "core/multipart.h"
#include "core/str.h"
#include "db/captures.h"
#include "fcgi/trace_mask.h"

enum {
	SLACK_BYTES = 8192,                      /* kept behind what will be shown, so that no half of a secret is left at its end */
	FIELDS_BYTES = 40960,                    /* of one message's fields */
	RECORD_BYTES_MAX = 4 << 20,
	MASK_FACTOR = 7,                         /* core/body_mask.h */
	VARIANT_BYTES = 16384,                   /* of a secret as it stands in JSON or XML */
	PARTS_MAX = 50,                          /* of a multipart body that are told */
};

struct capture_body {
	struct buf kept;
	uint64_t bytes;                          /* that passed */
};

struct capture {
	const struct snap_capture *by;
	struct str asked, method;                /* methods: of the client, of the backend */
	struct url url;                          /* of the backend */
	struct fields before, sent, answered;
	int answered_status;
	bool was_sent;
	struct capture_body in, out, back, down; /* from the client, to the backend, from it, to the client */
};

/* ---- what passes ------------------------------------------------------------------------------------------------------- */

static bool is_for(const struct snap_capture *c, const struct call *k, const struct gate_state *g)
{
	struct ip address;

	if (c->api.n)
		return g->route.api && str_eq(c->api, g->route.api->ctx.id);
	if (c->subscription.n)
		return str_eq(c->subscription, g->access.subscription_id);
	return ip_parse(k->x.request.ip, &address) && ip_set_find(&c->address, &address);
}

static bool count(struct call *k, const struct snap_capture *c, const char *what, uint64_t amount, uint64_t limit)
{
	struct counter_ask ask = { .type = COUNTER_TYPE_FIXED, .limit = limit, .amount = amount,
				   .key = arena_printf(k->arena, "capture-%s:%.*s", what, STR_ARG(c->id)) };

	return ask.key.p && k->wk->serving->counters && counter_take(k->wk->serving->counters, &ask).allowed;
}

static void keep(const struct capture *c, struct capture_body *b, struct str bytes)
{
	size_t most = c->by->body_bytes ? c->by->body_bytes + SLACK_BYTES : 0;

	b->bytes += bytes.n;
	if (b->kept.n < most)
		buf_str(&b->kept, str_first(bytes, most - b->kept.n));
}

void capture_begin(struct call *k, struct gate_state *g)
{
	const struct snapshot *s = g->snapshot;
	const struct snap_capture *by = NULL;
	struct capture *c;

	if (k->capture || !k->wk->cache)
		return;
	for (size_t i = 0; i < s->n_captures && !by; i++)
		if (k->x.started_us < s->captures[i].until_us && is_for(&s->captures[i], k, g))
			by = &s->captures[i];
	if (!by || !count(k, by, "calls", 1, by->calls))
		return;
	c = arena_new_of(k->arena, struct capture);
	if (!c)
		return;
	c->by = by;
	c->asked = k->x.request.method;
	fields_init(&c->before, k->arena);
	fields_init(&c->sent, k->arena);
	fields_init(&c->answered, k->arena);
	if (!fields_copy(&c->before, &k->x.request.headers))
		return;
	for (size_t i = 0; i < 4; i++)
		buf_init(&(struct capture_body *[]){ &c->in, &c->out, &c->back, &c->down }[i]->kept, CAPTURE_BODY_BYTES_MAX + SLACK_BYTES);
	k->capture = c;
	keep(c, &c->in, str_from(buf_view(&k->up), k->up_at));
}

void capture_client_sent(struct call *k, struct str bytes)
{
	keep(k->capture, &k->capture->in, bytes);
}

/* Of several tries the last one is kept. */
void capture_to_backend(struct call *k, const struct fields *fields, struct str held)
{
	struct capture *c = k->capture;

	c->sent.n = c->answered.n = 0;
	c->was_sent = fields_copy(&c->sent, fields);
	c->url = k->x.request.url;
	c->method = k->x.request.method;
	c->answered_status = 0;
	buf_clear(&c->out.kept);
	buf_clear(&c->back.kept);
	c->out.bytes = c->back.bytes = 0;
	keep(c, &c->out, held);
}

void capture_backend_head(struct call *k)
{
	struct capture *c = k->capture;

	c->answered.n = 0;
	c->answered_status = k->x.response.status;
	if (!fields_copy(&c->answered, &k->x.response.headers))
		c->answered.n = 0;
}

void capture_from_backend(struct call *k, struct str bytes)
{
	keep(k->capture, &k->capture->back, bytes);
}

void capture_to_client(struct call *k, struct str bytes)
{
	keep(k->capture, &k->capture->down, bytes);
}

/* ---- secrets ------------------------------------------------------------------------------------------------------------ */

static void hide_marked(struct trace_writer *w, const struct capture *c, const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (mask_name_is_secret(f->v[i].name, &c->by->marked))
			trace_hide(w, f->v[i].value);
}

struct escape {
	char c;
	const char *as;
};

static void hide_escaped(struct trace_writer *w, struct str s, const struct escape *table, size_t n)
{
	struct buf b;

	buf_init(&b, VARIANT_BYTES);
	for (size_t at = 0; at < s.n; at++) {
		const char *as = NULL;

		for (size_t i = 0; i < n; i++)
			as = s.p[at] == table[i].c ? table[i].as : as;
		if (as)
			buf_cstr(&b, as);
		else
			buf_char(&b, s.p[at]);
	}
	if (buf_ok(&b) && b.n != s.n)
		trace_hide(w, arena_dup(w->k->arena, buf_view(&b)));
	buf_release(&b);
}

/* A secret also reads otherwise inside of JSON (some writers escape the slash too) and XML. */
static void hide_variants_of(void *to, struct str s)
{
	static const struct escape xml[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&apos;" } };
	static const struct escape slash[] = { { '/', "\\/" } };
	struct trace_writer *w = to;
	struct buf json;

	buf_init(&json, VARIANT_BYTES);
	buf_json(&json, s);
	if (buf_ok(&json) && json.n != s.n + 2)
		trace_hide(w, arena_dup(w->k->arena, (struct str){ json.p + 1, json.n - 2 }));
	if (buf_ok(&json))
		hide_escaped(w, (struct str){ json.p + 1, json.n - 2 }, slash, ARRAY_LEN(slash));
	hide_escaped(w, s, xml, ARRAY_LEN(xml));
	buf_release(&json);
}

static void hide_variants(struct trace_writer *w)
{
	size_t n = w->n_hidden;

	for (size_t i = 0; i < n; i++)
		hide_variants_of(w, w->hidden[i]);
	exchange_each_secret(&w->k->x, hide_variants_of, w);
}

static void see_length(void *to, struct str secret)
{
	size_t *n = to;

	*n = secret.n > *n ? secret.n : *n;
}

static size_t longest_hidden(const struct trace_writer *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_hidden; i++)
		see_length(&n, w->hidden[i]);
	exchange_each_secret(&w->k->x, see_length, &n);
	return n;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

/* The query of an address, JSON in a field; "***" when there is no memory to look into it. */
static struct str field_value(struct trace_writer *w, const struct capture *c, struct str value)
{
	struct str shown = STR_NULL;
	struct buf b;

	buf_init(&b, value.n * MASK_FACTOR + 1);
	if (mask_value(&b, w->k->arena, value, &c->by->marked))
		shown = str_eq(buf_view(&b), value) ? value : arena_dup(w->k->arena, buf_view(&b));
	buf_release(&b);
	return shown.p ? trace_mask(w, shown) : STR("***");
}

static void put_fields(struct trace_writer *w, const struct capture *c, const struct fields *f)
{
	size_t start = w->b.n;

	buf_cstr(&w->b, "\"headers\":[");
	for (size_t i = 0; i < f->n; i++) {
		bool secret = trace_field_is_secret(w->k, f->v[i].name) || mask_name_is_secret(f->v[i].name, &c->by->marked);

		if (w->b.n - start > FIELDS_BYTES) {
			w->cut = true;
			break;
		}
		buf_cstr(&w->b, i ? ",{" : "{");
		trace_put_masked(w, "name", trace_mask(w, f->v[i].name), TRACE_NAME_BYTES);
		buf_char(&w->b, ',');
		trace_put_masked(w, "value", secret ? STR("***") : field_value(w, c, f->v[i].value), TRACE_VALUE_BYTES);
		buf_char(&w->b, '}');
	}
	buf_cstr(&w->b, "],");
}

/* The text of a body or part, masked, no longer than `most`; or *why there is none. */
static struct str shown_text(struct trace_writer *w, const struct capture *c, struct str bytes, struct str type, bool cut, size_t most,
			     const char **why)
{
	size_t unsure = longest_hidden(w);
	enum body_form form = mask_form_of(type, bytes);
	struct str text = STR_NULL;
	struct buf b;

	if (form == BODY_FORM_NONE) {
		*why = "not text";
		return STR_NULL;
	}
	buf_init(&b, bytes.n * MASK_FACTOR + SLACK_BYTES);
	if (mask_body(&b, w->k->arena, form, bytes, &c->by->marked))
		text = arena_dup(w->k->arena, buf_view(&b));
	buf_release(&b);
	if (text.p)
		text = trace_mask(w, text);
	if (!text.p) {
		*why = "no memory to mask it";
		return STR_NULL;
	}
	if (cut)
		text = str_first(text, text.n > unsure ? text.n - unsure : 0);
	return str_first(text, most);
}

static bool is_plain(struct str transfer_coding)
{
	return !transfer_coding.n || str_eq_ci(transfer_coding, STR("7bit")) || str_eq_ci(transfer_coding, STR("8bit"))
	       || str_eq_ci(transfer_coding, STR("binary"));
}

/* What it is, and its text when it has one. Returns how many bytes of text that is. */
static size_t put_part(struct trace_writer *w, const struct capture *c, const struct multipart_part *p, bool cut, size_t most)
{
	const struct {
		const char *name;
		struct str value;
	} rows[] = { { "name", p->name }, { "file", p->file }, { "type", p->type } };
	const char *why = "not text";
	struct str text = STR_NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		trace_put_masked(w, rows[i].name, rows[i].value.p ? field_value(w, c, rows[i].value) : STR(""), TRACE_NAME_BYTES);
		buf_char(&w->b, ',');
	}
	if (mask_name_is_secret(p->name, &c->by->marked))
		text = p->bytes.n ? STR("***") : STR("");
	else if (!is_plain(p->coding))
		why = "encoded";
	else
		text = shown_text(w, c, p->bytes, p->type, cut, most, &why);
	buf_fmt(&w->b, "\"bytes\":%zu,\"cut\":%s,\"text\":", p->bytes.n, cut || (text.p && text.n >= most) ? "true" : "false");
	if (text.p)
		buf_json(&w->b, text);
	else
		buf_fmt(&w->b, "null,\"note\":\"%s\"", why);
	return text.n;
}

/* "parts" of a multipart body. False: it cannot be read as one, and nothing was written. */
static bool put_parts(struct trace_writer *w, const struct capture *c, struct str type, struct str bytes)
{
	size_t left = c->by->body_bytes, n = 0;
	struct multipart m;
	struct multipart_part p;
	enum multipart_step step;

	if (!str_starts_ci(str_trim(type), STR("multipart/")) || multipart_begin(&m, w->k->arena, type, bytes))
		return false;
	for (; (step = multipart_next(&m, &p)) == MULTIPART_PART || step == MULTIPART_CUT; n++) {
		if (n == PARTS_MAX) {
			w->cut = true;
			break;
		}
		buf_cstr(&w->b, n ? ",{" : "\"parts\":[{");
		left -= put_part(w, c, &p, step == MULTIPART_CUT, left);
		buf_char(&w->b, '}');
		if (step == MULTIPART_CUT) {
			n++;
			break;
		}
	}
	if (n)
		buf_cstr(&w->b, "],");
	return n > 0;
}

static void put_body(struct trace_writer *w, const struct capture *c, const struct capture_body *b, const struct fields *f, bool coded)
{
	struct str coding = coded ? fields_joined(f, STR("Content-Encoding")) : STR_NULL, bytes = buf_view(&b->kept), text = STR_NULL;
	bool cut = b->bytes > b->kept.n, plain = !coding.n || str_eq_ci(coding, STR("identity"));
	struct str type = fields_get(f, STR("Content-Type"));
	const char *why = "not asked for";
	struct buf decoded;
	bool parts;

	buf_init(&decoded, CAPTURE_BODY_BYTES_MAX * 16);
	if (!plain && b->kept.n) {
		if (cut || coding_decode(coding, bytes, &decoded) != CODING_DONE) {
			why = "compressed, and longer than what is captured";
			bytes = STR("");
		} else {
			bytes = buf_view(&decoded);
		}
	}
	buf_cstr(&w->b, "\"body\":{");
	parts = bytes.n && put_parts(w, c, type, bytes);
	if (bytes.n && !parts)
		text = shown_text(w, c, bytes, type, cut, c->by->body_bytes, &why);
	buf_fmt(&w->b, "\"bytes\":%llu,\"cut\":%s,\"text\":", (unsigned long long)b->bytes,
		cut || text.n >= c->by->body_bytes ? "true" : "false");
	if (text.p)
		buf_json(&w->b, text);
	else
		buf_cstr(&w->b, "null");
	if (text.p || parts || !b->bytes)
		buf_cstr(&w->b, ",\"note\":null}");
	else
		buf_fmt(&w->b, ",\"note\":\"%s\"}", why);
	buf_release(&decoded);
}

static void put_client(struct trace_writer *w, const struct capture *c)
{
	const struct call *k = w->k;
	struct url url = k->x.request.original_url;
	struct buf query;

	buf_init(&query, url.query.n + SLACK_BYTES);
	if (url.query.n && mask_body(&query, k->arena, BODY_FORM_FIELDS, url.query, &c->by->marked))
		url.query = arena_dup(k->arena, buf_view(&query));
	else
		url.query = STR_NULL;
	buf_release(&query);
	buf_cstr(&w->b, "\"request\":{");
	trace_put(w, "method", c->asked);
	buf_char(&w->b, ',');
	trace_put_masked(w, "url", trace_mask_url(w, &url), TRACE_VALUE_BYTES);
	buf_char(&w->b, ',');
	put_fields(w, c, &c->before);
	put_body(w, c, &c->in, &c->before, true);
	buf_cstr(&w->b, "},");
}

static void put_backend(struct trace_writer *w, const struct capture *c)
{
	const struct call *k = w->k;
	struct url url = c->url;
	struct buf query;

	if (!c->was_sent) {
		buf_cstr(&w->b, "\"backendRequest\":null,\"backendResponse\":null,");
		return;
	}
	buf_init(&query, url.query.n + SLACK_BYTES);
	url.query = url.query.n && mask_body(&query, k->arena, BODY_FORM_FIELDS, url.query, &c->by->marked) ? arena_dup(k->arena, buf_view(&query))
													     : STR_NULL;
	buf_release(&query);
	buf_cstr(&w->b, "\"backendRequest\":{");
	trace_put(w, "method", c->method);
	buf_char(&w->b, ',');
	trace_put_masked(w, "url", trace_mask_url(w, &url), TRACE_VALUE_BYTES);
	buf_fmt(&w->b, ",\"tries\":%u,", k->tries);
	put_fields(w, c, &c->sent);
	put_body(w, c, c->out.bytes ? &c->out : &c->in, &c->sent, true);
	if (!c->answered_status) {
		buf_cstr(&w->b, "},\"backendResponse\":null,");
		return;
	}
	buf_fmt(&w->b, "},\"backendResponse\":{\"status\":%d,", c->answered_status);
	put_fields(w, c, &c->answered);
	put_body(w, c, &c->back, &c->answered, true);
	buf_cstr(&w->b, "},");
}

static void put_who(struct trace_writer *w, const struct capture *c)
{
	const struct call *k = w->k;
	char when[CLOCK_ISO_MAX];
	const struct {
		const char *name;
		struct str value;
	} rows[] = {
		{ "id", k->x.request_id }, { "capture", c->by->id }, { "time", str_of(clock_iso(k->x.started_us, 3, when)) },
		{ "api", k->gate->route.api ? k->gate->route.api->ctx.id : STR_NULL },
		{ "operation", k->x.operation ? k->x.operation->id : STR_NULL },
		{ "subscription", k->gate->access.subscription_id }, { "address", k->x.request.ip },
		{ "failure", k->reason == REASON_NONE ? k->word : reason_info(k->reason)->word },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		trace_put(w, rows[i].name, rows[i].value);
		buf_char(&w->b, ',');
	}
	buf_fmt(&w->b, "\"status\":%d,", k->status);
}

static void write_record(struct trace_writer *w, const struct capture *c)
{
	const struct call *k = w->k;

	buf_char(&w->b, '{');
	put_who(w, c);
	put_client(w, c);
	put_backend(w, c);
	buf_fmt(&w->b, "\"response\":{\"status\":%d,", k->status);
	put_fields(w, c, &k->x.response.headers);
	put_body(w, c, &c->down, &k->x.response.headers, !k->x.response.body.changed);
	buf_fmt(&w->b, "},\"timings\":{\"totalUs\":%lld,\"backendUs\":%lld},\"cut\":%s}", (long long)(k->over_us - k->begun_us),
		(long long)k->backend_total_us, w->cut ? "true" : "false");
}

/* One line in the list of the capture. */
static gh_rc list_call(struct trace_writer *w, const struct capture *c, int64_t now, int64_t expires, struct gh_err *err)
{
	const struct call *k = w->k;

	buf_clear(&w->b);
	buf_char(&w->b, '{');
	put_who(w, c);
	trace_put(w, "method", c->asked);
	buf_char(&w->b, ',');
	trace_put(w, "path", k->x.request.original_url.path);
	buf_fmt(&w->b, ",\"bytesIn\":%llu,\"bytesOut\":%llu}", (unsigned long long)c->in.bytes, (unsigned long long)c->down.bytes);
	if (!buf_ok(&w->b))
		FAIL(err, NOMEM, "a list of captured calls");
	return cache_push(k->wk->cache, CAPTURE_LIST_SPACE, c->by->id, buf_view(&w->b), CAPTURE_CALLS_MAX, now, expires, err);
}

static void put_away(struct call *k, struct capture *c)
{
	int64_t now = clock_wall_us(), expires = now + CAPTURE_KEEP_S * INT64_C(1000000);
	struct trace_writer w = { .k = k };
	struct gh_err err = { 0 };
	gh_rc rc;

	buf_init(&w.b, RECORD_BYTES_MAX);
	const struct fields *all[] = { &c->before, &c->sent, &c->answered, &k->x.response.headers };
	trace_hide_call(&w);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		trace_hide_fields(&w, all[i]);
		hide_marked(&w, c, all[i]);
	}
	hide_variants(&w);
	write_record(&w, c);
	if (!buf_ok(&w.b) || !count(k, c->by, "bytes", w.b.n, CAPTURE_TOTAL_BYTES)) {
		log_info("a call is not captured: the capture has no room for it", KV_STR("request_id", k->x.request_id),
			 KV_STR("capture", c->by->id));
	} else {
		rc = cache_put(k->wk->cache, CAPTURE_CACHE_SPACE, k->x.request_id, buf_view(&w.b), now, expires, &err);
		if (!rc.code)
			rc = list_call(&w, c, now, expires, &err);
		if (rc.code)
			log_warn("a call could not be captured", KV_STR("request_id", k->x.request_id), KV_CSTR("error", err.message));
	}
	buf_release(&w.b);
}

void capture_store(struct call *k)
{
	struct capture *c = k->capture;

	if (!c)
		return;
	k->capture = NULL;
	if (k->gate)
		put_away(k, c);
	buf_release(&c->in.kept);
	buf_release(&c->out.kept);
	buf_release(&c->back.kept);
	buf_release(&c->down.kept);
}
