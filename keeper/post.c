#include "keeper/post.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/version.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MAX = 65536, HEADER_MAX = 16384 };

struct post {
	CURL *curl;
	struct buf answer;
	char ca_file[4096];
};

gh_rc post_new(struct str ca_file, struct post **out, struct gh_err *err)
{
	struct post *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (!p || !(p->curl = curl_easy_init())) {
		free(p);
		FAIL(err, NOMEM, "no memory to send records");
	}
	buf_init(&p->answer, ANSWER_MAX);
	snprintf(p->ca_file, sizeof(p->ca_file), "%.*s", STR_ARG(ca_file));
	*out = p;
	return GH_RC_OK;
}

void post_free(struct post *p)
{
	if (!p)
		return;
	curl_easy_cleanup(p->curl);
	buf_release(&p->answer);
	free(p);
}

/* What is too long is read and forgotten. */
static size_t keep(char *bytes, size_t size, size_t n, void *arg)
{
	struct post *p = arg;

	if (p->answer.n + size * n <= ANSWER_MAX)
		buf_add(&p->answer, bytes, size * n);
	return size * n;
}

static int watch(void *stop, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	return atomic_load((const atomic_bool *)stop);
}

static bool add_header(struct curl_slist **list, const char *name, struct str value)
{
	char line[HEADER_MAX];
	struct curl_slist *more = NULL;

	if (snprintf(line, sizeof(line), "%s: %.*s", name, STR_ARG(value)) < (int)sizeof(line))
		more = curl_slist_append(*list, line);
	if (more)
		*list = more;
	return more;
}

static enum outbox_outcome later(struct outbox_batch *b, const char *why)
{
	snprintf(b->error, sizeof(b->error), "%s", why);
	return OUTBOX_LATER;
}

static enum outbox_outcome outcome(struct post *p, struct outbox_batch *b)
{
	curl_off_t after = 0;
	long status = 0;

	curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return OUTBOX_SENT;
	snprintf(b->error, sizeof(b->error), "the receiver answered %ld", status);
	if (status != 408 && status != 429 && status != 502 && status != 503 && status != 504)
		return OUTBOX_REFUSED;
	if (curl_easy_getinfo(p->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK)
		b->retry_after_s = after;
	return OUTBOX_LATER;
}

static void prepare(struct post *p, const struct logger_settings *to, struct str body, struct curl_slist *list, const atomic_bool *stop, char *detail)
{
	curl_easy_reset(p->curl);
	buf_clear(&p->answer);
	curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->curl, CURLOPT_QUICK_EXIT, 1L);       /* who ends waits for no resolver */
	curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->curl, CURLOPT_URL, to->url.p);
	curl_easy_setopt(p->curl, CURLOPT_USERAGENT, "gatehouse/" GATEHOUSE_VERSION);
	curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, (long)to->timeout_ms);
	curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(p->curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(p->curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)stop);
	curl_easy_setopt(p->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(p->curl, CURLOPT_ERRORBUFFER, detail);
	if (p->ca_file[0])
		curl_easy_setopt(p->curl, CURLOPT_CAINFO, p->ca_file);
}

enum outbox_outcome post_send(struct post *p, const struct logger_settings *to, const char *media_type, struct str body, struct outbox_batch *b,
			      const atomic_bool *stop, struct str *answer)
{
	struct curl_slist *list = NULL;
	char detail[CURL_ERROR_SIZE] = "";
	enum outbox_outcome what;
	CURLcode rc;
	bool ok = add_header(&list, "Content-Type", str_of(media_type)) && add_header(&list, "Expect", STR(""));

	*answer = STR("");
	for (size_t i = 0; ok && i < to->n_headers; i++)
		ok = add_header(&list, to->headers[i].name.p, to->headers[i].value);
	if (!ok) {
		curl_slist_free_all(list);
		return later(b, "no memory for headers");
	}
	prepare(p, to, body, list, stop, detail);
	rc = curl_easy_perform(p->curl);
	what = rc == CURLE_OK ? outcome(p, b) : later(b, detail[0] ? detail : curl_easy_strerror(rc));
	curl_easy_setopt(p->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(list);
	*answer = buf_view(&p->answer);
	return what;
}
